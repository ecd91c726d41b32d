//! Who is there: candidates with a node of their own, and whoever stands in the queue.

use std::sync::Arc;

use futures_util::future::join;
use tenure_core::CandidateId;
use tenure_core::backend::{Holder, Member};

use super::error::{Failure, failure};
use super::janitor::Chore;
use super::live::{self, Live};
use super::names;
use super::place::Place;
use super::queue::Queue;
use super::session::{Failed, Mode};
use crate::locked::locked;

impl Queue {
    /// Leaves the queue and the members. Whoever gives up waiting for that takes nothing back: what was not confirmed goes on in the
    /// background.
    pub(crate) async fn withdraw(&self) -> Result<(), Failure> {
        let (place, member) = self.let_go();
        self.moved.tell(|moved| *moved = true);
        let left = async {
            let Some(place) = place else { return Ok(()) };
            let chore = place.leaving(&self.paths.election);
            let gone = seen_to(place.live.janitor.hurry(chore).await);
            gone.map_err(|failed| self.trouble(failed, "leave the queue at", true))
        };
        let removed = async {
            let Some((live, path)) = member else {
                return Ok(());
            };
            let gone = seen_to(live.janitor.hurry(Chore::Delete(path.clone())).await);
            gone.map_err(|failed| failure(failed, "delete", &path, true))
        };
        let (left, removed) = join(left, removed).await;
        left.and(removed)
    }

    /// Lets go of everything, in the background.
    pub(crate) fn abandon(&self) {
        let (place, member) = self.let_go();
        if let Some(place) = place {
            place.leave(&self.paths.election);
        }
        if let Some((live, path)) = member {
            live.janitor.ask(Chore::Delete(path));
        }
    }

    /// Forgets the own place and the own member's node: what is to be deleted.
    fn let_go(&self) -> (Option<Place>, Option<(Arc<Live>, String)>) {
        let (place, candidate) = {
            let mut known = locked(&self.known);
            known.predecessor = None;
            // It may have been made also where that is not known.
            let enlisted = known.enlisted.take();
            let member = enlisted.and_then(|_| known.candidate.clone());
            (known.place.take(), member)
        };
        // What was made on an earlier session ends with that.
        let member = candidate
            .zip(self.ensemble.present())
            .map(|(candidate, live)| (live, self.member_path(&candidate)));
        (place, member)
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
        live.janitor.forget(&Chore::Delete(path.clone()));
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
            Err(failed) => {
                let why = |failed| failure(failed, "make", &path, true);
                Err(self.not_made(live, failed, why).await)
            }
        }
    }

    pub(crate) async fn members(&self) -> Result<Vec<Member>, Failure> {
        if !std::mem::replace(&mut locked(&self.known).wants_members, true) {
            self.moved.tell(|moved| *moved = true);
        }
        let live = self.ensemble.live().await?;
        let synced = live.session.sync(&self.paths.election);
        let members = live.session.children(&self.paths.members);
        let contenders = live.session.children(&self.paths.election);
        drop(synced.await);
        let enlisted = listed(members.await, &self.paths.members)?;
        let contenders = listed(contenders.await, &self.paths.election)?;
        let contenders = self.holders(&live, contenders).await?;
        let enlisted = enlisted.iter().map(|name| Holder::parse(name));
        let mut members: Vec<_> = enlisted.chain(contenders).map(member).collect();
        members.sort();
        members.dedup();
        Ok(members)
    }

    /// Who stands in the queue, first come first, whatever recipe put it there that waits as ours does.
    pub(crate) async fn contenders(&self) -> Result<Vec<Member>, Failure> {
        let live = self.ensemble.live().await?;
        let path = &self.paths.election;
        let synced = live.session.sync(path);
        let children = live.session.children(path);
        drop(synced.await);
        let queue = names::queue(path, listed(children.await, path)?, self.strangers)?;
        let nodes = queue.into_iter().map(|contender| contender.name);
        let holders = self.holders(&live, nodes.collect()).await?;
        Ok(holders.into_iter().map(member).collect())
    }

    /// Whom these nodes of the queue name, in their order. Who has left meanwhile is left out.
    async fn holders(&self, live: &Arc<Live>, nodes: Vec<String>) -> Result<Vec<Holder>, Failure> {
        let path = |node: &String| format!("{}/{node}", self.paths.election);
        // All are asked for before the first is waited for.
        let reads: Vec<_> = nodes
            .iter()
            .map(|node| live.session.get(&path(node)))
            .collect();
        let mut holders = Vec::with_capacity(nodes.len());
        for (node, read) in nodes.iter().zip(reads) {
            match read.await {
                Ok((data, _)) => holders.push(names::holder(node, &data)),
                Err(Failed::NoNode) => {}
                Err(failed) => return Err(failure(failed, "read", &path(node), false)),
            }
        }
        Ok(holders)
    }
}

/// The children of a node; none where there is no such node.
fn listed(answer: Result<Vec<String>, Failed>, path: &str) -> Result<Vec<String>, Failure> {
    match answer {
        Err(Failed::NoNode) => Ok(Vec::new()),
        answer => answer.map_err(|failed| failure(failed, "list", path, false)),
    }
}

fn member(holder: Holder) -> Member {
    Member {
        name: holder.name().into(),
        incarnation: holder.incarnation(),
    }
}

/// A loss is no failure of something that is seen to all the same.
fn seen_to(answer: Result<(), Failed>) -> Result<(), Failed> {
    match answer {
        Err(Failed::Lost | Failed::Ended(_)) => Ok(()),
        answer => answer,
    }
}
