use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::path::{Component, Path};

use tenure_core::WallTime;

use super::inode::{Body, Inode, Number};
use crate::executor::NodeId;

/// The number of the directory that everything is under. Those below it stand for nothing.
pub(super) const TOP: Number = 2;
/// So many changes of directories can be undone by a power cut at the most; older ones have reached the disk by themselves.
const CHANGES_MAX: usize = 64;

/// One directory entry that was changed, until it is on stable storage.
#[derive(Debug)]
pub(super) struct Change {
    pub(super) after: Option<Number>,
    pub(super) before: Option<Number>,
    pub(super) by: NodeId,
    pub(super) directory: Number,
    /// Changes of one system call are lost or kept together.
    pub(super) group: u64,
    pub(super) name: String,
}

/// All files and directories.
#[derive(Debug)]
pub(super) struct Tree {
    pub(super) changes: VecDeque<Change>,
    groups: u64,
    /// By number. The smallest number that is free is the next to be given, as many file systems do.
    inodes: Vec<Option<Inode>>,
}

/// Where an entry is, or would be.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Place<'a> {
    pub(super) directory: Number,
    pub(super) name: &'a str,
}

fn slot(number: Number) -> usize {
    usize::try_from(number).expect("numbers are small")
}

impl Tree {
    pub(super) fn new() -> Self {
        let mut top = Inode::directory();
        top.links = 1;
        Self {
            changes: VecDeque::new(),
            groups: 0,
            // The first two are never given, as on a real disk.
            inodes: vec![None, None, Some(top)],
        }
    }

    pub(super) fn inode(&self, number: Number) -> &Inode {
        self.inodes[slot(number)]
            .as_ref()
            .expect("what leads to an inode keeps it")
    }

    pub(super) fn inode_mut(&mut self, number: Number) -> &mut Inode {
        self.inodes[slot(number)]
            .as_mut()
            .expect("what leads to an inode keeps it")
    }

    pub(super) fn add(&mut self, inode: Inode) -> Number {
        let above = slot(TOP) + 1;
        let free = self.inodes.iter().skip(above).position(Option::is_none);
        let at = free.map_or(self.inodes.len(), |free| free + above);
        if at == self.inodes.len() {
            self.inodes.push(None);
        }
        self.inodes[at] = Some(inode);
        at as Number
    }

    pub(super) fn entries(&self, directory: Number) -> io::Result<&BTreeMap<String, Number>> {
        match &self.inode(directory).body {
            Body::Directory(entries) => Ok(entries),
            Body::File => Err(io::ErrorKind::NotADirectory.into()),
        }
    }

    fn entries_mut(&mut self, directory: Number) -> &mut BTreeMap<String, Number> {
        match &mut self.inode_mut(directory).body {
            Body::Directory(entries) => entries,
            Body::File => unreachable!("a place is in a directory"),
        }
    }

    /// Where `path` leads.
    ///
    /// # Errors
    /// When a directory above it is missing or none.
    pub(super) fn place<'a>(&self, path: &'a Path) -> io::Result<Place<'a>> {
        let mut directory = TOP;
        let mut last = None;
        for component in path.components() {
            let Component::Normal(name) = component else {
                continue;
            };
            let name = name.to_str().ok_or(io::ErrorKind::InvalidInput)?;
            if let Some(above) = last.replace(name) {
                let entries = self.entries(directory)?;
                directory = *entries.get(above).ok_or(io::ErrorKind::NotFound)?;
            }
        }
        // The top stands for itself under a name that nothing has.
        let name = last.unwrap_or("");
        self.entries(directory)?;
        Ok(Place { directory, name })
    }

    pub(super) fn at(&self, place: Place<'_>) -> Option<Number> {
        if place.name.is_empty() {
            return Some(place.directory);
        }
        let entries = self.entries(place.directory).expect("a place is in one");
        entries.get(place.name).copied()
    }

    /// What `path` leads to; nothing where something is missing on the way.
    pub(super) fn find(&self, path: &Path) -> io::Result<Option<Number>> {
        match self.place(path) {
            Ok(place) => Ok(self.at(place)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The name of `inode` in `directory`.
    pub(super) fn name_of(&self, directory: Number, inode: Number) -> Option<&str> {
        let entries = self.entries(directory).ok()?;
        let named = entries.iter().find(|(_, number)| **number == inode)?;
        Some(named.0)
    }

    /// Begins a system call that changes directories.
    pub(super) fn begin(&mut self) {
        self.groups += 1;
    }

    /// Has the entry at `place` lead to `after`. What is no machine's change cannot be undone.
    pub(super) fn set(&mut self, place: Place<'_>, after: Option<Number>, by: Option<NodeId>) {
        let entries = self.entries_mut(place.directory);
        let before = match after {
            Some(after) => entries.insert(place.name.to_owned(), after),
            None => entries.remove(place.name),
        };
        if let Some(by) = by {
            let change = Change {
                after,
                before,
                by,
                directory: place.directory,
                group: self.groups,
                name: place.name.to_owned(),
            };
            for number in [before, after].into_iter().flatten() {
                self.inode_mut(number).pins += 1;
            }
            self.changes.push_back(change);
        }
        if let Some(after) = after {
            self.inode_mut(after).links += 1;
        }
        if let Some(before) = before {
            self.inode_mut(before).links -= 1;
            self.forget_if_unused(before);
        }
        if self.changes.len() > CHANGES_MAX
            && let Some(oldest) = self.changes.pop_front()
        {
            self.settle(&oldest);
        }
    }

    /// A change can be undone no longer.
    pub(super) fn settle(&mut self, change: &Change) {
        for number in [change.before, change.after].into_iter().flatten() {
            self.inode_mut(number).pins -= 1;
            self.forget_if_unused(number);
        }
    }

    pub(super) fn forget_if_unused(&mut self, number: Number) {
        if self.inode(number).is_unused() {
            self.inodes[slot(number)] = None;
        }
    }

    /// `reader` looks at the entry: what another machine has made of it, and all that it did before, it has to bring to stable storage
    /// then, as machines do that share a disk.
    pub(super) fn see(&mut self, place: Place<'_>, reader: Option<NodeId>) {
        let seen = self.changes.iter().rposition(|change| {
            Some(change.by) != reader
                && change.directory == place.directory
                && change.name == place.name
        });
        let Some(seen) = seen else { return };
        let by = self.changes[seen].by;
        for _ in 0..=seen {
            let change = self.changes.pop_front().expect("as many were counted");
            if change.by == by {
                self.settle(&change);
            } else {
                self.changes.push_back(change);
            }
        }
        // Those of other machines stand at the end now.
        let changes = self.changes.make_contiguous();
        changes.sort_by_key(|change| change.group);
    }

    /// Brings the entries of `directory` to stable storage, whoever changed them.
    pub(super) fn save_entries(&mut self, directory: Number) {
        let changes = std::mem::take(&mut self.changes);
        let (saved, left) = changes
            .into_iter()
            .partition(|change| change.directory == directory);
        self.changes = left;
        let saved: VecDeque<Change> = saved;
        for change in &saved {
            self.settle(change);
        }
    }

    /// Makes the directories of `path` where they are missing, on stable storage at once; where the new ones are.
    pub(super) fn create_directories(&mut self, path: &Path) -> io::Result<Vec<(Number, String)>> {
        let mut directory = TOP;
        let mut made = Vec::new();
        for component in path.components() {
            let Component::Normal(name) = component else {
                continue;
            };
            let name = name.to_str().ok_or(io::ErrorKind::InvalidInput)?;
            let there = self.entries(directory)?.get(name).copied();
            directory = match there {
                Some(there) => there,
                None => {
                    let new = self.add(Inode::directory());
                    self.begin();
                    self.set(Place { directory, name }, Some(new), None);
                    made.push((directory, name.to_owned()));
                    new
                }
            };
        }
        self.entries(directory)?;
        Ok(made)
    }

    /// An empty file at `place`.
    pub(super) fn create(
        &mut self,
        place: Place<'_>,
        modified: WallTime,
        by: Option<NodeId>,
    ) -> Number {
        let number = self.add(Inode::file(modified));
        self.begin();
        self.set(place, Some(number), by);
        number
    }

    /// Files that `by` has written and not synchronised.
    pub(super) fn unsaved_by(&self, by: NodeId) -> Vec<Number> {
        let inodes = self.inodes.iter().enumerate();
        inodes
            .filter(|(_, inode)| {
                let unsaved = inode.as_ref().and_then(|inode| inode.unsaved.as_ref());
                unsaved.is_some_and(|unsaved| unsaved.by == by)
            })
            .map(|(number, _)| number as Number)
            .collect()
    }
}
