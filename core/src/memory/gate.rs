use std::fmt;
use std::mem;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

type Delivery = Box<dyn FnOnce() + Send>;

/// Where delayed requests and answers wait until a test lets them through: a delay without time.
///
/// Clones are the same gate. What waits goes through in the order in which it came; once open, a gate stays open.
#[derive(Clone, Default)]
pub struct Gate {
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    open: bool,
    waiting: Vec<Delivery>,
}

impl Gate {
    /// A closed gate.
    pub fn new() -> Self {
        Self::default()
    }

    /// Lets through what waits and all that comes later.
    ///
    /// The effects happen within this call, also of requests whose callers have gone.
    pub fn open(&self) {
        let waiting = {
            let mut state = self.lock();
            state.open = true;
            mem::take(&mut state.waiting)
        };
        for delivery in waiting {
            delivery();
        }
    }

    /// How many requests and answers wait.
    pub fn waiting(&self) -> usize {
        self.lock().waiting.len()
    }

    /// Runs `delivery` when the gate is open: now, or within [`Gate::open`].
    pub(super) fn pass(&self, delivery: Delivery) {
        let mut state = self.lock();
        if state.open {
            drop(state);
            delivery();
        } else {
            state.waiting.push(delivery);
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Gate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.lock();
        f.debug_struct("Gate")
            .field("open", &state.open)
            .field("waiting", &state.waiting.len())
            .finish()
    }
}
