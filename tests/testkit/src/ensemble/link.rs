use std::time::Duration;

use crate::proxy::{Flow, Proxy};

/// A server that has been elected listens a moment later.
const PATIENCE: Duration = Duration::from_secs(1);

/// The way by which one server calls another.
#[derive(Debug)]
pub struct Link {
    /// To the port where a leader waits for its followers: proposals, acknowledgements, signs of life.
    pub quorum: Proxy,
    /// To the port where votes are exchanged.
    pub election: Proxy,
}

impl Link {
    pub(crate) fn to(quorum: u16, election: u16) -> Self {
        Self {
            quorum: Proxy::patient(quorum, PATIENCE),
            election: Proxy::patient(election, PATIENCE),
        }
    }

    /// Lets bytes wait, in both directions. Nothing is closed.
    pub fn hold(&self) {
        self.quorum.flow(Flow::Hold, Flow::Hold);
        self.election.flow(Flow::Hold, Flow::Hold);
    }

    /// Closes all connections and refuses new ones.
    pub fn cut(&self) {
        self.quorum.cut();
        self.election.cut();
    }

    /// Lets everything through again.
    pub fn heal(&self) {
        self.quorum.heal();
        self.election.heal();
    }
}

/// A way to each server, of a client that has them for itself.
#[derive(Debug)]
pub struct Way {
    pub(crate) proxies: Vec<Proxy>,
}

impl Way {
    /// The way to the server of this number, from 1 on.
    pub fn to(&self, number: usize) -> &Proxy {
        &self.proxies[number - 1]
    }

    /// All of them.
    pub fn proxies(&self) -> impl Iterator<Item = &Proxy> {
        self.proxies.iter()
    }

    /// Where the client connects to.
    pub fn connect_string(&self) -> String {
        let address = |proxy: &Proxy| format!("127.0.0.1:{}", proxy.port());
        self.proxies
            .iter()
            .map(address)
            .collect::<Vec<_>>()
            .join(",")
    }

    /// Lets everything through again.
    pub fn heal(&self) {
        self.proxies.iter().for_each(Proxy::heal);
    }
}
