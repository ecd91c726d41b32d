use crate::backend::{
    Acquired, Claim, Member, Observation, OperatorRequest, Release, Released, Renewal, Renewed,
    Submitted,
};
use crate::{CandidateId, Effect};

/// A method of [`LockBackend`](crate::LockBackend) that asks the store for something.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Operation {
    /// `acquire`
    Acquire,
    /// `enlist`
    Enlist,
    /// `members`
    Members,
    /// `observe`
    Observe,
    /// `release`
    Release,
    /// `renew`
    Renew,
    /// `submit`
    Submit,
    /// `withdraw`
    Withdraw,
}

impl Operation {
    /// All operations, in the order of their names.
    pub const ALL: [Self; 8] = [
        Self::Acquire,
        Self::Enlist,
        Self::Members,
        Self::Observe,
        Self::Release,
        Self::Renew,
        Self::Submit,
        Self::Withdraw,
    ];

    /// The method's name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Acquire => "acquire",
            Self::Enlist => "enlist",
            Self::Members => "members",
            Self::Observe => "observe",
            Self::Release => "release",
            Self::Renew => "renew",
            Self::Submit => "submit",
            Self::Withdraw => "withdraw",
        }
    }

    /// What is known about the effect when no answer has come: nothing, but that a read has none.
    pub const fn effect_without_answer(self) -> Effect {
        match self {
            Self::Members | Self::Observe => Effect::NotApplied,
            _ => Effect::Unknown,
        }
    }
}

/// What a handle sends to its store: one for each [`Operation`].
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Request {
    /// Get the lock.
    Acquire(Claim),
    /// Show a candidate as a member.
    Enlist(CandidateId),
    /// List the members.
    Members,
    /// Read the lock.
    Observe,
    /// Give the lock back.
    Release(Release),
    /// Keep the lock.
    Renew(Renewal),
    /// Leave an operator's request.
    Submit(OperatorRequest),
    /// Take a candidate out of the members and the queue.
    Withdraw(CandidateId),
}

impl Request {
    /// Which operation it is.
    pub const fn operation(&self) -> Operation {
        match self {
            Self::Acquire(_) => Operation::Acquire,
            Self::Enlist(_) => Operation::Enlist,
            Self::Members => Operation::Members,
            Self::Observe => Operation::Observe,
            Self::Release(_) => Operation::Release,
            Self::Renew(_) => Operation::Renew,
            Self::Submit(_) => Operation::Submit,
            Self::Withdraw(_) => Operation::Withdraw,
        }
    }
}

/// What a store answers: the variant of the same name as the [`Request`]'s, or [`Reply::Done`] where there is nothing to tell.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Reply {
    /// To [`Request::Acquire`].
    Acquired(Acquired),
    /// To [`Request::Enlist`] and [`Request::Withdraw`].
    Done,
    /// To [`Request::Members`].
    Members(Vec<Member>),
    /// To [`Request::Observe`].
    Observed(Observation),
    /// To [`Request::Release`].
    Released(Released),
    /// To [`Request::Renew`].
    Renewed(Renewed),
    /// To [`Request::Submit`].
    Submitted(Submitted),
}

/// The answer to a request of one kind; that of another kind would be a mistake of the store.
macro_rules! answers {
    ($($name:ident: $variant:ident($answer:ty) to $request:ident;)*) => {
        impl Reply {
            $(
                #[doc = concat!("What it says to a [`Request::", stringify!($request), "`].")]
                ///
                /// # Panics
                /// When it is the answer to a request of another kind.
                pub fn $name(self) -> $answer {
                    match self {
                        Self::$variant(answer) => answer,
                        other => unreachable!("a store answers what it was asked, not {other:?}"),
                    }
                }
            )*
        }
    };
}

answers! {
    acquired: Acquired(Acquired) to Acquire;
    members: Members(Vec<Member>) to Members;
    observed: Observed(Observation) to Observe;
    released: Released(Released) to Release;
    renewed: Renewed(Renewed) to Renew;
    submitted: Submitted(Submitted) to Submit;
}

/// One connection to a store, as the store counts them. Never used again for another.
///
/// In a [`SessionStore`](super::SessionStore) it can end; in a [`LeasedStore`](super::LeasedStore) it does not matter to the lock.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct SessionId(pub(super) u64);
