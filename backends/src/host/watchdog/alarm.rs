//! What the thread sleeps on: can be set from other threads.

use tenure_core::Nanos;

#[cfg(target_os = "linux")]
pub(super) use linux::Alarm;
#[cfg(not(target_os = "linux"))]
pub(super) use portable::Alarm;

#[cfg(target_os = "linux")]
mod linux {
    use std::io;
    use std::os::fd::OwnedFd;

    use rustix::time::{
        Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create,
        timerfd_settime,
    };

    use super::Nanos;

    /// A timer on `CLOCK_BOOTTIME` (timerfd_create(2)): time in suspend counts.
    #[derive(Debug)]
    pub(in super::super) struct Alarm {
        timer: OwnedFd,
    }

    impl Alarm {
        pub(in super::super) fn new() -> io::Result<Self> {
            let timer = timerfd_create(TimerfdClockId::Boottime, TimerfdFlags::CLOEXEC)?;
            Ok(Self { timer })
        }

        /// Rings after `wait`, whatever it was set to before; never when there is none.
        pub(in super::super) fn set(&self, wait: Option<Nanos>) {
            const SECOND: u64 = 1_000_000_000;
            // All zero means never, so what is due now rings in a nanosecond.
            let nanos = wait.map_or(0, |wait| wait.get().max(1));
            let zero = Timespec {
                tv_sec: 0,
                tv_nsec: 0,
            };
            let value = Timespec {
                tv_sec: i64::try_from(nanos / SECOND).expect("2^64 ns are 2^35 s"),
                tv_nsec: i64::try_from(nanos % SECOND).expect("less than a second"),
            };
            let spec = Itimerspec {
                it_interval: zero,
                it_value: value,
            };
            timerfd_settime(&self.timer, TimerfdTimerFlags::empty(), &spec)
                .expect("the timer exists and the time is valid");
        }

        /// Waits until it rings. An interruption counts as a ring: who wakes looks for itself.
        pub(in super::super) fn wait(&self) {
            let mut count = [0; 8];
            let _: Result<usize, rustix::io::Errno> = rustix::io::read(&self.timer, &mut count);
        }
    }
}

#[cfg(not(target_os = "linux"))]
mod portable {
    use std::io;
    use std::sync::{Condvar, Mutex, PoisonError};
    use std::time::Duration;

    use super::Nanos;

    /// The longest sleep while it is set, so that time in suspend is noticed.
    const LONGEST: Duration = Duration::from_secs(1);

    #[derive(Debug)]
    pub(in super::super) struct Alarm {
        changed: Condvar,
        wait: Mutex<Option<Nanos>>,
    }

    impl Alarm {
        pub(in super::super) fn new() -> io::Result<Self> {
            Ok(Self {
                changed: Condvar::new(),
                wait: Mutex::new(None),
            })
        }

        /// Rings after `wait`, whatever it was set to before; never when there is none.
        pub(in super::super) fn set(&self, wait: Option<Nanos>) {
            *self.wait.lock().unwrap_or_else(PoisonError::into_inner) = wait;
            self.changed.notify_all();
        }

        /// Waits until it rings, or may: who wakes looks for itself.
        pub(in super::super) fn wait(&self) {
            let wait = self.wait.lock().unwrap_or_else(PoisonError::into_inner);
            let wait = self
                .changed
                .wait_while(wait, |wait| wait.is_none())
                .unwrap_or_else(PoisonError::into_inner);
            let longest = wait.map_or(LONGEST, |wait| LONGEST.min(wait.into()));
            drop(self.changed.wait_timeout(wait, longest));
        }
    }
}
