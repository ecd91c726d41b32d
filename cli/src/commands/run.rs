use std::sync::Arc;

use tenure::elector::{Backoff, RunError};
use tenure::{Election, Leadership};

use super::campaign::{Campaign, End, election};
use crate::exit::{Exit, Failure};
use crate::job::{Guard, JobEnd, JobError};
use crate::options::RunOptions;
use crate::signals::SignalQueue;
use crate::supervise::Supervisor;

pub(super) fn run(options: RunOptions) -> Result<u8, Failure> {
    super::block_on(campaign(options))?
}

async fn campaign(options: RunOptions) -> Result<u8, Failure> {
    let timing = options.timing.timing()?;
    let pod = &options.candidate.pod;
    let lock = options.lock.open_for_candidate(pod, timing).await?;
    let timing = options
        .timing
        .fitting(timing, &*lock.backend, options.lock.session_timeout())?;
    let signals = SignalQueue::default();
    let mut election = election(&lock, &options.candidate, timing)?;
    let campaign = Campaign::new(&election, lock.clone(), signals.clone());
    let supervisor = Supervisor {
        candidate: options.candidate.name()?.to_string(),
        command: options.command,
        lock,
        signals,
        timing,
    };
    let conflict = Exit::Conflict(options.patience.conflict_exit_code).status();
    let patience = &options.patience;
    if options.once {
        let end = campaign
            .run(patience, once(&mut election, &supervisor))
            .await?;
        match end {
            End::GaveUp => Ok(conflict),
            End::Left | End::Elected(Err(RunError::ShutDown)) => Ok(campaign.exit(Exit::Success)),
            End::Elected(Err(error)) => Err(Failure::failed(error)),
            End::Elected(Ok(Err(error))) => Err(Failure::failed(error)),
            End::Elected(Ok(Ok(None))) => Ok(campaign.exit(Exit::Success)),
            End::Elected(Ok(Ok(Some(end)))) => Ok(end.status()),
        }
    } else {
        let end = campaign
            .run(patience, again_and_again(&mut election, &supervisor))
            .await?;
        match end {
            End::GaveUp => Ok(conflict),
            End::Left | End::Elected(Ok(()) | Err(RunError::ShutDown)) => {
                Ok(campaign.exit(Exit::Success))
            }
            End::Elected(Err(error)) => Err(Failure::failed(error)),
        }
    }
}

/// Runs the command until it has ended by itself once.
async fn once(
    election: &mut Election,
    supervisor: &Supervisor,
) -> Result<Result<Option<JobEnd>, JobError>, RunError> {
    election
        .run(|leadership| lead(leadership, supervisor))
        .await
}

/// Runs the command whenever this candidate leads.
async fn again_and_again(election: &mut Election, supervisor: &Supervisor) -> Result<(), RunError> {
    // How the command ended was told already, and is no failure of this program.
    let work = |leadership| async { lead(leadership, supervisor).await.map(drop) };
    election.run_forever(Backoff::STANDARD, work).await
}

async fn lead(leadership: Leadership, supervisor: &Supervisor) -> Result<Option<JobEnd>, JobError> {
    let stop = async {
        leadership.cancelled().await;
    };
    let work = async |guard: Arc<Guard>| {
        let validity = leadership.validity();
        supervisor.run(&guard, validity, Vec::new(), stop).await
    };
    supervisor.lead(&leadership, work).await?.transpose()
}
