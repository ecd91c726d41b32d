//! client-go's leader election, as `tools/leaderelection/leaderelection.go` and `resourcelock/leaselock.go` have it at commit 32ce75a
//! (July 2026), with the loops of apimachinery's `util/wait`. Its comments there name what each of its steps is for; here it is one
//! machine whose requests, waits and deadlines are explicit.

use std::collections::VecDeque;
use std::sync::Arc;

use tenure_core::{Nanos, Nonce, Version, WallTime};

use super::model::{Answer, Ask, Call, Input, Lease, Model, Now, Output};
use crate::plan::Span;

/// What client-go calls the parts of its timing.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct GoTiming {
    /// `LeaseDuration`.
    pub lease_duration: Span,
    /// `RenewDeadline`.
    pub renew_deadline: Span,
    /// `RetryPeriod`.
    pub retry_period: Span,
    /// How finely a record that was read tells its times.
    pub stamps: Stamps,
}

/// How finely a record that was read tells its times. A record counts as changed when what was read differs.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Stamps {
    /// To the microsecond, as the Lease itself does. The code that was measured was built against stand-ins that told them so.
    Microseconds,
    /// To the second: what `metav1.Time` becomes as JSON, which is what records are compared by.
    Seconds,
}

impl Stamps {
    const fn micros(self) -> u64 {
        match self {
            Self::Microseconds => 1,
            Self::Seconds => 1_000_000,
        }
    }
}

impl GoTiming {
    /// What Kubernetes' own components and controller-runtime use: 15, 10 and 2 seconds.
    pub const STANDARD: Self = Self::scaled_to(Span::from_secs(15));

    /// In the proportions of the standard, for this lease duration.
    pub const fn scaled_to(lease_duration: Span) -> Self {
        let fifteenth = lease_duration.nanos() / 15;
        Self {
            lease_duration,
            renew_deadline: Span::from_nanos(fifteenth * 10),
            retry_period: Span::from_nanos(fifteenth * 2),
            stamps: Stamps::Seconds,
        }
    }
}

/// How a candidate is configured.
#[derive(Clone, Debug)]
pub(super) struct GoConfig {
    pub(super) identity: Arc<str>,
    pub(super) release_on_cancel: bool,
    pub(super) request_timeout: Option<Span>,
    pub(super) timing: GoTiming,
}

/// After how long a client without a timeout notices that its connection is dead: `ReadIdleTimeout` and `PingTimeout` of its HTTP/2
/// transport.
const DEAD_CONNECTION: Nanos = Nanos::from_millis(45_000);

/// What it last read or wrote: `observedRecord`.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Record {
    holder: Option<Arc<str>>,
    duration: Nanos,
}

/// `observedRawRecord`, with the time of the renewal in steps of [`GoTiming::stamps`].
#[derive(Clone, PartialEq, Eq, Debug)]
struct Raw {
    record: Record,
    renewed: u64,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Phase {
    NotStarted,
    /// `acquire`
    Acquiring,
    /// `renew`: the poll's deadline, and its ticker's next tick.
    Renewing {
        deadline: Nanos,
        tick: Nanos,
    },
    /// `release`, until its own deadline.
    Releasing {
        deadline: Nanos,
    },
    Ended,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Step {
    FastUpdate,
    Get,
    Create,
    Update,
    ReleaseGet,
    ReleaseUpdate,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
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

/// One candidate. `Run` is called once: a candidate that has led and lost is at its end, as a process that exits then.
#[derive(Debug)]
pub(super) struct ClientGo {
    config: GoConfig,
    calls: u64,
    doing: Doing,
    /// `now` of the attempt under way, taken before its first request.
    attempt: Now,
    /// The version of the Lease that it last read or wrote: what an update is made against.
    lease: Option<Version>,
    observed: Option<Record>,
    observed_at: Nanos,
    observed_raw: Option<Raw>,
    outputs: VecDeque<Output>,
    phase: Phase,
}

impl ClientGo {
    pub(super) fn new(config: GoConfig) -> Self {
        let attempt = Now {
            clock: Nanos::ZERO,
            jitter: 0,
            wall: WallTime::from_unix_micros(0),
        };
        Self {
            config,
            calls: 0,
            doing: Doing::Waiting { until: Nanos::ZERO },
            attempt,
            lease: None,
            observed: None,
            observed_at: Nanos::ZERO,
            observed_raw: None,
            outputs: VecDeque::new(),
            phase: Phase::NotStarted,
        }
    }

    fn retry_period(&self) -> Nanos {
        self.config.timing.retry_period.into()
    }

    fn renew_deadline(&self) -> Nanos {
        self.config.timing.renew_deadline.into()
    }

    /// `IsLeader`: by what it remembers, whatever the time and whatever a read has just shown.
    fn is_leader(&self) -> bool {
        self.observed
            .as_ref()
            .is_some_and(|record| record.holder.as_ref() == Some(&self.config.identity))
    }

    fn is_lease_valid(&self, now: Nanos) -> bool {
        let duration = self
            .observed
            .as_ref()
            .map_or(Nanos::ZERO, |record| record.duration);
        self.observed_at.saturating_add(duration) > now
    }

    fn set_observed_record(&mut self, now: Now, record: Record) {
        self.observed = Some(record);
        self.observed_at = now.clock;
    }

    /// The record that it writes: a duration of whole seconds, what is left is cut off.
    fn own_record(&self) -> Record {
        let seconds = self.config.timing.lease_duration.nanos() / 1_000_000_000;
        Record {
            holder: Some(Arc::clone(&self.config.identity)),
            duration: Nanos::from_millis(seconds * 1000),
        }
    }

    fn released_record() -> Record {
        Record {
            holder: None,
            duration: Nanos::from_millis(1000),
        }
    }

    fn lease_of(&self, record: Record) -> Lease {
        Lease {
            duration: record.duration,
            holder: record.holder,
            nonce: Nonce(self.attempt.wall.unix_micros()),
            renewed: self.attempt.wall,
        }
    }

    fn ask(&mut self, now: Now, step: Step) {
        let own = |model: &Self| model.lease_of(model.own_record());
        let ask = match (step, self.lease) {
            (Step::Get | Step::ReleaseGet, _) => Ask::Get,
            (Step::ReleaseUpdate, Some(version)) => {
                Ask::Update(version, self.lease_of(Self::released_record()))
            }
            (Step::FastUpdate | Step::Update, Some(version)) => Ask::Update(version, own(self)),
            (Step::Create, _) => Ask::Create(own(self)),
            (_, None) => return self.answered(now, step, Answer::Failed),
        };
        self.calls += 1;
        let call = Call(self.calls);
        let timeout = self
            .config
            .request_timeout
            .map_or(DEAD_CONNECTION, Nanos::from);
        self.doing = Doing::Asking {
            call,
            step,
            times_out: now.clock.saturating_add(timeout),
        };
        self.outputs.push_back(Output::Send(call, ask));
    }

    fn wait(&mut self, until: Nanos) {
        self.doing = Doing::Waiting { until };
    }

    /// `tryAcquireOrRenew`
    fn try_acquire_or_renew(&mut self, now: Now) {
        self.attempt = now;
        let fast = self.is_leader() && self.is_lease_valid(now.clock);
        self.ask(now, if fast { Step::FastUpdate } else { Step::Get });
    }

    fn answered(&mut self, now: Now, step: Step, answer: Answer) {
        match (step, answer) {
            (Step::FastUpdate | Step::Update | Step::Create, Answer::Written(version)) => {
                self.lease = Some(version);
                self.set_observed_record(now, self.own_record());
                self.succeeded(now);
            }
            (Step::FastUpdate, _) => self.ask(now, Step::Get),
            (Step::Get, Answer::Missing) => self.ask(now, Step::Create),
            (Step::Get, Answer::Read(lease, version)) => self.read(now, &lease, version),
            (Step::Create, _) => {
                // What a failed creation returns is kept all the same, and it is no Lease.
                self.lease = None;
                self.failed(now);
            }
            (Step::Get | Step::Update, _) => self.failed(now),
            (Step::ReleaseGet, Answer::Read(_, version)) => {
                self.lease = Some(version);
                if self.is_leader() {
                    self.attempt = now;
                    self.ask(now, Step::ReleaseUpdate);
                } else {
                    self.stop();
                }
            }
            (Step::ReleaseUpdate, Answer::Conflict) => self.ask(now, Step::ReleaseGet),
            (Step::ReleaseUpdate, Answer::Written(_)) => {
                self.set_observed_record(now, Self::released_record());
                self.stop();
            }
            (Step::ReleaseGet | Step::ReleaseUpdate, _) => self.stop(),
        }
    }

    fn read(&mut self, now: Now, lease: &Lease, version: Version) {
        self.lease = Some(version);
        let record = Record {
            holder: lease.holder.clone(),
            duration: lease.duration,
        };
        let raw = Raw {
            record: record.clone(),
            renewed: lease.renewed.unix_micros() / self.config.timing.stamps.micros(),
        };
        if self.observed_raw.as_ref() != Some(&raw) {
            self.set_observed_record(now, record);
            self.observed_raw = Some(raw);
        }
        let held = lease.holder.is_some();
        if held && self.is_lease_valid(self.attempt.clock) && !self.is_leader() {
            self.failed(now);
        } else {
            self.ask(now, Step::Update);
        }
    }

    fn succeeded(&mut self, now: Now) {
        match self.phase {
            Phase::Acquiring => {
                self.outputs.push_back(Output::Start);
                self.begin_poll(now);
            }
            _ => {
                let again = now.clock.saturating_add(self.retry_period());
                self.wait(again);
                self.phase = Phase::Renewing {
                    deadline: Nanos::MAX,
                    tick: again,
                };
            }
        }
    }

    /// One `PollUntilContextTimeout`: tries at once, and then at each tick, until its deadline.
    fn begin_poll(&mut self, now: Now) {
        self.phase = Phase::Renewing {
            deadline: now.clock.saturating_add(self.renew_deadline()),
            tick: now.clock.saturating_add(self.retry_period()),
        };
        self.try_acquire_or_renew(now);
    }

    fn failed(&mut self, now: Now) {
        match self.phase {
            Phase::Acquiring => {
                let period = self.retry_period();
                let most = Nanos::new(period.get() / 10 * 12);
                self.wait(now.after(period, most));
            }
            Phase::Renewing { tick, .. } => self.wait(tick),
            _ => {}
        }
    }

    /// What the poll's ticker does when its tick is taken: ticks that nobody waited for are lost, but for one.
    fn take_tick(&mut self, now: Now) {
        let period = self.retry_period().get().max(1);
        if let Phase::Renewing { tick, .. } = &mut self.phase {
            let passed = now.clock.saturating_sub(*tick).get() / period + 1;
            *tick = tick.saturating_add(Nanos::new(passed * period));
        }
    }

    /// The end of `renew`, with what it does before the work is told.
    fn leave(&mut self, now: Now) {
        self.abandon();
        if self.config.release_on_cancel {
            self.phase = Phase::Releasing {
                deadline: now.clock.saturating_add(self.renew_deadline()),
            };
            self.ask(now, Step::ReleaseGet);
        } else {
            self.stop();
        }
    }

    fn stop(&mut self) {
        self.outputs.push_back(Output::Stop);
        self.end();
    }

    fn end(&mut self) {
        self.abandon();
        self.phase = Phase::Ended;
        self.outputs.push_back(Output::Ended);
    }

    fn abandon(&mut self) {
        if let Doing::Asking { call, .. } = self.doing {
            self.outputs.push_back(Output::Abandon(call));
        }
        self.wait(Nanos::MAX);
    }

    fn tick(&mut self, now: Now) {
        match self.phase {
            Phase::Renewing { deadline, .. } if deadline <= now.clock => return self.leave(now),
            Phase::Releasing { deadline } if deadline <= now.clock => {
                self.abandon();
                return self.stop();
            }
            _ => {}
        }
        match self.doing {
            Doing::Asking {
                call,
                step,
                times_out,
            } if times_out <= now.clock => {
                self.outputs.push_back(Output::Abandon(call));
                self.wait(Nanos::MAX);
                self.answered(now, step, Answer::Failed);
            }
            Doing::Waiting { until } if until <= now.clock => match self.phase {
                Phase::Renewing { deadline, .. } if deadline == Nanos::MAX => self.begin_poll(now),
                Phase::Renewing { .. } => {
                    self.take_tick(now);
                    self.try_acquire_or_renew(now);
                }
                Phase::Acquiring => self.try_acquire_or_renew(now),
                _ => {}
            },
            _ => {}
        }
    }
}

impl Model for ClientGo {
    fn handle(&mut self, now: Now, input: Input) {
        if self.phase == Phase::NotStarted {
            self.phase = Phase::Acquiring;
            self.try_acquire_or_renew(now);
        }
        match input {
            Input::Answered(answered, answer) => match self.doing {
                Doing::Asking { call, step, .. } if call == answered => {
                    self.wait(Nanos::MAX);
                    self.answered(now, step, answer);
                }
                _ => {}
            },
            Input::ShutDown => match self.phase {
                Phase::NotStarted | Phase::Acquiring => self.end(),
                Phase::Renewing { .. } => self.leave(now),
                Phase::Releasing { .. } | Phase::Ended => {}
            },
            Input::Tick => self.tick(now),
        }
    }

    fn poll(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    fn due(&self, _: Now) -> Option<Nanos> {
        let deadline = match self.phase {
            Phase::NotStarted | Phase::Ended => return None,
            Phase::Acquiring => Nanos::MAX,
            Phase::Renewing { deadline, .. } | Phase::Releasing { deadline } => deadline,
        };
        let next = match self.doing {
            Doing::Asking { times_out, .. } => times_out,
            Doing::Waiting { until } => until,
        };
        Some(deadline.min(next)).filter(|due| *due < Nanos::MAX)
    }
}
