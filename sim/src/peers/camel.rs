//! Camel's `KubernetesClusterService` over a Lease, as Camel 4.18 has it: one chain of one-shot tasks that reads the Lease and then the
//! pods, and a notifier that believes in a leader for a time. Whether the holder lives is told from its pod alone: the Lease's own times
//! are never looked at. Its work is what was measured: a route from a `master:` endpoint, which starts a second after it is told.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use tenure_core::{Nanos, Nonce, Version, WallTime};

use super::model::{Answer, Ask, Call, Input, Lease, Model, Now, Output};
use crate::plan::Span;

/// How a candidate is configured: the pod's name, and `leaseDurationMillis`; the other times in the proportions of the defaults.
#[derive(Clone, Debug)]
pub(super) struct CamelConfig {
    pub(super) lease_duration: Span,
    pub(super) pod: Arc<str>,
}

/// The HTTP client's timeout, as fabric8's client has it unless set.
const REQUEST_TIMEOUT: Nanos = Nanos::from_millis(10_000);

/// After how long a `master:` endpoint starts what it consumes from, once it has been told that it leads: its first attempt is made
/// by a task with this initial delay.
const CONSUMES_AFTER: Nanos = Nanos::from_millis(1_000);

/// How much after the end of a belief the notifier's timer looks.
const LOOK_LATE: Duration = Duration::from_millis(10);

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum State {
    NotStarted,
    NotLeader,
    /// Sleeps for the lease duration, and looks at nothing meanwhile.
    BecomingLeader,
    Leader,
    /// The chain of tasks is broken: nothing runs ever again but the notifier's timer.
    Broken,
    Ended,
}

#[derive(Clone, PartialEq, Eq, Debug)]
enum Step {
    GetLease,
    GetPods(Option<(Lease, Version)>),
    /// Whether it leads at once when it gets the lock.
    Acquire(Option<Arc<str>>),
    Renew,
}

#[derive(Clone, PartialEq, Eq, Debug)]
enum Doing {
    Asking {
        call: Call,
        step: Step,
        times_out: Nanos,
    },
    Waiting {
        until: Nanos,
    },
}

/// `TimedLeaderNotifier`: believes in its own leadership until a moment of the wall clock.
#[derive(Clone, Copy, Debug)]
struct Belief {
    until: WallTime,
}

/// One candidate.
#[derive(Debug)]
pub(super) struct Camel {
    belief: Option<Belief>,
    calls: u64,
    config: CamelConfig,
    doing: Doing,
    outputs: VecDeque<Output>,
    polled_at: WallTime,
    /// When the endpoint starts to consume, while it waits for that.
    starts_at: Option<Nanos>,
    state: State,
    works: bool,
}

impl Camel {
    pub(super) fn new(config: CamelConfig) -> Self {
        Self {
            belief: None,
            calls: 0,
            config,
            doing: Doing::Waiting { until: Nanos::ZERO },
            outputs: VecDeque::new(),
            polled_at: WallTime::from_unix_micros(0),
            starts_at: None,
            state: State::NotStarted,
            works: false,
        }
    }

    fn lease_duration(&self) -> Duration {
        self.config.lease_duration.into()
    }

    fn renew_deadline(&self) -> Duration {
        self.lease_duration() / 15 * 10
    }

    /// `retryPeriod` and `jitterFactor` 1.2: up to a fifth longer.
    fn reschedule(&mut self, now: Now) {
        let period = Nanos::from(self.lease_duration() / 15 * 2);
        let until = now.after(period, Nanos::new(period.get() / 5));
        self.doing = Doing::Waiting { until };
    }

    fn ask(&mut self, now: Now, step: Step, ask: Ask) {
        self.calls += 1;
        let call = Call(self.calls);
        self.doing = Doing::Asking {
            call,
            step,
            times_out: now.clock.saturating_add(REQUEST_TIMEOUT),
        };
        self.outputs.push_back(Output::Send(call, ask));
    }

    fn refresh_status(&mut self, now: Now) {
        self.polled_at = now.wall;
        self.ask(now, Step::GetLease, Ask::Get);
    }

    fn answered(&mut self, now: Now, step: Step, answer: Answer) {
        match (step, answer) {
            (Step::GetLease, Answer::Missing) => self.ask(now, Step::GetPods(None), Ask::Pods),
            (Step::GetLease, Answer::Read(lease, version)) => {
                self.ask(now, Step::GetPods(Some((lease, version))), Ask::Pods);
            }
            (Step::GetPods(lease), Answer::Pods(pods)) => self.polled(now, lease, &pods),
            (Step::Acquire(holder), Answer::Written(_)) => self.acquired(now, holder.is_some()),
            (Step::Acquire(holder), _) => self.follow(now, holder),
            (Step::Renew, Answer::Written(_)) => self.reschedule(now),
            // Nobody catches this exception, and the task that it ends would have scheduled the next one.
            (Step::Renew, _) => {
                self.state = State::Broken;
                self.doing = Doing::Waiting { until: Nanos::MAX };
            }
            (Step::GetLease | Step::GetPods(_), _) => self.reschedule(now),
        }
    }

    fn polled(&mut self, now: Now, lease: Option<(Lease, Version)>, pods: &[Arc<str>]) {
        let holder = lease.as_ref().and_then(|(lease, _)| lease.holder.clone());
        let is_member = pods.contains(&self.config.pod);
        let is_holder = holder.as_ref() == Some(&self.config.pod);
        match self.state {
            State::Leader if is_holder && is_member => {
                let until = self.polled_at.saturating_add(self.renew_deadline());
                self.believe(now, Some(Belief { until }));
                match lease {
                    Some((lease, version)) if self.is_due(now, &lease) => {
                        self.renew(now, lease, version)
                    }
                    _ => self.reschedule(now),
                }
            }
            State::Leader => {
                self.state = State::NotLeader;
                self.believe(now, None);
                self.refresh_status(now);
            }
            _ if is_holder && is_member => self.acquired(now, true),
            _ if is_member && holder.as_ref().is_none_or(|holder| !pods.contains(holder)) => {
                self.acquire(now, holder, lease.map(|(_, version)| version));
            }
            _ => self.follow(now, holder),
        }
    }

    fn is_due(&self, now: Now, lease: &Lease) -> bool {
        now.wall.saturating_since(lease.renewed) > self.renew_deadline()
    }

    fn own_lease(&self, now: Now) -> Lease {
        Lease {
            duration: Nanos::from(self.lease_duration()),
            holder: Some(Arc::clone(&self.config.pod)),
            nonce: Nonce(now.wall.unix_micros()),
            renewed: now.wall,
        }
    }

    fn acquire(&mut self, now: Now, holder: Option<Arc<str>>, version: Option<Version>) {
        let own = self.own_lease(now);
        let ask = match version {
            Some(version) => Ask::Update(version, own),
            None => Ask::Create(own),
        };
        self.ask(now, Step::Acquire(holder), ask);
    }

    fn renew(&mut self, now: Now, lease: Lease, version: Version) {
        let renewed = Lease {
            renewed: now.wall,
            nonce: Nonce(now.wall.unix_micros()),
            ..lease
        };
        self.ask(now, Step::Renew, Ask::Update(version, renewed));
    }

    /// Leads at once when there was no holder, and after the lease duration when there was one.
    fn acquired(&mut self, now: Now, was_held: bool) {
        if was_held {
            self.state = State::BecomingLeader;
            let until = now.clock.saturating_add(self.lease_duration().into());
            self.doing = Doing::Waiting { until };
        } else {
            self.state = State::Leader;
            self.refresh_status(now);
        }
    }

    /// Tells its routes who leads, for the lease duration from now: also when that is itself, though it may not lead.
    fn follow(&mut self, now: Now, holder: Option<Arc<str>>) {
        let until = now.wall.saturating_add(self.lease_duration());
        let itself = holder.is_some_and(|holder| holder == self.config.pod);
        self.believe(now, itself.then_some(Belief { until }));
        self.reschedule(now);
    }

    fn believe(&mut self, now: Now, belief: Option<Belief>) {
        self.belief = belief;
        self.look(now);
    }

    /// Starts and stops the route by what is believed now.
    fn look(&mut self, now: Now) {
        let leads = self.belief.is_some_and(|belief| now.wall < belief.until);
        if !leads {
            self.starts_at = None;
            if std::mem::take(&mut self.works) {
                self.outputs.push_back(Output::Stop);
            }
        } else if !self.works {
            let starts_at = now.clock.saturating_add(CONSUMES_AFTER);
            let starts_at = *self.starts_at.get_or_insert(starts_at);
            if starts_at <= now.clock {
                self.starts_at = None;
                self.works = true;
                self.outputs.push_back(Output::Start);
            }
        }
    }

    fn abandon(&mut self) {
        if let Doing::Asking { call, .. } = self.doing {
            self.outputs.push_back(Output::Abandon(call));
        }
    }

    fn tick(&mut self, now: Now) {
        self.look(now);
        match self.doing.clone() {
            Doing::Asking {
                step, times_out, ..
            } if times_out <= now.clock => {
                self.abandon();
                self.answered(now, step, Answer::Failed);
            }
            Doing::Waiting { until } if until <= now.clock => {
                if self.state == State::BecomingLeader {
                    self.state = State::Leader;
                }
                self.refresh_status(now);
            }
            _ => {}
        }
    }

    /// The Lease is never given back.
    fn shut_down(&mut self, now: Now) {
        self.believe(now, None);
        self.abandon();
        self.state = State::Ended;
        self.doing = Doing::Waiting { until: Nanos::MAX };
        self.outputs.push_back(Output::Ended);
    }
}

impl Model for Camel {
    fn handle(&mut self, now: Now, input: Input) {
        match (self.state, input) {
            (State::Ended, _) => {}
            (State::NotStarted, Input::Tick) => {
                self.state = State::NotLeader;
                self.refresh_status(now);
            }
            (_, Input::Tick) => self.tick(now),
            (_, Input::ShutDown) => self.shut_down(now),
            (_, Input::Answered(answered, answer)) => {
                self.look(now);
                if let Doing::Asking { call, step, .. } = self.doing.clone()
                    && call == answered
                {
                    self.answered(now, step, answer);
                }
            }
        }
    }

    fn poll(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    fn due(&self, now: Now) -> Option<Nanos> {
        let next = match self.doing {
            Doing::Asking { times_out, .. } => times_out,
            Doing::Waiting { until } => until,
        };
        let believes = self.works || self.starts_at.is_some();
        let looks = self.belief.filter(|_| believes).map(|belief| {
            let left = belief.until.saturating_since(now.wall) + LOOK_LATE;
            now.clock.saturating_add(left.into())
        });
        let starts = self.starts_at.unwrap_or(Nanos::MAX);
        let due = looks.map_or(next, |looks| looks.min(next)).min(starts);
        Some(due).filter(|due| *due < Nanos::MAX && self.state != State::Ended)
    }
}
