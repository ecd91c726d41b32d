use std::time::Duration;

use rustix::process::Signal;
use serde_json::json;

use crate::candidate::LEASE;
use crate::stage::{SHORT, Stage};

/// More than ten of its polls.
const SOON: Duration = Duration::from_secs(5);

#[test]
fn each_takes_over_from_the_other_after_a_release() {
    let mut stage = Stage::new();
    let ours = stage.ours("ours");
    let first = stage.wait(&ours, "leads");
    let theirs = stage.theirs("theirs", SHORT);
    stage.wait_until_known(&theirs, &ours);
    stage.cast.signal(ours.number, Signal::TERM);
    let left = stage.wait(&ours, "leaves");
    let led = stage.wait(&theirs, "leads");
    assert!(
        led.at.saturating_sub(left.at) < SOON,
        "no lease was waited out"
    );
    // What client-go gives back has no mark that its work has stopped: it is waited out.
    let again = stage.ours("ours-again");
    stage.wait_until_known(&again, &theirs);
    stage.cast.signal(theirs.number, Signal::TERM);
    let left = stage.wait(&theirs, "leaves");
    let last = stage.wait(&again, "leads");
    let waited = last.at.saturating_sub(left.at);
    assert!(waited >= LEASE, "ours waited {waited:?} only");
    assert!(waited < LEASE * 3, "ours waited {waited:?}");
    assert_eq!(stage.part("/spec/leaseTransitions"), json!(2));
    let token = |told: &tenure_testkit::Told| -> u64 {
        told.more.rsplit(' ').next().unwrap().parse().unwrap()
    };
    assert!(token(&first) < token(&led) && token(&led) < token(&last));
    stage.assert_no_overlap(3);
}

#[test]
fn each_takes_over_from_the_other_after_a_crash() {
    let mut stage = Stage::new();
    let ours = stage.ours("ours");
    stage.wait(&ours, "leads");
    let theirs = stage.theirs("theirs", SHORT);
    stage.wait_until_known(&theirs, &ours);
    stage.wait_for_renewals(1);
    let killed = stage.cast.kill(ours.number);
    let led = stage.wait(&theirs, "leads");
    assert!(led.at.saturating_sub(killed) < LEASE + SOON);
    let again = stage.ours("ours-again");
    stage.wait_until_known(&again, &theirs);
    stage.wait_for_renewals(1);
    let killed = stage.cast.kill(theirs.number);
    let led = stage.wait(&again, "leads");
    let waited = led.at.saturating_sub(killed);
    assert!(
        waited < LEASE + Duration::from_secs(1),
        "a watch tells each renewal: {waited:?}"
    );
    stage.assert_no_overlap(3);
}

#[test]
fn each_honours_the_other_while_it_leads() {
    let mut stage = Stage::new();
    let ours = stage.ours("ours");
    stage.wait(&ours, "leads");
    let theirs = stage.theirs("theirs", SHORT);
    stage.wait_until_known(&theirs, &ours);
    // 6 s: twice what the followers would wait for.
    stage.wait_for_renewals(6);
    assert!(stage.cast.heard().iter().all(|told| told.event != "leads"));
    stage.cast.kill(ours.number);
    stage.wait(&theirs, "leads");
    let other = stage.ours("other");
    stage.wait_until_known(&other, &theirs);
    stage.wait_for_renewals(15);
    assert!(stage.cast.heard().iter().all(|told| told.event != "leads"));
    assert_eq!(stage.part("/spec/holderIdentity"), json!("theirs"));
    stage.assert_no_overlap(2);
}
