use std::time::Duration;

use crate::TrueTime;
use crate::trace::{Record, What};

/// Who leads when in a run, counted over its records as they come: nothing of them is kept.
///
/// A node leads while its work runs or it believes in its own leadership, and its process is not frozen: one that is does nothing.
#[derive(Clone, Debug)]
pub struct Tally {
    last: TrueTime,
    led: bool,
    nodes: Vec<Node>,
    /// Whose work ran when a fault first struck, and when that was.
    struck: Option<(TrueTime, usize)>,
    summary: Summary,
    /// For how long nobody has led, without a break.
    leaderless_for: Duration,
    /// For how long more than one has led, without a break.
    together: Duration,
}

/// What was counted.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct Summary {
    /// How long after the first fault that struck while somebody's work ran that work had ended; nothing where it went on.
    pub gives_up: Option<Duration>,
    /// How long nobody led, after somebody had for the first time.
    pub leaderless: Duration,
    /// The longest time of that without a break.
    pub longest_leaderless: Duration,
    /// How many requests were sent.
    pub requests: u64,
    /// The longest time for which more than one led, without a break.
    pub worst_overlap: Duration,
}

#[derive(Clone, Copy, Default, Debug)]
struct Node {
    believes_until: Option<TrueTime>,
    frozen: bool,
    works: bool,
}

impl Node {
    fn leads(&self, at: TrueTime) -> bool {
        !self.frozen && (self.works || self.believes_until.is_some_and(|until| at < until))
    }
}

impl Tally {
    /// Of a run with so many nodes.
    pub fn new(nodes: usize) -> Self {
        Self {
            last: TrueTime::START,
            led: false,
            nodes: vec![Node::default(); nodes],
            struck: None,
            summary: Summary::default(),
            leaderless_for: Duration::ZERO,
            together: Duration::ZERO,
        }
    }

    /// What is to be told of a run with these records.
    pub fn over(nodes: usize, records: &[Record]) -> Summary {
        let mut tally = Self::new(nodes);
        for record in records {
            tally.see(record);
        }
        tally.summary
    }

    /// Takes in what happened next.
    pub fn see(&mut self, record: &Record) {
        self.pass(record.at);
        if matches!(record.what, What::Sent { .. }) {
            self.summary.requests += 1;
        }
        let node = record.node.map(|node| usize::from(node.0));
        self.follow(record, node);
        let Some(node) = node.and_then(|node| self.nodes.get_mut(node)) else {
            return;
        };
        match record.what {
            What::Leads { until, .. } => node.believes_until = Some(until),
            What::LeadsNot { .. } => node.believes_until = None,
            What::WorkBegan { .. } => node.works = true,
            What::WorkEnded { .. } => node.works = false,
            What::Frozen { .. } => node.frozen = true,
            What::Thawed => node.frozen = false,
            What::Down { .. } => *node = Node::default(),
            _ => {}
        }
    }

    /// Follows the work of whoever led when a fault struck.
    fn follow(&mut self, record: &Record, node: Option<usize>) {
        match (&record.what, self.struck) {
            (What::FaultBegan { .. }, None) => {
                let works = self.nodes.iter().position(|node| node.works);
                self.struck = works.map(|node| (record.at, node));
            }
            (What::WorkEnded { .. }, Some((at, struck))) if node == Some(struck) => {
                let after = record.at.since(at);
                self.summary.gives_up.get_or_insert(after);
            }
            _ => {}
        }
    }

    /// What was counted so far.
    pub fn summary(&self) -> Summary {
        self.summary
    }

    /// Lets time pass, over each moment at which a belief ends by itself.
    fn pass(&mut self, to: TrueTime) {
        while self.last < to {
            let ends = self.nodes.iter().filter_map(|node| node.believes_until);
            let next = ends.filter(|end| *end > self.last).min();
            let next = next.map_or(to, |next| next.min(to));
            self.count(next.since(self.last));
            self.last = next;
        }
    }

    fn count(&mut self, time: Duration) {
        let leaders = self.nodes.iter().filter(|node| node.leads(self.last));
        let leaders = leaders.count();
        self.led |= leaders > 0;
        if leaders > 1 {
            self.together += time;
            self.summary.worst_overlap = self.summary.worst_overlap.max(self.together);
        } else {
            self.together = Duration::ZERO;
        }
        if leaders == 0 && self.led {
            self.leaderless_for += time;
            self.summary.leaderless += time;
            self.summary.longest_leaderless =
                self.summary.longest_leaderless.max(self.leaderless_for);
        } else {
            self.leaderless_for = Duration::ZERO;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::executor::NodeId;
    use crate::trace::{Frozen, WorkEnd};

    fn at(seconds: u64, node: u16, what: What) -> Record {
        Record {
            at: TrueTime::from_nanos(seconds * 1_000_000_000),
            node: Some(NodeId(node)),
            what,
        }
    }

    fn began() -> What {
        What::WorkBegan { token: 1 }
    }

    fn ended() -> What {
        let how = WorkEnd::Returned;
        What::WorkEnded { how, token: 1 }
    }

    fn seconds(duration: Duration) -> u64 {
        duration.as_secs()
    }

    #[test]
    fn the_longest_overlap_without_a_break_counts() {
        let records = [
            at(1, 0, began()),
            at(5, 1, began()),
            at(7, 1, ended()),
            at(8, 1, began()),
            at(12, 0, ended()),
            at(20, 1, ended()),
            at(22, 1, What::Thawed),
        ];
        let summary = Tally::over(2, &records);
        assert_eq!(seconds(summary.worst_overlap), 4);
        assert_eq!(seconds(summary.leaderless), 2);
        assert_eq!(seconds(summary.longest_leaderless), 2);
    }

    #[test]
    fn a_belief_ends_at_its_moment_though_nothing_happens_then() {
        let leads = |until: u64| What::Leads {
            token: 1,
            sent: TrueTime::START,
            until: TrueTime::from_nanos(until * 1_000_000_000),
        };
        let records = [
            at(1, 0, leads(9)),
            at(7, 1, leads(30)),
            at(20, 1, leads(40)),
        ];
        assert_eq!(seconds(Tally::over(2, &records).worst_overlap), 2);
    }

    #[test]
    fn whoever_works_when_a_fault_strikes_gives_up_with_its_work() {
        let fault = |seconds| at(seconds, 0, What::FaultBegan { fault: 0 });
        let records = [
            fault(1),
            at(2, 0, began()),
            fault(5),
            at(6, 1, began()),
            at(7, 1, ended()),
            at(9, 0, ended()),
            at(10, 0, began()),
            fault(11),
            at(12, 0, ended()),
        ];
        let gives_up = Tally::over(2, &records).gives_up;
        assert_eq!(gives_up, Some(Duration::from_secs(4)));
        assert_eq!(Tally::over(2, &records[..4]).gives_up, None);
    }

    #[test]
    fn a_frozen_process_does_not_lead_until_it_runs_again() {
        let by = Frozen::Stopped;
        let records = [
            at(1, 0, began()),
            at(2, 0, What::Frozen { by }),
            at(5, 1, began()),
            at(9, 0, What::Thawed),
            at(12, 0, ended()),
        ];
        let summary = Tally::over(2, &records);
        assert_eq!(seconds(summary.worst_overlap), 3);
        assert_eq!(seconds(summary.leaderless), 3);
        assert_eq!(seconds(summary.longest_leaderless), 3);
    }
}
