//! Room for the descriptors that elections keep open: the limit is raised as they are opened, or the election is refused.

use std::sync::atomic::{AtomicU64, Ordering};

use tenure_core::ErrorKind;

use super::error::Failure;
use super::system::{DescriptorLimit, System};

/// The lock file, its duplicate for a job, and the member's file.
const PER_ELECTION: u64 = 3;
/// For what the rest of the process opens, and for files that are open for a moment.
const RESERVE: u64 = 128;

static ELECTIONS: AtomicU64 = AtomicU64::new(0);

/// An election's share of the descriptors, until it is dropped.
#[derive(Debug)]
pub(crate) struct Share(());

impl Share {
    /// Takes a share, raising this process's limit when it is too low.
    ///
    /// # Errors
    /// When the limit cannot be raised as far.
    pub(crate) fn take(system: &dyn System) -> Result<Self, Failure> {
        let share = Self(());
        let elections = ELECTIONS.fetch_add(1, Ordering::Relaxed).saturating_add(1);
        if let Some(limit) = wanted(elections, system.descriptor_limit())? {
            system.raise_descriptor_limit(limit).map_err(|error| {
                let detail = format!("cannot raise the limit of open files to {limit}: {error}");
                Failure::new(ErrorKind::Exhausted, detail)
            })?;
        }
        Ok(share)
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        ELECTIONS.fetch_sub(1, Ordering::Relaxed);
    }
}

/// What to raise the limit to for so many elections, where it has to be raised.
fn wanted(elections: u64, limit: DescriptorLimit) -> Result<Option<u64>, Failure> {
    let needed = elections
        .saturating_mul(PER_ELECTION)
        .saturating_add(RESERVE);
    if limit.now >= needed {
        return Ok(None);
    }
    if limit.most < needed {
        return Err(Failure::new(
            ErrorKind::Exhausted,
            format!(
                "{elections} elections in one process need {needed} open files and {} are allowed: \
                 raise `ulimit -Hn` (LimitNOFILE in systemd) or spread them over more processes",
                limit.most
            ),
        ));
    }
    // Far enough that it is not raised again for each election.
    Ok(Some(needed.saturating_mul(2).min(limit.most)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_is_raised_while_it_can_be_and_refused_with_advice_after_that() {
        let limit = |now, most| DescriptorLimit { now, most };
        assert_eq!(wanted(10, limit(1024, 4096)).unwrap(), None);
        assert_eq!(wanted(1000, limit(1024, 4096)).unwrap(), Some(4096));
        assert_eq!(wanted(1000, limit(1024, 524_288)).unwrap(), Some(6256));
        let error = wanted(2000, limit(1024, 4096))
            .unwrap_err()
            .into_error("open");
        assert!(error.to_string().contains("raise `ulimit -Hn`"), "{error}");
        assert_eq!(error.kind(), ErrorKind::Exhausted);
    }
}
