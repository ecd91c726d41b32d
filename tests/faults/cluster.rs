//! Five candidates as real processes, each started again when it has died.

use std::fs::{self, File};
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use rustix::process::Signal;

use crate::checker;
use crate::ensemble::Ensemble;
use crate::job;
use crate::line::{Kind, Line};
use crate::process;
use crate::program::program;
use crate::servers::Servers;
use crate::wait::{Stopwatch, poll, time_of_day};

/// How many candidates there are.
pub(crate) const CANDIDATES: usize = 5;

/// How long a dead candidate stays dead.
const RESTART: Duration = Duration::from_millis(50);

/// What the candidates want.
#[derive(Clone, Debug)]
pub(crate) enum Lock {
    /// A file, in this folder.
    File(PathBuf),
    /// A Lease.
    Lease(Arc<Servers>),
    /// Nodes of ZooKeeper.
    Nodes(Arc<Ensemble>),
}

/// What the candidates do.
#[derive(Clone, Debug)]
pub(crate) struct Task {
    pub(crate) lock: Lock,
    /// Whether all candidates have one name.
    pub(crate) namesakes: bool,
    /// The jobs to choose from: `brief` or `all`.
    pub(crate) jobs: &'static str,
    /// The subcommand of the program with its options.
    pub(crate) command: Vec<&'static str>,
}

/// One candidate's process, and since when it is dead.
#[derive(Debug)]
struct Candidate {
    child: Child,
    dead: Option<Stopwatch>,
}

impl Candidate {
    fn pid(&self) -> i32 {
        process::id(&self.child)
    }

    /// Whether it is dead, and its exit status taken.
    fn has_ended(&mut self) -> bool {
        if self.dead.is_none() && process::end(&mut self.child).is_some() {
            self.dead = Some(Stopwatch::start());
        }
        self.dead.is_some()
    }

    /// Whether it is dead for as long as whoever starts it again takes.
    fn is_due_again(&mut self) -> bool {
        self.has_ended()
            && self
                .dead
                .as_ref()
                .is_some_and(|dead| dead.elapsed() > RESTART)
    }
}

/// The candidates, and what they have left in the log so far. Ends everything that it started, also on a panic.
#[derive(Debug)]
pub(crate) struct Cluster {
    candidates: Vec<Candidate>,
    faults: Vec<String>,
    folder: PathBuf,
    lines: Vec<Line>,
    read_to: u64,
    task: Task,
    unfinished: String,
}

impl Cluster {
    /// Starts all candidates. `folder` is for the log, and for what the candidates say.
    pub(crate) fn start(folder: &Path, task: Task) -> Self {
        process::adopt_orphans();
        fs::create_dir_all(job::witness_folder(folder)).expect("a folder can be made");
        if let Lock::File(folder) = &task.lock {
            fs::create_dir_all(folder).expect("a folder can be made");
        }
        File::create(job::log_path(folder)).expect("a log can be made");
        let mut cluster = Self {
            candidates: Vec::new(),
            faults: Vec::new(),
            folder: folder.to_path_buf(),
            lines: Vec::new(),
            read_to: 0,
            task,
            unfinished: String::new(),
        };
        for number in 0..CANDIDATES {
            let candidate = cluster.spawn(number);
            cluster.candidates.push(candidate);
        }
        cluster
    }

    fn spawn(&self, number: usize) -> Candidate {
        let mut output = File::options();
        let output = output
            .append(true)
            .create(true)
            .open(self.folder.join(format!("candidate-{number}")))
            .expect("the output has a file");
        let errors = output.try_clone().expect("a descriptor can be doubled");
        let name = if self.task.namesakes { 0 } else { number };
        let mut command = Command::new(program());
        if let Lock::Lease(servers) = &self.task.lock {
            command.env("KUBECONFIG", servers.kubeconfig(number));
        }
        command
            .args(&self.task.command)
            .args(["--lock", &self.lock_url_of(number)])
            .args(["--candidate", &format!("candidate-{name}"), "--"])
            .args(job::command_line())
            .env(job::FOLDER, &self.folder)
            .env(job::CANDIDATE, number.to_string())
            .env(job::JOBS, self.task.jobs)
            .stdin(Stdio::null())
            .stdout(output)
            .stderr(errors);
        Candidate {
            child: process::start(&mut command),
            dead: None,
        }
    }

    /// The lock, as operators name it.
    pub(crate) fn lock_url(&self) -> String {
        self.lock_url_of(CANDIDATES)
    }

    /// The lock, as this candidate names it: by its own way.
    fn lock_url_of(&self, candidate: usize) -> String {
        match &self.task.lock {
            Lock::Nodes(ensemble) => ensemble.lock_url(candidate),
            Lock::File(_) => format!("file://{}", self.lock_file().display()),
            Lock::Lease(servers) => servers.lock_url(),
        }
    }

    /// The file that is locked.
    pub(crate) fn lock_file(&self) -> PathBuf {
        self.locks().join("job")
    }

    /// The folder of the lock.
    pub(crate) fn locks(&self) -> &Path {
        match &self.task.lock {
            Lock::File(folder) => folder,
            Lock::Lease(_) | Lock::Nodes(_) => panic!("only a file has a folder"),
        }
    }

    /// What the candidates want.
    pub(crate) fn lock(&self) -> &Lock {
        &self.task.lock
    }

    /// The servers of the Lease, which a test of Leases has.
    pub(crate) fn servers(&self) -> Arc<Servers> {
        match &self.task.lock {
            Lock::Lease(servers) => Arc::clone(servers),
            Lock::File(_) | Lock::Nodes(_) => panic!("only a Lease has an API server"),
        }
    }

    /// The servers of the nodes, which a test of ZooKeeper has.
    pub(crate) fn ensemble(&self) -> Arc<Ensemble> {
        match &self.task.lock {
            Lock::Nodes(ensemble) => Arc::clone(ensemble),
            Lock::File(_) | Lock::Lease(_) => panic!("only nodes have an ensemble"),
        }
    }

    /// The process of a candidate.
    pub(crate) fn pid(&self, candidate: usize) -> i32 {
        self.candidates[candidate].pid()
    }

    /// Starts the dead again and reads what is new in the log.
    pub(crate) fn tend(&mut self) {
        for number in 0..CANDIDATES {
            if self.candidates[number].is_due_again() {
                self.candidates[number] = self.spawn(number);
            }
        }
        process::reap_orphans();
        self.read();
    }

    fn read(&mut self) {
        let mut log = File::open(job::log_path(&self.folder)).expect("the log can be opened");
        log.seek(SeekFrom::Start(self.read_to))
            .expect("the log has this place");
        let mut text = String::new();
        let bytes = log.read_to_string(&mut text).expect("the log is text");
        self.read_to += u64::try_from(bytes).expect("a count fits");
        self.unfinished.push_str(&text);
        while let Some((line, rest)) = self.unfinished.split_once('\n') {
            let line =
                Line::parse(line).unwrap_or_else(|| panic!("a line of the log is torn: {line}"));
            let rest = rest.to_owned();
            self.lines.push(line);
            self.unfinished = rest;
        }
    }

    /// The newest run's start.
    pub(crate) fn newest_start(&self) -> Option<&Line> {
        self.lines.iter().rfind(|line| line.kind == Kind::Start)
    }

    /// How many runs there were.
    pub(crate) fn starts(&self) -> usize {
        let starts = self.lines.iter().filter(|line| line.kind == Kind::Start);
        starts.count()
    }

    /// Waits until a run is alive. Nobody leading for long is a failure too.
    pub(crate) fn wait_for_a_run(&mut self) {
        let alive = poll(|| {
            self.tend();
            let newest = self.newest_start()?;
            process::is_alive(newest.run.first_pid).then_some(())
        });
        assert!(alive.is_some(), "nobody runs the job\n{}", self.story());
    }

    /// Asks all candidates to end, and waits until nothing of them is left.
    pub(crate) fn shut_down(mut self) -> Vec<Line> {
        for candidate in &self.candidates {
            process::signal(candidate.pid(), Signal::CONT);
            process::signal(candidate.pid(), Signal::TERM);
        }
        let ended = poll(|| {
            self.candidates
                .retain_mut(|candidate| !candidate.has_ended());
            self.candidates.is_empty().then_some(())
        });
        assert!(
            ended.is_some(),
            "a candidate did not end when asked\n{}",
            self.story()
        );
        let gone = poll(|| {
            process::reap_orphans();
            self.processes().is_empty().then_some(())
        });
        assert!(
            gone.is_some(),
            "processes are left behind: {:?}\n{}",
            self.processes(),
            self.story()
        );
        self.read();
        std::mem::take(&mut self.lines)
    }

    /// Every living process that the candidates, their guards and their jobs have started.
    fn processes(&self) -> Vec<i32> {
        process::with_environment(&format!("{}={}", job::FOLDER, self.folder.display()))
    }

    /// What lives of the runs under a token.
    fn processes_of(&self, token: u128) -> Vec<i32> {
        let ours = self.processes();
        let mut of_the_run = process::with_environment(&format!("TENURE_TOKEN={token}"));
        of_the_run.retain(|pid| ours.contains(pid));
        of_the_run
    }

    /// Kills what is left of the runs under a token, until nothing is: something may just be starting.
    pub(crate) fn kill_run(&self, token: u128) {
        let _ = poll(|| {
            let of_the_run = self.processes_of(token);
            of_the_run
                .iter()
                .for_each(|pid| process::signal(*pid, Signal::KILL));
            of_the_run.is_empty().then_some(())
        });
    }

    /// Waits until nothing lives of the runs under a token.
    pub(crate) fn await_end_of(&mut self, token: u128) {
        let gone = poll(|| {
            self.tend();
            self.processes_of(token).is_empty().then_some(())
        });
        assert!(
            gone.is_some(),
            "the runs under token {token} do not end\n{}",
            self.story()
        );
    }

    /// Writes down what is done to the candidates, beside what they say.
    pub(crate) fn note(&mut self, fault: &str) {
        self.faults.push(format!("{} {fault}", time_of_day()));
    }

    /// What a person needs who looks for the reason of a failure.
    pub(crate) fn story(&self) -> String {
        let overlaps = checker::overlaps(&self.lines);
        let mut story = format!("overlaps so far: {overlaps:#?}\nfaults:\n");
        for fault in &self.faults {
            story += &format!("    {fault}\n");
        }
        for number in 0..CANDIDATES {
            let path = self.folder.join(format!("candidate-{number}"));
            story += &format!("--- {}\n{}\n", path.display(), last_lines(&path, 15));
        }
        let log = job::log_path(&self.folder);
        story + &format!("--- {}\n{}\n", log.display(), last_lines(&log, 15))
    }
}

fn last_lines(path: &Path, count: usize) -> String {
    let text = fs::read_to_string(path).unwrap_or_default();
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(count)..].join("\n")
}

impl Drop for Cluster {
    fn drop(&mut self) {
        for candidate in &self.candidates {
            process::signal(candidate.pid(), Signal::KILL);
        }
        // A guard may just be starting something: look again until nothing is found.
        let _ = poll(|| {
            let left = self.processes();
            left.iter()
                .for_each(|pid| process::signal(*pid, Signal::KILL));
            process::reap_orphans();
            left.is_empty().then_some(())
        });
        for candidate in &mut self.candidates {
            let _ = poll(|| candidate.has_ended().then_some(()));
        }
    }
}
