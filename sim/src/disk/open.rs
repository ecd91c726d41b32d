use super::inode::Number;
use crate::executor::Process;

/// The number of an open file description.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct DescriptionId(pub(super) u64);

/// An open file description: what an open makes, and what a lock belongs to. A process that inherits a descriptor shares it.
#[derive(Debug)]
pub(super) struct Description {
    /// Through which directory it was opened.
    pub(super) directory: Number,
    /// Who has a descriptor of it. Nobody has while the last close is under way.
    pub(super) holders: Vec<Process>,
    pub(super) inode: Number,
    /// Whether its close is told to those who watch.
    pub(super) writes: bool,
}

impl Description {
    /// Takes one descriptor away; whether it was the last.
    pub(super) fn close(&mut self, process: &Process) -> bool {
        let before = self.holders.len();
        self.holders.retain(|holder| !holder.is(process));
        before > 0 && self.holders.is_empty()
    }
}
