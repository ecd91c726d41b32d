use super::super::SessionId;
use super::super::hints::Told;
use super::super::shared::State;
use super::SessionMode;
use super::state::{Node, SessionState};
use crate::backend::{
    Acquired, Claim, Grant, Hold, Holder, OperatorRequest, Release, ReleaseMark, Released, Renewal,
    RenewalReceipt, Renewed, RequestKind, Submitted, Vacancy,
};
use crate::{CandidateId, Effect, Error, ErrorKind, Version};

/// What each request does.
impl SessionState {
    fn error(kind: ErrorKind, operation: &'static str, detail: &str) -> Error {
        Error::new(kind, Effect::NotApplied, operation, Self::NAME, detail)
    }

    pub(super) fn acquire(&mut self, from: SessionId, claim: &Claim) -> Result<Acquired, Error> {
        if !self.is_open(from) {
            let detail = "the session has ended: the next call starts another";
            return Err(Self::error(ErrorKind::Unavailable, "acquire", detail));
        }
        let (mode, taken) = (self.mode, !self.queue.is_empty());
        let mine = |node: &Node| node.session == Some(from) && node.holder.is(&claim.candidate);
        if mode == SessionMode::EndsWithHandle && taken && !self.queue.iter().any(mine) {
            return Ok(Acquired::Busy(Some(self.observe())));
        }
        // A node that was granted before may have been led on: its token is used up.
        let waits = self.queue.iter().any(|node| mine(node) && !node.granted);
        if !waits {
            let token = self.next_token().ok_or_else(|| {
                let detail = "no token is left: use another store";
                Self::error(ErrorKind::Exhausted, "acquire", detail)
            })?;
            self.touch(|state| {
                state.create();
                state.queue.retain(|node| !mine(node));
                state.queue.push(Node {
                    duration: Some(claim.lease_duration),
                    granted: false,
                    holder: Holder::from(&claim.candidate),
                    nonce: claim.nonce,
                    session: Some(from),
                    token,
                });
            });
        }
        if !self.queue.first().is_some_and(mine) {
            return Ok(Acquired::Busy(Some(self.observe())));
        }
        Ok(Acquired::Granted(self.grant(claim)))
    }

    /// The first place is the claimant's: writes its claim there.
    fn grant(&mut self, claim: &Claim) -> Grant {
        let unexplained = self.unexplained || !self.readable;
        let vacancy = if unexplained {
            Vacancy::Unexplained {
                longest_lease: self.longest_lease,
            }
        } else {
            Vacancy::Proven
        };
        self.touch(|state| {
            state.unexplained = unexplained;
            state.readable = true;
            state.mark = None;
            state.longest_lease = state.longest_lease.max(Some(claim.lease_duration));
            state.written = Some(claim.wall);
            let first = &mut state.queue[0];
            first.duration = Some(claim.lease_duration);
            first.granted = true;
            first.nonce = claim.nonce;
        });
        Grant {
            hold: Hold {
                identity: self.identity.expect("a granted lock exists"),
                token: self.queue[0].token,
                version: Version(self.version),
            },
            note: self.note.clone(),
            request: self.request,
            standing: None,
            vacancy,
        }
    }

    /// Whether the first place is the hold: same object, same leadership, same session.
    fn holds(&self, from: SessionId, candidate: &CandidateId, hold: &Hold) -> bool {
        self.identity == Some(hold.identity)
            && self.queue.first().is_some_and(|first| {
                first.session == Some(from)
                    && first.holder.is(candidate)
                    && first.token == hold.token
            })
    }

    pub(super) fn renew(&mut self, from: SessionId, renewal: &Renewal) -> Renewed {
        if !self.holds(from, &renewal.candidate, &renewal.hold) {
            return Renewed::Conflict(Some(self.observe()));
        }
        self.touch(|state| {
            state.queue[0].duration = Some(renewal.lease_duration);
            state.queue[0].nonce = renewal.nonce;
            state.longest_lease = state.longest_lease.max(Some(renewal.lease_duration));
            state.readable = true;
            state.written = Some(renewal.wall);
            if let Some(note) = &renewal.note {
                state.note = Some(note.clone());
            }
        });
        Renewed::Confirmed(RenewalReceipt {
            request: self.request,
            standing: None,
            version: Version(self.version),
        })
    }

    pub(super) fn release(&mut self, from: SessionId, release: &Release) -> Released {
        if !self.holds(from, &release.candidate, &release.hold) {
            return Released::Conflict(Some(self.observe()));
        }
        self.touch(|state| {
            state.queue.remove(0);
            state.mark = Some(ReleaseMark {
                by: release.candidate.incarnation,
                identity: release.hold.identity,
            });
            state.readable = true;
            state.written = Some(release.wall);
        });
        Released::Vacated
    }

    pub(super) fn submit(&mut self, request: &OperatorRequest) -> Result<Submitted, Error> {
        if !self.readable {
            let detail = "wait until the holder has written it anew";
            return Err(Self::error(ErrorKind::Corrupt, "submit", detail));
        }
        if self.token != request.token {
            return Ok(Submitted::Outdated(self.observe()));
        }
        self.touch(|state| {
            state.request = (request.kind != RequestKind::Resume).then_some(*request);
        });
        Ok(Submitted::Accepted)
    }

    pub(super) fn withdraw(&mut self, from: SessionId, candidate: &CandidateId) -> Told {
        let member = self.members.remove(&from).is_some();
        let mine = |node: &Node| node.session == Some(from) && node.holder.is(candidate);
        if self.queue.iter().any(mine) {
            self.touch(|state| state.queue.retain(|node| !mine(node)));
            return Told::Lock;
        }
        if member { Told::Members } else { Told::Nothing }
    }
}
