use std::io::{BufRead as _, Write as _};
use std::path::{Path, PathBuf};

use tenure::file::FileRoot;
use tenure::machine::Eligibility;
use tenure::{Control, ElectionName, Event};
use tenure_core::elector::{Backoff, Told};

use crate::harness;

/// In a candidate's process this names the directory of the lock.
const DIRECTORY: &str = "TENURE_BENCH_DIRECTORY";

/// The directory, when this process is to be a candidate.
pub(crate) fn asked_for() -> Option<PathBuf> {
    std::env::var_os(DIRECTORY).map(PathBuf::from)
}

/// The command that starts a candidate.
pub(crate) fn command(directory: &Path) -> std::process::Command {
    let this = std::env::current_exe().expect("a running program has a file");
    let mut command = std::process::Command::new(this);
    command.env(DIRECTORY, directory);
    command
}

/// Tells the parent one line: the time, what, and about whom.
fn say(what: &str, whom: &dyn std::fmt::Display) {
    let line = format!("{} {what} {whom}\n", harness::now().as_nanos());
    // A parent that has gone needs no answer.
    drop(std::io::stdout().lock().write_all(line.as_bytes()));
}

/// Takes part until standard input ends. What it knows and does is told, and `leave` is done.
pub(crate) fn run(directory: &Path) {
    harness::runtime().block_on(async {
        let root = FileRoot::open(directory).expect("the parent has made the directory");
        let name = ElectionName::new("bench").expect("a plain word is a name");
        let lock = root.lock(name).expect("a plain name");
        let builder = tenure::election(lock).expect("the machine has what an election needs");
        let mut election = builder.build().expect("the standard timing");
        let control = election.control();
        let mut events = control.events();
        std::thread::spawn(move || obey(&control));
        let lead = async {
            let work = |leadership: tenure::Leadership| async move {
                say("leads", &leadership.candidate());
                leadership.cancelled().await;
                Ok::<(), String>(())
            };
            drop(election.run_forever(Backoff::STANDARD, work).await);
        };
        let tell = async {
            while let Some(told) = events.next().await {
                if let Told::Event(Event::LeaderChanged {
                    leader: Some(leader),
                }) = told
                {
                    say("knows", &leader);
                }
            }
        };
        tokio::join!(lead, tell);
    });
}

fn obey(control: &Control) {
    for line in std::io::stdin().lock().lines() {
        match line.as_deref() {
            Ok("leave") => {
                say("leaves", &control.view().candidate);
                control.resign();
            }
            _ => break,
        }
    }
    control.set_eligibility(Eligibility::Ineligible);
    std::process::exit(0);
}
