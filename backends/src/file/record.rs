//! The record beside the lock: who was granted it, under which token, and the note. A few lines of text, so that people can read it.
//!
//! The mark of a release stands in a file of its own, which need not be durable: after a power cut nobody holds, mark or not. So a
//! release waits for no disk, and the record with its note is replaced only by who holds the lock.

use std::fmt::Write as _;
use std::time::Duration;

use tenure_core::backend::{Held, Holder, Note, ReleaseMark};
use tenure_core::{FencingToken, Identity, Incarnation, Nonce, Version, WallTime};

use super::seal::{Fields, Sealer, Unreadable};

/// More than the largest record, so that a longer file is seen to be one.
pub(crate) const RECORD_BYTES_MAX: usize = 8192;

/// What the last grant or note has written, and the release after it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Record {
    /// When it was granted, by the holder's wall clock.
    pub(crate) granted: Option<WallTime>,
    /// Who was granted the lock; nothing after a release.
    pub(crate) holder: Option<Holder>,
    /// The lock file that it was granted on.
    pub(crate) identity: Identity,
    pub(crate) lease_duration: Duration,
    pub(crate) mark: Option<ReleaseMark>,
    pub(crate) nonce: Nonce,
    pub(crate) note: Option<Note>,
    pub(crate) token: FencingToken,
    /// Set from an unexplained vacancy on, until a former holder cannot believe any more: the longest lease that one may have had.
    /// As long as it is set, the next vacancy is unexplained too.
    pub(crate) unexplained: Option<Duration>,
    pub(crate) version: Version,
    pub(crate) written: WallTime,
}

impl Record {
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        Sealer::new("record")
            .field("version", self.version.0)
            .field("token", self.token)
            .field("identity", self.identity.0)
            .optional("holder", self.holder.as_ref())
            .field("lease-ns", nanoseconds(self.lease_duration))
            .field("nonce", self.nonce.0)
            .field("written-us", self.written.unix_micros())
            .optional("granted-us", self.granted.map(WallTime::unix_micros))
            .optional("unexplained-ns", self.unexplained.map(nanoseconds))
            .optional(
                "note",
                self.note.as_ref().map(|note| hexadecimal(note.as_bytes())),
            )
            .seal()
    }

    pub(crate) fn parse(bytes: &[u8]) -> Result<Self, Unreadable> {
        let fields = Fields::unseal("record", bytes)?;
        let object = |text: &str| text.parse().ok().map(Identity);
        let granted = fields.optional("granted-us", |text| text.parse().ok())?;
        Ok(Self {
            granted: granted.map(WallTime::from_unix_micros),
            holder: Some(fields.value("holder", |text| Some(Holder::parse(text)))?),
            identity: fields.value("identity", object)?,
            lease_duration: Duration::from_nanos(fields.number("lease-ns")?),
            mark: None,
            nonce: Nonce(fields.number("nonce")?),
            note: fields.optional("note", note_from)?,
            token: fields.value("token", |text| text.parse().ok())?,
            unexplained: fields.optional("unexplained-ns", duration_from)?,
            version: Version(fields.number("version")?),
            written: WallTime::from_unix_micros(fields.number("written-us")?),
        })
    }

    /// The record as it is after this release, if it is the one of this very leadership.
    #[must_use]
    pub(crate) fn after(self, released: Option<&Mark>) -> Self {
        match released {
            Some(released) if released.is_of(&self) => Self {
                holder: None,
                mark: Some(released.mark),
                version: Version(self.version.0.saturating_add(1)),
                written: released.written,
                ..self
            },
            _ => self,
        }
    }

    /// The hold that this record tells of, on the lock file `identity`.
    pub(crate) fn held(&self, identity: Identity, unknown: &str) -> Held {
        Held {
            duration: Some(self.lease_duration),
            holder: self
                .holder
                .clone()
                .unwrap_or_else(|| Holder::parse(unknown)),
            identity,
            nonce: self.nonce,
        }
    }

    /// The longest lease that somebody who held before may still count on.
    pub(crate) fn longest_lease(&self) -> Duration {
        self.lease_duration
            .max(self.unexplained.unwrap_or_default())
    }
}

/// What a release leaves.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Mark {
    pub(crate) mark: ReleaseMark,
    /// Of the leadership that ended.
    pub(crate) token: FencingToken,
    pub(crate) written: WallTime,
}

impl Mark {
    /// Whether it ends the leadership that `record` tells of.
    pub(crate) fn is_of(&self, record: &Record) -> bool {
        self.token == record.token && self.mark.identity == record.identity
    }

    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        Sealer::new("release")
            .field("token", self.token)
            .field("identity", self.mark.identity.0)
            .field("by", self.mark.by)
            .field("written-us", self.written.unix_micros())
            .seal()
    }

    pub(crate) fn parse(bytes: &[u8]) -> Result<Self, Unreadable> {
        let fields = Fields::unseal("release", bytes)?;
        Ok(Self {
            mark: ReleaseMark {
                by: fields.value("by", Incarnation::parse)?,
                identity: fields.value("identity", |text| text.parse().ok().map(Identity))?,
            },
            token: fields.value("token", |text| text.parse().ok())?,
            written: WallTime::from_unix_micros(fields.number("written-us")?),
        })
    }
}

fn nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

fn duration_from(text: &str) -> Option<Duration> {
    text.parse().ok().map(Duration::from_nanos)
}

fn hexadecimal(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        write!(text, "{byte:02x}").expect("writing to a string cannot fail");
    }
    text
}

fn note_from(text: &str) -> Option<Note> {
    let digits = text.as_bytes();
    let pairs = digits.chunks_exact(2);
    if !pairs.remainder().is_empty() {
        return None;
    }
    let bytes = pairs.map(|pair| {
        let text = std::str::from_utf8(pair).ok()?;
        u8::from_str_radix(text, 16).ok()
    });
    Note::new(&bytes.collect::<Option<Vec<_>>>()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record() -> Record {
        Record {
            granted: Some(WallTime::from_unix_micros(1_600_000_000_000_001)),
            holder: Some(Holder::parse("pod one_0000000000000000000000000000002a")),
            identity: Identity(12),
            lease_duration: Duration::from_secs(15),
            mark: None,
            nonce: Nonce(7),
            note: Some(Note::new(b"\0\xffnote").unwrap()),
            token: FencingToken::new(99).unwrap(),
            unexplained: Some(Duration::from_secs(60)),
            version: Version(3),
            written: WallTime::from_unix_micros(1_700_000_000_000_001),
        }
    }

    #[test]
    fn a_record_reads_back_what_was_written() {
        let held = record();
        assert_eq!(Record::parse(&held.to_bytes()), Ok(held.clone()));
        let released = Mark {
            mark: ReleaseMark {
                by: Incarnation::from_bits(42),
                identity: held.identity,
            },
            token: held.token,
            written: held.written,
        };
        assert_eq!(Mark::parse(&released.to_bytes()), Ok(released.clone()));
        let after = held.clone().after(Some(&released));
        assert_eq!((after.holder, after.mark), (None, Some(released.mark)));
        assert!(after.version > held.version);
    }

    #[test]
    fn a_mark_of_another_leadership_or_another_file_releases_nothing() {
        let held = record();
        let mark = |identity, token| Mark {
            mark: ReleaseMark {
                by: Incarnation::from_bits(42),
                identity: Identity(identity),
            },
            token: FencingToken::new(token).unwrap(),
            written: held.written,
        };
        for other in [mark(12, 98), mark(13, 99)] {
            assert_eq!(held.clone().after(Some(&other)), held);
        }
    }

    #[test]
    fn the_largest_record_fits() {
        let name = "x".repeat(tenure_core::NAME_BYTES_MAX);
        let mut largest = record();
        largest.holder = Some(Holder::parse(&format!(
            "{name}_{}",
            Incarnation::from_bits(1)
        )));
        largest.note = Some(Note::new(&[0xff; Note::BYTES_MAX]).unwrap());
        assert!(largest.to_bytes().len() < RECORD_BYTES_MAX);
    }
}
