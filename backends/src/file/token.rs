//! The newest token, kept twice: in a file, and as an attribute of the lock file (in a second file where there are no attributes).
//!
//! A copy says up to which number tokens are spent, which is a little ahead of the newest one, as the record tells it. So a grant
//! writes them only now and then; and when the record is lost or cannot be trusted, counting goes on above what they say. Each copy
//! is durable before a grant that needs it is told, so that either alone is enough; the larger one counts.

use std::path::Path;
use std::sync::Arc;

use tenure_core::{CandidateId, ErrorKind, FencingToken, WallTime};

use super::error::{Failure, doing};
use super::paths::Paths;
use super::replace::{Replacement, Stored, create, read};
use super::seal::{Fields, Sealer, Unreadable};
use super::system::{OpenFile, System};

const TOKEN_BYTES_MAX: usize = 512;
/// How many numbers are counted as spent ahead: when a record is lost, so many are passed over at most.
const RESERVED: u64 = 1000;

/// One copy.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct Copy {
    /// No token is larger, unless the record says so.
    pub(crate) token: FencingToken,
    /// Whether a leadership may have had a token; otherwise the first one's follows this number.
    pub(crate) granted: bool,
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
pub(crate) struct Known {
    /// Whether both copies are there and say the same.
    agreed: bool,
    /// The larger one; nothing when no copy can be read.
    newest: Option<Copy>,
}

impl Known {
    pub(crate) fn is_nothing(&self) -> bool {
        self.newest.is_none()
    }

    /// Whether some leadership may have had a token here.
    pub(crate) fn shows_use(&self) -> bool {
        self.newest.is_some_and(|copy| copy.granted)
    }

    /// Whether the copies are those of a lock that nobody has led yet.
    pub(crate) fn shows_no_use(&self) -> bool {
        self.newest.is_some_and(|copy| !copy.granted)
    }

    /// The number to show where no record tells one.
    pub(crate) fn newest_granted(&self) -> Option<FencingToken> {
        self.newest
            .filter(|copy| copy.granted)
            .map(|copy| copy.token)
    }
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
    let usable = |stored: Stored<Copy>, path: &Path| match stored {
        Stored::Readable(copy, _) => Ok(Some(copy)),
        Stored::Unreadable(why @ Unreadable::Newer(_)) => Err(Failure::new(
            ErrorKind::Unsupported,
            format!("the token at {} {why}", path.display()),
        )),
        // Damaged is as good as gone: the other copy is as new.
        Stored::Unreadable(Unreadable::Corrupt) | Stored::Missing => Ok(None),
    };
    let file = |path: &Path| usable(read(system, path, TOKEN_BYTES_MAX, Copy::parse)?, path);
    let first = file(&paths.token())?;
    let attribute = lock.map_or(Stored::Missing, attribute);
    let second = file(&paths.second_token())?.max(usable(attribute, &paths.lock())?);
    Ok(Known {
        agreed: first.is_some() && first == second,
        newest: first.max(second),
    })
}

fn attribute(lock: &dyn OpenFile) -> Stored<Copy> {
    let stat = lock.stat().ok();
    match (lock.read_attribute(), stat) {
        (Ok(Some(bytes)), Some(stat)) => match Copy::parse(&bytes) {
            Ok(copy) => Stored::Readable(copy, stat),
            Err(why) => Stored::Unreadable(why),
        },
        // A file system without attributes has the second file in their place.
        _ => Stored::Missing,
    }
}

/// Has both copies say that numbers up to some way above `token` are spent, so that most grants need not write them: adds to what is
/// to be replaced. Whether an attribute of the lock file was written, which is to be synchronised then.
pub(crate) fn reserve(
    known: &Known,
    paths: &Paths,
    lock: &Arc<dyn OpenFile>,
    token: FencingToken,
    replacements: &mut Vec<Replacement>,
) -> Result<bool, Failure> {
    if known.agreed && known.newest_granted() >= Some(token) {
        return Ok(false);
    }
    let spent = token.value().saturating_add(RESERVED);
    let spent = FencingToken::new(spent).unwrap_or(FencingToken::MAX);
    let bytes = Copy {
        granted: true,
        token: known.newest_granted().unwrap_or(spent).max(spent),
    }
    .to_bytes();
    replacements.push(Replacement {
        path: paths.token(),
        bytes: bytes.clone(),
    });
    match lock.write_attribute(&bytes) {
        Ok(()) => Ok(true),
        Err(error) if has_no_attributes(&error) => {
            replacements.push(Replacement {
                path: paths.second_token(),
                bytes,
            });
            Ok(false)
        }
        Err(error) => {
            let doing = "cannot keep the token on";
            Err(Failure::io(doing, &paths.lock(), error))
        }
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

/// What is known about the last token besides the copies.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Last {
    /// The last token itself, where a record can be trusted to tell it.
    pub(crate) exact: Option<FencingToken>,
    /// What no token has exceeded, by the operator's word or our own eyes.
    pub(crate) floor: Option<FencingToken>,
    /// What the record says, trusted or not.
    pub(crate) recorded: Option<FencingToken>,
}

/// The token of the next leadership.
///
/// # Errors
/// When no copy is left: a smaller token than before would break every fenced resource.
pub(crate) fn next(
    known: &Known,
    last: Last,
    floor_given: bool,
    wall: WallTime,
    paths: &Paths,
) -> Result<FencingToken, Failure> {
    let spent = match (last.exact, known.newest) {
        (_, None) if !floor_given => return Err(lost(paths, last.recorded)),
        // The operator vouches for the floor; the wall clock guards against one that was guessed too low.
        (_, None) => FencingToken::new(wall.unix_micros()),
        (Some(exact), Some(_)) => Some(exact),
        (None, Some(copy)) => Some(copy.token),
    };
    let spent = spent.max(last.recorded).max(last.floor);
    spent.and_then(FencingToken::next).ok_or_else(|| {
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
            "look for the largest one in the logs and in what it protects, and give 0 if the lock was never used"
                .into()
        }
    };
    Failure::new(
        ErrorKind::Corrupt,
        format!(
            "both copies of the newest fencing token are gone, from {} and from the lock file, though the lock is not new: \
             give a number that no token has exceeded as the token floor (`--token-floor N`, `token_floor`); {hint}",
            paths.token().display()
        ),
    )
}

/// Whether Camel has used this lock: then a lock file without a token of ours is no loss.
pub(crate) fn camel_was_here(system: &dyn System, paths: &Paths) -> Result<bool, Failure> {
    let path = paths.camel();
    let stat = system.stat(&path).map_err(doing("cannot look at", &path))?;
    Ok(stat.is_some())
}
