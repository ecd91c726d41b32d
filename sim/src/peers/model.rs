use std::fmt;
use std::sync::Arc;

use tenure_core::{Nanos, Nonce, Version, WallTime};

/// What candidates of another make have of the world: their clocks and some chance. Go's timers and Java's count the clock that stops
/// in suspend.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Now {
    /// The clock that stops in suspend.
    pub(super) clock: Nanos,
    /// A random number, evenly spread over all values.
    pub(super) jitter: u32,
    /// The wall clock.
    pub(super) wall: WallTime,
}

impl Now {
    /// `base` and a random part of up to `most`, from now.
    pub(super) fn after(self, base: Nanos, most: Nanos) -> Nanos {
        let part = (u128::from(most.get()) * u128::from(self.jitter)) >> 32;
        let part = u64::try_from(part).expect("a part of 64 bits has 64 bits");
        self.clock
            .saturating_add(base)
            .saturating_add(Nanos::new(part))
    }
}

/// What a Lease says, as far as these candidates read it.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(super) struct Lease {
    /// How long it says that it stays valid.
    pub(super) duration: Nanos,
    /// Who holds it; nothing when nobody does.
    pub(super) holder: Option<Arc<str>>,
    /// Differs from write to write.
    pub(super) nonce: Nonce,
    /// When it was last renewed, by the clock of whoever did.
    pub(super) renewed: WallTime,
}

/// A request to the API server.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Ask {
    /// POST of a Lease.
    Create(Lease),
    /// GET of the Lease.
    Get,
    /// GET of the pods that are Ready.
    Pods,
    /// PUT of the Lease, with the version that it must still have.
    Update(Version, Lease),
}

/// An answer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Answer {
    /// Somebody else was there first (409).
    Conflict,
    /// Anything else that is no success.
    Failed,
    /// There is no Lease (404).
    Missing,
    /// The names of the pods.
    Pods(Vec<Arc<str>>),
    /// The Lease, and its version.
    Read(Lease, Version),
    /// The Lease has this version since.
    Written(Version),
}

/// Which request an answer belongs to.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(crate) struct Call(pub(crate) u64);

/// What happened.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Input {
    /// A request was answered.
    Answered(Call, Answer),
    /// The process is asked to end.
    ShutDown,
    /// Time has passed.
    Tick,
}

/// What is to be done.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Output {
    /// Wait no longer for this request; it may happen all the same.
    Abandon(Call),
    /// The candidate has ended and does nothing any more.
    Ended,
    /// Make this request.
    Send(Call, Ask),
    /// Start the work.
    Start,
    /// Stop the work.
    Stop,
}

/// A candidate of another make: plain data in, plain data out.
pub(super) trait Model: fmt::Debug {
    /// Takes in what happened. Before the first input nothing is done.
    fn handle(&mut self, now: Now, input: Input);

    /// What is to be done, in order, until nothing is left.
    fn poll(&mut self) -> Option<Output>;

    /// When it next wants a [`Input::Tick`], by its clock; nothing when only an answer can move it.
    fn due(&self, now: Now) -> Option<Nanos>;
}
