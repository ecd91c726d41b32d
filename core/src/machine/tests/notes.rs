//! Notes ride on renewals.

use super::bench::*;
use crate::backend::{Hint, Observation};
use crate::machine::{Input, WorkEnd};
use crate::{Effect, ErrorKind};

#[test]
fn a_note_brings_the_next_renewal_forward_and_is_confirmed_by_it() {
    let mut bench = Bench::leading_leased();
    bench.pass(1_000);
    bench.give(Input::WriteNote(note("a")));
    assert_eq!(bench.renewal().note, Some(note("a")));
    assert!(bench.notes.is_empty());
    bench.answer(confirmed(11));
    assert_eq!(bench.notes, [note("a")]);
    assert_eq!(bench.machine.note(), Some(&note("a")));
    bench.pass(5_000);
    assert_eq!(bench.renewal().note, None, "it is there already");
}

#[test]
fn a_note_that_is_wanted_during_a_renewal_rides_on_the_next() {
    let mut bench = Bench::leading_leased();
    bench.pass(5_000);
    bench.give(Input::WriteNote(note("a")));
    bench.answer(confirmed(11));
    assert!(bench.notes.is_empty());
    assert_eq!(bench.renewal().note, Some(note("a")));
}

#[test]
fn a_note_of_unknown_outcome_is_confirmed_by_a_read_that_finds_it() {
    let mut bench = Bench::leading_leased();
    bench.give(Input::WriteNote(note("a")));
    let nonce = bench.renewal().nonce;
    bench.fail(ErrorKind::Unavailable, Effect::Unknown);
    bench.pass(1_000);
    bench.observed(Observation {
        note: Some(note("a")),
        ..held(1, nonce.0, 11)
    });
    assert_eq!(bench.notes, [note("a")]);
}

#[test]
fn a_note_that_somebody_wrote_over_is_written_again() {
    let mut bench = Bench::leading_leased();
    bench.give(Input::WriteNote(note("a")));
    let nonce = bench.renewal().nonce;
    bench.fail(ErrorKind::Unavailable, Effect::Unknown);
    bench.pass(1_000);
    bench.observed(Observation {
        note: Some(note("foreign")),
        ..held(1, nonce.0, 12)
    });
    assert!(bench.notes.is_empty());
    assert_eq!(bench.renewal().note, Some(note("a")));
}

#[test]
fn a_note_that_was_not_found_is_written_again() {
    let mut bench = Bench::leading_leased();
    bench.give(Input::WriteNote(note("a")));
    bench.fail(ErrorKind::Timeout, Effect::Unknown);
    bench.pass(1_000);
    bench.observed(held(1, 1, 10));
    assert_eq!(bench.renewal().note, Some(note("a")));
}

#[test]
fn notes_die_with_the_leadership() {
    let ways: [fn(&mut Bench); 3] = [
        |bench| bench.pass(12_705),
        |bench| bench.give(Input::Hinted(Hint::Seen(held(2, 1, 11)))),
        |bench| bench.give(Input::WorkEnded(WorkEnd::Returned)),
    ];
    for way in ways {
        let mut bench = Bench::leading_leased();
        bench.give(Input::WriteNote(note("a")));
        bench.fail(ErrorKind::Unavailable, Effect::NotApplied);
        way(&mut bench);
        assert_eq!(bench.machine.wanted_note(), None);
        bench.give(Input::WriteNote(note("b")));
        assert_eq!(bench.machine.wanted_note(), None);
        assert!(bench.notes.is_empty());
    }
}

#[test]
fn a_draining_leader_may_still_write_its_note() {
    let mut bench = Bench::leading_leased();
    bench.give(Input::Resign);
    bench.give(Input::WriteNote(note("last words")));
    bench.answer(confirmed(11));
    assert_eq!(bench.notes, [note("last words")]);
}
