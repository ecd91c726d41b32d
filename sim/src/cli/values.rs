//! How values on the command line are read, each with an error that says how to write it.

use std::num::{NonZeroU32, NonZeroUsize};
use std::ops::Range;
use std::str::FromStr;

use tenure_sim::Tier;
use tenure_sim::peers::Peer;
use tenure_sim::plan::{Backend, Span, TimingPlan};
use tenure_sim::planted::Bug;

/// The most threads that can be asked for.
const JOBS_MOST: usize = 1_024;
/// How slow a plan can be made: a lease of hours.
const STRETCH_MOST: u32 = 10_000;

/// Reads `A..B` (without B) or `A..=B`.
pub(crate) fn seeds(text: &str) -> Result<Range<u64>, String> {
    let wrong = || format!("{text:?} is no range of seeds: write it as 0..1000");
    let Some((from, to)) = text.split_once("..") else {
        return Err(match text.parse::<u64>() {
            Ok(seed) => format!(
                "{text:?} is one seed: write {seed}..{}",
                seed.saturating_add(1)
            ),
            Err(_) => wrong(),
        });
    };
    let number = |text: &str| text.trim().parse::<u64>().map_err(|_| wrong());
    let (from, to) = match to.strip_prefix('=') {
        Some(last) => (
            number(from)?,
            number(last)?.checked_add(1).ok_or_else(wrong)?,
        ),
        None => (number(from)?, number(to)?),
    };
    if from > to {
        return Err(format!("{text} runs backwards: write {to}..{from}"));
    }
    if from == to {
        return Err(format!(
            "{text} holds no seed: write {from}..{}",
            from.saturating_add(1)
        ));
    }
    Ok(from..to)
}

/// Reads how many times as slow a plan is made.
pub(crate) fn stretch(text: &str) -> Result<NonZeroU32, String> {
    let factor = text.parse().ok();
    factor
        .filter(|factor: &NonZeroU32| factor.get() <= STRETCH_MOST)
        .ok_or_else(|| format!("{text:?} is no number from 1 to {STRETCH_MOST}"))
}

/// Reads `15s`, `1m 30s`, `500ms`.
pub(crate) fn span(text: &str) -> Result<Span, String> {
    Span::from_str(text).map_err(|error| {
        format!("{text:?} is no span of time ({error}): write 15s, 1m30s or 500ms")
    })
}

/// Reads `1%`, `0.05%` or `500ppm`, as millionths.
pub(crate) fn parts_per_million(text: &str) -> Result<u32, String> {
    tenure_core::timing::parts_per_million(text)
        .ok_or_else(|| format!("{text:?} is no ratio: write it as 1%, 0.05% or 500ppm"))
}

/// Reads `15s/5s` (lease and renew interval) or a preset's name.
pub(crate) fn timing(text: &str) -> Result<TimingPlan, String> {
    let seconds = |lease, renew, stop| TimingPlan {
        lease: Span::from_secs(lease),
        renew: Some(Span::from_secs(renew)),
        stop_timeout: Some(Span::from_secs(stop)),
        ..TimingPlan::default()
    };
    match text {
        "fast" => return Ok(seconds(6, 2, 1)),
        "standard" => return Ok(seconds(15, 5, 2)),
        "frugal" => return Ok(seconds(60, 20, 5)),
        _ => {}
    }
    let wrong =
        || format!("{text:?} is no timing: write lease/renew as 15s/5s, or fast, standard, frugal");
    let (lease, renew) = text.split_once('/').ok_or_else(wrong)?;
    Ok(TimingPlan {
        lease: lease.trim().parse().map_err(|_| wrong())?,
        renew: Some(renew.trim().parse().map_err(|_| wrong())?),
        ..TimingPlan::default()
    })
}

/// Reads a number of threads.
pub(crate) fn jobs(text: &str) -> Result<NonZeroUsize, String> {
    let wrong = || format!("{text:?} is no number of threads: write one from 1 to {JOBS_MOST}");
    let jobs: NonZeroUsize = text.parse().map_err(|_| wrong())?;
    if jobs.get() > JOBS_MOST {
        return Err(wrong());
    }
    Ok(jobs)
}

/// Reads the name of a kind of lock.
pub(crate) fn backend(text: &str) -> Result<Backend, String> {
    Backend::EVERY
        .into_iter()
        .find(|backend| backend.name() == text)
        .ok_or_else(|| {
            format!(
                "there is no lock {text:?}: write lease, session, file, kubernetes or zookeeper"
            )
        })
}

/// Reads the name of a tier.
pub(crate) fn tier(text: &str) -> Result<Tier, String> {
    match text {
        "electors" => Ok(Tier::Electors),
        "machines" => Ok(Tier::Machines),
        _ => Err(format!(
            "there is no tier {text:?}: write electors or machines"
        )),
    }
}

/// Reads the name of another election.
pub(crate) fn peer(text: &str) -> Result<Peer, String> {
    let names = Peer::ALL.map(Peer::name);
    let found = Peer::ALL.into_iter().find(|peer| peer.name() == text);
    found.ok_or_else(|| {
        format!(
            "there is no model of {text:?}: write one of {}",
            names.join(", ")
        )
    })
}

/// Reads the name of a mistake.
pub(crate) fn bug(text: &str) -> Result<Bug, String> {
    Bug::parse(text).ok_or_else(|| {
        let names: Vec<_> = Bug::ALL.into_iter().map(Bug::name).collect();
        format!(
            "there is no mistake {text:?}: write one of {}",
            names.join(", ")
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seeds_are_a_range_that_runs_forwards() {
        assert_eq!(seeds("3..9"), Ok(3..9));
        assert_eq!(seeds("3..=9"), Ok(3..10));
        for (text, says) in [
            ("9", "write 9..10"),
            ("9..3", "write 3..9"),
            ("3..3", "write 3..4"),
            ("a..b", "write it as 0..1000"),
            ("", "write it as 0..1000"),
        ] {
            let error = seeds(text).unwrap_err();
            assert!(error.contains(says), "{error}");
        }
    }

    #[test]
    fn a_timing_is_lease_and_renew_interval_or_a_preset() {
        let own = timing("15s/5s").unwrap();
        assert_eq!(
            (own.lease, own.renew),
            (Span::from_secs(15), Some(Span::from_secs(5)))
        );
        assert_eq!(
            timing("fast").map(|fast| fast.lease),
            Ok(Span::from_secs(6))
        );
        for text in ["15s", "15/5", "quick", "15s/5s/2s"] {
            assert!(timing(text).unwrap_err().contains("15s/5s"), "{text}");
        }
    }

    #[test]
    fn a_drift_is_read_as_percent_or_parts_per_million() {
        for (text, ppm) in [
            ("1%", 10_000),
            ("0.05%", 500),
            ("10 %", 100_000),
            ("500ppm", 500),
        ] {
            assert_eq!(parts_per_million(text), Ok(ppm), "{text}");
        }
        for text in ["1", "-1%", "0.00001%", "%", "1.%%", "x ppm", "99999999999%"] {
            assert!(parts_per_million(text).is_err(), "{text}");
        }
    }
}
