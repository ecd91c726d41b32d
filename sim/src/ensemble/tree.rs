use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use tenure_backends::zookeeper::simulated::{Failed, Mode, Stat, Step};

use super::transaction::{Answer, Change, Transaction};

/// A server's replica of the nodes and the sessions: what the transactions that it has applied have made.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub(crate) struct Tree {
    nodes: BTreeMap<String, Node>,
    sessions: BTreeMap<i64, Duration>,
    /// The newest transaction that it has applied.
    zxid: i64,
}

/// A node.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Node {
    children: BTreeSet<String>,
    container: bool,
    /// How often its children have changed: what the numbers of sequential ones come from.
    cversion: i32,
    pub(crate) data: Vec<u8>,
    /// Its data before it was set the last time.
    data_before: Vec<u8>,
    pub(crate) mzxid: i64,
    pub(crate) pzxid: i64,
    pub(crate) stat: Stat,
}

impl Node {
    /// What it was before it was set the last time; nothing if it was not.
    pub(super) fn before(&self) -> Option<Self> {
        (self.stat.version > 0).then(|| Self {
            data: self.data_before.clone(),
            stat: Stat {
                version: self.stat.version - 1,
                ..self.stat
            },
            ..self.clone()
        })
    }
}

/// What has changed, for those who watch.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Changed {
    Children(String),
    Created(String),
    Data(String),
    Deleted(String),
}

/// What a transaction has come to.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) answer: Result<Answer, Failed>,
    pub(crate) changed: Vec<Changed>,
}

impl Tree {
    pub(crate) fn node(&self, path: &str) -> Option<&Node> {
        self.nodes.get(path)
    }

    pub(crate) fn children(&self, path: &str) -> Option<impl Iterator<Item = &String>> {
        self.nodes.get(path).map(|node| node.children.iter())
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&String, &Node)> {
        self.nodes.iter()
    }

    pub(crate) fn sessions(&self) -> &BTreeMap<i64, Duration> {
        &self.sessions
    }

    pub(crate) fn zxid(&self) -> i64 {
        self.zxid
    }

    /// Containers that had children and have none any more.
    pub(crate) fn idle_containers(&self) -> Vec<String> {
        let idle = |node: &Node| node.container && node.cversion > 0 && node.children.is_empty();
        let nodes = self.nodes.iter().filter(|(_, node)| idle(node));
        nodes.map(|(path, _)| path.clone()).collect()
    }

    /// Does what a transaction says. The same transactions in the same order make the same tree everywhere.
    pub(crate) fn apply(&mut self, transaction: &Transaction) -> Outcome {
        self.zxid = transaction.zxid;
        let mut changed = Vec::new();
        let answer = match &transaction.change {
            Change::Open { timeout } => {
                self.sessions.insert(transaction.session, *timeout);
                Ok(Answer::Done)
            }
            Change::Close => {
                self.close(transaction.session, &mut changed);
                Ok(Answer::Done)
            }
            Change::One(step) => self.step(step, transaction.session, &mut changed),
            Change::Multi(steps) => self.multi(steps, transaction.session, &mut changed),
            Change::Reap(path) => self.reap(path, &mut changed),
        };
        if answer.is_err() {
            changed.clear();
        }
        Outcome { answer, changed }
    }

    /// Whatever ends with a session goes in one transaction.
    fn close(&mut self, session: i64, changed: &mut Vec<Changed>) {
        self.sessions.remove(&session);
        let owned = |node: &Node| node.stat.ephemeral_owner == session;
        let own: Vec<_> = self
            .nodes
            .iter()
            .filter(|(_, node)| owned(node))
            .map(|(path, _)| path.clone())
            .collect();
        for path in own {
            self.remove(&path, changed);
        }
    }

    fn reap(&mut self, path: &str, changed: &mut Vec<Changed>) -> Result<Answer, Failed> {
        let node = self.nodes.get(path).ok_or(Failed::NoNode)?;
        if !node.container || !node.children.is_empty() {
            return Err(Failed::NotEmpty);
        }
        self.remove(path, changed);
        Ok(Answer::Done)
    }

    fn multi(
        &mut self,
        steps: &[Step],
        session: i64,
        changed: &mut Vec<Changed>,
    ) -> Result<Answer, Failed> {
        let before = self.nodes.clone();
        for step in steps {
            if let Err(failed) = self.step(step, session, changed) {
                self.nodes = before;
                return Err(failed);
            }
        }
        Ok(Answer::Done)
    }

    fn step(
        &mut self,
        step: &Step,
        session: i64,
        changed: &mut Vec<Changed>,
    ) -> Result<Answer, Failed> {
        match step {
            Step::Check { path, version } => self.at(path, *version).map(|_| Answer::Done),
            Step::Create { path, data, mode } => self.create(path, data, *mode, session, changed),
            Step::Delete { path, version } => {
                let node = self.at(path, *version)?;
                if !node.children.is_empty() {
                    return Err(Failed::NotEmpty);
                }
                self.remove(path, changed);
                Ok(Answer::Done)
            }
            Step::Set {
                path,
                data,
                version,
            } => {
                let zxid = self.zxid;
                let node = self.at(path, *version)?;
                node.data_before = std::mem::replace(&mut node.data, data.clone());
                node.mzxid = zxid;
                node.stat.version = node.stat.version.wrapping_add(1);
                let stat = node.stat;
                changed.push(Changed::Data(path.clone()));
                Ok(Answer::Set(stat))
            }
        }
    }

    fn at(&mut self, path: &str, version: Option<i32>) -> Result<&mut Node, Failed> {
        let node = self.nodes.get_mut(path).ok_or(Failed::NoNode)?;
        if version.is_some_and(|version| version != node.stat.version) {
            return Err(Failed::BadVersion);
        }
        Ok(node)
    }

    fn create(
        &mut self,
        path: &str,
        data: &[u8],
        mode: Mode,
        session: i64,
        changed: &mut Vec<Changed>,
    ) -> Result<Answer, Failed> {
        let (parent, _) = split(path);
        let zxid = self.zxid;
        let mut full = path.to_owned();
        if !parent.is_empty() {
            let above = self.nodes.get(parent).ok_or(Failed::NoNode)?;
            if above.stat.ephemeral_owner != 0 {
                let says = "the node above is ephemeral, which can have none below it";
                return Err(Failed::Other(says.to_owned()));
            }
            if mode == Mode::EphemeralSequential {
                full = format!("{path}{:010}", above.cversion);
            }
        }
        if self.nodes.contains_key(&full) {
            return Err(Failed::NodeExists);
        }
        let ends = matches!(mode, Mode::Ephemeral | Mode::EphemeralSequential);
        let stat = Stat {
            czxid: zxid,
            ephemeral_owner: if ends { session } else { 0 },
            version: 0,
        };
        let node = Node {
            children: BTreeSet::new(),
            container: mode == Mode::Container,
            cversion: 0,
            data: data.to_vec(),
            data_before: Vec::new(),
            mzxid: zxid,
            pzxid: zxid,
            stat,
        };
        self.nodes.insert(full.clone(), node);
        let (parent, name) = split(&full);
        if let Some(above) = self.nodes.get_mut(parent) {
            above.children.insert(name.to_owned());
            above.cversion = above.cversion.wrapping_add(1);
            above.pzxid = zxid;
        }
        changed.push(Changed::Created(full.clone()));
        changed.push(Changed::Children(parent.to_owned()));
        Ok(Answer::Made(full, stat))
    }

    fn remove(&mut self, path: &str, changed: &mut Vec<Changed>) {
        self.nodes.remove(path);
        let (parent, name) = split(path);
        if let Some(above) = self.nodes.get_mut(parent) {
            above.children.remove(name);
            above.pzxid = self.zxid;
            // The number of creations so far is what names sequential nodes: a deletion leaves it alone.
        }
        changed.push(Changed::Deleted(path.to_owned()));
        changed.push(Changed::Children(parent.to_owned()));
    }
}

/// A path's parent, empty for the root, and its last part.
pub(super) fn split(path: &str) -> (&str, &str) {
    path.rsplit_once('/').unwrap_or(("", path))
}
