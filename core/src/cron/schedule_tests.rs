use proptest::prelude::*;

use super::*;

fn berlin(expression: &str) -> Schedule {
    Schedule::in_zone(expression, "Europe/Berlin").unwrap()
}

fn at(text: &str) -> WallTime {
    let timestamp: Timestamp = text.parse().unwrap();
    WallTime::from_unix_seconds(timestamp.as_second().unsigned_abs())
}

/// All fires after `from` until `to`, in UTC.
fn fires(schedule: &Schedule, from: &str, to: &str) -> Vec<String> {
    let next = |fire: &WallTime| schedule.next_after(*fire);
    std::iter::successors(schedule.next_after(at(from)), next)
        .take_while(|fire| *fire <= at(to))
        .map(|fire| fire.to_string())
        .collect()
}

// In 2026 Berlin goes from 02:00 CET to 03:00 CEST on 29 March (01:00 UTC), and back from 03:00 CEST to 02:00 CET on 25 October
// (01:00 UTC).

#[test]
fn a_fixed_time_in_the_gap_fires_once_right_after_it() {
    assert_eq!(
        fires(
            &berlin("30 2 * * *"),
            "2026-03-27T12:00:00Z",
            "2026-03-30T12:00:00Z"
        ),
        [
            "2026-03-28T01:30:00Z",
            "2026-03-29T01:00:00Z",
            "2026-03-30T00:30:00Z"
        ]
    );
}

#[test]
fn a_fixed_time_before_the_gap_is_not_moved() {
    assert_eq!(
        fires(
            &berlin("30 1 * * *"),
            "2026-03-28T12:00:00Z",
            "2026-03-30T12:00:00Z"
        ),
        ["2026-03-29T00:30:00Z", "2026-03-29T23:30:00Z"]
    );
}

#[test]
fn every_half_hour_goes_on_over_the_gap() {
    assert_eq!(
        fires(
            &berlin("*/30 * * * *"),
            "2026-03-29T00:00:00Z",
            "2026-03-29T02:00:00Z"
        ),
        [
            "2026-03-29T00:30:00Z",
            "2026-03-29T01:00:00Z",
            "2026-03-29T01:30:00Z",
            "2026-03-29T02:00:00Z"
        ]
    );
}

#[test]
fn a_fixed_time_in_the_overlap_fires_at_the_first_of_the_two() {
    assert_eq!(
        fires(
            &berlin("30 2 * * *"),
            "2026-10-24T12:00:00Z",
            "2026-10-26T12:00:00Z"
        ),
        ["2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z"]
    );
}

#[test]
fn every_half_hour_goes_on_through_both_hours_of_the_overlap() {
    assert_eq!(
        fires(
            &berlin("*/30 * * * *"),
            "2026-10-24T23:45:00Z",
            "2026-10-25T02:00:00Z"
        ),
        [
            "2026-10-25T00:00:00Z",
            "2026-10-25T00:30:00Z",
            "2026-10-25T01:00:00Z",
            "2026-10-25T01:30:00Z",
            "2026-10-25T02:00:00Z"
        ]
    );
}

#[test]
fn looking_back_finds_the_fires_that_looking_forward_found() {
    for expression in [
        "30 2 * * *",
        "*/30 * * * *",
        "0 3 * * *",
        "0 2 * * *",
        "15 */2 * * *",
        "0 0 * * *",
    ] {
        let schedule = berlin(expression);
        for (from, to) in [
            ("2026-03-28T00:00:00Z", "2026-03-30T12:00:00Z"),
            ("2026-10-24T00:00:00Z", "2026-10-26T12:00:00Z"),
        ] {
            let forward = fires(&schedule, from, to);
            let before = |fire: &WallTime| {
                schedule.latest_until(WallTime::from_unix_micros(fire.unix_micros() - 1))
            };
            let mut backward: Vec<String> =
                std::iter::successors(schedule.latest_until(at(to)), before)
                    .take_while(|fire| *fire > at(from))
                    .map(|fire| fire.to_string())
                    .collect();
            backward.reverse();
            assert_eq!(backward, forward, "{expression} until {to}");
        }
    }
}

proptest! {
    #[test]
    fn the_latest_fire_until_a_time_is_followed_by_the_next_one(
        seconds in 1_600_000_000u64..2_000_000_000,
        which in 0usize..6,
    ) {
        let expressions = ["30 2 * * *", "*/7 * * * *", "0 3 * * 1-5", "*/20 * * * * *", "0 0 1 * *", "59 23 L * *"];
        let schedule = berlin(expressions[which]);
        let now = WallTime::from_unix_seconds(seconds);
        let latest = schedule.latest_until(now).unwrap();
        let next = schedule.next_after(now).unwrap();
        prop_assert!(latest <= now && now < next);
        prop_assert_eq!(schedule.next_after(latest), Some(next));
    }
}

#[test]
fn fractions_of_a_second_neither_hide_nor_repeat_a_fire() {
    let schedule = Schedule::utc("* * * * * *").unwrap();
    let half_past = WallTime::from_unix_micros(1_000_500_000);
    assert_eq!(
        schedule.latest_until(half_past),
        Some(WallTime::from_unix_seconds(1000))
    );
    assert_eq!(
        schedule.next_after(half_past),
        Some(WallTime::from_unix_seconds(1001))
    );
    let whole = WallTime::from_unix_seconds(1000);
    assert_eq!(schedule.latest_until(whole), Some(whole));
    assert_eq!(
        schedule.next_after(whole),
        Some(WallTime::from_unix_seconds(1001))
    );
}

#[test]
fn another_zone_or_expression_is_another_calendar() {
    let one = berlin("30 2 * * *");
    assert_eq!(one.id(), berlin("30 2 * * *").id());
    assert_ne!(one.id(), berlin("31 2 * * *").id());
    assert_ne!(one.id(), Schedule::utc("30 2 * * *").unwrap().id());
}

#[test]
fn a_schedule_that_cannot_be_used_says_what_to_write() {
    for (expression, says) in [
        ("", "is not understood: write minute, hour"),
        ("99 * * * *", "is not understood"),
        ("0 0 30 2 *", "never fires"),
    ] {
        let error = Schedule::utc(expression).unwrap_err().to_string();
        assert!(error.contains(says), "{error}");
    }
    let error = Schedule::in_zone("0 2 * * *", "Europe/Berlyn").unwrap_err();
    assert!(
        error
            .to_string()
            .contains("is not known: use a name such as")
    );
}

#[test]
fn a_schedule_whose_years_are_over_fires_no_more() {
    let past = Schedule::utc("0 0 0 1 1 * 2020").unwrap();
    assert_eq!(past.next_after(at("2026-01-01T00:00:00Z")), None);
    assert_eq!(
        past.latest_until(at("2026-01-01T00:00:00Z")),
        Some(at("2020-01-01T00:00:00Z"))
    );
}
