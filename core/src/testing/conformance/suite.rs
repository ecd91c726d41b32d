use super::case::Case;
use super::checks::{CHECKS, Check};
use super::wait::without_panic;
use super::{Ability, Failure, Fixture, Outcome, Report};

/// The suite on the locks of one fixture.
#[derive(Debug)]
pub struct Suite<F> {
    fixture: F,
}

impl<F: Fixture> Suite<F> {
    /// The suite on this fixture's locks.
    pub fn new(fixture: F) -> Self {
        Self { fixture }
    }

    /// The names of all checks, each a promise that a backend keeps.
    pub fn names() -> impl Iterator<Item = &'static str> {
        CHECKS.iter().map(|check| check.name)
    }

    /// Runs all checks one after another, each on a fresh lock.
    pub async fn run_all(&self) -> Report {
        let mut outcomes = Vec::new();
        for check in CHECKS {
            outcomes.push((check.name, self.run_check(check).await));
        }
        Report { outcomes }
    }

    /// Runs the check of this name.
    ///
    /// # Panics
    /// When the suite has no such check.
    pub async fn run(&self, name: &str) -> Outcome {
        let check = CHECKS.iter().find(|check| check.name == name);
        let Some(check) = check else {
            panic!("the suite has no check {name:?}");
        };
        self.run_check(check).await
    }

    async fn run_check(&self, check: &Check) -> Outcome {
        let lacks = self.fixture.lacks();
        let lack = lacks.iter().find(|(a, _)| check.needs.contains(a));
        if let Some((ability, reason)) = lack {
            return Outcome::LeftOut(format!("{ability:?}: {reason}"));
        }
        match without_panic(self.on_fresh_lock(check)).await {
            Ok(Ok(outcome)) => outcome,
            Ok(Err(failure)) => Outcome::Failed(failure),
            Err(panic) => Outcome::Failed(Failure::new(format!("panicked: {panic}"))),
        }
    }

    async fn on_fresh_lock(&self, check: &Check) -> Result<Outcome, Failure> {
        let lock = self.fixture.fresh_lock().await?;
        let kind = lock.handle(0).await?.description().kind;
        if check.kind.is_some_and(|wanted| wanted != kind) {
            return Ok(Outcome::LeftOut(format!("not about {kind:?} locks")));
        }
        let lacks = self.fixture.lacks();
        let tells_at_once = lacks.iter().all(|(a, _)| *a != Ability::TellTokenAtOnce);
        let case = Case::new(lock, kind, self.fixture.clock(), tells_at_once);
        let checked = case.run((check.run)(&case)).await;
        case.end();
        checked.map(|()| Outcome::Passed)
    }
}
