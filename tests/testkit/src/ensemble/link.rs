use std::collections::BTreeMap;
use std::time::Duration;

use crate::ensemble::address;
use crate::ensemble::server::Ports;
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

/// Makes the way from each server to each other one, under the numbers of both.
pub(crate) fn make_links(ports: &[Ports]) -> BTreeMap<(usize, usize), Link> {
    let numbers = 1..=ports.len();
    let pairs = numbers
        .clone()
        .flat_map(|from| numbers.clone().map(move |to| (from, to)));
    let links: BTreeMap<_, _> = pairs
        .filter(|(from, to)| from != to)
        .map(|pair| {
            (
                pair,
                Link::to(ports[pair.1 - 1].quorum, ports[pair.1 - 1].election),
            )
        })
        .collect();
    // Who is called by a server of a lower number hangs up and calls back, at the address that the caller says it has.
    for ((from, to), link) in &links {
        let own = address(ports[from - 1].election);
        link.election
            .rename(&own, &address(links[&(*to, *from)].election.port()));
    }
    links
}
