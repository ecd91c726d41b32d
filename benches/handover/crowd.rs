use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tenure_testkit::{Cast, Told};

use crate::candidate;
use crate::harness::is;

/// The candidates of one lock, each a process of its own.
#[derive(Debug)]
pub(crate) struct Crowd {
    cast: Cast,
    directory: PathBuf,
    leader: usize,
    /// By their numbers.
    present: Vec<usize>,
    started: usize,
}

/// A candidate is called by its number.
fn name(number: usize) -> String {
    format!("c{number}")
}

impl Crowd {
    /// Starts so many candidates, and waits until one of them leads and all others know it.
    pub(crate) fn gather(directory: &Path, size: usize) -> Self {
        let mut crowd = Self {
            cast: Cast::new(),
            directory: directory.to_owned(),
            leader: 0,
            present: Vec::new(),
            started: 0,
        };
        crowd.start();
        crowd.cast.wait_for(|told| told.event == "leads");
        for _ in 1..size {
            crowd.join();
        }
        crowd
    }

    fn start(&mut self) -> usize {
        let command = candidate::command(&self.directory, &name(self.started));
        let number = self.cast.start(&command);
        self.started += 1;
        self.present.push(number);
        number
    }

    /// Starts a candidate, and waits until it knows the leader.
    fn join(&mut self) {
        let number = self.start();
        let leader = name(self.leader);
        self.cast.wait_for(|told: &Told| {
            told.by == number && told.event == "knows" && is(&told.whom, &leader)
        });
    }

    /// Waits until another leads and everybody else knows it, and says since when.
    fn succession(&mut self) -> Duration {
        let mut known = BTreeMap::new();
        let mut since = None;
        loop {
            let leader = name(self.leader);
            let knows = |number| {
                known
                    .get(number)
                    .is_some_and(|known: &String| is(known, &leader))
            };
            let mut others = self.present.iter().filter(|number| **number != self.leader);
            if let Some(since) = since
                && others.all(knows)
            {
                return since;
            }
            let told = self.cast.next();
            match told.event.as_str() {
                "leads" => {
                    since = Some(told.at);
                    self.leader = told.by;
                }
                "knows" => {
                    known.insert(told.by, told.whom);
                }
                _ => {}
            }
        }
    }

    /// Kills the leader's process, and starts another candidate once the next one leads. How long nobody did.
    pub(crate) fn kill_the_leader(&mut self) -> Duration {
        let leader = self.leader;
        self.present.retain(|number| *number != leader);
        let killed = self.cast.kill(leader);
        let took = self.succession().saturating_sub(killed);
        self.join();
        took
    }

    /// Has the leader give its lock back, and waits until the next one leads. How long nobody did.
    pub(crate) fn ask_the_leader_to_leave(&mut self) -> Duration {
        self.cast.say(self.leader, "leave");
        let left = self.cast.wait_for(|told| told.event == "leaves").at;
        self.succession().saturating_sub(left)
    }
}
