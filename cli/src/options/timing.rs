use std::time::Duration;

use clap::{Args, ValueEnum};
use tenure::backend::LockKind;
use tenure::timing::{Setting, TimingBuilder};
use tenure::{LockBackend, Timing, TimingError};

use crate::exit::Failure;

/// How long everything takes
#[derive(Args, Debug)]
pub(crate) struct TimingOptions {
    /// A preset that the other numbers change
    #[arg(long = "timing", env = "TENURE_TIMING", value_enum, default_value_t = Preset::Standard, value_name = "PRESET")]
    preset: Preset,
    /// L: how long a lock stays valid after its last renewal; what is not given scales with it. ZooKeeper: at most the session timeout,
    /// which is the usual one
    #[arg(long, env = "TENURE_LEASE", value_name = "DURATION", value_parser = humantime::parse_duration)]
    lease: Option<Duration>,
    /// R: how often the leader renews
    #[arg(long, env = "TENURE_RENEW", value_name = "DURATION", value_parser = humantime::parse_duration)]
    renew: Option<Duration>,
    /// How much faster or slower than true time any clock may run, such as 1% or 500ppm
    #[arg(long, env = "TENURE_DRIFT", value_name = "RATIO", value_parser = parts_per_million)]
    drift: Option<u32>,
    /// How long the command may take to stop when leadership is lost, before nothing of it is left
    #[arg(long, env = "TENURE_STOP_TIMEOUT", value_name = "DURATION", value_parser = humantime::parse_duration)]
    stop_timeout: Option<Duration>,
    /// How long the command may take to finish when the stop is planned (a signal, a request)
    #[arg(long, env = "TENURE_DRAIN_TIMEOUT", value_name = "DURATION", value_parser = humantime::parse_duration)]
    drain_timeout: Option<Duration>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
enum Preset {
    /// Lease 6 s, renewed every 2 s, 1 s to stop
    Fast,
    /// Lease 15 s, renewed every 5 s, 2 s to stop
    Standard,
    /// Lease 60 s, renewed every 20 s, 5 s to stop
    Frugal,
}

/// The kind of lock, by name
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub(crate) enum LockKindName {
    /// A record that others take when it has aged: a Kubernetes Lease
    Leased,
    /// A lock that ends with its holder: a file, a ZooKeeper node
    Session,
}

impl LockKindName {
    pub(crate) fn kind(self) -> LockKind {
        match self {
            Self::Leased => LockKind::Leased,
            Self::Session => LockKind::Session,
        }
    }
}

impl TimingOptions {
    pub(crate) fn timing(&self) -> Result<Timing, Failure> {
        let preset = match self.preset {
            Preset::Fast => Timing::fast(),
            Preset::Standard => Timing::standard(),
            Preset::Frugal => Timing::frugal(),
        };
        let timing = match (self.lease, self.renew, self.stop_timeout) {
            (None, None, None) => preset.to_builder(),
            // What is not given scales with a lease that is given, so that little is left of the preset then.
            (Some(lease), _, _) => Timing::builder().lease_duration(lease),
            (None, _, _) => Timing::builder()
                .lease_duration(preset.lease_duration())
                .renew_interval(preset.renew_interval())
                .stop_timeout(preset.stop_timeout()),
        };
        self.changed(timing)
            .build()
            .map_err(|error| Failure::usage(explain(&error)))
    }

    /// The timing for a lock that is open: `timing`, unless the store counts by itself when a holder's session ends. Then what is not given
    /// follows from what it has granted.
    pub(crate) fn fitting(
        &self,
        timing: Timing,
        lock: &dyn LockBackend,
    ) -> Result<Timing, Failure> {
        let Some(session) = lock.session_timeout() else {
            return Ok(timing);
        };
        let mut fitting = lock.timing().to_builder();
        if let Some(lease) = self.lease {
            fitting = fitting.lease_duration(lease);
        }
        let fitting = self
            .changed(fitting)
            .build()
            .and_then(|timing| timing.check_session_timeout(session).map(|()| timing));
        fitting.map_err(|error| Failure::usage(explain(&error)))
    }

    /// The numbers that change a preset.
    fn changed(&self, mut timing: TimingBuilder) -> TimingBuilder {
        if let Some(renew) = self.renew {
            timing = timing.renew_interval(renew);
        }
        if let Some(stop) = self.stop_timeout {
            timing = timing.stop_timeout(stop);
        }
        if let Some(drift) = self.drift {
            timing = timing.clock_drift_ppm(drift);
        }
        if let Some(drain) = self.drain_timeout {
            timing = timing.drain_timeout(drain);
        }
        timing
    }
}

/// The error in the words of the command line.
pub(crate) fn explain(error: &TimingError) -> String {
    let options = [
        (Setting::LeaseDuration, "--lease"),
        (Setting::RenewInterval, "--renew"),
        (Setting::ClockDrift, "--drift"),
        (Setting::StopTimeout, "--stop-timeout"),
        (Setting::DrainTimeout, "--drain-timeout"),
        (Setting::KillAllowance, "the kill allowance"),
        (Setting::RequestTimeout, "the request timeout"),
        (Setting::RetryInterval, "the retry interval"),
    ];
    options
        .iter()
        .fold(error.to_string(), |text, (setting, option)| {
            text.replace(&setting.to_string(), option)
        })
}

/// Reads `1%`, `0.05%` or `500ppm`.
fn parts_per_million(text: &str) -> Result<u32, String> {
    tenure::timing::parts_per_million(text)
        .ok_or_else(|| format!("{text:?} is not a ratio: write it as 1%, 0.05% or 500ppm"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(clap::Parser)]
    struct Line {
        #[command(flatten)]
        timing: TimingOptions,
    }

    fn timing(line: &str) -> Result<Timing, String> {
        let words = std::iter::once("x").chain(line.split_ascii_whitespace());
        let line = <Line as clap::Parser>::try_parse_from(words).map_err(|e| e.to_string())?;
        line.timing.timing().map_err(|error| error.to_string())
    }

    #[test]
    fn presets_are_what_they_say_and_a_lease_scales_the_rest() {
        assert_eq!(timing(""), Ok(Timing::standard()));
        assert_eq!(timing("--timing fast"), Ok(Timing::fast()));
        assert_eq!(timing("--timing frugal"), Ok(Timing::frugal()));
        let scaled = timing("--lease 30s").unwrap();
        assert_eq!(scaled.renew_interval(), Duration::from_secs(10));
        let own = timing("--timing fast --renew 1s").unwrap();
        assert_eq!(own.lease_duration(), Duration::from_secs(6));
        assert_eq!(own.renew_interval(), Duration::from_secs(1));
    }

    #[test]
    fn a_timing_that_cannot_be_kept_names_the_option_to_change() {
        let error = timing("--lease 2s --renew 2s").unwrap_err();
        assert!(
            error.contains("--renew") && !error.contains("renew_interval"),
            "{error}"
        );
    }

    #[test]
    fn a_drift_is_read_as_percent_or_parts_per_million() {
        for (text, ppm) in [
            ("1%", 10_000),
            ("0.05%", 500),
            ("10 %", 100_000),
            ("500ppm", 500),
        ] {
            assert_eq!(parts_per_million(text), Ok(ppm), "{text}");
        }
        for text in ["1", "-1%", "0.00001%", "%", "1.%%", "x ppm", "99999999999%"] {
            assert!(parts_per_million(text).is_err(), "{text}");
        }
    }
}
