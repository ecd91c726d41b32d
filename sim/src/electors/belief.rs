use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

use tenure_core::elector::Validity;
use tenure_core::machine::Deadline;

use super::log::Actor;
use super::recorded::Sends;
use crate::TrueTime;
use crate::clock::SimClock;
use crate::executor::{Handle, NodeId};
use crate::trace::What;

const ONE_THREAD: &str = "one thread, and nothing panics under the lock";

/// Who believes to lead, and until when in true time. Clones are the same.
#[derive(Clone)]
pub(super) struct Beliefs {
    count: Arc<AtomicUsize>,
    handle: Handle,
    /// Candidates of another make that lead: they do so until they say that they do not.
    rivals: Arc<Mutex<Vec<Actor>>>,
    terms: Arc<Mutex<Vec<Term>>>,
}

/// One leadership, until somebody has ended it or its process is dead.
struct Term {
    believer: Believer,
    deadline: Deadline,
    sent: TrueTime,
    until: TrueTime,
    validity: Arc<Validity>,
}

/// Who believes, and what it counts by.
#[derive(Clone, Debug)]
pub(super) struct Believer {
    pub(super) actor: Actor,
    pub(super) clock: Arc<SimClock>,
    pub(super) sends: Sends,
}

impl Beliefs {
    pub(super) fn new(handle: &Handle) -> Self {
        Self {
            count: Arc::default(),
            handle: handle.clone(),
            rivals: Arc::default(),
            terms: Arc::default(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Term>> {
        self.terms.lock().expect(ONE_THREAD)
    }

    /// A leadership begins.
    pub(super) fn begin(&self, believer: &Believer, validity: Arc<Validity>) {
        let deadline = validity.deadline();
        let mut term = Term {
            believer: believer.clone(),
            deadline,
            sent: self.handle.now(),
            until: TrueTime::START,
            validity,
        };
        term.recount();
        let mut terms = self.lock();
        terms.push(term);
        self.count.store(terms.len(), Ordering::Relaxed);
    }

    /// Looks whether somebody's belief has changed.
    pub(super) fn look(&self) {
        if self.count.load(Ordering::Relaxed) == 0 {
            return;
        }
        let mut terms = self.lock();
        terms.retain_mut(Term::look);
        self.count.store(terms.len(), Ordering::Relaxed);
    }

    /// The clocks of `node` go on in another way than before.
    pub(super) fn recount(&self, node: NodeId) {
        let now = self.handle.now();
        for term in self.lock().iter_mut() {
            // What has passed does not come back.
            if term.believer.actor.node == node && term.until > now {
                term.recount();
            }
        }
    }

    /// Who leads now, by its own clock.
    pub(super) fn leader(&self) -> Option<NodeId> {
        let now = self.handle.now();
        let terms = self.lock();
        let leading = terms
            .iter()
            .find(|term| term.until > now && term.believer.actor.process.is_alive());
        let leading = leading.map(|term| term.believer.actor.node);
        leading.or_else(|| {
            let rivals = self.rivals.lock().expect(ONE_THREAD);
            let mut alive = rivals.iter().filter(|actor| actor.process.is_alive());
            alive.next().map(|actor| actor.node)
        })
    }

    /// A candidate of another make leads.
    pub(super) fn rival_leads(&self, actor: &Actor) {
        self.rivals.lock().expect(ONE_THREAD).push(actor.clone());
    }

    /// It leads no longer.
    pub(super) fn rival_stops(&self, actor: &Actor) {
        let mut rivals = self.rivals.lock().expect(ONE_THREAD);
        rivals.retain(|rival| rival.process.is_alive() && !rival.process.is(&actor.process));
    }
}

impl Term {
    /// Tells what has changed. Says whether it is still worth looking at.
    fn look(&mut self) -> bool {
        let actor = &self.believer.actor;
        if !actor.process.is_alive() {
            return false;
        }
        if self.validity.is_over() {
            let token = self.validity.token().value();
            actor.tell(What::LeadsNot { token });
            return false;
        }
        let deadline = self.validity.deadline();
        if deadline != self.deadline {
            self.deadline = deadline;
            self.recount();
        }
        true
    }

    fn recount(&mut self) {
        let Believer {
            actor,
            clock,
            sends,
        } = &self.believer;
        let Deadline { length, since } = self.deadline;
        let sent = sends.when(since).unwrap_or(self.sent);
        let until = clock.when_passed(since, length);
        if (sent, until) == (self.sent, self.until) {
            return;
        }
        (self.sent, self.until) = (sent, until);
        actor.tell(What::Leads {
            token: self.validity.token().value(),
            sent,
            until,
        });
    }
}

impl fmt::Debug for Beliefs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Beliefs").finish()
    }
}
