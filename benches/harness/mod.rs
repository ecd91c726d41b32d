//! What the benchmarks share: clocks, samples, and the table at the end.

#![allow(dead_code, reason = "each benchmark uses a part of it")]

use std::path::Path;
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};
use tempfile::TempDir;
use tenure::backend::Basis;
use tenure::backend::{Acquired, Claim, Grant, Release, Renewal};
use tenure::host::random_bits;
use tenure::time::{Clock as _, WallTime};
use tenure::{CandidateId, CandidateName, LockBackend};
use tenure_core::{Incarnation, Nonce};

/// Whether the section called `name` is to run: all do unless the command line names some.
pub(crate) fn wanted(name: &str) -> bool {
    let mut names = std::env::args()
        .skip(1)
        .filter(|word| !word.starts_with('-'));
    let mut any = false;
    let named = names.any(|word| {
        any = true;
        name.contains(&word)
    });
    named || !any
}

fn read(clock: ClockId) -> Duration {
    let time = clock_gettime(clock);
    let seconds = u64::try_from(time.tv_sec).unwrap_or(0);
    Duration::new(seconds, u32::try_from(time.tv_nsec).unwrap_or(0))
}

/// The time by the clock that all processes of a machine share.
pub(crate) fn now() -> Duration {
    read(ClockId::Boottime)
}

/// How long this process has kept a processor busy, in the program and in the kernel.
pub(crate) fn busy() -> Duration {
    read(ClockId::ProcessCPUTime)
}

/// What one operation costs.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cost {
    pub(crate) time: Duration,
    pub(crate) processor: Duration,
}

impl Cost {
    pub(crate) fn minus(self, other: Self) -> Self {
        Self {
            time: self.time.saturating_sub(other.time),
            processor: self.processor.saturating_sub(other.processor),
        }
    }
}

/// Does something many times, once to warm up, and says what each costs on average.
pub(crate) fn cost(times: u32, mut operation: impl FnMut()) -> Cost {
    for _ in 0..times.div_ceil(10) {
        operation();
    }
    let (started, was_busy) = (now(), busy());
    for _ in 0..times {
        operation();
    }
    Cost {
        time: now().saturating_sub(started) / times,
        processor: busy().saturating_sub(was_busy) / times,
    }
}

/// Numbers without a pattern, the same in each run.
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: usize) -> usize {
        // Knuth's MMIX generator, whose upper bits are the good ones.
        self.0 = (self.0.wrapping_mul(6_364_136_223_846_793_005))
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap_or(0) % limit
    }
}

/// Fills the processor's caches with something else: what is done every few seconds finds them so.
///
/// Of several things that are done in turn without it, what they have in common would be there each time, and what one has alone would not,
/// more or less of it as the machine's other tenants please.
#[derive(Debug)]
pub(crate) struct Oblivion(Vec<u8>);

impl Oblivion {
    pub(crate) fn new() -> Self {
        // More than they hold.
        Self(vec![0; 64 << 20])
    }

    pub(crate) fn forget(&mut self) {
        for byte in self.0.iter_mut().step_by(64) {
            *byte = byte.wrapping_add(1);
        }
        std::hint::black_box(&mut self.0);
    }
}

/// Does several things in turn, many times, `before` each of them something that does not count, and says what each costs: its median, so that
/// what the disk does meanwhile hits all alike. Each time in another order, since what comes before has left the processor's caches as it liked.
pub(crate) fn costs<const N: usize>(
    times: u32,
    mut before: impl FnMut(),
    operations: [&mut dyn FnMut(); N],
) -> [Cost; N] {
    let mut samples = [(); N].map(|()| (Vec::new(), Vec::new()));
    let mut order = std::array::from_fn::<usize, N, _>(|index| index);
    let mut dice = Dice(1);
    for _ in 0..times {
        for last in (1..N).rev() {
            order.swap(last, dice.below(last + 1));
        }
        for index in order {
            before();
            let (took, kept_busy) = &mut samples[index];
            let (started, was_busy) = (now(), busy());
            operations[index]();
            kept_busy.push(busy().saturating_sub(was_busy));
            took.push(now().saturating_sub(started));
        }
    }
    samples.map(|(took, kept_busy)| Cost {
        time: Samples::new(took).percentile(50),
        processor: Samples::new(kept_busy).percentile(50),
    })
}

/// How long something took each time.
#[derive(Debug)]
pub(crate) struct Samples(Vec<Duration>);

impl Samples {
    pub(crate) fn new(mut samples: Vec<Duration>) -> Self {
        samples.sort_unstable();
        Self(samples)
    }

    /// The smallest sample that so many of a hundred do not exceed.
    pub(crate) fn percentile(&self, percent: usize) -> Duration {
        let rank = (self.0.len() * percent).div_ceil(100).max(1);
        self.0.get(rank - 1).copied().unwrap_or_default()
    }

    pub(crate) fn mean(&self) -> Duration {
        let count = u32::try_from(self.0.len()).unwrap_or(u32::MAX).max(1);
        self.0.iter().sum::<Duration>() / count
    }

    pub(crate) fn line(&self, what: &str) -> String {
        let [p50, p99, max] = [50, 99, 100].map(|percent| shown(self.percentile(percent)));
        format!(
            "{what:44} {:>5} times  p50 {p50:>9}  p99 {p99:>9}  max {max:>9}",
            self.0.len()
        )
    }
}

pub(crate) fn shown(duration: Duration) -> String {
    let micros = duration.as_secs_f64() * 1e6;
    if micros < 1000.0 {
        format!("{micros:.2} µs")
    } else {
        format!("{:.2} ms", micros / 1000.0)
    }
}

pub(crate) fn cost_line(what: &str, cost: Cost) -> String {
    format!(
        "{what:44} {:>10}  processor {:>10}",
        shown(cost.time),
        shown(cost.processor)
    )
}

/// The table at the end: what was to be reached, and what was.
#[derive(Debug, Default)]
pub(crate) struct Table(Vec<[String; 4]>);

impl Table {
    /// A row; `target` is nothing where there is none to reach.
    pub(crate) fn row(&mut self, what: &str, value: String, target: Option<(&str, bool)>) {
        let (target, verdict) = match target {
            Some((target, true)) => (target, "reached"),
            Some((target, false)) => (target, "missed"),
            None => ("", ""),
        };
        self.0.push([
            what.to_owned(),
            value,
            target.to_owned(),
            verdict.to_owned(),
        ]);
    }

    pub(crate) fn print(&self) {
        if !self.0.is_empty() {
            println!();
        }
        for [what, value, target, verdict] in &self.0 {
            println!("{what:52} {value:>12}  {target:>12}  {verdict}");
        }
    }
}

/// A section: its name on the command line, and what it does.
pub(crate) type Section = (&'static str, fn(&mut Table));

/// Runs the sections that are wanted, and prints the table.
pub(crate) fn run(sections: &[Section]) {
    let mut table = Table::default();
    for (name, run) in sections {
        if wanted(name) {
            println!("\n{name}:");
            run(&mut table);
        }
    }
    table.print();
}

/// Whether a holder's text is this candidate's.
pub(crate) fn is(holder: &str, identity: &str) -> bool {
    holder == identity
        || holder
            .rsplit_once('_')
            .is_some_and(|(name, _)| name == identity)
}

/// Lets `wait` pass before the first request.
pub(crate) async fn pause(wait: Duration) {
    tenure::host::SystemClock::new().sleep(wait).await;
}

/// A new directory: on the disk that the build is on, since that for temporary files may be in memory, or where
/// `TENURE_BENCH_DIRECTORY_IN` says.
pub(crate) fn directory() -> TempDir {
    let within = std::env::var_os("TENURE_BENCH_DIRECTORY_IN")
        .unwrap_or_else(|| env!("CARGO_TARGET_TMPDIR").into());
    tempfile::tempdir_in(within).expect("a directory that can be written")
}

pub(crate) fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime of one thread")
}

pub(crate) fn candidate() -> CandidateId {
    let [high, low] = random_bits().expect("the operating system has random bits");
    CandidateId {
        name: CandidateName::new("bench").expect("a plain word is a name"),
        incarnation: Incarnation::from_bits((u128::from(high) << 64) | u128::from(low)),
    }
}

/// The wall clock of all records: nothing here depends on it.
const WALL: WallTime = WallTime::from_unix_seconds(1_700_000_000);
const LEASE: Duration = Duration::from_secs(15);

/// Acquires a lock that is free.
pub(crate) async fn acquire(
    lock: &dyn LockBackend,
    candidate: &CandidateId,
    basis: Basis,
) -> Grant {
    let claim = Claim {
        basis,
        candidate: candidate.clone(),
        lease_duration: LEASE,
        nonce: Nonce(1),
        wall: WALL,
    };
    match lock.acquire(&claim).await {
        Ok(Acquired::Granted(grant)) => grant,
        other => panic!("the lock is not free: {other:?}"),
    }
}

pub(crate) fn renewal(candidate: &CandidateId, grant: &Grant) -> Renewal {
    Renewal {
        candidate: candidate.clone(),
        hold: grant.hold,
        lease_duration: LEASE,
        nonce: Nonce(2),
        note: None,
        wall: WALL,
    }
}

pub(crate) fn release(candidate: &CandidateId, grant: &Grant) -> Release {
    Release {
        candidate: candidate.clone(),
        hold: grant.hold,
        wall: WALL,
    }
}

/// Writes a small file so that it is on the disk, as a record has to be: write, fsync, rename, fsync of the directory.
pub(crate) fn replace_durably(directory: &Path, bytes: &[u8]) {
    use std::io::Write as _;

    let (new, path) = (directory.join("record.new"), directory.join("record"));
    let mut file = std::fs::File::create(&new).expect("a new file");
    file.write_all(bytes).expect("room for a small file");
    file.sync_all().expect("a disk that can synchronise");
    std::fs::rename(&new, &path).expect("a rename within a directory");
    let directory = std::fs::File::open(directory).expect("the directory is there");
    directory.sync_all().expect("a disk that can synchronise");
}
