//! A Lease with its own servers, and what happens to them.

use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::Duration;

use serde_json::{Value, json};
use tenure_testkit::{Account, CAMEL_RULES, Flow, Namespace, Proxy, TestCluster, WATCH_RULES};

use crate::cluster::CANDIDATES;
use crate::fault::{ServerFault, Stop, WayFault};
use crate::storm::Storm;

const NAME: &str = "job";

/// Store, API server, and a way to it for each candidate and for operators.
#[derive(Debug)]
pub(crate) struct Servers {
    account: Mutex<Account>,
    cluster: &'static TestCluster,
    kubeconfigs: Vec<PathBuf>,
    namespace: Namespace<'static>,
    proxies: Vec<Proxy>,
}

impl Servers {
    pub(crate) fn start(folder: &Path) -> Self {
        // It ends with this process.
        let cluster: &'static TestCluster = Box::leak(Box::new(TestCluster::start()));
        let namespace = cluster.namespace();
        let account = namespace.account(WATCH_RULES);
        let proxies: Vec<Proxy> = (0..=CANDIDATES)
            .map(|_| Proxy::to(cluster.api().port()))
            .collect();
        let kubeconfigs = proxies
            .iter()
            .map(|proxy| account.kubeconfig(folder, proxy.port()))
            .collect();
        Self {
            account: Mutex::new(account),
            cluster,
            kubeconfigs,
            namespace,
            proxies,
        }
    }

    pub(crate) fn lock_url(&self) -> String {
        format!("kubernetes://{}/{NAME}", self.namespace.name)
    }

    /// How a candidate comes in.
    pub(crate) fn kubeconfig(&self, candidate: usize) -> &Path {
        &self.kubeconfigs[candidate]
    }

    /// How operators come in.
    pub(crate) fn operators_kubeconfig(&self) -> &Path {
        &self.kubeconfigs[CANDIDATES]
    }

    /// Somebody else's write, which may find no Lease.
    fn patch(&self, patch: &Value) {
        let _ = self.namespace.patch_lease(NAME, patch);
    }

    fn rotate_token(&self) {
        let mut account = self.account.lock().expect("no holder panics");
        self.namespace.revoke_tokens(&account);
        account.token = self.namespace.token(&account);
        for (file, proxy) in self.kubeconfigs.iter().zip(&self.proxies) {
            account.write_kubeconfig(file, proxy.port());
        }
    }

    fn grant(&self, rules: &[tenure_testkit::Rule]) {
        let account = self.account.lock().expect("no holder panics");
        self.namespace.grant(&account, rules);
    }
}

impl Storm {
    pub(crate) fn strike_servers(&mut self, fault: ServerFault) {
        let servers = self.cluster.servers();
        match fault {
            ServerFault::Delay => {
                let delay = Duration::from_millis(60);
                servers.proxies.iter().for_each(|way| way.delay(delay));
                self.tend_for(Duration::from_secs(1));
                servers.proxies.iter().for_each(Proxy::heal);
            }
            ServerFault::DeleteLease => drop(servers.namespace.delete_lease(NAME)),
            ServerFault::EditLease => {
                servers.patch(&json!({ "metadata": { "labels": { "edited": "yes" } } }));
                servers.patch(&json!({ "metadata": { "labels": { "edited": Value::Null } } }));
            }
            ServerFault::EmptyLease => {
                servers.patch(&json!({ "spec": { "holderIdentity": Value::Null } }));
            }
            ServerFault::FreezeApi(stop) => {
                servers.cluster.api().freeze();
                self.let_pass(stop);
                servers.cluster.api().thaw();
            }
            ServerFault::FreezeStore(stop) => {
                servers.cluster.freeze_etcd();
                self.let_pass(stop);
                servers.cluster.thaw_etcd();
            }
            ServerFault::KillApi => {
                servers.cluster.api().kill();
                self.let_pass(Stop::Short);
                servers.cluster.api().start_again();
            }
            ServerFault::Reset => servers.proxies.iter().for_each(Proxy::reset),
            ServerFault::RotateToken => servers.rotate_token(),
            ServerFault::StealLease => {
                servers.patch(&json!({ "spec": { "holderIdentity": "somebody-else" } }));
            }
            ServerFault::Way(victim, fault) => {
                let victim = self.candidate(victim);
                self.strike_way(&servers.proxies[victim], fault);
            }
            ServerFault::WithdrawWatch => {
                servers.grant(CAMEL_RULES);
                // A watch that was let in goes on until it is closed.
                servers.proxies.iter().for_each(Proxy::reset);
                self.tend_for(Duration::from_secs(1));
                servers.grant(WATCH_RULES);
            }
        }
    }

    pub(crate) fn strike_way(&mut self, way: &Proxy, fault: WayFault) {
        match fault {
            WayFault::Cut(stop) => {
                way.cut();
                self.let_pass(stop);
            }
            WayFault::Hold(stop) => {
                way.flow(Flow::Hold, Flow::Hold);
                self.let_pass(stop);
            }
            WayFault::HoldReplies(stop) => {
                way.flow(Flow::Pass, Flow::Hold);
                self.let_pass(stop);
            }
            WayFault::HoldRequests(stop) => {
                way.flow(Flow::Hold, Flow::Pass);
                self.let_pass(stop);
            }
            WayFault::LoseReply => way.lose_next_reply(),
            WayFault::LoseRequest => way.lose_next_request(),
        }
        way.heal();
    }

    pub(crate) fn let_pass(&mut self, stop: Stop) {
        let length = self.length(stop);
        self.tend_for(length);
    }
}
