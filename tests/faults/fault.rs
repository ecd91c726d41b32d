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
    FillDisk,
    KillGuard,
    KillJob,
    KillProgram(Victim),
    KillProgramAndGuard,
    ReplaceLockFile,
    Resign,
    StopGuard(Stop),
    StopGuardKillProgram,
    StopProgram(Victim, Stop),
    TerminateAll,
    TerminateProgram(Victim),
}

/// Faults with how often each comes.
pub(crate) type Mix = &'static [(u64, Fault)];

/// What may happen to processes.
pub(crate) const PROCESSES: Mix = &[
    (6, Fault::KillGuard),
    (6, Fault::KillJob),
    (16, Fault::KillProgram(Victim::Leader)),
    (4, Fault::KillProgram(Victim::Follower)),
    (4, Fault::KillProgramAndGuard),
    (6, Fault::Resign),
    (3, Fault::StopGuard(Stop::Short)),
    (1, Fault::StopGuard(Stop::Long)),
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
pub(crate) const LOCK_FILE: Mix = &[
    (3, Fault::DeleteLockFile),
    (3, Fault::ReplaceLockFile),
    (2, Fault::KillProgram(Victim::Leader)),
    (1, Fault::StopProgram(Victim::Leader, Stop::Long)),
    (1, Fault::TerminateProgram(Victim::Leader)),
];

/// What the promises about fires hold under: the ledger lies in the lock, so the lock file is left alone.
pub(crate) const FIRING: Mix = &[
    (4, Fault::KillGuard),
    (2, Fault::KillJob),
    (8, Fault::KillProgram(Victim::Leader)),
    (2, Fault::KillProgram(Victim::Follower)),
    (2, Fault::KillProgramAndGuard),
    (4, Fault::Resign),
    (4, Fault::StopProgram(Victim::Leader, Stop::Short)),
    (2, Fault::StopProgram(Victim::Leader, Stop::Long)),
    (2, Fault::TerminateAll),
    (8, Fault::TerminateProgram(Victim::Leader)),
    (2, Fault::TerminateProgram(Victim::Follower)),
];

/// A disk that is full again and again, while candidates come and go.
pub(crate) const FULL_DISK: Mix = &[
    (4, Fault::FillDisk),
    (2, Fault::KillProgram(Victim::Leader)),
    (1, Fault::TerminateProgram(Victim::Leader)),
];

impl Fault {
    pub(crate) fn choose(mix: Mix, random: &mut Random) -> Self {
        random.weighted(mix)
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
