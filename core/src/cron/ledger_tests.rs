use proptest::prelude::*;

use super::*;

fn outcome() -> impl Strategy<Value = Outcome> {
    prop_oneof![
        Just(Outcome::Succeeded),
        any::<u8>().prop_map(|code| Outcome::Failed { code }),
        Just(Outcome::TimedOut),
        Just(Outcome::Interrupted),
        Just(Outcome::Replaced),
    ]
}

fn time() -> impl Strategy<Value = WallTime> {
    any::<u64>().prop_map(WallTime::from_unix_micros)
}

fn entry() -> impl Strategy<Value = Entry> {
    let ended = proptest::option::of((
        outcome(),
        any::<u32>().prop_map(|ms| Duration::from_millis(ms.into())),
    ));
    let last =
        (any::<u8>(), ended, time(), time()).prop_map(|(attempts, ended, scheduled, started)| {
            LastFire {
                attempts,
                ended,
                scheduled,
                started,
            }
        });
    (
        any::<u64>(),
        any::<u64>(),
        proptest::option::of(last),
        time(),
    )
        .prop_map(|(job, calendar, last, settled)| Entry {
            calendar: CalendarId(calendar),
            job: JobId(job),
            last,
            settled,
        })
}

fn ledger() -> impl Strategy<Value = Ledger> {
    proptest::collection::vec(entry(), 0..=JOBS_MAX).prop_map(|entries| {
        let mut ledger = Ledger::default();
        for entry in entries {
            ledger.put(entry, &[]);
        }
        ledger
    })
}

proptest! {
    #[test]
    fn a_ledger_reads_back_what_it_wrote(ledger in ledger()) {
        prop_assert_eq!(Ledger::decode(&ledger.encode()), Ok(ledger));
    }

    #[test]
    fn no_entry_takes_more_than_48_bytes(ledger in ledger()) {
        let empty = Ledger::default().encode().as_bytes().len();
        let used = ledger.encode().as_bytes().len() - empty;
        prop_assert!(used <= 48 * ledger.entries().len());
    }

    #[test]
    fn a_changed_byte_is_noticed(ledger in ledger(), at in any::<prop::sample::Index>(), flip in 1u8..) {
        let mut bytes = ledger.encode().as_bytes().to_vec();
        bytes[at.index(ledger.encode().as_bytes().len())] ^= flip;
        let changed = Note::new(&bytes).unwrap();
        prop_assert!(Ledger::decode(&changed).is_err());
    }

    #[test]
    fn a_torn_note_is_noticed(ledger in ledger(), at in any::<prop::sample::Index>()) {
        let note = ledger.encode();
        let whole = note.as_bytes();
        let torn = Note::new(&whole[..at.index(whole.len())]).unwrap();
        prop_assert!(Ledger::decode(&torn).is_err());
    }

    #[test]
    fn anything_may_be_read(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let framed: Vec<u8> = MAGIC.into_iter().chain([VERSION]).chain(bytes.clone()).collect();
        for bytes in [bytes, framed] {
            prop_assert!(Ledger::decode(&Note::new(&bytes).unwrap()).is_err());
        }
    }
}

#[test]
fn a_ledger_of_a_newer_version_is_left_alone() {
    let newer = Note::new(b"TCL\x02anything").unwrap();
    let error = Ledger::decode(&newer).unwrap_err();
    assert_eq!(error, LedgerError::Newer { version: 2 });
    assert!(error.to_string().contains("upgrade this candidate"));
    let foreign = Note::new(b"{\"mine\":true}").unwrap();
    assert_eq!(Ledger::decode(&foreign), Err(LedgerError::Foreign));
}

#[test]
fn a_full_ledger_forgets_the_job_that_nobody_has_for_longest() {
    let at = |job: u64, settled: u64| Entry {
        calendar: CalendarId(0),
        job: JobId(job),
        last: None,
        settled: WallTime::from_unix_seconds(settled),
    };
    let mut ledger = Ledger::default();
    for job in 0..JOBS_MAX as u64 {
        ledger.put(at(job, 100 + job), &[]);
    }
    ledger.put(at(1000, 500), &[JobId(0)]);
    assert_eq!(ledger.entries().len(), JOBS_MAX);
    assert!(ledger.entry(JobId(0)).is_some());
    assert!(ledger.entry(JobId(1)).is_none());
    assert!(ledger.entry(JobId(1000)).is_some());
    assert_eq!(ledger.newest(), Some(WallTime::from_unix_seconds(500)));
}

#[test]
fn the_format_of_version_1_stays_as_it_is() {
    let mut ledger = Ledger::default();
    let fire = LastFire {
        attempts: 2,
        ended: Some((Outcome::Failed { code: 3 }, Duration::from_millis(1500))),
        scheduled: WallTime::from_unix_micros(5),
        started: WallTime::from_unix_micros(6),
    };
    ledger.put(
        Entry {
            calendar: CalendarId(0x0202),
            job: JobId(0x0101),
            last: Some(fire),
            settled: WallTime::from_unix_micros(4),
        },
        &[],
    );
    let text = ledger.encode().as_bytes().escape_ascii().to_string();
    let zeros = "\\x00".repeat(7);
    let expected = format!(
        "TCL\\x01\\x01\\x01\\x01{six}\\x02\\x02{six}\\x04{zeros}\\x05{zeros}\\x06{zeros}\\xdc\\x05\\x00\\x00\\x03\\x03\\x02\\x00",
        six = "\\x00".repeat(6)
    );
    assert!(text.starts_with(&expected), "{text}");
}
