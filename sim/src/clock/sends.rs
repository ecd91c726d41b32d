use std::collections::VecDeque;

use tenure_core::Reading;

use crate::TrueTime;

/// How many sends are remembered: more than any deadline counts back, also where each is tried again at once.
const KEPT: usize = 4096;

/// When a process sent what a deadline may count from, by its own clocks and in true time.
#[derive(Clone, Default, Debug)]
pub(crate) struct Sends(VecDeque<(Reading, TrueTime)>);

impl Sends {
    pub(crate) fn add(&mut self, reading: Reading, at: TrueTime) {
        if self.0.len() == KEPT {
            self.0.pop_front();
        }
        self.0.push_back((reading, at));
    }

    /// When that was sent which was to be sent at this reading, if it is remembered: what a starved process sends leaves it later than it
    /// has looked at its clocks.
    pub(crate) fn when(&self, reading: Reading) -> Option<TrueTime> {
        let before = |known: Reading| known.raw < reading.raw || known.boottime < reading.boottime;
        let first = self.0.partition_point(|(known, _)| before(*known));
        self.0.get(first).map(|(_, at)| *at)
    }
}

#[cfg(test)]
mod tests {
    use tenure_core::Nanos;

    use super::*;

    #[test]
    fn what_leaves_a_starved_process_later_is_found_and_what_was_never_sent_is_not() {
        let mut sends = Sends::default();
        for (shows, at) in [(10, 1_010), (20, 1_020), (30, 1_030)] {
            let reading = Reading::both(Nanos::from_millis(shows));
            sends.add(reading, TrueTime::from_nanos(at));
        }
        let when = |shows| sends.when(Reading::both(Nanos::from_millis(shows)));
        assert_eq!(when(20), Some(TrueTime::from_nanos(1_020)));
        assert_eq!(when(21), Some(TrueTime::from_nanos(1_030)));
        assert_eq!(when(31), None);
    }
}
