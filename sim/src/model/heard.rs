use tenure_core::machine::Outcome;

use super::world::{Call, Deed, Work};

/// One thing that happens within a step. Numbers of candidates come first; versions and tokens are named as in the step.
#[derive(Clone, Debug)]
pub(super) enum Heard {
    /// A candidate waits no longer for its call.
    Abandoned(usize),
    /// A candidate has the answer to its call.
    Answered(usize, Outcome),
    /// The delayed write at this place reaches the store.
    DelayedLanded(usize, usize),
    /// Which of the delayed writes may still be done some day.
    Kept(usize, Vec<bool>),
    /// A candidate's call reaches the store.
    Landed(usize),
    /// A candidate's call is left to itself. A write joins the delayed ones, and so many of the oldest are forgotten.
    Left {
        node: usize,
        is_write: bool,
        excess: usize,
    },
    /// A candidate makes a call.
    Sent(usize, Option<Call>),
    /// Work begins, under this token.
    WorkBegan(usize, u64),
    /// Work ends that was in this state.
    WorkEnded(usize, Work),
    /// Work is told to stop.
    WorkTold(usize),
    /// The write that has just reached the store changes the record, which may have existed.
    Wrote { deed: Deed, existed: bool },
}
