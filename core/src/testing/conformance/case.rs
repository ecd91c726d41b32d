use std::future::Future;
use std::ops::Deref;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use super::wait::{self, LOOKS_MAX};
use super::{Failure, TestLock};
use crate::backend::{
    Acquired, Grant, Hold, LockBackend, LockKind, Note, Observation, Released, Renewed,
};
use crate::testing::Contender;
use crate::{Clock, Error};

/// What a check says.
pub(super) type Checked = Result<(), Failure>;

/// Ends a check with a failure when the condition does not hold.
macro_rules! ensure {
    ($condition:expr, $($text:tt)+) => {
        if !$condition {
            return Err($crate::testing::conformance::Failure::new(format!($($text)+)));
        }
    };
}
pub(super) use ensure;

/// One check's lock and the candidates that play on it.
#[derive(Debug)]
pub(super) struct Case {
    clock: Option<Arc<dyn Clock>>,
    handles: Mutex<Vec<Arc<dyn LockBackend>>>,
    kind: LockKind,
    numbers: AtomicUsize,
    pub(super) lock: Box<dyn TestLock>,
    tells_token_at_once: bool,
}

/// A candidate and the number of its handle.
#[derive(Debug)]
pub(super) struct Player {
    contender: Contender,
    pub(super) number: usize,
}

impl Deref for Player {
    type Target = Contender;

    fn deref(&self) -> &Contender {
        &self.contender
    }
}

impl Player {
    /// Renews and wants that to be confirmed; the hold after it.
    pub(super) async fn renews(&self, hold: Hold) -> Result<Hold, Failure> {
        match self.lock.renew(&self.renewal(hold)).await? {
            Renewed::Confirmed(receipt) => Ok(Hold {
                version: receipt.version,
                ..hold
            }),
            Renewed::Conflict(seen) => Err(Failure::new(format!(
                "the renewal of a hold that stands was refused; seen: {seen:?}"
            ))),
        }
    }

    /// Renews with a note and wants that to be confirmed; the hold after it.
    pub(super) async fn writes(&self, hold: Hold, note: &Note) -> Result<Hold, Failure> {
        let mut renewal = self.renewal(hold);
        renewal.note = Some(note.clone());
        match self.lock.renew(&renewal).await? {
            Renewed::Confirmed(receipt) => Ok(Hold {
                version: receipt.version,
                ..hold
            }),
            Renewed::Conflict(seen) => Err(Failure::new(format!(
                "a note was refused under a hold that stands; seen: {seen:?}"
            ))),
        }
    }

    /// Releases and wants that to be done.
    pub(super) async fn releases(&self, hold: Hold) -> Checked {
        match self.lock.release(&self.releasing(hold)).await? {
            Released::Vacated => Ok(()),
            Released::Conflict(seen) => Err(Failure::new(format!(
                "the release of a hold that stands was refused; seen: {seen:?}"
            ))),
        }
    }

    /// Claims the lock and wants to get it.
    pub(super) async fn leads(&self) -> Result<Grant, Failure> {
        match self.acquire().await? {
            Acquired::Granted(grant) => Ok(grant),
            Acquired::Busy(seen) => Err(Failure::new(format!(
                "{} did not get a lock that it may have; seen: {seen:?}",
                self.candidate.name
            ))),
        }
    }

    /// Whether a write with this hold was refused: a conflict, or an error, but never a success.
    pub(super) async fn renewal_is_refused(&self, hold: Hold) -> Result<bool, Failure> {
        let renewed = self.lock.renew(&self.renewal(hold)).await;
        Ok(!matches!(renewed, Ok(Renewed::Confirmed(_))))
    }

    /// As [`Player::renewal_is_refused`], for a release.
    pub(super) async fn release_is_refused(&self, hold: Hold) -> Result<bool, Failure> {
        let released = self.lock.release(&self.releasing(hold)).await;
        Ok(!matches!(released, Ok(Released::Vacated)))
    }
}

impl Case {
    pub(super) fn new(
        lock: Box<dyn TestLock>,
        kind: LockKind,
        clock: Option<Arc<dyn Clock>>,
        tells_token_at_once: bool,
    ) -> Self {
        Self {
            clock,
            handles: Mutex::default(),
            kind,
            // Number 0 was used to ask for the kind.
            numbers: AtomicUsize::new(1),
            lock,
            tells_token_at_once,
        }
    }

    /// Whether a read shows the token of `hold`: of a grant that was not renewed yet it may say nothing.
    pub(super) fn shows_token(&self, seen: &Observation, hold: Hold, renewed: bool) -> bool {
        let pending = !self.tells_token_at_once && !renewed && seen.token.is_none();
        pending || seen.token == Some(hold.token)
    }

    /// Whether a read may not tell the token of what it shows as held.
    pub(super) fn may_leave_token_out(&self) -> bool {
        !self.tells_token_at_once
    }

    pub(super) fn kind(&self) -> LockKind {
        self.kind
    }

    /// A new candidate with a handle of its own.
    pub(super) async fn player(&self) -> Result<Player, Failure> {
        let number = self.numbers.load(Ordering::Relaxed);
        self.player_named(&format!("candidate-{number}")).await
    }

    /// A new candidate of this name.
    pub(super) async fn player_named(&self, name: &str) -> Result<Player, Failure> {
        let number = self.numbers.fetch_add(1, Ordering::Relaxed);
        let lock = self.lock.handle(number).await?;
        let handles = self.handles.lock();
        handles
            .unwrap_or_else(PoisonError::into_inner)
            .push(Arc::clone(&lock));
        let contender = Contender::new(lock, name, u128::try_from(number)?)?;
        contender.lock.enlist(&contender.candidate).await?;
        Ok(Player { contender, number })
    }

    /// Lets go of all that the check's candidates hold.
    pub(super) fn end(&self) {
        let handles = self.handles.lock();
        for handle in handles.unwrap_or_else(PoisonError::into_inner).iter() {
            handle.abandon();
        }
    }

    /// `to` gets the lock that `from` holds and does not release: it has aged, or its session has ended.
    pub(super) async fn take_over(&self, from: &Player, to: &Player) -> Result<Grant, Failure> {
        if self.kind == LockKind::Leased {
            return to.leads().await;
        }
        self.lock.crash(from.number).await?;
        self.leads_eventually(to).await
    }

    /// `player` claims again and again until it gets the lock.
    pub(super) async fn leads_eventually(&self, player: &Player) -> Result<Grant, Failure> {
        for _ in 0..LOOKS_MAX {
            if let Some(grant) = player.try_lead().await? {
                return Ok(grant);
            }
            wait::pause(self.clock.as_ref()).await;
        }
        let seen = player.observe().await?;
        Err(Failure::new(format!(
            "a free lock was never granted; seen: {seen:?}"
        )))
    }

    /// The members' names, once they are as many as wanted.
    pub(super) async fn members_eventually(&self, player: &Player, wanted: &[&Player]) -> Checked {
        let mut names: Vec<&str> = wanted.iter().map(|p| p.candidate.name.as_str()).collect();
        names.sort_unstable();
        let mut seen = Vec::new();
        for _ in 0..LOOKS_MAX {
            seen = player.lock.members().await?;
            if seen
                .iter()
                .map(|member| &*member.name)
                .eq(names.iter().copied())
            {
                return Ok(());
            }
            wait::pause(self.clock.as_ref()).await;
        }
        Err(Failure::new(format!(
            "the members should be {names:?} in this order, but are {seen:?}"
        )))
    }

    /// Waits for `future`, but not for ever.
    pub(super) async fn soon<F: Future>(&self, future: F) -> Option<F::Output> {
        wait::within(self.clock.as_ref(), 1, future).await
    }

    /// Runs a whole check, but not for ever.
    pub(super) async fn run(&self, check: impl Future<Output = Checked>) -> Checked {
        let ended = wait::within(self.clock.as_ref(), 10, check).await;
        ended.unwrap_or_else(|| Err(Failure::new("a call did not end in time")))
    }

    /// Gives what was sent before a chance to land.
    pub(super) async fn settle(&self) {
        for _ in 0..4 {
            wait::pause(self.clock.as_ref()).await;
        }
    }
}

/// The failure of a call that was expected, or a complaint when there was none.
pub(super) fn failed<T>(result: Result<T, Error>, what: &str) -> Result<Error, Failure> {
    match result {
        Ok(_) => Err(Failure::new(format!("{what} should have failed"))),
        Err(error) => Ok(error),
    }
}

/// A note with this text.
pub(super) fn note(text: &str) -> Result<Note, Failure> {
    Ok(Note::new(text.as_bytes())?)
}
