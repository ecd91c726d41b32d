//! One thread a root that tells its handles what changed in the directory. An event about one election wakes that one only.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, Weak};
use std::time::Duration;

use tenure_core::{ElectionName, Nanos};

use super::hints::Hints;
use super::paths::{Entry, entry_of, is_new};
use super::system::{Event, System, Watch, WatchId};
use crate::locked::locked;

/// How often a directory that cannot be watched is tried again.
const REPAIR: Duration = Duration::from_secs(1);
/// A member's lock is free this long after its close was told, at the latest when nothing is overloaded.
const MEMBER_AFTERMATH: Duration = Duration::from_millis(20);

#[derive(Debug)]
struct Reminder {
    due: Nanos,
    hints: Weak<Hints>,
    of: Matter,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Matter {
    Lock,
    Members,
}

#[derive(Default, Debug)]
struct Watched {
    handles: BTreeMap<ElectionName, Vec<Weak<Hints>>>,
    members: BTreeMap<WatchId, ElectionName>,
    reminders: Vec<Reminder>,
    root: Option<WatchId>,
}

/// The watched directory of a root.
#[derive(Debug)]
pub(crate) struct Watcher {
    closing: AtomicBool,
    directory: PathBuf,
    system: Arc<dyn System>,
    /// Nothing where the machine has no more watches to give: then the electors poll.
    watch: Option<Arc<dyn Watch>>,
    watched: Mutex<Watched>,
}

impl Watcher {
    /// Starts watching `directory`.
    pub(crate) fn start(system: &Arc<dyn System>, directory: &Path) -> std::io::Result<Arc<Self>> {
        let watch = system.watch();
        if let Err(error) = &watch {
            tracing::warn!(
                directory = %directory.display(), %error,
                "changes of the lock directory are not told, so that candidates poll: raise fs.inotify.max_user_instances"
            );
        }
        let watcher = Arc::new(Self {
            closing: AtomicBool::new(false),
            directory: directory.to_owned(),
            system: Arc::clone(system),
            watch: watch.ok(),
            watched: Mutex::default(),
        });
        if let Some(watch) = &watcher.watch {
            watcher.repair(watch.as_ref());
            let (served, watch) = (Arc::clone(&watcher), Arc::clone(watch));
            system.start_thread(
                "tenure-watch",
                Box::new(move || served.serve(watch.as_ref())),
            )?;
        }
        Ok(watcher)
    }

    /// Ends the thread.
    pub(crate) fn close(&self) {
        self.closing.store(true, Ordering::Release);
        self.wake();
    }

    /// Tells `hints` what changes for `election` from now on.
    pub(crate) fn register(&self, election: &ElectionName, hints: &Arc<Hints>) {
        let mut watched = locked(&self.watched);
        let handles = watched.handles.entry(election.clone()).or_default();
        handles.push(Arc::downgrade(hints));
        if watched.root.is_some() {
            hints.watching(true);
        }
    }

    /// Forgets a handle. Its members' directory is no longer watched when it was the last.
    pub(crate) fn deregister(&self, election: &ElectionName, hints: &Arc<Hints>) {
        let mut watched = locked(&self.watched);
        let Some(handles) = watched.handles.get_mut(election) else {
            return;
        };
        handles.retain(|handle| !std::ptr::eq(handle.as_ptr(), Arc::as_ptr(hints)));
        if handles.is_empty() {
            watched.handles.remove(election);
            watched.members.retain(|id, of| {
                let keep = of != election;
                if let (false, Some(watch)) = (keep, &self.watch) {
                    watch.remove(*id);
                }
                keep
            });
        }
    }

    /// Tells changes of the members of `election` too. A directory that cannot be watched is read when the electors poll.
    pub(crate) fn watch_members(&self, election: &ElectionName, directory: &Path) {
        let Some(watch) = &self.watch else { return };
        let mut watched = locked(&self.watched);
        if !watched.members.values().any(|of| of == election)
            && let Ok(id) = watch.add(directory)
        {
            watched.members.insert(id, election.clone());
        }
    }

    /// Hints at a change of the lock again, `after` this long.
    pub(crate) fn remind(&self, hints: &Arc<Hints>, after: Duration) {
        let mut watched = locked(&self.watched);
        self.add_reminder(&mut watched, Arc::downgrade(hints), after, Matter::Lock);
        drop(watched);
        self.wake();
    }

    fn wake(&self) {
        if let Some(watch) = &self.watch {
            watch.wake();
        }
    }

    fn add_reminder(&self, watched: &mut Watched, hints: Weak<Hints>, after: Duration, of: Matter) {
        // One a handle is enough, and bounds the list.
        let same = |known: &Reminder| known.of == of && known.hints.ptr_eq(&hints);
        if !watched.reminders.iter().any(same) {
            let due = self.system.monotonic().saturating_add(after.into());
            watched.reminders.push(Reminder { due, hints, of });
        }
    }

    fn serve(&self, watch: &dyn Watch) {
        let mut events = Vec::new();
        while !self.closing.load(Ordering::Acquire) {
            if let Err(error) = watch.wait(self.patience(), &mut events) {
                tracing::error!(directory = %self.directory.display(), %error, "watching has ended: candidates poll from now on");
                all(&locked(&self.watched), |hints| hints.watching(false));
                return;
            }
            for event in events.drain(..) {
                self.heed(watch, &event);
            }
            self.remind_who_is_due();
            if locked(&self.watched).root.is_none() {
                self.repair(watch);
            }
        }
    }

    /// How long to wait for events at most.
    fn patience(&self) -> Option<Duration> {
        let watched = locked(&self.watched);
        let first = watched.reminders.iter().map(|reminder| reminder.due).min();
        let reminder = first.map(|due| Duration::from(due.saturating_sub(self.system.monotonic())));
        let repair = watched.root.is_none().then_some(REPAIR);
        reminder.into_iter().chain(repair).min()
    }

    fn heed(&self, watch: &dyn Watch, event: &Event) {
        let mut watched = locked(&self.watched);
        match event {
            Event::Overflow => all(&watched, |hints| {
                hints.closed();
                hints.members_changed();
            }),
            Event::Gone { watch: id } if Some(*id) == watched.root => {
                // A directory that was renamed would be followed to its new name.
                watch.remove(*id);
                watched.root = None;
                all(&watched, |hints| {
                    hints.watching(false);
                    hints.changed();
                });
            }
            Event::Gone { watch: id } => {
                watch.remove(*id);
                if let Some(election) = watched.members.remove(id) {
                    of(&watched, &election, Hints::members_changed);
                }
            }
            Event::Closed { watch: id, name } | Event::Entry { watch: id, name } => {
                let closed = matches!(event, Event::Closed { .. });
                if Some(*id) == watched.root {
                    heed_entry(&watched, name, closed);
                } else if let Some(election) = watched.members.get(id).cloned() {
                    self.heed_member(&mut watched, &election, name, closed);
                }
            }
        }
    }

    fn heed_member(
        &self,
        watched: &mut Watched,
        election: &ElectionName,
        name: &str,
        closed: bool,
    ) {
        if is_new(name) {
            return;
        }
        of(watched, election, Hints::members_changed);
        if closed {
            let handles = watched.handles.get(election).cloned().unwrap_or_default();
            for hints in handles {
                self.add_reminder(watched, hints, MEMBER_AFTERMATH, Matter::Members);
            }
        }
    }

    fn remind_who_is_due(&self) {
        let mut watched = locked(&self.watched);
        if watched.reminders.is_empty() {
            return;
        }
        let now = self.system.monotonic();
        watched.reminders.retain(|reminder| {
            let due = reminder.due <= now;
            if let (true, Some(hints)) = (due, reminder.hints.upgrade()) {
                match reminder.of {
                    Matter::Lock => hints.changed(),
                    Matter::Members => hints.members_changed(),
                }
            }
            !due
        });
    }

    /// Watches the directory that now has the root's name, and has everybody look at it.
    fn repair(&self, watch: &dyn Watch) {
        let added = watch.add(&self.directory);
        let mut watched = locked(&self.watched);
        if let Ok(id) = added {
            watched.root = Some(id);
            all(&watched, |hints| {
                hints.watching(true);
                hints.closed();
            });
        }
    }
}

fn all(watched: &Watched, tell: impl Fn(&Hints)) {
    for hints in watched.handles.values().flatten() {
        if let Some(hints) = hints.upgrade() {
            tell(&hints);
        }
    }
}

fn heed_entry(watched: &Watched, name: &str, closed: bool) {
    let (election, lock) = match entry_of(name) {
        Some(Entry::Lock(election)) => (election, true),
        Some(Entry::Record(election) | Entry::Request(election)) => (election, false),
        None => return,
    };
    let Ok(election) = ElectionName::new(election) else {
        return;
    };
    if lock && closed {
        of(watched, &election, Hints::closed);
    } else {
        of(watched, &election, Hints::changed);
    }
}

fn of(watched: &Watched, election: &ElectionName, tell: impl Fn(&Hints)) {
    for hints in watched.handles.get(election).into_iter().flatten() {
        if let Some(hints) = hints.upgrade() {
            tell(&hints);
        }
    }
}

#[cfg(all(test, target_os = "linux"))]
#[expect(
    clippy::unwrap_used,
    reason = "helpers of tests are no tests to the lint, and a failed one should fail its test"
)]
mod tests {
    use std::future::Future;
    use std::pin::pin;
    use std::task::{Context, Poll, Waker};

    use tenure_core::backend::Hint;

    use super::*;
    use crate::file::system::meddled::{Call, Meddled};

    fn told(hints: &Hints) -> Vec<Hint> {
        let mut context = Context::from_waker(Waker::noop());
        let next = || match pin!(hints.next()).poll(&mut context) {
            Poll::Ready(hint) => Some(hint),
            Poll::Pending => None,
        };
        std::iter::from_fn(next).collect()
    }

    fn watched(system: Meddled) -> (Arc<Watcher>, Arc<Hints>, tempfile::TempDir) {
        let directory = tempfile::tempdir().unwrap();
        let system = Arc::new(system) as Arc<dyn System>;
        let watcher = Watcher::start(&system, directory.path()).unwrap();
        let hints = Arc::new(Hints::default());
        watcher.register(&ElectionName::new("a").unwrap(), &hints);
        (watcher, hints, directory)
    }

    #[test]
    fn lost_events_have_everybody_look_at_everything() {
        let (watcher, hints, _directory) = watched(Meddled::new());
        assert_eq!(told(&hints), [Hint::Watching(true)]);
        let watch = watcher.watch.clone().unwrap();
        watcher.heed(watch.as_ref(), &Event::Overflow);
        assert_eq!(told(&hints), [Hint::Changed, Hint::MembersChanged]);
        assert!(
            hints.refused(None).is_some(),
            "a close may have been among them"
        );
        watcher.close();
    }

    #[test]
    fn a_machine_without_watches_left_is_polled() {
        let system = Meddled::new();
        system.meddle(|call, _| match call {
            Call::Watch => Err(std::io::Error::from_raw_os_error(nix::libc::EMFILE)),
            _ => Ok(()),
        });
        let (watcher, hints, directory) = watched(system);
        assert_eq!(told(&hints), [], "nobody is promised to be told");
        watcher.remind(&hints, Duration::ZERO);
        watcher.watch_members(&ElectionName::new("a").unwrap(), directory.path());
        watcher.close();
    }

    #[test]
    fn a_forgotten_handle_is_told_nothing_and_leaves_nothing() {
        let (watcher, hints, directory) = watched(Meddled::new());
        let election = ElectionName::new("a").unwrap();
        watcher.watch_members(&election, directory.path());
        watcher.deregister(&election, &hints);
        let left = locked(&watcher.watched);
        assert!(
            left.handles.is_empty() && left.members.is_empty(),
            "{left:?}"
        );
        drop(left);
        watcher.close();
    }
}
