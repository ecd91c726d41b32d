//! A candidate of ours.

use std::env;
use std::io::BufRead;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use tenure::elector::Told;
use tenure::zookeeper::Ensemble;
use tenure::{CandidateName, Control, Event};
use tokio::sync::Notify;

use crate::work::{self, beat, say, say_who_leads};

const BASE: &str = "TENURE_INTEROP_BASE";
const SERVERS: &str = "TENURE_INTEROP_SERVERS";

/// Four ticks of the testkit's.
pub(crate) const SESSION: Duration = Duration::from_secs(2);

/// Where a candidate takes part.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place<'a> {
    pub(crate) base: &'a str,
    pub(crate) log: &'a Path,
    pub(crate) name: &'a str,
    pub(crate) servers: &'a str,
}

/// The command that starts a candidate.
pub(crate) fn command(place: Place<'_>, identity: &str, number: usize) -> Command {
    let mut command = work::command(place.name, identity, place.log, number);
    command.env(BASE, place.base).env(SERVERS, place.servers);
    command
}

async fn tell_events(control: Control) {
    let mut events = control.events();
    while let Some(told) = events.next().await {
        match told {
            Told::Event(Event::LeaderChanged { leader }) => say_who_leads(leader),
            Told::Event(Event::BackendFailed { kind, operation }) => {
                say("fails", operation, &format!("{kind:?}"));
            }
            _ => {}
        }
    }
}

async fn take_part(identity: String) {
    let builder = Ensemble::builder()
        .connect_string(env::var(SERVERS).unwrap())
        .base_path(env::var(BASE).unwrap())
        .session_timeout(SESSION);
    let ensemble = builder.open().await.unwrap();
    let lock = ensemble.lock(work::election()).unwrap();
    let builder = tenure::election(lock).unwrap();
    let candidate = CandidateName::new(&identity).unwrap();
    let mut election = builder.candidate(candidate).build().unwrap();
    let control = election.control();
    let released = Arc::new(Notify::new());
    let release = Arc::clone(&released);
    std::thread::spawn(move || {
        let lines = std::io::stdin().lock().lines().map_while(Result::ok);
        for line in lines {
            assert_eq!(line, "release", "there is no other command");
            release.notify_one();
        }
    });
    let lead = election.run_forever(work::AT_ONCE, async |leadership| {
        beat(&identity, &leadership, released.notified()).await;
        say("stops", &identity, "");
        Ok::<(), String>(())
    });
    let (led, ()) = tokio::join!(lead, tell_events(control));
    led.unwrap();
}

/// Not a test of its own: the door through which this program becomes a candidate.
#[test]
fn is_a_candidate_only_when_asked() {
    work::if_asked(take_part);
}
