use std::fmt;
use std::time::Duration;

/// One of the numbers that a [`Timing`](super::Timing) is made from. Its text is the name of the builder's method.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[non_exhaustive]
pub enum Setting {
    /// L: how long a record stays valid after the write that made it.
    LeaseDuration,
    /// R: how often the leader renews.
    RenewInterval,
    /// How long one request to the store may take.
    RequestTimeout,
    /// ρ: how much faster or slower than true time any clock may run.
    ClockDrift,
    /// σ: how long the work may take from being told to stop until it has stopped.
    StopTimeout,
    /// The part of σ that is kept for killing what did not stop by itself.
    KillAllowance,
    /// How long the work may take to finish when the stop is planned.
    DrainTimeout,
    /// How long to wait before a request that failed is made again.
    RetryInterval,
}

impl fmt::Display for Setting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::LeaseDuration => "lease_duration",
            Self::RenewInterval => "renew_interval",
            Self::RequestTimeout => "request_timeout",
            Self::ClockDrift => "clock_drift_ppm",
            Self::StopTimeout => "stop_timeout",
            Self::KillAllowance => "kill_allowance",
            Self::DrainTimeout => "drain_timeout",
            Self::RetryInterval => "retry_interval",
        })
    }
}

/// The value of a [`Setting`].
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum SettingValue {
    /// A duration.
    Duration(Duration),
    /// Parts per million.
    PartsPerMillion(u32),
}

impl fmt::Display for SettingValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Duration(duration) => write!(f, "{duration:?}"),
            Self::PartsPerMillion(ppm) => write!(f, "{ppm} ppm"),
        }
    }
}

/// Which number to change, and to what.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Advice {
    /// The number to change.
    pub change: Setting,
    /// What to change it to.
    pub to: SettingValue,
}
