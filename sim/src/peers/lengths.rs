use std::time::Duration;

use super::{Cell, Peer};

/// How long somebody else's own code took to something under a pattern of faults.
#[derive(Clone, Copy, Debug)]
pub struct MeasuredLength {
    /// What the row is called.
    pub label: &'static str,
    /// The shortest of the runs.
    pub least: Duration,
    /// The longest of the runs.
    pub most: Duration,
    /// The name of the pattern.
    pub pattern: &'static str,
    /// Which election.
    pub peer: Peer,
    /// What took so long.
    pub what: Length,
}

/// What takes a time.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Length {
    /// From the fault until whoever led when it struck has stopped its work.
    GivesUp,
    /// The time without a leader.
    Leaderless,
    /// The longest time with two.
    TwoLeaders,
}

/// The least, the middle and the most of some lengths of time.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct Spread {
    /// The shortest.
    pub least: Duration,
    /// The one in the middle.
    pub middle: Duration,
    /// The longest.
    pub most: Duration,
}

impl MeasuredLength {
    /// All that were measured: Curator 5.9.0 with ZooKeeper 3.9.4 and sessions of 4 s.
    pub const ALL: [Self; 4] = [
        Self::new("N", "zk-cut/3", Length::TwoLeaders, [4_340, 4_390]),
        Self::new("O", "zk-paused/3", Length::TwoLeaders, [203, 225]),
        Self::new("P", "zk-server/3", Length::GivesUp, [108, 320]),
        Self::new("Q", "zk-crash/3", Length::Leaderless, [3_600, 5_500]),
    ];

    /// How much sooner than in any run of the model it may have been.
    pub const SOONER_MOST: Duration = Duration::from_millis(50);
    /// How much later: the threads of a JVM, and other programs on the machine, are not in the model.
    pub const LATER_MOST: Duration = Duration::from_millis(250);
    /// Fewer runs do not show how far the model's lengths reach.
    pub const RUNS_LEAST: u64 = 200;

    const fn new(
        label: &'static str,
        pattern: &'static str,
        what: Length,
        [least, most]: [u64; 2],
    ) -> Self {
        Self {
            label,
            least: Duration::from_millis(least),
            most: Duration::from_millis(most),
            pattern,
            peer: Peer::Curator,
            what,
        }
    }

    /// Whether what was measured can be of the same kind as these.
    pub fn agrees_with(&self, here: Spread) -> bool {
        let low = here.least.saturating_sub(Self::SOONER_MOST);
        low <= self.least && self.most <= here.most + Self::LATER_MOST
    }
}

impl Length {
    /// What it is called in tables.
    pub const fn name(self) -> &'static str {
        match self {
            Self::GivesUp => "gives up after",
            Self::Leaderless => "nobody leads for",
            Self::TwoLeaders => "two leaders for",
        }
    }
}

impl Spread {
    /// Of these, of which nothing is left when there are none.
    pub(super) fn of(mut lengths: Vec<Duration>) -> Self {
        lengths.sort_unstable();
        let middle = lengths.get(lengths.len() / 2);
        Self {
            least: lengths.first().copied().unwrap_or_default(),
            middle: middle.copied().unwrap_or_default(),
            most: lengths.last().copied().unwrap_or_default(),
        }
    }
}

impl Cell {
    /// How long this took in its runs.
    pub fn length(&self, what: Length) -> Spread {
        match what {
            Length::GivesUp => self.gives_up,
            Length::Leaderless => self.leaderless,
            Length::TwoLeaders => self.overlap,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reality_may_be_somewhat_later_and_hardly_sooner() {
        let measured = MeasuredLength::new("", "", Length::TwoLeaders, [2_000, 2_000]);
        let agrees = |lengths: &[u64]| {
            let lengths = lengths.iter().copied().map(Duration::from_millis);
            measured.agrees_with(Spread::of(lengths.collect()))
        };
        assert!(agrees(&[1_750]) && agrees(&[2_050]) && agrees(&[0, 5_000]));
        assert!(!agrees(&[1_749]) && !agrees(&[0, 1_749]));
        assert!(!agrees(&[2_051]) && !agrees(&[2_051, 5_000]));
    }

    #[test]
    fn a_spread_is_the_least_the_middle_and_the_most() {
        let of = |lengths: &[u64]| {
            let lengths = lengths.iter().copied().map(Duration::from_secs);
            let Spread {
                least,
                middle,
                most,
            } = Spread::of(lengths.collect());
            [least, middle, most].map(|length| length.as_secs())
        };
        assert_eq!(of(&[5, 1, 3]), [1, 3, 5]);
        assert_eq!(of(&[7]), [7, 7, 7]);
        assert_eq!(of(&[]), [0, 0, 0]);
    }
}
