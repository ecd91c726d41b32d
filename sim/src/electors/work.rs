use std::future::{Future, pending, poll_fn};
use std::panic::resume_unwind;
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Poll, Waker};
use std::time::Duration;

use tenure_core::Leadership;
use tenure_core::backend::Note;

use super::cron::Cron;
use super::log::Actor;
use super::resource::Resource;
use crate::TrueTime;
use crate::executor::Handle;
use crate::trace::{What, WorkEnd};

/// How often the work writes to the resource, and how often it wants a note in the lock.
const TOUCHES_EVERY: Duration = Duration::from_millis(1_700);
const NOTES_EVERY: Duration = Duration::from_millis(4_300);

/// What a candidate's work does: it writes to a resource, leaves notes or runs a cron job, and takes its time to stop.
#[derive(Clone, Debug)]
pub(super) struct Work {
    pub(super) actor: Actor,
    pub(super) cron: Option<Cron>,
    pub(super) drain_takes: Duration,
    pub(super) handle: Handle,
    /// After how long it ends by itself.
    pub(super) lasts: Option<Duration>,
    pub(super) orders: Orders,
    /// How many times as slow it goes about all that, where leases are long.
    pub(super) pace: u32,
    /// From then on it does not end by itself.
    pub(super) quiet_from: TrueTime,
    pub(super) resource: Resource,
    pub(super) stop_takes: Duration,
}

/// What the plan has the work of a node do. Clones are the same.
#[derive(Clone, Default, Debug)]
pub(super) struct Orders(Arc<Mutex<OrdersState>>);

#[derive(Default, Debug)]
struct OrdersState {
    deaf: bool,
    panic: bool,
    waker: Option<Waker>,
}

impl Orders {
    fn lock(&self) -> MutexGuard<'_, OrdersState> {
        self.0
            .lock()
            .expect("one thread, and nothing panics under the lock")
    }

    pub(super) fn set_deaf(&self, deaf: bool) {
        self.lock().deaf = deaf;
    }

    fn is_deaf(&self) -> bool {
        self.lock().deaf
    }

    /// The work that runs now panics, if any does.
    pub(super) fn panic(&self) {
        let waker = {
            let mut state = self.lock();
            state.panic = state.waker.is_some();
            state.waker.take()
        };
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    async fn panic_ordered(&self) {
        poll_fn(|context| {
            let mut state = self.lock();
            if std::mem::take(&mut state.panic) {
                return Poll::Ready(());
            }
            state.waker = Some(context.waker().clone());
            Poll::Pending
        })
        .await;
    }
}

/// Work that runs. Dropped, it does not run any more.
struct Running<'a> {
    how: WorkEnd,
    token: u64,
    work: &'a Work,
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.work.orders.lock().waker = None;
        self.work.actor.tell(What::WorkEnded {
            how: self.how,
            token: self.token,
        });
    }
}

impl Work {
    pub(super) async fn run(self, leadership: Leadership) {
        let token = leadership.token().value();
        self.actor.tell(What::WorkBegan { token });
        let mut running = Running {
            how: WorkEnd::Aborted,
            token,
            work: &self,
        };
        let leadership = Arc::new(leadership);
        let how = self.until_end(&leadership).await;
        running.how = how;
        if how == WorkEnd::Panicked {
            // Without the hook that prints: that it panics is in the plan.
            resume_unwind(Box::new("the plan has the work panic"));
        }
    }

    async fn until_end(&self, leadership: &Arc<Leadership>) -> WorkEnd {
        let mut panics = pin!(self.orders.panic_ordered());
        let mut told = pin!(self.stops(leadership));
        let mut does = pin!(self.does(leadership));
        let mut touches = pin!(self.touches(leadership));
        let mut ends = pin!(self.ends(leadership));
        poll_fn(|context| {
            if panics.as_mut().poll(context).is_ready() {
                return Poll::Ready(WorkEnd::Panicked);
            }
            let over = does.as_mut().poll(context).is_ready()
                || told.as_mut().poll(context).is_ready()
                || ends.as_mut().poll(context).is_ready()
                || touches.as_mut().poll(context).is_ready();
            if over {
                Poll::Ready(WorkEnd::Returned)
            } else {
                Poll::Pending
            }
        })
        .await
    }

    /// Ready when the work was told to stop and has stopped.
    async fn stops(&self, leadership: &Leadership) {
        leadership.cancelled().await;
        let token = leadership.token().value();
        self.actor.tell(What::WorkTold { token });
        if self.orders.is_deaf() {
            return pending().await;
        }
        let clock = leadership.clock();
        if leadership.is_valid() && !leadership.validity().is_over() {
            let mut finishes = pin!(clock.sleep(self.drain_takes));
            let mut lost = pin!(leadership.lost());
            let finished = poll_fn(|context| {
                if lost.as_mut().poll(context).is_ready() {
                    return Poll::Ready(false);
                }
                finishes.as_mut().poll(context).map(|()| true)
            });
            if finished.await {
                return self.hands_over().await;
            }
        }
        clock.sleep(self.stop_takes).await;
        self.hands_over().await;
    }

    /// A cron job has its own end: see [`Work::does`].
    async fn hands_over(&self) {
        if self.cron.is_some() {
            pending::<()>().await;
        }
    }

    async fn does(&self, leadership: &Arc<Leadership>) {
        match &self.cron {
            Some(cron) => {
                cron.run(&self.actor, self.stop_takes, leadership).await;
                if self.orders.is_deaf() && leadership.stop_requested().is_some() {
                    pending::<()>().await;
                }
            }
            None => self.notes(leadership).await,
        }
    }

    /// Leaves numbered notes for whoever leads next.
    async fn notes(&self, leadership: &Leadership) {
        let token = leadership.token().value();
        let note = leadership.note().map(|note| number(&note));
        self.actor.tell(What::NoteFound { note, token });
        loop {
            leadership.clock().sleep(NOTES_EVERY * self.pace).await;
            if leadership.stop_requested().is_some() {
                return pending().await;
            }
            let note = self.actor.log.next_note();
            self.actor.tell(What::NoteWanted { note, token });
            let bytes = Note::new(&note.to_le_bytes()).expect("a number fits a note");
            if leadership.write_note(bytes).await.is_ok() {
                self.actor.tell(What::NoteConfirmed { note, token });
            }
        }
    }

    async fn touches(&self, leadership: &Leadership) {
        let token = leadership.token().value();
        loop {
            let accepted = self.resource.touch(token);
            self.actor.tell(What::Touched { accepted, token });
            leadership.clock().sleep(TOUCHES_EVERY * self.pace).await;
        }
    }

    async fn ends(&self, leadership: &Leadership) {
        match self.lasts {
            Some(lasts) if self.handle.now() < self.quiet_from => {
                leadership.clock().sleep(lasts).await;
            }
            _ => pending().await,
        }
    }
}

/// The number that a note holds; 0 for what is no number, which no note of ours is.
fn number(note: &Note) -> u64 {
    let bytes = <[u8; 8]>::try_from(note.as_bytes());
    bytes.map_or(0, u64::from_le_bytes)
}
