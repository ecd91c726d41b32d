//! One handle's part in an election: what it has open, and how it gets the lock. Runs on a root's threads only.

use std::sync::{Arc, Mutex};

use tenure_core::backend::{Acquired, Claim, Grant, Hold, Holder, Observation, Vacancy};
use tenure_core::{ErrorKind, FencingToken, Identity, Nanos, Version};

use super::error::{Failure, doing};
use super::hints::Hints;
use super::members::Enlisted;
use super::paths::Paths;
use super::record::{Mark, RECORD_BYTES_MAX, Record};
use super::replace::{Replacement, Stored, read, replace};
use super::seal::Unreadable;
use super::system::{FileKind, Open, OpenFile, Stat, System};
use super::token::{self, Known};
use super::watch::Watcher;
use crate::locked::locked;

/// How often an acquire follows a lock file that is replaced under its hands.
const REPLACED_MAX: usize = 3;

/// How often a record is read again that is replaced while it is read.
const REREADS_MAX: usize = 3;

/// The open lock file of a holder, where its program can have a duplicate made without waiting for a disk.
pub(crate) type Grip = Arc<Mutex<Option<Arc<dyn OpenFile>>>>;

/// The state of one handle.
#[derive(Debug)]
pub(crate) struct Candidacy {
    pub(crate) grip: Grip,
    pub(crate) held: Option<HeldLock>,
    pub(crate) hints: Arc<Hints>,
    pub(crate) member: Option<Enlisted>,
    pub(crate) paths: Paths,
    /// The directory that the root was opened on.
    pub(crate) root: u64,
    /// The newest that this handle has seen: no record that it writes is older, whatever has been lost.
    pub(crate) seen: Seen,
    pub(crate) system: Arc<dyn System>,
    pub(crate) token_floor: Option<FencingToken>,
    /// The lock file, not locked by us. Kept open: each close would wake all other candidates.
    pub(crate) waiting: Option<Arc<dyn OpenFile>>,
    pub(crate) watcher: Arc<Watcher>,
}

#[derive(Clone, Copy, Default, Debug)]
pub(crate) struct Seen {
    pub(crate) token: Option<FencingToken>,
    pub(crate) version: Option<Version>,
}

/// A lock that this handle has been granted.
#[derive(Debug)]
pub(crate) struct HeldLock {
    pub(crate) file: Arc<dyn OpenFile>,
    pub(crate) identity: Identity,
    /// As it was written last.
    pub(crate) record: Record,
    /// What the record's file looks like as long as nobody touches it.
    pub(crate) record_stat: Option<Stat>,
    pub(crate) since: Nanos,
}

impl HeldLock {
    pub(crate) fn hold(&self) -> Hold {
        Hold {
            identity: self.identity,
            token: self.record.token,
            version: self.record.version,
        }
    }
}

/// What the files say about the time before a grant.
#[derive(Debug)]
struct Judged {
    known: Known,
    last: Option<Record>,
    token: FencingToken,
    vacancy: Vacancy,
}

impl Candidacy {
    /// Tries once to get the lock.
    pub(crate) fn acquire(&mut self, claim: &Claim) -> Result<Acquired, Failure> {
        // Never locked again on a description that a job may have inherited: it would still be ours.
        self.let_go();
        for _ in 0..REPLACED_MAX {
            let (file, identity) = self.open_lock(claim)?;
            let path = self.paths.lock();
            if !file.try_lock().map_err(doing("cannot lock", &path))? {
                return self.refused();
            }
            if self.identity_at_path()? != Some(identity) {
                self.waiting = None;
                continue;
            }
            match self.grant(&file, identity, claim) {
                Ok(grant) => {
                    self.waiting = None;
                    self.hints.granted();
                    return Ok(Acquired::Granted(grant));
                }
                Err(failure) => {
                    // No job has inherited this description, and an unlock wakes nobody: a full disk would otherwise have all
                    // candidates wake each other without end.
                    if file.unlock().is_err() {
                        self.waiting = None;
                    }
                    return Err(failure);
                }
            }
        }
        Ok(Acquired::Busy(None))
    }

    /// Closes what is held. The lock is free when nobody else has a duplicate.
    pub(crate) fn let_go(&mut self) {
        drop(locked(&self.grip).take());
        self.held = None;
    }

    /// Closes everything.
    pub(crate) fn leave(&mut self) {
        self.let_go();
        self.waiting = None;
        self.withdraw();
    }

    /// Which file has the lock's name now.
    pub(crate) fn identity_at_path(&self) -> Result<Option<Identity>, Failure> {
        let path = self.paths.lock();
        let stat = self
            .system
            .stat(&path)
            .map_err(doing("cannot look at", &path))?;
        Ok(stat.map(|stat| Identity(stat.inode.into())))
    }

    /// The record as it is after the release that is marked beside it, if that is its own.
    pub(crate) fn read_record(&self) -> Result<Stored<Record>, Failure> {
        let system = self.system.as_ref();
        let path = self.paths.record();
        let mut rereads = 0;
        loop {
            let stored = read(system, &path, RECORD_BYTES_MAX, Record::parse)?;
            let Stored::Readable(record, stat) = stored else {
                return Ok(stored);
            };
            let released = read(
                system,
                &self.paths.released(),
                RECORD_BYTES_MAX,
                Mark::parse,
            )?;
            let matches = matches!(&released, Stored::Readable(mark, _) if mark.is_of(&record));
            // A mark of another leadership, or one in the making, may have taken the place of this record's own since the record was
            // read: then the record is another one by now, and this one would show the past.
            if matches
                || matches!(released, Stored::Missing)
                || rereads == REREADS_MAX
                || system.stat(&path).map_err(doing("cannot look at", &path))? == Some(stat)
            {
                let record = record.after(released.readable().as_ref());
                return Ok(Stored::Readable(record, stat));
            }
            rereads += 1;
        }
    }

    /// Whether the directory is still the one that the root was opened on.
    pub(crate) fn is_the_same_root(&self) -> Result<bool, Failure> {
        let root = self.paths.root();
        let stat = self
            .system
            .stat_directory(root)
            .map_err(doing("cannot look at", root))?;
        Ok(stat.is_some_and(|stat| stat.inode == self.root))
    }

    pub(crate) fn saw(&mut self, token: Option<FencingToken>, version: Option<Version>) {
        self.seen.token = self.seen.token.max(token);
        self.seen.version = self.seen.version.max(version);
    }

    fn refused(&mut self) -> Result<Acquired, Failure> {
        let observation = self.observe()?;
        self.remind_if_soon_free(&observation);
        Ok(Acquired::Busy(Some(observation)))
    }

    /// A refused try must not cost a poll interval when the lock is just being freed.
    pub(crate) fn remind_if_soon_free(&self, observation: &Observation) {
        if let Some(after) = self.hints.refused(observation.token) {
            self.watcher.remind(&self.hints, after);
        }
    }

    /// The lock file that now has the name, made where there is none.
    fn open_lock(&mut self, claim: &Claim) -> Result<(Arc<dyn OpenFile>, Identity), Failure> {
        let path = self.paths.lock();
        let there = self.identity_at_path()?;
        if let (Some(file), Some(there)) = (&self.waiting, there) {
            let stat = file.stat().map_err(doing("cannot look at", &path))?;
            if Identity(stat.inode.into()) == there {
                return Ok((Arc::clone(file), there));
            }
        }
        self.waiting = None;
        self.start_tokens_where_nothing_was(there.is_some(), claim)?;
        let file = self
            .system
            .open(&path, Open::OrCreate)
            .map_err(doing("cannot open the lock file", &path))?;
        let stat = file.stat().map_err(doing("cannot look at", &path))?;
        if stat.kind != FileKind::Regular {
            let detail = format!("{} is not a plain file: move it away", path.display());
            return Err(Failure::new(ErrorKind::InvalidInput, detail));
        }
        self.waiting = Some(Arc::clone(&file));
        Ok((file, Identity(stat.inode.into())))
    }

    fn start_tokens_where_nothing_was(&self, lock: bool, claim: &Claim) -> Result<(), Failure> {
        let system = self.system.as_ref();
        let unused = !lock || token::camel_was_here(system, &self.paths)?;
        if unused
            && matches!(self.read_record()?, Stored::Missing)
            && token::known(system, &self.paths, None)?.is_nothing()
        {
            // Camel's file was there before us, or is in use by us with its token on it.
            if !lock || self.tokens_on_the_lock_file()?.is_nothing() {
                return token::start(system, &self.paths, &claim.candidate, claim.wall);
            }
        }
        Ok(())
    }

    fn tokens_on_the_lock_file(&self) -> Result<Known, Failure> {
        let path = self.paths.lock();
        let file = self
            .system
            .open(&path, Open::ToRead)
            .map_err(doing("cannot read", &path))?;
        token::known(self.system.as_ref(), &self.paths, Some(file.as_ref()))
    }

    /// Makes the kernel's lock a leadership to be: token and record on the disk.
    fn grant(
        &mut self,
        file: &Arc<dyn OpenFile>,
        identity: Identity,
        claim: &Claim,
    ) -> Result<Grant, Failure> {
        let judged = self.judge(file.as_ref(), identity, claim)?;
        let (token, vacancy) = (judged.token, judged.vacancy);
        let request = self.read_request()?;
        let known = judged.known;
        let record = self.first_record(identity, claim, judged.last, vacancy, token);
        let mut replacements = vec![Replacement {
            path: self.paths.record(),
            bytes: record.to_bytes(),
        }];
        let reserved = token::reserve(&known, &self.paths, file, token, &mut replacements)?;
        replace(
            self.system.as_ref(),
            self.paths.root(),
            &replacements,
            reserved.then_some(file.as_ref()),
        )?;
        self.saw(Some(token), Some(record.version));
        let held = HeldLock {
            file: Arc::clone(file),
            identity,
            record_stat: self.system.stat(&self.paths.record()).ok().flatten(),
            record,
            since: self.system.monotonic(),
        };
        let grant = Grant {
            hold: held.hold(),
            note: held.record.note.clone(),
            request,
            standing: None,
            vacancy,
        };
        *locked(&self.grip) = Some(Arc::clone(file));
        self.held = Some(held);
        Ok(grant)
    }

    /// What the files say about the time before, and the token that follows.
    fn judge(
        &self,
        file: &dyn OpenFile,
        identity: Identity,
        claim: &Claim,
    ) -> Result<Judged, Failure> {
        let last = match self.read_record()? {
            Stored::Unreadable(why @ Unreadable::Newer(_)) => {
                let path = self.paths.record();
                let detail = format!("the record at {} {why}", path.display());
                return Err(Failure::new(ErrorKind::Unsupported, detail));
            }
            stored => stored,
        };
        let nothing_recorded = matches!(last, Stored::Missing);
        let last = last.readable();
        let known = token::known(self.system.as_ref(), &self.paths, Some(file))?;
        let vacancy = match &last {
            Some(last) if last.identity == identity && last.unexplained.is_none() => {
                Vacancy::Proven
            }
            Some(last) => Vacancy::Unexplained {
                longest_lease: Some(last.longest_lease()),
            },
            None if nothing_recorded
                && known.shows_no_use()
                && self.seen.token.is_none()
                && self.is_the_same_root()? =>
            {
                Vacancy::Proven
            }
            None => Vacancy::Unexplained {
                longest_lease: None,
            },
        };
        let recorded = last.as_ref().map(|last| last.token);
        // A record that is not of this file may have been written over a newer one.
        let exact = recorded.filter(|_| vacancy == Vacancy::Proven);
        let last_one = token::Last {
            exact,
            floor: self.token_floor.max(self.seen.token),
            recorded,
        };
        let vouched = self.token_floor.is_some();
        let token = token::next(&known, last_one, vouched, claim.wall, &self.paths)?;
        Ok(Judged {
            known,
            last,
            token,
            vacancy,
        })
    }

    fn first_record(
        &self,
        identity: Identity,
        claim: &Claim,
        last: Option<Record>,
        vacancy: Vacancy,
        token: FencingToken,
    ) -> Record {
        let following = last
            .as_ref()
            .map(|last| last.version)
            .max(self.seen.version);
        // Without a last record, the wall clock in microseconds is larger than any version so far: they grow slower than it does.
        let version = match (&last, following) {
            (Some(_), Some(version)) => version.0.saturating_add(1),
            (_, following) => {
                let after = following.map_or(0, |version| version.0.saturating_add(1));
                claim.wall.unix_micros().max(after)
            }
        };
        let unexplained = match vacancy {
            Vacancy::Unexplained { longest_lease } => {
                Some(longest_lease.unwrap_or_default().max(claim.lease_duration))
            }
            Vacancy::AsClaimed | Vacancy::Proven => None,
        };
        Record {
            granted: Some(claim.wall),
            holder: Some(Holder::from(&claim.candidate)),
            identity,
            lease_duration: claim.lease_duration,
            mark: None,
            nonce: claim.nonce,
            note: last.and_then(|last| last.note),
            token,
            unexplained,
            version: Version(version),
            written: claim.wall,
        }
    }
}
