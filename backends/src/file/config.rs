use std::path::{Path, PathBuf};

use tenure_core::{Error, FencingToken};

use super::error::Failure;
use super::root::FileRoot;
use super::system;

/// What to do about a file system whose locks may not exclude other machines.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum NodeLocalLocks {
    /// Use it all the same: you know that all candidates run on one machine. Told as a warning.
    Accept,
    /// Fail to open it.
    Refuse,
}

/// How a [`FileRoot`] is opened.
///
/// For who comes from Camel's `FileLockClusterService`:
///
/// | Camel | here |
/// | --- | --- |
/// | `root` | the directory of [`FileRoot::builder`] |
/// | namespace | the election's name: the same path is locked, so both exclude each other |
/// | `acquireLockDelay` | none: the first try is made at once |
/// | `acquireLockInterval` | the renew interval for a leader and the retry interval for the others, in the election's timing; a freed lock is noticed within milliseconds, without waiting for either |
/// | `heartbeatTimeoutMultiplier` | none: the kernel frees a dead leader's lock. Its nearest kin is the lease duration |
/// | `clusterDataTaskMaxAttempts` | none: one attempt a call, repeated every retry interval until the deadline |
/// | `clusterDataTaskTimeout` | the request timeout |
/// | `id` | the candidate's name |
/// | `order`, `attributes` | none: they choose between services of one Camel context |
#[derive(Clone, Debug)]
pub struct FileRootBuilder {
    pub(crate) directory: PathBuf,
    pub(crate) node_local_locks: NodeLocalLocks,
    pub(crate) token_floor: Option<FencingToken>,
}

impl FileRootBuilder {
    pub(crate) fn new(directory: &Path) -> Self {
        Self {
            directory: directory.to_owned(),
            node_local_locks: NodeLocalLocks::Refuse,
            token_floor: None,
        }
    }

    /// What to do about a file system whose locks may not exclude other machines: refused, unless set.
    #[must_use]
    pub fn node_local_locks(mut self, policy: NodeLocalLocks) -> Self {
        self.node_local_locks = policy;
        self
    }

    /// A number that no token of these elections has exceeded. Tokens are larger than it from now on; and an election whose token has
    /// been lost can be led again, which is refused without it.
    #[must_use]
    pub fn token_floor(mut self, floor: FencingToken) -> Self {
        self.token_floor = Some(floor);
        self
    }

    /// Opens the directory, and makes it where there is none. Starts two threads for what may block and one that watches.
    ///
    /// May wait for the disk: call it before the election starts.
    ///
    /// # Errors
    /// When this is not Linux, when the directory cannot be used, or when its file system is refused.
    pub fn open(self) -> Result<FileRoot, Error> {
        let opened = match system::native() {
            Some(system) => FileRoot::open_on(system, &self),
            None => Err(Failure::new(
                tenure_core::ErrorKind::Unsupported,
                "it needs Linux, whose locks belong to an open file: use another backend here",
            )),
        };
        opened.map_err(|failure| failure.into_error("open"))
    }

    /// Opens the directory on `system` instead of this machine's operating system. For simulators: what a system must keep to is said
    /// in [`system`](super::system).
    ///
    /// # Errors
    /// As [`FileRootBuilder::open`].
    #[cfg(feature = "simulated-system")]
    pub fn open_on(self, system: std::sync::Arc<dyn system::System>) -> Result<FileRoot, Error> {
        FileRoot::open_on(system, &self).map_err(|failure| failure.into_error("open"))
    }
}
