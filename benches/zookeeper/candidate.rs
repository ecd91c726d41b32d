//! A candidate of ours: this program again, with a task in its environment.

use std::io::BufRead as _;
use std::process::Command;
use std::time::Duration;

use tenure::ElectionName;
use tenure::zookeeper::Ensemble;
use tokio::task::LocalSet;

use crate::campaign::campaign;
use crate::harness::{self, pause};
use crate::scene::election;

/// In a candidate's process this says what it does.
const TASK: &str = "TENURE_BENCH_CANDIDATE";

/// Over how long the elections of a process begin, one after the other.
const SPREAD: Duration = Duration::from_secs(5);

/// What a candidate's process does.
#[derive(Clone, Debug)]
pub(crate) struct Task {
    pub(crate) base: String,
    /// The elections in which it takes part: `job-<first>` and those after.
    pub(crate) first: u32,
    pub(crate) count: u32,
    pub(crate) identity: String,
    pub(crate) servers: String,
    pub(crate) session: Duration,
}

impl Task {
    /// The command that starts such a candidate.
    pub(crate) fn command(&self) -> Command {
        let this = std::env::current_exe().expect("a running program has a file");
        let mut command = Command::new(this);
        let Self {
            base,
            first,
            count,
            identity,
            servers,
            session,
        } = self;
        let session = session.as_millis();
        let task = format!("{base} {first} {count} {identity} {servers} {session}");
        command.env(TASK, task);
        command
    }

    fn parse(text: &str) -> Option<Self> {
        let mut words = text.split(' ');
        Some(Self {
            base: words.next()?.to_owned(),
            first: words.next()?.parse().ok()?,
            count: words.next()?.parse().ok()?,
            identity: words.next()?.to_owned(),
            servers: words.next()?.to_owned(),
            session: Duration::from_millis(words.next()?.parse().ok()?),
        })
    }
}

/// The task, when this process is to be a candidate.
pub(crate) fn asked_for() -> Option<Task> {
    let text = std::env::var(TASK).ok()?;
    Some(Task::parse(&text).expect("the parent has written a task"))
}

/// Does its task until its parent has gone, or kills it.
pub(crate) fn run(task: &Task) {
    std::thread::spawn(|| {
        let ended = std::io::stdin()
            .lock()
            .lines()
            .map_while(Result::ok)
            .count();
        assert_eq!(ended, 0, "there are no commands");
        std::process::exit(0);
    });
    let runtime = harness::runtime();
    LocalSet::new().block_on(&runtime, async {
        let builder = Ensemble::builder()
            .connect_string(&task.servers)
            .base_path(&task.base)
            .session_timeout(task.session);
        let ensemble = builder.open().await.expect("the servers serve");
        let numbers = task.first..task.first + task.count;
        let started = numbers.map(|number| {
            let wait = SPREAD * (number - task.first) / task.count;
            let one = one(ensemble.clone(), number, wait, task.identity.clone());
            tokio::task::spawn_local(one)
        });
        for one in started.collect::<Vec<_>>() {
            one.await.expect("an election does not panic");
        }
    });
}

/// One election.
async fn one(ensemble: Ensemble, number: u32, wait: Duration, identity: String) {
    pause(wait).await;
    let election = election(number);
    let name = ElectionName::new(&election).expect("a plain word is a name");
    let lock = ensemble.lock(name).expect("a plain name");
    campaign(lock, &identity, &election, drop).await;
}
