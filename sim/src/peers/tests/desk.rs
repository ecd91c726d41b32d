use std::sync::Arc;

use tenure_core::{Nanos, Nonce, Version, WallTime};

use crate::peers::model::{Answer, Ask, Call, Input, Lease, Model, Now, Output};

/// One candidate, and a test in the place of the world.
pub(super) struct Desk<M> {
    calls: u64,
    model: M,
    now: u64,
}

impl<M: Model> Desk<M> {
    pub(super) fn new(model: M) -> Self {
        Self {
            calls: 0,
            model,
            now: 100_000,
        }
    }

    fn moment(&self) -> Now {
        Now {
            clock: Nanos::from_millis(self.now),
            jitter: 0,
            wall: WallTime::from_unix_micros(1_700_000_000_000_000 + self.now * 1000),
        }
    }

    fn input(&mut self, input: Input) -> Vec<Output> {
        self.model.handle(self.moment(), input);
        let outputs: Vec<_> = std::iter::from_fn(|| self.model.poll()).collect();
        for output in &outputs {
            if let Output::Send(Call(call), _) = output {
                self.calls = *call;
            }
        }
        outputs
    }

    /// Lets so many milliseconds pass.
    pub(super) fn wait(&mut self, millis: u64) -> Vec<Output> {
        self.now += millis;
        self.input(Input::Tick)
    }

    /// Answers the newest request five milliseconds later.
    pub(super) fn answer(&mut self, answer: Answer) -> Vec<Output> {
        self.now += 5;
        self.input(Input::Answered(Call(self.calls), answer))
    }

    pub(super) fn shut_down(&mut self) -> Vec<Output> {
        self.input(Input::ShutDown)
    }

    /// In how many milliseconds the candidate wants to be woken.
    pub(super) fn due(&self) -> Option<u64> {
        let due = self.model.due(self.moment())?;
        Some(due.get() / 1_000_000 - self.now)
    }
}

/// A Lease of `holder` that was just renewed, at `version`.
pub(super) fn lease(holder: &str, seconds: u64, version: u64) -> Answer {
    let lease = Lease {
        duration: Nanos::from_millis(seconds * 1000),
        holder: Some(Arc::from(holder)),
        nonce: Nonce(version),
        renewed: WallTime::from_unix_seconds(1_700_000_000 + version),
    };
    Answer::Read(lease, Version(version))
}

/// What is asked for, of the last of the outputs.
pub(super) fn asks(outputs: &[Output]) -> Option<&Ask> {
    match outputs.last() {
        Some(Output::Send(_, ask)) => Some(ask),
        _ => None,
    }
}

/// The version that a PUT compares with, and whom it names.
pub(super) fn puts(outputs: &[Output]) -> Option<(u64, Option<&str>)> {
    match asks(outputs) {
        Some(Ask::Update(version, lease)) => Some((version.0, lease.holder.as_deref())),
        _ => None,
    }
}
