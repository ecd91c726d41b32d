use super::action::Action;
use super::configuration::TICK;
use crate::TrueTime;

/// When in true time the actions of a way happen, and the ticks of each clock.
///
/// A small world knows no true time, only an order. The first candidate's clock is taken for it, which is never behind another one: its
/// ticks are a second apart, and what happens between two of them is spread evenly.
#[derive(Debug)]
pub(super) struct TrueTimes {
    /// When each action happens.
    pub(super) actions: Vec<TrueTime>,
    /// After the last action.
    pub(super) end: TrueTime,
    ticks: Vec<Vec<TrueTime>>,
}

/// A tick, in nanoseconds.
pub(super) const SECOND: u64 = 1_000_000_000;

impl TrueTimes {
    pub(super) fn of(actions: &[Action], candidates: usize) -> Self {
        debug_assert_eq!(u128::from(SECOND), TICK.as_nanos());
        let mut times = Vec::with_capacity(actions.len());
        let mut second = 0;
        // Each part begins with a tick of the first clock, but for the very first one.
        for (index, part) in actions.chunk_by(|_, next| !ticks(*next, 0)).enumerate() {
            let starts_with_tick = part.first().is_some_and(|first| ticks(*first, 0));
            if index > 0 || starts_with_tick {
                second += 1;
            }
            let offset = u64::from(!starts_with_tick);
            let parts = part.len() as u64 + offset;
            let time = |place: u64| second * SECOND + (place + offset) * SECOND / parts;
            times.extend((0..part.len() as u64).map(|place| TrueTime::from_nanos(time(place))));
        }
        let ticks_of = |node| {
            let all = actions.iter().zip(&times);
            all.filter(|(action, _)| ticks(**action, node))
                .map(|(_, at)| *at)
                .collect()
        };
        Self {
            ticks: (0..candidates).map(ticks_of).collect(),
            actions: times,
            end: TrueTime::from_nanos((second + 1) * SECOND),
        }
    }

    /// When the clock of `node` has ticked so many times, on the way or after it.
    pub(super) fn ticked(&self, node: usize, count: u64) -> TrueTime {
        let known = &self.ticks[node];
        let Some(index) = count.checked_sub(1) else {
            return TrueTime::START;
        };
        let at = usize::try_from(index)
            .ok()
            .and_then(|index| known.get(index));
        at.copied().unwrap_or_else(|| {
            let after = index - known.len() as u64;
            TrueTime::from_nanos(self.end.nanos() + after * SECOND)
        })
    }
}

/// Whether this is a tick of this candidate's clock.
pub(super) fn ticks(action: Action, node: usize) -> bool {
    match action {
        Action::TickAll => true,
        Action::Tick(other) | Action::TickUnnoticed(other) => other == node,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_clock_ticks_once_a_second_and_the_rest_is_in_between() {
        let actions = [
            Action::Delete,
            Action::Tick(0),
            Action::Tick(1),
            Action::Empty,
            Action::Crash(0),
            Action::Tick(0),
        ];
        let times = TrueTimes::of(&actions, 2);
        let millis = |at: &TrueTime| at.nanos() / 1_000_000;
        let at: Vec<_> = times.actions.iter().map(millis).collect();
        assert_eq!(at, [500, 1_000, 1_250, 1_500, 1_750, 2_000]);
        for (node, count, at) in [
            (0, 0, 0),
            (0, 2, 2_000),
            (0, 3, 3_000),
            (1, 1, 1_250),
            (1, 3, 4_000),
        ] {
            assert_eq!(millis(&times.ticked(node, count)), at, "{node} {count}");
        }
    }
}
