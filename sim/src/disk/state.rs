use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use std::task::Waker;

use tenure_backends::file::system::{Open, Stat};
use tenure_core::WallTime;

use super::inode::Number;
use super::open::{Description, DescriptionId};
use super::tree::{Place, Tree};
use super::watch::{Deed, Queue};
use crate::executor::{NodeId, Process};
use crate::random::Stream;

/// As many events as a queue holds before events are lost, unless a run sets less: the kernel's own default.
const EVENTS_MAX: usize = 16_384;

/// Who makes a system call, and what the machine's wall clock shows.
#[derive(Clone, Debug)]
pub(super) struct Caller {
    pub(super) node: Option<NodeId>,
    pub(super) process: Process,
    pub(super) wall: WallTime,
}

/// The disk and all that is open on it.
#[derive(Debug)]
pub(super) struct State {
    pub(super) descriptions: BTreeMap<DescriptionId, Description>,
    pub(super) draw: Stream,
    pub(super) events_max: usize,
    pub(super) full: bool,
    pub(super) hung: bool,
    made: u64,
    /// Whether nobody is told of changes.
    pub(super) silent: bool,
    pub(super) stuck: Vec<Waker>,
    pub(super) tree: Tree,
    pub(super) watches: BTreeMap<u64, Queue>,
}

impl State {
    pub(super) fn new(draw: Stream) -> Self {
        Self {
            descriptions: BTreeMap::new(),
            draw,
            events_max: EVENTS_MAX,
            full: false,
            hung: false,
            made: 0,
            silent: false,
            stuck: Vec::new(),
            tree: Tree::new(),
            watches: BTreeMap::new(),
        }
    }

    pub(super) fn number(&mut self) -> u64 {
        self.made += 1;
        self.made
    }

    /// Tells all watches of the directory; whom to wake.
    pub(super) fn tell(&mut self, directory: Number, name: &str, deed: Deed) -> Vec<Waker> {
        if self.silent {
            return Vec::new();
        }
        let most = self.events_max;
        let queues = self.watches.values_mut();
        queues
            .filter_map(|queue| queue.tell(directory, name, deed, most))
            .collect()
    }

    fn has_room(&self) -> io::Result<()> {
        if self.full {
            return Err(io::ErrorKind::StorageFull.into());
        }
        Ok(())
    }

    pub(super) fn open(
        &mut self,
        path: &Path,
        how: Open,
        caller: &Caller,
    ) -> io::Result<(DescriptionId, Vec<Waker>)> {
        let place = self.tree.place(path)?;
        self.tree.see(place, caller.node);
        let mut wakers = Vec::new();
        let inode = match (self.tree.at(place), how) {
            (Some(_), Open::New) => return Err(io::ErrorKind::AlreadyExists.into()),
            (Some(there), _) => there,
            (None, Open::Existing | Open::ToRead) => return Err(io::ErrorKind::NotFound.into()),
            (None, Open::New | Open::OrCreate) => {
                self.has_room()?;
                let made = self.tree.create(place, caller.wall, caller.node);
                wakers = self.tell(place.directory, place.name, Deed::Changed);
                made
            }
        };
        if how != Open::ToRead && self.tree.entries(inode).is_ok() {
            return Err(io::ErrorKind::IsADirectory.into());
        }
        self.tree.inode_mut(inode).opens += 1;
        let id = DescriptionId(self.number());
        let description = Description {
            directory: place.directory,
            holders: vec![caller.process.clone()],
            inode,
            writes: how != Open::ToRead,
        };
        self.descriptions.insert(id, description);
        Ok((id, wakers))
    }

    /// Takes a process's descriptor away. When it was the last of a description, tells its close; what is to be ended then.
    pub(super) fn close(
        &mut self,
        id: DescriptionId,
        process: &Process,
    ) -> Option<(DescriptionId, Vec<Waker>)> {
        let description = self.descriptions.get_mut(&id)?;
        if !description.close(process) {
            return None;
        }
        let (directory, inode) = (description.directory, description.inode);
        let mut wakers = Vec::new();
        if description.writes
            && let Some(name) = self.tree.name_of(directory, inode)
        {
            let name = name.to_owned();
            wakers = self.tell(directory, &name, Deed::Closed);
        }
        Some((id, wakers))
    }

    /// Ends a description whose last close was told: its lock is free.
    pub(super) fn end(&mut self, id: DescriptionId) {
        if let Some(description) = self.descriptions.remove(&id) {
            let inode = self.tree.inode_mut(description.inode);
            inode.opens -= 1;
            if inode.lock == Some(id) {
                inode.lock = None;
            }
            self.tree.forget_if_unused(description.inode);
        }
    }

    pub(super) fn rename(
        &mut self,
        from: &Path,
        to: &Path,
        caller: &Caller,
    ) -> io::Result<Vec<Waker>> {
        let (from, to) = (self.tree.place(from)?, self.tree.place(to)?);
        for place in [from, to] {
            self.tree.see(place, caller.node);
        }
        let moved = self.tree.at(from).ok_or(io::ErrorKind::NotFound)?;
        if self.tree.at(to) == Some(moved) {
            return Ok(Vec::new());
        }
        self.tree.begin();
        self.tree.set(to, Some(moved), caller.node);
        self.tree.set(from, None, caller.node);
        let mut wakers = self.changed(from);
        wakers.extend(self.changed(to));
        Ok(wakers)
    }

    pub(super) fn link(
        &mut self,
        from: &Path,
        to: &Path,
        caller: &Caller,
    ) -> io::Result<Vec<Waker>> {
        let (from, to) = (self.tree.place(from)?, self.tree.place(to)?);
        for place in [from, to] {
            self.tree.see(place, caller.node);
        }
        let linked = self.tree.at(from).ok_or(io::ErrorKind::NotFound)?;
        if self.tree.at(to).is_some() {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        self.has_room()?;
        self.tree.begin();
        self.tree.set(to, Some(linked), caller.node);
        Ok(self.changed(to))
    }

    pub(super) fn remove(&mut self, path: &Path, by: Option<NodeId>) -> io::Result<Vec<Waker>> {
        let place = self.tree.place(path)?;
        self.tree.see(place, by);
        let there = self.tree.at(place).ok_or(io::ErrorKind::NotFound)?;
        if self.tree.entries(there).is_ok() {
            return Err(io::ErrorKind::IsADirectory.into());
        }
        self.tree.begin();
        self.tree.set(place, None, by);
        Ok(self.changed(place))
    }

    /// What `path` leads to, to be looked at by a machine.
    pub(super) fn look_up(
        &mut self,
        path: &Path,
        node: Option<NodeId>,
    ) -> io::Result<Option<Stat>> {
        let place = match self.tree.place(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            place => place?,
        };
        self.tree.see(place, node);
        let found = self.tree.at(place);
        Ok(found.map(|number| self.tree.inode_mut(number).see(node).stat(number)))
    }

    pub(super) fn create_directories(&mut self, path: &Path) -> io::Result<Vec<Waker>> {
        if self.tree.find(path)?.is_none() {
            self.has_room()?;
        }
        let made = self.tree.create_directories(path)?;
        let told = made
            .iter()
            .flat_map(|(directory, name)| self.tell(*directory, name, Deed::Changed));
        Ok(told.collect())
    }

    fn changed(&mut self, place: Place<'_>) -> Vec<Waker> {
        self.tell(place.directory, place.name, Deed::Changed)
    }

    /// Makes `bytes` the whole content. On a full disk nothing can grow, and what is written in its place may be cut short.
    pub(super) fn overwrite(
        &mut self,
        inode: Number,
        bytes: &[u8],
        caller: &Caller,
    ) -> io::Result<()> {
        let there = self.tree.inode(inode).state.bytes.len();
        let room = if self.full { there } else { usize::MAX };
        let fits = bytes.len() <= room;
        let written = if fits {
            bytes.len()
        } else {
            self.draw.index(room + 1)
        };
        let content = self.tree.inode_mut(inode).change(caller.node);
        content.modified = caller.wall;
        if fits {
            content.bytes = bytes.to_vec();
            return Ok(());
        }
        content.bytes[..written].copy_from_slice(&bytes[..written]);
        Err(io::ErrorKind::StorageFull.into())
    }
}
