//! Candidates that are processes of their own, each of which tells what happens to it.

use std::cell::RefCell;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use rustix::time::{ClockId, clock_gettime};

use crate::process::start_bound;

/// How long anything may take before the test fails, on a machine that is busy with much else.
const PATIENCE: Duration = Duration::from_secs(30);

/// A line that a candidate told: `<nanoseconds of CLOCK_BOOTTIME> <event> <about whom> <anything more>`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Told {
    /// When, by the clock that all processes of a machine share.
    pub at: Duration,
    /// The number of the candidate that told it.
    pub by: usize,
    /// What happened.
    pub event: String,
    /// To whom.
    pub whom: String,
    /// The rest of the line.
    pub more: String,
}

impl Told {
    fn parse(by: usize, line: &str) -> Option<Self> {
        let mut words = line.splitn(4, ' ');
        let at = Duration::from_nanos(words.next()?.parse().ok()?);
        let mut word = || words.next().map(str::to_owned);
        Some(Self {
            at,
            by,
            event: word()?,
            whom: word()?,
            more: word().unwrap_or_default(),
        })
    }

    fn show(&self) {
        let Self {
            at,
            by,
            event,
            whom,
            more,
        } = self;
        eprintln!("{at:?} {by}: {event} {whom} {more}");
    }
}

/// Several such processes. They end with it.
#[derive(Debug)]
pub struct Cast {
    candidates: Vec<Candidate>,
    sender: Sender<Told>,
    /// What was read, for whoever looks into a failure.
    story: RefCell<Vec<Told>>,
    told: Receiver<Told>,
}

#[derive(Debug)]
struct Candidate {
    child: Child,
    commands: Option<ChildStdin>,
}

impl Default for Cast {
    fn default() -> Self {
        Self::new()
    }
}

impl Cast {
    /// Nobody yet.
    pub fn new() -> Self {
        let (sender, told) = channel();
        Self {
            candidates: Vec::new(),
            sender,
            story: RefCell::default(),
            told,
        }
    }

    /// Starts a candidate, and says its number.
    ///
    /// # Panics
    /// As all here, when the operating system does not do what is asked of it.
    pub fn start(&mut self, command: &Command) -> usize {
        let number = self.candidates.len();
        let mut child = start_bound(command, |command| {
            command.stdin(Stdio::piped()).stdout(Stdio::piped());
        });
        let output = child.stdout.take().unwrap();
        let sender = self.sender.clone();
        std::thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                // What a test program says of itself is no event.
                let Some(told) = Told::parse(number, &line) else {
                    continue;
                };
                if sender.send(told).is_err() {
                    return;
                }
            }
        });
        let commands = child.stdin.take();
        self.candidates.push(Candidate { child, commands });
        number
    }

    /// The next thing that anybody tells.
    ///
    /// # Panics
    /// When nobody tells anything for half a minute.
    pub fn next(&self) -> Told {
        let told = self.told.recv_timeout(PATIENCE);
        let told = told.expect("some candidate tells something in time");
        self.story.borrow_mut().push(told.clone());
        told
    }

    /// What was told and not read yet.
    pub fn heard(&self) -> Vec<Told> {
        let told: Vec<Told> = self.told.try_iter().collect();
        self.story.borrow_mut().extend_from_slice(&told);
        told
    }

    /// Reads what is told until it is what was waited for; the rest is forgotten.
    pub fn wait_for(&self, what: impl Fn(&Told) -> bool) -> Told {
        loop {
            let told = self.next();
            if what(&told) {
                return told;
            }
        }
    }

    /// Tells a candidate a line.
    pub fn say(&mut self, number: usize, line: &str) {
        let commands = self.candidates[number].commands.as_mut().unwrap();
        commands.write_all(format!("{line}\n").as_bytes()).unwrap();
    }

    /// Its process id.
    pub fn id(&self, number: usize) -> u32 {
        self.candidates[number].child.id()
    }

    /// Sends its process a signal, and says when.
    pub fn signal(&self, number: usize, signal: Signal) -> Duration {
        let pid = i32::try_from(self.id(number)).unwrap();
        let at = boottime();
        kill_process(Pid::from_raw(pid).unwrap(), signal).unwrap();
        at
    }

    /// Kills its process, waits until it is gone, and says when it was killed.
    pub fn kill(&mut self, number: usize) -> Duration {
        let at = self.signal(number, Signal::KILL);
        self.wait_for_end(number);
        at
    }

    /// Waits until its process has ended by itself.
    pub fn wait_for_end(&mut self, number: usize) {
        let child = &mut self.candidates[number].child;
        child.wait().unwrap();
    }
}

impl Drop for Cast {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.story.borrow().iter().for_each(Told::show);
        }
        for candidate in &mut self.candidates {
            // One that has ended already is as good.
            drop(candidate.child.kill());
            drop(candidate.child.wait());
        }
    }
}

/// The time by the clock that all processes of a machine share.
pub fn boottime() -> Duration {
    let time = clock_gettime(ClockId::Boottime);
    let seconds = u64::try_from(time.tv_sec).unwrap();
    Duration::new(seconds, u32::try_from(time.tv_nsec).unwrap())
}
