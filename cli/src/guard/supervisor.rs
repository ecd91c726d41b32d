//! The guard's loop: what happens is put to [`Watch`], what it decides is done.

use std::io;
use std::os::fd::OwnedFd;
use std::process::{ExitCode, Stdio};

use nix::sys::signal::SigSet;
use nix::sys::signalfd::{SfdFlags, SignalFd};
use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::{Errno, FdFlags, fcntl_setfd};
use rustix::process::{
    Pid, PidfdFlags, Signal, getpid, getppid, kill_process_group, pidfd_open, pidfd_send_signal,
    setsid,
};
use rustix::thread::set_name;
use tenure::time::Nanos;

use super::channel::{Channel, Peer};
use super::clocks::{self, Alarm};
use super::launch;
use super::protocol::{Order, Report, Start};
use super::tree;
use super::watch::{Action, Watch};

/// Runs the guard over the socket that is its standard input.
pub(super) fn main() -> ExitCode {
    let Ok(socket) = rustix::io::fcntl_dupfd_cloexec(rustix::stdio::stdin(), 3) else {
        return ExitCode::FAILURE;
    };
    let mut channel = Channel::new(socket);
    match Tools::prepare() {
        Ok(tools) => Supervisor::new(channel, tools).run(),
        Err(error) => {
            // A program that does not hear this sees the socket close.
            let _ = channel.send(&Report::Refused(format!("no guard: {error}")), Vec::new());
            ExitCode::FAILURE
        }
    }
}

/// What the guard has from the kernel.
struct Tools {
    alarm: Alarm,
    children: SignalFd,
    program: OwnedFd,
}

impl Tools {
    fn prepare() -> io::Result<Self> {
        set_name(c"jobguard")?;
        setsid()?;
        tree::adopt_orphans()?;
        // The guard ends when it is done, and not by a signal that is meant for the job or for the whole container.
        SigSet::all().thread_block()?;
        let mut child = SigSet::empty();
        child.add(nix::sys::signal::Signal::SIGCHLD);
        // Should the program have died already, its socket is closed, and nothing is ever done to this parent.
        let parent = getppid().ok_or_else(|| io::Error::other("it has no parent process"))?;
        tree::check_proc()?;
        Ok(Self {
            alarm: Alarm::new()?,
            children: SignalFd::with_flags(&child, SfdFlags::SFD_CLOEXEC | SfdFlags::SFD_NONBLOCK)?,
            program: pidfd_open(parent, PidfdFlags::empty())?,
        })
    }
}

struct Supervisor {
    channel: Channel<OwnedFd>,
    /// The job itself, until it was waited for.
    job: Option<Pid>,
    /// Keeps the lock until the guard exits.
    lock: Option<OwnedFd>,
    program_died: bool,
    tools: Tools,
    unkillable: Vec<Pid>,
    watch: Watch,
}

impl Supervisor {
    fn new(channel: Channel<OwnedFd>, tools: Tools) -> Self {
        Self {
            channel,
            job: None,
            lock: None,
            program_died: false,
            tools,
            unkillable: Vec::new(),
            watch: Watch::new(),
        }
    }

    fn run(mut self) -> ExitCode {
        loop {
            self.listen();
            match self.act() {
                Ok(None) => return ExitCode::SUCCESS,
                Ok(Some(wait)) => {
                    if let Err(error) = self.wait(wait) {
                        return fail(&error);
                    }
                }
                Err(error) => return fail(&error),
            }
        }
    }

    /// Takes in what the program says.
    fn listen(&mut self) {
        if self.program_died {
            return;
        }
        // The end comes before the orders: a program that has died starts nothing any more.
        if !matches!(self.channel.receive(), Ok(Peer::There)) {
            self.program_is_dead();
        }
        loop {
            match self.channel.take() {
                Ok(None) => return,
                Ok(Some(order)) => self.obey(order),
                Err(_) => return self.program_is_dead(),
            }
        }
    }

    fn program_is_dead(&mut self) {
        self.program_died = true;
        self.watch.program_died();
    }

    /// A program that has died hears nothing, and the next turn sees that it has.
    fn tell(&mut self, report: &Report) {
        let _ = self.channel.send(report, Vec::new());
    }

    fn obey(&mut self, order: Order) {
        match order {
            Order::Watch(deadline, silent) => {
                let descriptors = self.channel.take_descriptors();
                let report = match self.keep(descriptors) {
                    Ok(()) => Report::Ready,
                    Err(why) => Report::Refused(why),
                };
                self.watch.begin(deadline, silent, clocks::now());
                self.tell(&report);
            }
            Order::Start(start) => {
                let descriptors = self.channel.take_descriptors();
                let report = match self.start(start, descriptors) {
                    Ok(job) => Report::Started(job.as_raw_nonzero().get()),
                    Err(why) => Report::Refused(why),
                };
                self.tell(&report);
            }
            Order::Extend(deadline) => self.watch.extend(deadline, clocks::now()),
            Order::Signal(signal) => {
                self.watch.ask_to_stop();
                self.signal_job(signal);
            }
            Order::Stop(signal) => {
                if self.watch.ask_to_stop() {
                    self.signal_job(signal);
                }
            }
            Order::Kill => self.watch.kill(),
        }
    }

    /// Keeps the lock, and has jobs inherit it, so that the kernel frees it only after the last process of the last job.
    fn keep(&mut self, descriptors: Vec<OwnedFd>) -> Result<(), String> {
        self.lock = descriptors.into_iter().next();
        if let Some(lock) = &self.lock {
            fcntl_setfd(lock, FdFlags::empty())
                .map_err(|error| format!("the lock cannot be passed on to jobs: {error}"))?;
        }
        Ok(())
    }

    fn start(&mut self, start: Start, descriptors: Vec<OwnedFd>) -> Result<Pid, String> {
        let stdin = descriptors
            .into_iter()
            .next()
            .ok_or("the job's standard input did not arrive")?;
        if !self.watch.admits(clocks::now()) {
            return Err("the deadline has passed, or another job is there".to_owned());
        }
        let child = launch::command(getpid(), &start.command)
            .envs(start.environment)
            .stdin(Stdio::from(stdin))
            .spawn()
            .map_err(|error| format!("no process for the job: {error}"))?;
        let job = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
        self.job = job;
        self.watch.started();
        job.ok_or_else(|| "the job's process has no number".to_owned())
    }

    /// Signals the job's process group, and wakes it if it is stopped.
    ///
    /// Only while the job itself was not waited for: until then the group's number cannot be a stranger's.
    fn signal_job(&self, number: i32) {
        let Some((job, signal)) = self.job.zip(Signal::from_named_raw(number)) else {
            return;
        };
        // A group that cannot be signalled is killed one by one when its time has come.
        let _ = kill_process_group(job, signal);
        let _ = kill_process_group(job, Signal::CONT);
    }

    /// Does what is due. Returns how long to wait for the next event, or nothing when the guard's work is over.
    fn act(&mut self) -> io::Result<Option<Option<Nanos>>> {
        loop {
            while self.tools.children.read_signal()?.is_some() {}
            let reaped = tree::reap()?;
            for (pid, end) in reaped.ended {
                self.unkillable.retain(|other| *other != pid);
                if self.job == Some(pid) {
                    self.job = None;
                    self.watch.job_ended();
                    self.tell(&Report::Ended(end));
                }
            }
            match self.watch.decide(clocks::now(), reaped.children) {
                Action::Wait(wait) => return Ok(Some(wait)),
                Action::Kill(again) => {
                    self.kill()?;
                    return Ok(Some(Some(again)));
                }
                Action::AskJob => self.signal_job(Signal::TERM.as_raw()),
                Action::AskLeftOver => {
                    tree::signal(Signal::TERM)?;
                    tree::signal(Signal::CONT)?;
                }
                Action::TellGone(cause) => self.tell(&Report::Gone(cause)),
                Action::EndProgram => {
                    super::complain(
                        "guard: the program is stopped or hangs past its deadline: it is ended",
                    );
                    // It has other rights than its guard when this fails, and keeps the lock.
                    let _ = pidfd_send_signal(&self.tools.program, Signal::KILL);
                }
                Action::Exit => return Ok(None),
            }
        }
    }

    fn kill(&mut self) -> io::Result<()> {
        if let Some(job) = self.job {
            // At one stroke first, so that no member of the group forks away.
            let _ = kill_process_group(job, Signal::KILL);
        }
        for (pid, error) in tree::signal(Signal::KILL)? {
            if !self.unkillable.contains(&pid) {
                self.unkillable.push(pid);
                super::complain(&format!(
                    "guard: process {pid} of the job cannot be killed: {error}: end it by hand, nobody else leads before"
                ));
            }
        }
        Ok(())
    }

    /// Waits until something happens or `wait` is over.
    fn wait(&self, wait: Option<Nanos>) -> io::Result<()> {
        self.tools.alarm.set(wait)?;
        let mut talking = PollFlags::IN;
        if self.channel.wants_to_send() {
            talking |= PollFlags::OUT;
        }
        let mut events = vec![
            PollFd::new(&self.tools.children, PollFlags::IN),
            PollFd::new(&self.tools.alarm, PollFlags::IN),
        ];
        if !self.program_died {
            events.push(PollFd::new(self.channel.socket(), talking));
            events.push(PollFd::new(&self.tools.program, PollFlags::IN));
        }
        match poll(&mut events, None) {
            Ok(_) | Err(Errno::INTR) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }
}

/// Without what it needs from the kernel a guard guards nothing.
fn fail(error: &io::Error) -> ExitCode {
    super::complain(&format!("the guard fails: {error}: its job is killed"));
    // Should this fail too, the guard's own death ends the job, and the program what the job has left.
    let _ = tree::kill_and_wait();
    ExitCode::FAILURE
}
