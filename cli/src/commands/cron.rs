use std::ffi::OsString;
use std::fmt;
use std::future::pending;
use std::num::NonZeroU8;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use tenure::Leadership;
use tenure::cron::{
    Cancellation, Fire, Fires, Job, JobFailed, Jobs, JobsError, Missed, Overrun, Policy,
};
use tenure::cron::{Retries, Schedule};
use tenure::elector::{Backoff, RunError};

use super::campaign::{Campaign, End, election};
use super::show::time;
use crate::concurrent::{Either, either};
use crate::exit::{Exit, Failure};
use crate::job::{Guard, JobError};
use crate::options::{CronOptions, FiresName, MissedName, OverrunName, PatienceOptions};
use crate::signals::SignalQueue;
use crate::supervise::Supervisor;

/// How many missed fires are caught up with at the most.
const CAUGHT_UP_MAX: NonZeroU8 = NonZeroU8::new(100).expect("not zero");

pub(super) fn cron(options: CronOptions) -> Result<u8, Failure> {
    super::block_on(campaign(options))?
}

async fn campaign(options: CronOptions) -> Result<u8, Failure> {
    let timing = options.timing.timing()?;
    let schedule = Schedule::in_zone(&options.schedule, &options.time_zone)
        .map_err(|error| Failure::usage(error.to_string()))?;
    let pod = &options.candidate.pod;
    let lock = options.lock.open_for_candidate(pod, timing).await?;
    let timing = options
        .timing
        .fitting(timing, &*lock.backend, options.lock.session_timeout())?;
    let policy = policy(&options, timing.grace());
    let mut election = election(&lock, &options.candidate, timing)?;
    let campaign = Campaign::new(&election, lock.clone(), SignalQueue::default());
    let crew = Crew {
        post: Arc::default(),
        supervisor: Supervisor {
            candidate: options.candidate.name()?.to_string(),
            command: options.command,
            lock,
            // A fire that runs is let finish when the program is told to end, so it is told nothing.
            signals: SignalQueue::default(),
            timing,
        },
    };
    let crew_of_job = crew.clone();
    let job = Job::new(&options.job, schedule, policy, move |fire| {
        let crew = crew_of_job.clone();
        async move { crew.run(fire).await }
    });
    let mut jobs = Jobs::new();
    jobs.register(job)
        .map_err(|error| Failure::usage(error.to_string()))?;
    let patience = PatienceOptions::endless();
    let work = |leadership: Leadership| {
        let jobs = jobs.clone();
        let crew = &crew;
        async move { crew.lead(leadership, jobs).await }
    };
    let elected = election.run_forever(Backoff::STANDARD, work);
    match campaign.run(&patience, elected).await? {
        End::GaveUp | End::Left | End::Elected(Ok(()) | Err(RunError::ShutDown)) => {
            Ok(campaign.exit(Exit::Success))
        }
        End::Elected(Err(error)) => Err(Failure::failed(error)),
    }
}

fn policy(options: &CronOptions, grace: std::time::Duration) -> Policy {
    Policy {
        fires: match options.fires {
            FiresName::AtLeastOnce => Fires::AtLeastOnce,
            FiresName::AtMostOnce => Fires::AtMostOnce,
        },
        missed: match options.missed {
            MissedName::All => Missed::All {
                at_most: CAUGHT_UP_MAX,
            },
            MissedName::Last => Missed::Last,
            MissedName::Skip => Missed::Skip,
        },
        overrun: match options.overrun {
            OverrunName::Cancel => Overrun::Cancel,
            OverrunName::Skip => Overrun::Skip,
        },
        retries: Retries::times(options.retries),
        stop_within: grace,
        timeout: options.timeout,
        ..Policy::cautious()
    }
}

/// Runs the command of one fire after another.
#[derive(Clone, Debug)]
struct Crew {
    /// What the next fire runs under.
    post: Arc<Mutex<Post>>,
    supervisor: Supervisor,
}

/// A leadership and its guard, for as long as they last.
#[derive(Clone, Default, Debug)]
struct Post {
    guard: Weak<Guard>,
    leadership: Weak<Leadership>,
}

/// Why nothing fires any more.
enum Stopped {
    Guard(JobError),
    Jobs(JobsError),
}

impl fmt::Display for Stopped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Guard(error) => error.fmt(f),
            Self::Jobs(error) => error.fmt(f),
        }
    }
}

/// Why a command was asked to stop.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Asked {
    /// Its fire was told to.
    Cancelled(Cancellation),
    /// It would outlive the drain timeout of a planned stop.
    TooLong,
}

impl Crew {
    fn post(&self) -> MutexGuard<'_, Post> {
        self.post.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Fires the jobs for as long as the leadership lasts, under a guard.
    async fn lead(&self, leadership: Leadership, jobs: Jobs) -> Result<(), Stopped> {
        let leadership = Arc::new(leadership);
        let work = |guard: Arc<Guard>| {
            *self.post() = Post {
                guard: Arc::downgrade(&guard),
                leadership: Arc::downgrade(&leadership),
            };
            jobs.run(Arc::clone(&leadership))
        };
        match self.supervisor.lead(&leadership, work).await {
            Ok(Some(Err(error))) => Err(Stopped::Jobs(error)),
            Ok(Some(Ok(())) | None) => Ok(()),
            Err(error) => Err(Stopped::Guard(error)),
        }
    }

    async fn run(&self, fire: Fire) -> Result<(), JobFailed> {
        let Post { guard, leadership } = self.post().clone();
        let Some((guard, leadership)) = guard.upgrade().zip(leadership.upgrade()) else {
            return Err(JobFailed::new("no leadership to run it under"));
        };
        let asked = Mutex::new(None);
        let stop = async {
            let why = either(fire.cancelled(), self.too_long(&leadership)).await;
            let why = match why {
                Either::First(why) => Asked::Cancelled(why),
                Either::Second(()) => Asked::TooLong,
            };
            *asked.lock().unwrap_or_else(PoisonError::into_inner) = Some(why);
        };
        let validity = leadership.validity();
        let ended = self
            .supervisor
            .run(&guard, validity, environment(&fire), stop)
            .await;
        let asked = asked.into_inner().unwrap_or_else(PoisonError::into_inner);
        match ended {
            Ok(end) if end.is_success() => Ok(()),
            // It has not failed: it was not let finish. Without an end in the ledger, it is for the next leader to decide.
            Ok(_) if asked == Some(Asked::TooLong) => pending().await,
            Ok(end) => Err(JobFailed::with_code(end.status().max(1), end.to_string())),
            Err(error) => Err(JobFailed::with_code(
                Exit::Failed.status(),
                error.to_string(),
            )),
        }
    }

    /// Ready when a planned stop has lasted for so long that only the time to stop is left of the drain timeout.
    async fn too_long(&self, leadership: &Leadership) {
        leadership.cancelled().await;
        let timing = &self.supervisor.timing;
        let drain = timing.drain_timeout().saturating_sub(timing.grace());
        leadership.clock().sleep(drain).await;
    }
}

fn environment(fire: &Fire) -> Vec<(OsString, OsString)> {
    let scheduled = fire.scheduled();
    vec![
        ("TENURE_ATTEMPT".into(), fire.attempt().to_string().into()),
        ("TENURE_SCHEDULED".into(), time(scheduled).into()),
        (
            "TENURE_SCHEDULED_UNIX".into(),
            scheduled.unix_seconds().to_string().into(),
        ),
    ]
}
