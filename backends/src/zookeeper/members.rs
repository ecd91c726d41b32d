//! Who is there: candidates with a node of their own, and whoever stands in the queue.

use std::sync::Arc;

use tenure_core::CandidateId;
use tenure_core::backend::{Holder, Member};

use super::error::{Failure, failure};
use super::janitor::{self, Chore};
use super::live::{self, Live};
use super::queue::Queue;
use super::session::{Failed, Mode};
use crate::locked::locked;

impl Queue {
    pub(crate) async fn withdraw(&self) -> Result<(), Failure> {
        let (place, candidate) = {
            let mut known = locked(&self.known);
            known.predecessor = None;
            let enlisted = known.enlisted.take().flatten();
            let member = enlisted.and_then(|_| known.candidate.clone());
            (known.place.take(), member)
        };
        self.moved.tell(|moved| *moved = true);
        let mut gone = Ok(());
        if let Some(place) = place {
            let election = &self.paths.election;
            let path = place.node.as_ref().map(|(_, path)| path.clone());
            path.iter()
                .for_each(|path| place.live.leads_no_longer(path));
            let deleted = match path {
                Some(path) => janitor::delete(&*place.live.session, &path).await,
                None => Err(Failed::Lost),
            };
            match deleted {
                Ok(()) | Err(Failed::NoNode | Failed::Ended(_)) => {}
                // It may yet be made: that is seen to.
                Err(Failed::Lost) => place.leave(election),
                Err(failed) => {
                    place.leave(election);
                    gone = Err(self.trouble(failed, "leave the queue at", true));
                }
            }
        }
        if let (Some(candidate), Some(live)) = (candidate, self.ensemble.present()) {
            let path = self.member_path(&candidate);
            match live.session.delete(&path, Some(0)).await {
                Ok(()) | Err(Failed::NoNode | Failed::Ended(_)) => {}
                Err(failed) => {
                    live.janitor.ask(Chore::Delete(path.clone()));
                    gone = gone.and(Err(failure(failed, "delete", &path, true)));
                }
            }
        }
        gone
    }

    /// Lets go of everything, in the background.
    pub(crate) fn abandon(&self) {
        let mut known = locked(&self.known);
        let (place, enlisted) = (known.place.take(), known.enlisted.take().flatten());
        let candidate = known.candidate.clone();
        drop(known);
        if let Some(place) = place {
            place.leave(&self.paths.election);
        }
        if let (Some(_), Some(candidate), Some(live)) =
            (enlisted, candidate, self.ensemble.present())
        {
            let path = self.member_path(&candidate);
            live.janitor.ask(Chore::Delete(path));
        }
    }

    fn member_path(&self, candidate: &CandidateId) -> String {
        format!("{}/{candidate}", self.paths.members)
    }

    pub(crate) async fn enlist(&self, candidate: &CandidateId) -> Result<(), Failure> {
        {
            let mut known = locked(&self.known);
            known.candidate = Some(candidate.clone());
            known.enlisted.get_or_insert(None);
        }
        let live = self.ensemble.live().await?;
        self.enlist_on(&live).await
    }

    /// Makes the node of a member, if it wants to be one and is not yet on this session.
    pub(crate) async fn enlist_on(&self, live: &Arc<Live>) -> Result<(), Failure> {
        let candidate = {
            let known = locked(&self.known);
            match (&known.enlisted, &known.candidate) {
                (Some(on), Some(candidate)) if *on != Some(live.id()) => candidate.clone(),
                _ => return Ok(()),
            }
        };
        let path = self.member_path(&candidate);
        let make = || {
            let session = &*live.session;
            live::create(session, &path, b"", Mode::Ephemeral, Mode::Persistent)
        };
        let mut made = make().await;
        if made == Err(Failed::NodeExists) {
            let stat = live.session.get(&path).await;
            if !matches!(stat, Ok((_, stat)) if stat.ephemeral_owner == live.id()) {
                // It would end with an earlier session.
                drop(live.session.delete(&path, Some(0)).await);
                made = make().await;
            }
        }
        match made {
            Ok(_) | Err(Failed::NodeExists) => {
                if let Some(on) = &mut locked(&self.known).enlisted {
                    *on = Some(live.id());
                }
                Ok(())
            }
            Err(failed) => Err(failure(failed, "make", &path, true)),
        }
    }

    pub(crate) async fn members(&self) -> Result<Vec<Member>, Failure> {
        let live = self.ensemble.live().await?;
        let synced = live.session.sync(&self.paths.election);
        let members = live.session.children(&self.paths.members);
        let contenders = live.session.children(&self.paths.election);
        drop(synced.await);
        let list = |answer, path: &str| match answer {
            Err(Failed::NoNode) => Ok(Vec::new()),
            answer => answer.map_err(|failed| failure(failed, "list", path, false)),
        };
        let mut texts = list(members.await, &self.paths.members)?;
        let contenders = list(contenders.await, &self.paths.election)?;
        let reads: Vec<_> = contenders
            .iter()
            .map(|name| live.session.get(&format!("{}/{name}", self.paths.election)))
            .collect();
        for read in reads {
            match read.await {
                Ok((data, _)) => texts.push(String::from_utf8_lossy(&data).into_owned()),
                Err(Failed::NoNode) => {}
                Err(failed) => return Err(self.trouble(failed, "read a contender of", false)),
            }
        }
        let mut members: Vec<_> = texts
            .iter()
            .map(|text| {
                let holder = Holder::parse(text);
                Member {
                    name: holder.name().into(),
                    incarnation: holder.incarnation(),
                }
            })
            .collect();
        members.sort();
        members.dedup();
        Ok(members)
    }
}
