//! client-go gives back what it believes to hold: it reads the Lease anew, but looks for itself in what it remembers. So it empties the Lease of
//! whoever has taken over meanwhile.

use std::time::Duration;

use tenure_testkit::{Flow, Told, boottime};

use crate::candidate::LEASE;
use crate::stage::{Durations, Player, Stage};

/// It gives up 3.4 s after its last renewal, when ours does not lead yet, and tries to release for another 3 s, in which ours takes over.
const PATIENT: Durations = Durations {
    again: false,
    lease: Duration::from_secs(4),
    renew_deadline: Duration::from_secs(3),
    retry_period: Duration::from_millis(400),
};
/// Less than any renewal of ours is away: the watch has told.
pub(crate) const AT_ONCE: Duration = Duration::from_millis(500);

/// Ours leads; a candidate of client-go that led before, and could reach nobody, is about to empty its Lease.
pub(crate) fn prepare(stage: &mut Stage) -> (Player, Player) {
    let theirs = stage.theirs("theirs", PATIENT);
    stage.wait(&theirs, "leads");
    let ours = stage.ours("ours");
    stage.wait_until_known(&ours, &theirs);
    stage.wait_for_renewals(1);
    theirs.proxy.flow(Flow::Hold, Flow::Pass);
    stage.wait(&ours, "leads");
    (ours, theirs)
}

/// Ours was told to stop since the Lease was emptied or deleted.
pub(crate) fn assert_lock_vanished(told: &Told) {
    assert!(
        told.more
            .starts_with("the lock was deleted, replaced or emptied"),
        "{told:?}"
    );
}

#[test]
fn a_lease_that_client_go_empties_is_left_at_once_and_waited_out() {
    let mut stage = Stage::new();
    let (ours, theirs) = prepare(&mut stage);
    let healed = boottime();
    theirs.proxy.heal();
    let told = stage.wait(&ours, "told");
    assert_lock_vanished(&told);
    let took = told.at.saturating_sub(healed);
    assert!(took < AT_ONCE, "ours was told after {took:?}");
    let again = stage.wait(&ours, "leads");
    let waited = again.at.saturating_sub(told.at);
    assert!(
        waited >= LEASE,
        "the emptied Lease was waited out for {waited:?} only"
    );
    // Its own work went on until its release had been answered, which nobody else can help.
    stage.assert_ours_never_overlap(2);
}
