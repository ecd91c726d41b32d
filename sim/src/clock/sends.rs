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

    /// When that was sent which was sent at this reading, if it is remembered.
    pub(crate) fn when(&self, reading: Reading) -> Option<TrueTime> {
        let sent = self.0.iter().rev().find(|(known, _)| *known == reading);
        sent.map(|(_, at)| *at)
    }
}
