//! Jobs under real elections: several candidates over one store in memory, in virtual time.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Waker};
use std::time::Duration;

use super::world::{Log, World, job, seconds};
use super::*;
use crate::elector::Backoff;
use crate::machine::OnMissing;
use crate::memory::LeasedStore;
use crate::{CandidateName, Control, Election, ElectionName, Seed};

struct Candidate {
    control: Control,
    future: Pin<Box<dyn Future<Output = ()>>>,
}

struct Cluster {
    candidates: Vec<Option<Candidate>>,
    jobs: Jobs,
    started: u64,
    store: LeasedStore,
    world: World,
}

impl Cluster {
    fn new(world: &World, jobs: Jobs, candidates: usize) -> Self {
        let name = ElectionName::new("jobs").unwrap();
        let mut cluster = Self {
            candidates: Vec::new(),
            jobs,
            started: 0,
            store: LeasedStore::new(name),
            world: world.clone(),
        };
        for _ in 0..candidates {
            let candidate = cluster.candidate();
            cluster.candidates.push(Some(candidate));
        }
        cluster
    }

    fn candidate(&mut self) -> Candidate {
        self.started += 1;
        let backend = Arc::new(self.store.handle());
        let clock = Arc::new(self.world.clock.clone());
        let seed = Seed::from_bits([self.started, !self.started]);
        let mut election = Election::builder(backend, clock, seed)
            .candidate(CandidateName::new(&format!("candidate-{}", self.started)).unwrap())
            .on_missing(OnMissing::AcquireAtOnce)
            .build()
            .unwrap();
        let control = election.control();
        let jobs = self.jobs.clone();
        let future = Box::pin(async move {
            let work = |leadership| jobs.clone().run(leadership);
            election.run_forever(Backoff::STANDARD, work).await.unwrap();
        });
        Candidate { control, future }
    }

    fn go(&mut self, duration: Duration) {
        let end = self.world.after(duration);
        let mut context = Context::from_waker(Waker::noop());
        loop {
            for candidate in self.candidates.iter_mut().flatten() {
                let _ = candidate.future.as_mut().poll(&mut context);
            }
            if !self.world.step(end) {
                return;
            }
        }
    }

    fn leader(&self) -> usize {
        let leads = |candidate: &Option<Candidate>| {
            candidate
                .as_ref()
                .is_some_and(|candidate| candidate.control.view().token.is_some())
        };
        self.candidates
            .iter()
            .position(leads)
            .expect("somebody leads")
    }

    /// The leader's process dies and another one starts.
    fn crash_leader(&mut self) {
        let leader = self.leader();
        self.candidates[leader] = None;
        self.candidates[leader] = Some(self.candidate());
    }
}

fn every_ten(world: &World, policy: Policy) -> (Jobs, Log) {
    let (job, log) = job(world, "job", 10, policy, seconds(1));
    (world.jobs([job]), log)
}

#[test]
fn each_fire_runs_once_over_crashes_and_resignations() {
    let world = World::new();
    let policy = Policy {
        fires: Fires::AtLeastOnce,
        missed: Missed::All {
            at_most: 100.try_into().unwrap(),
        },
        ..Policy::cautious()
    };
    let (jobs, log) = every_ten(&world, policy);
    let mut cluster = Cluster::new(&world, jobs, 3);
    cluster.go(seconds(35));
    for round in 0..10 {
        if round % 2 == 0 {
            cluster.crash_leader();
        } else {
            let leader = cluster.leader();
            cluster.candidates[leader]
                .as_ref()
                .unwrap()
                .control
                .resign();
        }
        cluster.go(seconds(64));
    }
    cluster.go(seconds(20));
    let done: Vec<u64> = log
        .runs()
        .iter()
        .filter(|run| run.2 == "done")
        .map(|run| run.0)
        .collect();
    let last = *done.last().unwrap();
    assert!(last >= 680, "{done:?}");
    let all: Vec<u64> = (10..=last).step_by(10).collect();
    assert_eq!(done, all, "{:?}", log.runs());
}

#[test]
fn a_candidate_whose_clock_contradicts_the_last_leaders_fires_nothing() {
    let world = World::new();
    let (jobs, log) = every_ten(&world, Policy::cautious());
    let mut cluster = Cluster::new(&world, jobs, 2);
    cluster.go(seconds(35));
    assert_eq!(log.runs().len(), 3);
    // The crash takes the leader's clock away; the follower's is a year ahead, and it saw the last leader's writes arrive.
    world.set_wall_ahead(365 * 86_400);
    let leader = cluster.leader();
    cluster.candidates[leader] = None;
    cluster.go(seconds(60));
    assert_eq!(log.runs().len(), 3);
    let doubted = |event: &CronEvent| {
        matches!(
            event,
            CronEvent::ClockDoubted {
                doubt: Doubt::Apart {
                    from: WitnessSource::LastLeader,
                    ..
                }
            }
        )
    };
    assert!(world.told().iter().any(doubted));
}

#[test]
fn a_shut_down_lets_the_run_finish() {
    let world = World::new();
    let (job, log) = job(&world, "job", 10, Policy::cautious(), seconds(5));
    let mut cluster = Cluster::new(&world, world.jobs([job]), 1);
    cluster.go(seconds(11));
    assert_eq!(log.runs(), [(10, 1, "running")]);
    cluster.candidates[0].as_ref().unwrap().control.shut_down();
    let mut candidate = cluster.candidates[0].take().unwrap();
    let end = world.after(seconds(20));
    let mut context = Context::from_waker(Waker::noop());
    while candidate.future.as_mut().poll(&mut context).is_pending() {
        assert!(world.step(end), "it should have ended");
    }
    assert_eq!(log.runs(), [(10, 1, "done")]);
    let note = cluster.store.observation().note.unwrap();
    let last = Ledger::decode(&note).unwrap().entries()[0].last.unwrap();
    assert_eq!(last.ended.unwrap().0, Outcome::Succeeded);
}
