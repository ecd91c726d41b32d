use std::panic::{AssertUnwindSafe, catch_unwind};

use super::world::World;
use crate::plan::Plan;
use crate::run::{Options, Outcome};
use crate::trace::What;

/// Runs `plan` on the machine tier. The same plan and options give the same outcome.
///
/// A candidate that panics ends the run, with a record of it. A node whose timing is impossible runs with the standard one.
pub fn run(plan: &Plan, options: &Options) -> Outcome {
    let mut world = World::new(plan, options);
    if catch_unwind(AssertUnwindSafe(|| world.run())).is_err() {
        let at = world.now;
        world.chronicle.record(at, None, What::Panicked);
    }
    let events = world.events;
    let (hash, jury, records) = world.chronicle.finish();
    Outcome {
        events,
        hash,
        jury,
        records,
    }
}
