use std::future::poll_fn;
use std::task::Poll;
use std::time::Duration;

use rustix::process::Signal;
use tenure::LockBackend as _;
use tenure::file::FileLock;
use tenure::host::SystemClock;
use tenure::time::{Clock as _, Reading};
use tokio::signal::unix::SignalKind;

use super::cast::{Candidate, Condition, Stage};
use super::journal::{self, Entry, Kind};
use super::picture::{COLUMN, Mark, View};
use super::verdict::{Handover, Verdict};
use crate::exit::{Exit, Failure};

/// How often the lock is looked at: as exact as the handovers are told.
const LOOK: Duration = Duration::from_millis(2);
/// How often everything else is looked at.
const REST: Duration = Duration::from_millis(50);
/// How many fires are let be between two faults.
const FIRES_BETWEEN: usize = 3;
/// The longest that anything in the demo may take. Two orders of magnitude more than it does on an idle machine.
const PATIENCE: Duration = Duration::from_secs(15);
/// When in a second a fault comes: the job of that second is over then.
const QUIET_FROM: Duration = Duration::from_millis(550);
const QUIET_TO: Duration = Duration::from_millis(750);

/// What is done to a leader.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Fault {
    Killed,
    Stopped,
    Asked,
}

/// The three things that happen to leaders, in order.
const FAULTS: [Fault; super::FAULTS] = [Fault::Killed, Fault::Stopped, Fault::Asked];

impl Fault {
    fn cause(self) -> &'static str {
        match self {
            Self::Killed => "was killed (SIGKILL)",
            Self::Stopped => "was stopped (SIGSTOP)",
            Self::Asked => "was asked to leave (SIGTERM)",
        }
    }

    fn signal(self) -> Signal {
        match self {
            Self::Killed => Signal::KILL,
            Self::Stopped => Signal::STOP,
            Self::Asked => Signal::TERM,
        }
    }

    fn mark(self) -> Mark {
        match self {
            Self::Killed => Mark::Killed,
            Self::Stopped => Mark::Stopped,
            Self::Asked => Mark::Asked,
        }
    }
}

#[derive(Clone, PartialEq, Eq, Debug)]
struct Leader {
    name: String,
    token: u64,
}

/// One run of the demo.
pub(super) struct Story<'a> {
    began: Reading,
    cast: Vec<Candidate>,
    clock: SystemClock,
    entries: Vec<Entry>,
    fires: usize,
    handovers: Vec<Handover>,
    interrupts: tokio::signal::unix::Signal,
    leader: Option<Leader>,
    lock: FileLock,
    next_column: Duration,
    next_rest: Duration,
    stage: &'a Stage,
    view: View,
}

impl<'a> Story<'a> {
    pub(super) fn begin(stage: &'a Stage, names: &[String], view: View) -> Result<Self, Failure> {
        let clock = SystemClock::new();
        let interrupts = tokio::signal::unix::signal(SignalKind::interrupt())?;
        let lock = FileLock::open(stage.lock()).map_err(Failure::unavailable)?;
        let cast = names
            .iter()
            .map(|name| Candidate::start(stage, name))
            .collect::<Result<_, _>>()?;
        Ok(Self {
            began: clock.now(),
            cast,
            clock,
            entries: Vec::new(),
            fires: 0,
            handovers: Vec::new(),
            interrupts,
            leader: None,
            lock,
            next_column: Duration::ZERO,
            next_rest: Duration::ZERO,
            stage,
            view,
        })
    }

    /// Plays the demo to its end.
    pub(super) async fn play(mut self) -> Result<Verdict, Failure> {
        self.tell("five processes of `tenure cron` want one lock; the one that has it runs a job every second")?;
        self.until("nobody led", |story| story.leader.is_some())
            .await?;
        for fault in FAULTS {
            self.quiet_moment(FIRES_BETWEEN).await?;
            self.strike(fault).await?;
        }
        self.quiet_moment(FIRES_BETWEEN).await?;
        let last = self.clock.wall().unix_seconds();
        self.tell("the rest are asked to leave")?;
        for candidate in &mut self.cast {
            candidate.signal(Signal::TERM)?;
        }
        self.until("a process did not end", |story| {
            story
                .cast
                .iter()
                .all(|candidate| candidate.condition == Condition::Gone)
        })
        .await?;
        Ok(Verdict::of(&self.entries, last, self.handovers))
    }

    /// Does something to the leader, and waits for the next one.
    async fn strike(&mut self, fault: Fault) -> Result<(), Failure> {
        let Some(old) = self.leader.clone() else {
            return Err(Failure::failed("the demo went wrong: nobody leads"));
        };
        self.tell(&format!("{} {}", old.name, fault.cause()))?;
        self.view.mark(&old.name, fault.mark());
        self.view.draw()?;
        let struck = self.clock.now();
        self.signal(&old.name, fault.signal())?;
        let token = old.token;
        self.until("nobody took over", move |story| {
            story
                .leader
                .as_ref()
                .is_some_and(|leader| leader.token > token)
        })
        .await?;
        let took = self.clock.now().longest_since(struck).into();
        if let Some(new) = &self.leader {
            let to = new.name.clone();
            self.handovers.push(Handover {
                cause: fault.cause(),
                from: old.name.clone(),
                took,
                to,
            });
        }
        if fault == Fault::Stopped {
            self.wake_up(&old.name)?;
        }
        Ok(())
    }

    fn wake_up(&mut self, name: &str) -> Result<(), Failure> {
        for candidate in self
            .cast
            .iter_mut()
            .filter(|candidate| candidate.name == name)
        {
            candidate.look()?;
        }
        let gone = self
            .cast
            .iter()
            .any(|c| c.name == name && c.condition == Condition::Gone);
        if gone {
            return self.tell(&format!(
                "{name} had been ended by its guard: SIGCONT finds nobody"
            ));
        }
        self.tell(&format!("{name} is continued (SIGCONT)"))?;
        self.view.mark(name, Mark::Continued);
        self.signal(name, Signal::CONT)
    }

    fn signal(&mut self, name: &str, signal: Signal) -> Result<(), Failure> {
        for candidate in self
            .cast
            .iter_mut()
            .filter(|candidate| candidate.name == name)
        {
            candidate.signal(signal)?;
        }
        Ok(())
    }

    /// Waits for so many more fires, and then for the part of a second in which no job runs.
    async fn quiet_moment(&mut self, fires: usize) -> Result<(), Failure> {
        let enough = self.fires + fires;
        self.until("nobody ran the job", move |story| {
            let into_second = Duration::from_micros(story.clock.wall().unix_micros() % 1_000_000);
            story.fires >= enough
                && story.all_ended()
                && (QUIET_FROM..QUIET_TO).contains(&into_second)
        })
        .await
    }

    fn all_ended(&self) -> bool {
        let ends = self
            .entries
            .iter()
            .filter(|entry| entry.kind == Kind::End)
            .count();
        ends == self.fires
    }

    async fn until(
        &mut self,
        otherwise: &str,
        done: impl Fn(&Self) -> bool,
    ) -> Result<(), Failure> {
        let began = self.clock.now();
        loop {
            self.look().await?;
            if done(self) {
                return Ok(());
            }
            if self.clock.now().longest_since(began) > PATIENCE.into() {
                return Err(Failure::failed(format!(
                    "the demo went wrong: {otherwise} within {} s",
                    PATIENCE.as_secs()
                )));
            }
            self.clock.sleep(LOOK).await;
        }
    }

    /// Sees what has happened, tells it and draws it.
    async fn look(&mut self) -> Result<(), Failure> {
        if poll_fn(|context| Poll::Ready(self.interrupts.poll_recv(context).is_ready())).await {
            let mut failure = Failure::failed("interrupted: all processes of the demo are ended");
            failure.exit = Exit::Signal(2);
            return Err(failure);
        }
        let seen = self.lock.observe().await.map_err(Failure::unavailable)?;
        // For a moment a new holder has the lock and has not written its name yet.
        let holder = seen
            .holder()
            .filter(|holder| holder.incarnation().is_some());
        let leader = holder.zip(seen.token).map(|(holder, token)| Leader {
            name: holder.name().to_owned(),
            token: token.value(),
        });
        if let Some(leader) = &leader
            && self.leader.as_ref() != Some(leader)
        {
            let Leader { name, token } = leader;
            self.tell(&format!("{name} leads with token {token}"))?;
        }
        if leader.is_some() {
            self.leader = leader;
        }
        let elapsed = self.elapsed();
        if elapsed >= self.next_rest {
            self.next_rest = elapsed + REST;
            self.look_at_the_rest(elapsed)?;
        }
        Ok(())
    }

    fn look_at_the_rest(&mut self, elapsed: Duration) -> Result<(), Failure> {
        if elapsed >= self.next_column {
            self.next_column = elapsed + COLUMN;
            self.view.advance();
        }
        for candidate in &mut self.cast {
            let before = candidate.condition;
            let condition = candidate.look()?;
            let leads = self
                .leader
                .as_ref()
                .is_some_and(|leader| leader.name == candidate.name);
            self.view.mark(&candidate.name, Mark::of(condition, leads));
            if before == Condition::Stopped && condition == Condition::Gone {
                let name = &candidate.name;
                self.view.tell(
                    elapsed,
                    &format!("{name} is ended by its guard: it was in everybody's way"),
                )?;
            }
        }
        let entries = journal::read(&self.stage.journal())?;
        for entry in entries
            .iter()
            .skip(self.entries.len())
            .filter(|entry| entry.kind == Kind::Start)
        {
            self.fires += 1;
            let second = entry.scheduled % 60;
            self.view.mark(&entry.candidate, Mark::Fires);
            self.view.tell(
                elapsed,
                &format!("{} runs the fire of second {second:02}", entry.candidate),
            )?;
        }
        self.entries = entries;
        Ok(self.view.draw()?)
    }

    fn elapsed(&self) -> Duration {
        self.clock.now().longest_since(self.began).into()
    }

    fn tell(&mut self, what: &str) -> Result<(), Failure> {
        let elapsed = self.elapsed();
        Ok(self.view.tell(elapsed, what)?)
    }
}
