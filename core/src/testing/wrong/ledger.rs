use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::Mistake;
use crate::backend::Member;
use crate::{CandidateId, FencingToken, Incarnation};

/// What the handles of one lock keep together that only the store should: tokens in place of the store's, members.
#[derive(Default, Debug)]
pub(super) struct Ledger(Mutex<Entries>);

#[derive(Default, Debug)]
struct Entries {
    count: u64,
    handles: u64,
    members: BTreeSet<Member>,
    /// The store's token, the wrong one, and who got it.
    given: Vec<(FencingToken, FencingToken, Incarnation)>,
}

impl Ledger {
    /// The wrong token for a grant of the store's token `right`.
    pub(super) fn give(
        &self,
        mistake: Mistake,
        right: FencingToken,
        to: Incarnation,
    ) -> FencingToken {
        let mut entries = self.lock();
        let last = entries.given.last().copied();
        let wrong = match (mistake, last) {
            (Mistake::ReusesTokens, Some((_, last, owner))) if owner == to => last,
            (Mistake::CountsTokensByHandle, _) => {
                let own = entries.given.iter().filter(|(.., owner)| *owner == to);
                let count = u64::try_from(own.count()).unwrap_or(u64::MAX);
                FencingToken::new(count + 1).unwrap_or(right)
            }
            _ => {
                entries.count += 1;
                FencingToken::new(entries.count).unwrap_or(right)
            }
        };
        entries.given.push((right, wrong, to));
        wrong
    }

    /// The lock was seen missing.
    pub(super) fn restart(&self) {
        self.lock().count = 0;
    }

    /// What is shown for the store's token.
    pub(super) fn wrong(&self, right: FencingToken) -> FencingToken {
        let entries = self.lock();
        let found = entries.given.iter().rev().find(|(r, ..)| *r == right);
        found.map_or(right, |(_, wrong, _)| *wrong)
    }

    /// The store's token for what was shown; one that the store never gave when this one was not shown either.
    pub(super) fn right(&self, wrong: FencingToken) -> FencingToken {
        let entries = self.lock();
        let found = entries.given.iter().rev().find(|(_, w, _)| *w == wrong);
        found.map_or(FencingToken::MAX, |(right, ..)| *right)
    }

    /// The number of a new handle.
    pub(super) fn count_handle(&self) -> u64 {
        let mut entries = self.lock();
        entries.handles += 1;
        entries.handles
    }

    pub(super) fn enlist(&self, candidate: &CandidateId) {
        self.lock().members.insert(member(candidate));
    }

    pub(super) fn withdraw(&self, candidate: &CandidateId) {
        self.lock().members.remove(&member(candidate));
    }

    pub(super) fn members(&self) -> Vec<Member> {
        self.lock().members.iter().cloned().collect()
    }

    fn lock(&self) -> MutexGuard<'_, Entries> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn member(candidate: &CandidateId) -> Member {
    Member {
        name: candidate.name.as_str().into(),
        incarnation: Some(candidate.incarnation),
    }
}
