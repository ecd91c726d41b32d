//! Members: each candidate keeps a lock on a small file of its own, so that a dead one is not shown any more, whatever it died of.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use tenure_core::backend::{Holder, Member};
use tenure_core::{CandidateId, ErrorKind};

use super::candidacy::Candidacy;
use super::error::{Failure, doing};
use super::paths::{is_new, new_of};
use super::system::{Open, OpenFile};

/// More than any election has.
const MEMBERS_MAX: usize = 10_000;
/// How often somebody may take a file that is just being made for a dead one's.
const ENLIST_TRIES: usize = 10;

/// The file that shows a candidate.
#[derive(Debug)]
pub(crate) struct Enlisted {
    file: Arc<dyn OpenFile>,
    path: PathBuf,
}

impl Candidacy {
    /// Shows `candidate` as a member, and removes what dead ones have left.
    pub(crate) fn enlist(&mut self, candidate: &CandidateId) -> Result<(), Failure> {
        self.withdraw();
        let directory = self.paths.members();
        self.system
            .create_directories(&directory)
            .map_err(doing("cannot create", &directory))?;
        self.watcher
            .watch_members(self.paths.election(), &directory);
        self.remove_the_dead(&directory);
        let path = self.paths.member(candidate);
        for _ in 0..ENLIST_TRIES {
            if let Some(file) = self.show(&path)? {
                self.member = Some(Enlisted { file, path });
                return Ok(());
            }
        }
        let detail = format!(
            "{} is removed again and again: look who does it",
            path.display()
        );
        Err(Failure::new(ErrorKind::Unavailable, detail))
    }

    /// Removes the own file first and frees it then, so that nobody takes it for a dead one's.
    pub(crate) fn withdraw(&mut self) {
        if let Some(Enlisted { file, path }) = self.member.take() {
            // What cannot be removed is removed by the next who enlists.
            let _ = self.system.remove(&path);
            drop(file);
        }
    }

    /// Who is alive.
    pub(crate) fn members(&mut self) -> Result<Vec<Member>, Failure> {
        let directory = self.paths.members();
        let names = self
            .system
            .list(&directory, MEMBERS_MAX)
            .map_err(doing("cannot list", &directory))?;
        let Some(names) = names else {
            return Ok(Vec::new());
        };
        self.watcher
            .watch_members(self.paths.election(), &directory);
        let mut members = Vec::new();
        for name in names.iter().filter(|name| !is_new(name)) {
            if self.is_alive(&directory.join(name))? {
                let holder = Holder::parse(name);
                members.push(Member {
                    incarnation: holder.incarnation(),
                    name: holder.name().into(),
                });
            }
        }
        members.sort();
        Ok(members)
    }

    /// The file, locked before it has its name: nobody can see it without its lock.
    fn show(&self, path: &Path) -> Result<Option<Arc<dyn OpenFile>>, Failure> {
        let new = new_of(path);
        let file = self
            .system
            .open(&new, Open::OrCreate)
            .map_err(doing("cannot create", &new))?;
        if !file.try_lock().map_err(doing("cannot lock", &new))? {
            return Ok(None);
        }
        match self.system.rename(&new, path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            renamed => renamed.map_err(doing("cannot create", path))?,
        }
        let stat = self
            .system
            .stat(path)
            .map_err(doing("cannot look at", path))?;
        let own = file.stat().map_err(doing("cannot look at", path))?;
        Ok(stat
            .is_some_and(|stat| stat.inode == own.inode)
            .then_some(file))
    }

    fn is_alive(&self, path: &Path) -> Result<bool, Failure> {
        match self.system.open(path, Open::ToRead) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(false),
            file => file
                .and_then(|file| file.is_locked_by_another())
                .map_err(doing("cannot look at", path)),
        }
    }

    /// Nothing depends on it: what cannot be removed is not shown either.
    fn remove_the_dead(&self, directory: &Path) {
        let names = self.system.list(directory, MEMBERS_MAX);
        for name in names.ok().flatten().unwrap_or_default() {
            let path = directory.join(&name);
            if matches!(self.is_alive(&path), Ok(false))
                && let Ok(file) = self.system.open(&path, Open::Existing)
                && matches!(file.try_lock(), Ok(true))
            {
                let _ = self.system.remove(&path);
            }
        }
    }
}
