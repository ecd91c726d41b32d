//! What client-go's own mistakes cost an election that ours take part in: how often two lead at once, and for how long.

use std::collections::BTreeMap;
use std::time::Duration;

use rustix::process::Signal;
use tenure_testkit::{Flow, Told, pause};

use crate::stage::{NAME, Player, SHORT, Stage};
use crate::stomp::{self, AT_ONCE};

/// How many rounds of each kind there are, unless `TENURE_INTEROP_ROUNDS` says otherwise.
const ROUNDS: usize = 4;
/// How many elections go on at once.
const AT_A_TIME: usize = 4;

/// Who led from when to when.
#[derive(Clone, Copy, Debug)]
struct Reign {
    by: usize,
    from: Duration,
    to: Duration,
}

/// The leaderships in what was told; one without an end lasts.
fn reigns(told: &[Told]) -> Vec<Reign> {
    let mut begun = BTreeMap::new();
    let mut reigns = Vec::new();
    for told in told {
        match told.event.as_str() {
            "leads" => drop(begun.insert(told.by, told.at)),
            "told" | "stops" => reigns.extend(begun.remove(&told.by).map(|from| Reign {
                by: told.by,
                from,
                to: told.at,
            })),
            _ => {}
        }
    }
    let open = begun.into_iter().map(|(by, from)| Reign {
        by,
        from,
        to: Duration::MAX,
    });
    reigns.extend(open);
    reigns
}

/// For how long, at the longest, `one` led while another did.
fn overlap(reigns: &[Reign], one: usize) -> Duration {
    let (its, others): (Vec<Reign>, Vec<Reign>) = reigns.iter().partition(|reign| reign.by == one);
    let pairs = its
        .iter()
        .flat_map(|its| others.iter().map(move |other| (its, other)));
    let shared = |(its, other): (&Reign, &Reign)| {
        its.to
            .min(other.to)
            .saturating_sub(its.from.max(other.from))
    };
    pairs.map(shared).max().unwrap_or_default()
}

/// Everything that is told from `told` on until `enough` says so.
fn collect(stage: &Stage, mut told: Vec<Told>, enough: impl Fn(&[Told]) -> bool) -> Vec<Told> {
    while !enough(&told) {
        told.push(stage.cast.next());
    }
    told
}

fn has(told: &[Told], player: &Player, event: &str) -> bool {
    told.iter()
        .any(|told| told.by == player.number && told.event == event)
}

/// Ours leads and its Lease is deleted, in any moment of the polls of two candidates of client-go. For how long one of them led beside ours.
fn deleted_under_ours(phase: Duration) -> Duration {
    let mut stage = Stage::new();
    let ours = stage.ours("ours");
    let led = stage.wait(&ours, "leads");
    let rivals = ["a", "b"].map(|name| {
        let rival = stage.theirs(name, SHORT);
        stage.wait_until_known(&rival, &ours);
        rival
    });
    pause(phase);
    stage.namespace.delete_lease(NAME).unwrap();
    let told = collect(&stage, vec![led], |told| has(told, &ours, "told"));
    // Long enough for each of them to look, and too short for ours to lead again.
    pause(Duration::from_secs(1));
    let told = [told, stage.cast.heard()].concat();
    drop(rivals);
    overlap(&reigns(&told), ours.number)
}

/// A candidate of client-go empties the Lease of ours while another one polls. For how long that one led beside ours.
fn emptied_under_ours(phase: Duration) -> Duration {
    let mut stage = Stage::new();
    let (ours, theirs) = stomp::prepare(&mut stage);
    let rival = stage.theirs("rival", SHORT);
    stage.wait_until_known(&rival, &ours);
    pause(phase.min(Duration::from_millis(400)));
    let healed = Told {
        at: tenure_testkit::boottime(),
        by: ours.number,
        event: "leads".to_owned(),
        whom: String::new(),
        more: String::new(),
    };
    theirs.proxy.heal();
    let told = collect(&stage, vec![healed], |told| has(told, &ours, "told"));
    pause(Duration::from_secs(1));
    let mut told = [told, stage.cast.heard()].concat();
    told.retain(|told| told.by != theirs.number);
    overlap(&reigns(&told), ours.number)
}

/// A leader of client-go can reach nobody, and gives its Lease back when it is lost. For how long it led beside ours, which took over.
fn cut_off_leader(phase: Duration) -> Duration {
    let mut stage = Stage::new();
    let theirs = stage.theirs("theirs", SHORT);
    let led = stage.wait(&theirs, "leads");
    let ours = stage.ours("ours");
    stage.wait_until_known(&ours, &theirs);
    pause(phase);
    theirs.proxy.flow(Flow::Hold, Flow::Hold);
    let told = collect(&stage, vec![led], |told| {
        has(told, &theirs, "stops") && has(told, &ours, "leads")
    });
    overlap(&reigns(&told), ours.number)
}

/// A leader of client-go is stopped for longer than its lease, and goes on. For how long it leads beside ours, which took over.
fn paused_leader(phase: Duration) -> Duration {
    let mut stage = Stage::new();
    let theirs = stage.theirs("theirs", SHORT);
    let led = stage.wait(&theirs, "leads");
    let ours = stage.ours("ours");
    stage.wait_until_known(&ours, &theirs);
    pause(phase);
    stage.cast.signal(theirs.number, Signal::STOP);
    let told = collect(&stage, vec![led], |told| has(told, &ours, "leads"));
    let at = stage.cast.signal(theirs.number, Signal::CONT);
    let mut told = collect(&stage, told, |told| has(told, &theirs, "stops"));
    // While it was stopped it did nothing.
    for told in &mut told {
        if told.event == "leads" && told.by == theirs.number {
            told.at = at;
        }
    }
    overlap(&reigns(&told), ours.number)
}

fn rounds() -> usize {
    let rounds = std::env::var("TENURE_INTEROP_ROUNDS");
    rounds.map_or(ROUNDS, |rounds| rounds.parse().unwrap())
}

/// So many rounds, some at a time, each in another phase of a second. Tells how often and for how long two led at once.
fn measure(what: &str, round: impl Fn(Duration) -> Duration + Sync) -> Vec<Duration> {
    let rounds = rounds();
    let numbers: Vec<usize> = (0..rounds).collect();
    let phase = |number: &usize| Duration::from_millis((number * 617 % 1_000).try_into().unwrap());
    let mut overlaps: Vec<Duration> = numbers
        .chunks(AT_A_TIME)
        .flat_map(|numbers| {
            std::thread::scope(|scope| {
                let round = &round;
                let started = numbers
                    .iter()
                    .map(|number| scope.spawn(move || round(phase(number))));
                let started: Vec<_> = started.collect();
                let ended = started.into_iter().map(|thread| thread.join().unwrap());
                ended.collect::<Vec<_>>()
            })
        })
        .collect();
    overlaps.sort_unstable();
    let doubled: Vec<&Duration> = overlaps.iter().filter(|o| !o.is_zero()).collect();
    let shown = |index: usize| doubled.get(index).map_or(0, |o| o.as_millis());
    eprintln!(
        "{what}: two leaders in {} of {rounds} rounds; min {} median {} max {} ms",
        doubled.len(),
        shown(0),
        shown(doubled.len() / 2),
        shown(doubled.len().saturating_sub(1)),
    );
    overlaps
}

fn all_shorter(overlaps: &[Duration], than: Duration) {
    assert!(
        overlaps.iter().all(|overlap| *overlap < than),
        "{overlaps:?}"
    );
}

#[test]
fn a_lease_deleted_under_ours_makes_two_leaders_for_no_longer_than_the_watch_takes() {
    let overlaps = measure(
        "Lease of ours deleted, two of client-go follow",
        deleted_under_ours,
    );
    all_shorter(&overlaps, AT_ONCE);
}

#[test]
fn a_lease_emptied_under_ours_makes_two_leaders_for_no_longer_than_the_watch_takes() {
    let overlaps = measure(
        "Lease of ours emptied by client-go, another one follows",
        emptied_under_ours,
    );
    all_shorter(&overlaps, AT_ONCE);
}

#[test]
fn a_leader_of_client_go_that_is_cut_off_is_the_only_one_that_leads_too_long() {
    // It goes on for its renew deadline once more after it has lost: nobody else can help that.
    let most = SHORT.renew_deadline * 2 + SHORT.retry_period;
    let overlaps = measure("leader of client-go cut off, ours follows", cut_off_leader);
    all_shorter(&overlaps, most);
}

#[test]
fn a_leader_of_client_go_that_was_paused_is_the_only_one_that_leads_too_long() {
    let most = SHORT.renew_deadline + SHORT.retry_period + AT_ONCE;
    let overlaps = measure(
        "leader of client-go paused for longer than its lease, ours follows",
        paused_leader,
    );
    all_shorter(&overlaps, most);
}
