use std::sync::{Arc, Mutex};
use std::thread;

use tenure_core::elector::Validity;
use tenure_core::{Clock, Effect, Error, ErrorKind, Nanos, Reading};

use super::OnOverrun;
use super::alarm::Alarm;
use super::entry::{Entry, Verdict};
use crate::host::SystemClock;
use crate::locked::locked;

/// The thread's stack: it does little, and there may be many processes.
const STACK_BYTES: usize = 256 * 1024;

static GUARD: Mutex<Option<Arc<Guard>>> = Mutex::new(None);

/// All leaderships of this process that are watched over, and the alarm that the thread sleeps on.
#[derive(Debug)]
pub(super) struct Guard {
    alarm: Alarm,
    watched: Mutex<Watched>,
}

#[derive(Debug)]
struct Watched {
    entries: Vec<Entry>,
    /// When the alarm was last set, and for how long after; nothing when it is not set.
    set: Option<(Reading, Nanos)>,
}

impl Guard {
    /// The guard of this process, with its thread.
    pub(super) fn of_this_process() -> Result<Arc<Self>, Error> {
        let mut running = locked(&GUARD);
        if let Some(guard) = &*running {
            return Ok(Arc::clone(guard));
        }
        let guard = Self::start()?;
        *running = Some(Arc::clone(&guard));
        Ok(guard)
    }

    fn start() -> Result<Arc<Self>, Error> {
        let failed = |detail| {
            move |source| {
                Error::new(
                    ErrorKind::Exhausted,
                    Effect::NotApplied,
                    "watchdog",
                    "host",
                    detail,
                )
                .with_source(source)
            }
        };
        let guard = Arc::new(Self {
            alarm: Alarm::new().map_err(failed("no timer: raise the limit of open files"))?,
            watched: Mutex::new(Watched {
                entries: Vec::new(),
                set: None,
            }),
        });
        let of_thread = Arc::clone(&guard);
        thread::Builder::new()
            .name("tenure-watchdog".to_owned())
            .stack_size(STACK_BYTES)
            .spawn(move || of_thread.run())
            .map_err(failed("no thread: raise the limit of tasks"))?;
        Ok(guard)
    }

    pub(super) fn watch(&self, validity: Arc<Validity>, on_overrun: OnOverrun) {
        let entry = Entry::new(validity, on_overrun);
        let wait = match entry.judge() {
            Verdict::Wait(wait) => wait,
            Verdict::Done | Verdict::End | Verdict::Overrun => Nanos::ZERO,
        };
        let now = SystemClock::new().now();
        let mut watched = locked(&self.watched);
        watched.entries.push(entry);
        let rings_in = watched
            .set
            .map(|(since, wait)| wait.saturating_sub(now.longest_since(since)));
        if rings_in.is_none_or(|rings_in| rings_in > wait) {
            watched.set = Some((now, wait));
            self.alarm.set(Some(wait));
        }
    }

    fn run(&self) {
        loop {
            self.alarm.wait();
            self.look();
        }
    }

    /// Looks at all leaderships, does what is to be done, and sets the alarm for the next one.
    fn look(&self) {
        let mut overrun = Vec::new();
        let mut watched = locked(&self.watched);
        let mut next: Option<Nanos> = None;
        for mut entry in std::mem::take(&mut watched.entries) {
            let mut verdict = entry.judge();
            if verdict == Verdict::End {
                entry.end();
                verdict = entry.judge();
            }
            match verdict {
                Verdict::Done => {}
                Verdict::Overrun => overrun.push(entry),
                Verdict::End => unreachable!("a leadership that was ended is over"),
                Verdict::Wait(wait) => {
                    next = Some(next.map_or(wait, |next| next.min(wait)));
                    watched.entries.push(entry);
                }
            }
        }
        watched.set = next.map(|wait| (SystemClock::new().now(), wait));
        self.alarm.set(next);
        drop(watched);
        // Hooks are called without the lock, since they may start elections.
        for entry in overrun {
            entry.overrun();
        }
    }
}
