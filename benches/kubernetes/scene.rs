//! A namespace with elections, and those who take part in them.

use std::path::{Path, PathBuf};
use std::time::Duration;

use tempfile::TempDir;
use tenure::kubernetes::kube::Config;
use tenure_testkit::{Account, Cast, ClientGo, Namespace, Rule, TestCluster, Told};

use crate::candidate::Task;

/// The name of an election, which is its Lease's.
pub(crate) fn election(number: u32) -> String {
    format!("job-{number}")
}

/// Which election of its own a candidate has told of.
pub(crate) fn election_of(told: &Told) -> &str {
    told.more.split(' ').next().unwrap_or_default()
}

/// Elections in a namespace of their own.
pub(crate) struct Scene<'a> {
    account: Account,
    pub(crate) cast: Cast,
    directory: TempDir,
    pub(crate) namespace: Namespace<'a>,
}

impl<'a> Scene<'a> {
    pub(crate) fn new(cluster: &'a TestCluster, rules: &[Rule]) -> Self {
        let namespace = cluster.namespace();
        Self {
            account: namespace.account(rules),
            cast: Cast::new(),
            directory: tempfile::tempdir().expect("a place for a small file"),
            namespace,
        }
    }

    fn port(&self) -> u16 {
        self.namespace.cluster.api().port()
    }

    /// The way in.
    pub(crate) fn config(&self) -> Config {
        let mut config = self.account.config(self.port());
        config.default_namespace.clone_from(&self.namespace.name);
        config
    }

    pub(crate) fn kubeconfig(&self) -> PathBuf {
        let directory: &Path = self.directory.path();
        self.account.kubeconfig(directory, self.port())
    }

    /// Starts a candidate of ours.
    pub(crate) fn ours(&mut self, task: &Task) -> usize {
        let command = task.command(&self.kubeconfig());
        self.cast.start(&command)
    }

    /// How a candidate of client-go takes part in the first election, with its defaults.
    pub(crate) fn client_go(&self, identity: &str) -> ClientGo {
        let kubeconfig = self.kubeconfig();
        ClientGo::new(&kubeconfig, &self.namespace.name, &election(0), identity)
    }

    /// Starts a candidate of client-go that takes part in many elections, without the limit that its client has by default.
    pub(crate) fn theirs(&mut self, identity: &str, elections: u32, spread: Duration) -> usize {
        let kubeconfig = self.kubeconfig();
        let name = if elections == 1 { "job-0" } else { "job" };
        let candidate = ClientGo::new(&kubeconfig, &self.namespace.name, name, identity)
            .with("elections", elections)
            .with("spread", format!("{}ms", spread.as_millis()))
            .with("qps", 1000)
            .with("burst", 1000);
        self.cast.start(&candidate.command())
    }

    /// Waits until the candidate has told `event` of so many elections, and says when it told each.
    pub(crate) fn wait_for_all(&self, by: usize, event: &str, elections: u32) -> Vec<Duration> {
        let mut seen = std::collections::BTreeMap::new();
        while seen.len() < usize::try_from(elections).unwrap_or(0) {
            let told = self.cast.next();
            if told.by == by && told.event == event {
                seen.insert(election_of(&told).to_owned(), told.at);
            }
        }
        seen.into_values().collect()
    }
}
