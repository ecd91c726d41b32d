//! An election with candidates of both kinds, each behind a proxy of its own.

use std::path::PathBuf;
use std::time::Duration;

use serde_json::Value;
use tenure_testkit::{
    Account, Cast, ClientGo, Namespace, Proxy, TestCluster, Told, WATCH_RULES, until,
};

use crate::candidate;
use crate::checker::{Policy, check};
use crate::line::{Kind, Line};

pub(crate) const NAME: &str = "nightly";
/// Whose a line of the log is.
const OURS: usize = 1;
const THEIRS: usize = 2;

/// A candidate that was started.
#[derive(Debug)]
pub(crate) struct Player {
    pub(crate) identity: String,
    pub(crate) number: usize,
    pub(crate) proxy: Proxy,
}

/// One election.
#[derive(Debug)]
pub(crate) struct Stage {
    account: Account,
    pub(crate) cast: Cast,
    directory: tempfile::TempDir,
    pub(crate) namespace: Namespace<'static>,
}

/// client-go's durations, in proportion as its defaults 15, 10 and 2 s.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Durations {
    /// Whether it campaigns again after it has lost.
    pub(crate) again: bool,
    pub(crate) lease: Duration,
    pub(crate) renew_deadline: Duration,
    pub(crate) retry_period: Duration,
}

pub(crate) const SHORT: Durations = Durations {
    again: true,
    lease: Duration::from_secs(3),
    renew_deadline: Duration::from_secs(2),
    retry_period: Duration::from_millis(400),
};

impl Stage {
    pub(crate) fn new() -> Self {
        let namespace = TestCluster::shared().namespace();
        Self {
            account: namespace.account(WATCH_RULES),
            cast: Cast::new(),
            directory: tempfile::tempdir().unwrap(),
            namespace,
        }
    }

    fn log(&self) -> PathBuf {
        self.directory.path().join("log")
    }

    /// A proxy, and the kubeconfig that leads through it.
    fn way(&self) -> (Proxy, PathBuf) {
        let proxy = Proxy::to(self.namespace.cluster.api().port());
        let kubeconfig = self.account.kubeconfig(self.directory.path(), proxy.port());
        (proxy, kubeconfig)
    }

    /// Starts a candidate of ours.
    pub(crate) fn ours(&mut self, identity: &str) -> Player {
        let (proxy, kubeconfig) = self.way();
        let command = candidate::command(&kubeconfig, NAME, identity, &self.log(), OURS);
        Player {
            identity: identity.to_owned(),
            number: self.cast.start(&command),
            proxy,
        }
    }

    /// Starts a candidate of client-go.
    pub(crate) fn theirs(&mut self, identity: &str, durations: Durations) -> Player {
        let (proxy, kubeconfig) = self.way();
        let seconds = |duration: Duration| format!("{}ms", duration.as_millis());
        let candidate = ClientGo::new(&kubeconfig, &self.namespace.name, NAME, identity)
            .with("lease-duration", seconds(durations.lease))
            .with("renew-deadline", seconds(durations.renew_deadline))
            .with("retry-period", seconds(durations.retry_period))
            .with("release-on-cancel", true)
            .with("qps", 100)
            .with("again", durations.again)
            .with("beat", "5ms")
            .with("candidate", THEIRS)
            .with("log", self.log().display());
        Player {
            identity: identity.to_owned(),
            number: self.cast.start(&candidate.command()),
            proxy,
        }
    }

    /// Waits until the candidate does `event`.
    pub(crate) fn wait(&self, player: &Player, event: &str) -> Told {
        let is = |told: &Told| told.by == player.number && told.event == event;
        self.cast.wait_for(is)
    }

    /// Waits until the candidate knows that `leader` leads.
    pub(crate) fn wait_until_known(&self, player: &Player, leader: &Player) {
        let leader = &leader.identity;
        let names = |whom: &str| whom == leader || whom.starts_with(&format!("{leader}_"));
        self.cast.wait_for(|told| {
            told.by == player.number && told.event == "knows" && names(&told.whom)
        });
    }

    /// A part of the Lease.
    pub(crate) fn part(&self, pointer: &str) -> Value {
        let lease = self.namespace.lease(NAME).unwrap_or_default();
        lease.pointer(pointer).cloned().unwrap_or_default()
    }

    /// Waits until the holder has renewed so many times.
    pub(crate) fn wait_for_renewals(&self, times: usize) {
        let mut last = Value::Null;
        let mut seen = 0;
        until("renewals", || {
            let renewed = self.part("/spec/renewTime");
            seen += usize::from(renewed != last);
            last = renewed;
            (seen > times).then_some(())
        });
    }

    /// What all leaders wrote.
    pub(crate) fn lines(&self) -> Vec<Line> {
        let log = std::fs::read_to_string(self.log()).unwrap();
        log.lines().map(|line| Line::parse(line).unwrap()).collect()
    }

    /// The log shows no two leaders at once, in `runs` leaderships with tokens that grow.
    pub(crate) fn assert_no_overlap(&self, runs: usize) {
        Self::assert_in_order(&self.lines(), runs);
    }

    /// The same, of the leaderships of ours alone.
    pub(crate) fn assert_ours_never_overlap(&self, runs: usize) {
        let mut lines = self.lines();
        lines.retain(|line| line.candidate == OURS);
        Self::assert_in_order(&lines, runs);
    }

    fn assert_in_order(lines: &[Line], runs: usize) {
        let faults = check(lines, Policy::Continuous);
        assert!(faults.is_empty(), "{faults:#?}");
        let starts = lines.iter().filter(|line| line.kind == Kind::Start);
        assert_eq!(starts.count(), runs);
    }
}
