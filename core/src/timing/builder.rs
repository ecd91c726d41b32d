use std::fmt;
use std::time::Duration;

use super::drift::Drift;
use super::{
    Advice, CLOCK_DRIFT_PPM_MAX, DURATION_MAX, DURATION_MIN, Setting, SettingValue, Timing,
    TimingError,
};
use crate::Nanos;

const CLOCK_DRIFT_PPM: u32 = 10_000;
const DRAIN_TIMEOUT: Nanos = Nanos::from_millis(30_000);
const KILL_ALLOWANCE_MAX: Nanos = Nanos::from_millis(500);
const LEASE_DURATION: Nanos = Nanos::from_millis(15_000);
const MILLISECOND: Nanos = Nanos::from_millis(1);
const REQUEST_TIMEOUT_MAX: Nanos = Nanos::from_millis(5_000);

/// Makes a [`Timing`].
///
/// What is set is kept, and checked. What is not set follows from the lease duration L (15 s) and from what is set: the stop
/// timeout is 2 L / 15, the kill allowance a quarter of that and at most 500 ms, the renew interval L / 3, the request timeout
/// half of that and at most 5 s, the retry interval a fifth of the renew interval, the drain timeout 30 s, the clock drift 1 %;
/// less where that would not fit.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
#[must_use = "a builder does nothing until it builds"]
pub struct TimingBuilder {
    clock_drift_ppm: Option<u32>,
    drain_timeout: Option<Nanos>,
    kill_allowance: Option<Nanos>,
    lease_duration: Option<Nanos>,
    renew_interval: Option<Nanos>,
    request_timeout: Option<Nanos>,
    retry_interval: Option<Nanos>,
    stop_timeout: Option<Nanos>,
}

impl TimingBuilder {
    pub(super) fn new() -> Self {
        Self::default()
    }

    /// Sets L, 1 ms to 365 days: how long a record stays valid after the write that made it.
    pub fn lease_duration(self, duration: Duration) -> Self {
        self.with(Setting::LeaseDuration, duration.into())
    }

    /// Sets R, 1 ms to 365 days: how often the leader renews.
    pub fn renew_interval(self, duration: Duration) -> Self {
        self.with(Setting::RenewInterval, duration.into())
    }

    /// Sets how long one request may take, 1 ms to 365 days.
    pub fn request_timeout(self, duration: Duration) -> Self {
        self.with(Setting::RequestTimeout, duration.into())
    }

    /// Sets ρ in parts per million, at most [`CLOCK_DRIFT_PPM_MAX`]: how much faster or slower than true time any clock may run.
    pub fn clock_drift_ppm(mut self, ppm: u32) -> Self {
        self.clock_drift_ppm = Some(ppm);
        self
    }

    /// Sets σ, 1 ms to 365 days: how long the work may take from being told that validity is lost until nothing of it runs.
    pub fn stop_timeout(self, duration: Duration) -> Self {
        self.with(Setting::StopTimeout, duration.into())
    }

    /// Sets the part of σ that is kept for ending what did not stop by itself, 1 ms to 365 days.
    pub fn kill_allowance(self, duration: Duration) -> Self {
        self.with(Setting::KillAllowance, duration.into())
    }

    /// Sets how long the work may take to finish in a planned stop, 1 ms to 365 days.
    pub fn drain_timeout(self, duration: Duration) -> Self {
        self.with(Setting::DrainTimeout, duration.into())
    }

    /// Sets how long to wait before a request is made again, 1 ms to the renew interval.
    pub fn retry_interval(self, duration: Duration) -> Self {
        self.with(Setting::RetryInterval, duration.into())
    }

    /// Does what an error advised.
    pub fn follow(self, advice: Advice) -> Self {
        match advice.to {
            SettingValue::PartsPerMillion(ppm) => self.clock_drift_ppm(ppm),
            SettingValue::Duration(duration) => self.with(advice.change, duration.into()),
        }
    }

    fn with(mut self, setting: Setting, span: Nanos) -> Self {
        if let Some(slot) = self.slot(setting) {
            *slot = Some(span);
        }
        self
    }

    fn slot(&mut self, setting: Setting) -> Option<&mut Option<Nanos>> {
        match setting {
            Setting::LeaseDuration => Some(&mut self.lease_duration),
            Setting::RenewInterval => Some(&mut self.renew_interval),
            Setting::RequestTimeout => Some(&mut self.request_timeout),
            Setting::ClockDrift => None,
            Setting::StopTimeout => Some(&mut self.stop_timeout),
            Setting::KillAllowance => Some(&mut self.kill_allowance),
            Setting::DrainTimeout => Some(&mut self.drain_timeout),
            Setting::RetryInterval => Some(&mut self.retry_interval),
        }
    }

    fn durations(&self) -> [(Setting, Option<Nanos>); 7] {
        [
            (Setting::LeaseDuration, self.lease_duration),
            (Setting::RenewInterval, self.renew_interval),
            (Setting::RequestTimeout, self.request_timeout),
            (Setting::StopTimeout, self.stop_timeout),
            (Setting::KillAllowance, self.kill_allowance),
            (Setting::DrainTimeout, self.drain_timeout),
            (Setting::RetryInterval, self.retry_interval),
        ]
    }

    /// The timing.
    ///
    /// # Errors
    /// When a number is out of its range, or the numbers together cannot keep the promise that nobody leads before the last
    /// leader's work has ended. The error says which number to change, and to what.
    pub fn build(self) -> Result<Timing, TimingError> {
        self.check_ranges()?;
        let timing = self.resolve();
        check_stop(&timing)?;
        check_retry(&timing)?;
        self.check_lease(&timing)?;
        Ok(timing)
    }

    fn check_ranges(&self) -> Result<(), TimingError> {
        let (shortest, longest) = (Nanos::from(DURATION_MIN), Nanos::from(DURATION_MAX));
        for (setting, span) in self.durations() {
            let Some(span) = span else { continue };
            if span < shortest {
                let problem = format!("{setting} {span:?} is too short");
                return Err(TimingError::raise(problem, setting, shortest));
            }
            if span > longest {
                let problem = format!("{setting} {span:?} is too long");
                return Err(TimingError::lower(problem, setting, longest));
            }
        }
        match self.clock_drift_ppm {
            Some(ppm) if ppm > CLOCK_DRIFT_PPM_MAX => {
                let problem = format!("clock_drift_ppm {ppm} is too large");
                Err(TimingError::lower_drift(problem, CLOCK_DRIFT_PPM_MAX))
            }
            _ => Ok(()),
        }
    }

    fn resolve(&self) -> Timing {
        let drift = Drift::from_ppm(self.clock_drift_ppm.unwrap_or(CLOCK_DRIFT_PPM));
        let lease = self.lease_duration.unwrap_or(LEASE_DURATION);
        let usable = drift.shrink_twice(lease);
        let stop = self.stop_timeout.unwrap_or_else(|| {
            let wanted = part(lease, 2, 15).min(part(usable, 1, 4));
            wanted.max(self.shortest_stop())
        });
        let validity = usable.saturating_sub(stop);
        let renew = self.renew_interval.unwrap_or_else(|| {
            let after_request = validity.saturating_sub(self.request_timeout.unwrap_or_default());
            let wanted = part(lease, 1, 3).min(part(after_request, 1, 2));
            wanted.max(self.shortest_renew())
        });
        let request = self.request_timeout.unwrap_or_else(|| {
            let left = part(validity.saturating_sub(renew), 1, 2);
            let wanted = part(renew, 1, 2).min(left).min(REQUEST_TIMEOUT_MAX);
            wanted.max(MILLISECOND)
        });
        let kill = self.kill_allowance.unwrap_or_else(|| {
            let wanted = part(stop, 1, 4).min(KILL_ALLOWANCE_MAX);
            wanted.max(MILLISECOND)
        });
        Timing {
            drain_timeout: self
                .drain_timeout
                .unwrap_or_else(|| DRAIN_TIMEOUT.max(stop)),
            drift,
            kill_allowance: kill,
            lease_duration: lease,
            renew_interval: renew,
            request_timeout: request,
            retry_interval: self
                .retry_interval
                .unwrap_or_else(|| part(renew, 1, 5).max(MILLISECOND)),
            stop_timeout: stop,
        }
    }

    /// What a stop timeout that was not set is at least.
    fn shortest_stop(&self) -> Nanos {
        let kill = self.kill_allowance.unwrap_or(MILLISECOND);
        kill.saturating_add(kill)
    }

    /// What a renew interval that was not set is at least.
    fn shortest_renew(&self) -> Nanos {
        self.retry_interval.unwrap_or(MILLISECOND)
    }

    fn check_lease(&self, timing: &Timing) -> Result<(), TimingError> {
        let validity = timing.validity();
        if timing.jeopardy_after() < validity {
            return Ok(());
        }
        let problem = format!(
            "renew_interval {:?} + request_timeout {:?} must be shorter than the validity {validity:?} = {}",
            timing.renew_interval,
            timing.request_timeout,
            formula(timing)
        );
        // What was not set adapts to the lease, so only what was set has to fit, and two milliseconds for rounding.
        let renew = self.renew_interval.unwrap_or_else(|| self.shortest_renew());
        let request = self.request_timeout.unwrap_or(MILLISECOND);
        let needed = renew
            .saturating_add(request)
            .saturating_add(MILLISECOND)
            .saturating_add(MILLISECOND);
        Err(self.advise_lease(timing.drift, needed, problem))
    }

    /// Advises the lease duration that leaves a validity of `needed`; where that is too long, advises to lower the largest number.
    fn advise_lease(&self, drift: Drift, needed: Nanos, problem: String) -> TimingError {
        let usable = match self.stop_timeout {
            Some(stop) => needed.saturating_add(stop),
            // A stop timeout that adapts takes at most a quarter of what is usable, or its least value.
            None => Nanos::new(needed.get().saturating_mul(4).div_ceil(3))
                .max(needed.saturating_add(self.shortest_stop())),
        };
        let lease = rounded_up(drift.grow_twice(usable));
        if lease <= Nanos::from(DURATION_MAX) {
            return TimingError::raise(problem, Setting::LeaseDuration, lease);
        }
        let largest = self
            .durations()
            .into_iter()
            .filter(|(setting, _)| {
                !matches!(setting, Setting::LeaseDuration | Setting::DrainTimeout)
            })
            .max_by_key(|(_, span)| span.unwrap_or_default())
            .map_or(Setting::RenewInterval, |(setting, _)| setting);
        let share = part(drift.shrink_twice(Nanos::from(DURATION_MAX)), 1, 8);
        TimingError::lower(problem, largest, share)
    }
}

fn check_stop(timing: &Timing) -> Result<(), TimingError> {
    let (kill, stop) = (timing.kill_allowance, timing.stop_timeout);
    if kill < stop {
        return Ok(());
    }
    let problem = format!("kill_allowance {kill:?} must be shorter than stop_timeout {stop:?}");
    let half = part(stop, 1, 2);
    Err(if half >= MILLISECOND {
        TimingError::lower(problem, Setting::KillAllowance, half)
    } else {
        let twice = MILLISECOND.saturating_add(MILLISECOND);
        TimingError::raise(problem, Setting::StopTimeout, twice)
    })
}

fn check_retry(timing: &Timing) -> Result<(), TimingError> {
    let (retry, renew) = (timing.retry_interval, timing.renew_interval);
    if retry <= renew {
        return Ok(());
    }
    let problem = format!("retry_interval {retry:?} is longer than renew_interval {renew:?}");
    Err(TimingError::lower(problem, Setting::RetryInterval, renew))
}

pub(super) fn check_session(timing: &Timing) -> Result<(), TimingError> {
    let renew = timing.renew_interval;
    check_two(
        timing,
        renew,
        format_args!("a session lock needs 2 × renew_interval {renew:?}"),
    )
}

pub(super) fn check_proof(timing: &Timing, gap: Nanos) -> Result<(), TimingError> {
    check_session(timing)?;
    check_two(
        timing,
        gap,
        format_args!(
            "the store proves a renewal only by another one {gap:?} later: it needs 2 × that"
        ),
    )
}

/// Whether two renewals that are `apart`, and a request, fit into the validity; `needs` says so in words.
fn check_two(timing: &Timing, apart: Nanos, needs: fmt::Arguments<'_>) -> Result<(), TimingError> {
    let request = timing.request_timeout;
    let needed = apart.saturating_add(apart).saturating_add(request);
    let validity = timing.validity();
    if needed < validity {
        return Ok(());
    }
    let problem = format!(
        "{needs} + request_timeout {request:?} to be shorter than the validity {validity:?} = {}",
        formula(timing)
    );
    let needed = needed.saturating_add(MILLISECOND);
    Err(timing
        .to_builder()
        .advise_lease(timing.drift, needed, problem))
}

pub(super) fn check_session_timeout(timing: &Timing, session: Duration) -> Result<(), TimingError> {
    let lease = timing.lease_duration;
    if lease <= Nanos::from(session) {
        return Ok(());
    }
    let problem = format!(
        "lease_duration {lease:?} is longer than the session timeout {session:?} that the servers grant"
    );
    Err(TimingError::lower(
        problem,
        Setting::LeaseDuration,
        session.into(),
    ))
}

fn formula(timing: &Timing) -> String {
    let (lease, stop, ppm) = (
        timing.lease_duration,
        timing.stop_timeout,
        timing.drift.ppm(),
    );
    format!("lease_duration {lease:?} / (1 + {ppm} ppm)² - stop_timeout {stop:?}")
}

/// `of · numerator / denominator`, rounded down to a millisecond.
fn part(of: Nanos, numerator: u64, denominator: u64) -> Nanos {
    let exact = of.get() / denominator * numerator;
    Nanos::new(exact - exact % MILLISECOND.get())
}

/// Rounded up to a millisecond.
fn rounded_up(span: Nanos) -> Nanos {
    Nanos::new(
        span.get()
            .div_ceil(MILLISECOND.get())
            .saturating_mul(MILLISECOND.get()),
    )
}
