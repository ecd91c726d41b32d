//! What one Lease asks of the API server while nothing happens, by the server's own count.

use std::time::Duration;

use tenure_testkit::{CAMEL_RULES, Rule, TestCluster, WATCH_RULES, pause};

use crate::candidate::Task;
use crate::crowd::Whose;
use crate::harness::{Table, now};
use crate::scene::Scene;

/// Many, so that a short time is enough.
const ELECTIONS: u32 = 20;
const SIZES: [u32; 3] = [1, 2, 10];
const WATCHED: Duration = Duration::from_secs(10);
const VERBS: [&str; 6] = ["GET", "LIST", "PUT", "POST", "PATCH", "WATCH"];

/// Requests a second on one Lease: reads, writes, and watches that were opened.
#[derive(Clone, Copy)]
struct Rates {
    opened: f64,
    reads: f64,
    writes: f64,
}

impl Rates {
    fn requests(self) -> f64 {
        self.reads + self.writes
    }
}

fn rates(cluster: &TestCluster, whose: Whose, rules: &[Rule], size: u32) -> Rates {
    let mut scene = Scene::new(cluster, rules);
    let spread = tenure::Timing::standard().renew_interval();
    for number in 0..size {
        let identity = format!("c{number}");
        let first = number == 0;
        let number = match whose {
            Whose::Ours => scene.ours(&Task {
                elections: ELECTIONS,
                // Those who follow do nothing in step.
                spread: if first { spread } else { Duration::ZERO },
                ..Task::new(&identity)
            }),
            Whose::ClientGo => scene.theirs(&identity, ELECTIONS, spread / 5),
        };
        let event = if first { "leads" } else { "knows" };
        scene.wait_for_all(number, event, ELECTIONS);
    }
    let admin = cluster.admin();
    let count = || {
        let counts = admin.request_counts("leases");
        VERBS.map(|verb| counts.get(verb).copied().unwrap_or(0))
    };
    let (began, before) = (now(), count());
    pause(WATCHED);
    let (ended, after) = (now(), count());
    let seconds = ended.saturating_sub(began).as_secs_f64();
    let each = |index: usize| {
        let count = u32::try_from(after[index] - before[index]).unwrap_or(u32::MAX);
        f64::from(count) / seconds / f64::from(ELECTIONS)
    };
    Rates {
        reads: each(0) + each(1),
        writes: each(2) + each(3) + each(4),
        opened: each(5),
    }
}

fn all(whose: Whose, rules: &[Rule]) -> [Rates; 3] {
    // A server's counts are of all that is asked of it.
    let cluster = TestCluster::start();
    SIZES.map(|size| rates(&cluster, whose, rules, size))
}

pub(crate) fn run(table: &mut Table) {
    let [watched, polled, theirs] = std::thread::scope(|scope| {
        [
            (Whose::Ours, WATCH_RULES),
            (Whose::Ours, CAMEL_RULES),
            (Whose::ClientGo, WATCH_RULES),
        ]
        .map(|(whose, rules)| scope.spawn(move || all(whose, rules)))
        .map(|thread| thread.join().expect("no candidate is lost"))
    });
    for (index, size) in SIZES.into_iter().enumerate() {
        let beside = theirs[index].requests();
        for (what, rates) in [
            ("with watch", watched[index]),
            ("by polling", polled[index]),
            ("client-go", theirs[index]),
        ] {
            println!(
                "{what}, n = {size}: {:.3} reads, {:.3} writes, {:.3} watches opened a second",
                rates.reads, rates.writes, rates.opened
            );
            let requests = rates.requests();
            let below = format!("< {beside:.2}");
            let target = match what {
                // A renewal each 5 s; the window may begin just before one.
                "with watch" => Some(("≤ 0.21", requests <= 0.21)),
                "by polling" => Some((below.as_str(), requests < beside)),
                _ => None,
            };
            let row = format!("requests a second, n = {size}, {what}");
            table.row(&row, format!("{requests:.2}"), target);
        }
    }
}
