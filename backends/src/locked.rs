use std::sync::{Mutex, MutexGuard, PoisonError};

/// Takes a lock whose data stays whole when a holder panicked: nothing is left half done inside one.
pub(crate) fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
