use std::io::BufRead as _;
use std::path::Path;
use std::process::Command;

use tenure::file::FileRoot;
use tenure::{Control, ElectionName};

use crate::campaign::{campaign, say};
use crate::harness;

/// In a candidate's process these name the directory of the lock, and itself.
const DIRECTORY: &str = "TENURE_BENCH_DIRECTORY";
const IDENTITY: &str = "TENURE_BENCH_IDENTITY";

const ELECTION: &str = "bench";

/// The command that starts a candidate.
pub(crate) fn command(directory: &Path, identity: &str) -> Command {
    let this = std::env::current_exe().expect("a running program has a file");
    let mut command = Command::new(this);
    command.env(DIRECTORY, directory).env(IDENTITY, identity);
    command
}

/// Takes part until standard input ends, when this process is to be a candidate. What it knows and does is told, and `leave` is done.
pub(crate) fn run_if_asked() -> bool {
    let Some(directory) = std::env::var_os(DIRECTORY) else {
        return false;
    };
    let identity = std::env::var(IDENTITY).expect("the parent has named it");
    harness::runtime().block_on(async {
        let root = FileRoot::open(directory).expect("the parent has made the directory");
        let name = ElectionName::new(ELECTION).expect("a plain word is a name");
        let lock = root.lock(name).expect("a plain name");
        let meet = |control| {
            let identity = identity.clone();
            std::thread::spawn(move || obey(&control, &identity));
        };
        campaign(lock, &identity, ELECTION, meet).await;
    });
    true
}

fn obey(control: &Control, identity: &str) {
    let lines = std::io::stdin().lock().lines().map_while(Result::ok);
    for line in lines {
        assert_eq!(line, "leave", "there is no other command");
        say("leaves", identity, ELECTION);
        control.resign();
    }
    std::process::exit(0);
}
