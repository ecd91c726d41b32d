//! The job that the candidates run: this test program again, with a task in its environment.

use std::env;
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::line::{Kind, Line, Run};
use crate::random::Random;
use crate::wait::{pause, wall_ms};
use crate::witness::{self, Witness};

/// Where log and witnesses are. A process without it is no job.
pub(crate) const FOLDER: &str = "TENURE_FAULTS_FOLDER";
/// The number of the candidate that runs the job.
pub(crate) const CANDIDATE: &str = "TENURE_FAULTS_CANDIDATE";
/// Which jobs there are: see [`Flavour::choose`].
pub(crate) const JOBS: &str = "TENURE_FAULTS_JOBS";
/// The run that a descendant belongs to.
const RUN: &str = "TENURE_FAULTS_RUN";

const RHYTHM: Duration = Duration::from_millis(10);

/// How a job behaves.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Flavour {
    /// Ends by itself soon, as a cron job does.
    Brief,
    /// Has a child in a session of its own and a grandchild without parent, and runs on.
    Family,
    /// Takes its time when it is asked to stop, and says when it has ended.
    Graceful,
    /// Ends by itself and leaves a grandchild without parent.
    Leaving,
    /// Dies of the first signal.
    Plain,
    /// Takes no notice of being asked to stop.
    Stubborn,
}

impl Flavour {
    fn choose(random: &mut Random) -> Self {
        if env::var(JOBS).is_ok_and(|jobs| jobs == "brief") {
            return Self::Brief;
        }
        random.weighted(&[
            (2, Self::Plain),
            (2, Self::Graceful),
            (2, Self::Stubborn),
            (2, Self::Family),
            (1, Self::Leaving),
        ])
    }
}

/// What is appended to by all runs.
pub(crate) fn log_path(folder: &Path) -> PathBuf {
    folder.join("log")
}

/// Where the witnesses are.
pub(crate) fn witness_folder(folder: &Path) -> PathBuf {
    folder.join("alive")
}

/// A command that becomes the job, for the end of a candidate's command line.
pub(crate) fn command_line() -> Vec<String> {
    let program = env::current_exe().expect("this program has a path");
    let program = program.to_str().expect("its path is text");
    [
        program,
        "--exact",
        "job::is_a_job_only_when_asked",
        "--nocapture",
    ]
    .map(str::to_owned)
    .to_vec()
}

/// One process of a run.
#[derive(Debug)]
struct Process {
    candidate: usize,
    fire_s: Option<i64>,
    folder: PathBuf,
    log: File,
    run: Run,
}

impl Process {
    fn from_environment(folder: PathBuf) -> Self {
        let text = |name| env::var(name).ok();
        let pid = i32::try_from(std::process::id()).expect("a process id fits");
        let token = text("TENURE_TOKEN").and_then(|token| token.parse().ok());
        let run = text(RUN)
            .and_then(|run| Run::parse(&run))
            .unwrap_or_else(|| Run {
                token: token.expect("TENURE_TOKEN is a decimal number"),
                first_pid: pid,
            });
        let candidate = text(CANDIDATE).and_then(|number| number.parse().ok());
        let mut options = OpenOptions::new();
        let log = options.append(true).create(true).open(log_path(&folder));
        Self {
            candidate: candidate.expect("a job has a candidate"),
            fire_s: text("TENURE_SCHEDULED_UNIX").map(|time| seconds(&time)),
            folder,
            log: log.expect("the log can be opened"),
            run,
        }
    }

    /// Appends one line, in one write.
    fn tell(&mut self, kind: Kind) {
        let line = Line {
            at_ms: wall_ms(),
            candidate: self.candidate,
            fire_s: self.fire_s,
            kind,
            pid: i32::try_from(std::process::id()).expect("a process id fits"),
            run: self.run,
        };
        let written = self.log.write(format!("{line}\n").as_bytes());
        written.expect("the log can be written");
    }

    /// Registers as alive and tells of everybody else who is.
    fn appear(&mut self) -> Witness {
        let folder = witness_folder(&self.folder);
        let witness = Witness::register(&folder, self.run);
        for other in witness::others_alive(&folder, self.run) {
            self.tell(Kind::Overlap(other));
        }
        witness
    }

    /// Tells `count` times that this process lives; all its life without a count.
    fn live(&mut self, count: Option<u64>) {
        let mut beats = 0;
        while count.is_none_or(|count| beats < count) {
            self.tell(Kind::Beat);
            pause(RHYTHM);
            beats += 1;
        }
    }

    fn run(&mut self) {
        let mut random = Random::from_seed(u64::from(std::process::id()));
        let flavour = Flavour::choose(&mut random);
        let _witness = self.appear();
        self.tell(Kind::Start);
        match flavour {
            Flavour::Brief => self.live(Some(random.below(20))),
            Flavour::Family => {
                self.descend("child");
                self.live(None);
            }
            Flavour::Graceful => self.live_until_asked(random.below(15)),
            Flavour::Leaving => {
                self.descend("child");
                self.live(Some(random.below(40)));
            }
            Flavour::Plain => self.live(None),
            Flavour::Stubborn => self.ignore_requests(),
        }
        self.tell(Kind::End);
    }

    /// Starts a descendant of this run.
    #[expect(
        clippy::zombie_processes,
        reason = "a job that leaves its dead behind is what its guard has to cope with"
    )]
    fn descend(&self, generation: &str) {
        let line = command_line();
        let child = Command::new(&line[0])
            .args(&line[1..])
            .env(RUN, format!("{}", self.run))
            .env("TENURE_FAULTS_GENERATION", generation)
            .stdin(Stdio::null())
            .spawn();
        child.expect("a descendant can be started");
    }

    fn live_until_asked(&mut self, beats_after: u64) {
        let (runtime, mut terminate) = terminations();
        loop {
            let asked = runtime
                .block_on(async { tokio::time::timeout(RHYTHM, terminate.recv()).await.is_ok() });
            self.tell(Kind::Beat);
            if asked {
                return self.live(Some(beats_after));
            }
        }
    }

    fn ignore_requests(&mut self) {
        let _requests = terminations();
        self.live(None);
    }

    /// The life of a child, in a session of its own, or of a grandchild whose parent is gone.
    fn run_as_descendant(&mut self, generation: &str) {
        let _ = rustix::process::setsid();
        let _witness = self.appear();
        if generation == "child" {
            self.descend("grandchild");
            if self.run.token.is_multiple_of(2) {
                return self.live(Some(3));
            }
        }
        self.live(None);
    }
}

/// Requests to terminate no longer kill this process.
fn terminations() -> (tokio::runtime::Runtime, Signal) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime can be made");
    let guard = runtime.enter();
    let signal = signal(SignalKind::terminate()).expect("a signal can be handled");
    drop(guard);
    (runtime, signal)
}

/// A scheduled time as seconds since 1970.
fn seconds(time: &str) -> i64 {
    time.parse()
        .expect("the scheduled time is a number of seconds")
}

/// Not a test of its own: the door through which this program becomes the job.
#[test]
fn is_a_job_only_when_asked() {
    let Ok(folder) = env::var(FOLDER) else { return };
    let mut process = Process::from_environment(PathBuf::from(folder));
    match env::var("TENURE_FAULTS_GENERATION") {
        Ok(generation) => process.run_as_descendant(&generation),
        Err(_) => process.run(),
    }
    std::process::exit(0);
}
