use super::acked_start::AckedStart;
use super::assumptions::Assumptions;
use super::cas_only::CasOnly;
use super::event_grammar::EventGrammar;
use super::fenced_resource::FencedResource;
use super::findings::Findings;
use super::holder_continuity::HolderContinuity;
use super::observed_monotonic::ObservedMonotonic;
use super::progress::Progress;
use super::release_own::ReleaseOwn;
use super::scene::Scene;
use super::single_leader::SingleLeader;
use super::step_down_deadline::StepDownDeadline;
use super::stop_on_sight::StopOnSight;
use super::token_monotonic::TokenMonotonic;
use super::{Breach, Facts, Overlaps};
use crate::trace::{Record, What};

/// All invariants, looking at one run.
#[derive(Clone, Debug)]
pub struct Jury {
    findings: Findings,
    scene: Scene,
    assumptions: Assumptions,
    acked_start: AckedStart,
    cas_only: CasOnly,
    event_grammar: EventGrammar,
    fenced_resource: FencedResource,
    holder_continuity: HolderContinuity,
    observed_monotonic: ObservedMonotonic,
    progress: Progress,
    release_own: ReleaseOwn,
    single_leader: SingleLeader,
    step_down_deadline: StepDownDeadline,
    stop_on_sight: StopOnSight,
    token_monotonic: TokenMonotonic,
}

impl Jury {
    /// The invariants of a run of which these facts are known.
    pub fn new(facts: Facts) -> Self {
        Self {
            findings: Findings::default(),
            assumptions: Assumptions::new(&facts),
            acked_start: AckedStart::default(),
            cas_only: CasOnly,
            event_grammar: EventGrammar::new(&facts),
            fenced_resource: FencedResource::default(),
            holder_continuity: HolderContinuity,
            observed_monotonic: ObservedMonotonic::new(&facts),
            progress: Progress,
            release_own: ReleaseOwn,
            single_leader: SingleLeader::new(),
            step_down_deadline: StepDownDeadline::new(&facts),
            stop_on_sight: StopOnSight::new(&facts),
            token_monotonic: TokenMonotonic,
            scene: Scene::new(facts),
        }
    }

    /// Looks at what happened. What was found first of each invariant stays.
    pub fn see(&mut self, record: &Record) {
        self.settle_what_was_due(record);
        self.scene.take_in(record);
        self.assumptions.see(&self.scene, record);
        self.judge(record);
        self.scene.put_away(record);
    }

    fn settle_what_was_due(&mut self, record: &Record) {
        if self.stop_on_sight.is_due(record.at) {
            self.stop_on_sight.settle(
                &self.scene,
                &self.assumptions,
                record.at,
                &mut self.findings,
            );
        }
        if self.step_down_deadline.is_due(record.at) {
            self.step_down_deadline.settle(
                &self.scene,
                &mut self.assumptions,
                record.at,
                &mut self.findings,
            );
        }
    }

    /// Shows a record to those that it concerns, and to no others: most records concern few.
    fn judge(&mut self, record: &Record) {
        let (scene, findings) = (&self.scene, &mut self.findings);
        match record.what {
            What::Sent { .. } => self.release_own.see(scene, record, findings),
            What::Observed { .. } => {
                self.observed_monotonic.see(scene, record, findings);
                self.stop_on_sight.see(scene, record);
            }
            What::Told { .. } | What::ShutDown => self.event_grammar.see(scene, record, findings),
            What::Touched { .. } => self.fenced_resource.see(record, findings),
            What::Panicked => self.progress.see(record, findings),
            What::Wrote { .. } => {
                self.stop_on_sight.see(scene, record);
                self.cas_only.see(scene, record, findings);
                self.acked_start
                    .see(scene, &self.assumptions, record, findings);
                self.holder_continuity
                    .see(scene, &self.assumptions, record, findings);
                self.release_own.see(scene, record, findings);
            }
            What::Leads { .. } => {
                self.acked_start
                    .see(scene, &self.assumptions, record, findings);
                self.token_monotonic.see(scene, record, findings);
            }
            What::WorkBegan { .. } => self.token_monotonic.see(scene, record, findings),
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
        }
        if StepDownDeadline::concerns(&record.what) {
            self.step_down_deadline
                .see(scene, &self.assumptions, record);
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

    /// For how long two led at once, whether that is claimed not to happen or not.
    pub fn overlaps(&self) -> Overlaps {
        self.single_leader.overlaps()
    }
}
