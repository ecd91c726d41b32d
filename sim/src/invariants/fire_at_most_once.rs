use super::findings::Findings;
use super::{Facts, Invariant};
use crate::plan::DeliveryPlan;
use crate::trace::{FireDeed, Record, What};

/// Cron: under at-most-once no fire begins twice, whoever leads; except after a ledger that was lost, which has to be reported.
///
/// A fire is known by the time it was due, never by when it ran. The last 64 that began are remembered: a ledger knows only the newest
/// of each job, so that an older one cannot come again without it.
#[derive(Clone, Debug)]
pub(super) struct FireAtMostOnce {
    judges: bool,
    begun: [Option<u64>; REMEMBERED],
    next: usize,
}

const REMEMBERED: usize = 64;

impl FireAtMostOnce {
    pub(super) fn new(facts: &Facts) -> Self {
        let delivery = facts.cron.as_ref().map(|cron| cron.delivery);
        Self {
            judges: delivery == Some(DeliveryPlan::AtMostOnce),
            begun: [None; REMEMBERED],
            next: 0,
        }
    }

    pub(super) fn see(&mut self, record: &Record, findings: &mut Findings) {
        match record.what {
            What::LedgerLost { .. } => self.begun = [None; REMEMBERED],
            What::Fire {
                deed: FireDeed::Began,
                due_s,
                token,
            } if self.judges => {
                if self.begun.contains(&Some(due_s)) {
                    findings.accuse(record.at, Invariant::FireAtMostOnce, || {
                        format!("the fire of {due_s} begins a second time, with token {token}")
                    });
                }
                self.begun[self.next] = Some(due_s);
                self.next = (self.next + 1) % REMEMBERED;
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::invariants::history::History;

    fn fires(dues: &[Option<u64>]) -> Vec<Invariant> {
        let mut history = History::with_cron(DeliveryPlan::AtMostOnce);
        for due_s in dues.iter().copied() {
            let (deed, token) = (FireDeed::Began, 1);
            match due_s {
                Some(due_s) => history.at(1_000, 0, What::Fire { deed, due_s, token }),
                None => history.at(1_000, 0, What::LedgerLost { token }),
            };
        }
        history.broken()
    }

    #[test]
    fn each_fire_once_passes_and_again_after_a_lost_ledger() {
        assert_eq!(fires(&[Some(10), Some(20), None, Some(20)]), []);
    }

    #[test]
    fn a_fire_that_begins_twice_is_found() {
        assert_eq!(
            fires(&[Some(10), Some(20), Some(20)]),
            [Invariant::FireAtMostOnce]
        );
    }
}
