use std::fmt;
use std::time::Duration;

use super::fingerprint::Fingerprint;
use super::{CalendarId, Outcome};
use crate::WallTime;
use crate::backend::Note;

/// The most jobs that one election's ledger has room for.
pub const JOBS_MAX: usize = (Note::BYTES_MAX - HEAD_BYTES - CHECKSUM_BYTES) / ENTRY_BYTES;

const MAGIC: [u8; 3] = *b"TCL";
const VERSION: u8 = 1;
const HEAD_BYTES: usize = 5;
const ENTRY_BYTES: usize = 48;
const CHECKSUM_BYTES: usize = 8;

/// What identifies a job in the ledger: a hash of its name.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct JobId(pub u64);

impl JobId {
    /// The identity of the job of this name.
    pub fn of(name: &str) -> Self {
        Self(Fingerprint::of(name.as_bytes()))
    }
}

impl fmt::Display for JobId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl fmt::Debug for JobId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The newest fire of a job that was started.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct LastFire {
    /// How often it was tried, up to 255.
    pub attempts: u8,
    /// How the last try ended and how long it took, to a millisecond; nothing when no end was recorded.
    pub ended: Option<(Outcome, Duration)>,
    /// The time that it was scheduled for, which is what identifies it.
    pub scheduled: WallTime,
    /// When the last try was started, by the wall clock of who started it.
    pub started: WallTime,
}

/// What the ledger knows about one job.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Entry {
    /// The calendar that the job had.
    pub calendar: CalendarId,
    /// Which job.
    pub job: JobId,
    /// The newest fire that was started, if any was.
    pub last: Option<LastFire>,
    /// Every fire scheduled up to here is decided: run, or skipped for good.
    pub settled: WallTime,
}

/// Which fires of an election's jobs were started and ended: what a leader leaves to the next one in the lock's note.
///
/// At most [`JOBS_MAX`] entries, each in 48 bytes, in the order of their jobs' identities, with a version and a checksum.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub struct Ledger {
    entries: Vec<Entry>,
}

/// A note that is not a ledger that can be used.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum LedgerError {
    /// It is a ledger, and damaged.
    Damaged,
    /// Something else than a ledger.
    Foreign,
    /// It was written by a newer version of this library.
    Newer {
        /// The version of its format.
        version: u8,
    },
}

impl fmt::Display for LedgerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Damaged => f.write_str("the ledger in the lock's note is damaged"),
            Self::Foreign => f.write_str(
                "the lock's note holds something else than a ledger: use an election of its own for cron",
            ),
            Self::Newer { version } => write!(
                f,
                "the ledger in the lock's note has format {version}, newer than {VERSION}: upgrade this candidate"
            ),
        }
    }
}

impl std::error::Error for LedgerError {}

impl Ledger {
    /// The entries, in the order of their jobs' identities.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// What is known about `job`.
    pub fn entry(&self, job: JobId) -> Option<&Entry> {
        let index = self.entries.binary_search_by_key(&job, |e| e.job).ok()?;
        self.entries.get(index)
    }

    /// Puts `entry` in the place of its job's former one. A new one takes, when there is no more room, the place of the one among
    /// the others, but for those `kept`, that was settled longest ago.
    pub fn put(&mut self, entry: Entry, kept: &[JobId]) {
        match self.entries.binary_search_by_key(&entry.job, |e| e.job) {
            Ok(index) => self.entries[index] = entry,
            Err(_) => {
                if self.entries.len() >= JOBS_MAX {
                    self.evict(kept);
                }
                let index = self.entries.partition_point(|e| e.job < entry.job);
                self.entries.insert(index, entry);
            }
        }
    }

    fn evict(&mut self, kept: &[JobId]) {
        let unwanted = self.entries.iter().enumerate();
        let oldest = unwanted
            .filter(|(_, entry)| !kept.contains(&entry.job))
            .min_by_key(|(_, entry)| entry.settled)
            .map(|(index, _)| index)
            .expect("registration refuses more jobs than there is room for");
        self.entries.remove(oldest);
    }

    /// The newest time that any entry tells of; what wall clocks are compared with.
    pub fn newest(&self) -> Option<WallTime> {
        self.entries.iter().map(Entry::newest).max()
    }

    /// The note that holds this ledger.
    pub fn encode(&self) -> Note {
        assert!(
            self.entries.len() <= JOBS_MAX,
            "a ledger has room for its entries"
        );
        let mut bytes = Vec::with_capacity(Note::BYTES_MAX);
        bytes.extend(MAGIC);
        bytes.push(VERSION);
        bytes.push(u8::try_from(self.entries.len()).expect("there are at most 21 entries"));
        for entry in &self.entries {
            entry.encode(&mut bytes);
        }
        let checksum = Fingerprint::of(&bytes);
        bytes.extend(checksum.to_le_bytes());
        Note::new(&bytes).expect("the number of entries was chosen to fit")
    }

    /// The ledger that `note` holds.
    ///
    /// # Errors
    /// When the note holds something else, a ledger of a newer version, or a damaged one.
    pub fn decode(note: &Note) -> Result<Self, LedgerError> {
        let bytes = note.as_bytes();
        if !bytes.starts_with(&MAGIC) {
            return Err(LedgerError::Foreign);
        }
        match bytes.get(MAGIC.len()) {
            Some(&VERSION) => {}
            Some(&version) if version > VERSION => return Err(LedgerError::Newer { version }),
            _ => return Err(LedgerError::Damaged),
        }
        let (body, checksum) = bytes
            .split_last_chunk::<CHECKSUM_BYTES>()
            .ok_or(LedgerError::Damaged)?;
        if Fingerprint::of(body).to_le_bytes() != *checksum {
            return Err(LedgerError::Damaged);
        }
        Self::decode_entries(body).ok_or(LedgerError::Damaged)
    }

    fn decode_entries(body: &[u8]) -> Option<Self> {
        let count = usize::from(*body.get(HEAD_BYTES - 1)?);
        let (entries, rest) = body.get(HEAD_BYTES..)?.as_chunks::<ENTRY_BYTES>();
        if entries.len() != count || !rest.is_empty() {
            return None;
        }
        let entries: Option<Vec<Entry>> = entries.iter().map(Entry::decode).collect();
        let entries = entries.filter(|e| e.is_sorted_by(|a, b| a.job < b.job))?;
        Some(Self { entries })
    }
}

impl Entry {
    /// The newest time that this entry tells of.
    pub fn newest(&self) -> WallTime {
        let last = self.last.map(|fire| {
            let took = fire.ended.map_or(Duration::ZERO, |(_, took)| took);
            fire.started.saturating_add(took)
        });
        last.unwrap_or_default().max(self.settled)
    }

    fn encode(&self, bytes: &mut Vec<u8>) {
        let (scheduled, started) = match &self.last {
            Some(fire) => (fire.scheduled, fire.started),
            None => Default::default(),
        };
        let words = [self.job.0, self.calendar.0]
            .into_iter()
            .chain([self.settled, scheduled, started].map(WallTime::unix_micros));
        bytes.extend(words.flat_map(u64::to_le_bytes));
        let (state, code, took) = match self.last.map(|fire| fire.ended) {
            None => (State::NEVER, 0, Duration::ZERO),
            Some(None) => (State::STARTED, 0, Duration::ZERO),
            Some(Some((outcome, took))) => {
                let (state, code) = State::of(outcome);
                (state, code, took)
            }
        };
        let took_ms = u32::try_from(took.as_millis()).unwrap_or(u32::MAX);
        bytes.extend(took_ms.to_le_bytes());
        bytes.push(state);
        bytes.push(code);
        bytes.push(self.last.map_or(0, |fire| fire.attempts));
        bytes.push(0); // spare
    }

    fn decode(bytes: &[u8; ENTRY_BYTES]) -> Option<Self> {
        let (words, rest) = bytes.as_chunks::<8>();
        let &[job, calendar, settled, scheduled, started, _] = words else {
            return None;
        };
        debug_assert!(rest.is_empty());
        let [job, calendar, settled, scheduled, started] =
            [job, calendar, settled, scheduled, started].map(u64::from_le_bytes);
        let (took_ms, tail) = bytes[40..].split_first_chunk::<4>()?;
        let took = Duration::from_millis(u32::from_le_bytes(*took_ms).into());
        let &[state, code, attempts, _spare] = tail else {
            return None;
        };
        let fire = |ended| LastFire {
            attempts,
            ended,
            scheduled: WallTime::from_unix_micros(scheduled),
            started: WallTime::from_unix_micros(started),
        };
        let last = match state {
            State::NEVER => None,
            State::STARTED => Some(fire(None)),
            _ => Some(fire(Some((State::outcome(state, code)?, took)))),
        };
        Some(Self {
            calendar: CalendarId(calendar),
            job: JobId(job),
            last,
            settled: WallTime::from_unix_micros(settled),
        })
    }
}

/// The wire form of how far a fire has come.
struct State;

impl State {
    const NEVER: u8 = 0;
    const STARTED: u8 = 1;
    const SUCCEEDED: u8 = 2;
    const FAILED: u8 = 3;
    const TIMED_OUT: u8 = 4;
    const INTERRUPTED: u8 = 5;
    const REPLACED: u8 = 6;

    const fn of(outcome: Outcome) -> (u8, u8) {
        match outcome {
            Outcome::Succeeded => (Self::SUCCEEDED, 0),
            Outcome::Failed { code } => (Self::FAILED, code),
            Outcome::TimedOut => (Self::TIMED_OUT, 0),
            Outcome::Interrupted => (Self::INTERRUPTED, 0),
            Outcome::Replaced => (Self::REPLACED, 0),
        }
    }

    const fn outcome(state: u8, code: u8) -> Option<Outcome> {
        match state {
            Self::SUCCEEDED => Some(Outcome::Succeeded),
            Self::FAILED => Some(Outcome::Failed { code }),
            Self::TIMED_OUT => Some(Outcome::TimedOut),
            Self::INTERRUPTED => Some(Outcome::Interrupted),
            Self::REPLACED => Some(Outcome::Replaced),
            _ => None,
        }
    }
}

#[cfg(test)]
#[path = "ledger_tests.rs"]
mod tests;
