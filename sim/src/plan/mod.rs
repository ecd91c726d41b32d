//! What a run does, as plain data that is made before the run: the candidates, their timing, and what goes wrong when.
//!
//! A plan is read from TOML or JSON and can be kept, shortened and replayed. All random numbers of its run come from its seed, each
//! purpose from a stream of its own, so that a fault can be left out without moving what is left.

mod check;
mod fault;
mod generate;
mod kinds;
mod place;
mod read;
mod span;
mod stretch;
mod timing;

pub use check::PlanError;
pub use fault::{Direction, Fault, Foreign, PlannedFault, Refusal, Who};
pub use kinds::FaultKind;
pub use read::{Format, ReadError};
pub use span::Span;

use serde::{Deserialize, Serialize};

/// The version of the format that this program reads and writes.
pub const VERSION: u32 = 1;

/// Which lock the candidates of a run contend for.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Backend {
    /// A record that followers age, as a Kubernetes Lease.
    Lease,
    /// A lock that a server ends when it has not heard from its session, as ZooKeeper's.
    Session,
    /// A file's lock, which ends with its process.
    File,
    /// A Kubernetes Lease, by the real backend and client on simulated API servers. On the tier of machines a [`Lease`](Self::Lease).
    Kubernetes,
    /// A queue of nodes, by the real backend on a simulated ZooKeeper ensemble. On the tier of machines a [`Session`](Self::Session).
    Zookeeper,
}

impl Backend {
    /// The kinds of lock, of which each tier has one each.
    pub const ALL: [Self; 3] = [Self::Lease, Self::Session, Self::File];
    /// All of them.
    pub const EVERY: [Self; 5] = [
        Self::Lease,
        Self::Session,
        Self::File,
        Self::Kubernetes,
        Self::Zookeeper,
    ];

    /// What kind of lock it is to an election.
    pub const fn kind(self) -> Self {
        match self {
            Self::Kubernetes => Self::Lease,
            Self::Zookeeper => Self::Session,
            other => other,
        }
    }

    /// Its name, as plans and command lines have it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Lease => "lease",
            Self::Session => "session",
            Self::File => "file",
            Self::Kubernetes => "kubernetes",
            Self::Zookeeper => "zookeeper",
        }
    }
}

/// Everything that a run is made of.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Plan {
    /// The version of the format: [`VERSION`].
    pub version: u32,
    /// What to call it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// What every random number of the run comes from.
    pub seed: u64,
    /// The kind of lock.
    pub backend: Backend,
    /// From when on everything is healed and nothing goes wrong any more.
    pub quiet_from: Span,
    /// When the run ends.
    pub end: Span,
    /// The timing that the candidates are configured with.
    #[serde(default)]
    pub timing: TimingPlan,
    /// The store.
    #[serde(default)]
    pub server: ServerPlan,
    /// What the candidates do about a lock that is missing.
    #[serde(default)]
    pub on_missing: OnMissingPlan,
    /// The cron job that the leader runs, if any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cron: Option<CronPlan>,
    /// The candidates' machines.
    pub nodes: Vec<NodePlan>,
    /// What goes wrong, in the order of time.
    #[serde(default)]
    pub faults: Vec<PlannedFault>,
}

/// The timing of all candidates. What is not set follows from the lease duration.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct TimingPlan {
    /// How long a record stays valid after the write that made it.
    pub lease: Span,
    /// How often the leader renews.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub renew: Option<Span>,
    /// How long one request may take.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_timeout: Option<Span>,
    /// How long the work may take to stop.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stop_timeout: Option<Span>,
    /// How long the work may take to finish at a planned stop.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub drain_timeout: Option<Span>,
    /// How far clocks may run from true time, in millionths.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub drift_ppm: Option<u32>,
}

impl Default for TimingPlan {
    fn default() -> Self {
        Self {
            lease: Span::from_secs(15),
            renew: None,
            request_timeout: None,
            stop_timeout: None,
            drain_timeout: None,
            drift_ppm: None,
        }
    }
}

/// The store of a run.
#[derive(Clone, Default, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", default, deny_unknown_fields)]
pub struct ServerPlan {
    /// How much faster than true time a server that counts sessions runs, in millionths.
    pub rate_ppm: i64,
    /// In which steps a server counts the age of sessions; nothing counts continuously.
    pub tick: Span,
    /// Whether a renewal proves only once a later one is confirmed, because servers pass on signs of life late (ZooKeeper).
    pub late_proof: bool,
    /// Whether the store tells of changes at all.
    pub silent: bool,
    /// How many API servers there are; one unless given. Kubernetes alone has any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub api_servers: Option<u8>,
    /// Whether candidates take the kubelet's word for a leader's death. Kubernetes alone has kubelets.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub death_proof: bool,
    /// How often somebody edits a label of the record, also in the quiet time; nothing for never. A leased lock alone has labels.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub edited_every: Option<Span>,
    /// After how many ticks of silence a server of an ensemble gives its leader up, to the moment; unless given, it looks with every half
    /// tick whether that has been five.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sync_limit: Option<u32>,
}

impl ServerPlan {
    /// A server that counts sessions as ZooKeeper's does: in steps of half its usual tick of 2 s, and from signs of life that other
    /// servers have passed on late.
    pub fn zookeeper() -> Self {
        Self {
            tick: Span::from_secs(1),
            late_proof: true,
            ..Self::default()
        }
    }
}

/// What a missing lock means to the candidates.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OnMissingPlan {
    /// Led at once. Gives up the claim about deletion.
    AcquireAtOnce,
    /// Led after the largest duration in use.
    #[default]
    Wait,
}

/// A cron job, due at equal intervals of the leader's wall clock.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct CronPlan {
    /// How often it is due: whole seconds.
    pub every: Span,
    /// How long a fire takes.
    pub takes: Span,
    /// Whether a fire is run at least or at most once.
    pub delivery: DeliveryPlan,
}

/// How often a fire is run when a leader dies in the middle of it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DeliveryPlan {
    /// Again.
    AtLeastOnce,
    /// Not again.
    AtMostOnce,
}

/// One candidate's machine, and its work. What is not given is as on a good machine.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", default, deny_unknown_fields)]
pub struct NodePlan {
    /// The candidate's name; the node's own (`n0`, `n1`, …) unless given. Two nodes may have the same.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// When its candidate starts; within the first three seconds, as drawn from the seed, unless given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub starts_at: Option<Span>,
    /// A lease duration of its own, where candidates are configured differently.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lease: Option<Span>,
    /// Which server of an ensemble its client tries first, counted from 0 and over again; any, as drawn from the seed, unless given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub server: Option<u8>,
    /// How much faster than true time its oscillator runs at first, in millionths.
    pub rate_ppm: i64,
    /// What its clocks show at the start.
    pub uptime: Span,
    /// What its wall clock shows at the start, in seconds since 1970.
    pub wall_s: u64,
    /// How long its work takes to stop when it is told to.
    pub stop_takes: Span,
    /// After how long its work ends by itself; nothing when it does not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub work_lasts: Option<Span>,
    /// How long its work takes to finish at a planned stop.
    pub drain_takes: Span,
}

impl Default for NodePlan {
    fn default() -> Self {
        Self {
            name: None,
            starts_at: None,
            lease: None,
            server: None,
            rate_ppm: 0,
            uptime: Span::from_secs(3_600),
            wall_s: 1_700_000_000,
            stop_takes: Span::ZERO,
            work_lasts: None,
            drain_takes: Span::ZERO,
        }
    }
}
