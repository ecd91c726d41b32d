//! Reading a lock without disturbing it: nothing is created, written, or closed in a way that wakes somebody.

use tenure_core::backend::{Held, Holder, LockState, Observation};
use tenure_core::{Identity, Nonce, WallTime};

use super::candidacy::Candidacy;
use super::error::{Failure, doing};
use super::record::Record;
use super::replace::{Stored, read};
use super::seal::Unreadable;
use super::system::{Open, Stat};
use super::token;

/// What a holder is called that has not said who it is.
const UNKNOWN: &str = "unknown";
const UNREADABLE: &str = "unreadable record";
/// A UUID in ASCII, an interval, a heartbeat.
const CAMEL_BYTES: usize = 52;
const CAMEL_UUID_BYTES: usize = 36;

impl Candidacy {
    /// What the lock is now.
    pub(crate) fn observe(&mut self) -> Result<Observation, Failure> {
        let identity = self.identity_at_path()?;
        let (stored, unknown) = match self.read_record()? {
            Stored::Readable(record, stat) => (Some((record, stat)), UNKNOWN),
            Stored::Missing if identity.is_none() => return self.observe_nothing(),
            Stored::Missing => (None, UNKNOWN),
            Stored::Unreadable(_) => (None, UNREADABLE),
        };
        let Some(identity) = identity else {
            return self.describe(LockState::Missing, stored);
        };
        let lock = if self.holds(identity) {
            LockState::Held(held(stored.as_ref(), identity, unknown))
        } else if self.is_locked_by_another(identity)? {
            LockState::Held(self.held_by_another(stored.as_ref(), identity, unknown)?)
        } else if unknown == UNREADABLE {
            // Whose it was cannot be told, so that it is not shown as free; a try finds out that it is.
            LockState::Held(held(None, identity, unknown))
        } else {
            let mark = stored.as_ref().and_then(|(record, _)| record.mark);
            LockState::Vacant { identity, mark }
        };
        self.describe(lock, stored)
    }

    /// Neither lock file nor record: new, or a directory that was wiped.
    fn observe_nothing(&mut self) -> Result<Observation, Failure> {
        let known = token::known(self.system.as_ref(), &self.paths, None)?;
        let never = !known.shows_use() && self.seen.token.is_none();
        let lock = if never && self.is_the_same_root()? {
            LockState::NeverHeld
        } else {
            LockState::Missing
        };
        self.describe(lock, None)
    }

    fn holds(&self, identity: Identity) -> bool {
        self.held
            .as_ref()
            .is_some_and(|held| held.identity == identity)
    }

    fn is_locked_by_another(&self, identity: Identity) -> Result<bool, Failure> {
        let path = self.paths.lock();
        if let Some(file) = &self.waiting {
            let stat = file.stat().map_err(doing("cannot look at", &path))?;
            if Identity(stat.inode.into()) == identity {
                return file
                    .is_locked_by_another()
                    .map_err(doing("cannot ask about", &path));
            }
        }
        let file = match self.system.open(&path, Open::ToRead) {
            // Deleted a moment ago: as good as not locked, and a later try finds out.
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(false),
            file => file.map_err(doing("cannot read", &path))?,
        };
        file.is_locked_by_another()
            .map_err(doing("cannot ask about", &path))
    }

    /// A record may be that of a former holder, when the present one is Camel or has not written yet.
    fn held_by_another(
        &self,
        stored: Option<&(Record, Stat)>,
        identity: Identity,
        unknown: &str,
    ) -> Result<Held, Failure> {
        let recorded = stored.map(|(_, stat)| stat.modified);
        if let Some(holder) = self.camel_since(recorded)? {
            return Ok(Held {
                duration: None,
                holder,
                identity,
                nonce: Nonce(0),
            });
        }
        Ok(held(stored, identity, unknown))
    }

    /// The Camel member whose heartbeat is newer than our record's.
    fn camel_since(&self, recorded: Option<WallTime>) -> Result<Option<Holder>, Failure> {
        let parse = |bytes: &[u8]| match (bytes.len(), bytes.get(..CAMEL_UUID_BYTES)) {
            (CAMEL_BYTES, Some(member)) if member.is_ascii() => {
                Ok(String::from_utf8_lossy(member).into_owned())
            }
            _ => Err(Unreadable::Corrupt),
        };
        let path = self.paths.camel();
        Ok(
            match read(self.system.as_ref(), &path, CAMEL_BYTES + 1, parse)? {
                Stored::Readable(member, stat) if Some(stat.modified) > recorded => {
                    Some(Holder::parse(&format!("camel {member}")))
                }
                _ => None,
            },
        )
    }

    fn describe(
        &mut self,
        lock: LockState,
        stored: Option<(Record, Stat)>,
    ) -> Result<Observation, Failure> {
        let mut observation = Observation::of(lock);
        observation.request = self.read_request()?;
        if let Some((record, stat)) = stored {
            observation.written = Some(record.written.max(stat.modified));
            observation.led_since = record.granted;
            observation.token = Some(record.token);
            observation.version = Some(record.version);
            observation.note = record.note;
        } else {
            let known = token::known(self.system.as_ref(), &self.paths, None)?;
            observation.token = known.newest_granted().max(self.seen.token);
        }
        self.saw(observation.token, observation.version);
        Ok(observation)
    }
}

fn held(stored: Option<&(Record, Stat)>, identity: Identity, unknown: &str) -> Held {
    match stored {
        Some((record, _)) => record.held(identity, unknown),
        None => Held {
            duration: None,
            holder: Holder::parse(unknown),
            identity,
            nonce: Nonce(0),
        },
    }
}
