//! What older servers cannot do.
//!
//! A server that is asked for what it does not know says so and closes the connection, with whatever else was asked on it. So it is asked
//! once in a process, and what goes on after that waits until there is a connection again.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use zookeeper_client::{Client, Error, SessionState, StateWatcher};

/// How long after its answer a server has closed the connection.
const CLOSES_WITHIN: Duration = Duration::from_secs(2);

/// What some server was found not to know.
#[derive(Default, Debug)]
pub(crate) struct Lacks {
    /// Nodes that vanish when they are empty, since 3.5.3.
    pub(crate) containers: Lack,
    /// Reads of several nodes at once, since 3.6.
    pub(crate) multi_reads: Lack,
}

#[derive(Default, Debug)]
pub(crate) struct Lack(AtomicBool);

impl Lack {
    pub(crate) fn is_known(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    /// Takes in an answer. Whether it says that this is lacking: then there is a connection again, or none will be soon.
    pub(crate) async fn is_shown_by<T>(&self, answer: &Result<T, Error>, client: &Client) -> bool {
        let shown = matches!(answer, Err(Error::Unimplemented));
        if shown {
            self.0.store(true, Ordering::Relaxed);
            connected_again(client.state_watcher()).await;
        }
        shown
    }
}

async fn connected_again(mut states: StateWatcher) {
    let closed = async {
        while states.state() == SessionState::SyncConnected {
            states.changed().await;
        }
    };
    if tokio::time::timeout(CLOSES_WITHIN, closed).await.is_err() {
        return;
    }
    while states.state() == SessionState::Disconnected {
        states.changed().await;
    }
}
