use std::fmt;

use tenure_core::Nanos;
use tenure_core::Reading;
use tenure_core::machine::{Input, Machine, Moment, Output};

/// What runs on a node of this tier, driven as [`Machine`] is, in the same words.
///
/// > **One mutation, then drain.** After each [`Candidate::handle`] the world takes [`Candidate::poll`] until it returns nothing, does what
/// > it says, looks at [`Candidate::belief`], and hands in the next input when something happens or [`Candidate::wake_after`] has passed.
///
/// | the candidate does | by |
/// | --- | --- |
/// | start | the first input is [`Input::Tick`], at once after it was made |
/// | wake | [`Input::Tick`], once `wake_after` has passed on a timer that suspend makes late |
/// | send a request | [`Output::Send`] with a number of its own; one at a time, another one gives up the one before |
/// | give a request up | [`Output::Abandon`]; it lands all the same |
/// | have an answer | [`Input::Completed`] |
/// | hear of a change | [`Input::Hinted`] |
/// | be asked for something | [`Input::Resign`], [`Input::SetEligibility`], [`Input::ShutDown`] |
/// | start its work | [`Output::StartWork`] |
/// | tell its work to stop | [`Output::StopWork`]: while it still believes, as a drain; otherwise at once |
/// | drop its work | [`Output::AbortWork`], and [`Input::WorkEnded`] follows |
/// | learn that its work ended | [`Input::WorkEnded`], and [`Input::GiveWay`] where it ended by itself |
/// | end | [`Output::Ended`]; started again by its supervisor unless it was asked to end |
///
/// Who has another idea of a leased record sees it through the same requests: an update against a version is
/// [`Operation::Acquire`](tenure_core::machine::Operation::Acquire) with that version as its basis, or, when the record names this candidate,
/// [`Operation::Renew`](tenure_core::machine::Operation::Renew) with identity, token and version of the newest observation.
pub trait Candidate: fmt::Debug {
    /// Takes in what happened at `now`.
    fn handle(&mut self, now: Moment, input: Input);

    /// The next thing to do, until there is nothing.
    fn poll(&mut self) -> Option<Output>;

    /// How long after `now` it wants an input at the latest.
    fn wake_after(&self, now: Reading) -> Option<Nanos>;

    /// Whether it says that it leads.
    fn belief(&self) -> Option<Belief>;
}

/// What a candidate that says "I lead" goes by.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Belief {
    /// For how long after `since` it says so, by the clock that shows more; for ever where it looks at no clock, and then no watchdog
    /// guards it.
    pub length: Option<Nanos>,
    /// When the request was sent that it counts from.
    pub since: Reading,
    /// The leadership's token.
    pub token: u64,
}

/// The candidate of a process: ours is called directly, since it is called millions of times a second.
#[derive(Debug)]
#[expect(
    clippy::large_enum_variant,
    reason = "ours is the one that nearly all nodes run, and is called too often to be behind a pointer"
)]
pub(super) enum Running {
    Machine(Machine),
    Other(Box<dyn Candidate>),
}

impl Candidate for Running {
    #[inline]
    fn handle(&mut self, now: Moment, input: Input) {
        match self {
            Self::Machine(machine) => machine.handle(now, input),
            Self::Other(other) => other.handle(now, input),
        }
    }

    #[inline]
    fn poll(&mut self) -> Option<Output> {
        match self {
            Self::Machine(machine) => machine.poll(),
            Self::Other(other) => other.poll(),
        }
    }

    #[inline]
    fn wake_after(&self, now: Reading) -> Option<Nanos> {
        match self {
            Self::Machine(machine) => machine.wake_after(now),
            Self::Other(other) => other.wake_after(now),
        }
    }

    #[inline]
    fn belief(&self) -> Option<Belief> {
        match self {
            Self::Machine(machine) => {
                let deadline = machine.deadline()?;
                Some(Belief {
                    length: Some(deadline.length),
                    since: deadline.since,
                    token: machine.token()?.value(),
                })
            }
            Self::Other(other) => other.belief(),
        }
    }
}
