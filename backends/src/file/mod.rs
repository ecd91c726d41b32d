//! Locks that are files, for candidates that share a directory: one machine, or a file system whose locks reach across machines.
//!
//! Needs nothing installed. A dead leader's lock is free at once, whatever it died of, because the kernel holds it. Linux only: on
//! other systems this compiles, and opening fails.
//!
//! An election `nightly` in a root has these files. None is ever deleted but the members'.
//!
//! | file | what it is | written |
//! | --- | --- | --- |
//! | `nightly` | the lock: always empty, locked as a whole with `F_OFD_SETLK`, Camel's very path | never |
//! | `nightly.tenure` | the record: holder, token, note, checksum | replaced durably at acquire and note; its time is the heartbeat |
//! | `nightly.released` | the mark of the last release, checksum | at release, without waiting for the disk |
//! | `nightly.token` | up to which number tokens are spent | replaced durably when it is reached: once in a thousand grants |
//! | `user.tenure.token` | its second copy, an extended attribute of the lock; `nightly.token2` where there are none | with it |
//! | `nightly.request` | an operator's request, locked while it is changed | by operators |
//! | `nightly.members/` | one locked file for each candidate | at its start and end |
//!
//! ```no_run
//! use tenure_backends::file::FileRoot;
//! use tenure_core::ElectionName;
//!
//! let root = FileRoot::open("/var/lib/tenure")?;
//! let lock = root.lock(ElectionName::new("nightly")?)?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

#![cfg_attr(
    not(target_os = "linux"),
    expect(
        dead_code,
        reason = "where opening always fails, what only an open lock uses is not used"
    )
)]

mod backend;
mod candidacy;
mod config;
mod descriptors;
mod error;
mod hints;
mod hold;
mod members;
mod mounts;
mod observe;
mod paths;
mod record;
mod replace;
mod request;
mod root;
mod seal;
#[cfg(feature = "simulated-system")]
pub mod system;
#[cfg(not(feature = "simulated-system"))]
#[expect(
    unreachable_pub,
    reason = "public only where a simulator is to have it"
)]
mod system;
#[cfg(all(test, target_os = "linux"))]
mod tests;
mod token;
mod watch;
mod worker;

pub use backend::FileLock;
pub use config::{FileRootBuilder, NodeLocalLocks};
pub use root::FileRoot;
