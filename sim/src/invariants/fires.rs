use std::collections::VecDeque;

/// The fires of the cron job that are not settled yet, and the newest that is known.
///
/// Fires are due at whole multiples of the interval, by whatever wall clock the leader has. Those that are ahead of the newest are
/// what a leader has to account for: each is run, or reported as missed.
#[derive(Clone, Debug)]
pub(super) struct Fires {
    every_s: u64,
    open: VecDeque<OpenFire>,
    newest: Option<u64>,
}

/// A fire that has not ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct OpenFire {
    pub(super) due_s: u64,
    /// Whether it has ever begun.
    pub(super) begun: bool,
}

/// How many open fires are remembered; of more than that the oldest are not judged.
const OPEN_MOST: usize = 600;

impl Fires {
    pub(super) fn new(every_s: u64) -> Self {
        Self {
            every_s: every_s.max(1),
            open: VecDeque::new(),
            newest: None,
        }
    }

    pub(super) fn open(&self) -> impl Iterator<Item = &OpenFire> {
        self.open.iter()
    }

    /// A fire begins: those that it has overtaken are open. One that is settled stays so, if it is begun again by somebody who has slept since.
    pub(super) fn began(&mut self, due_s: u64) {
        let is_new = self.newest.is_none_or(|newest| due_s > newest);
        self.reach(due_s);
        match self.open.iter_mut().find(|fire| fire.due_s == due_s) {
            Some(fire) => fire.begun = true,
            None if is_new => self.push(due_s, true),
            None => {}
        }
    }

    pub(super) fn ended(&mut self, due_s: u64) {
        self.open.retain(|fire| fire.due_s != due_s);
    }

    /// All from the first to the last were reported as missed.
    pub(super) fn missed(&mut self, first: u64, last: u64) {
        self.newest = self.newest.max(Some(last));
        self.open
            .retain(|fire| fire.begun || !(first..=last).contains(&fire.due_s));
    }

    /// Counting begins anew.
    pub(super) fn forget(&mut self) {
        self.open.clear();
        self.newest = None;
    }

    /// Opens what lies between the newest that is known and this one.
    fn reach(&mut self, due_s: u64) {
        if let Some(newest) = self.newest
            && due_s > newest
        {
            let between = (due_s - newest) / self.every_s;
            let skipped = between.saturating_sub(1).min(OPEN_MOST as u64);
            for back in (1..=skipped).rev() {
                self.push(due_s - back * self.every_s, false);
            }
        }
        self.newest = self.newest.max(Some(due_s));
    }

    fn push(&mut self, due_s: u64, begun: bool) {
        if self.open.len() == OPEN_MOST {
            self.open.pop_front();
        }
        self.open.push_back(OpenFire { due_s, begun });
    }
}
