use crate::random::Random;

/// Which candidate a fault hits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Victim {
    Follower,
    Leader,
}

/// For how long something is stopped.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Stop {
    /// Past the deadline, so that others may lead.
    Long,
    /// Less than the deadline allows.
    Short,
}

/// What is done to the candidates.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Fault {
    DeleteLockFile,
    Ensemble(EnsembleFault),
    FillDisk,
    KillGuard,
    KillJob,
    KillProgram(Victim),
    KillProgramAndGuard,
    ReplaceLockFile,
    Resign,
    Server(ServerFault),
    StopGuard(Stop),
    StopGuardKillProgram,
    StopProgram(Victim, Stop),
    TerminateAll,
    TerminateProgram(Victim),
}

/// What is done to one way to an API server.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum WayFault {
    /// Connections are closed and refused.
    Cut(Stop),
    /// Requests and replies wait.
    Hold(Stop),
    /// Requests arrive, replies wait.
    HoldReplies(Stop),
    /// Requests wait, replies to earlier ones arrive.
    HoldRequests(Stop),
    LoseReply,
    LoseRequest,
}

/// What is done to a Lease, its servers, and the ways to them.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum ServerFault {
    Delay,
    DeleteLease,
    /// A label that says nothing.
    EditLease,
    EmptyLease,
    FreezeApi(Stop),
    FreezeStore(Stop),
    KillApi,
    /// All connections are closed.
    Reset,
    /// The account gets a new token, and the old one is worth nothing within seconds.
    RotateToken,
    /// Another holder is written over the Lease.
    StealLease,
    /// Something on one candidate's way.
    Way(Victim, WayFault),
    /// The right to watch is taken, and given back later.
    WithdrawWatch,
}

/// What is done to servers of ZooKeeper, and the ways to them. Not to nodes and sessions: what somebody else takes from the queue is no part of
/// the claim.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum EnsembleFault {
    /// A follower is cut off from the others, while its clients stay connected.
    CutOffFollower(Stop),
    /// The leader is cut off from the others, while its clients stay connected.
    CutOffLeader(Stop),
    Delay,
    /// All servers stop.
    FreezeAll(Stop),
    KillFollower,
    KillLeader,
    /// All connections are closed.
    Reset,
    /// No server hears another.
    Scatter(Stop),
    /// Something on one candidate's ways.
    Way(Victim, WayFault),
}

/// Faults with how often each comes.
type Faults = &'static [(u64, Fault)];

/// What happens in a trial: the faults of all these lists.
pub(crate) type Mix = &'static [Faults];

/// What may happen to processes.
pub(crate) const PROCESSES: Mix = &[
    ANY_PROCESSES,
    &[
        (4, Fault::KillProgramAndGuard),
        (1, Fault::StopGuard(Stop::Long)),
    ],
];

/// What may happen to the candidates of a Lease. Not the death of program and guard together: nobody promises anything about it where
/// the lock ages.
pub(crate) const PROCESSES_ON_A_LEASE: Mix = &[
    ANY_PROCESSES,
    &[(1, Fault::StopProgram(Victim::Leader, Stop::Long))],
];

const ANY_PROCESSES: Faults = &[
    (6, Fault::KillGuard),
    (6, Fault::KillJob),
    (16, Fault::KillProgram(Victim::Leader)),
    (4, Fault::KillProgram(Victim::Follower)),
    (6, Fault::Resign),
    (3, Fault::StopGuard(Stop::Short)),
    (2, Fault::StopGuardKillProgram),
    (6, Fault::StopProgram(Victim::Leader, Stop::Short)),
    (3, Fault::StopProgram(Victim::Leader, Stop::Long)),
    (2, Fault::StopProgram(Victim::Follower, Stop::Short)),
    (1, Fault::StopProgram(Victim::Follower, Stop::Long)),
    (3, Fault::TerminateAll),
    (12, Fault::TerminateProgram(Victim::Leader)),
    (3, Fault::TerminateProgram(Victim::Follower)),
];

/// A lock file that vanishes again and again, while candidates come and go. Each takes a lease, so these have a trial of their own.
pub(crate) const LOCK_FILE: Mix = &[&[
    (3, Fault::DeleteLockFile),
    (3, Fault::ReplaceLockFile),
    (2, Fault::KillProgram(Victim::Leader)),
    (1, Fault::StopProgram(Victim::Leader, Stop::Long)),
    (1, Fault::TerminateProgram(Victim::Leader)),
]];

/// What the promises about fires hold under: the ledger lies in the lock, so the lock file is left alone.
pub(crate) const FIRING: Mix = &[ANY_FIRING, &[(2, Fault::KillProgramAndGuard)]];

/// What they hold under on a Lease.
pub(crate) const FIRING_ON_A_LEASE: Mix = &[ANY_FIRING];

const ANY_FIRING: Faults = &[
    (4, Fault::KillGuard),
    (2, Fault::KillJob),
    (8, Fault::KillProgram(Victim::Leader)),
    (2, Fault::KillProgram(Victim::Follower)),
    (4, Fault::Resign),
    (4, Fault::StopProgram(Victim::Leader, Stop::Short)),
    (2, Fault::StopProgram(Victim::Leader, Stop::Long)),
    (2, Fault::TerminateAll),
    (8, Fault::TerminateProgram(Victim::Leader)),
    (2, Fault::TerminateProgram(Victim::Follower)),
];

/// A disk that is full again and again, while candidates come and go.
pub(crate) const FULL_DISK: Mix = &[&[
    (4, Fault::FillDisk),
    (2, Fault::KillProgram(Victim::Leader)),
    (1, Fault::TerminateProgram(Victim::Leader)),
]];

const fn way(victim: Victim, fault: WayFault) -> Fault {
    Fault::Server(ServerFault::Way(victim, fault))
}

/// What may happen on the way to an API server.
pub(crate) const NETWORK: Mix = &[&[
    (3, way(Victim::Leader, WayFault::Cut(Stop::Long))),
    (3, way(Victim::Leader, WayFault::Cut(Stop::Short))),
    (5, way(Victim::Leader, WayFault::Hold(Stop::Long))),
    (3, way(Victim::Leader, WayFault::Hold(Stop::Short))),
    (2, way(Victim::Follower, WayFault::Hold(Stop::Long))),
    (5, way(Victim::Leader, WayFault::HoldReplies(Stop::Long))),
    (3, way(Victim::Leader, WayFault::HoldReplies(Stop::Short))),
    (2, way(Victim::Leader, WayFault::HoldRequests(Stop::Long))),
    (2, way(Victim::Leader, WayFault::HoldRequests(Stop::Short))),
    (6, way(Victim::Leader, WayFault::LoseReply)),
    (3, way(Victim::Leader, WayFault::LoseRequest)),
    (2, way(Victim::Follower, WayFault::LoseReply)),
    (2, Fault::Server(ServerFault::Delay)),
    (3, Fault::Server(ServerFault::Reset)),
    (3, Fault::KillProgram(Victim::Leader)),
    (3, Fault::Resign),
    (3, Fault::TerminateProgram(Victim::Leader)),
    (2, Fault::StopProgram(Victim::Leader, Stop::Long)),
]];

/// What may happen to the servers, and what others do to a Lease.
pub(crate) const SERVERS: Mix = &[&[
    (4, Fault::Server(ServerFault::DeleteLease)),
    (4, Fault::Server(ServerFault::EditLease)),
    (4, Fault::Server(ServerFault::EmptyLease)),
    (3, Fault::Server(ServerFault::FreezeApi(Stop::Long))),
    (2, Fault::Server(ServerFault::FreezeApi(Stop::Short))),
    (3, Fault::Server(ServerFault::FreezeStore(Stop::Long))),
    (2, Fault::Server(ServerFault::FreezeStore(Stop::Short))),
    (3, Fault::Server(ServerFault::KillApi)),
    (2, Fault::Server(ServerFault::RotateToken)),
    (3, Fault::Server(ServerFault::StealLease)),
    (3, Fault::Server(ServerFault::WithdrawWatch)),
    (3, Fault::KillProgram(Victim::Leader)),
    (3, Fault::TerminateProgram(Victim::Leader)),
]];

const fn to_ensemble(victim: Victim, fault: WayFault) -> Fault {
    Fault::Ensemble(EnsembleFault::Way(victim, fault))
}

/// What may happen on the way to an ensemble.
pub(crate) const NETWORK_OF_NODES: Mix = &[&[
    (3, to_ensemble(Victim::Leader, WayFault::Cut(Stop::Long))),
    (3, to_ensemble(Victim::Leader, WayFault::Cut(Stop::Short))),
    (5, to_ensemble(Victim::Leader, WayFault::Hold(Stop::Long))),
    (3, to_ensemble(Victim::Leader, WayFault::Hold(Stop::Short))),
    (2, to_ensemble(Victim::Follower, WayFault::Hold(Stop::Long))),
    (
        5,
        to_ensemble(Victim::Leader, WayFault::HoldReplies(Stop::Long)),
    ),
    (
        3,
        to_ensemble(Victim::Leader, WayFault::HoldReplies(Stop::Short)),
    ),
    (
        2,
        to_ensemble(Victim::Leader, WayFault::HoldRequests(Stop::Long)),
    ),
    (
        2,
        to_ensemble(Victim::Leader, WayFault::HoldRequests(Stop::Short)),
    ),
    (6, to_ensemble(Victim::Leader, WayFault::LoseReply)),
    (3, to_ensemble(Victim::Leader, WayFault::LoseRequest)),
    (2, to_ensemble(Victim::Follower, WayFault::LoseReply)),
    (2, Fault::Ensemble(EnsembleFault::Delay)),
    (3, Fault::Ensemble(EnsembleFault::Reset)),
    (3, Fault::KillProgram(Victim::Leader)),
    (3, Fault::Resign),
    (3, Fault::TerminateProgram(Victim::Leader)),
    (2, Fault::StopProgram(Victim::Leader, Stop::Long)),
]];

/// What may happen to the servers of an ensemble.
pub(crate) const ENSEMBLE: Mix = &[&[
    (
        5,
        Fault::Ensemble(EnsembleFault::CutOffFollower(Stop::Long)),
    ),
    (
        2,
        Fault::Ensemble(EnsembleFault::CutOffFollower(Stop::Short)),
    ),
    (3, Fault::Ensemble(EnsembleFault::CutOffLeader(Stop::Long))),
    (2, Fault::Ensemble(EnsembleFault::FreezeAll(Stop::Long))),
    (2, Fault::Ensemble(EnsembleFault::FreezeAll(Stop::Short))),
    (4, Fault::Ensemble(EnsembleFault::KillFollower)),
    (4, Fault::Ensemble(EnsembleFault::KillLeader)),
    (2, Fault::Ensemble(EnsembleFault::Scatter(Stop::Long))),
    (2, Fault::Ensemble(EnsembleFault::Scatter(Stop::Short))),
    (3, Fault::KillProgram(Victim::Leader)),
    (4, Fault::TerminateProgram(Victim::Leader)),
    (2, Fault::Resign),
]];

impl Fault {
    pub(crate) fn choose(mix: Mix, random: &mut Random) -> Self {
        random.weighted(&mix.concat())
    }

    /// Whether a leader may end by this without having written down what it did.
    pub(crate) fn may_lose_a_fire(self) -> bool {
        !matches!(
            self,
            Self::KillProgram(Victim::Follower)
                | Self::StopProgram(Victim::Follower, _)
                | Self::TerminateProgram(Victim::Follower)
        )
    }
}
