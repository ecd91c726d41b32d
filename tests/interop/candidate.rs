//! A candidate of ours: this test program again, with a task in its environment.

use std::env;
use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use tenure::elector::{Backoff, Told};
use tenure::kubernetes::Cluster;
use tenure::{CandidateName, Control, ElectionName, Event, Leadership, Timing};
use tenure_testkit::boottime;
use tokio::signal::unix::{SignalKind, signal};

use crate::line::{Kind, Line, Run};

/// What the candidate is called. A process without it is none.
const IDENTITY: &str = "TENURE_INTEROP_IDENTITY";
const NAME: &str = "TENURE_INTEROP_NAME";
const LOG: &str = "TENURE_INTEROP_LOG";
const NUMBER: &str = "TENURE_INTEROP_NUMBER";

const BEAT: Duration = Duration::from_millis(5);

/// How long the work of a leader may take to stop, and far more than it does.
pub(crate) const STOP_TIMEOUT: Duration = Duration::from_millis(500);
pub(crate) const LEASE: Duration = Duration::from_secs(3);
pub(crate) const RENEW: Duration = Duration::from_secs(1);

/// client-go counts on slewed time, which may run fast or slow by 10 %.
pub(crate) fn timing() -> Timing {
    Timing::builder()
        .lease_duration(LEASE)
        .renew_interval(RENEW)
        .request_timeout(Duration::from_millis(500))
        .stop_timeout(STOP_TIMEOUT)
        .clock_drift_ppm(100_000)
        .build()
        .unwrap()
}

/// The command that starts a candidate.
pub(crate) fn command(
    kubeconfig: &Path,
    name: &str,
    identity: &str,
    log: &Path,
    number: usize,
) -> Command {
    let mut command = Command::new(env::current_exe().unwrap());
    command
        .args([
            "--exact",
            "candidate::is_a_candidate_only_when_asked",
            "--nocapture",
        ])
        .env("KUBECONFIG", kubeconfig)
        .env(IDENTITY, identity)
        .env(NAME, name)
        .env(LOG, log)
        .env(NUMBER, number.to_string());
    command
}

/// Tells whoever started this process one line.
fn say(event: &str, whom: &str, more: &str) {
    let line = format!("{} {event} {whom} {more}\n", boottime().as_nanos());
    // A parent that has gone needs no answer.
    drop(std::io::stdout().write_all(line.as_bytes()));
}

/// Beats while it leads, and stops at once when it is told to.
async fn work(identity: &str, leadership: Leadership) -> Result<(), String> {
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
    let reason = loop {
        log.write_all(format!("{}\n", line(kind)).as_bytes())
            .unwrap();
        if kind == Kind::Start {
            // Whoever hears of it finds it in the log.
            say("leads", identity, &leadership.token().to_string());
        }
        kind = Kind::Beat;
        if let Ok(reason) = tokio::time::timeout(BEAT, leadership.cancelled()).await {
            break reason;
        }
    };
    say("told", identity, &reason.to_string());
    Ok(())
}

async fn tell_events(control: Control) {
    let mut events = control.events();
    while let Some(told) = events.next().await {
        let Told::Event(event) = told else { continue };
        match event {
            Event::LeaderChanged { leader } => {
                let whom = leader.map_or_else(|| "nobody".to_owned(), |leader| leader.to_string());
                say("knows", &whom, "");
            }
            Event::Waiting { at_most, .. } => {
                let at_most = at_most.unwrap_or_default().as_millis();
                say(
                    "waits",
                    &control.view().candidate.to_string(),
                    &at_most.to_string(),
                );
            }
            Event::Stopped { reason, .. } => say(
                "stopped",
                &control.view().candidate.to_string(),
                &reason.to_string(),
            ),
            _ => {}
        }
    }
}

async fn take_part(identity: &str) {
    let builder = Cluster::builder().pod_name(identity);
    let cluster = builder.open().await.unwrap();
    let name = ElectionName::new(&env::var(NAME).unwrap()).unwrap();
    let builder = tenure::election(cluster.lock(name).unwrap()).unwrap();
    let candidate = CandidateName::new(identity).unwrap();
    let mut election = builder
        .candidate(candidate)
        .timing(timing())
        .build()
        .unwrap();
    let control = election.control();
    let mut terminate = signal(SignalKind::terminate()).unwrap();
    let leave = {
        let control = control.clone();
        async move {
            terminate.recv().await;
            say("leaves", identity, "");
            control.shut_down();
        }
    };
    let first = Backoff {
        first: Duration::from_millis(1),
        longest: Duration::from_millis(1),
    };
    let lead = election.run_forever(first, |leadership| work(identity, leadership));
    let ends = async {
        drop(lead.await);
        say("stops", identity, "");
        std::process::exit(0);
    };
    tokio::join!(leave, tell_events(control), ends);
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
