//! What is never claimed: lock and record, or the whole directory, removed under a running leader. Then another may lead at once, and
//! the overlap is the time until the leader notices, which is measured here, plus the time that its work takes to stop.

use std::io::Write as _;
use std::time::{Duration, Instant};

use tenure_core::backend::{Hint, LockBackend, LockState, Vacancy};

use crate::scene::{Scene, acquire, candidate, drain, is_told, led, wait};

const ROUNDS: usize = 100;

#[expect(
    clippy::disallowed_methods,
    reason = "a measurement of the world, on which nothing depends"
)]
fn now() -> Instant {
    Instant::now()
}

/// How long a leader takes from the removal to seeing that it leads no longer, each time in a fresh place.
fn notices(remove: fn(&Scene)) -> Vec<Duration> {
    let round = || {
        let led = led();
        let removed = now();
        remove(&led.scene);
        wait(async {
            loop {
                led.lock.changed().await;
                let seen = led.lock.observe().await.unwrap();
                if !matches!(seen.lock, LockState::Held(_)) {
                    break;
                }
            }
        });
        removed.elapsed()
    };
    let mut notices: Vec<_> = (0..ROUNDS).map(|_| round()).collect();
    notices.sort();
    notices
}

fn tell(what: &str, notices: &[Duration]) {
    let (median, worst) = (notices[ROUNDS / 2], notices[ROUNDS - 1]);
    let text = format!("{what} removed: noticed after {median:?}, at worst {worst:?}\n");
    std::io::stderr().write_all(text.as_bytes()).unwrap();
}

fn remove_lock_and_record(scene: &Scene) {
    for suffix in ["", ".tenure", ".token"] {
        std::fs::remove_file(scene.path(suffix)).unwrap();
    }
}

#[test]
fn a_leader_notices_that_its_lock_and_record_were_removed() {
    tell("lock and record", &notices(remove_lock_and_record));
}

#[test]
fn a_leader_notices_that_its_directory_was_removed() {
    tell(
        "directory",
        &notices(|scene| std::fs::remove_dir_all(&scene.directory).unwrap()),
    );
}

#[test]
fn a_process_that_knew_the_leader_takes_a_wiped_directory_for_no_first_start() {
    let led = led();
    let watching = led.scene.lock();
    is_told(&watching, &Hint::Watching(true));
    assert!(wait(watching.observe()).unwrap().holder().is_some());
    drain(&watching);
    remove_lock_and_record(&led.scene);
    assert_eq!(wait(watching.observe()).unwrap().lock, LockState::Missing);
    let next = acquire(&watching, &candidate(2));
    assert!(
        matches!(next.vacancy, Vacancy::Unexplained { .. }),
        "{next:?}"
    );
    assert!(next.hold.token > led.grant.hold.token);
}
