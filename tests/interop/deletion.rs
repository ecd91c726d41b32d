//! A Lease that is deleted: client-go makes it anew at once and leads, while whoever led may still believe to lead; ours makes it anew at once and
//! leads when a lease duration has passed.

use rustix::process::Signal;
use serde_json::json;
use tenure_testkit::{Flow, boottime, until};

use crate::candidate::LEASE;
use crate::stage::{NAME, SHORT, Stage};
use crate::stomp::{AT_ONCE, assert_lock_vanished};

#[test]
fn a_deleted_lease_is_left_at_once_and_made_anew_for_client_go_to_honour() {
    let mut stage = Stage::new();
    let ours = stage.ours("ours");
    stage.wait(&ours, "leads");
    let theirs = stage.theirs("theirs", SHORT);
    stage.wait_until_known(&theirs, &ours);
    theirs.proxy.flow(Flow::Hold, Flow::Hold);
    let deleted = boottime();
    stage.namespace.delete_lease(NAME).unwrap();
    let told = stage.wait(&ours, "told");
    assert_lock_vanished(&told);
    let took = told.at.saturating_sub(deleted);
    assert!(took < AT_ONCE, "ours was told after {took:?}");
    stage.wait(&ours, "waits");
    until("a Lease made anew", || stage.namespace.lease(NAME));
    theirs.proxy.heal();
    let again = stage.wait(&ours, "leads");
    assert!(again.at.saturating_sub(told.at) >= LEASE);
    stage.wait_for_renewals(3);
    assert!(stage.cast.heard().iter().all(|told| told.event != "leads"));
    stage.assert_no_overlap(2);
}

#[test]
fn a_lease_that_client_go_makes_while_ours_still_leads_is_left_at_once() {
    let mut stage = Stage::new();
    let ours = stage.ours("ours");
    stage.wait(&ours, "leads");
    let theirs = stage.theirs("theirs", SHORT);
    stage.wait_until_known(&theirs, &ours);
    // Ours hears nothing, so it leads on while client-go makes the Lease.
    ours.proxy.flow(Flow::Pass, Flow::Hold);
    stage.namespace.delete_lease(NAME).unwrap();
    stage.wait(&theirs, "leads");
    let healed = boottime();
    ours.proxy.heal();
    let told = stage.wait(&ours, "told");
    let took = told.at.saturating_sub(healed);
    assert!(took < AT_ONCE, "ours was told after {took:?}: {told:?}");
    stage.wait_for_renewals(10);
    assert!(stage.cast.heard().iter().all(|told| told.event != "leads"));
    assert_eq!(stage.part("/spec/holderIdentity"), json!("theirs"));
}

#[test]
fn a_deleted_lease_of_client_go_is_led_by_ours_only_when_its_leader_has_stopped() {
    let mut stage = Stage::new();
    let theirs = stage.theirs("theirs", SHORT);
    stage.wait(&theirs, "leads");
    let ours = stage.ours("ours");
    stage.wait_until_known(&ours, &theirs);
    stage.cast.signal(theirs.number, Signal::STOP);
    stage.namespace.delete_lease(NAME).unwrap();
    stage.wait(&ours, "waits");
    until("a Lease made anew", || stage.namespace.lease(NAME));
    stage.cast.signal(theirs.number, Signal::CONT);
    let stopped = stage.wait(&theirs, "stops");
    let led = stage.wait(&ours, "leads");
    assert!(stopped.at < led.at);
    stage.wait_for_renewals(3);
    stage.assert_no_overlap(2);
}
