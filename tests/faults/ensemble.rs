//! Nodes of ZooKeeper with their servers, and what happens to them.

use std::time::Duration;

use tenure_testkit::{Ensemble as Ensembles, Flow, Proxy, Server, Settings, Way};

use crate::cluster::CANDIDATES;
use crate::fault::{EnsembleFault, Stop, WayFault};
use crate::storm::Storm;

/// Three servers, and ways to them for each candidate and for operators.
#[derive(Debug)]
pub(crate) struct Ensemble {
    servers: Ensembles,
    ways: Vec<Way>,
}

impl Ensemble {
    pub(crate) fn start() -> Self {
        let servers = Settings::new(3)
            .tick_time(Duration::from_millis(500))
            .start();
        let ways = (0..=CANDIDATES).map(|_| servers.another_way()).collect();
        Self { servers, ways }
    }

    /// The lock, by this candidate's ways.
    pub(crate) fn lock_url(&self, candidate: usize) -> String {
        let servers = self.ways[candidate].connect_string();
        format!("zookeeper://{servers}/faults/job")
    }

    fn all_ways(&self) -> impl Iterator<Item = &Proxy> {
        self.ways.iter().flat_map(Way::proxies)
    }

    fn leader(&self) -> &Server {
        self.servers.wait_for_quorum()
    }

    fn follower(&self) -> &Server {
        self.servers.wait_for_quorum();
        let followers = self.servers.followers();
        followers.first().copied().unwrap_or_else(|| self.leader())
    }
}

impl Storm {
    pub(crate) fn strike_ensemble(&mut self, fault: EnsembleFault) {
        let ensemble = self.cluster.ensemble();
        match fault {
            EnsembleFault::CutOffFollower(stop) => {
                self.cut_off(&ensemble, ensemble.follower().number(), stop);
            }
            EnsembleFault::CutOffLeader(stop) => {
                self.cut_off(&ensemble, ensemble.leader().number(), stop);
            }
            EnsembleFault::Delay => {
                let delay = Duration::from_millis(60);
                ensemble.all_ways().for_each(|way| way.delay(delay));
                self.tend_for(Duration::from_secs(1));
                ensemble.all_ways().for_each(Proxy::heal);
            }
            EnsembleFault::FreezeAll(stop) => {
                ensemble.servers.servers().for_each(Server::freeze);
                self.let_pass(stop);
                ensemble.servers.servers().for_each(Server::thaw);
            }
            EnsembleFault::KillFollower => self.kill(ensemble.follower()),
            EnsembleFault::KillLeader => self.kill(ensemble.leader()),
            EnsembleFault::Reset => ensemble.all_ways().for_each(Proxy::reset),
            EnsembleFault::Scatter(stop) => {
                ensemble.servers.scatter();
                self.let_pass(stop);
                ensemble.servers.heal();
            }
            EnsembleFault::Way(victim, fault) => {
                let victim = self.candidate(victim);
                self.strike_ways(&ensemble.ways[victim], fault);
            }
        }
    }

    fn cut_off(&mut self, ensemble: &Ensemble, server: usize, stop: Stop) {
        ensemble.servers.cut_off(server);
        self.let_pass(stop);
        ensemble.servers.heal();
    }

    fn kill(&mut self, server: &Server) {
        server.kill();
        self.let_pass(Stop::Short);
        server.start_again();
    }

    /// The same on all ways of one candidate.
    fn strike_ways(&mut self, ways: &Way, fault: WayFault) {
        match fault {
            WayFault::Cut(stop) => {
                ways.proxies().for_each(Proxy::cut);
                self.let_pass(stop);
            }
            WayFault::Hold(stop) => self.let_flow(ways, (Flow::Hold, Flow::Hold), stop),
            WayFault::HoldReplies(stop) => self.let_flow(ways, (Flow::Pass, Flow::Hold), stop),
            WayFault::HoldRequests(stop) => self.let_flow(ways, (Flow::Hold, Flow::Pass), stop),
            WayFault::LoseReply => ways.proxies().for_each(Proxy::lose_next_reply),
            WayFault::LoseRequest => ways.proxies().for_each(Proxy::lose_next_request),
        }
        ways.heal();
    }

    /// What happens to requests and replies for a while.
    fn let_flow(&mut self, ways: &Way, (requests, replies): (Flow, Flow), stop: Stop) {
        ways.proxies().for_each(|way| way.flow(requests, replies));
        self.let_pass(stop);
    }
}
