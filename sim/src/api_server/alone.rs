use std::fmt;
use std::future::Future;
use std::sync::{Arc, Mutex};

use super::kind::Kind;
use super::kubelet::Kubelet;
use super::link::{Client, Link};
use super::request::Verb;
use super::rights::Rule;
use super::servers::ApiServers;
use crate::TrueTime;
use crate::electors::Network;
use crate::executor::{Executor, Handle, Host, Limits, NodeId, Order, Process};

/// Who may do everything.
pub const ADMINISTRATOR: &str = "admin";
const ONE_THREAD: &str = "one thread, and nothing panics under the lock";
/// What the servers' clocks show at the start.
const WALL_S: u64 = 1_800_000_000;
/// How many nodes there are, each with a link of its own.
const NODES: u16 = 16;
/// Longer than anything that is to end.
const LONG_ENOUGH: TrueTime = TrueTime::from_nanos(1_000_000 * 1_000_000_000);

/// API servers in a world with nothing else in it and nothing wrong, for whatever speaks to a `kube::Client`.
#[derive(Clone)]
pub struct Alone {
    api: ApiServers,
    handle: Handle,
    host: Host,
    network: Network,
}

impl Alone {
    /// Runs what `make` makes of such a world, to its end.
    ///
    /// # Panics
    /// When it does not end.
    pub fn run<T, F>(seed: u64, servers: usize, make: impl FnOnce(Self) -> F) -> T
    where
        T: Send + 'static,
        F: Future<Output = T> + Send + 'static,
    {
        let mut executor = Executor::new(seed, Order::Seeded, Limits::STANDARD);
        let host = Host::new();
        executor.set_host(&host);
        let handle = executor.handle().clone();
        let api = ApiServers::new(&handle, seed, servers, WALL_S);
        api.change_rights(|rights| {
            for kind in [Kind::Lease, Kind::Pod] {
                rights.grant(Rule {
                    subject: ADMINISTRATOR.to_owned(),
                    verbs: Verb::ALL.to_vec(),
                    kind,
                    names: Vec::new(),
                });
            }
        });
        let alone = Self {
            api,
            handle,
            host,
            network: Network::new(seed, NODES.into()),
        };
        let output = Arc::new(Mutex::new(None));
        let (future, slot) = (make(alone), Arc::clone(&output));
        executor.spawn(&Process::on(NodeId(0)), async move {
            let made = future.await;
            *slot.lock().expect(ONE_THREAD) = Some(made);
        });
        while output.lock().expect(ONE_THREAD).is_none() {
            executor.step(LONG_ENOUGH);
            assert!(executor.now() < LONG_ENOUGH, "what runs does not end");
        }
        let made = output.lock().expect(ONE_THREAD).take();
        made.expect("it was just there")
    }

    /// The servers.
    pub fn api(&self) -> &ApiServers {
        &self.api
    }

    /// True time, and new tasks.
    pub fn handle(&self) -> &Handle {
        &self.handle
    }

    /// What runs the tasks of clients.
    pub fn host(&self) -> &Host {
        &self.host
    }

    /// A link of a new process on a node to a server.
    pub fn link(&self, node: u16, subject: &str, server: usize) -> Link {
        let node = NodeId(node % NODES);
        let client = Client {
            node,
            process: Process::on(node),
            subject: subject.to_owned(),
            tag: Box::new(|| 0),
        };
        Link::open(&self.api, &self.network, client, server)
    }

    /// The kubelet of a node, on which nothing runs yet.
    pub fn kubelet(&self, node: u16) -> Kubelet {
        Kubelet::new(&self.api, &self.network, NodeId(node % NODES), 1)
    }

    /// The real client over such a link, as this subject.
    pub fn client(&self, subject: &str) -> kube::Client {
        self.link(0, subject, 0).client(&self.host, "default")
    }
}

impl fmt::Debug for Alone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Alone").field(&self.api).finish()
    }
}
