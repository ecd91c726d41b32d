//! Requests without an election, by the same client as the backend's, with nothing around it.

use std::thread;

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use zookeeper_client::{Acls, Client, CreateMode, Error, OneshotWatcher};

use crate::harness;
use crate::scene::SESSION;

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

    /// What tells when the node is gone.
    pub(crate) async fn watch(&self, node: &str) -> OneshotWatcher {
        let watched = self.client.check_and_watch_stat(node).await;
        let (stat, watcher) = watched.expect("the servers answer");
        assert!(stat.is_some(), "the node is there");
        watcher
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
        match self.client.list_children(&self.path).await {
            Ok(children) => children.len(),
            Err(Error::NoNode) => 0,
            Err(error) => panic!("{error}"),
        }
    }
}

/// A client on a thread of its own that stands in the queue and deletes its node, in turn, whenever it is asked to.
pub(crate) struct Leaver {
    ask: UnboundedSender<()>,
    nodes: UnboundedReceiver<String>,
}

impl Leaver {
    /// Connects, and makes the queue.
    pub(crate) fn start(servers: &str, path: &str) -> Self {
        let (servers, path) = (servers.to_owned(), path.to_owned());
        let (ask, mut asked) = unbounded_channel();
        let (tell, nodes) = unbounded_channel();
        thread::spawn(move || {
            harness::runtime().block_on(async {
                let bare = Bare::open(&servers, &path).await;
                bare.make().await;
                while let Some(()) = asked.recv().await {
                    let node = bare.stand().await;
                    // Whoever asks may have ended.
                    drop(tell.send(node.clone()));
                    if asked.recv().await.is_none() {
                        break;
                    }
                    bare.delete(&node).await;
                }
            });
        });
        Self { ask, nodes }
    }

    fn ask(&self) {
        self.ask.send(()).expect("a bare client does not panic");
    }

    /// Has it stand in the queue, and says the node's path.
    pub(crate) async fn stand(&mut self) -> String {
        self.ask();
        let node = self.nodes.recv().await;
        node.expect("a bare client does not panic")
    }

    /// Has it delete its node.
    pub(crate) fn leave(&self) {
        self.ask();
    }
}
