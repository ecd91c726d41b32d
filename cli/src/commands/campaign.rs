//! One candidate's run for office, from the first try to the last signal.

use std::cell::Cell;
use std::future::{Future, pending};
use std::sync::Arc;
use std::time::Duration;

use tenure::elector::{ConfigError, Control, Events, Seed, Told};
use tenure::event::Event;
use tenure::host::{OnOverrun, SystemClock, ThreadWatchdog, random_bits};
use tenure::machine::State;
use tenure::time::Clock;
use tenure::{Election, Timing};

use crate::concurrent::{Either, beside, either};
use crate::exit::{Exit, Failure};
use crate::job::look_after_children;
use crate::open_lock::OpenLock;
use crate::options::{CandidateOptions, PatienceOptions, explain};
use crate::signals::{SignalQueue, Signals};

/// How long a candidate that leads nothing may take to say goodbye.
const GOODBYE: Duration = Duration::from_millis(500);

/// What all commands share that take part in an election.
#[derive(Debug)]
pub(super) struct Campaign {
    clock: SystemClock,
    control: Control,
    lock: OpenLock,
    signals: SignalQueue,
}

/// How a [`Campaign`] ended.
#[derive(Debug)]
pub(super) enum End<T> {
    /// The election's own future returned this.
    Elected(T),
    /// Somebody else had the lock for longer than it was to be waited for.
    GaveUp,
    /// It was ended while it led nothing.
    Left,
}

/// An election for `lock`, not started yet.
pub(super) fn election(
    lock: &OpenLock,
    candidate: &CandidateOptions,
    timing: Timing,
) -> Result<Election, Failure> {
    let seed = random_bits().map_err(Failure::failed)?;
    // A program that is stuck must not go on as if it led; its guard ends the job when it dies.
    let watchdog = ThreadWatchdog::start(OnOverrun::Abort).map_err(Failure::failed)?;
    let clock = Arc::new(SystemClock::new());
    Election::builder(Arc::clone(&lock.backend), clock, Seed::from_bits(seed))
        .candidate(candidate.name()?)
        .on_missing(candidate.on_missing())
        .timing(timing)
        .watchdog(Arc::new(watchdog))
        .build()
        .map_err(|error| match error {
            ConfigError::Timing(error) => Failure::usage(explain(&error)),
            error => Failure::usage(error.to_string()),
        })
}

impl Campaign {
    pub(super) fn new(election: &Election, lock: OpenLock, signals: SignalQueue) -> Self {
        Self {
            clock: SystemClock::new(),
            control: election.control(),
            lock,
            signals,
        }
    }

    /// Runs `elected`, the election's future, until it returns, a signal ends it, or `patience` does.
    pub(super) async fn run<T>(
        &self,
        patience: &PatienceOptions,
        elected: impl Future<Output = T>,
    ) -> Result<End<T>, Failure> {
        let cannot = |error| Failure::failed(format!("signals cannot be received: {error}"));
        let signals = Signals::listen().map_err(cannot)?;
        let events = self.control.events();
        let gave_up = Cell::new(false);
        let leave = async {
            let why = either(self.obey(signals), self.lose_patience(patience, events)).await;
            gave_up.set(matches!(why, Either::Second(())));
            self.control.shut_down();
            self.clock.sleep(GOODBYE).await;
        };
        let children = async {
            let Err(error) = look_after_children().await;
            tracing::error!("the children of this process cannot be waited for: {error}");
        };
        let end = beside(either(elected, leave), children).await;
        Ok(match end {
            Either::First(_) if gave_up.get() => End::GaveUp,
            Either::First(value) => End::Elected(value),
            Either::Second(()) => {
                let candidate = self.control.view().candidate;
                let withdraw = self.lock.withdraw(&candidate);
                either(withdraw, self.clock.sleep(GOODBYE)).await;
                if gave_up.get() {
                    End::GaveUp
                } else {
                    End::Left
                }
            }
        })
    }

    /// Passes signals on and shuts down in a planned way. Returns when a signal finds nothing led here.
    async fn obey(&self, mut signals: Signals) {
        loop {
            let number = signals.next().await;
            tracing::info!(signal = number, "told to end by a signal");
            self.signals.push(number);
            self.control.shut_down();
            if self.control.view().state == State::Following {
                return;
            }
        }
    }

    /// Returns when somebody else has the lock and it was said not to wait for it any longer.
    async fn lose_patience(&self, patience: &PatienceOptions, mut events: Events) {
        if patience.try_once {
            loop {
                match events.next().await {
                    Some(Told::Event(Event::Started { .. })) | None => break,
                    Some(Told::Event(Event::LeaderChanged {
                        leader: Some(holder),
                    })) => {
                        if !holder.is(&self.control.view().candidate) {
                            return;
                        }
                    }
                    Some(Told::Event(Event::Waiting { .. })) => return,
                    Some(_) => {}
                }
            }
        } else if let Some(wait) = patience.wait {
            let started = async {
                loop {
                    match events.next().await {
                        Some(Told::Event(Event::Started { .. })) | None => return,
                        Some(_) => {}
                    }
                }
            };
            if let Either::Second(()) = either(started, self.clock.sleep(wait)).await {
                return;
            }
        }
        pending().await
    }

    /// What to exit with when the election was ended before it had anything to say.
    pub(super) fn exit(&self, otherwise: Exit) -> u8 {
        self.signals
            .first()
            .map_or(otherwise, Exit::Signal)
            .status()
    }
}
