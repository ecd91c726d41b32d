use std::fmt;

use super::{Advice, Setting, SettingValue};
use crate::Nanos;

/// A timing that cannot keep its promises: why, and which number to change to what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TimingError {
    advice: Advice,
    problem: String,
    verb: &'static str,
}

impl TimingError {
    pub(super) fn raise(problem: String, change: Setting, to: Nanos) -> Self {
        Self::of(problem, "raise", change, SettingValue::Duration(to.into()))
    }

    pub(super) fn lower(problem: String, change: Setting, to: Nanos) -> Self {
        Self::of(problem, "lower", change, SettingValue::Duration(to.into()))
    }

    pub(super) fn lower_drift(problem: String, to: u32) -> Self {
        let to = SettingValue::PartsPerMillion(to);
        Self::of(problem, "lower", Setting::ClockDrift, to)
    }

    fn of(problem: String, verb: &'static str, change: Setting, to: SettingValue) -> Self {
        Self {
            advice: Advice { change, to },
            problem,
            verb,
        }
    }

    /// Why it cannot keep them, without what to change.
    pub fn problem(&self) -> &str {
        &self.problem
    }

    /// What to change. When more than one number is wrong, the next error tells the next one.
    pub fn advice(&self) -> Advice {
        self.advice
    }
}

impl fmt::Display for TimingError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Advice { change, to } = self.advice;
        let limit = if self.verb == "raise" { "more" } else { "less" };
        let Self { problem, verb, .. } = self;
        write!(f, "{problem}: {verb} {change} to {to} or {limit}")
    }
}

impl std::error::Error for TimingError {}
