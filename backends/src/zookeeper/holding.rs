//! What a candidate asks for while it has the lock.

use std::sync::Arc;

use tenure_core::backend::{
    Hold, Holder, Note, Release, Released, Renewal, RenewalReceipt, Renewed,
};
use tenure_core::{CandidateId, FencingToken};

use super::error::{Failure, failure};
use super::janitor;
use super::live::{self, Live};
use super::place::Place;
use super::planted::Mistake;
use super::queue::Queue;
use super::record::Left;
use super::session::{Failed, Step};
use crate::locked::locked;

impl Queue {
    /// The place that stands for this hold, if there is one.
    fn holding(&self, candidate: &CandidateId, hold: &Hold) -> Option<Place> {
        let known = locked(&self.known);
        let place = known.place.as_ref()?;
        place.holds(candidate, hold).then(|| place.clone())
    }

    pub(crate) async fn renew(&self, renewal: &Renewal) -> Result<Renewed, Failure> {
        let Some((live, told)) = self
            .holding(&renewal.candidate, &renewal.hold)
            .map(|place| (place.live, place.told))
        else {
            return Ok(Renewed::Conflict(None));
        };
        let standing = if let Some(note) = &renewal.note {
            // Out of line: a thousand renewals wait for one heartbeat at a time, and seldom one has a note.
            match Box::pin(self.leave_note(renewal, note)).await {
                Ok(()) => live.standing(),
                Err(Failed::NoNode) => return Ok(Renewed::Conflict(None)),
                Err(failed) => {
                    return Err(failure(failed, "write the note at", &self.paths.note, true));
                }
            }
        } else {
            live.vouch(told)
                .await
                .map_err(|failed| self.trouble(failed, "give a sign of life for", true))?
        };
        let mut known = locked(&self.known);
        let place = known.place.as_mut();
        match place.filter(|place| place.holds(&renewal.candidate, &renewal.hold)) {
            Some(place) => place.told = standing.sent,
            // The own node has gone meanwhile.
            None => return Ok(Renewed::Conflict(None)),
        }
        Ok(Renewed::Confirmed(RenewalReceipt {
            request: known.request,
            standing: Some(standing),
            version: renewal.hold.version,
        }))
    }

    /// Writes the note of a leader, with the token.
    async fn leave_note(&self, renewal: &Renewal, note: &Note) -> Result<(), Failed> {
        let place = self.holding(&renewal.candidate, &renewal.hold);
        let place = place.ok_or(Failed::NoNode)?;
        self.leave_record(&place, renewal.hold.token, Some(note), there, None)
            .await?;
        if let Some(place) = &mut locked(&self.known).place {
            place.record.note = Some(note.clone());
            place.record.has_token = true;
        }
        Ok(())
    }

    /// Writes down the token of a leadership that has begun, so that its release is a deletion and no more. Whoever was faster has written it
    /// with a note.
    pub(crate) async fn record(&self, live: &Arc<Live>) -> Result<(), Failed> {
        let (place, hold) = {
            let known = locked(&self.known);
            let place = known.stays(live);
            let place = place.filter(|place| !place.record.has_token);
            let Some((place, hold)) = place.and_then(|place| Some((place, place.hold?))) else {
                return Ok(());
            };
            (place.clone(), hold)
        };
        let version = match place.record.version {
            Some(version) => version,
            None => {
                live::make(&*live.session, &self.paths.note).await?;
                0
            }
        };
        let note = place.record.note.as_ref();
        let left = self.leave_record(&place, hold.token, note, there, Some(version));
        match left.await {
            Ok(()) | Err(Failed::BadVersion) => {}
            // The leadership is over.
            Err(Failed::NoNode) => return Ok(()),
            Err(failed) => return Err(failed),
        }
        let mut known = locked(&self.known);
        if let Some(place) = known.place.as_mut().filter(|now| now.uuid == place.uuid) {
            place.record.has_token = true;
        }
        Ok(())
    }

    /// Writes what a leader leaves, if it has this version, together with a step on the leader's node, without which nothing is written.
    async fn leave_record(
        &self,
        place: &Place,
        token: FencingToken,
        note: Option<&Note>,
        with: fn(String) -> Step,
        version: Option<i32>,
    ) -> Result<(), Failed> {
        let Some((_, path)) = &place.node else {
            return Err(Failed::NoNode);
        };
        let session = &place.live.session;
        let set = Step::Set {
            path: self.paths.note.to_string(),
            data: Left::new(token, path, note).to_bytes(),
            version,
        };
        let steps = vec![with(path.to_string()), set];
        let sent = self.ensemble.clock.now();
        let mut answer = session.multi(steps.clone()).await;
        if answer == Err(Failed::NoNode) {
            // The one or the other is missing.
            live::make(&**session, &self.paths.note).await?;
            answer = session.multi(steps).await;
        }
        if answer.is_ok() {
            place.live.wrote(sent);
        }
        answer
    }

    pub(crate) async fn release(&self, release: &Release) -> Result<Released, Failure> {
        let Some(place) = self.holding(&release.candidate, &release.hold) else {
            return Ok(Released::Conflict(None));
        };
        let Some((_, path)) = place.node.clone() else {
            return Ok(Released::Conflict(None));
        };
        let before = place.deleting;
        if let Some(place) = &mut locked(&self.known).place {
            place.deleting = true;
        }
        place.live.leads_no_longer(&path);
        let by = place.live.way();
        let answer = if self.ensemble.planted.is(Mistake::ReleaseByName) {
            self.release_by_name(&place).await
        } else if place.record.has_token {
            janitor::delete(&*place.live.session, &path).await
        } else {
            let note = place.record.note.as_ref();
            self.leave_record(&place, release.hold.token, note, gone, None)
                .await
        };
        let gone = match answer {
            Ok(()) => true,
            // An earlier attempt has deleted it, whose answer was lost.
            Err(Failed::NoNode) if before => true,
            Err(Failed::NoNode) => false,
            // The elector tries again. When it gives that up, the place is left with the next claim, or by withdrawing.
            Err(failed @ (Failed::Lost | Failed::Ended(_))) => {
                return Err(self.trouble(failed, "leave the queue at", true));
            }
            // Without rights on the note the lock is given back all the same.
            Err(failed) => {
                tracing::warn!(error = %failed, path = &*self.paths.note, "what a leader leaves could not be written");
                match janitor::delete(&*place.live.session, &path).await {
                    Ok(()) => true,
                    Err(Failed::NoNode) => before,
                    Err(failed) => return Err(self.trouble(failed, "leave the queue at", true)),
                }
            }
        };
        let mut known = locked(&self.known);
        known.place = None;
        known.left = true;
        drop(known);
        if gone {
            self.has_left(by, &path);
        }
        Ok(if gone {
            Released::Vacated
        } else {
            Released::Conflict(None)
        })
    }

    /// A planted mistake.
    async fn release_by_name(&self, place: &Place) -> Result<(), Failed> {
        let session = &place.live.session;
        for name in session.children(&self.paths.election).await? {
            let path = format!("{}/{name}", self.paths.election);
            if let Ok((data, _)) = session.get(&path).await {
                let holder = Holder::parse(&String::from_utf8_lossy(&data));
                if holder.name() == place.candidate.name.as_str() {
                    drop(session.delete(&path, None).await);
                }
            }
        }
        Ok(())
    }
}

/// That a leader's node is there.
fn there(path: String) -> Step {
    Step::Check {
        path,
        version: None,
    }
}

/// That a leader's node goes.
fn gone(path: String) -> Step {
    Step::Delete {
        path,
        version: Some(0),
    }
}
