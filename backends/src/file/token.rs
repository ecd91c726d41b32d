//! The newest token, kept twice: in a file, and as an attribute of the lock file (in a second file where there are no attributes).
//!
//! Each copy is durable before a grant is told, so that either alone is enough; the larger one counts.

use std::path::Path;

use tenure_core::{CandidateId, ErrorKind, FencingToken, WallTime};

use super::error::{Failure, doing};
use super::paths::Paths;
use super::replace::{Replacement, Stored, create, read};
use super::seal::{Fields, Sealer, Unreadable};
use super::system::{OpenFile, System};

const TOKEN_BYTES_MAX: usize = 512;

/// One copy.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Copy {
    /// Whether a leadership may have had this token; otherwise it is where the first one starts from.
    pub(crate) granted: bool,
    pub(crate) token: FencingToken,
}

impl Copy {
    pub(crate) fn to_bytes(self) -> Vec<u8> {
        let state = if self.granted { "granted" } else { "start" };
        Sealer::new("token")
            .field("state", state)
            .field("token", self.token)
            .seal()
    }

    fn parse(bytes: &[u8]) -> Result<Self, Unreadable> {
        let fields = Fields::unseal("token", bytes)?;
        Ok(Self {
            granted: fields.value("state", |text| match text {
                "granted" => Some(true),
                "start" => Some(false),
                _ => None,
            })?,
            token: fields.value("token", |text| text.parse().ok())?,
        })
    }
}

/// What the copies say together.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Known {
    /// No copy can be read.
    Nothing,
    /// The larger copy.
    Newest(Copy),
}

/// Reads the copies; `lock` is the open lock file, where there is one.
///
/// # Errors
/// When a copy cannot be read though it is there, or is of a newer version: its number may be larger than all others.
pub(crate) fn known(
    system: &dyn System,
    paths: &Paths,
    lock: Option<&dyn OpenFile>,
) -> Result<Known, Failure> {
    let mut newest: Option<Copy> = None;
    let mut take = |stored: Stored<Copy>, path: &Path| match stored {
        Stored::Readable(copy, _) => {
            newest = newest
                .into_iter()
                .chain([copy])
                .max_by_key(|copy| (copy.token, copy.granted));
            Ok(())
        }
        Stored::Unreadable(why @ Unreadable::Newer(_)) => Err(Failure::new(
            ErrorKind::Unsupported,
            format!("the token at {} {why}", path.display()),
        )),
        // Damaged is as good as gone: the other copy is as new.
        Stored::Unreadable(Unreadable::Corrupt) | Stored::Missing => Ok(()),
    };
    for path in [paths.token(), paths.second_token()] {
        take(read(system, &path, TOKEN_BYTES_MAX, Copy::parse)?, &path)?;
    }
    if let Some(lock) = lock {
        take(attribute(lock)?, &paths.lock())?;
    }
    Ok(newest.map_or(Known::Nothing, Known::Newest))
}

fn attribute(lock: &dyn OpenFile) -> Result<Stored<Copy>, Failure> {
    let stat = lock.stat().ok();
    Ok(match (lock.read_attribute(), stat) {
        (Ok(Some(bytes)), Some(stat)) => match Copy::parse(&bytes) {
            Ok(copy) => Stored::Readable(copy, stat),
            Err(why) => Stored::Unreadable(why),
        },
        // A file system without attributes has the second file in their place.
        _ => Stored::Missing,
    })
}

/// Keeps `token` on the lock file; where the file system has no attributes, adds the second file to what is to be replaced.
pub(crate) fn keep(
    paths: &Paths,
    lock: &dyn OpenFile,
    token: FencingToken,
    replacements: &mut Vec<Replacement>,
) -> Result<(), Failure> {
    let bytes = Copy {
        granted: true,
        token,
    }
    .to_bytes();
    replacements.push(Replacement {
        path: paths.token(),
        bytes: bytes.clone(),
    });
    match lock.write_attribute(&bytes) {
        Ok(()) => Ok(()),
        Err(error) if has_no_attributes(&error) => {
            replacements.push(Replacement {
                path: paths.second_token(),
                bytes,
            });
            Ok(())
        }
        Err(error) => Err(Failure::io(
            "cannot keep the token on",
            &paths.lock(),
            error,
        )),
    }
}

/// Some file systems have no attributes at all, some allow them to nobody but root.
fn has_no_attributes(error: &std::io::Error) -> bool {
    matches!(
        error.kind(),
        std::io::ErrorKind::Unsupported | std::io::ErrorKind::PermissionDenied
    )
}

/// Leaves the number that the first token follows: the wall clock in microseconds, so that a wiped directory does not go back.
///
/// Made before the lock file, so that a lock file without any token is always a loss and never a first start that failed.
pub(crate) fn start(
    system: &dyn System,
    paths: &Paths,
    candidate: &CandidateId,
    wall: WallTime,
) -> Result<(), Failure> {
    let first = Copy {
        granted: false,
        token: FencingToken::new(wall.unix_micros()).unwrap_or(FencingToken::MAX),
    };
    let own = Replacement {
        path: paths.start_of(candidate),
        bytes: first.to_bytes(),
    };
    create(system, paths.root(), &paths.token(), own).map(|_another_was_faster| ())
}

/// The token of the next leadership.
///
/// # Errors
/// When no copy is left: a smaller token than before would break every fenced resource.
pub(crate) fn next(
    known: Known,
    recorded: Option<FencingToken>,
    floor: Option<FencingToken>,
    wall: WallTime,
    paths: &Paths,
) -> Result<FencingToken, Failure> {
    let last = match (known, floor) {
        (Known::Newest(copy), _) => Some(copy.token),
        // The operator vouches for the floor; the wall clock guards against one that was guessed too low.
        (Known::Nothing, Some(_)) => FencingToken::new(wall.unix_micros()),
        (Known::Nothing, None) => return Err(lost(paths, recorded)),
    };
    let last = last.max(recorded).max(floor);
    last.and_then(FencingToken::next).ok_or_else(|| {
        Failure::new(
            ErrorKind::Exhausted,
            format!(
                "the token at {} is the largest there is: use another election",
                paths.token().display()
            ),
        )
    })
}

fn lost(paths: &Paths, recorded: Option<FencingToken>) -> Failure {
    let hint = match recorded {
        Some(token) => format!("the record beside it says {token}"),
        None => {
            "look for the largest one in the logs and in what it protects, 0 if it was never used"
                .into()
        }
    };
    Failure::new(
        ErrorKind::Corrupt,
        format!(
            "both copies of the newest fencing token are gone, from {} and from the lock file, though the lock has been in use: \
             give a number that no token has exceeded as the token floor (`--token-floor N`, `token_floor`); {hint}",
            paths.token().display()
        ),
    )
}

/// Whether the copies show that some leadership had a token here.
pub(crate) fn shows_use(known: Known) -> bool {
    matches!(known, Known::Newest(Copy { granted: true, .. }))
}

/// The number to show where no record tells one.
pub(crate) fn newest_granted(known: Known) -> Option<FencingToken> {
    match known {
        Known::Newest(copy) if copy.granted => Some(copy.token),
        _ => None,
    }
}

/// Whether Camel has used this lock: then a lock file without a token of ours is no loss.
pub(crate) fn camel_was_here(system: &dyn System, paths: &Paths) -> Result<bool, Failure> {
    let path = paths.camel();
    let stat = system.stat(&path).map_err(doing("cannot look at", &path))?;
    Ok(stat.is_some())
}
