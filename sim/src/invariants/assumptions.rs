use serde::{Deserialize, Serialize};

use super::scene::{Node, Scene};
use super::{Facts, NodeFacts};
use crate::TrueTime;
use crate::plan::{Backend, Fault, Foreign, OnMissingPlan, Who};
use crate::trace::{Deed, Frozen, Record, What};

/// Something that the claim of a single leader rests on.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[repr(u8)]
#[non_exhaustive]
pub enum Assumption {
    /// Clocks run within ρ of true time, the clock of a server that counts sessions as well.
    ClockRate = 0,
    /// Clocks are not slewed and suspended within one lease, which together hides more time than either clock shows; and do not run, all
    /// in all, slower or faster by more than a tenth, which is what timers are set early by.
    SlewOrSuspend = 1,
    /// A virtual machine is not frozen under its leader: its clocks stand still meanwhile.
    ClocksGoOn = 2,
    /// Work and its guard run when they have to: they are not frozen past the deadline, nor starved.
    WorkRuns = 3,
    /// A missing lock is waited out, or never goes missing.
    MissingIsWaitedOut = 4,
    /// Nobody takes a session from under its leader.
    SessionIsLeftAlone = 5,
}

impl Assumption {
    /// All of them, in the order of their numbers.
    pub const ALL: [Self; 6] = [
        Self::ClockRate,
        Self::SlewOrSuspend,
        Self::ClocksGoOn,
        Self::WorkRuns,
        Self::MissingIsWaitedOut,
        Self::SessionIsLeftAlone,
    ];
}

/// Which assumptions a run has broken, since when, and what is not claimed because of it.
///
/// A freeze or a starved process takes only that one leadership out of the claim: the work from its thaw to its end, and what a virtual
/// machine believes from before its freeze. Everything else takes the whole rest of the run out of it.
#[derive(Clone, Debug)]
pub struct Assumptions {
    broken: [Option<TrueTime>; Assumption::ALL.len()],
    nodes: Vec<Beyond>,
    /// From when on no single leader is claimed at all.
    unclaimed: bool,
    /// The longest lease, with the most drift, in true time.
    longest_lease: u64,
}

/// What of one node is beyond the claim.
#[derive(Clone, Default, Debug)]
struct Beyond {
    /// Its work, until it ends.
    work: bool,
    /// What it believes by a send from before this moment.
    belief_before: Option<TrueTime>,
    /// The faults by which it gets too little time.
    starved_by: Vec<u32>,
    /// Until when it may still be late because it got too little time.
    starved_until: Option<TrueTime>,
    /// Whether it is slewed, and when it was last.
    slews: bool,
    slewed_at: Option<TrueTime>,
    /// Whether it is suspended, and when it was last.
    sleeps: bool,
    suspended_at: Option<TrueTime>,
}

/// How much slower or faster than true time timers may run, in millionths, and still be in time.
const TIMERS_PPM_MOST: i64 = 100_000;

impl Assumptions {
    pub(super) fn new(facts: &Facts) -> Self {
        let longest = |node: &NodeFacts| {
            let lease = node.lease.get();
            lease.saturating_add(lease / 1_000_000 * u64::from(node.drift_ppm))
        };
        let mut assumptions = Self {
            broken: [None; Assumption::ALL.len()],
            nodes: vec![Beyond::default(); facts.nodes.len()],
            unclaimed: false,
            longest_lease: facts.nodes.iter().map(longest).max().unwrap_or(0),
        };
        let drift = facts.nodes.iter().map(|node| node.drift_ppm).min();
        let server = facts.server.rate_ppm;
        if facts.backend == Backend::Session && !within(server, drift.unwrap_or(0)) {
            assumptions.gives_up(TrueTime::START, Assumption::ClockRate);
        }
        assumptions
    }

    /// Since when this one is broken, if it is.
    pub fn broken(&self, assumption: Assumption) -> Option<TrueTime> {
        self.broken[assumption as usize]
    }

    /// Those that are broken, with since when.
    pub fn all_broken(&self) -> impl Iterator<Item = (Assumption, TrueTime)> {
        let with = |assumption| Some((assumption, self.broken(assumption)?));
        Assumption::ALL.into_iter().filter_map(with)
    }

    /// Whether nothing is claimed any more about how many lead.
    pub fn is_unclaimed(&self) -> bool {
        self.unclaimed
    }

    /// Whether a node leads at `at` in the sense that is claimed to be the only one.
    pub(super) fn claims(&self, scene: &Scene, index: usize, at: TrueTime) -> bool {
        let (node, beyond) = (&scene.nodes[index], &self.nodes[index]);
        let doubted = |sent| beyond.belief_before.is_some_and(|before| sent < before);
        let believes = node.believes(at) && !node.belief.is_some_and(|belief| doubted(belief.sent));
        let works = node.works() && !beyond.work && beyond.belief_before.is_none();
        believes || works
    }

    /// Whether what this node believes by a send of that time is beyond the claim, because its clocks stood still since.
    pub(super) fn doubts(&self, index: usize, sent: TrueTime) -> bool {
        let before = self.nodes[index].belief_before;
        before.is_some_and(|before| sent < before)
    }

    /// Whether this node's work, and the elector beside it, may be late at `at`.
    pub(super) fn is_held_up(&self, index: usize, at: TrueTime) -> bool {
        let beyond = &self.nodes[index];
        beyond.work
            || beyond.belief_before.is_some()
            || !beyond.starved_by.is_empty()
            || beyond.starved_until.is_some_and(|until| at <= until)
    }

    /// Whether this node got too little time at `at`, and that is all that holds it up.
    pub(super) fn is_starved(&self, index: usize, at: TrueTime) -> bool {
        let beyond = &self.nodes[index];
        let starves =
            !beyond.starved_by.is_empty() || beyond.starved_until.is_some_and(|until| at <= until);
        starves && !beyond.work && beyond.belief_before.is_none()
    }

    /// Whether this node's clocks have always kept to their limits.
    pub(super) fn clocks_are_good(&self) -> bool {
        self.broken(Assumption::ClockRate).is_none()
            && self.broken(Assumption::SlewOrSuspend).is_none()
    }

    /// The work of a node is beyond the claim until it ends.
    pub(super) fn excuse_work(&mut self, at: TrueTime, index: usize) {
        self.nodes[index].work = true;
        self.note(at, Assumption::WorkRuns);
    }

    pub(super) fn see(&mut self, scene: &Scene, record: &Record) {
        let at = record.at;
        match record.what {
            What::FaultBegan { fault } => self.fault_began(scene, record, fault),
            What::FaultEnded { fault } => self.fault_ended(scene, record, fault),
            What::Wrote {
                deed: Deed::Foreign(foreign),
                ..
            } => self.meddled(scene, at, foreign),
            _ => {}
        }
        if let Some(index) = scene.index(record) {
            self.see_node(scene, record, index);
        }
    }

    fn see_node(&mut self, scene: &Scene, record: &Record, index: usize) {
        let (at, node) = (record.at, &scene.nodes[index]);
        match record.what {
            What::Clock { rate_ppm, .. } => {
                if !within(rate_ppm, scene.facts.nodes[index].drift_ppm) {
                    self.gives_up(at, Assumption::ClockRate);
                }
                self.clocks(at, node, index);
            }
            What::Frozen { by } => {
                self.clocks(at, node, index);
                if by == Frozen::VirtualMachine && node.life.is_some() {
                    // Nothing counts by these clocks any more what was sent before they went on.
                    self.nodes[index].belief_before = Some(TrueTime::END);
                }
            }
            What::Thawed => self.thawed(scene, at, index),
            What::Leads { sent, .. } => {
                let beyond = &mut self.nodes[index];
                beyond.belief_before = beyond.belief_before.filter(|before| sent < *before);
                let stood_still = beyond.belief_before.is_some();
                if stood_still {
                    self.note(at, Assumption::ClocksGoOn);
                }
            }
            What::WorkEnded { .. } => self.nodes[index].work = false,
            What::Down { .. } | What::Up { .. } => {
                let beyond = &mut self.nodes[index];
                (beyond.work, beyond.belief_before) = (false, None);
            }
            _ => {}
        }
    }

    fn thawed(&mut self, scene: &Scene, at: TrueTime, index: usize) {
        let node = &scene.nodes[index];
        let beyond = &mut self.nodes[index];
        if beyond.belief_before == Some(TrueTime::END) {
            beyond.belief_before = Some(at);
            if node.belief.is_some() || node.work.is_some() {
                self.note(at, Assumption::ClocksGoOn);
            }
        }
        if node.work.is_some() && !node.believes(at) {
            self.excuse_work(at, index);
        }
        self.clocks(at, node, index);
    }

    /// Remembers when a node was slewed last and when suspended, and gives up where both fall into one lease.
    fn clocks(&mut self, at: TrueTime, node: &Node, index: usize) {
        let timers = (1_000_000 + node.rate_ppm) * (1_000_000 + node.slew_ppm) / 1_000_000;
        if (timers - 1_000_000).abs() > TIMERS_PPM_MOST {
            self.gives_up(at, Assumption::SlewOrSuspend);
        }
        let beyond = &mut self.nodes[index];
        let slews = node.slew_ppm != 0;
        let sleeps = matches!(node.frozen, Some((Frozen::Suspended, _)));
        if slews || beyond.slews {
            beyond.slewed_at = Some(at);
        }
        if sleeps || beyond.sleeps {
            beyond.suspended_at = Some(at);
        }
        (beyond.slews, beyond.sleeps) = (slews, sleeps);
        let (Some(slewed), Some(suspended)) = (beyond.slewed_at, beyond.suspended_at) else {
            return;
        };
        if slewed.nanos().abs_diff(suspended.nanos()) <= self.longest_lease {
            self.gives_up(at, Assumption::SlewOrSuspend);
        }
    }

    fn fault_began(&mut self, scene: &Scene, record: &Record, fault: u32) {
        match scene.fault(fault) {
            Some(Fault::ExpireSession { .. }) => {
                self.gives_up(record.at, Assumption::SessionIsLeftAlone);
            }
            Some(Fault::Starve { node, .. }) => self.starve(scene, *node, fault),
            _ => {}
        }
    }

    /// What waits when a node is starved no longer may still be as late as it was to be.
    fn fault_ended(&mut self, scene: &Scene, record: &Record, fault: u32) {
        let Some(Fault::Starve { most, .. }) = scene.fault(fault) else {
            return;
        };
        for beyond in &mut self.nodes {
            if beyond.starved_by.contains(&fault) {
                beyond.starved_by.retain(|by| *by != fault);
                let until = record.at.plus((*most).into());
                beyond.starved_until = beyond.starved_until.max(Some(until));
            }
        }
    }

    /// Whom a fault strikes that is aimed at a role is known by who has it; a follower may be any.
    fn starve(&mut self, scene: &Scene, who: Who, fault: u32) {
        for (index, beyond) in self.nodes.iter_mut().enumerate() {
            let node = &scene.nodes[index];
            let strikes = match who {
                Who::Node(chosen) => usize::from(chosen) == index,
                // A frozen leader is one to a plan, if not to itself.
                Who::Leader => node.belief.is_some() || node.works(),
                Who::Follower => true,
            };
            if strikes {
                beyond.starved_by.push(fault);
            }
        }
    }

    fn meddled(&mut self, scene: &Scene, at: TrueTime, foreign: Foreign) {
        let removes = matches!(
            foreign,
            Foreign::Delete | Foreign::Empty | Foreign::Recreate
        );
        if removes && scene.facts.nodes_in_a_queue {
            // The next in the queue is first at once.
            self.gives_up(at, Assumption::SessionIsLeftAlone);
        }
        if removes && scene.facts.on_missing == OnMissingPlan::AcquireAtOnce {
            self.gives_up(at, Assumption::MissingIsWaitedOut);
        }
    }

    fn note(&mut self, at: TrueTime, assumption: Assumption) {
        self.broken[assumption as usize].get_or_insert(at);
    }

    fn gives_up(&mut self, at: TrueTime, assumption: Assumption) {
        self.note(at, assumption);
        self.unclaimed = true;
    }
}

/// Whether a clock that runs so much faster than true time keeps to `[1/(1+ρ), 1+ρ]`: one ppm is left for rounding.
fn within(rate_ppm: i64, drift_ppm: u32) -> bool {
    let drift = i64::from(drift_ppm);
    let slowest = drift * 1_000_000 / (1_000_000 + drift);
    (-slowest - 1..=drift).contains(&rate_ppm)
}
