//! Requests without an election, by the same client as the backend's, with nothing around it.

use std::thread;
use std::time::Duration;

use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
use tokio::sync::oneshot;
use zookeeper_client::{Acls, Client, CreateMode, Error};

use crate::contender::Led;
use crate::harness;
use crate::harness::pause;
use crate::scene::SESSION;

/// The digits that the servers end a name with.
const DIGITS: usize = 10;
/// As long as ours leave the queue to others.
const REST: Duration = Duration::from_millis(20);

/// A client of one queue.
pub(crate) struct Bare {
    client: Client,
    path: String,
}

impl Bare {
    /// Connects.
    pub(crate) async fn open(servers: &str, path: &str) -> Self {
        let mut connector = Client::connector();
        connector = connector.with_session_timeout(SESSION);
        let client = connector.connect(servers).await;
        Self {
            client: client.expect("the servers serve"),
            path: path.to_owned(),
        }
    }

    /// Makes the queue.
    pub(crate) async fn make(&self) {
        let options = CreateMode::Persistent.with_acls(Acls::anyone_all());
        let made = self.client.mkdir(&self.path, &options).await;
        assert!(matches!(made, Ok(()) | Err(Error::NodeExists)), "{made:?}");
    }

    /// Stands in the queue, and says the node's path.
    pub(crate) async fn stand(&self) -> String {
        let options = CreateMode::EphemeralSequential.with_acls(Acls::anyone_all());
        // As long as Curator's.
        let prefix = format!(
            "{}/_c_53345f98-9423-4e0c-a7b5-9f819e3ec2e1-lock-",
            self.path
        );
        let created = self.client.create(&prefix, b"bare", &options).await;
        let (_, number) = created.expect("the queue is there");
        format!("{prefix}{number}")
    }

    pub(crate) async fn delete(&self, node: &str) {
        let deleted = self.client.delete(node, None).await;
        deleted.expect("the node is there");
    }

    /// Ends the session, and waits until the servers have done so: what is measured next has them to itself.
    pub(crate) async fn close(self) {
        let mut states = self.client.state_watcher();
        drop(self.client);
        while !states.state().is_terminated() {
            states.changed().await;
        }
    }

    /// How many stand in the queue.
    pub(crate) async fn count(&self) -> usize {
        self.list().await.len()
    }

    async fn list(&self) -> Vec<String> {
        match self.client.list_children(&self.path).await {
            Ok(children) => children,
            Err(Error::NoNode) => Vec::new(),
            Err(error) => panic!("{error}"),
        }
    }

    /// Waits until `node` is the first.
    async fn wait_for_turn(&self, node: &str) {
        let digits = |name: &str| name[name.len() - DIGITS..].to_owned();
        let own = digits(node);
        loop {
            let others = self.list().await;
            let before = others.iter().filter(|name| digits(name) < own);
            let Some(before) = before.max_by_key(|name| digits(name)) else {
                return;
            };
            let before = format!("{}/{before}", self.path);
            let watched = self.client.check_and_watch_stat(&before).await;
            if let (Some(_), watcher) = watched.expect("the servers answer") {
                watcher.changed().await;
            }
        }
    }
}

/// A contender without an election, on a thread of its own: it stands in the queue, waits until the node before its own is gone, and whenever
/// it is asked to deletes its node and stands again.
pub(crate) struct Queuer {
    ask: UnboundedSender<()>,
    thread: thread::JoinHandle<()>,
}

impl Queuer {
    /// Connects, and stands in the queue.
    pub(crate) async fn stand(
        servers: &str,
        path: &str,
        number: usize,
        leads: UnboundedSender<Led>,
    ) -> Self {
        let (servers, path) = (servers.to_owned(), path.to_owned());
        let (ask, mut asked) = unbounded_channel();
        let (tell, stands) = oneshot::channel();
        let thread = thread::spawn(move || {
            harness::runtime().block_on(async {
                let bare = Bare::open(&servers, &path).await;
                bare.make().await;
                let mut node = bare.stand().await;
                // Whoever asks may have ended.
                let _ = tell.send(());
                loop {
                    bare.wait_for_turn(&node).await;
                    let at = harness::now();
                    drop(leads.send(Led { at, by: number }));
                    if asked.recv().await.is_none() {
                        break;
                    }
                    bare.delete(&node).await;
                    pause(REST).await;
                    node = bare.stand().await;
                }
                bare.close().await;
            });
        });
        stands.await.expect("a bare client does not panic");
        Self { ask, thread }
    }

    /// Has it delete its node.
    pub(crate) fn release(&self) {
        self.ask.send(()).expect("a bare client does not panic");
    }

    /// Ends it, and its session, once it leads.
    pub(crate) fn close(self) -> thread::JoinHandle<()> {
        self.thread
    }
}
