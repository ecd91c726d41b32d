//! What a candidate of ours does, whatever its lock is: this test program again, with a task in its environment.

use std::env;
use std::fs::File;
use std::future::Future;
use std::io::Write;
use std::path::Path;
use std::pin::pin;
use std::process::Command;
use std::time::Duration;

use futures_util::future::{Either, select};
use tenure::backend::Holder;
use tenure::elector::Backoff;
use tenure::{ElectionName, Leadership};
use tenure_testkit::boottime;

use crate::line::{Kind, Line, Run};

/// What the candidate is called. A process without it is none.
const IDENTITY: &str = "TENURE_INTEROP_IDENTITY";
const LOG: &str = "TENURE_INTEROP_LOG";
const NAME: &str = "TENURE_INTEROP_NAME";
const NUMBER: &str = "TENURE_INTEROP_NUMBER";

const BEAT: Duration = Duration::from_millis(5);

/// Work that was stopped is taken up again at once.
pub(crate) const AT_ONCE: Backoff = Backoff {
    first: Duration::from_millis(1),
    longest: Duration::from_millis(1),
};

/// The command that starts a candidate of the election `name`; where its lock is has to be added.
pub(crate) fn command(name: &str, identity: &str, log: &Path, number: usize) -> Command {
    let mut command = Command::new(env::current_exe().unwrap());
    command
        .args([
            "--exact",
            "candidate::is_a_candidate_only_when_asked",
            "--nocapture",
        ])
        .env(IDENTITY, identity)
        .env(NAME, name)
        .env(LOG, log)
        .env(NUMBER, number.to_string());
    command
}

/// Takes part if this process was started to, and does nothing else.
pub(crate) fn if_asked<F: Future<Output = ()>>(take_part: impl FnOnce(String) -> F) {
    let Ok(identity) = env::var(IDENTITY) else {
        return;
    };
    // The test harness has begun a line.
    drop(std::io::stdout().write_all(b"\n"));
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    runtime.unwrap().block_on(take_part(identity));
}

/// The election that this process was started for.
pub(crate) fn election() -> ElectionName {
    ElectionName::new(&env::var(NAME).unwrap()).unwrap()
}

/// Tells whoever started this process one line.
pub(crate) fn say(event: &str, whom: &str, more: &str) {
    let line = format!("{} {event} {whom} {more}\n", boottime().as_nanos());
    // A parent that has gone needs no answer.
    drop(std::io::stdout().write_all(line.as_bytes()));
}

/// Tells who leads now.
pub(crate) fn say_who_leads(leader: Option<Holder>) {
    let whom = leader.map_or_else(|| "nobody".to_owned(), |leader| leader.to_string());
    say("knows", &whom, "");
}

/// Beats while it leads, and stops at once when it is told to, or when it was `asked` to let another lead.
pub(crate) async fn beat(identity: &str, leadership: &Leadership, asked: impl Future<Output = ()>) {
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
    let mut asked = pin!(asked);
    loop {
        log.write_all(format!("{}\n", line(kind)).as_bytes())
            .unwrap();
        if kind == Kind::Start {
            // Whoever hears of it finds it in the log.
            say("leads", identity, &leadership.token().to_string());
        }
        kind = Kind::Beat;
        let cancelled = pin!(leadership.cancelled());
        let ended = select(cancelled, asked.as_mut());
        match tokio::time::timeout(BEAT, ended).await {
            Ok(Either::Left((reason, _))) => return say("told", identity, &reason.to_string()),
            Ok(Either::Right(_)) => return,
            Err(_) => {}
        }
    }
}
