use clap::Args;
use tenure::FencingToken;
use tenure::file::NodeLocalLocks;

use crate::exit::Failure;
use crate::lock_url::{LockUrl, OpenLock};

/// Which lock
#[derive(Args, Debug)]
pub(crate) struct LockOptions {
    /// The lock, the same for all candidates: file:///directory/election
    #[arg(long = "lock", env = "TENURE_LOCK", value_name = "URL")]
    pub(crate) url: LockUrl,
    /// Uses a file system whose locks may not reach other machines: all candidates must run on this one
    #[arg(long, env = "TENURE_ACCEPT_NODE_LOCAL_LOCKS")]
    pub(crate) accept_node_local_locks: bool,
    /// A number that no token of this election has exceeded, for a lock whose tokens were lost
    #[arg(long, env = "TENURE_TOKEN_FLOOR", value_name = "N")]
    pub(crate) token_floor: Option<FencingToken>,
}

impl LockOptions {
    pub(crate) fn open(&self) -> Result<OpenLock, Failure> {
        let locks = if self.accept_node_local_locks {
            NodeLocalLocks::Accept
        } else {
            NodeLocalLocks::Refuse
        };
        self.url.open(locks, self.token_floor)
    }
}
