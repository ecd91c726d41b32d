//! The peers of Curator and Camel on a real ensemble: each takes part, gives up and takes over, and tells so.

#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests are no tests to the lint, and a failed one should fail its test"
)]

use std::path::Path;
use std::sync::OnceLock;

use tenure_testkit::{Cast, Curator, Ensemble, Told, until};

/// One server for all, which ends with this process.
fn ensemble() -> &'static Ensemble {
    static ENSEMBLE: OnceLock<Ensemble> = OnceLock::new();
    ENSEMBLE.get_or_init(|| Ensemble::start(1))
}

fn wait(cast: &Cast, number: usize, event: &str) -> Told {
    cast.wait_for(|told| told.by == number && told.event == event)
}

fn token(told: &Told) -> u64 {
    told.more.rsplit(' ').next().unwrap().parse().unwrap()
}

/// The tokens of the runs in the log, which must not be mixed.
fn runs(log: &Path) -> Vec<String> {
    let log = std::fs::read_to_string(log).unwrap();
    let mut runs: Vec<String> = log
        .lines()
        .map(|line| line.split(' ').nth(1).unwrap().to_owned())
        .collect();
    runs.dedup();
    runs
}

/// Two of a kind: the second leads when the first gives up, the first again when the second is killed.
fn take_turns(kind: fn(&str, &str, &str) -> Curator, path: &str) {
    let ensemble = ensemble();
    ensemble.operator().make_path(path).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("log");
    let candidate = |id: &str, number: usize| {
        kind(&ensemble.connect_string(), path, id)
            .with("session-timeout", 1500)
            .with("connection-timeout", 1000)
            .with("log", log.display())
            .with("candidate", number)
            .command()
    };
    let mut cast = Cast::new();
    let first = cast.start(&candidate("first", 0));
    let led = wait(&cast, first, "leads");
    let second = cast.start(&candidate("second", 1));
    wait(&cast, second, "starts");
    let operator = ensemble.operator();
    until("two in the queue", || {
        (operator.children(path).unwrap().len() == 2).then_some(())
    });
    cast.say(first, "release");
    let follows = wait(&cast, second, "leads");
    assert!(follows.at > led.at && token(&follows) > token(&led));
    until("two in the queue", || {
        (operator.children(path).unwrap().len() == 2).then_some(())
    });
    cast.kill(second);
    let again = wait(&cast, first, "leads");
    assert!(token(&again) > token(&follows));
    cast.say(first, "quit");
    wait(&cast, first, "leaves");
    cast.wait_for_end(first);
    until("an empty queue", || {
        operator.children(path).unwrap().is_empty().then_some(())
    });
    assert_eq!(runs(&log).len(), 3, "{:?}", runs(&log));
}

#[test]
fn selectors_take_turns() {
    take_turns(Curator::selector, "/selectors");
}

#[test]
fn latches_take_turns() {
    take_turns(Curator::latch, "/latches");
}

#[test]
fn camels_routes_take_turns() {
    take_turns(Curator::camel, "/camel/master");
    let policy = |connect: &str, path: &str, id: &str| {
        Curator::camel(connect, path, id).with("route", "policy")
    };
    take_turns(policy, "/camel/policy");
}

#[test]
fn what_is_measured_is_told() {
    let connect = ensemble().direct_connect_string();
    let mut cast = Cast::new();
    for recipe in ["selector", "latch"] {
        let path = format!("/measured/{recipe}");
        for measurement in [
            Curator::handover(&connect, &path, recipe, 3, 5),
            Curator::start(&connect, &path, recipe, 5),
        ] {
            let number = cast.start(&measurement.command());
            for _ in 0..5 {
                let took = wait(&cast, number, "took");
                assert!(took.more.parse::<u64>().unwrap() > 100, "{took:?}");
            }
            cast.wait_for_end(number);
        }
    }
    let many = Curator::many(&connect, "/measured/many", 50).command();
    let number = cast.start(&many);
    let threads = |told: &Told| told.more.split(' ').next().unwrap().parse::<u64>().unwrap();
    let before = wait(&cast, number, "holds");
    let held = wait(&cast, number, "holds");
    assert_eq!((before.whom.as_str(), held.whom.as_str()), ("0", "50"));
    assert!(
        threads(&held) >= threads(&before) + 50,
        "{before:?} {held:?}"
    );
}
