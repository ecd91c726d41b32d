//! Whether a node that a server does not show is gone.
//!
//! A candidate reads the queue from the replica of the server that it is connected to. A server that has lost changes, as some releases do when
//! one is killed while it joins the others, serves a replica without a node that all others have, and whoever is connected to it takes itself for the
//! first. What one connection has shown to be there and then to be gone is gone: a server takes in changes in their order, and drops its clients before it
//! joins anew. Of everything else the ensemble's leader is asked, which serves no reads: by a write that it refuses while the node is there.

use tenure_core::ErrorKind;

use super::error::Failure;
use super::live::{self, Live, Way};
use super::names::{self, Contender};
use super::planted::Mistake;
use super::queue::{Queue, Seen};
use super::record::Left;
use super::session::{Failed, Mode, Step};
use crate::locked::locked;

/// What a candidate has been shown of those before it, until it leads.
#[derive(Default, Debug)]
pub(crate) struct Shown {
    /// The nodes that stood before its own when it was not the first: the first, and the nearest, perhaps the same.
    before: Vec<Box<str>>,
    /// How it was shown them.
    by: Way,
    /// The node of the last leader, where the ensemble's leader has confirmed that it is gone.
    gone: Option<Box<str>>,
    /// Over this connection the ensemble's leader has said that nobody leads.
    told: Option<Way>,
}

impl Shown {
    /// Whether this connection shows that nobody leads any more, where `last` has written the note.
    fn knows(&self, now: Way, last: Option<&str>) -> bool {
        let told = self.told == Some(now);
        match last {
            Some(last) if self.is_before(last) => self.by == now,
            Some(last) => told && self.gone.as_deref() == Some(last),
            None => told,
        }
    }

    fn is_before(&self, name: &str) -> bool {
        self.before.iter().any(|before| **before == *name)
    }
}

/// What the ensemble's leader says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Asked {
    /// Nobody stands before the candidate.
    Confirmed,
    /// The note that was read is not the newest.
    Outdated,
}

impl Queue {
    /// Takes in that these stand before the own place, as was asked for over this connection.
    pub(crate) fn stands_behind(&self, by: Way, others: &[Contender]) {
        let (Some(first), Some(nearest)) = (others.first(), others.last()) else {
            return;
        };
        let mut known = locked(&self.known);
        let shown = known.shown.get_or_insert_default();
        shown.by = by;
        shown.before = [first, nearest].map(|one| one.name.as_str().into()).into();
    }

    /// Takes in that there was no queue, as the ensemble's leader has said over this connection.
    pub(crate) fn has_no_queue(&self, by: Way) {
        locked(&self.known).shown.get_or_insert_default().told = Some(by);
    }

    /// Takes in that the own node, which has led, is gone, as was asked for over this connection.
    pub(crate) fn has_left(&self, by: Way, path: &str) {
        let mut known = locked(&self.known);
        let shown = known.shown.get_or_insert_default();
        shown.gone = Some(names::name(path).into());
        shown.told = Some(by);
    }

    /// Makes sure that nobody stands before the own place, which was read as the first over the connection of now.
    pub(crate) async fn confirm(&self, live: &Live, seen: &mut Seen) -> Result<Asked, Failure> {
        let now = live.way();
        let Some(doubted) = self.doubted(now, seen) else {
            return Ok(Asked::Confirmed);
        };
        if seen.left_version.is_none() {
            self.confirm_no_note(live, seen).await?;
        }
        let note = seen.left_version.map(|version| self.newest_note(version));
        let probes = doubted.iter().flat_map(|name| self.probe(name));
        let sent = self.ensemble.clock.now();
        let steps: Vec<_> = probes.chain(note).collect();
        if steps.is_empty() {
            // Nobody has ever written a note, nor may this client: there is nothing to ask about.
            return Ok(Asked::Confirmed);
        }
        match live.session.multi(steps).await {
            Ok(()) => {}
            Err(Failed::BadVersion | Failed::NoNode) => return Ok(Asked::Outdated),
            Err(Failed::NodeExists) => return Err(self.has_lost_changes(&doubted.join(", "))),
            Err(failed) => return Err(self.trouble(failed, "see who stands in", true)),
        }
        live.wrote(sent);
        self.has_confirmed(now, doubted.into_iter().next_back());
        Ok(Asked::Confirmed)
    }

    /// Takes in that nobody stands before the own place, as the ensemble's leader has said over this connection: not by `last` either, by which the last
    /// leader led.
    pub(crate) fn has_confirmed(&self, by: Way, last: Option<Box<str>>) {
        let mut known = locked(&self.known);
        let shown = known.shown.get_or_insert_default();
        shown.before.clear();
        shown.gone = last.or_else(|| shown.gone.take());
        shown.told = Some(by);
    }

    /// What is refused if there is such a contender, and else changes nothing.
    pub(crate) fn probe(&self, name: &str) -> [Step; 2] {
        let path = format!("{}/{name}", self.paths.election);
        let create = Step::Create {
            path: path.clone(),
            data: Vec::new(),
            mode: Mode::Persistent,
        };
        let delete = Step::Delete {
            path,
            version: None,
        };
        [create, delete]
    }

    /// What is refused if the note has been written since.
    pub(crate) fn newest_note(&self, version: i32) -> Step {
        Step::Check {
            path: self.paths.note.to_string(),
            version: Some(version),
        }
    }

    /// Nodes that may be there although they are not shown, the last leader's as the note has it at the end; nothing where there is no doubt.
    fn doubted(&self, now: Way, seen: &Seen) -> Option<Vec<Box<str>>> {
        if self.ensemble.planted.is(Mistake::TrustsOneServer) {
            return None;
        }
        let mut known = locked(&self.known);
        let shown = known.shown.get_or_insert_default();
        let last = seen.left.as_ref().and_then(Left::node);
        let first_sight = shown.told.is_none() && shown.by == Way::default();
        if shown.knows(now, last) || (first_sight && self.ensemble.settings.trusts_servers) {
            return None;
        }
        let mut doubted = Vec::new();
        if shown.by != now {
            doubted.clone_from(&shown.before);
        }
        doubted.extend(last.map(Box::from));
        doubted.dedup();
        doubted.retain(|name| !seen.contenders.iter().any(|one| *one.name == **name));
        Some(doubted)
    }

    /// A leader writes a note. Where there seems to be none, making it shows whether there is.
    async fn confirm_no_note(&self, live: &Live, seen: &mut Seen) -> Result<(), Failure> {
        let (path, stays) = (&self.paths.note, Mode::Persistent);
        match live::create(&*live.session, path, b"", stays, stays).await {
            Ok((_, stat)) => seen.left_version = Some(stat.version),
            Err(Failed::NodeExists) => return Err(self.has_lost_changes(path)),
            // Then no leader with these rights has written one.
            Err(Failed::NoRights) => {}
            Err(failed) => return Err(self.trouble(failed, "see who stands in", true)),
        }
        Ok(())
    }

    pub(crate) fn has_lost_changes(&self, what: &str) -> Failure {
        let election = &self.paths.election;
        let detail = format!(
            "the server that this client is connected to does not show what its ensemble has (of {election}: {what}), so that nobody can tell from it who is first: it has lost changes. Restart that server with an empty data directory, and run a release of ZooKeeper in which servers lose none"
        );
        Failure::new(ErrorKind::Unavailable, detail)
    }
}
