//! Promises of the arithmetic, over the whole range of what can be asked for.

use std::time::Duration;

use proptest::prelude::*;

use super::drift::Drift;
use super::{CLOCK_DRIFT_PPM_MAX, DURATION_MAX, Setting, Timing, TimingBuilder, parts_per_million};
use crate::Nanos;
use crate::backend::LockKind;

const MILLION: u128 = 1_000_000;

type Setter = fn(TimingBuilder, Duration) -> TimingBuilder;

/// Durations that matter: around the limits, in the common range, and beyond everything.
fn duration() -> impl Strategy<Value = Duration> {
    prop_oneof![
        6 => (1u64..120_000).prop_map(Duration::from_millis),
        2 => (0u64..5_000_000).prop_map(Duration::from_nanos),
        1 => (0u64..=DURATION_MAX.as_secs() + 2).prop_map(Duration::from_secs),
        1 => any::<u64>().prop_map(Duration::from_nanos),
        1 => (any::<u64>(), 0u32..1_000_000_000).prop_map(|(s, n)| Duration::new(s, n)),
    ]
}

fn builder() -> impl Strategy<Value = TimingBuilder> {
    let maybe = || proptest::option::of(duration());
    let drift = proptest::option::of(prop_oneof![0u32..=CLOCK_DRIFT_PPM_MAX, any::<u32>()]);
    let spans = (
        maybe(),
        maybe(),
        maybe(),
        maybe(),
        maybe(),
        maybe(),
        maybe(),
    );
    (spans, drift).prop_map(
        |((lease, renew, request, stop, kill, drain, retry), drift)| {
            let mut builder = Timing::builder();
            let set: [(Option<Duration>, Setter); 7] = [
                (lease, TimingBuilder::lease_duration),
                (renew, TimingBuilder::renew_interval),
                (request, TimingBuilder::request_timeout),
                (stop, TimingBuilder::stop_timeout),
                (kill, TimingBuilder::kill_allowance),
                (drain, TimingBuilder::drain_timeout),
                (retry, TimingBuilder::retry_interval),
            ];
            for (value, setter) in set {
                builder = value.map_or(builder, |value| setter(builder, value));
            }
            drift.map_or(builder, |ppm| builder.clock_drift_ppm(ppm))
        },
    )
}

/// Follows advice until it builds.
fn advised(mut builder: TimingBuilder) -> Result<Timing, TestCaseError> {
    for _ in 0..20 {
        let error = match builder.build() {
            Ok(timing) => return Ok(timing),
            Err(error) => error,
        };
        builder = builder.follow(error.advice());
        if error.advice().change == Setting::LeaseDuration && !error.to_string().contains("too ") {
            let built = builder.build();
            prop_assert!(
                built.is_ok(),
                "a longer lease did not help: {error}, then {built:?}"
            );
        }
    }
    Err(TestCaseError::fail(format!(
        "advice never ended: {builder:?}"
    )))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4096))]

    #[test]
    fn following_the_advice_builds(builder in builder()) {
        advised(builder)?;
    }

    #[test]
    fn following_the_advice_for_a_session_lock_ends_in_a_timing_that_fits(builder in builder()) {
        let mut timing = advised(builder)?;
        for _ in 0..20 {
            let Err(error) = timing.check_session() else { return Ok(()) };
            timing = advised(timing.to_builder().follow(error.advice()))?;
        }
        prop_assert!(false, "advice never ended: {timing:?}");
    }

    #[test]
    fn what_builds_keeps_every_inequality(builder in builder()) {
        let timing = advised(builder)?;
        let validity = Duration::from(timing.validity());
        prop_assert!(validity > Duration::ZERO);
        prop_assert!(timing.renew_interval() + timing.request_timeout() < validity);
        prop_assert_eq!(Duration::from(timing.jeopardy_after()), timing.renew_interval() + timing.request_timeout());
        prop_assert!(timing.kill_allowance() < timing.stop_timeout());
        prop_assert!(timing.grace() + timing.kill_allowance() == timing.stop_timeout());
        prop_assert!(timing.retry_interval() <= timing.renew_interval());
        prop_assert!(timing.clock_drift_ppm() <= CLOCK_DRIFT_PPM_MAX);
        prop_assert_eq!(timing.to_builder().build(), Ok(timing));
    }

    #[test]
    fn what_was_set_is_kept(lease in 10u64..100_000, renew in 1u64..100_000) {
        let (lease, renew) = (Duration::from_millis(lease), Duration::from_millis(renew));
        if let Ok(timing) = Timing::builder().lease_duration(lease).renew_interval(renew).build() {
            prop_assert_eq!(timing.lease_duration(), lease);
            prop_assert_eq!(timing.renew_interval(), renew);
        }
    }

    /// Rates are true fractions: the leader's clock is the slowest allowed or any faster one, the follower's the fastest or any
    /// slower one. `rate = (MILLION + faster) / (MILLION + slower)`, so both are inside [1/(1+ρ), 1+ρ].
    #[test]
    fn a_leader_has_stopped_before_a_follower_may_take_over(
        builder in builder(),
        leader in (0u32..=1_000_000, 0u32..=1_000_000),
        follower in (0u32..=1_000_000, 0u32..=1_000_000),
        follower_lease in proptest::option::of(duration()),
    ) {
        let timing = advised(builder)?;
        let within = |(faster, slower): (u32, u32)| {
            let of = |part: u32| MILLION + u128::from(timing.clock_drift_ppm()) * u128::from(part) / MILLION;
            (of(faster), of(slower))
        };
        let (leader, follower) = (within(leader), within(follower));
        let stopped = u128::from(timing.validity().get()) + timing.stop_timeout().as_nanos();
        let waits = u128::from(timing.takeover_after(follower_lease).get());
        // True time is what a clock shows divided by its rate; both sides multiplied out.
        let leader_ends = stopped * leader.1 * follower.0;
        let follower_begins = waits * follower.1 * leader.0;
        prop_assert!(leader_ends <= follower_begins);
    }

    #[test]
    fn a_follower_never_waits_less_than_either_duration(builder in builder(), record in proptest::option::of(duration())) {
        let timing = advised(builder)?;
        let waits = timing.takeover_after(record);
        prop_assert!(Duration::from(waits) >= timing.lease_duration());
        if let Some(record) = record {
            prop_assert!(Duration::from(waits) >= record || waits == Nanos::MAX);
        }
    }

    #[test]
    fn shrinking_rounds_down_and_growing_rounds_up(span in any::<u64>(), ppm in any::<u32>()) {
        let (drift, span) = (Drift::from_ppm(ppm), Nanos::new(span));
        let factor = MILLION + u128::from(ppm);
        let shrunk = u128::from(drift.shrink_twice(span).get());
        prop_assert!(shrunk * factor * factor <= u128::from(span.get()) * MILLION * MILLION);
        let needed = drift.grow_twice(span);
        prop_assert!(needed == Nanos::MAX || drift.shrink_twice(needed) >= span);
        prop_assert!(drift.grow(span) >= span);
    }

    #[test]
    fn guarantees_are_in_the_order_that_they_happen(builder in builder()) {
        let timing = advised(builder)?;
        for lock in [LockKind::Leased, LockKind::Session] {
            let told = timing.guarantees(lock);
            prop_assert!(told.jeopardy_after <= told.deadline);
            prop_assert!(told.deadline <= told.abort_after);
            prop_assert!(told.abort_after <= told.stopped_after);
            prop_assert!(told.stopped_after <= told.lease_duration);
            prop_assert!(told.outage_survived <= told.outage_survived_at_best);
            prop_assert!(told.hang_failover > told.lease_duration);
            prop_assert!(told.requests_per_1000_s > 0);
        }
    }
}

#[test]
fn presets_build_and_suit_session_locks() {
    for (timing, lease, renew, stop) in [
        (Timing::standard(), 15, 5, 2),
        (Timing::fast(), 6, 2, 1),
        (Timing::frugal(), 60, 20, 5),
    ] {
        assert_eq!(timing.lease_duration(), Duration::from_secs(lease));
        assert_eq!(timing.renew_interval(), Duration::from_secs(renew));
        assert_eq!(timing.stop_timeout(), Duration::from_secs(stop));
        assert_eq!(timing.check_session(), Ok(()));
    }
    assert_eq!(Timing::builder().build(), Ok(Timing::standard()));
    assert_eq!(Timing::standard().validity(), Nanos::new(12_704_440_741));
}

#[test]
fn a_shorter_lease_scales_what_was_not_set() {
    let timing = Timing::builder()
        .lease_duration(Duration::from_secs(3))
        .build()
        .unwrap();
    assert_eq!(timing.renew_interval(), Duration::from_secs(1));
    assert_eq!(timing.request_timeout(), Duration::from_millis(500));
    assert_eq!(timing.stop_timeout(), Duration::from_millis(400));
    assert_eq!(timing.kill_allowance(), Duration::from_millis(100));
    assert_eq!(timing.retry_interval(), Duration::from_millis(200));
    assert_eq!(timing.check_session(), Ok(()));
}

#[test]
fn errors_say_which_number_to_change_and_to_what() {
    let seconds = Duration::from_secs;
    let of = Timing::builder;
    let says = |builder: TimingBuilder| builder.build().unwrap_err().to_string();
    assert_eq!(
        says(of().lease_duration(Duration::ZERO)),
        "lease_duration 0ns is too short: raise lease_duration to 1ms or more"
    );
    assert_eq!(
        says(of().drain_timeout(Duration::MAX)),
        "drain_timeout 18446744073.709551615s is too long: lower drain_timeout to 31536000s or less"
    );
    assert_eq!(
        says(of().clock_drift_ppm(1_000_000)),
        "clock_drift_ppm 1000000 is too large: lower clock_drift_ppm to 500000 ppm or less"
    );
    assert_eq!(
        says(of().kill_allowance(seconds(2)).stop_timeout(seconds(2))),
        "kill_allowance 2s must be shorter than stop_timeout 2s: lower kill_allowance to 1s or less"
    );
    assert_eq!(
        says(of().retry_interval(seconds(6)).renew_interval(seconds(5))),
        "retry_interval 6s is longer than renew_interval 5s: lower retry_interval to 5s or less"
    );
    assert_eq!(
        says(of().renew_interval(seconds(12)).request_timeout(seconds(2))),
        "renew_interval 12s + request_timeout 2s must be shorter than the validity 12.704440741s \
         = lease_duration 15s / (1 + 10000 ppm)² - stop_timeout 2s: raise lease_duration to 19.045s or more"
    );
}

#[test]
fn what_has_to_be_shorter_is_not_as_long() {
    let seconds = Duration::from_secs;
    // Clocks that do not drift make whole numbers.
    let of = |lease| {
        Timing::builder()
            .clock_drift_ppm(0)
            .lease_duration(seconds(lease))
            .stop_timeout(seconds(2))
            .renew_interval(seconds(5))
            .request_timeout(seconds(3))
    };
    assert!(of(10).build().is_err());
    assert!(of(11).build().unwrap().check_session().is_err());
    assert!(of(15).build().unwrap().check_session().is_err());
    assert_eq!(of(16).build().unwrap().check_session(), Ok(()));
}

#[test]
fn who_follows_advice_keeps_what_was_not_advised() {
    let seconds = Duration::from_secs;
    let builder = Timing::builder()
        .lease_duration(seconds(30))
        .retry_interval(seconds(6))
        .renew_interval(seconds(5));
    let timing = builder.follow(builder.build().unwrap_err().advice());
    let timing = timing.build().unwrap();
    assert_eq!(timing.lease_duration(), seconds(30));
    assert_eq!(timing.retry_interval(), seconds(5));
}

#[test]
fn a_stop_timeout_that_was_not_set_leaves_as_much_before_the_kill_as_for_it() {
    let timing = Timing::builder().kill_allowance(Duration::from_secs(3));
    let timing = timing.build().unwrap();
    assert_eq!(timing.stop_timeout(), Duration::from_secs(6));
    let timing = Timing::builder().retry_interval(Duration::from_secs(6));
    assert_eq!(
        timing.build().unwrap().renew_interval(),
        Duration::from_secs(6)
    );
}

#[test]
fn a_ratio_is_read_as_people_write_it_and_nothing_else_is() {
    for (text, ppm) in [
        ("1%", 10_000),
        ("0.05%", 500),
        ("0.0001 %", 1),
        ("12.5%", 125_000),
        ("500ppm", 500),
        ("0 ppm", 0),
    ] {
        assert_eq!(parts_per_million(text), Some(ppm), "{text}");
    }
    for text in [
        "", "1", "%", ".5%", "+1%", "x%", "1.x%", "0.00001%", "ppm", "-1ppm", "5000000%",
    ] {
        assert_eq!(parts_per_million(text), None, "{text}");
    }
}
