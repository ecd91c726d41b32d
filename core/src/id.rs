//! Names and numbers that identify elections, candidates, locks and leaderships.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

/// The most bytes that an election's or a candidate's name may have.
///
/// Leaves room for `_` and an incarnation (33 bytes) within the 255 bytes that Linux file systems allow.
pub const NAME_BYTES_MAX: usize = 200;

/// A name that cannot be used, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NameError {
    what: &'static str,
    name: String,
    problem: String,
}

impl NameError {
    /// Says that `name`, which was to be used as a `what`, has this `problem`.
    pub fn new(what: &'static str, name: &str, problem: impl Into<String>) -> Self {
        Self {
            what,
            name: name.chars().take(80).collect(),
            problem: problem.into(),
        }
    }
}

impl fmt::Display for NameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {:?} {}", self.what, self.name, self.problem)
    }
}

impl std::error::Error for NameError {}

fn checked(what: &'static str, name: &str) -> Result<Arc<str>, NameError> {
    let problem = if name.is_empty() {
        "is empty: give it at least one character".to_owned()
    } else if name.len() > NAME_BYTES_MAX {
        format!(
            "has {} bytes: shorten it to at most {NAME_BYTES_MAX}",
            name.len()
        )
    } else if let Some(bad) = name.chars().find(|c| c.is_control() || *c == '/') {
        format!("contains {bad:?}: leave it out")
    } else if name == "." || name == ".." {
        "names a directory: choose another".to_owned()
    } else {
        return Ok(Arc::from(name));
    };
    Err(NameError::new(what, name, problem))
}

/// The name of an election: one named contest for one lock.
///
/// 1 to [`NAME_BYTES_MAX`] bytes of UTF-8 without control characters and `/`. A backend may allow less.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ElectionName(Arc<str>);

impl ElectionName {
    /// Checks `name`.
    ///
    /// # Errors
    /// When the name is empty, too long, or has a character that is not allowed.
    pub fn new(name: &str) -> Result<Self, NameError> {
        checked("election name", name).map(Self)
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The name of a candidate, such as its pod's. Need not be unique: the [`Incarnation`] is.
///
/// 1 to [`NAME_BYTES_MAX`] bytes of UTF-8 without control characters and `/`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CandidateName(Arc<str>);

impl CandidateName {
    /// Checks `name`.
    ///
    /// # Errors
    /// When the name is empty, too long, or has a character that is not allowed.
    pub fn new(name: &str) -> Result<Self, NameError> {
        checked("candidate name", name).map(Self)
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

macro_rules! text {
    ($($type:ty),*) => {$(
        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Debug::fmt(&*self.0, f)
            }
        }

        impl FromStr for $type {
            type Err = NameError;

            fn from_str(name: &str) -> Result<Self, NameError> {
                Self::new(name)
            }
        }
    )*};
}

text!(ElectionName, CandidateName);

/// One start of one elector: 128 random bits, never reused. Written as 32 lower-case hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Incarnation(u128);

impl Incarnation {
    /// An incarnation with these bits.
    pub const fn from_bits(bits: u128) -> Self {
        Self(bits)
    }

    /// The 128 bits.
    pub const fn to_bits(self) -> u128 {
        self.0
    }

    /// Reads exactly 32 lower-case hexadecimal digits; anything else is not an incarnation.
    pub fn parse(text: &str) -> Option<Self> {
        let digits = text.len() == 32
            && text
                .bytes()
                .all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
        if digits {
            u128::from_str_radix(text, 16).ok().map(Self)
        } else {
            None
        }
    }
}

impl fmt::Display for Incarnation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

impl fmt::Debug for Incarnation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A candidate: its name and its incarnation. Written as `<name>_<incarnation>`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CandidateId {
    /// What people call it; several candidates may have the same name.
    pub name: CandidateName,
    /// What makes it unique.
    pub incarnation: Incarnation,
}

impl fmt::Display for CandidateId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}_{}", self.name, self.incarnation)
    }
}

impl fmt::Debug for CandidateId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A number that grows strictly from one leadership of an election to the next, also over deletion of the lock.
///
/// At most [`FencingToken::MAX`], so that it fits a signed 64-bit column of a database.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct FencingToken(u64);

impl FencingToken {
    /// The largest token: 2⁶³ − 1.
    pub const MAX: Self = Self(i64::MAX.unsigned_abs());

    /// A token of this value, or nothing when it is larger than [`FencingToken::MAX`].
    pub const fn new(value: u64) -> Option<Self> {
        if value <= Self::MAX.0 {
            Some(Self(value))
        } else {
            None
        }
    }

    /// The number.
    pub const fn value(self) -> u64 {
        self.0
    }

    /// The token that follows, or nothing after [`FencingToken::MAX`].
    pub const fn next(self) -> Option<Self> {
        Self::new(self.0 + 1)
    }
}

impl fmt::Display for FencingToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl FromStr for FencingToken {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        text.parse().ok().and_then(Self::new).ok_or_else(|| {
            NameError::new(
                "token",
                text,
                format!("is not a whole number up to {}", Self::MAX),
            )
        })
    }
}

/// A number of one write of one elector: larger than that of its last write, so that a later read can prove the write happened.
///
/// By convention the writer's wall clock in microseconds, or the last nonce plus one where that is larger; it is compared for
/// equality only.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Nonce(pub u64);

/// The version of a lock's record: grows with every write to it, whoever writes, and is what a compare-and-swap compares.
///
/// Versions of one election are ordered; a smaller one is an older observation.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Version(pub u64);

/// Which object the lock is: a Lease's uid, a lock file's inode, a node's creation. Another object under the same name has another identity.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Identity(pub u128);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_cannot_be_used_say_what_to_change() {
        for (name, says) in [
            ("", "is empty"),
            ("a/b", "contains '/'"),
            ("a\0b", "contains '\\0'"),
            ("..", "names a directory"),
            (&"x".repeat(201), "shorten it to at most 200"),
        ] {
            let error = ElectionName::new(name).unwrap_err().to_string();
            assert!(error.contains(says), "{error}");
        }
        assert_eq!(ElectionName::new("nightly").unwrap().as_str(), "nightly");
    }

    #[test]
    fn an_incarnation_reads_back_what_it_writes_and_nothing_else() {
        let incarnation = Incarnation::from_bits(0xab);
        assert_eq!(
            Incarnation::parse(&incarnation.to_string()),
            Some(incarnation)
        );
        for text in [
            "",
            "ab",
            "000000000000000000000000000000AB",
            "+00000000000000000000000000000ab",
        ] {
            assert_eq!(Incarnation::parse(text), None, "{text}");
        }
    }

    #[test]
    fn a_token_fits_a_signed_column() {
        assert_eq!(FencingToken::new(u64::MAX), None);
        assert_eq!(FencingToken::MAX.next(), None);
        assert!("9223372036854775808".parse::<FencingToken>().is_err());
    }
}
