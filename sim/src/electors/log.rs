use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

use tenure_core::Incarnation;
use tenure_core::backend::Holder;

use crate::Options;
use crate::executor::{Handle, NodeId, Process};
use crate::invariants::Facts;
use crate::trace::{Chronicle, Keep, Life, RequestId, What};

const ONE_THREAD: &str = "one thread, and nothing panics under the lock";

/// Where everything that happens is told, and where numbers are given. Clones are the same log.
#[derive(Clone)]
pub(super) struct Log(Arc<Inner>);

struct Inner {
    book: Mutex<Book>,
    breached: AtomicBool,
    ends_with_breach: bool,
    handle: Handle,
}

struct Book {
    chronicle: Chronicle,
    lives: BTreeMap<Incarnation, Life>,
    lives_made: u32,
    notes: u64,
    requests: u32,
}

impl Log {
    pub(super) fn new(facts: Facts, options: &Options, handle: &Handle) -> Self {
        let mut chronicle = Chronicle::new(facts, options.keep);
        if options.peer.is_some() {
            chronicle = chronicle.of_a_peer();
        }
        Self(Arc::new(Inner {
            book: Mutex::new(Book {
                chronicle,
                lives: BTreeMap::new(),
                lives_made: 0,
                notes: 0,
                requests: 0,
            }),
            breached: AtomicBool::new(false),
            handle: handle.clone(),
            // What others do wrong is to be seen to its end.
            ends_with_breach: options.peer.is_none(),
        }))
    }

    fn book(&self) -> MutexGuard<'_, Book> {
        self.0.book.lock().expect(ONE_THREAD)
    }

    /// Tells what happens now, on `node` or in the world.
    pub(super) fn tell(&self, node: Option<NodeId>, what: What) {
        let now = self.0.handle.now();
        let mut book = self.book();
        book.chronicle.record(now, node, what);
        if self.0.ends_with_breach && book.chronicle.breach().is_some() {
            self.0.breached.store(true, Ordering::Relaxed);
        }
    }

    /// Whether something was found that must not happen.
    pub(super) fn is_breached(&self) -> bool {
        self.0.breached.load(Ordering::Relaxed)
    }

    /// A number for the start of a candidate.
    pub(super) fn next_life(&self) -> Life {
        let mut book = self.book();
        book.lives_made += 1;
        Life(book.lives_made)
    }

    /// Which incarnation that start of a candidate is.
    pub(super) fn name_life(&self, life: Life, incarnation: Incarnation) {
        self.book().lives.insert(incarnation, life);
    }

    /// Which start of a candidate a record names; nothing for strangers.
    pub(super) fn life_of(&self, holder: &Holder) -> Option<Life> {
        self.book().lives.get(&holder.incarnation()?).copied()
    }

    pub(super) fn next_request(&self) -> RequestId {
        let mut book = self.book();
        book.requests = book.requests.wrapping_add(1);
        RequestId(book.requests)
    }

    pub(super) fn next_note(&self) -> u64 {
        let mut book = self.book();
        book.notes += 1;
        book.notes
    }

    /// Hands out what was told; nothing that is told later is kept.
    pub(super) fn close(&self, facts: Facts) -> Chronicle {
        let empty = Chronicle::new(facts, Keep::Nothing);
        std::mem::replace(&mut self.book().chronicle, empty)
    }
}

impl fmt::Debug for Log {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Log").finish()
    }
}

/// A process that tells what it does, for as long as it lives: what its destructors do is told to nobody.
#[derive(Clone, Debug)]
pub(super) struct Actor {
    pub(super) log: Log,
    pub(super) node: NodeId,
    pub(super) process: Process,
}

impl Actor {
    pub(super) fn tell(&self, what: What) {
        if self.process.is_alive() {
            self.log.tell(Some(self.node), what);
        }
    }
}
