//! What somebody does to the files who is no candidate. It is on stable storage at once.

use std::io;
use std::path::Path;
use std::task::Waker;
use std::time::Duration;

use super::Disk;
use super::inode::Inode;
use super::state::State;
use super::watch::Deed;
use crate::plan::Foreign;

/// What of a record is left when it was torn.
const TORN: &[u8] = b"tenure-record 1\nholder x\n";
/// Who has not taken part in any election.
const STRANGER: &str = "somebody-else";

impl Disk {
    /// The content of the file at `path`.
    ///
    /// # Errors
    /// When there is none.
    pub fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        let state = self.lock();
        let found = state.tree.find(path)?.ok_or(io::ErrorKind::NotFound)?;
        Ok(state.tree.inode(found).state.bytes.clone())
    }

    /// Writes the file at `path`, which is made where it is missing.
    ///
    /// # Errors
    /// When its directory is missing.
    pub fn write(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        self.tamper(|state| {
            let place = state.tree.place(path)?;
            let there = match state.tree.at(place) {
                Some(there) => there,
                None => state.tree.create(place, Default::default(), None),
            };
            let content = state.tree.inode_mut(there).change(None);
            content.bytes = bytes.to_vec();
            content.modified = content.modified.saturating_add(Duration::from_millis(1));
            Ok(state.tell(place.directory, place.name, Deed::Closed))
        })
    }

    /// Makes the directory `path`, and those above it, where they are missing.
    ///
    /// # Errors
    /// When something else has such a name, or the disk is full.
    pub fn create_directories(&self, path: &Path) -> io::Result<()> {
        self.tamper(|state| state.create_directories(path))
    }

    /// Takes the name `path` away.
    ///
    /// # Errors
    /// When there is no such file.
    pub fn remove(&self, path: &Path) -> io::Result<()> {
        self.tamper(|state| state.remove(path, None))
    }

    /// Puts a new file with the same content in place of the one at `path`.
    ///
    /// # Errors
    /// When there is none.
    pub fn replace(&self, path: &Path) -> io::Result<()> {
        self.tamper(|state| {
            let place = state.tree.place(path)?;
            let there = state.tree.at(place).ok_or(io::ErrorKind::NotFound)?;
            let content = state.tree.inode(there).state.clone();
            let mut copy = Inode::file(content.modified);
            copy.state = content;
            let copy = state.tree.add(copy);
            state.tree.begin();
            state.tree.set(place, Some(copy), None);
            Ok(state.tell(place.directory, place.name, Deed::Changed))
        })
    }

    /// Does it to the lock of `election` in `directory`. What is not there is left alone.
    pub fn meddle(&self, foreign: Foreign, directory: &Path, election: &str) {
        let lock = directory.join(election);
        let record = directory.join(format!("{election}.tenure"));
        let done = match foreign {
            Foreign::Corrupt => self.rewrite(&record, |_| TORN.to_vec()),
            Foreign::Delete => self.remove(&lock),
            Foreign::EditLabel => self.rewrite(&record, <[u8]>::to_vec),
            Foreign::Empty => self.rewrite(&record, |_| Vec::new()),
            Foreign::Overwrite => self.rewrite(&record, |bytes| with_holder(bytes, STRANGER)),
            Foreign::Recreate => self.replace(&lock),
        };
        if let Err(error) = done {
            debug_assert_eq!(error.kind(), io::ErrorKind::NotFound);
        }
    }

    fn rewrite(&self, path: &Path, change: impl FnOnce(&[u8]) -> Vec<u8>) -> io::Result<()> {
        let bytes = self.read(path)?;
        self.write(path, &change(&bytes))
    }

    fn tamper(&self, change: impl FnOnce(&mut State) -> io::Result<Vec<Waker>>) -> io::Result<()> {
        let wakers = change(&mut self.lock())?;
        wakers.into_iter().for_each(Waker::wake);
        Ok(())
    }
}

/// A record's text with another holder, and a checksum that is right. What is no record stays as it is.
pub(super) fn with_holder(record: &[u8], holder: &str) -> Vec<u8> {
    let text = String::from_utf8_lossy(record);
    let Some((fields, _)) = text.rsplit_once("checksum ") else {
        return record.to_vec();
    };
    let mut changed = String::new();
    for line in fields.lines() {
        if line.starts_with("holder ") {
            changed.push_str("holder ");
            changed.push_str(holder);
        } else {
            changed.push_str(line);
        }
        changed.push('\n');
    }
    let checksum = checksum(changed.as_bytes());
    changed.push_str(&format!("checksum {checksum:08x}\n"));
    changed.into_bytes()
}

/// CRC-32 as of zip and ethernet, bit by bit.
fn checksum(bytes: &[u8]) -> u32 {
    let mut rest = !0_u32;
    for byte in bytes {
        rest ^= u32::from(*byte);
        for _ in 0..8 {
            let low = rest & 1;
            rest >>= 1;
            if low == 1 {
                rest ^= 0xedb8_8320;
            }
        }
    }
    !rest
}
