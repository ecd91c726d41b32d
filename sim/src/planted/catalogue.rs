use tenure_backends::kubernetes::simulated as kubernetes;
use tenure_core::planted::Mistake;

use super::bug::Kind::{Liveness, Safety};
use super::bug::Planting::{Boundary, Client, Lease as LeaseBackend, Machine};
use super::bug::{Entry, Kind, Planting};
use super::distortion::Distortion;
use crate::Tier::{self, Electors, Machines};
use crate::api_server::Carelessness;
use crate::invariants::Invariant;
use crate::plan::Backend::{self, Kubernetes, Lease, Session};

pub(super) const fn entry(
    kind: Kind,
    name: &'static str,
    planting: Planting,
    breaks: &'static str,
    sentence: &'static str,
) -> Entry {
    Entry {
        name,
        sentence,
        breaks,
        kind,
        planting,
        tiers: &[Machines, Electors],
        backends: &Backend::ALL,
        expected: &[Invariant::SingleLeader],
        guarded: true,
        scenario: None,
    }
}

/// One in the backend of Kubernetes or in its client.
const fn of_kubernetes(
    name: &'static str,
    planting: Planting,
    breaks: &'static str,
    sentence: &'static str,
) -> Entry {
    entry(Safety, name, planting, breaks, sentence)
        .on(&[Kubernetes])
        .at(&[Electors])
}

impl Entry {
    const fn on(self, backends: &'static [Backend]) -> Self {
        Self { backends, ..self }
    }

    const fn at(self, tiers: &'static [Tier]) -> Self {
        Self { tiers, ..self }
    }

    const fn unguarded(self) -> Self {
        Self {
            guarded: false,
            ..self
        }
    }

    const fn by(self, expected: &'static [Invariant]) -> Self {
        Self { expected, ..self }
    }
}

/// Each bug once, in the order of their names. "rule" is one of the safety rules that the election promises to keep, "pitfall" one
/// that other elections were seen to fall into.
pub(super) const CATALOGUE: &[Entry] = &[
    of_kubernetes(
        "absence-is-death",
        LeaseBackend(kubernetes::Mistake::AbsenceIsDeath),
        "proof of death",
        "A pod that is gone or not ready is taken for dead.",
    )
    .by(&[Invariant::SingleLeader, Invariant::HolderContinuity]),
    entry(
        Safety,
        "age-per-holder",
        Machine(Mistake::AgePerHolder),
        "rule 2",
        "A hold keeps its age over renewals: it belongs to the holder, not to the write.",
    )
    .on(&[Lease]),
    entry(
        Liveness,
        "age-per-version",
        Machine(Mistake::AgePerVersion),
        "rule 2",
        "Somebody who edits the record keeps a dead leader young.",
    )
    .on(&[Lease])
    .by(&[Invariant::Converge, Invariant::Handover]),
    of_kubernetes(
        "any-container-ended",
        LeaseBackend(kubernetes::Mistake::AnyContainerEnded),
        "proof of death",
        "Any container of the holder's pod that has ended is taken for the holder's.",
    )
    .by(&[Invariant::SingleLeader, Invariant::HolderContinuity]),
    entry(
        Safety,
        "any-number-confirms",
        Machine(Mistake::AnyNumberConfirms),
        "rule 5, pitfall 1",
        "Any read that finds the candidate's name settles a renewal of unknown outcome.",
    )
    .on(&[Lease]),
    entry(
        Safety,
        "blind-put",
        Boundary(Distortion::BlindPut),
        "rule 4, pitfall 25",
        "A claim that lost its compare-and-swap is made again against what is there.",
    )
    .on(&[Lease])
    .by(&[Invariant::SingleLeader, Invariant::CasOnly, Invariant::HolderContinuity]),
    of_kubernetes(
        "cached-reads",
        Client(Carelessness::CachedReads),
        "pitfall 12",
        "The Lease is read from an API server's cache.",
    )
    .by(&[Invariant::SingleLeader, Invariant::ObservedMonotonic, Invariant::StopOnSight, Invariant::TokenMonotonic, Invariant::HolderContinuity]),
    entry(
        Safety,
        "claim-is-assumed",
        Boundary(Distortion::ClaimIsAssumed),
        "rule 5, pitfall 1",
        "A claim of unknown outcome counts as granted.",
    )
    .by(&[Invariant::SingleLeader, Invariant::AckedStart]),
    entry(
        Liveness,
        "conflict-is-fatal",
        Machine(Mistake::ConflictIsFatal),
        "pitfall 47",
        "One refused renewal ends the election of a candidate for good.",
    )
    .by(&[Invariant::Converge]),
    entry(
        Safety,
        "deadline-from-answer",
        Machine(Mistake::DeadlineFromAnswer),
        "rule 1, pitfall 5",
        "The deadline counts from the answer to a write, not from its sending.",
    ),
    entry(
        Liveness,
        "drains-for-ever",
        Machine(Mistake::DrainsForEver),
        "rule 8, pitfall 17",
        "The work may finish for as long as it likes.",
    )
    .by(&[Invariant::Shutdown]),
    of_kubernetes(
        "earlier-container",
        Client(Carelessness::EarlierContainer),
        "proof of death",
        "A leader names the container that was here before it: a late status shows that one.",
    )
    .by(&[Invariant::SingleLeader, Invariant::HolderContinuity]),
    entry(
        Safety,
        "emptied-is-free",
        Machine(Mistake::EmptiedIsFree),
        "rule 9, pitfall 24",
        "A record without holder is free, with or without the mark of a release.",
    )
    .on(&[Lease]),
    entry(
        Safety,
        "fail-open",
        Machine(Mistake::FailOpen),
        "rule 12, pitfall 49",
        "A store that cannot be read gives a leader.",
    )
    .by(&[Invariant::SingleLeader, Invariant::AckedStart, Invariant::TokenMonotonic]),
    entry(
        Safety,
        "first-answer-proves",
        Machine(Mistake::FirstAnswerProves),
        "rule 1, pitfall 28",
        "The first acknowledgement counts as proof, where servers pass on signs of life late.",
    )
    .on(&[Session]),
    entry(
        Safety,
        "follower-counts-longer",
        Machine(Mistake::FollowerCountsLonger),
        "rule 3, pitfall 8",
        "A follower counts by the clock that shows more.",
    )
    .on(&[Lease]),
    entry(
        Safety,
        "forged-mark",
        Boundary(Distortion::ForgedMark),
        "rule 9",
        "A record that somebody emptied is reported with a release mark.",
    )
    .on(&[Lease]),
    entry(
        Safety,
        "forged-vacancy",
        Boundary(Distortion::ForgedVacancy),
        "rule 9",
        "A grant after an unexplained absence says that the store vouches for it.",
    )
    .on(&[Session]),
    entry(
        Liveness,
        "forgets-alarm",
        Machine(Mistake::ForgetsAlarm),
        "pitfall 13",
        "A follower that waits after a failed call sets no alarm for the end of the wait.",
    )
    .by(&[Invariant::Converge]),
    of_kubernetes(
        "hidden-retries",
        Client(Carelessness::HiddenRetries),
        "pitfall 3",
        "A layer of the client repeats what was answered with an error.",
    )
    .by(&[Invariant::Load]),
    entry(
        Safety,
        "hint-extends",
        Machine(Mistake::HintExtends),
        "rule 6, pitfall 12",
        "A watch that shows the candidate as holder extends its leadership.",
    )
    .on(&[Lease]),
    entry(
        Safety,
        "ignores-another-holder",
        Machine(Mistake::IgnoresAnotherHolder),
        "rule 7, pitfall 14",
        "Another holder in the record is of no interest until the deadline.",
    )
    .by(&[Invariant::StopOnSight]),
    entry(
        Safety,
        "ignores-missing",
        Machine(Mistake::IgnoresMissing),
        "rule 7, pitfall 23",
        "A lock that is gone is of no interest until the deadline.",
    )
    .by(&[Invariant::StopOnSight]),
    entry(
        Safety,
        "kills-at-stop-timeout",
        Machine(Mistake::KillsAtStopTimeout),
        "rule 1, rule 8",
        "Work that ignores that it is to stop is aborted only after all of the stop timeout.",
    )
    .by(&[Invariant::SingleLeader, Invariant::StepDownDeadline])
    .unguarded(),
    entry(
        Safety,
        "late-answer",
        Boundary(Distortion::LateAnswer),
        "rule 5, pitfall 2",
        "The answer to a call that was given up is taken for the answer to the next one.",
    )
    .at(&[Electors])
    .by(&[Invariant::SingleLeader, Invariant::AckedStart, Invariant::TokenMonotonic, Invariant::StepDownDeadline]),
    entry(
        Liveness,
        "leaks-member",
        Machine(Mistake::LeaksMember),
        "pitfall 31",
        "A candidate that ends stays a member.",
    )
    .by(&[Invariant::Shutdown]),
    of_kubernetes(
        "mark-outlives",
        LeaseBackend(kubernetes::Mistake::MarkOutlives),
        "rule 9, pitfall 24",
        "The mark of a release stays through later leaderships, and vouches for whoever empties the record.",
    )
    .by(&[Invariant::SingleLeader, Invariant::HolderContinuity]),
    entry(
        Safety,
        "missing-is-free",
        Machine(Mistake::MissingIsFree),
        "rule 9, pitfall 23",
        "A missing lock is a free lock.",
    )
    .on(&[Lease]),
    entry(
        Safety,
        "monotonic-only",
        Boundary(Distortion::MonotonicOnly),
        "rule 3, pitfall 10",
        "The clocks do not count suspended time.",
    ),
    entry(
        Safety,
        "name-is-enough",
        Machine(Mistake::NameIsEnough),
        "rule 10, pitfall 19, pitfall 20",
        "A record that names a candidate of this name is this candidate's, also after a restart.",
    )
    .by(&[Invariant::SingleLeader, Invariant::TokenMonotonic, Invariant::AckedStart]),
    entry(
        Safety,
        "never-aborts",
        Machine(Mistake::NeverAborts),
        "rule 8",
        "Work that ignores that it is to stop is not aborted.",
    )
    .by(&[Invariant::SingleLeader, Invariant::StepDownDeadline])
    .unguarded(),
    entry(
        Liveness,
        "never-polls",
        Machine(Mistake::NeverPolls),
        "rule 6, pitfall 13",
        "The lock is not looked at without a hint.",
    )
    .by(&[Invariant::Converge, Invariant::Handover]),
    entry(
        Liveness,
        "never-releases",
        Machine(Mistake::NeverReleases),
        "pitfall 18",
        "A lock whose leadership is over is left to age.",
    )
    .on(&[Lease])
    .by(&[Invariant::Shutdown, Invariant::Handover]),
    entry(
        Liveness,
        "never-retries",
        Machine(Mistake::NeverRetries),
        "pitfall 13",
        "A call that has failed is not made again.",
    )
    .by(&[Invariant::Converge]),
    entry(
        Safety,
        "no-drift-margin",
        Machine(Mistake::NoDriftMargin),
        "rule 1, pitfall 8",
        "The deadline does not allow for clocks that run apart.",
    )
    .by(&[Invariant::AckedStart, Invariant::SingleLeader]),
    entry(
        Safety,
        "no-raw-clock",
        Boundary(Distortion::NoRawClock),
        "rule 3, pitfall 8",
        "Both clocks are slewed by a time service.",
    ),
    entry(
        Liveness,
        "no-request-timeout",
        Machine(Mistake::NoRequestTimeout),
        "pitfall 4",
        "The store is waited for without a limit.",
    )
    .by(&[Invariant::Progress, Invariant::Converge]),
    entry(
        Safety,
        "no-stop-margin",
        Machine(Mistake::NoStopMargin),
        "rule 1",
        "The deadline does not allow for the time that the work takes to stop.",
    ),
    entry(
        Safety,
        "note-told-early",
        Machine(Mistake::NoteToldEarly),
        "rule 5",
        "A note is told to be in the lock when it is sent.",
    )
    .by(&[Invariant::NoteKept]),
    entry(
        Safety,
        "one-token",
        Boundary(Distortion::OneToken),
        "rule 11, pitfall 21",
        "Every grant has the same token.",
    )
    .by(&[Invariant::TokenMonotonic, Invariant::FencedResource]),
    entry(
        Safety,
        "own-duration",
        Machine(Mistake::OwnDuration),
        "rule 2, pitfall 26, kubernetes/kubernetes#114872",
        "A follower waits out its own lease duration, whatever the record says.",
    )
    .on(&[Lease]),
    entry(
        Safety,
        "own-record-is-taken",
        Machine(Mistake::OwnRecordIsTaken),
        "rule 5, pitfall 2",
        "A record that still names the candidate starts a leadership, also after a release was sent.",
    )
    .on(&[Lease])
    .by(&[Invariant::SingleLeader, Invariant::TokenMonotonic, Invariant::AckedStart]),
    entry(
        Liveness,
        "polls-without-pause",
        Machine(Mistake::PollsWithoutPause),
        "pitfall 33, pitfall 36",
        "A herd of followers reads the lock again as soon as it was read.",
    )
    .by(&[Invariant::Load]),
    entry(
        Safety,
        "read-extends",
        Machine(Mistake::ReadExtends),
        "rule 5",
        "A read that finds the candidate as holder extends its leadership.",
    ),
    of_kubernetes(
        "release-by-name",
        LeaseBackend(kubernetes::Mistake::ReleaseByName),
        "rule 4, rule 10, pitfall 16, pitfall 19",
        "A release empties the record of whoever has the candidate's name.",
    )
    .by(&[Invariant::SingleLeader, Invariant::ReleaseOwn, Invariant::HolderContinuity]),
    entry(
        Safety,
        "release-stomp",
        Boundary(Distortion::ReleaseStomp),
        "rule 4, pitfall 16",
        "A release that lost its compare-and-swap is made again against what is there.",
    )
    .on(&[Lease])
    .by(&[Invariant::SingleLeader, Invariant::ReleaseOwn, Invariant::CasOnly]),
    entry(
        Safety,
        "releases-first",
        Machine(Mistake::ReleasesFirst),
        "rule 8, pitfall 15",
        "The lock is given back while the work finishes.",
    )
    .by(&[Invariant::SingleLeader, Invariant::ReleaseOwn]),
    entry(
        Liveness,
        "releases-for-ever",
        Machine(Mistake::ReleasesForEver),
        "pitfall 17",
        "A release is tried until it is answered.",
    )
    .by(&[Invariant::Shutdown]),
    entry(
        Safety,
        "remote-clock",
        Machine(Mistake::RemoteClock),
        "rule 2, pitfall 7",
        "A record's age counts from the wall clock in it.",
    )
    .on(&[Lease])
    .by(&[Invariant::SingleLeader, Invariant::WallClockIrrelevance]),
    entry(
        Liveness,
        "retries-at-once",
        Machine(Mistake::RetriesAtOnce),
        "pitfall 37, pitfall 38",
        "A call that has failed is made again at once.",
    )
    .by(&[Invariant::Load]),
    entry(
        Safety,
        "stopped-told-early",
        Machine(Mistake::StoppedToldEarly),
        "rule 8, pitfall 51",
        "The work is told to have stopped when it is told to stop.",
    )
    .by(&[Invariant::EventGrammar]),
    entry(
        Safety,
        "timer-is-trusted",
        Machine(Mistake::TimerIsTrusted),
        "rule 3, pitfall 10",
        "An alarm that rings is taken for the time that it was set for, and no clock is read.",
    )
    .unguarded(),
    of_kubernetes(
        "token-from-transitions",
        LeaseBackend(kubernetes::Mistake::TokenFromTransitions),
        "rule 11, pitfall 21",
        "The token is the count of transitions in the Lease.",
    )
    .by(&[Invariant::TokenMonotonic, Invariant::FencedResource, Invariant::AckedStart]),
    entry(
        Safety,
        "token-reused",
        Machine(Mistake::TokenReused),
        "rule 5, rule 11",
        "Work that has ended is followed by more work under the same token.",
    )
    .by(&[Invariant::TokenMonotonic, Invariant::AckedStart]),
    entry(
        Safety,
        "tries-add-up",
        Machine(Mistake::TriesAddUp),
        "rule 1, pitfall 6",
        "The time of one more try is added to the deadline.",
    ),
    of_kubernetes(
        "truncated-duration",
        LeaseBackend(kubernetes::Mistake::TruncatedDuration),
        "rule 2, pitfall 27",
        "The duration in the Lease is rounded down.",
    )
    .by(&[Invariant::SingleLeader, Invariant::HolderContinuity]),
    entry(
        Safety,
        "trusted-renewal",
        Boundary(Distortion::TrustedRenewal),
        "rule 5, rule 7, pitfall 14",
        "A refused renewal counts as confirmed, and hints get lost.",
    ),
    of_kubernetes(
        "unconditional-patch",
        Client(Carelessness::UnconditionalPatch),
        "rule 4, pitfall 25",
        "The Lease is patched without naming its version.",
    )
    .by(&[Invariant::CasOnly, Invariant::SingleLeader, Invariant::HolderContinuity]),
    entry(
        Safety,
        "unknown-is-confirmed",
        Machine(Mistake::UnknownIsConfirmed),
        "rule 5, pitfall 1",
        "A renewal of unknown outcome counts as confirmed.",
    ),
    of_kubernetes(
        "update-creates",
        Client(Carelessness::UpdateCreates),
        "rule 4, rule 7, pitfall 23",
        "A leader whose Lease is gone makes it anew by its renewal, and goes on.",
    )
    .by(&[Invariant::CasOnly, Invariant::StopOnSight, Invariant::SingleLeader, Invariant::HolderContinuity]),
    entry(
        Safety,
        "vanished-is-new",
        Boundary(Distortion::VanishedIsNew),
        "rule 9",
        "A record that was deleted is reported as never held.",
    )
    .on(&[Lease]),
    entry(
        Safety,
        "waits-for-expiry",
        Machine(Mistake::WaitsForExpiry),
        "rule 1, rule 7, pitfall 28, pitfall 29",
        "The holder of a session lock leads until it is told that its session has ended.",
    )
    .on(&[Session])
    .unguarded(),
    entry(
        Safety,
        "wakes-on-time",
        Machine(Mistake::WakesOnTime),
        "rule 3",
        "What must not be late is woken on time by a timer that somebody slews.",
    )
    .by(&[Invariant::SingleLeader, Invariant::StepDownDeadline])
    .unguarded(),
    entry(
        Safety,
        "watchdog-sleeps",
        Boundary(Distortion::WatchdogSleeps),
        "rule 8, pitfall 46",
        "Nobody watches over a leadership whose task is not run.",
    )
    .by(&[Invariant::SingleLeader, Invariant::StepDownDeadline])
    .unguarded(),
    entry(
        Safety,
        "wild-clock",
        Boundary(Distortion::WildClock),
        "rule 3",
        "An oscillator runs slower than the drift allows, and nobody knows.",
    ),
];
