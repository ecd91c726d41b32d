//! What follows when a lock vanishes under a leader that does not notice.

use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use super::{Control, Election, Seed};
use crate::machine::State;
use crate::memory::{Fault, LeasedStore, MemoryLock, PlannedFault};
use crate::testing::{Executor, TestClock};
use crate::{CandidateName, ElectionName};

#[derive(Debug)]
struct Stage {
    clock: TestClock,
    executor: Executor,
    store: LeasedStore,
}

impl Stage {
    fn new() -> Self {
        Self {
            clock: TestClock::new(),
            executor: Executor::new(),
            store: LeasedStore::new(ElectionName::new("nightly").unwrap()),
        }
    }

    fn candidate(&mut self, name: &str, bits: u64) -> (Control, Arc<MemoryLock>) {
        let lock = Arc::new(self.store.handle());
        let backend = Arc::clone(&lock);
        let clock = Arc::new(self.clock.clone());
        let mut election = Election::builder(backend, clock, Seed::from_bits([bits, bits]))
            .candidate(CandidateName::new(name).unwrap())
            .build()
            .unwrap();
        let control = election.control();
        self.executor.spawn(async move {
            let ended = election.run(|_leadership| pending::<()>()).await;
            assert!(ended.is_err(), "the work never ends");
        });
        (control, lock)
    }

    /// Lets time pass in small steps until `wanted`, and says whether that came within `limit`.
    fn pass(&mut self, limit: Duration, wanted: impl Fn() -> bool) -> bool {
        let step = Duration::from_millis(50);
        let mut passed = Duration::ZERO;
        while passed < limit {
            self.executor.run_until_stalled();
            if wanted() {
                return true;
            }
            self.clock.advance(step);
            passed += step;
        }
        false
    }
}

fn is(control: &Control, state: State) -> bool {
    control.view().state == state
}

#[test]
fn who_waits_for_a_former_leader_leaves_no_mark_that_vouches_for_it() {
    let mut stage = Stage::new();
    let minute = Duration::from_secs(60);
    let (leader, handle) = stage.candidate("leader", 1);
    assert!(stage.pass(minute, || is(&leader, State::Leading)));
    handle.inject(PlannedFault::always(Fault::HangBeforeRequest));
    stage.store.delete();

    let (second, _second) = stage.candidate("second", 2);
    assert!(stage.pass(minute, || is(&second, State::Probation)));
    assert!(is(&leader, State::Leading), "it cannot know better yet");
    second.shut_down();
    assert!(stage.pass(minute, || is(&second, State::Ended)));

    let (third, _third) = stage.candidate("third", 3);
    let both = || is(&leader, State::Leading) && is(&third, State::Leading);
    let third_leads = stage.pass(minute, || is(&third, State::Leading) || both());
    assert!(!both(), "two leaders");
    assert!(third_leads, "nobody leads any more");
}
