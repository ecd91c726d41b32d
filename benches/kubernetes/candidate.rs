//! A candidate of ours: this program again, with a task in its environment.

use std::io::BufRead as _;
use std::path::Path;
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tenure::kubernetes::{Cluster, DeathProof};
use tenure::{Control, ElectionName};
use tokio::task::LocalSet;

use crate::bare::Bare;
use crate::campaign::{campaign, say};
use crate::harness::{self, pause};
use crate::scene;

/// In a candidate's process this says what it does.
const TASK: &str = "TENURE_BENCH_CANDIDATE";

/// What a candidate's process does.
#[derive(Clone, Debug)]
pub(crate) struct Task {
    /// In how many elections it takes part: `job-0`, `job-1` and so on.
    pub(crate) elections: u32,
    pub(crate) identity: String,
    /// Whether the kubelet's word counts, and pods are watched for it.
    pub(crate) proof: bool,
    /// Over how long the elections begin, one after the other.
    pub(crate) spread: Duration,
    /// Whether it only writes as often as a leader does.
    pub(crate) writes: bool,
}

impl Task {
    /// To take part in one election.
    pub(crate) fn new(identity: &str) -> Self {
        Self {
            elections: 1,
            identity: identity.to_owned(),
            proof: false,
            spread: Duration::ZERO,
            writes: false,
        }
    }

    /// The command that starts such a candidate.
    pub(crate) fn command(&self, kubeconfig: &Path) -> Command {
        let this = std::env::current_exe().expect("a running program has a file");
        let mut command = Command::new(this);
        let Self {
            elections,
            identity,
            proof,
            spread,
            writes,
        } = self;
        let spread = spread.as_millis();
        let task = format!("{identity} {elections} {spread} {proof} {writes}");
        command.env("KUBECONFIG", kubeconfig).env(TASK, task);
        command
    }

    fn parse(text: &str) -> Option<Self> {
        let mut words = text.split(' ');
        Some(Self {
            identity: words.next()?.to_owned(),
            elections: words.next()?.parse().ok()?,
            spread: Duration::from_millis(words.next()?.parse().ok()?),
            proof: words.next()?.parse().ok()?,
            writes: words.next()?.parse().ok()?,
        })
    }
}

/// The task, when this process is to be a candidate.
pub(crate) fn asked_for() -> Option<Task> {
    let text = std::env::var(TASK).ok()?;
    Some(Task::parse(&text).expect("the parent has written a task"))
}

/// Does its task until it is told to quit, or its parent has gone.
pub(crate) fn run(task: &Task) {
    say("begins", &task.identity, "");
    let runtime = harness::runtime();
    let tasks = LocalSet::new();
    if task.writes {
        return tasks.block_on(&runtime, write(task));
    }
    let controls = Arc::new(Mutex::new(Vec::new()));
    let obeying = Arc::clone(&controls);
    let identity = task.identity.clone();
    std::thread::spawn(move || obey(&obeying, &identity));
    tasks.block_on(&runtime, async {
        let mut builder = Cluster::builder().pod_name(&task.identity);
        if task.proof {
            let container = None;
            builder = builder
                .members("app=bench")
                .death_proof(DeathProof::Kubelet { container });
        }
        let cluster = builder.open().await.expect("the testkit's way in is good");
        let started = (0..task.elections).map(|number| {
            let wait = task.spread * number / task.elections;
            let one = one(
                cluster.clone(),
                number,
                wait,
                task.identity.clone(),
                Arc::clone(&controls),
            );
            tokio::task::spawn_local(one)
        });
        for one in started.collect::<Vec<_>>() {
            one.await.expect("an election does not panic");
        }
    });
    say("stops", &task.identity, "");
}

/// One election.
async fn one(
    cluster: Cluster,
    number: u32,
    wait: Duration,
    identity: String,
    controls: Arc<Mutex<Vec<Control>>>,
) {
    pause(wait).await;
    let election = scene::election(number);
    let name = ElectionName::new(&election).expect("a plain word is a name");
    let lock = cluster.lock(name).expect("a plain name");
    let meet = |control| controls.lock().expect("nobody panics").push(control);
    campaign(lock, &identity, &election, meet).await;
}

fn obey(controls: &Mutex<Vec<Control>>, identity: &str) {
    for line in std::io::stdin().lock().lines().map_while(Result::ok) {
        say("leaves", identity, "");
        for control in controls.lock().expect("nobody panics").iter() {
            match line.as_str() {
                "leave" => control.resign(),
                _ => control.shut_down(),
            }
        }
    }
}

/// Writes each Lease once in a renew interval, spread over it, and does nothing else.
async fn write(task: &Task) {
    let mut config = kube::Config::infer()
        .await
        .expect("the testkit's way in is good");
    config.default_retry = false;
    let interval = tenure::Timing::standard().renew_interval();
    let bare = Bare::open(&config, "none");
    for number in 0..task.elections {
        let bare = bare.of(&scene::election(number));
        let wait = task.spread * number / task.elections;
        let identity = task.identity.clone();
        tokio::task::spawn_local(async move {
            pause(wait).await;
            let mut version = bare.create().await;
            say("leads", &identity, &scene::election(number));
            for count in 0.. {
                pause(interval).await;
                version = bare.put(&version, count).await;
            }
        });
    }
    std::future::pending().await
}
