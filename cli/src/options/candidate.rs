use clap::{Args, ValueEnum};
use tenure::CandidateName;
use tenure::machine::OnMissing;

use super::PodOptions;
use crate::exit::Failure;

/// Who this candidate is
#[derive(Args, Debug)]
pub(crate) struct CandidateOptions {
    /// What people call this candidate; need not be unique [default: the pod's name, or the host's]
    #[arg(long, env = "TENURE_CANDIDATE", value_name = "NAME")]
    candidate: Option<CandidateName>,
    /// What a lock that was deleted means: wait until no former leader can believe any more, or lead at once
    #[arg(long, env = "TENURE_ON_MISSING", value_enum, default_value_t = OnMissingName::Wait, value_name = "WHAT")]
    on_missing: OnMissingName,
    #[command(flatten)]
    pub(crate) pod: PodOptions,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
enum OnMissingName {
    /// Wait for the longest lease in use before leading
    Wait,
    /// Lead at once, and give up the claim that a deletion never makes two leaders
    Acquire,
}

impl CandidateOptions {
    pub(crate) fn name(&self) -> Result<CandidateName, Failure> {
        match (&self.candidate, &self.pod.pod_name) {
            (Some(name), _) => Ok(name.clone()),
            (None, Some(pod)) => CandidateName::new(pod).map_err(Failure::usage_of),
            (None, None) => Ok(tenure::host::candidate_name()),
        }
    }

    pub(crate) fn on_missing(&self) -> OnMissing {
        match self.on_missing {
            OnMissingName::Wait => OnMissing::Wait,
            OnMissingName::Acquire => OnMissing::AcquireAtOnce,
        }
    }
}
