use super::findings::Findings;
use super::fires::Fires;
use super::{Facts, Invariant};
use crate::TrueTime;
use crate::plan::DeliveryPlan;
use crate::trace::{FireDeed, Record, What};

/// Cron: under at-least-once, with all that was missed caught up with, no fire is lost; except with a ledger that was lost, and beyond
/// the most that are caught up with, both of which have to be reported.
///
/// From the first fire on, each that is due before one that has begun was begun itself or reported as missed, and each that has begun
/// has ended, by the end of the run, if a leader has fired anything since it should have. Two reports of missed fires at one moment are the
/// first and the last of all between.
#[derive(Clone, Debug)]
pub(super) struct FireAtLeastOnce {
    judges: bool,
    fires: Fires,
    /// A report of missed fires whose other half is to come: when, and which.
    missed: Option<(TrueTime, u64)>,
    /// The newest fire that has ended.
    newest_ended: Option<u64>,
}

impl FireAtLeastOnce {
    pub(super) fn new(facts: &Facts) -> Self {
        let every = facts
            .cron
            .as_ref()
            .map_or(1, |cron| cron.every.millis() / 1_000);
        let delivery = facts.cron.as_ref().map(|cron| cron.delivery);
        Self {
            judges: delivery == Some(DeliveryPlan::AtLeastOnce),
            fires: Fires::new(every),
            missed: None,
            newest_ended: None,
        }
    }

    pub(super) fn see(&mut self, record: &Record, findings: &mut Findings) {
        if !self.judges {
            return;
        }
        match record.what {
            What::LedgerLost { .. } => {
                self.fires.forget();
                self.newest_ended = None;
            }
            What::Fire { deed, due_s, .. } => self.fire(record.at, deed, due_s),
            What::End => self.judge(record.at, findings),
            _ => {}
        }
    }

    fn fire(&mut self, at: TrueTime, deed: FireDeed, due_s: u64) {
        match deed {
            FireDeed::Began => self.fires.began(due_s),
            FireDeed::Ended => {
                self.fires.ended(due_s);
                self.newest_ended = self.newest_ended.max(Some(due_s));
            }
            FireDeed::Broken => {}
            FireDeed::Missed => match self.missed.take() {
                Some((first_at, first)) if first_at == at => self.fires.missed(first, due_s),
                _ => {
                    self.fires.missed(due_s, due_s);
                    self.missed = Some((at, due_s));
                }
            },
        }
    }

    /// What is older than a fire that has ended had its turn.
    fn judge(&self, at: TrueTime, findings: &mut Findings) {
        let Some(newest) = self.newest_ended else {
            return;
        };
        if let Some(lost) = self.fires.open().find(|fire| fire.due_s < newest) {
            findings.accuse(at, Invariant::FireAtLeastOnce, || {
                let (due, begun) = (lost.due_s, lost.begun);
                let how = if begun {
                    "begun and never ended"
                } else {
                    "never begun"
                };
                format!("the fire of {due} was {how}, and that of {newest} has ended")
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::invariants::history::History;

    /// Fires every 10 s.
    fn fires(deeds: &[(FireDeed, u64)]) -> Vec<Invariant> {
        let mut history = History::with_cron(DeliveryPlan::AtLeastOnce);
        for (deed, due_s) in deeds.iter().copied() {
            let token = 1;
            history.at(1_000, 0, What::Fire { deed, due_s, token });
        }
        history.world(2_000, What::End);
        history.broken()
    }

    #[test]
    fn fires_that_end_are_taken_up_or_are_reported_pass() {
        use FireDeed::{Began, Broken, Ended, Missed};
        let whole = [(Began, 10), (Ended, 10), (Began, 20), (Ended, 20)];
        assert_eq!(fires(&whole), []);
        let again = [
            (Began, 10),
            (Broken, 10),
            (Began, 10),
            (Ended, 10),
            (Began, 20),
            (Ended, 20),
        ];
        assert_eq!(fires(&again), []);
        let missed = [
            (Began, 10),
            (Ended, 10),
            (Missed, 20),
            (Missed, 40),
            (Began, 50),
            (Ended, 50),
        ];
        assert_eq!(fires(&missed), []);
    }

    #[test]
    fn a_fire_that_has_ended_is_not_lost_when_one_who_has_slept_begins_it_again_and_breaks_off() {
        use FireDeed::{Began, Broken, Ended};
        let slept = [
            (Began, 10),
            (Ended, 10),
            (Began, 10),
            (Broken, 10),
            (Began, 20),
            (Ended, 20),
        ];
        assert_eq!(fires(&slept), []);
    }

    #[test]
    fn a_fire_that_is_skipped_is_found() {
        use FireDeed::{Began, Ended};
        let deeds = [(Began, 10), (Ended, 10), (Began, 30), (Ended, 30)];
        assert_eq!(fires(&deeds), [Invariant::FireAtLeastOnce]);
    }

    #[test]
    fn a_fire_that_was_broken_off_and_never_taken_up_is_found() {
        use FireDeed::{Began, Broken, Ended};
        let deeds = [(Began, 10), (Broken, 10), (Began, 20), (Ended, 20)];
        assert_eq!(fires(&deeds), [Invariant::FireAtLeastOnce]);
    }
}
