use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard};
use std::time::Duration;

use super::{Breached, Campaign, Found, Progress, Report};
use crate::invariants::Marks;
use crate::plan::{Backend, Plan};
use crate::run::{Outcome, Tier};
use crate::trace::TraceHash;

/// The most breaches that are told one by one.
const TOLD_MOST: usize = 100;
/// How far a thread may be ahead of the slowest.
const AHEAD_MOST: u64 = 4_096;
/// How many seeds pass between two words about how far it has come.
const TOLD_EVERY: u64 = 64;
/// How often a thread that waits for the slowest looks whether the campaign was interrupted.
const LOOKED_EVERY: Duration = Duration::from_millis(50);

/// What the runs of one seed gave.
#[derive(Clone, Default, Debug)]
pub(super) struct Summary {
    breach_count: u64,
    breaches: Vec<Found>,
    events: u64,
    hashes: Vec<TraceHash>,
    marks: Vec<((Backend, Tier), Marks)>,
    simulated: Duration,
}

impl Summary {
    pub(super) fn add(
        &mut self,
        seed: u64,
        (backend, tier): (Backend, Tier),
        plan: &Plan,
        outcome: &Outcome,
    ) {
        self.breach_count += outcome.jury.breach_count();
        self.events += outcome.events;
        self.hashes.push(outcome.hash);
        self.marks.push(((backend, tier), outcome.jury.marks()));
        self.simulated += Duration::from(plan.end);
        for breach in outcome.jury.breaches() {
            self.breaches.push(Found {
                backend,
                breach: breach.clone(),
                seed,
                tier,
            });
        }
    }
}

/// Puts together what the threads found, in the order of the seeds.
#[derive(Debug)]
pub(super) struct Fold {
    breached: Breached,
    inner: Mutex<Inner>,
    moved: Condvar,
    of: u64,
}

#[derive(Debug)]
struct Inner {
    /// The first seed that is not in the report yet.
    next: u64,
    over: bool,
    report: Report,
    /// What came before its turn.
    waiting: BTreeMap<u64, Summary>,
}

impl Fold {
    pub(super) fn new(campaign: &Campaign) -> Self {
        let seeds = &campaign.seeds;
        Self {
            breached: campaign.breached,
            inner: Mutex::new(Inner {
                next: seeds.start,
                over: false,
                report: Report::EMPTY,
                waiting: BTreeMap::new(),
            }),
            moved: Condvar::new(),
            of: seeds.end.saturating_sub(seeds.start),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().expect("nothing panics under the lock")
    }

    /// Waits until `seed` is not too far ahead. Says whether it is still wanted.
    pub(super) fn has_room(&self, seed: u64, interrupted: &AtomicBool) -> bool {
        let mut inner = self.lock();
        while !inner.over && seed >= inner.next + AHEAD_MOST {
            if interrupted.load(Ordering::Relaxed) {
                return false;
            }
            let waited = self.moved.wait_timeout(inner, LOOKED_EVERY);
            (inner, _) = waited.expect("nothing panics under the lock");
        }
        !inner.over
    }

    /// Takes in what the runs of `seed` gave. Says now and then how far it has come.
    pub(super) fn put(&self, seed: u64, summary: Summary) -> Option<Progress> {
        let mut inner = self.lock();
        inner.waiting.insert(seed, summary);
        let mut told = false;
        while !inner.over {
            let next = inner.next;
            let Some(summary) = inner.waiting.remove(&next) else {
                break;
            };
            inner.next += 1;
            inner.over = !summary.breaches.is_empty() && self.breached == Breached::Stop;
            inner.report.fold(next, summary);
            told |= inner.report.seeds.is_multiple_of(TOLD_EVERY) || inner.report.seeds == self.of;
        }
        self.moved.notify_all();
        told.then_some(Progress {
            done: inner.report.seeds,
            events: inner.report.events,
            of: self.of,
        })
    }

    /// What was found, up to the first seed that was not run.
    pub(super) fn report(self) -> Report {
        let inner = self.inner.into_inner();
        inner.expect("nothing panics under the lock").report
    }
}

impl Report {
    fn fold(&mut self, seed: u64, summary: Summary) {
        self.breach_count += summary.breach_count;
        self.events += summary.events;
        self.runs += u64::try_from(summary.hashes.len()).expect("a seed has few runs");
        self.seeds += 1;
        self.simulated += summary.simulated;
        self.digest.mix(seed);
        for hash in summary.hashes {
            self.digest.mix(hash.value());
        }
        for (place, seen) in summary.marks {
            match self.marks.iter_mut().find(|(known, _)| *known == place) {
                Some((_, marks)) => *marks = marks.union(seen),
                None => self.marks.push((place, seen)),
            }
        }
        let room = TOLD_MOST - self.breaches.len();
        self.breaches
            .extend(summary.breaches.into_iter().take(room));
    }
}
