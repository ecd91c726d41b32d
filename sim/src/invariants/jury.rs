use super::acked_start::AckedStart;
use super::assumptions::Assumptions;
use super::bounds::Bounds;
use super::cas_only::CasOnly;
use super::converge::Converge;
use super::event_grammar::EventGrammar;
use super::fairness::Fairness;
use super::fenced_resource::FencedResource;
use super::findings::Findings;
use super::fire_at_least_once::FireAtLeastOnce;
use super::fire_at_most_once::FireAtMostOnce;
use super::handover::Handover;
use super::holder_continuity::HolderContinuity;
use super::leave_taking::LeaveTaking;
use super::load::Load;
use super::marker::Marker;
use super::no_flap::NoFlap;
use super::no_gap::NoGap;
use super::note_kept::NoteKept;
use super::observed_monotonic::ObservedMonotonic;
use super::progress::Progress;
use super::release_own::ReleaseOwn;
use super::scene::Scene;
use super::shutdown::Shutdown;
use super::single_leader::SingleLeader;
use super::step_down_deadline::StepDownDeadline;
use super::stop_on_sight::StopOnSight;
use super::token_monotonic::TokenMonotonic;
use super::{Breach, Facts, Marks, Overlaps};
use crate::TrueTime;
use crate::trace::{Record, TraceHash, What};

/// All invariants, looking at one run.
#[derive(Clone, Debug)]
pub struct Jury {
    findings: Findings,
    scene: Scene,
    assumptions: Assumptions,
    leaderships: TraceHash,
    acked_start: AckedStart,
    converge: Converge,
    event_grammar: EventGrammar,
    fairness: Fairness,
    fenced_resource: FencedResource,
    fire_at_least_once: FireAtLeastOnce,
    fire_at_most_once: FireAtMostOnce,
    handover: Handover,
    leave_taking: LeaveTaking,
    load: Load,
    marker: Marker,
    no_flap: NoFlap,
    no_gap: NoGap,
    note_kept: NoteKept,
    observed_monotonic: ObservedMonotonic,
    progress: Progress,
    shutdown: Shutdown,
    single_leader: SingleLeader,
    step_down_deadline: StepDownDeadline,
    stop_on_sight: StopOnSight,
}

impl Jury {
    /// The invariants of a run of which these facts are known.
    pub fn new(facts: Facts) -> Self {
        let bounds = Bounds::of(&facts);
        Self {
            findings: Findings::default(),
            assumptions: Assumptions::new(&facts),
            acked_start: AckedStart::default(),
            converge: Converge::new(&bounds),
            event_grammar: EventGrammar::new(&facts),
            fairness: Fairness::new(&facts),
            fenced_resource: FencedResource::default(),
            fire_at_least_once: FireAtLeastOnce::new(&facts),
            fire_at_most_once: FireAtMostOnce::new(&facts),
            handover: Handover::new(&bounds),
            leaderships: TraceHash::EMPTY,
            leave_taking: LeaveTaking::new(&facts),
            load: Load::new(&facts),
            marker: Marker::new(&facts),
            no_flap: NoFlap::new(&facts),
            no_gap: NoGap::new(),
            note_kept: NoteKept::new(),
            observed_monotonic: ObservedMonotonic::new(&facts),
            progress: Progress::new(&facts),
            shutdown: Shutdown::new(&facts),
            single_leader: SingleLeader::new(),
            step_down_deadline: StepDownDeadline::new(&facts),
            stop_on_sight: StopOnSight::new(&facts),
            scene: Scene::new(facts),
        }
    }

    /// The same for candidates that run another election: only what every election has to hold.
    #[must_use]
    pub fn of_a_peer(self) -> Self {
        Self {
            findings: Findings::of_a_peer(),
            ..self
        }
    }

    /// Looks at what happened. What was found first of each invariant stays.
    pub fn see(&mut self, record: &Record) {
        self.settle_what_was_due(record.at);
        self.scene.take_in(record);
        self.assumptions.see(&self.scene, record);
        self.marker.see(&self.scene, record);
        self.judge(record);
        if LeaveTaking::concerns(&record.what) {
            let (scene, findings) = (&self.scene, &mut self.findings);
            self.leave_taking.see(scene, record, findings);
        }
        self.scene.put_away(record);
    }

    /// Looks at what should have happened before this record, and has not.
    fn settle_what_was_due(&mut self, at: TrueTime) {
        let (scene, findings) = (&self.scene, &mut self.findings);
        if self.step_down_deadline.is_due(at) {
            let assumptions = &mut self.assumptions;
            self.step_down_deadline
                .settle(scene, assumptions, at, findings);
        }
        let assumptions = &self.assumptions;
        if self.stop_on_sight.is_due(at) {
            self.stop_on_sight.settle(scene, assumptions, at, findings);
        }
        if self.progress.is_due(at) {
            self.progress.settle(scene, assumptions, at, findings);
        }
        if self.shutdown.is_due(at) {
            self.shutdown.settle(scene, assumptions, at, findings);
        }
        if self.converge.is_due(at) {
            self.converge.settle(findings);
        }
        if self.no_gap.is_due(at) {
            self.no_gap.settle(assumptions, findings);
        }
        if self.handover.is_due(at) {
            self.handover.settle(findings);
        }
    }

    /// Shows a record to those that it concerns, and to no others: most records concern few.
    fn judge(&mut self, record: &Record) {
        let (scene, findings) = (&self.scene, &mut self.findings);
        match record.what {
            What::Sent { .. } => {
                self.load.sent(scene, record, findings);
                ReleaseOwn::see(scene, record, findings);
            }
            What::Landed { request, .. } => self.load.landed(scene, record, request, findings),
            What::NoteWanted { .. } | What::NoteConfirmed { .. } | What::NoteFound { .. } => {
                self.note_kept.see(scene, record, findings);
            }
            What::Fire { .. } | What::LedgerLost { .. } | What::End => {
                self.fire_at_least_once.see(record, findings);
                self.fire_at_most_once.see(record, findings);
            }
            What::Observed { .. } => {
                self.observed_monotonic.see(scene, record, findings);
                self.stop_on_sight.see(scene, record);
            }
            What::Told { .. } | What::ShutDown => self.event_grammar.see(scene, record, findings),
            What::Touched { .. } => self.fenced_resource.see(record, findings),
            What::Panicked => Progress::panicked(record, findings),
            What::Wrote { .. } => {
                self.observed_monotonic.see(scene, record, findings);
                self.stop_on_sight.see(scene, record);
                CasOnly::see(scene, record, findings);
                self.acked_start
                    .see(scene, &self.assumptions, record, findings);
                HolderContinuity::see(scene, &self.assumptions, record, findings);
                ReleaseOwn::see(scene, record, findings);
            }
            What::Leads { .. } => {
                self.acked_start
                    .see(scene, &self.assumptions, record, findings);
                TokenMonotonic::see(scene, &self.assumptions, record, findings);
            }
            What::WorkBegan { .. } => {
                TokenMonotonic::see(scene, &self.assumptions, record, findings)
            }
            What::Up { .. } => {
                self.event_grammar.see(scene, record, findings);
                self.observed_monotonic.see(scene, record, findings);
            }
            What::Down { .. } => self.event_grammar.see(scene, record, findings),
            _ => {}
        }
        if SingleLeader::concerns(&record.what) {
            self.single_leader
                .see(scene, &self.assumptions, record, findings);
            mix_leadership(record, &mut self.leaderships);
            self.converge.see(scene, record);
        }
        if StepDownDeadline::concerns(&record.what) {
            self.step_down_deadline
                .see(scene, &self.assumptions, record);
        }
        if Load::concerns(&record.what) {
            self.load.changed();
        }
        if self.fairness.judges() {
            self.fairness.see(scene, record, findings);
        }
        if Progress::concerns(&record.what) {
            self.progress.expect(scene, record);
        }
        if Shutdown::concerns(&record.what) {
            self.shutdown.see(scene, record);
        }
        if scene.quiet_since.is_some() {
            self.judge_the_quiet_time(record);
        }
    }

    fn judge_the_quiet_time(&mut self, record: &Record) {
        let (scene, findings) = (&self.scene, &mut self.findings);
        if let What::Quiet | What::Asked { .. } = record.what {
            self.converge.see(scene, record);
        }
        if NoGap::concerns(&record.what) {
            self.no_gap.see(scene, record);
        }
        if NoFlap::concerns(&record.what) {
            self.no_flap.see(scene, record, findings);
        }
        if Handover::concerns(&record.what) {
            self.handover.see(scene, record);
        }
    }

    /// What was found first, if anything.
    pub fn breach(&self) -> Option<&Breach> {
        self.findings.first()
    }

    /// What was found first of each invariant, in the order of finding.
    pub fn breaches(&self) -> &[Breach] {
        self.findings.all()
    }

    /// How many times an invariant did not hold, all together.
    pub fn breach_count(&self) -> u64 {
        self.findings.count()
    }

    /// What the claims rest on, as far as the run has broken it.
    pub fn assumptions(&self) -> &Assumptions {
        &self.assumptions
    }

    /// The rare things that the run has shown.
    pub fn marks(&self) -> Marks {
        self.marker.found()
    }

    /// A hash over who led and worked when, and over nothing else: no tokens, no requests.
    pub fn leaderships(&self) -> TraceHash {
        self.leaderships
    }

    /// For how long two led at once, whether that is claimed not to happen or not.
    pub fn overlaps(&self) -> Overlaps {
        self.single_leader.overlaps()
    }
}

/// Adds a record about leadership to a hash of leaderships.
fn mix_leadership(record: &Record, hash: &mut TraceHash) {
    let what = match record.what {
        What::Leads { until, .. } => until.nanos() << 3 | 1,
        What::LeadsNot { .. } => 2,
        What::WorkBegan { .. } => 3,
        What::WorkEnded { .. } => 4,
        _ => return,
    };
    hash.mix(record.at.nanos());
    hash.mix(record.node.map_or(0, |node| u64::from(node.0) + 1));
    hash.mix(what);
}
