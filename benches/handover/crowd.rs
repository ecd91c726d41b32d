use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Stdio};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use crate::{candidate, harness};

/// How long anything may take before the benchmark fails.
const BOUND: Duration = Duration::from_secs(60);

/// A line that a candidate told.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Told {
    at: Duration,
    by: usize,
    what: String,
    whom: String,
}

impl Told {
    fn parse(by: usize, line: &str) -> Option<Self> {
        let mut words = line.split(' ');
        let at = Duration::from_nanos(words.next()?.parse().ok()?);
        let (what, whom) = (words.next()?.to_owned(), words.next()?.to_owned());
        Some(Self { at, by, what, whom })
    }
}

#[derive(Debug)]
struct Candidate {
    child: Child,
    commands: ChildStdin,
}

/// The candidates of one lock, each a process of its own.
#[derive(Debug)]
pub(crate) struct Crowd {
    candidates: Vec<Candidate>,
    directory: PathBuf,
    leader: usize,
    leader_id: String,
    sender: Sender<Told>,
    told: Receiver<Told>,
}

impl Crowd {
    /// Starts so many candidates, and waits until one of them leads and all others know it.
    pub(crate) fn gather(directory: &Path, size: usize) -> Self {
        let (sender, told) = channel();
        let mut crowd = Self {
            candidates: Vec::new(),
            directory: directory.to_owned(),
            leader: 0,
            leader_id: String::new(),
            sender,
            told,
        };
        crowd.candidates.push(crowd.start(0));
        crowd.succession(Duration::ZERO, None);
        for number in 1..size {
            let candidate = crowd.start(number);
            crowd.candidates.push(candidate);
            crowd.wait_until_known(number);
        }
        crowd
    }

    fn start(&self, number: usize) -> Candidate {
        let mut child = candidate::command(&self.directory)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("this program can be started again");
        let commands = child.stdin.take().expect("it was piped");
        let output = child.stdout.take().expect("it was piped");
        let sender = self.sender.clone();
        std::thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                let Some(told) = Told::parse(number, &line) else {
                    continue;
                };
                if sender.send(told).is_err() {
                    return;
                }
            }
        });
        Candidate { child, commands }
    }

    fn next(&self) -> Told {
        self.told
            .recv_timeout(BOUND)
            .expect("some candidate tells something in time")
    }

    /// Waits until another leads and everybody else knows it. How long nobody did.
    fn succession(&mut self, from: Duration, gone: Option<usize>) -> Duration {
        let mut knows = BTreeMap::new();
        let mut took = None;
        loop {
            let others = (0..self.candidates.len())
                .filter(|number| *number != self.leader && Some(*number) != gone);
            if let Some(took) = took
                && others
                    .into_iter()
                    .all(|number| knows.get(&number) == Some(&self.leader_id))
            {
                return took;
            }
            let told = self.next();
            if told.what == "leads" {
                took = Some(told.at.saturating_sub(from));
                self.leader = told.by;
                self.leader_id = told.whom;
            } else if told.what == "knows" {
                knows.insert(told.by, told.whom);
            }
        }
    }

    /// Waits until a new candidate knows the leader.
    fn wait_until_known(&self, number: usize) {
        while {
            let told = self.next();
            told.by != number || told.whom != self.leader_id
        } {}
    }

    /// Kills the leader's process, and starts another candidate once the next one leads.
    pub(crate) fn kill_the_leader(&mut self) -> Duration {
        let leader = self.leader;
        let killed = harness::now();
        let dead = &mut self.candidates[leader].child;
        dead.kill().expect("a child can be killed");
        dead.wait().expect("a child can be waited for");
        let took = self.succession(killed, Some(leader));
        self.candidates[leader] = self.start(leader);
        self.wait_until_known(leader);
        took
    }

    /// Has the leader give its lock back, and waits until the next one leads.
    pub(crate) fn ask_the_leader_to_leave(&mut self) -> Duration {
        let leader = self.leader;
        self.candidates[leader]
            .commands
            .write_all(b"leave\n")
            .expect("the leader listens");
        let left = loop {
            let told = self.next();
            if told.what == "leaves" {
                break told.at;
            }
        };
        self.succession(left, None)
    }
}

impl Drop for Crowd {
    fn drop(&mut self) {
        for candidate in &mut self.candidates {
            // One that has ended already is as good.
            drop(candidate.child.kill());
            drop(candidate.child.wait());
        }
    }
}
