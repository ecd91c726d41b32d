use std::collections::BTreeMap;

use tenure_backends::file::system::{FileKind, Stat};
use tenure_core::WallTime;

use super::open::DescriptionId;
use crate::executor::NodeId;

/// The number of an object on the disk.
pub(super) type Number = u64;

/// What a file or directory is made of, whatever it is called.
#[derive(Debug)]
pub(super) struct Inode {
    pub(super) body: Body,
    /// How many directory entries lead here.
    pub(super) links: u32,
    pub(super) lock: Option<DescriptionId>,
    /// How many open descriptions there are of it.
    pub(super) opens: u32,
    /// How many changes of directories that can still be undone would lead here again.
    pub(super) pins: u32,
    pub(super) state: Content,
    /// What is on stable storage, and whose writes are not there yet; nothing when all is there.
    pub(super) unsaved: Option<Unsaved>,
}

#[derive(Debug)]
pub(super) enum Body {
    Directory(BTreeMap<String, Number>),
    File,
}

/// What a power cut can take away from a file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Content {
    pub(super) attribute: Option<Vec<u8>>,
    pub(super) bytes: Vec<u8>,
    pub(super) modified: WallTime,
}

#[derive(Debug)]
pub(super) struct Unsaved {
    pub(super) by: NodeId,
    pub(super) saved: Content,
}

impl Inode {
    fn new(body: Body, modified: WallTime) -> Self {
        Self {
            body,
            links: 0,
            lock: None,
            opens: 0,
            pins: 0,
            state: Content {
                attribute: None,
                bytes: Vec::new(),
                modified,
            },
            unsaved: None,
        }
    }

    pub(super) fn directory() -> Self {
        Self::new(Body::Directory(BTreeMap::new()), WallTime::default())
    }

    pub(super) fn file(modified: WallTime) -> Self {
        Self::new(Body::File, modified)
    }

    pub(super) fn is_unused(&self) -> bool {
        self.links == 0 && self.opens == 0 && self.pins == 0
    }

    pub(super) fn stat(&self, number: Number) -> Stat {
        Stat {
            inode: number,
            kind: match self.body {
                Body::Directory(_) => FileKind::Directory,
                Body::File => FileKind::Regular,
            },
            modified: self.state.modified,
            size: self.state.bytes.len() as u64,
        }
    }

    /// What is there, to be changed by `by`. What is no machine's change is on stable storage at once.
    pub(super) fn change(&mut self, by: Option<NodeId>) -> &mut Content {
        match (by, &mut self.unsaved) {
            (Some(by), Some(unsaved)) => unsaved.by = by,
            (Some(by), None) => {
                let saved = self.state.clone();
                self.unsaved = Some(Unsaved { by, saved });
            }
            (None, unsaved) => *unsaved = None,
        }
        &mut self.state
    }

    /// `reader` looks at it: what another machine has written, it has to bring to stable storage then.
    pub(super) fn see(&mut self, reader: Option<NodeId>) -> &mut Self {
        self.unsaved
            .take_if(|unsaved| reader.is_some() && Some(unsaved.by) != reader);
        self
    }

    pub(super) fn save(&mut self) {
        self.unsaved = None;
    }
}
