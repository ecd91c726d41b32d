use crate::invariants::Jury;
use crate::peers::Peer;
use crate::plan::Plan;
use crate::planted::Bug;
use crate::trace::{Keep, Record, TraceHash};
use crate::{electors, machines};

/// How much of the production code a run drives.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Tier {
    /// The elector, the work loop, the cron layer and the backend, as tasks on the executor.
    Electors,
    /// The machine alone, driven by events: several times faster.
    Machines,
}

/// Runs `plan` on a tier. The same plan, tier and options give the same outcome.
///
/// Models of other elections run on their own tier, whatever is asked for: [`Peer::tier`].
///
/// # Panics
/// When the plan cannot be run, as [`Plan::check`] has it.
pub fn run(plan: &Plan, tier: Tier, options: &Options) -> Outcome {
    match options.peer.map_or(tier, Peer::tier) {
        Tier::Electors => electors::run(plan, options),
        Tier::Machines => machines::run(plan, options),
    }
}

impl Tier {
    /// Its name, as command lines have it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Electors => "electors",
            Self::Machines => "machines",
        }
    }
}

/// What a run is made with besides its plan.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Options {
    /// A planted mistake.
    pub bug: Option<Bug>,
    /// Which records are kept.
    pub keep: Keep,
    /// Another election in place of ours.
    pub peer: Option<Peer>,
}

impl Options {
    /// Ours, without mistakes, and nothing kept.
    pub const PLAIN: Self = Self {
        bug: None,
        keep: Keep::Nothing,
        peer: None,
    };
}

/// How a run ended.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// How many events were handled: steps of the executor, or events of the world.
    pub events: u64,
    /// The hash over all that happened.
    pub hash: TraceHash,
    /// The invariants, with what they found and counted.
    pub jury: Jury,
    /// What happened, where it was kept.
    pub records: Vec<Record>,
}
