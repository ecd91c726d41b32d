use crate::TrueTime;
use crate::random::Stream;

/// What a node's timers are for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(usize)]
pub(super) enum Timer {
    /// The candidate wants to look at the time.
    Wake = 0,
    /// The watchdog does.
    Guard = 1,
    /// The work does something.
    Work = 2,
}

const EACH: usize = 3;

/// When the timers of all nodes ring. They are moved far more often than they ring, so they stand in a row and not in the queue.
#[derive(Clone, Debug)]
pub(super) struct Timers {
    rings: Vec<TrueTime>,
    tie: Stream,
    ties: Vec<u32>,
}

impl Timers {
    pub(super) fn new(nodes: usize, tie: Stream) -> Self {
        Self {
            rings: vec![TrueTime::END; nodes * EACH],
            tie,
            ties: vec![0; nodes * EACH],
        }
    }

    /// A number that decides between what happens at the same time.
    pub(super) fn tie(&mut self) -> u32 {
        u32::try_from(self.tie.next_u64() >> 32).expect("the high half has 32 bits")
    }

    /// The timer rings at `at`; never at [`TrueTime::END`].
    pub(super) fn set(&mut self, node: usize, timer: Timer, at: TrueTime) {
        let place = node * EACH + timer as usize;
        if self.rings[place] != at {
            self.rings[place] = at;
            self.ties[place] = self.tie();
        }
    }

    /// When which one rings next, and its tie.
    pub(super) fn next(&self) -> ((TrueTime, u32), usize, Timer) {
        let mut first = 0;
        for (place, at) in self.rings.iter().enumerate() {
            let sooner = *at < self.rings[first]
                || (*at == self.rings[first] && self.ties[place] < self.ties[first]);
            if sooner {
                first = place;
            }
        }
        let timer = match first % EACH {
            0 => Timer::Wake,
            1 => Timer::Guard,
            _ => Timer::Work,
        };
        ((self.rings[first], self.ties[first]), first / EACH, timer)
    }
}
