use std::time::Duration;

use tenure_testkit::boottime;

use crate::candidate::SESSION;
use crate::stage::{Peer, Stage};

/// How often each takes over from the other.
const TIMES: usize = 10;
/// In so many elections at once, for what takes a session's time each.
const ELECTIONS: usize = 2;
/// Far less than a session's timeout, and more than a busy machine takes.
const SOON: Duration = Duration::from_millis(1_500);
/// A session ends within its timeout and one and a half ticks; the rest is for a busy machine.
const AFTER_A_CRASH: Duration = SESSION.saturating_add(Duration::from_millis(750 + 1_500));

fn after_releases(peer: Peer) {
    let mut stage = Stage::new();
    let theirs = stage.theirs(peer);
    let mut last = stage.wait(theirs, "leads");
    let ours = stage.ours();
    for round in 0..2 * TIMES {
        stage.wait_until_queued(2);
        let (leader, next) = if round % 2 == 0 {
            (theirs, ours)
        } else {
            (ours, theirs)
        };
        let released = boottime();
        stage.cast.say(leader, "release");
        let led = stage.wait(next, "leads");
        let took = led.at.saturating_sub(released);
        // Camel stops its whole context before it gives up.
        assert!(
            took < SOON || peer == Peer::Camel,
            "a session was waited out: {took:?}"
        );
        assert!(
            token(&last.more) < token(&led.more),
            "the token did not grow"
        );
        last = led;
    }
    stage.assert_no_overlap(2 * TIMES + 1);
}

fn token(more: &str) -> u64 {
    more.rsplit(' ').next().unwrap().parse().unwrap()
}

fn after_crashes(peer: Peer) {
    std::thread::scope(|scope| {
        for _ in 0..ELECTIONS {
            scope.spawn(|| after_crashes_in_one(peer));
        }
    });
}

fn after_crashes_in_one(peer: Peer) {
    let rounds = 2 * TIMES / ELECTIONS;
    let mut stage = Stage::new();
    let mut leader = stage.theirs(peer);
    let mut last = stage.wait(leader, "leads");
    let mut next = stage.ours();
    for round in 0..rounds {
        stage.wait_until_queued(2);
        let killed = stage.cast.kill(leader);
        // Whoever stands while the dead one's node is there queues behind both.
        leader = next;
        if round + 1 < rounds {
            next = match round % 2 {
                0 => stage.theirs(peer),
                _ => stage.ours(),
            };
        }
        let led = stage.wait(leader, "leads");
        let took = led.at.saturating_sub(killed);
        assert!(
            took < AFTER_A_CRASH,
            "a dead leader was waited for: {took:?}"
        );
        assert!(
            token(&last.more) < token(&led.more),
            "the token did not grow"
        );
        last = led;
    }
    stage.assert_no_overlap(rounds + 1);
}

#[test]
fn a_leader_selector_and_ours_take_over_from_each_other_after_a_release() {
    after_releases(Peer::Selector);
}

#[test]
fn a_leader_selector_and_ours_take_over_from_each_other_after_a_crash() {
    after_crashes(Peer::Selector);
}

#[test]
fn camels_route_and_ours_take_over_from_each_other_after_a_release() {
    after_releases(Peer::Camel);
}

#[test]
fn camels_route_and_ours_take_over_from_each_other_after_a_crash() {
    after_crashes(Peer::Camel);
}
