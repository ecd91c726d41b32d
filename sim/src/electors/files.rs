use std::fmt;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use tenure_backends::file::{FileLock, FileRoot};
use tenure_core::backend::{Hold, RequestKind};
use tenure_core::{ElectionName, Nanos, Version, WallTime};

use super::log::{Actor, Log};
use super::operator::{Operator, Patience};
use crate::clock::{ClockStart, NodeClock};
use crate::disk::Disk;
use crate::executor::{Handle, NodeId, Process};
use crate::plan::{Fault, Foreign, Plan};
use crate::random::{Purpose, Stream};
use crate::trace::{Deed, Life, What};

const DIRECTORY: &str = "/locks";
const ELECTION: &str = "simulated";
/// The operator's machine, which is none of the plan's.
const OPERATOR: NodeId = NodeId(u16::MAX);
const ONE_THREAD: &str = "one thread, and nothing panics under the lock";
const PATIENCE: Patience = Patience {
    tries_max: 200,
    retries_after: Duration::from_millis(200),
};

/// The lock of a run where it is a file: a disk, the real backend over it, and what is told of the lock.
#[derive(Clone)]
pub(super) struct Files(Arc<Inner>);

struct Inner {
    disk: Disk,
    handle: Handle,
    log: Log,
    operator: Operator,
    operator_clock: NodeClock,
    seed: u64,
    shown: Mutex<Shown>,
    /// Whether changes are never told.
    silent: bool,
}

/// What of the lock was last told.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
struct Shown {
    holder: Option<Life>,
    token: Option<u64>,
    version: Option<u64>,
}

impl Files {
    pub(super) fn new(plan: &Plan, log: &Log, handle: &Handle) -> Self {
        let start = ClockStart {
            uptime: Nanos::from_millis(1_000_000),
            rate_ppm: 0,
            wall: WallTime::from_unix_seconds(1_700_000_000),
        };
        let disk = Disk::new(handle, plan.seed);
        disk.create_directories(Path::new(DIRECTORY))
            .expect("an empty disk has room");
        let files = Self(Arc::new(Inner {
            disk,
            handle: handle.clone(),
            log: log.clone(),
            operator: Operator::default(),
            operator_clock: NodeClock::new(handle, start),
            seed: plan.seed,
            shown: Mutex::default(),
            silent: plan.server.silent,
        }));
        files.set_trouble([].into_iter());
        files
    }

    fn shown(&self) -> MutexGuard<'_, Shown> {
        self.0.shown.lock().expect(ONE_THREAD)
    }

    /// The lock as a new process has it.
    pub(super) fn lock(&self, process: &Process, clock: &NodeClock, life: Life) -> FileLock {
        self.open(process, clock, u64::from(life.0))
    }

    fn open(&self, process: &Process, clock: &NodeClock, stream: u64) -> FileLock {
        let latency = Stream::new(self.0.seed, stream, Purpose::Disk);
        let system = self.0.disk.system(process, clock, latency);
        let election = ElectionName::new(ELECTION).expect("a plain word is a name");
        FileRoot::builder(DIRECTORY)
            .open_on(system)
            .and_then(|root| root.lock(election))
            .expect("a disk can be opened whatever is wrong with it")
    }

    /// Brings the disk into the state that the faults under way make.
    pub(super) fn set_trouble<'a>(&self, faults: impl Iterator<Item = &'a Fault>) {
        let (mut full, mut hangs, mut silent) = (false, false, self.0.silent);
        for fault in faults {
            match fault {
                Fault::DiskFull => full = true,
                Fault::Hang => hangs = true,
                Fault::NoHints => silent = true,
                _ => {}
            }
        }
        let disk = &self.0.disk;
        if full {
            disk.fill();
        } else {
            disk.make_room();
        }
        if hangs {
            disk.hang();
        } else {
            disk.go_on();
        }
        if silent {
            disk.fall_silent();
        } else {
            disk.tell_again();
        }
    }

    /// A machine loses power. Its process is dead by then.
    pub(super) fn lose_power(&self, node: NodeId) {
        self.0.disk.lose_power(node);
    }

    /// What a third party does.
    pub(super) fn tamper(&self, foreign: Foreign) {
        self.0.disk.meddle(foreign, Path::new(DIRECTORY), ELECTION);
        let mut shown = *self.shown();
        if foreign != Foreign::EditLabel {
            shown.holder = None;
        }
        self.tell(None, Deed::Foreign(foreign), shown);
    }

    /// An operator leaves a request, after those that were left before.
    pub(super) fn submit(&self, kind: RequestKind) {
        if !self.0.operator.queue(kind) {
            return;
        }
        let process = Process::on(OPERATOR);
        let lock = self.open(&process, &self.0.operator_clock, u64::MAX);
        let files = self.clone();
        self.0.handle.spawn(&process, async move {
            let Inner {
                handle, operator, ..
            } = &*files.0;
            let accepted = || {
                let shown = *files.shown();
                files.tell(None, Deed::Requested, shown);
            };
            operator.serve(&lock, handle, PATIENCE, accepted).await;
        });
    }

    /// A candidate was granted the lock.
    pub(super) fn granted(&self, actor: &Actor, life: Life, hold: &Hold) {
        let shown = Shown {
            holder: Some(life),
            token: Some(hold.token.value()),
            version: Some(hold.version.0),
        };
        self.tell(Some(actor), Deed::Acquired, shown);
    }

    /// A candidate's renewal was confirmed.
    pub(super) fn renewed(&self, actor: &Actor, life: Life, version: Version) {
        let shown = *self.shown();
        let changed = shown.version != Some(version.0);
        if changed && shown.holder == Some(life) {
            let version = Some(version.0);
            self.tell(Some(actor), Deed::Renewed, Shown { version, ..shown });
        }
    }

    /// A candidate gave the lock back.
    pub(super) fn released(&self, actor: &Actor, life: Life) {
        let shown = *self.shown();
        if shown.holder == Some(life) {
            let holder = None;
            self.tell(Some(actor), Deed::Released, Shown { holder, ..shown });
        }
    }

    /// A candidate's process has died, and the kernel has closed what it had.
    pub(super) fn died(&self, life: Life) {
        let shown = *self.shown();
        if shown.holder == Some(life) {
            let holder = None;
            self.tell(None, Deed::Expired, Shown { holder, ..shown });
        }
    }

    fn tell(&self, actor: Option<&Actor>, deed: Deed, shown: Shown) {
        *self.shown() = shown;
        let what = What::Wrote {
            deed,
            basis: None,
            version: shown.version,
            holder: shown.holder,
            token: shown.token,
        };
        match actor {
            Some(actor) => actor.tell(what),
            None => self.0.log.tell(None, what),
        }
    }
}

impl fmt::Debug for Files {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Files").field(&self.0.disk).finish()
    }
}
