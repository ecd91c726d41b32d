use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use tenure_core::Leadership;
use tenure_core::cron::{
    CronEvent, Every, Finding, Fire, Fires, Job, JobFailed, Jobs, Missed, Policy,
};

use super::log::Actor;
use crate::plan::{CronPlan, DeliveryPlan};
use crate::trace::{FireDeed, What};

/// The cron job that a plan has the leader run.
#[derive(Clone, Debug)]
pub(super) struct Cron {
    delivery: DeliveryPlan,
    every: Duration,
    takes: Duration,
}

impl Cron {
    pub(super) fn new(plan: &CronPlan) -> Self {
        Self {
            delivery: plan.delivery,
            every: plan.every.into(),
            takes: plan.takes.into(),
        }
    }

    fn policy(&self) -> Policy {
        let policy = Policy::cautious();
        match self.delivery {
            DeliveryPlan::AtMostOnce => policy,
            DeliveryPlan::AtLeastOnce => Policy {
                fires: Fires::AtLeastOnce,
                missed: Missed::All {
                    at_most: std::num::NonZeroU8::MAX,
                },
                ..policy
            },
        }
    }

    /// Fires the job for as long as the leadership lasts.
    pub(super) async fn run(
        &self,
        actor: &Actor,
        stop_takes: Duration,
        leadership: &Arc<Leadership>,
    ) {
        let (teller, takes) = (actor.clone(), self.takes);
        let clock = Arc::clone(leadership.clock());
        let action = move |fire: Fire| {
            let running = RunningFire::begin(&teller, &fire);
            let ends = clock.sleep(takes);
            let clock = Arc::clone(&clock);
            async move {
                let stopped = first(fire.cancelled(), ends).await;
                if stopped {
                    clock.sleep(stop_takes).await;
                    drop(running);
                    return Err(JobFailed::new("told to stop"));
                }
                running.ended();
                Ok(())
            }
        };
        let job = Job::new("simulated", Every::new(self.every), self.policy(), action);
        let (teller, token) = (actor.clone(), leadership.token().value());
        let mut jobs = Jobs::new().on_event(move |event| tell(&teller, token, event));
        jobs.register(job).expect("one job has room and a name");
        // A ledger that cannot be written ends the work; the next leadership reads it again.
        drop(jobs.run(Arc::clone(leadership)).await);
    }
}

fn tell(actor: &Actor, token: u64, event: &CronEvent) {
    match event {
        CronEvent::LedgerDamaged | CronEvent::LedgerFromFuture | CronEvent::LedgerMissing => {
            actor.tell(What::LedgerLost { token });
        }
        CronEvent::Found {
            finding: Finding::MissedSkipped(skipped) | Finding::OverrunSkipped(skipped),
            ..
        } => {
            for due_s in [skipped.first, skipped.last].map(|due| due.unix_seconds()) {
                actor.tell(What::Fire {
                    deed: FireDeed::Missed,
                    due_s,
                    token,
                });
            }
        }
        _ => {}
    }
}

/// A fire that runs. Dropped before it has ended, it was broken off.
struct RunningFire {
    actor: Actor,
    due_s: u64,
    ended: bool,
    token: u64,
}

impl RunningFire {
    fn begin(actor: &Actor, fire: &Fire) -> Self {
        let running = Self {
            actor: actor.clone(),
            due_s: fire.scheduled().unix_seconds(),
            ended: false,
            token: fire.token().value(),
        };
        running.tell(FireDeed::Began);
        running
    }

    fn ended(mut self) {
        self.ended = true;
        self.tell(FireDeed::Ended);
    }

    fn tell(&self, deed: FireDeed) {
        self.actor.tell(What::Fire {
            deed,
            due_s: self.due_s,
            token: self.token,
        });
    }
}

impl Drop for RunningFire {
    fn drop(&mut self) {
        if !self.ended {
            self.tell(FireDeed::Broken);
        }
    }
}

impl fmt::Debug for RunningFire {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("RunningFire").field(&self.due_s).finish()
    }
}

/// Waits for either. Whether it was the first.
async fn first<T>(one: impl Future<Output = T>, other: impl Future<Output = ()>) -> bool {
    let (mut one, mut other) = (pin!(one), pin!(other));
    poll_fn(|context| {
        if one.as_mut().poll(context).is_ready() {
            return Poll::Ready(true);
        }
        other.as_mut().poll(context).map(|()| false)
    })
    .await
}
