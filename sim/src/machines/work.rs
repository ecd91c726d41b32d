use crate::random::Stream;

/// Work that runs, and touches a resource now and then. Its times are readings of the node's timers.
#[derive(Clone, Debug)]
pub(super) struct Work {
    /// When it began.
    pub(super) began: u64,
    /// When it ends, as things are.
    pub(super) ends: Option<u64>,
    pub(super) token: u64,
    pub(super) told: Told,
    /// When it next touches the resource.
    pub(super) touches: u64,
}

/// What work was told.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Told {
    Nothing,
    ToFinish,
    ToStop,
}

impl Work {
    pub(super) fn new(now: u64, token: u64, lasts: Option<u64>) -> Self {
        Self {
            began: now,
            ends: lasts.map(|lasts| now.saturating_add(lasts)),
            token,
            told: Told::Nothing,
            touches: now,
        }
    }

    /// When it does something next.
    pub(super) fn next(&self) -> u64 {
        self.ends
            .map_or(self.touches, |ends| ends.min(self.touches))
    }

    /// It is told, and does it within `takes` unless it is deaf. Work that was told does not end by itself any more.
    pub(super) fn tell(&mut self, now: u64, told: Told, takes: u64, deaf: bool) {
        let own = self.told == Told::Nothing;
        self.told = told;
        if deaf {
            if own {
                self.ends = None;
            }
            return;
        }
        let ends = now.saturating_add(takes);
        self.ends = Some(match self.ends {
            Some(before) if !own => before.min(ends),
            _ => ends,
        });
    }

    /// It has touched the resource, and will again between 0.4 and 2 s later.
    pub(super) fn touched(&mut self, now: u64, draw: &mut Stream) {
        let wait = 400_000_000 + (draw.next_u64() >> 32) * 1_600_000_000 / (1 << 32);
        self.touches = now + wait;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_told_to_finish_and_then_to_stop_ends_by_the_earlier_of_both() {
        let mut work = Work::new(0, 1, Some(50));
        work.tell(10, Told::ToFinish, 100, false);
        assert_eq!(work.ends, Some(110));
        work.tell(20, Told::ToStop, 5, false);
        assert_eq!(work.ends, Some(25));
    }

    #[test]
    fn the_deaf_do_not_end() {
        let mut work = Work::new(0, 1, Some(50));
        work.tell(10, Told::ToStop, 5, true);
        assert_eq!(work.ends, None);
    }
}
