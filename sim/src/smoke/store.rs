use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tenure_core::backend::{Observation, OperatorRequest, RequestKind};
use tenure_core::memory::{
    LeasedStore, MemoryLock, Reply, Request, SessionId, SessionMode, SessionStore, Watch,
};
use tenure_core::{ElectionName, Error, Nonce};

use super::plan::{Foreign, StoreKind};
use crate::TrueTime;
use crate::executor::Handle;

/// The store that the candidates of a run contend for. Clones are the same store.
#[derive(Clone, Debug)]
pub(super) struct Store {
    /// When the server last heard from each session.
    heard: Arc<Mutex<BTreeMap<SessionId, TrueTime>>>,
    kind: Kind,
    refuses: Arc<Mutex<bool>>,
}

#[derive(Clone, Debug)]
enum Kind {
    Leased(LeasedStore),
    /// With how long the server waits to hear from a session; nothing when a session ends with its process.
    Session(SessionStore, Option<Duration>),
}

const ONE_THREAD: &str = "one thread, and nothing panics under the lock";
/// How often the server looks for sessions that have expired.
const REAPED_EVERY: Duration = Duration::from_millis(50);

impl Store {
    /// A store of this kind. Sessions expire when the server has not heard from them for `session_timeout` of true time.
    pub(super) fn new(kind: StoreKind, session_timeout: Duration) -> Self {
        let election = ElectionName::new("smoke").expect("a plain word is a name");
        let kind = match kind {
            StoreKind::Leased => Kind::Leased(LeasedStore::new(election)),
            StoreKind::Process => {
                let store = SessionStore::new(election, SessionMode::EndsWithHandle);
                Kind::Session(store, None)
            }
            StoreKind::Session => {
                let store = SessionStore::new(election, SessionMode::EndsWhenTold);
                Kind::Session(store, Some(session_timeout))
            }
        };
        Self {
            heard: Arc::default(),
            kind,
            refuses: Arc::default(),
        }
    }

    pub(super) fn handle(&self) -> MemoryLock {
        match &self.kind {
            Kind::Leased(store) => store.handle(),
            Kind::Session(store, _) => store.handle(),
        }
    }

    pub(super) fn is_leased(&self) -> bool {
        matches!(self.kind, Kind::Leased(_))
    }

    pub(super) fn refuses(&self) -> bool {
        *self.refuses.lock().expect(ONE_THREAD)
    }

    pub(super) fn set_refuses(&self, refuses: bool) {
        *self.refuses.lock().expect(ONE_THREAD) = refuses;
    }

    pub(super) fn apply(
        &self,
        at: TrueTime,
        from: SessionId,
        request: &Request,
    ) -> Result<Reply, Error> {
        self.hear(at, from);
        match &self.kind {
            Kind::Leased(store) => store.apply(from, request),
            Kind::Session(store, _) => store.apply(from, request),
        }
    }

    /// The server hears from a session: any request, or a ping.
    pub(super) fn hear(&self, at: TrueTime, from: SessionId) {
        self.heard.lock().expect(ONE_THREAD).insert(from, at);
    }

    /// How often a client pings; nothing where nobody counts.
    pub(super) fn pinged_every(&self) -> Option<Duration> {
        match &self.kind {
            Kind::Session(_, Some(timeout)) => Some(*timeout / 3),
            _ => None,
        }
    }

    /// A process is gone without a word.
    pub(super) fn process_died(&self, session: SessionId) {
        if let Kind::Session(store, None) = &self.kind {
            store.end_session(session);
        }
    }

    /// A session is closed by its client.
    pub(super) fn close(&self, session: SessionId) {
        if let Kind::Session(store, _) = &self.kind {
            store.end_session(session);
        }
    }

    /// Starts the server's own counting.
    pub(super) fn serve(&self, handle: &Handle) {
        let Kind::Session(store, Some(timeout)) = &self.kind else {
            return;
        };
        let (store, timeout) = (store.clone(), *timeout);
        let (heard, clock) = (Arc::clone(&self.heard), handle.clone());
        handle.spawn_in_world(async move {
            loop {
                clock.sleep(REAPED_EVERY).await;
                for session in store.sessions() {
                    let now = clock.now();
                    let last = *heard
                        .lock()
                        .expect(ONE_THREAD)
                        .entry(session)
                        .or_insert(now);
                    if now.since(last) > timeout {
                        store.end_session(session);
                    }
                }
            }
        });
    }

    pub(super) fn observation(&self) -> Observation {
        match &self.kind {
            Kind::Leased(store) => store.observation(),
            Kind::Session(store, _) => store.observation(),
        }
    }

    pub(super) fn set_hints(&self, watch: Watch) {
        match &self.kind {
            Kind::Leased(store) => store.set_watch(watch),
            Kind::Session(store, _) => store.set_watch(watch),
        }
    }

    /// An operator's request, by compare-and-swap against what is there now.
    pub(super) fn submit(&self, kind: RequestKind) {
        let token = self.observation().token;
        let request = Request::Submit(OperatorRequest { kind, token });
        let operator = self.handle();
        // A refusal is as good as a request that came too late.
        drop(match &self.kind {
            Kind::Leased(store) => store.apply(operator.session(), &request),
            Kind::Session(store, _) => store.apply(operator.session(), &request),
        });
    }

    /// What a third party does. What this kind of lock does not have is left alone.
    pub(super) fn tamper(&self, foreign: Foreign) {
        match &self.kind {
            Kind::Leased(store) => match foreign {
                Foreign::Corrupt => store.corrupt(),
                Foreign::Delete => store.delete(),
                Foreign::EditLabel => store.edit_label(),
                Foreign::Empty => store.empty(),
                Foreign::Overwrite => store.overwrite_holder("a stranger", Nonce(7), None),
                Foreign::Recreate => store.recreate(),
            },
            Kind::Session(store, _) => match foreign {
                Foreign::Corrupt => store.corrupt(),
                Foreign::Delete => store.delete(),
                Foreign::EditLabel => store.edit_label(),
                Foreign::Empty | Foreign::Overwrite | Foreign::Recreate => {}
            },
        }
    }
}
