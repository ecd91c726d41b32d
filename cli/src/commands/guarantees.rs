use std::time::Duration;

use serde_json::json;
use tenure::backend::LockKind;

use crate::exit::{Exit, Failure};
use crate::options::GuaranteesOptions;
use crate::output::print;

pub(super) fn guarantees(options: &GuaranteesOptions) -> Result<u8, Failure> {
    let timing = options.timing.timing()?;
    let kind = options.kind.kind();
    if kind == LockKind::Session {
        timing
            .check_session()
            .map_err(|error| Failure::usage(crate::options::explain(&error)))?;
    }
    let guarantees = timing.guarantees(kind);
    if !options.json {
        print(guarantees)?;
        return Ok(Exit::Success.status());
    }
    let ms = |duration: Duration| u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
    print(json!({
        "abort_after_ms": ms(guarantees.abort_after),
        "clock_drift_ppm": guarantees.clock_drift_ppm,
        "clock_offset_limit_ms": guarantees.clock_offset_limit.map(ms),
        "crash_failover_ms": ms(guarantees.crash_failover),
        "deadline_ms": ms(guarantees.deadline),
        "drain_timeout_ms": ms(timing.drain_timeout()),
        "graceful_failover_ms": ms(guarantees.graceful_failover),
        "hang_failover_ms": ms(guarantees.hang_failover),
        "jeopardy_after_ms": ms(guarantees.jeopardy_after),
        "kind": match kind {
            LockKind::Leased => "leased",
            LockKind::Session => "session",
        },
        "lease_duration_ms": ms(timing.lease_duration()),
        "outage_survived_ms": ms(guarantees.outage_survived),
        "outage_survived_at_best_ms": ms(guarantees.outage_survived_at_best),
        "renew_interval_ms": ms(timing.renew_interval()),
        "request_timeout_ms": ms(timing.request_timeout()),
        "requests_per_1000_s": guarantees.requests_per_1000_s,
        "stop_timeout_ms": ms(guarantees.stop_timeout),
        "stopped_after_ms": ms(guarantees.stopped_after),
    }))?;
    Ok(Exit::Success.status())
}
