//! Curator's model over the simulated ensemble, beside what Curator itself was measured to do over a real one.

use std::collections::BTreeSet;
use std::time::Duration;

use super::SEEDS;
use crate::invariants::Invariant;
use crate::peers::{Pattern, Peer, Spread, Summary, Tally};
use crate::plan::{Backend, Fault, Plan, Span};
use crate::trace::{Keep, Record, What};
use crate::{Options, Tier, TrueTime};

const CURATOR: Options = Options {
    keep: Keep::All,
    peer: Some(Peer::Curator),
    ..Options::PLAIN
};

fn plans(pattern: &str) -> impl Iterator<Item = Plan> {
    some_plans(pattern, SEEDS)
}

fn some_plans(pattern: &str, count: u64) -> impl Iterator<Item = Plan> {
    let pattern = Pattern::find(pattern).unwrap();
    (0..count).map(|seed| pattern.plan(seed))
}

fn records(plan: &Plan) -> Vec<Record> {
    crate::run(plan, Tier::Electors, &CURATOR).records
}

fn summary(plan: &Plan) -> Summary {
    Tally::over(plan.nodes.len(), &records(plan))
}

fn overlaps(plans: impl Iterator<Item = Plan>) -> Spread {
    let overlaps = plans.map(|plan| summary(&plan).worst_overlap);
    Spread::of(overlaps.collect())
}

/// The fault that a pattern is about, which is its last.
fn last_fault(plan: &mut Plan) -> &mut Span {
    &mut plan.faults.last_mut().unwrap().at
}

/// How long after a moment the next leadership begins, and how long after it the first ends.
fn after(records: &[Record], from: TrueTime) -> [Duration; 2] {
    let first = |is: fn(&What) -> bool| {
        let mut later = records.iter().filter(|record| record.at > from);
        later
            .find(|record| is(&record.what))
            .unwrap()
            .at
            .since(from)
    };
    [
        first(|what| matches!(what, What::WorkBegan { .. })),
        first(|what| matches!(what, What::WorkEnded { .. })),
    ]
}

fn millis(duration: Duration) -> u128 {
    duration.as_millis()
}

/// Measured: the node was gone for everybody else 5.46 to 5.55 s after the cut, and its client counted itself connected for 9.85 to 9.90 s.
#[test]
fn leads_beside_the_next_until_its_server_gives_up_the_leader_that_it_does_not_hear() {
    let (mut begins, mut ends) = (Vec::new(), Vec::new());
    for mut plan in plans("zk-cut/3") {
        let cut = last_fault(&mut plan).from_start();
        let [begin, end] = after(&records(&plan), cut);
        begins.push(begin);
        ends.push(end);
    }
    let (begins, ends) = (Spread::of(begins), Spread::of(ends));
    // A session of 4 s, less the 2 s that the newest sign of life may be old that was passed on, and up to a tick more.
    assert!((2_000..5_460).contains(&millis(begins.least)), "{begins:?}");
    assert!((5_550..6_100).contains(&millis(begins.most)), "{begins:?}");
    // Ten seconds after the last sign of life of the servers' leader, which has one every second, and the client's clean-up.
    assert!((9_090..9_850).contains(&millis(ends.least)), "{ends:?}");
    assert!((9_900..10_150).contains(&millis(ends.most)), "{ends:?}");
    let both = overlaps(plans("zk-cut/3"));
    assert!((4_000..4_340).contains(&millis(both.least)), "{both:?}");
    assert!((4_390..7_150).contains(&millis(both.most)), "{both:?}");
}

/// In the runs that were measured the leader's sessions end 5.5 s after the cut, which is at one of its ticks; and it was heard last a quarter of
/// a second before. What follows from these two is the time with two leaders: 4.34 to 4.39 s.
#[test]
fn leads_beside_the_next_for_as_long_as_was_measured_where_the_cut_is_when_it_was() {
    let mut alike = Vec::new();
    for mut plan in some_plans("zk-cut/3", 400) {
        // Ticks are at even seconds here.
        *last_fault(&mut plan) = Span::from_millis(20_500);
        let cut = last_fault(&mut plan).from_start();
        let records = records(&plan);
        let [_, end] = after(&records, cut);
        if (9_830..9_920).contains(&millis(end)) {
            alike.push(Tally::over(plan.nodes.len(), &records).worst_overlap);
        }
    }
    // Its newest sign of life is one of the leader's pings earlier where the client had none in the last second: then a tick more.
    let (usual, late): (Vec<Duration>, Vec<Duration>) =
        alike.iter().partition(|both| millis(**both) < 5_000);
    assert!(usual.len() > 10 && usual.len() > late.len(), "{alike:?}");
    for both in usual {
        assert!((4_290..4_440).contains(&millis(both)), "{alike:?}");
    }
    for both in late {
        assert!((6_290..6_440).contains(&millis(both)), "{alike:?}");
    }
}

#[test]
fn is_found_to_lead_beside_the_next_by_the_invariant_as_well() {
    let plan = Pattern::find("zk-cut/3").unwrap().plan(1);
    let outcome = crate::run(&plan, Tier::Electors, &CURATOR);
    let found = outcome.jury.breach().map(|breach| breach.invariant);
    assert_eq!(found, Some(Invariant::SingleLeader));
    let plan = Pattern::find("zk-crash/3").unwrap().plan(1);
    let outcome = crate::run(&plan, Tier::Electors, &CURATOR);
    assert_eq!(outcome.jury.breach(), None);
}

#[test]
fn leads_beside_the_next_for_longer_the_more_patient_the_servers_are() {
    let with = |limit| {
        overlaps(plans("zk-cut/3").map(|mut plan| {
            plan.server.sync_limit = Some(limit);
            plan
        }))
    };
    let spreads = [1, 5, 7].map(with);
    let [most, ..] = spreads.map(|spread| spread.most);
    assert_eq!(most, Duration::ZERO, "{spreads:?}");
    let [_, five, seven] = spreads.map(|spread| millis(spread.middle));
    assert!((3_900..=4_100).contains(&(seven - five)), "{spreads:?}");
}

/// Measured: 203 to 225 ms, in which two clean-ups of 100 ms are.
#[test]
fn leads_for_a_fifth_of_a_second_when_it_goes_on_after_its_session() {
    let both = overlaps(plans("zk-paused/3"));
    assert!(millis(both.least) >= 200, "{both:?}");
    assert!(millis(both.most) <= 225, "{both:?}");
}

/// Measured: 0.11 to 0.32 s, with a clean-up of 0.1 s; somebody leads again after 0.63 to 0.85 s.
#[test]
fn gives_up_when_its_server_dies_though_its_session_lives() {
    let (mut gives_up, mut again) = (Vec::new(), Vec::new());
    for mut plan in plans("zk-server/3") {
        let killed = last_fault(&mut plan).from_start();
        let [begin, end] = after(&records(&plan), killed);
        gives_up.push(end);
        again.push(begin);
    }
    let (gives_up, again) = (Spread::of(gives_up), Spread::of(again));
    assert!(millis(gives_up.least) >= 100 && millis(gives_up.most) <= 120);
    assert!((100..630).contains(&millis(again.least)), "{again:?}");
    assert!((850..1_300).contains(&millis(again.most)), "{again:?}");
}

/// Measured with sessions of 4 s: 3.6, 4.6 and 5.5 s.
#[test]
fn is_followed_when_its_session_has_ended_after_a_crash() {
    let leaderless = some_plans("zk-crash/3", 200).map(|plan| summary(&plan).leaderless);
    let leaderless = Spread::of(leaderless.collect());
    assert!(
        (2_600..3_600).contains(&millis(leaderless.least)),
        "{leaderless:?}"
    );
    assert!(
        (4_300..5_200).contains(&millis(leaderless.middle)),
        "{leaderless:?}"
    );
    assert!(
        (5_500..7_100).contains(&millis(leaderless.most)),
        "{leaderless:?}"
    );
}

#[test]
fn hands_over_in_a_few_round_trips_and_never_leads_beside_the_next_then() {
    for plan in plans("zk-resign/3") {
        let Summary {
            leaderless,
            worst_overlap,
            ..
        } = summary(&plan);
        assert_eq!(worst_overlap, Duration::ZERO);
        assert!((1..100).contains(&millis(leaderless)), "{leaderless:?}");
    }
}

/// Whatever goes wrong, one of the candidates leads again once all is healed: the model is stuck nowhere. Where servers never tell what was
/// watched it would be, as Curator is; and so it is by a node of its own that stays at the head of the queue because its server has lost it, or was
/// behind when the answer to its create was lost and it looked for that.
#[test]
fn somebody_leads_at_the_end_of_any_plan() {
    let mut judged = 0;
    for seed in 0..80 {
        let plan = Plan::generate(seed, Backend::Zookeeper);
        let has = |is: fn(&Fault) -> bool| plan.faults.iter().any(|fault| is(&fault.what));
        let forgets = has(|fault| matches!(fault, Fault::ServerForgets { .. }));
        let lags = has(|fault| matches!(fault, Fault::ServerLags { .. }));
        let loses_answers = has(|fault| matches!(fault, Fault::AppliedTimeout { .. }));
        if plan.server.silent || forgets || (lags && loses_answers) {
            continue;
        }
        judged += 1;
        let records = records(&plan);
        let panicked = |record: &Record| record.what == What::Panicked;
        assert!(!records.iter().any(panicked), "{seed}");
        let mut working = BTreeSet::new();
        for record in &records {
            match record.what {
                What::WorkBegan { .. } => working.extend(record.node),
                What::WorkEnded { .. } | What::Down { .. } => {
                    working.retain(|node| Some(*node) != record.node);
                }
                _ => {}
            }
        }
        assert_eq!(working.len(), 1, "{seed}: {working:?}");
    }
    assert!(judged >= 40, "{judged} plans are too few");
}
