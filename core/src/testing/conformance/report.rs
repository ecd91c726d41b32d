use std::fmt;

/// Why a check failed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Failure(String);

impl Failure {
    pub(super) fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<E: std::error::Error> From<E> for Failure {
    fn from(error: E) -> Self {
        Self(error.to_string())
    }
}

/// How a check ended.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// The backend does not keep the promise.
    Failed(Failure),
    /// The check does not concern this kind of lock, or the fixture cannot do what it needs, for this declared reason.
    LeftOut(String),
    /// The backend keeps the promise.
    Passed,
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Failed(failure) => write!(f, "FAILED: {failure}"),
            Self::LeftOut(reason) => write!(f, "left out: {reason}"),
            Self::Passed => f.write_str("passed"),
        }
    }
}

/// What one run of the suite has shown: each check's name, which is a promise, and how it ended. Its text has one line for each.
#[derive(Clone, PartialEq, Eq, Debug)]
#[must_use]
pub struct Report {
    /// Name and outcome of each check, in the order of the suite.
    pub outcomes: Vec<(&'static str, Outcome)>,
}

impl Report {
    /// The names of the checks that failed, in the order of the suite.
    pub fn failed(&self) -> Vec<&'static str> {
        let failed = |outcome: &Outcome| matches!(outcome, Outcome::Failed(_));
        let failures = self.outcomes.iter().filter(|(_, o)| failed(o));
        failures.map(|(name, _)| *name).collect()
    }

    /// How many checks the backend has passed.
    pub fn passed(&self) -> usize {
        let passed = |outcome: &Outcome| *outcome == Outcome::Passed;
        self.outcomes.iter().filter(|(_, o)| passed(o)).count()
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, outcome) in &self.outcomes {
            writeln!(f, "{name}: {outcome}")?;
        }
        let (all, failed) = (self.outcomes.len(), self.failed().len());
        write!(f, "{} of {all} passed, {failed} failed", self.passed())
    }
}
