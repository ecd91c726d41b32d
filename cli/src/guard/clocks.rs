//! What the guard reads of the machine's clocks, and how it waits.

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::time::Duration;

use rustix::event::poll;
use rustix::time::{
    Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create,
    timerfd_settime,
};
use tenure::host::SystemClock;
use tenure::time::{Clock, Nanos, Reading};

/// What both clocks show now.
pub fn now() -> Reading {
    SystemClock::new().now()
}

/// An alarm that also goes off on waking from a suspend during which it was due.
#[derive(Debug)]
pub(super) struct Alarm(OwnedFd);

impl Alarm {
    pub(super) fn new() -> io::Result<Self> {
        let flags = TimerfdFlags::CLOEXEC | TimerfdFlags::NONBLOCK;
        Ok(Self(timerfd_create(TimerfdClockId::Boottime, flags)?))
    }

    /// Sets the alarm to go off once after `wait`; never without one. Setting it also silences it.
    pub(super) fn set(&self, wait: Option<Nanos>) -> io::Result<()> {
        let zero = Timespec::default();
        let wait = wait.map_or(Duration::ZERO, Duration::from);
        let value = Itimerspec {
            it_interval: zero,
            it_value: Timespec::try_from(wait).unwrap_or(zero),
        };
        timerfd_settime(&self.0, TimerfdTimerFlags::empty(), &value)?;
        Ok(())
    }
}

impl AsFd for Alarm {
    fn as_fd(&self) -> std::os::fd::BorrowedFd<'_> {
        self.0.as_fd()
    }
}

/// Waits for 1 ms, blocking the thread.
pub(super) fn pause_briefly() {
    let pause = Timespec {
        tv_sec: 0,
        tv_nsec: 1_000_000,
    };
    // Nothing is polled, so all that can happen is that it ends early.
    let _ = poll(&mut [], Some(&pause));
}
