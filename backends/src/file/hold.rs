//! Keeping a held lock and giving it back.

use std::time::Duration;

use tenure_core::backend::{
    Holder, Release, ReleaseMark, Released, Renewal, RenewalReceipt, Renewed,
};
use tenure_core::{CandidateId, FencingToken, Identity, Version};

use super::candidacy::{Candidacy, HeldLock};
use super::error::{Failure, doing};
use super::record::{Mark, Record};
use super::replace::{Replacement, Stored, replace};
use super::system::Open;

impl Candidacy {
    /// Proves the hold. Writes the record only for a note; otherwise only stamps it, so that people see a heartbeat.
    pub(crate) fn renew(&mut self, renewal: &Renewal) -> Result<Renewed, Failure> {
        let hold = renewal.hold;
        if !self.still_holds(&renewal.candidate, hold.identity, hold.token)? {
            return self.observe().map(|seen| Renewed::Conflict(Some(seen)));
        }
        let explained = self.former_holders_are_past();
        let held = self.held.as_mut().expect("a hold was just proven");
        if renewal.note.is_some() || explained {
            let record = Record {
                lease_duration: renewal.lease_duration,
                nonce: renewal.nonce,
                note: renewal.note.clone().or_else(|| held.record.note.clone()),
                unexplained: held.record.unexplained.filter(|_| !explained),
                version: Version(held.record.version.0.saturating_add(1)),
                written: renewal.wall,
                ..held.record.clone()
            };
            self.write(record)?;
        } else {
            let path = self.paths.record();
            self.system
                .stamp(&path, renewal.wall)
                .map_err(doing("cannot stamp", &path))?;
            if let Some(stat) = &mut held.record_stat {
                stat.modified = renewal.wall;
            }
        }
        // The hold is proven: a request that cannot be read now is seen at the next renewal.
        let request = self.read_request().unwrap_or_default();
        let held = self.held.as_ref().expect("a hold was just proven");
        Ok(Renewed::Confirmed(RenewalReceipt {
            request,
            standing: None,
            version: held.record.version,
        }))
    }

    /// Leaves the mark and closes the lock file. When the mark cannot be written the lock is freed all the same: the kernel vouches
    /// for a free lock, and the work has stopped.
    pub(crate) fn release(&mut self, release: &Release) -> Result<Released, Failure> {
        let hold = release.hold;
        if !self.still_holds(&release.candidate, hold.identity, hold.token)? {
            // What is still open of it is closed by the next call that acquires or withdraws.
            return self.observe().map(|seen| Released::Conflict(Some(seen)));
        }
        let marked = self.leave_mark(release);
        self.let_go();
        if let Err(failure) = marked {
            let error = failure.into_error("release");
            tracing::warn!(election = %self.paths.election(), %error, "the lock was freed without a mark of its release");
        }
        Ok(Released::Vacated)
    }

    /// Written in place and not durably: it is checked by its sum, and nothing depends on it.
    fn leave_mark(&self, release: &Release) -> Result<(), Failure> {
        let hold = release.hold;
        let mark = Mark {
            mark: ReleaseMark {
                by: release.candidate.incarnation,
                identity: hold.identity,
            },
            token: hold.token,
            written: release.wall,
        };
        let path = self.paths.released();
        self.system
            .open(&path, Open::OrCreate)
            .and_then(|file| file.overwrite(&mark.to_bytes()))
            .map_err(doing("cannot write", &path))
    }

    /// Whether the lock is this candidate's: same file, the kernel's lock, and a record that says so.
    fn still_holds(
        &mut self,
        candidate: &CandidateId,
        identity: Identity,
        token: FencingToken,
    ) -> Result<bool, Failure> {
        let Some(held) = &self.held else {
            return Ok(false);
        };
        let asked = held.identity == identity && held.record.token == token;
        if !asked || self.identity_at_path()? != Some(identity) {
            return Ok(false);
        }
        // Locking once more is free where the lock is ours, and refused where it was lost and another has it.
        let path = self.paths.lock();
        if !held.file.try_lock().map_err(doing("cannot lock", &path))? {
            return Ok(false);
        }
        self.record_still_names(candidate, token)
    }

    fn record_still_names(
        &mut self,
        candidate: &CandidateId,
        token: FencingToken,
    ) -> Result<bool, Failure> {
        let path = self.paths.record();
        let stat = self
            .system
            .stat(&path)
            .map_err(doing("cannot look at", &path))?;
        let held = self.held.as_ref().expect("the caller has looked");
        if stat.is_some() && stat == held.record_stat {
            return Ok(true);
        }
        let Stored::Readable(record, stat) = self.read_record()? else {
            return Ok(false);
        };
        let ours = record.token == token
            && record
                .holder
                .as_ref()
                .is_some_and(|holder: &Holder| holder.is(candidate));
        if ours {
            self.saw(Some(record.token), Some(record.version));
            let held = self.held.as_mut().expect("the caller has looked");
            held.record = record;
            held.record_stat = Some(stat);
        }
        Ok(ours)
    }

    /// Whether a record that had to count a vacancy as unexplained may stop doing so: twice the longest lease has passed since,
    /// which no clock of ours measures so wrongly that a former holder could still believe.
    fn former_holders_are_past(&self) -> bool {
        self.held
            .as_ref()
            .is_some_and(|HeldLock { record, since, .. }| {
                record.unexplained.is_some_and(|longest| {
                    let passed = self.system.monotonic().saturating_sub(*since);
                    Duration::from(passed) > longest.saturating_mul(2)
                })
            })
    }

    fn write(&mut self, record: Record) -> Result<(), Failure> {
        let path = self.paths.record();
        let replacement = Replacement {
            bytes: record.to_bytes(),
            path: path.clone(),
        };
        let system = self.system.as_ref();
        replace(system, self.paths.root(), &[replacement], None)?;
        let stat = system.stat(&path).ok().flatten();
        self.saw(Some(record.token), Some(record.version));
        if let Some(held) = &mut self.held {
            held.record = record;
            held.record_stat = stat;
        }
        Ok(())
    }
}
