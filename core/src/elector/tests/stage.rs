use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::Poll;
use std::time::Duration;

use crate::elector::{Control, Election, ElectionBuilder, Leadership, RunError, Seed, Told};
use crate::event::Event;
use crate::memory::{LeasedStore, SessionMode, SessionStore};
use crate::testing::{TestClock, block_on, poll_once};
use crate::{CandidateName, ElectionName, LockBackend};

/// A run of an election that a test polls itself.
pub(super) type Run<T> = Pin<Box<dyn Future<Output = Result<T, RunError>>>>;

/// What works have told, in order.
#[derive(Clone, Debug, Default)]
pub(super) struct Diary(Arc<Mutex<Vec<String>>>);

impl Diary {
    pub(super) fn write(&self, line: impl Into<String>) {
        self.0.lock().unwrap().push(line.into());
    }

    pub(super) fn lines(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }

    pub(super) fn has(&self, line: &str) -> bool {
        self.lines().iter().any(|written| written == line)
    }
}

/// Writes into the diary when it is dropped.
#[derive(Debug)]
pub(super) struct Remains(pub(super) Diary, pub(super) &'static str);

impl Drop for Remains {
    fn drop(&mut self) {
        self.0.write(self.1);
    }
}

/// A clock, one store of each kind, and what runs on them.
#[derive(Debug)]
pub(super) struct Stage {
    pub(super) clock: TestClock,
    pub(super) leased: LeasedStore,
    pub(super) session: SessionStore,
}

impl Stage {
    pub(super) fn new() -> Self {
        let name = ElectionName::new("nightly").unwrap();
        Self {
            clock: TestClock::new(),
            leased: LeasedStore::new(name.clone()),
            session: SessionStore::new(name, SessionMode::EndsWithHandle),
        }
    }

    pub(super) fn builder(&self, lock: Arc<dyn LockBackend>, bits: u64) -> ElectionBuilder {
        Election::builder(
            lock,
            Arc::new(self.clock.clone()),
            Seed::from_bits([bits, bits]),
        )
        .candidate(CandidateName::new("pod").unwrap())
    }

    /// A candidate on the session lock, which is free at once when its holder lets go.
    pub(super) fn election(&self, bits: u64) -> Election {
        self.builder(Arc::new(self.session.handle()), bits)
            .build()
            .unwrap()
    }

    /// Polls `run` and lets time pass in small steps, until `wanted` or its end, for two minutes at most.
    ///
    /// # Panics
    /// When neither comes.
    pub(super) fn until<T>(
        &self,
        run: &mut Run<T>,
        mut wanted: impl FnMut() -> bool,
    ) -> Option<Result<T, RunError>> {
        for _ in 0..12_000 {
            if let Poll::Ready(result) = poll_once(run.as_mut()) {
                return Some(result);
            }
            if wanted() {
                return None;
            }
            self.clock.advance(Duration::from_millis(10));
        }
        panic!("neither happened");
    }

    pub(super) fn pass<T>(&self, run: &mut Run<T>, span: Duration) {
        let mut left = span.as_millis() / 10;
        let ended = self.until(run, || {
            left = left.saturating_sub(1);
            left == 0
        });
        assert!(ended.is_none(), "it ended");
    }

    /// # Panics
    /// When it does not end.
    pub(super) fn end<T>(&self, run: &mut Run<T>) -> Result<T, RunError> {
        self.until(run, || false).expect("until says so")
    }
}

/// Runs `work` in `election`.
pub(super) fn run<W, F, T>(mut election: Election, work: W) -> (Control, Run<T>)
where
    W: FnMut(Leadership) -> F + 'static,
    F: Future<Output = T> + 'static,
    T: 'static,
{
    let control = election.control();
    (control, Box::pin(async move { election.run(work).await }))
}

/// All events that a reader has not read yet; the run has ended.
pub(super) fn events(mut reader: crate::elector::Events) -> Vec<Event> {
    let mut events = Vec::new();
    while let Some(told) = block_on(reader.next()) {
        match told {
            Told::Event(event) => events.push(event),
            Told::Missed(missed) => panic!("missed {missed}"),
        }
    }
    events
}
