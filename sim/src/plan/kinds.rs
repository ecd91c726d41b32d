use super::{Backend, Direction, Fault, Foreign, Refusal, Span, Who};
use crate::Tier;
use crate::api_server::Fails;

/// A kind of fault, as people read of it.
#[derive(Clone, Debug)]
pub struct FaultKind {
    /// One of them.
    pub example: Fault,
    /// What it does. Names in backticks are its fields.
    pub sentence: &'static str,
}

impl FaultKind {
    /// The kinds of lock that have it.
    pub fn backends(&self) -> impl Iterator<Item = Backend> {
        let fits = |backend: &Backend| self.example.fits(*backend);
        Backend::EVERY.into_iter().filter(fits)
    }

    /// One of them, as a plan file in TOML has it.
    pub fn written(&self) -> String {
        let value = toml::Value::try_from(&self.example);
        value
            .expect("a fault has nothing that TOML does not have")
            .to_string()
    }

    /// The tiers on which it does something.
    pub fn tiers(&self) -> impl Iterator<Item = Tier> {
        let shows = |tier: &Tier| {
            self.backends()
                .any(|backend| self.example.shows(backend, *tier))
        };
        [Tier::Machines, Tier::Electors].into_iter().filter(shows)
    }

    const fn new(example: Fault, sentence: &'static str) -> Self {
        Self { example, sentence }
    }
}

const LEADER: Who = Who::Leader;
const BOTH: Direction = Direction::Both;

impl Fault {
    /// Whether it does something to a lock of this kind on this tier. The tier of machines has no disk.
    pub fn shows(&self, backend: Backend, tier: Tier) -> bool {
        let of_disk = matches!(
            (self, backend),
            (Self::DiskFull, _) | (Self::Foreign(Foreign::Recreate), Backend::File)
        );
        let of_clients = matches!(backend, Backend::Kubernetes | Backend::Zookeeper);
        !(of_disk || of_clients) || tier == Tier::Electors
    }

    /// Every kind of fault, by theme.
    pub fn kinds() -> Vec<FaultKind> {
        [
            PROCESSES, PEOPLE, CLOCKS, NETWORK, STORE, KUBERNETES, STRANGERS,
        ]
        .concat()
    }
}

const PROCESSES: &[FaultKind] = &[
    FaultKind::new(
        Fault::Crash { node: LEADER },
        "The process is killed without a word to anybody; what it has sent still arrives. Another is started when the time is over.",
    ),
    FaultKind::new(
        Fault::CrashCut { node: LEADER },
        "The process is killed and its connection with it: what has not arrived yet is lost.",
    ),
    FaultKind::new(
        Fault::PowerLoss { node: LEADER },
        "The machine loses power: as a crash, and what was not on stable storage is lost or torn (machines: as a crash alone).",
    ),
    FaultKind::new(
        Fault::ShutDown { node: LEADER },
        "The candidate is shut down in good order; another is started when the time is over.",
    ),
    FaultKind::new(
        Fault::Pause { node: LEADER },
        "The process is stopped, as by SIGSTOP: it does nothing, its clocks run on, its sockets and kernel locks stay.",
    ),
    FaultKind::new(
        Fault::Suspend { node: LEADER },
        "The machine sleeps: nothing runs, and only the clock that counts suspended time goes on.",
    ),
    FaultKind::new(
        Fault::Freeze { node: LEADER },
        "The virtual machine is frozen from outside: nothing runs, and no clock of it goes on.",
    ),
    FaultKind::new(
        Fault::Starve {
            node: LEADER,
            most: Span::from_secs(3),
        },
        "The process gets little time: whatever it is woken for happens up to `most` late.",
    ),
];

const PEOPLE: &[FaultKind] = &[
    FaultKind::new(
        Fault::Resign { node: LEADER },
        "The candidate resigns, if it leads.",
    ),
    FaultKind::new(
        Fault::Ineligible { node: LEADER },
        "The candidate's program says that it is not fit to lead.",
    ),
    FaultKind::new(
        Fault::OperatorResign,
        "An operator asks the sitting leader to resign, through the lock.",
    ),
    FaultKind::new(
        Fault::OperatorPause,
        "An operator leaves a pause in the lock, and a resume when the time is over.",
    ),
    FaultKind::new(
        Fault::Deaf { node: LEADER },
        "The work ignores that it is told to stop. It can be aborted.",
    ),
    FaultKind::new(
        Fault::Panic { node: LEADER },
        "The work panics now, if it runs.",
    ),
];

const CLOCKS: &[FaultKind] = &[
    FaultKind::new(
        Fault::Rate {
            node: LEADER,
            ppm: 10_000,
        },
        "The oscillator runs `ppm` millionths faster than true time, all clocks with it.",
    ),
    FaultKind::new(
        Fault::Slew {
            node: LEADER,
            ppm: -83_333,
        },
        "A time service slews all clocks of the node but the raw one, by `ppm` millionths.",
    ),
    FaultKind::new(
        Fault::StepWall {
            by_s: -3_600,
            node: LEADER,
        },
        "The wall clock is set, by `by-s` seconds.",
    ),
];

const NETWORK: &[FaultKind] = &[
    FaultKind::new(
        Fault::Cut {
            direction: BOTH,
            node: LEADER,
        },
        "The link is cut: what is sent is lost, and nobody is told. `direction` is both, requests or replies.",
    ),
    FaultKind::new(
        Fault::Clog { node: LEADER },
        "Nothing passes, and everything arrives when the time is over.",
    ),
    FaultKind::new(
        Fault::Lossy {
            direction: BOTH,
            node: LEADER,
            per_mille: 300,
        },
        "Of a thousand requests or replies, `per-mille` are lost.",
    ),
    FaultKind::new(
        Fault::Duplicate {
            node: LEADER,
            per_mille: 300,
        },
        "Of a thousand requests, `per-mille` arrive a second time, later.",
    ),
    FaultKind::new(
        Fault::Slow {
            direction: BOTH,
            node: LEADER,
            most: Span::from_secs(3),
        },
        "Requests and replies take between nothing and `most`, so that they overtake each other.",
    ),
    FaultKind::new(
        Fault::Delay {
            by: Span::from_secs(3),
            direction: BOTH,
            node: LEADER,
        },
        "Requests or replies take exactly `by` longer.",
    ),
    FaultKind::new(
        Fault::Reset { node: LEADER },
        "All connections of the node break once: whoever waits is told so, whatever the store did.",
    ),
];

const STORE: &[FaultKind] = &[
    FaultKind::new(
        Fault::Refuse {
            with: Refusal::Unavailable,
        },
        "The store refuses everything. `with` is forbidden (403), throttled (429) or unavailable (503).",
    ),
    FaultKind::new(
        Fault::AppliedTimeout { per_mille: 500 },
        "Of a thousand writes, `per-mille` are applied and then answered with a time-out (504).",
    ),
    FaultKind::new(
        Fault::Hang,
        "The store takes requests in, does nothing until the time is over, and then does and answers them all.",
    ),
    FaultKind::new(
        Fault::Restart,
        "The store restarts: connections break, watches end, nothing is answered meanwhile. Sessions go on.",
    ),
    FaultKind::new(
        Fault::Stale {
            by: Span::from_secs(10),
        },
        "What watches and caches tell is `by` behind.",
    ),
    FaultKind::new(
        Fault::NoHints,
        "The store tells nobody of changes, and says nothing about it.",
    ),
    FaultKind::new(
        Fault::WatchGap,
        "The watches end and say so; what happens meanwhile is not told.",
    ),
    FaultKind::new(
        Fault::QuorumLoss,
        "The ensemble has no quorum: nothing is answered, and no session expires meanwhile.",
    ),
    FaultKind::new(
        Fault::LeaderChange,
        "The ensemble elects another leader: connections break, and all sessions count from anew.",
    ),
    FaultKind::new(
        Fault::ExpireSession { node: LEADER },
        "An administrator ends the node's session.",
    ),
    FaultKind::new(Fault::DiskFull, "The disk has no room."),
];

const KUBERNETES: &[FaultKind] = &[
    FaultKind::new(
        Fault::ServerAway { server: 0 },
        "One of the API servers does not run: connections to it break, and go to another if there is one.",
    ),
    FaultKind::new(
        Fault::ServerHangs { server: 0 },
        "One of the API servers takes requests in, and serves them when the time is over.",
    ),
    FaultKind::new(
        Fault::ServerLags {
            by: Span::from_secs(10),
            server: 0,
        },
        "The cache of one of the API servers, and what its watches tell, is `by` behind; of an ensemble, what a server applies.",
    ),
    FaultKind::new(
        Fault::ServerCut { server: 0 },
        "One of the servers of an ensemble is cut off from the others: it goes on answering pings and reads for a while.",
    ),
    FaultKind::new(
        Fault::ServerForgets { server: 0 },
        "One of the servers of an ensemble, which follows, is killed while it joins, and shows its clients everything but the leader's node.",
    ),
    FaultKind::new(
        Fault::Fails {
            per_mille: 300,
            with: Fails::Internal,
        },
        "Of a thousand requests, `per-mille` fail without an effect. `with` is internal (500), throttled (429), unavailable (503) or timed-out (504).",
    ),
    FaultKind::new(
        Fault::FailsAfter {
            per_mille: 300,
            with: Fails::Unavailable,
        },
        "Of a thousand writes, `per-mille` take effect and fail all the same.",
    ),
    FaultKind::new(
        Fault::RepliesDropped { per_mille: 300 },
        "Of a thousand writes, `per-mille` take effect and are not answered.",
    ),
    FaultKind::new(
        Fault::SlowStore {
            most: Span::from_secs(10),
        },
        "Requests take effect up to `most` late, whoever still waits for them.",
    ),
    FaultKind::new(
        Fault::NoWatchRight,
        "The candidates' right to watch is taken from them, for what they do not watch yet.",
    ),
    FaultKind::new(
        Fault::Compaction,
        "What has happened until now is forgotten: watches that go on from before are told so (410).",
    ),
    FaultKind::new(
        Fault::TokenExpired { node: LEADER },
        "The token of the process has expired (401), and is renewed when the time is over.",
    ),
    FaultKind::new(
        Fault::KubeletLate {
            by: Span::from_secs(10),
            node: LEADER,
        },
        "The kubelet reports `by` later than usual what has become of containers.",
    ),
    FaultKind::new(
        Fault::KubeletSilent { node: LEADER },
        "The kubelet reports nothing. What runs on its node runs on.",
    ),
    FaultKind::new(
        Fault::NodeLost { node: LEADER },
        "The control plane has lost the node: its kubelet is silent, its pod is called not ready and is deleted at the end, while what runs there runs on.",
    ),
];

const STRANGERS: &[FaultKind] = &[
    FaultKind::new(
        Fault::Foreign(Foreign::Corrupt),
        "Somebody who is no candidate makes the record unreadable.",
    ),
    FaultKind::new(
        Fault::Foreign(Foreign::Delete),
        "Somebody deletes the lock.",
    ),
    FaultKind::new(
        Fault::Foreign(Foreign::EditLabel),
        "Somebody sets a label, or touches the record otherwise: who holds it stays.",
    ),
    FaultKind::new(
        Fault::Foreign(Foreign::Empty),
        "Somebody takes the holder out of the record.",
    ),
    FaultKind::new(
        Fault::Foreign(Foreign::Overwrite),
        "Somebody writes a stranger's name over the holder's.",
    ),
    FaultKind::new(
        Fault::Foreign(Foreign::Recreate),
        "Somebody deletes the lock and creates one that says the same (a lock file: electors alone).",
    ),
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// The names that serde knows, from its answer to one that it does not know.
    fn known_to_serde(json: &str) -> BTreeSet<String> {
        let error = serde_json::from_str::<Fault>(json).unwrap_err().to_string();
        let (_, expected) = error.split_once("expected one of ").unwrap();
        let names = expected.split('`').skip(1).step_by(2);
        names.map(str::to_owned).collect()
    }

    #[test]
    fn every_fault_is_told_of_once() {
        let kinds = Fault::kinds();
        let names: Vec<String> = kinds.iter().map(|kind| kind.example.name()).collect();
        let different: BTreeSet<String> = names.iter().cloned().collect();
        assert_eq!(different.len(), names.len(), "{names:?}");
        let first = |name: &String| name.split(' ').next().unwrap_or_default().to_owned();
        let faults: BTreeSet<String> = names.iter().map(first).collect();
        assert_eq!(faults, known_to_serde("{\"?\": 0}"));
        let foreign = |name: &String| name.strip_prefix("foreign ").map(str::to_owned);
        let foreign: BTreeSet<String> = names.iter().filter_map(foreign).collect();
        assert_eq!(foreign, known_to_serde("{\"foreign\": \"?\"}"));
    }

    #[test]
    fn what_is_written_of_a_fault_is_read_back() {
        #[derive(serde::Deserialize)]
        struct Line {
            what: Fault,
        }
        for kind in Fault::kinds() {
            let line = format!("what = {}", kind.written());
            let read: Line = toml::from_str(&line).unwrap();
            assert_eq!(read.what, kind.example, "{line}");
            assert!(kind.backends().count() > 0, "{line}");
            assert!(kind.sentence.ends_with('.'), "{line}");
        }
    }
}
