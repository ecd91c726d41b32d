use super::assumptions::Assumptions;
use super::findings::Findings;
use super::scene::Scene;
use super::{Facts, Invariant};
use crate::TrueTime;
use crate::trace::{Life, Record, What};

/// S13: who reads that another holds its lock, or nobody, stops at once.
///
/// Not at the deadline: that comes early enough for nobody else to lead, but the rule does not rest on one line of defence. What was
/// read counts when it is newer than the candidate's own last write, and by no way that may be behind, and in time: an answer that
/// comes when its call has timed out, but before any timer has said so, is not taken in. A process that is frozen or
/// starved is not to blame, and a moment is allowed.
#[derive(Clone, Debug)]
pub(super) struct StopOnSight {
    /// The last writes, oldest first from `next` on: the version that each made, and who held the lock since.
    writes: [Option<(Option<u64>, Option<Life>)>; WRITES],
    next: usize,
    /// Of each node: since when it has to have stopped what it led then, with which token.
    duties: Vec<Option<(TrueTime, u64)>>,
    /// The earliest of all of them.
    due: TrueTime,
}

/// More writes than are made while an answer is under way.
const WRITES: usize = 32;
const MOMENT: u64 = 1_000_000;

impl StopOnSight {
    pub(super) fn new(facts: &Facts) -> Self {
        Self {
            writes: [None; WRITES],
            next: 0,
            duties: vec![None; facts.nodes.len()],
            due: TrueTime::END,
        }
    }

    /// Whether somebody should have stopped by now.
    pub(super) fn is_due(&self, at: TrueTime) -> bool {
        at > self.due
    }

    /// Looks at who should have stopped before this moment.
    pub(super) fn settle(
        &mut self,
        scene: &Scene,
        assumptions: &Assumptions,
        at: TrueTime,
        findings: &mut Findings,
    ) {
        for (index, duty) in self.duties.iter_mut().enumerate() {
            let Some((by, token)) = duty.take_if(|(by, _)| at > *by) else {
                continue;
            };
            let node = &scene.nodes[index];
            let believed = node.belief.filter(|belief| by < belief.until);
            let believes = believed.is_some_and(|belief| belief.token == token);
            let works = node.work.filter(|work| work.told.is_none());
            let works = works.is_some_and(|work| work.token == token);
            let excused = node.frozen.is_some() || assumptions.is_held_up(index, by);
            if (believes || works) && !excused {
                findings.accuse(by, Invariant::StopOnSight, || {
                    format!("n{index} has read that its lock is not its own, and leads on")
                });
            }
        }
        self.find_due();
    }

    pub(super) fn see(&mut self, scene: &Scene, record: &Record) {
        match record.what {
            What::Wrote {
                version, holder, ..
            } => {
                self.writes[self.next] = Some((version, holder));
                self.next = (self.next + 1) % WRITES;
            }
            What::Observed {
                version,
                maybe_stale: false,
                ..
            } => {
                let Some(index) = scene.index(record) else {
                    return;
                };
                let node = &scene.nodes[index];
                let timeout = scene.facts.nodes[index].request_timeout.get();
                // By a clock that is fast by ρ.
                let drift = timeout / 1_000_000 * u64::from(scene.facts.nodes[index].drift_ppm);
                if node.answered_after >= timeout - drift {
                    return;
                }
                let belief = node.belief.filter(|belief| record.at < belief.until);
                if let (Some(belief), Some(life)) = (belief, node.life)
                    && self.is_lost(life, version)
                {
                    let by = TrueTime::from_nanos(record.at.nanos() + MOMENT);
                    self.duties[index].get_or_insert((by, belief.token));
                    self.find_due();
                }
            }
            _ => {}
        }
    }

    /// Whether a lock of this version is not held by `life`, and is newer than its last write.
    fn is_lost(&self, life: Life, version: Option<u64>) -> bool {
        let (newer, older) = self.writes.split_at(self.next);
        let newest_first = newer.iter().rev().chain(older.iter().rev()).flatten();
        for (written, holder) in newest_first {
            if *holder == Some(life) {
                return false;
            }
            if *written == version {
                return true;
            }
        }
        false
    }

    fn find_due(&mut self) {
        let due = self.duties.iter().flatten().map(|(by, _)| *by);
        self.due = due.min().unwrap_or(TrueTime::END);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::invariants::history::History;
    use crate::plan::{Backend, Foreign};
    use crate::trace::Deed;

    fn observes(history: &mut History, ms: u64, version: Option<u64>) {
        let what = What::Observed {
            token: None,
            version,
            maybe_stale: false,
        };
        history.at(ms, 0, what);
    }

    fn overwritten() -> History {
        let mut history = History::of(Backend::Lease);
        history.elects(1_000, 0);
        history.write(2_000, None, Deed::Foreign(Foreign::Overwrite));
        history
    }

    fn breaks(history: &History) -> bool {
        history.broken().contains(&Invariant::StopOnSight)
    }

    #[test]
    fn who_stops_at_the_sight_of_another_and_who_sees_only_the_past_pass() {
        let mut history = overwritten();
        observes(&mut history, 2_500, Some(1));
        observes(&mut history, 3_000, Some(2));
        history.stops(3_000, 0).world(4_000, What::End);
        assert!(!breaks(&history));
    }

    #[test]
    fn who_leads_on_until_the_deadline_is_found() {
        let mut history = overwritten();
        observes(&mut history, 3_000, Some(2));
        history.stops(5_900, 0);
        assert!(breaks(&history));
    }
}
