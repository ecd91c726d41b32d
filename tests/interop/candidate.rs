//! A candidate of ours.

use std::future::pending;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use tenure::elector::Told;
use tenure::kubernetes::Cluster;
use tenure::{CandidateName, Control, Event, Timing};
use tokio::signal::unix::{SignalKind, signal};

use crate::work::{self, beat, say, say_who_leads};

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
    let mut command = work::command(name, identity, log, number);
    command.env("KUBECONFIG", kubeconfig);
    command
}

async fn tell_events(control: Control) {
    let mut events = control.events();
    while let Some(told) = events.next().await {
        let Told::Event(event) = told else { continue };
        match event {
            Event::LeaderChanged { leader } => say_who_leads(leader),
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

async fn take_part(identity: String) {
    let identity = identity.as_str();
    let builder = Cluster::builder().pod_name(identity);
    let cluster = builder.open().await.unwrap();
    let lock = cluster.lock(work::election()).unwrap();
    let builder = tenure::election(lock).unwrap();
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
    let lead = election.run_forever(work::AT_ONCE, async |leadership| {
        beat(identity, &leadership, pending()).await;
        Ok::<(), String>(())
    });
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
    work::if_asked(take_part);
}
