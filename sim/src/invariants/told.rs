//! What is told of invariants and of assumptions to people.

use super::{Assumption, Invariant};

impl Invariant {
    /// All of them: safety, liveness, and what work rests on.
    pub const ALL: [Self; 24] = [
        Self::SingleLeader,
        Self::TokenMonotonic,
        Self::FencedResource,
        Self::AckedStart,
        Self::HolderContinuity,
        Self::StepDownDeadline,
        Self::ReleaseOwn,
        Self::EventGrammar,
        Self::CasOnly,
        Self::ObservedMonotonic,
        Self::WallClockIrrelevance,
        Self::Determinism,
        Self::StopOnSight,
        Self::Converge,
        Self::NoGap,
        Self::Handover,
        Self::NoFlap,
        Self::Fairness,
        Self::Load,
        Self::Progress,
        Self::Shutdown,
        Self::FireAtMostOnce,
        Self::FireAtLeastOnce,
        Self::NoteKept,
    ];

    /// Its name, as traces and tables have it.
    pub fn name(self) -> String {
        match serde_json::to_value(self) {
            Ok(serde_json::Value::String(name)) => name,
            _ => format!("{self:?}"),
        }
    }

    /// What it is called for short: S for safety, L for liveness in the quiet time, and a number.
    pub const fn label(self) -> &'static str {
        match self {
            Self::SingleLeader => "S1",
            Self::TokenMonotonic => "S2",
            Self::FencedResource => "S3",
            Self::AckedStart => "S4",
            Self::HolderContinuity => "S5",
            Self::StepDownDeadline => "S6",
            Self::ReleaseOwn => "S7",
            Self::EventGrammar => "S8",
            Self::CasOnly => "S9",
            Self::ObservedMonotonic => "S10",
            Self::WallClockIrrelevance => "S11",
            Self::Determinism => "S12",
            Self::StopOnSight => "S13",
            Self::Converge => "L1",
            Self::NoGap => "L2",
            Self::Handover => "L3",
            Self::NoFlap => "L4",
            Self::Fairness => "L5",
            Self::Load => "L6",
            Self::Progress => "L7",
            Self::Shutdown => "L8",
            Self::FireAtMostOnce | Self::FireAtLeastOnce => "cron",
            Self::NoteKept => "notes",
        }
    }

    /// What must hold.
    pub const fn sentence(self) -> &'static str {
        match self {
            Self::SingleLeader => {
                "At every moment of true time at most one node leads by its own clock, or has work running."
            }
            Self::TokenMonotonic => {
                "The token of each leadership is larger than that of every one before, and work runs under no other."
            }
            Self::FencedResource => {
                "A resource that checks tokens takes no write of an older leadership after one of a newer, and refuses none of the newest."
            }
            Self::AckedStart => {
                "A leadership begins only after the store has granted it; its deadline counts from the send of a write that took effect, and is at most D after it."
            }
            Self::HolderContinuity => {
                "While a node leads, the store grants its lock to nobody else."
            }
            Self::StepDownDeadline => {
                "Work is told to stop by the deadline, and has ended by the grace after it, also when the store hangs."
            }
            Self::ReleaseOwn => {
                "A lock is given back only after its work has stopped and its candidate believes no longer; a release changes no hold but its own."
            }
            Self::EventGrammar => {
                "What an election tells comes in the promised order, with exactly one `Stopped` for each `Started`."
            }
            Self::CasOnly => {
                "A candidate's write changes a lock only if it still has the version that the write was computed from."
            }
            Self::ObservedMonotonic => {
                "What a candidate reads of the lock never goes backwards, neither the token nor the version."
            }
            Self::WallClockIrrelevance => {
                "Wall clocks decide nothing: with all of them right, the leaderships come and go at the same moments."
            }
            Self::Determinism => "The same plan and seed give the same records.",
            Self::StopOnSight => {
                "Who reads that another holds its lock, or nobody, stops at once and not at its deadline."
            }
            Self::Converge => {
                "Somebody leads within a bound, and after each leadership that ends somebody does again."
            }
            Self::NoGap => "No leadership ends by its deadline: renewals come in time.",
            Self::Handover => {
                "When the lock has been given back, another candidate leads within a poll and three calls."
            }
            Self::NoFlap => {
                "Leadership does not move, unless the work ends by itself or is asked to stop."
            }
            Self::Fairness => {
                "A queue of sessions is served in its order: who gets the lock has waited longest."
            }
            Self::Load => {
                "No candidate sends more calls than it may: so many in each renew interval, and four for each change."
            }
            Self::Progress => {
                "No candidate panics, and each call is answered or given up within its timeout, also when the store hangs."
            }
            Self::Shutdown => {
                "Shutting down ends within a bound, also when the store hangs, and has tried to leave nothing behind."
            }
            Self::FireAtMostOnce => "A fire does not begin twice where it is to run at most once.",
            Self::FireAtLeastOnce => {
                "No fire is lost where it is to run at least once: each has ended, or was told to be missed."
            }
            Self::NoteKept => {
                "A new leader is handed the last note that was confirmed, or a later one, and none that was wanted by who did not lead."
            }
        }
    }

    /// When it is not claimed; empty where it always is.
    pub const fn not_claimed(self) -> &'static str {
        match self {
            Self::SingleLeader => {
                "Once an assumption is broken, as far as the next table says. What overlaps then is measured and told."
            }
            Self::TokenMonotonic => {
                "Of a virtual machine that was frozen between its claim and its start."
            }
            Self::AckedStart => {
                "The length: while a clock is beyond its limits, or the process frozen or starved. The send: of a lock file, whose writes are the kernel's."
            }
            Self::HolderContinuity => {
                "As single-leader; of a lock that a stranger has taken from its holder, or a lock file that was removed while it was taken."
            }
            Self::StepDownDeadline => {
                "Of a frozen process, and while a clock is beyond its limits. A starved one is ended by its guard, by the end of the stop timeout."
            }
            Self::EventGrammar => "Of a process that dies: it tells nothing any more.",
            Self::CasOnly => {
                "Of session locks and lock files, which compare no versions: the lock excludes by itself."
            }
            Self::ObservedMonotonic => {
                "Of what came by a way that may be behind; of a lock file's version, when somebody made its record unreadable."
            }
            Self::WallClockIrrelevance => {
                "Of cron jobs, which are due by the wall clock. Looked at by tests, which make the run twice."
            }
            Self::Determinism => "Looked at by tests and in CI, which make the run again.",
            Self::StopOnSight => {
                "Of a frozen or starved process; of an answer that came after its call's timeout, or by a way that may be behind."
            }
            Self::Converge => "While no candidate may lead.",
            Self::NoGap => {
                "Of leaderships that were granted before the quiet time, and while a clock is beyond its limits."
            }
            Self::Handover => {
                "Where no other candidate may try at once, and for four leases after a stranger changed the lock."
            }
            Self::NoFlap => {
                "Of leaderships that were granted before the quiet time, or whose session ends for a silence from before it."
            }
            Self::Fairness => {
                "Of places in the queue that were taken before the quiet time; leases and lock files have no queue."
            }
            Self::Progress | Self::Shutdown => {
                "Of a frozen or starved process until it runs again, and while a clock is beyond its limits."
            }
            Self::FireAtMostOnce => "After a ledger that was lost, which has to be told.",
            Self::FireAtLeastOnce => {
                "With a ledger that was lost, and beyond the most that are caught up with: both have to be told."
            }
            Self::NoteKept => {
                "After a stranger has destroyed the record; of who begins with an old token since its clocks stood still."
            }
            Self::FencedResource | Self::ReleaseOwn | Self::Load => "",
        }
    }
}

impl Assumption {
    /// Its name, as traces and tables have it.
    pub fn name(self) -> String {
        match serde_json::to_value(self) {
            Ok(serde_json::Value::String(name)) => name,
            _ => format!("{self:?}"),
        }
    }

    /// What is assumed.
    pub const fn sentence(self) -> &'static str {
        match self {
            Self::ClockRate => {
                "Clocks run within the configured drift of true time, the clock of a server that counts sessions as well."
            }
            Self::SlewOrSuspend => {
                "No machine is both slewed and suspended within one lease, and no timer runs slower or faster by more than a tenth."
            }
            Self::ClocksGoOn => "No virtual machine is frozen under its leader.",
            Self::WorkRuns => {
                "Work and its guard run when they have to: they are not paused, suspended, frozen or starved past the deadline."
            }
            Self::MissingIsWaitedOut => {
                "A lock that somebody removes is waited out: `on-missing` is `wait`."
            }
            Self::SessionIsLeftAlone => {
                "Nobody takes a session from under its leader: no `expire-session`."
            }
        }
    }

    /// What is not claimed any more once it is broken.
    pub const fn takes_out(self) -> &'static str {
        match self {
            Self::ClockRate => "The rest of the run.",
            Self::SlewOrSuspend => {
                "The rest of the run, once both come within one lease or a timer is too slow or too fast."
            }
            Self::ClocksGoOn => {
                "What that machine believes by sends from before the freeze, and the work that it runs."
            }
            Self::WorkRuns => "That work, from the deadline until it ends.",
            Self::MissingIsWaitedOut | Self::SessionIsLeftAlone => "The rest of the run.",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_invariant_has_a_name_and_a_sentence() {
        let error = serde_json::from_str::<Invariant>("\"?\"").unwrap_err();
        let error = error.to_string();
        let (_, expected) = error.split_once("expected one of ").unwrap();
        let known: Vec<&str> = expected.split('`').skip(1).step_by(2).collect();
        assert_eq!(Invariant::ALL.map(Invariant::name).as_slice(), known);
        for invariant in Invariant::ALL {
            assert!(invariant.sentence().ends_with('.'), "{invariant:?}");
            let not_claimed = invariant.not_claimed();
            assert!(not_claimed.is_empty() || not_claimed.ends_with('.'));
        }
        for assumption in Assumption::ALL {
            assert!(assumption.sentence().ends_with('.'), "{assumption:?}");
            assert!(assumption.takes_out().ends_with('.'), "{assumption:?}");
        }
    }
}
