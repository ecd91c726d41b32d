use std::time::Duration;

use serde_json::json;
use tenure_core::{Incarnation, Nanos, Reading, Version};

use super::known::Known;
use super::record::Lease;

/// So long after the start.
fn at(seconds: f64) -> Reading {
    Reading::both(Nanos::from(Duration::from_secs_f64(seconds)))
}

fn after(seconds: f64) -> Option<Duration> {
    Some(Duration::from_secs_f64(seconds))
}

/// A Lease for 15 s, as its holder wrote it for the `number`th time.
fn lease(number: u32) -> Lease {
    let holder = Incarnation::from_bits(7);
    let object = json!({
        "metadata": { "uid": "lease", "resourceVersion": number.to_string() },
        "spec": {
            "holderIdentity": format!("report-0_{holder}"),
            "renewTime": format!("2026-11-28T10:00:{number:02}.000000Z"),
            "leaseDurationSeconds": 15,
        },
    });
    Lease::parse(object).unwrap()
}

#[test]
fn a_holder_is_asked_about_once_its_renewal_is_overdue_and_every_two_seconds_then() {
    let mut known = Known::default();
    let first = lease(1);
    known.saw_answer(at(0.0), &first);
    assert_eq!(
        known.ask_in(at(0.0), &first),
        after(0.0),
        "never asked about"
    );
    known.asked(at(0.0), &first, false);
    assert_eq!(known.ask_in(at(1.0), &first), after(4.5));
    assert_eq!(known.ask_in(at(5.5), &first), after(0.0));
    known.asked(at(5.5), &first, false);
    assert_eq!(known.ask_in(at(6.0), &first), after(1.5));
    assert_eq!(known.ask_in(at(7.5), &first), after(0.0));
}

#[test]
fn what_a_read_shows_anew_counts_from_the_read_before_and_what_a_watch_tells_from_then() {
    let mut known = Known::default();
    known.saw_answer(at(0.0), &lease(1));
    known.asked(at(0.0), &lease(1), false);
    known.saw_answer(at(4.0), &lease(2));
    assert_eq!(known.ask_in(at(4.0), &lease(2)), after(1.5));
    known.saw_event(at(5.0), &lease(3));
    assert_eq!(known.ask_in(at(5.0), &lease(3)), after(5.5));
}

#[test]
fn a_holder_that_is_here_is_never_asked_about() {
    use tenure_core::backend::Hold;
    use tenure_core::{FencingToken, Version};

    let mut known = Known::default();
    let ours = lease(1);
    known.wrote(at(0.0), &ours);
    let hold = Hold {
        identity: ours.identity(),
        token: FencingToken::new(1).unwrap(),
        version: Version(1),
    };
    known.granted(Incarnation::from_bits(7), &hold);
    assert_eq!(known.ask_in(at(60.0), &ours), None);
    known.released();
    assert_eq!(known.ask_in(at(60.0), &ours), after(0.0));
}

#[test]
fn a_watch_is_behind_a_second_after_a_read_has_shown_more_and_never_while_there_is_none() {
    let mut known = Known::default();
    let told = |number: u64| Some(Version(number));
    known.saw_answer(at(0.0), &lease(5));
    assert!(!known.is_watch_behind(at(0.0), None));
    assert!(
        !known.is_watch_behind(at(9.0), told(4)),
        "it has only just begun"
    );
    assert!(!known.is_watch_behind(at(9.9), told(4)));
    assert!(known.is_watch_behind(at(10.1), told(4)));
    // Asked once to be opened again, it has as long again.
    assert!(!known.is_watch_behind(at(10.2), told(4)));
    assert!(!known.is_watch_behind(at(20.0), told(5)), "it has told");
    known.saw_answer(at(30.0), &lease(6));
    assert!(!known.is_watch_behind(at(30.0), told(5)));
    assert!(!known.is_watch_behind(at(32.0), None), "it has ended");
    assert!(!known.is_watch_behind(at(33.0), told(5)));
    assert!(known.is_watch_behind(at(35.0), told(5)));
}
