//! What a candidate asks for while it has the lock.

use tenure_core::CandidateId;
use tenure_core::backend::{Hold, Holder, Release, Released, Renewal, RenewalReceipt, Renewed};

use super::error::{Failure, failure};
use super::janitor;
use super::live;
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
        let Some(place) = self.holding(&renewal.candidate, &renewal.hold) else {
            return Ok(Renewed::Conflict(None));
        };
        let live = &place.live;
        if let Some(note) = &renewal.note {
            let token = renewal.hold.token;
            let left = Left::new(token, Some(note), None);
            let check = |path| Step::Check {
                path,
                version: None,
            };
            match self.leave_record(&place, &left, check).await {
                Ok(()) => {}
                Err(Failed::NoNode) => return Ok(Renewed::Conflict(None)),
                Err(failed) => {
                    return Err(failure(failed, "write the note at", &self.paths.note, true));
                }
            }
            if let Some(place) = &mut locked(&self.known).place {
                place.note = Some(note.clone());
            }
        }
        let standing = match renewal.note {
            Some(_) => live.standing(),
            None => live
                .vouch(place.told)
                .await
                .map_err(|failed| self.trouble(failed, "give a sign of life for", true))?,
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

    /// Writes what a leader leaves, together with a step on its node, without which nothing is written.
    async fn leave_record(
        &self,
        place: &Place,
        left: &Left,
        with: impl FnOnce(String) -> Step,
    ) -> Result<(), Failed> {
        let Some((_, path)) = &place.node else {
            return Err(Failed::NoNode);
        };
        let session = &place.live.session;
        let set = Step::Set {
            path: self.paths.note.clone(),
            data: left.to_bytes(),
            version: None,
        };
        let steps = vec![with(path.clone()), set];
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
        let token = release.hold.token;
        let left = Left::new(
            token,
            place.note.as_ref(),
            Some(release.candidate.incarnation),
        );
        let delete = |path| Step::Delete {
            path,
            version: Some(0),
        };
        let answer = if self.ensemble.planted.is(Mistake::ReleaseByName) {
            self.release_by_name(&place).await
        } else {
            self.leave_record(&place, &left, delete).await
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
                tracing::warn!(error = %failed, path = self.paths.note, "what a leader leaves could not be written");
                match janitor::delete(&*place.live.session, &path).await {
                    Ok(()) => true,
                    Err(Failed::NoNode) => before,
                    Err(failed) => return Err(self.trouble(failed, "leave the queue at", true)),
                }
            }
        };
        let mut known = locked(&self.known);
        known.place = None;
        drop(known);
        self.moved.tell(|moved| *moved = true);
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
