//! Replacing small files so that after a crash each is the old one or the new one, and reading them back.

use std::path::{Path, PathBuf};

use super::error::{Failure, doing};
use super::paths::new_of;
use super::seal::Unreadable;
use super::system::{Open, OpenFile, Stat, System};

/// A file's next content.
#[derive(Debug)]
pub(crate) struct Replacement {
    pub(crate) path: PathBuf,
    pub(crate) bytes: Vec<u8>,
}

/// What a small file was when it was read.
#[derive(Debug)]
pub(crate) enum Stored<T> {
    Missing,
    Readable(T, Stat),
    Unreadable(Unreadable),
}

impl<T> Stored<T> {
    pub(crate) fn readable(self) -> Option<T> {
        match self {
            Self::Readable(value, _) => Some(value),
            Self::Missing | Self::Unreadable(_) => None,
        }
    }
}

/// Reads the file at `path`, which `parse` is to understand; a file of `limit` bytes or more is damaged.
///
/// # Errors
/// When it cannot be read though it is there.
pub(crate) fn read<T>(
    system: &dyn System,
    path: &Path,
    limit: usize,
    parse: impl FnOnce(&[u8]) -> Result<T, Unreadable>,
) -> Result<Stored<T>, Failure> {
    // Looked for before it is opened: most often it is not there, and that is the cheaper question.
    if system
        .stat(path)
        .map_err(doing("cannot look at", path))?
        .is_none()
    {
        return Ok(Stored::Missing);
    }
    let file = match system.open(path, Open::ToRead) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Stored::Missing),
        file => file.map_err(doing("cannot read", path))?,
    };
    let stat = file.stat().map_err(doing("cannot look at", path))?;
    let bytes = file.read(limit).map_err(doing("cannot read", path))?;
    if bytes.len() == limit {
        return Ok(Stored::Unreadable(Unreadable::Corrupt));
    }
    Ok(match parse(&bytes) {
        Ok(value) => Stored::Readable(value, stat),
        Err(why) => Stored::Unreadable(why),
    })
}

/// Replaces the files durably, all in the one `directory`. `attributes_of` is a file whose attributes are to be durable too.
///
/// # Errors
/// With effect `NotApplied`, nothing has changed; with `Unknown`, some of the files may have been replaced.
pub(crate) fn replace(
    system: &dyn System,
    directory: &Path,
    replacements: &[Replacement],
    attributes_of: Option<&dyn OpenFile>,
) -> Result<(), Failure> {
    if let Err(failure) = prepare(system, replacements, attributes_of) {
        for replacement in replacements {
            // What cannot be removed now is removed by the next attempt.
            let _ = system.remove(&new_of(&replacement.path));
        }
        return Err(failure);
    }
    for Replacement { path, .. } in replacements {
        system
            .rename(&new_of(path), path)
            .map_err(|error| Failure::io("cannot replace", path, error).unknown())?;
    }
    system
        .synchronise_directory(directory)
        .map_err(|error| Failure::io("cannot synchronise", directory, error).unknown())
}

/// Makes the file `path` durably, by way of one whose name is `own` to the caller. Whether it did not exist.
///
/// For files that nobody has a lock for: whoever is faster makes it.
pub(crate) fn create(
    system: &dyn System,
    directory: &Path,
    path: &Path,
    own: Replacement,
) -> Result<bool, Failure> {
    let new = new_of(&own.path);
    let prepared = prepare(system, &[own], None);
    let linked = prepared.and_then(|()| match system.link(&new, path) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Ok(false),
        Err(error) => Err(Failure::io("cannot create", path, error)),
    });
    let _ = system.remove(&new);
    if linked? {
        system
            .synchronise_directory(directory)
            .map_err(doing("cannot synchronise", directory))?;
        return Ok(true);
    }
    Ok(false)
}

/// Writes all before anything is synchronised, so that a journal's one commit serves all.
fn prepare(
    system: &dyn System,
    replacements: &[Replacement],
    attributes_of: Option<&dyn OpenFile>,
) -> Result<(), Failure> {
    let mut written = Vec::with_capacity(replacements.len());
    for Replacement { path, bytes } in replacements {
        let new = new_of(path);
        // What a crash has left; usually nothing.
        let _ = system.remove(&new);
        let file = system
            .open(&new, Open::New)
            .map_err(doing("cannot create", &new))?;
        file.overwrite(bytes).map_err(doing("cannot write", &new))?;
        written.push((file, new));
    }
    for (file, new) in &written {
        file.synchronise()
            .map_err(doing("cannot synchronise", new))?;
    }
    if let (Some(file), Some((_, new))) = (attributes_of, written.first()) {
        file.synchronise()
            .map_err(doing("cannot synchronise the attribute beside", new))?;
    }
    Ok(())
}
