//! A candidate of ours: this test program again, with a task in its environment.

use std::env;
use std::fs::File;
use std::io::{BufRead, Write};
use std::path::Path;
use std::pin::pin;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::{Either, select};
use tenure::elector::{Backoff, Told};
use tenure::zookeeper::Ensemble;
use tenure::{CandidateName, Control, ElectionName, Event, Leadership};
use tenure_testkit::boottime;
use tokio::sync::Notify;

use crate::line::{Kind, Line, Run};

/// What the candidate is called. A process without it is none.
const IDENTITY: &str = "TENURE_INTEROP_IDENTITY";
const BASE: &str = "TENURE_INTEROP_BASE";
const LOG: &str = "TENURE_INTEROP_LOG";
const NAME: &str = "TENURE_INTEROP_NAME";
const NUMBER: &str = "TENURE_INTEROP_NUMBER";
const SERVERS: &str = "TENURE_INTEROP_SERVERS";

const BEAT: Duration = Duration::from_millis(5);

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
    let mut command = Command::new(env::current_exe().unwrap());
    command
        .args([
            "--exact",
            "candidate::is_a_candidate_only_when_asked",
            "--nocapture",
        ])
        .env(BASE, place.base)
        .env(IDENTITY, identity)
        .env(LOG, place.log)
        .env(NAME, place.name)
        .env(NUMBER, number.to_string())
        .env(SERVERS, place.servers);
    command
}

/// Tells whoever started this process one line.
fn say(event: &str, whom: &str, more: &str) {
    let line = format!("{} {event} {whom} {more}\n", boottime().as_nanos());
    // A parent that has gone needs no answer.
    drop(std::io::stdout().write_all(line.as_bytes()));
}

/// Beats while it leads, and stops at once when it is told to, or when it was asked to let another lead.
async fn work(identity: &str, leadership: Leadership, released: Arc<Notify>) -> Result<(), String> {
    let pid = i32::try_from(std::process::id()).unwrap();
    let line = |kind| Line {
        at_ms: 0,
        candidate: env::var(NUMBER).unwrap().parse().unwrap(),
        fire_s: None,
        kind,
        pid,
        run: Run {
            token: leadership.token().to_string().parse().unwrap(),
            first_pid: pid,
        },
    };
    let mut options = File::options();
    let log = options
        .append(true)
        .create(true)
        .open(env::var(LOG).unwrap());
    let mut log = log.unwrap();
    let mut kind = Kind::Start;
    loop {
        log.write_all(format!("{}\n", line(kind)).as_bytes())
            .unwrap();
        if kind == Kind::Start {
            // Whoever hears of it finds it in the log.
            say("leads", identity, &leadership.token().to_string());
        }
        kind = Kind::Beat;
        let cancelled = pin!(leadership.cancelled());
        let asked = pin!(released.notified());
        let ended = select(cancelled, asked);
        match tokio::time::timeout(BEAT, ended).await {
            Ok(Either::Left((reason, _))) => {
                say("told", identity, &reason.to_string());
                break;
            }
            Ok(Either::Right(_)) => break,
            Err(_) => {}
        }
    }
    say("stops", identity, "");
    Ok(())
}

async fn tell_events(control: Control) {
    let mut events = control.events();
    while let Some(told) = events.next().await {
        match told {
            Told::Event(Event::LeaderChanged { leader }) => {
                let whom = leader.map_or_else(|| "nobody".to_owned(), |leader| leader.to_string());
                say("knows", &whom, "");
            }
            Told::Event(Event::BackendFailed { kind, operation }) => {
                say("fails", operation, &format!("{kind:?}"));
            }
            _ => {}
        }
    }
}

async fn take_part(identity: &str) {
    let builder = Ensemble::builder()
        .connect_string(env::var(SERVERS).unwrap())
        .base_path(env::var(BASE).unwrap())
        .session_timeout(SESSION);
    let ensemble = builder.open().await.unwrap();
    let name = ElectionName::new(&env::var(NAME).unwrap()).unwrap();
    let builder = tenure::election(ensemble.lock(name).unwrap()).unwrap();
    let candidate = CandidateName::new(identity).unwrap();
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
    let first = Backoff {
        first: Duration::from_millis(1),
        longest: Duration::from_millis(1),
    };
    let lead = election.run_forever(first, |leadership| {
        work(identity, leadership, Arc::clone(&released))
    });
    let (led, ()) = tokio::join!(lead, tell_events(control));
    led.unwrap();
}

/// Not a test of its own: the door through which this program becomes a candidate.
#[test]
fn is_a_candidate_only_when_asked() {
    let Ok(identity) = env::var(IDENTITY) else {
        return;
    };
    // The test harness has begun a line.
    drop(std::io::stdout().write_all(b"\n"));
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    runtime.unwrap().block_on(take_part(&identity));
}
