use std::sync::{Arc, Mutex};
use std::task::Waker;

use super::LeaderClock;
use super::hub::{Hub, locked};
use crate::backend::{Holder, Member, Observation};
use crate::event::Event;
use crate::machine::{Eligibility, Input, State};
use crate::{CandidateId, ElectionName, FencingToken, Reading};

/// What an election shows of itself.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct View {
    /// Who this candidate is. Another incarnation after each start.
    pub candidate: CandidateId,
    /// What another leader's wall clock showed, as last seen. For cron schedules.
    pub leader_clock: Option<LeaderClock>,
    /// Who leads, as far as this candidate knows.
    pub leader: Option<Holder>,
    /// Who is alive, as last read; empty when members are not followed.
    pub members: Vec<Member>,
    /// The last observation of the lock.
    pub observation: Option<Arc<Observation>>,
    /// When that observation was taken in, by this candidate's clocks.
    pub observed_at: Option<Reading>,
    /// What this candidate is doing.
    pub state: State,
    /// The token of the leadership whose work may run here.
    pub token: Option<FencingToken>,
}

/// What an elector shares with those who hold a [`Control`](super::Control) or a [`Leadership`](super::Leadership).
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) election: ElectionName,
    pub(super) hub: Arc<Hub>,
    inbox: Mutex<Inbox>,
    view: Mutex<View>,
}

/// What others want of the elector. Each wish is kept once, so that the inbox cannot grow.
#[derive(Debug)]
struct Inbox {
    eligibility: Eligibility,
    eligibility_changed: bool,
    resign: bool,
    shut_down: bool,
    /// Whether the running elector was told to shut down.
    shut_down_told: bool,
    waker: Option<Waker>,
    watchdog_fired: bool,
}

impl Shared {
    pub(super) fn new(
        election: ElectionName,
        candidate: CandidateId,
        eligibility: Eligibility,
    ) -> Self {
        let view = View {
            candidate,
            leader_clock: None,
            leader: None,
            members: Vec::new(),
            observation: None,
            observed_at: None,
            state: State::Following,
            token: None,
        };
        let inbox = Inbox {
            eligibility,
            eligibility_changed: false,
            resign: false,
            shut_down: false,
            shut_down_told: false,
            waker: None,
            watchdog_fired: false,
        };
        Self {
            election,
            hub: Arc::default(),
            inbox: Mutex::new(inbox),
            view: Mutex::new(view),
        }
    }

    pub(super) fn candidate(&self) -> CandidateId {
        locked(&self.view).candidate.clone()
    }

    pub(super) fn view(&self) -> View {
        locked(&self.view).clone()
    }

    pub(super) fn update_view(&self, update: impl FnOnce(&mut View)) {
        update(&mut locked(&self.view));
    }

    pub(super) fn publish(&self, event: &Event) {
        self.hub.publish(event);
    }

    pub(super) fn eligibility(&self) -> Eligibility {
        let mut inbox = locked(&self.inbox);
        inbox.eligibility_changed = false;
        inbox.eligibility
    }

    pub(super) fn resign(&self) {
        self.ask(|inbox| inbox.resign = true);
    }

    pub(super) fn shut_down(&self) {
        self.ask(|inbox| inbox.shut_down = true);
    }

    pub(super) fn watchdog_fired(&self) {
        self.ask(|inbox| inbox.watchdog_fired = true);
    }

    pub(super) fn set_eligibility(&self, eligibility: Eligibility) {
        self.ask(|inbox| {
            inbox.eligibility_changed |= inbox.eligibility != eligibility;
            inbox.eligibility = eligibility;
        });
    }

    /// Has the elector's task polled.
    pub(super) fn wake(&self) {
        self.ask(|_| {});
    }

    fn ask(&self, change: impl FnOnce(&mut Inbox)) {
        let mut inbox = locked(&self.inbox);
        change(&mut inbox);
        let waker = inbox.waker.take();
        drop(inbox);
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    /// The next wish, in an order of urgency; otherwise `waker` is woken by the next one.
    pub(super) fn next_input(&self, waker: &Waker) -> Option<Input> {
        // Wakers are somebody else's code: cloned and dropped while no lock is held.
        let mut waker = Some(waker.clone());
        let mut inbox = locked(&self.inbox);
        if std::mem::take(&mut inbox.watchdog_fired) {
            return Some(Input::WatchdogFired);
        }
        if inbox.shut_down && !inbox.shut_down_told {
            inbox.shut_down_told = true;
            return Some(Input::ShutDown);
        }
        if std::mem::take(&mut inbox.eligibility_changed) {
            return Some(Input::SetEligibility(inbox.eligibility));
        }
        if std::mem::take(&mut inbox.resign) {
            return Some(Input::Resign);
        }
        std::mem::swap(&mut inbox.waker, &mut waker);
        drop(inbox);
        drop(waker);
        None
    }

    /// Forgets the wishes that were meant for the elector that has ended.
    pub(super) fn forget_wishes(&self) {
        let mut inbox = locked(&self.inbox);
        inbox.resign = false;
        inbox.shut_down = false;
        inbox.shut_down_told = false;
        inbox.watchdog_fired = false;
    }

    pub(super) fn is_shutting_down(&self) -> bool {
        locked(&self.inbox).shut_down
    }
}
