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
    /// Which one rings next, unless that has to be looked for.
    first: Option<usize>,
    rings: Vec<TrueTime>,
    tie: Stream,
    ties: Vec<u32>,
}

impl Timers {
    pub(super) fn new(nodes: usize, tie: Stream) -> Self {
        Self {
            first: None,
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
        if self.rings[place] == at {
            return;
        }
        self.rings[place] = at;
        self.ties[place] = self.tie();
        self.first = match self.first {
            Some(first) if first == place => None,
            Some(first) if self.key(place) < self.key(first) => Some(place),
            first => first,
        };
    }

    fn key(&self, place: usize) -> (TrueTime, u32) {
        (self.rings[place], self.ties[place])
    }

    /// When which one rings next, and its tie.
    pub(super) fn next(&mut self) -> ((TrueTime, u32), usize, Timer) {
        let first = self.first.unwrap_or_else(|| self.look_for_first());
        self.first = Some(first);
        let timer = match first % EACH {
            0 => Timer::Wake,
            1 => Timer::Guard,
            _ => Timer::Work,
        };
        (self.key(first), first / EACH, timer)
    }

    fn look_for_first(&self) -> usize {
        let places = 0..self.rings.len();
        places.min_by_key(|place| self.key(*place)).unwrap_or(0)
    }
}
