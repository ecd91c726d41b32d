//! What a candidate of ours does in a process of its own, whatever its lock is.

use std::future::Future;
use std::io::Write as _;

use tenure::backend::LockBackend;
use tenure::elector::{Backoff, Told};
use tenure::{CandidateName, Control, Event, Leadership};

use crate::harness;

/// Tells the parent one line: the time, what, about whom, and in which election.
pub(crate) fn say(what: &str, whom: &str, election: &str) {
    let line = format!("{} {what} {whom} {election}\n", harness::now().as_nanos());
    // A parent that has gone needs no answer.
    drop(std::io::stdout().lock().write_all(line.as_bytes()));
}

/// Takes part in one election, and tells who leads. `meet` is handed what controls it.
///
/// No `async fn`: that would keep room for what only its beginning needs, as long as it lasts.
pub(crate) fn campaign(
    lock: impl LockBackend,
    identity: &str,
    election: &str,
    meet: impl FnOnce(Control),
) -> impl Future<Output = ()> {
    let builder = tenure::election(lock).expect("the machine has what an election needs");
    let candidate = CandidateName::new(identity).expect("a plain word is a name");
    let built = builder.candidate(candidate).build();
    let mut elector = built.expect("the standard timing, or that of the session");
    let control = elector.control();
    let mut events = control.events();
    meet(control);
    async move {
        let lead = async {
            let work = |leadership: Leadership| {
                say("leads", identity, election);
                async move {
                    leadership.cancelled().await;
                    Ok::<(), String>(())
                }
            };
            drop(elector.run_forever(Backoff::STANDARD, work).await);
        };
        let tell = async {
            while let Some(told) = events.next().await {
                if let Told::Event(Event::LeaderChanged {
                    leader: Some(leader),
                }) = told
                {
                    say("knows", &leader.to_string(), election);
                }
            }
        };
        tokio::join!(lead, tell);
    }
}
