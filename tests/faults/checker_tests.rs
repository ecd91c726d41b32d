//! Logs that must pass, and logs that must not.

use crate::checker::{Fires, Policy, check};
use crate::line::Line;

const AT_MOST_ONCE: Policy = Policy::EachSecond(Fires::AtMostOnce { lost_max: 1 });
const AT_LEAST_ONCE: Policy = Policy::EachSecond(Fires::AtLeastOnce);

/// Lines without a time are written 100 ms after their fire came due.
fn lines(log: &str) -> Vec<Line> {
    log.lines()
        .map(|line| {
            let mut words: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
            if words.len() == 5 || words[0] == "overlap" {
                let fire: i64 = words[4].parse().unwrap_or_default();
                words.insert(5, (fire * 1_000 + 100).to_string());
            }
            Line::parse(&words.join(" ")).expect("a well-formed line")
        })
        .collect()
}

#[track_caller]
fn passes(policy: Policy, log: &str) {
    assert_eq!(check(&lines(log), policy), Vec::<String>::new());
}

#[track_caller]
fn fails(policy: Policy, log: &str, with: &str) {
    let faults = check(&lines(log), policy);
    assert!(
        faults.iter().any(|fault| fault.contains(with)),
        "{faults:?}"
    );
}

#[test]
fn runs_one_after_another_pass() {
    passes(
        Policy::Continuous,
        "start 5.10 10 0 -
         beat 5.10 10 0 -
         beat 5.10 11 0 -
         end 5.10 10 0 -
         start 9.20 20 1 -
         beat 9.20 20 1 -",
    );
}

#[test]
fn a_run_that_was_killed_needs_no_end() {
    passes(
        Policy::Continuous,
        "start 5.10 10 0 -
         beat 5.10 10 0 -
         start 6.20 20 1 -",
    );
}

#[test]
fn a_beat_after_the_next_start_is_an_overlap() {
    fails(
        Policy::Continuous,
        "start 5.10 10 0 -
         start 6.20 20 1 -
         beat 5.10 10 0 -",
        "run 5.10 was alive after run 6.20 had begun",
    );
}

#[test]
fn a_descendant_that_outlives_its_run_is_an_overlap() {
    fails(
        Policy::Continuous,
        "start 5.10 10 0 -
         beat 5.10 12 0 -
         end 5.10 10 0 -
         start 6.20 20 1 -
         beat 5.10 12 0 -",
        "run 5.10 was alive after run 6.20 had begun",
    );
}

#[test]
fn a_run_that_was_seen_alive_is_an_overlap_even_when_it_is_silent() {
    fails(
        Policy::Continuous,
        "start 5.10 10 0 -
         overlap 6.20 20 1 - 5.10
         start 6.20 20 1 -",
        "run 6.20 found run 5.10 alive",
    );
}

#[test]
fn a_token_that_goes_back_is_found() {
    fails(
        Policy::Continuous,
        "start 5.10 10 0 -
         end 5.10 10 0 -
         start 4.20 20 1 -",
        "token 4 of run 4.20 came after token 5",
    );
}

#[test]
fn a_token_of_two_leaderships_is_found() {
    let log = "start 5.10 10 0 1
         end 5.10 10 0 1
         start 5.20 20 1 2
         end 5.20 20 1 2";
    fails(AT_MOST_ONCE, log, "token 5 was given to two candidates");
    fails(Policy::Continuous, log, "token 5 was given to two runs");
}

#[test]
fn fires_of_one_leadership_share_its_token() {
    passes(
        AT_MOST_ONCE,
        "start 5.10 10 0 100
         end 5.10 10 0 100
         start 5.11 11 0 101
         end 5.11 11 0 101
         start 7.12 12 1 102",
    );
}

#[test]
fn a_fire_that_ran_twice_breaks_at_most_once() {
    let log = "start 5.10 10 0 100
         start 7.12 12 1 100
         end 7.12 12 1 100";
    fails(AT_MOST_ONCE, log, "fire 100 ran 2 times");
    passes(AT_LEAST_ONCE, log);
}

#[test]
fn a_fire_that_ended_and_runs_again_under_the_same_leader_breaks_at_least_once() {
    fails(
        AT_LEAST_ONCE,
        "start 5.10 10 0 100
         end 5.10 10 0 100
         start 5.11 11 0 100",
        "fire 100 ran again though its leader saw its end",
    );
}

#[test]
fn more_lost_fires_than_leaders_died_are_found() {
    let one_lost = "start 5.10 10 0 100
         end 5.10 10 0 100
         start 7.12 12 1 102";
    let two_lost = "start 5.10 10 0 100
         end 5.10 10 0 100
         start 7.12 12 1 103";
    passes(AT_MOST_ONCE, one_lost);
    fails(
        AT_MOST_ONCE,
        two_lost,
        "2 fires never ran, 1 might have been lost: [101, 102]",
    );
    fails(
        AT_LEAST_ONCE,
        one_lost,
        "1 fires never ran, 0 might have been lost: [101]",
    );
}

#[test]
fn a_fire_that_came_due_while_an_earlier_one_ran_is_not_lost() {
    passes(
        AT_LEAST_ONCE,
        "start 5.10 10 0 100 100500
         beat 5.10 10 0 100 100900
         end 5.10 10 0 100 101100
         start 5.12 12 0 102 102010",
    );
}

#[test]
fn a_log_without_any_fire_is_no_success() {
    fails(AT_MOST_ONCE, "", "nothing ever fired");
}
