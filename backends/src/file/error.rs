//! What the operating system's errors mean for an election, and what to do about them.

use std::io;
use std::path::Path;

use tenure_core::ErrorKind;

use crate::failure::{self, Backend};

/// The name of this backend in descriptions and errors.
pub(crate) const BACKEND: &str = "file";

/// Whose failures these are.
#[derive(Debug)]
pub(crate) enum File {}

impl Backend for File {
    const NAME: &'static str = BACKEND;
}

/// A failure before it is known which operation of the backend it ends.
pub(crate) type Failure = failure::Failure<File>;

impl Failure {
    /// A failed system call: `doing` says what was tried, such as `cannot lock`. It has changed nothing.
    pub(crate) fn io(doing: &str, path: &Path, source: io::Error) -> Self {
        let (kind, advice) = meaning(&source);
        let detail = format!("{doing} {}: {source}{advice}", path.display());
        Self::new(kind, detail).with_source(source)
    }
}

/// For `map_err` on a system call.
pub(crate) fn doing<'a>(what: &'a str, path: &'a Path) -> impl FnOnce(io::Error) -> Failure + 'a {
    move |source| Failure::io(what, path, source)
}

/// The kind of failure, and what to do, as the rest of a line.
fn meaning(error: &io::Error) -> (ErrorKind, &'static str) {
    if let Some(known) = meaning_of_number(error) {
        return known;
    }
    match error.kind() {
        io::ErrorKind::NotFound => (
            ErrorKind::Unavailable,
            "; the lock's directory may be gone: create it again, or stop candidates that use the old place",
        ),
        io::ErrorKind::PermissionDenied => (
            ErrorKind::PermissionDenied,
            "; let this user read and write the lock's files and its directory, or run every candidate as one user",
        ),
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => (
            ErrorKind::Exhausted,
            "; free some space: nobody can start to lead before",
        ),
        io::ErrorKind::ReadOnlyFilesystem => (
            ErrorKind::Unavailable,
            "; nobody can lead here until it can be written again",
        ),
        io::ErrorKind::NotADirectory
        | io::ErrorKind::IsADirectory
        | io::ErrorKind::AlreadyExists => (
            ErrorKind::InvalidInput,
            "; something else has this name: move it away or choose another name",
        ),
        io::ErrorKind::Unsupported => (
            ErrorKind::Unsupported,
            "; use a directory on a local file system",
        ),
        io::ErrorKind::StaleNetworkFileHandle => (
            ErrorKind::Unavailable,
            "; the server has lost the file: mount it again",
        ),
        _ => (ErrorKind::Unavailable, ""),
    }
}

/// What has no kind of its own in the standard library.
#[cfg(target_os = "linux")]
fn meaning_of_number(error: &io::Error) -> Option<(ErrorKind, &'static str)> {
    use nix::Error as Number;

    Some(match Number::from_raw(error.raw_os_error()?) {
        Number::EMFILE => (
            ErrorKind::Exhausted,
            "; this process has too many open files: raise `ulimit -n` (LimitNOFILE in systemd)",
        ),
        Number::ENFILE => (
            ErrorKind::Exhausted,
            "; this machine has too many open files: raise the sysctl fs.file-max",
        ),
        Number::ENOLCK => (
            ErrorKind::Exhausted,
            "; no more locks can be had: on a network file system, start its lock service",
        ),
        Number::ELOOP => (
            ErrorKind::InvalidInput,
            "; it is a symbolic link, which is never followed here: name the real place",
        ),
        Number::EINVAL | Number::ENOSYS => (
            ErrorKind::Unsupported,
            "; this file system lacks what is needed: use a directory on a local one",
        ),
        Number::EIO => (
            ErrorKind::Unavailable,
            "; the disk or its server fails: look into the kernel's log",
        ),
        _ => return None,
    })
}

#[cfg(not(target_os = "linux"))]
fn meaning_of_number(_error: &io::Error) -> Option<(ErrorKind, &'static str)> {
    None
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn every_failure_says_what_to_do() {
        for (number, kind, says) in [
            (nix::libc::EMFILE, ErrorKind::Exhausted, "ulimit -n"),
            (nix::libc::ENOSPC, ErrorKind::Exhausted, "free some space"),
            (nix::libc::EDQUOT, ErrorKind::Exhausted, "free some space"),
            (nix::libc::EROFS, ErrorKind::Unavailable, "written again"),
            (
                nix::libc::EACCES,
                ErrorKind::PermissionDenied,
                "run every candidate as one user",
            ),
            (
                nix::libc::EPERM,
                ErrorKind::PermissionDenied,
                "read and write",
            ),
            (nix::libc::ENOENT, ErrorKind::Unavailable, "create it again"),
            (nix::libc::ELOOP, ErrorKind::InvalidInput, "symbolic link"),
            (
                nix::libc::ENOTDIR,
                ErrorKind::InvalidInput,
                "something else",
            ),
            (
                nix::libc::EOPNOTSUPP,
                ErrorKind::Unsupported,
                "local file system",
            ),
            (nix::libc::ENOLCK, ErrorKind::Exhausted, "lock service"),
            (nix::libc::ESTALE, ErrorKind::Unavailable, "mount it again"),
        ] {
            let source = io::Error::from_raw_os_error(number);
            let failure = Failure::io("cannot lock", Path::new("/r/nightly"), source);
            let error = failure.into_error("acquire");
            assert_eq!(error.kind(), kind, "{error}");
            assert!(error.to_string().contains(says), "{error}");
            assert!(
                error.to_string().contains("cannot lock /r/nightly"),
                "{error}"
            );
        }
    }
}
