use std::fmt;
use std::io;
use std::sync::Arc;

use tenure_backends::file::system::{OpenFile, Stat};

use super::inode::{Inode, Number};
use super::open::DescriptionId;
use super::system::{Effort, Machine};

/// A process's descriptor of an open file.
pub(super) struct SimFile {
    id: DescriptionId,
    machine: Arc<Machine>,
}

impl SimFile {
    pub(super) fn new(machine: &Arc<Machine>, id: DescriptionId) -> Self {
        Self {
            id,
            machine: Arc::clone(machine),
        }
    }

    /// Looks at the inode, or changes it.
    fn with<T>(
        &self,
        effort: Effort,
        change: impl FnOnce(&mut Inode, Number) -> T,
    ) -> io::Result<T> {
        self.machine.enter(effort)?;
        let mut state = self.machine.disk.lock();
        let description = state.descriptions.get(&self.id);
        let number = description.ok_or(io::ErrorKind::InvalidInput)?.inode;
        let inode = state.tree.inode_mut(number);
        Ok(change(inode.see(self.machine.process.node()), number))
    }
}

impl OpenFile for SimFile {
    fn try_lock(&self) -> io::Result<bool> {
        self.with(Effort::Memory, |inode, _| {
            *inode.lock.get_or_insert(self.id) == self.id
        })
    }

    fn unlock(&self) -> io::Result<()> {
        self.with(Effort::Memory, |inode, _| {
            inode.lock = inode.lock.filter(|owner| *owner != self.id);
        })
    }

    fn is_locked_by_another(&self) -> io::Result<bool> {
        self.with(Effort::Memory, |inode, _| {
            inode.lock.is_some_and(|owner| owner != self.id)
        })
    }

    fn stat(&self) -> io::Result<Stat> {
        self.with(Effort::Memory, |inode, number| inode.stat(number))
    }

    fn read(&self, limit: usize) -> io::Result<Vec<u8>> {
        self.with(Effort::Memory, |inode, _| {
            let bytes = &inode.state.bytes;
            bytes[..bytes.len().min(limit)].to_vec()
        })
    }

    fn overwrite(&self, bytes: &[u8]) -> io::Result<()> {
        self.machine.enter(Effort::Memory)?;
        let caller = self.machine.caller();
        let mut state = self.machine.disk.lock();
        let description = state.descriptions.get(&self.id);
        let number = description.ok_or(io::ErrorKind::InvalidInput)?.inode;
        state.overwrite(number, bytes, &caller)
    }

    fn read_attribute(&self) -> io::Result<Option<Vec<u8>>> {
        self.with(Effort::Memory, |inode, _| inode.state.attribute.clone())
    }

    fn write_attribute(&self, bytes: &[u8]) -> io::Result<()> {
        if self.machine.disk.lock().full {
            return Err(io::ErrorKind::StorageFull.into());
        }
        let node = self.machine.process.node();
        self.with(Effort::Memory, |inode, _| {
            inode.change(node).attribute = Some(bytes.to_vec());
        })
    }

    fn synchronise(&self) -> io::Result<()> {
        self.with(Effort::Storage, |inode, _| inode.save())
    }

    #[cfg(unix)]
    fn duplicate(&self) -> io::Result<std::os::fd::OwnedFd> {
        // What a job inherits is told to the disk itself.
        Err(io::ErrorKind::Unsupported.into())
    }
}

impl Drop for SimFile {
    fn drop(&mut self) {
        // A dead process's descriptors were closed when it died.
        if self.machine.process.is_alive() {
            self.machine.disk.close(self.id, &self.machine.process);
        }
    }
}

impl fmt::Debug for SimFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("SimFile").field(&self.id).finish()
    }
}
