//! A note in a lock, as far as it can be read.

use serde_json::{Value, json};
use tenure::backend::Note;
use tenure::cron::{Entry, JobId, LastFire, Ledger, LedgerError};

use super::show::time;

/// What a note says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Contents {
    /// A ledger of fires.
    Ledger(Ledger),
    /// A ledger that cannot be read, and why.
    Unreadable(LedgerError),
    /// The user's own bytes, with what is not printable escaped.
    Text(String),
}

impl Contents {
    pub(super) fn of(note: &Note) -> Self {
        match Ledger::decode(note) {
            Ok(ledger) => Self::Ledger(ledger),
            Err(LedgerError::Foreign) => Self::Text(note.as_bytes().escape_ascii().to_string()),
            Err(error) => Self::Unreadable(error),
        }
    }

    /// Name and value of each line that shows it to people.
    pub(super) fn rows(&self) -> Vec<(&'static str, String)> {
        match self {
            Self::Ledger(ledger) => ledger.entries().iter().map(row).collect(),
            Self::Unreadable(error) => vec![("note", error.to_string())],
            Self::Text(text) => vec![("note", text.clone())],
        }
    }

    /// Note and ledger for programs.
    pub(super) fn json(&self) -> (Value, Value) {
        match self {
            Self::Ledger(ledger) => (
                Value::Null,
                ledger.entries().iter().map(entry).collect::<Value>(),
            ),
            Self::Unreadable(error) => (json!(error.to_string()), Value::Null),
            Self::Text(text) => (json!(text), Value::Null),
        }
    }
}

/// The ledger keeps a hash of each job's name; that of the usual name is known.
fn name(job: JobId) -> String {
    let usual = crate::options::USUAL_JOB;
    if job == JobId::of(usual) {
        usual.to_owned()
    } else {
        job.to_string()
    }
}

fn row(entry: &Entry) -> (&'static str, String) {
    let job = name(entry.job);
    let Some(last) = entry.last else {
        return ("fires", format!("{job}: none started yet"));
    };
    let mut text = format!("{job}: {}", time(last.scheduled));
    text += &match last.ended {
        Some((outcome, took)) => format!(" {outcome} after {}", humantime::format_duration(took)),
        None => format!(" started at {}, no end yet", time(last.started)),
    };
    if last.attempts > 1 {
        text += &format!(" (try {})", last.attempts);
    }
    ("fires", text)
}

fn entry(entry: &Entry) -> Value {
    let last = |last: LastFire| {
        json!({
            "attempts": last.attempts,
            "outcome": last.ended.map(|(outcome, _)| outcome.to_string()),
            "scheduled": time(last.scheduled),
            "started": time(last.started),
            "took_ms": last.ended.map(|(_, took)| u64::try_from(took.as_millis()).unwrap_or(u64::MAX)),
        })
    };
    json!({
        "job": name(entry.job),
        "last": entry.last.map(last),
        "settled": time(entry.settled),
    })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tenure::cron::{CalendarId, Outcome};
    use tenure::time::WallTime;

    use super::*;

    #[test]
    fn a_ledger_is_shown_and_other_notes_are_text() {
        let mut ledger = Ledger::default();
        let noon = WallTime::from_unix_seconds(1_767_268_800);
        let last = LastFire {
            attempts: 2,
            ended: Some((Outcome::Failed { code: 3 }, Duration::from_millis(1_500))),
            scheduled: noon,
            started: noon,
        };
        ledger.put(
            Entry {
                calendar: CalendarId(1),
                job: JobId::of("job"),
                last: Some(last),
                settled: noon,
            },
            &[],
        );
        let contents = Contents::of(&ledger.encode());
        assert_eq!(
            contents.rows(),
            [(
                "fires",
                "job: 2026-01-01T12:00:00Z failed with code 3 after 1s 500ms (try 2)".to_owned()
            )]
        );
        let (note, fires) = contents.json();
        assert_eq!(note, Value::Null);
        assert_eq!(fires[0]["last"]["took_ms"], 1_500);

        let own = Contents::of(&Note::new(b"at\x01").unwrap());
        assert_eq!(own.rows(), [("note", "at\\x01".to_owned())]);
    }
}
