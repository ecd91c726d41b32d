//! The outer form of every small file here: a first line with what it is and its version, named fields, a checksum at the end.

use std::collections::BTreeMap;
use std::fmt::{self, Write as _};

/// The only version there is.
const VERSION: u32 = 1;

/// Why stored bytes cannot be used.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Unreadable {
    /// Torn, damaged, or not ours.
    Corrupt,
    /// Written by a later version of this library.
    Newer(u32),
}

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Corrupt => f.write_str("is torn or damaged"),
            Self::Newer(version) => write!(
                f,
                "has format {version}, which is newer than the {VERSION} known here: upgrade this program"
            ),
        }
    }
}

/// A file under construction.
#[derive(Debug)]
pub(crate) struct Sealer(String);

impl Sealer {
    /// A `what`, such as `record`.
    pub(crate) fn new(what: &str) -> Self {
        Self(format!("tenure-{what} {VERSION}\n"))
    }

    /// Adds a field. Neither name nor value has a line break, and the name no space.
    pub(crate) fn field(mut self, name: &str, value: impl fmt::Display) -> Self {
        writeln!(self.0, "{name} {value}").expect("writing to a string cannot fail");
        self
    }

    /// Adds a field where there is a value.
    pub(crate) fn optional(self, name: &str, value: Option<impl fmt::Display>) -> Self {
        match value {
            Some(value) => self.field(name, value),
            None => self,
        }
    }

    /// The bytes, with their checksum.
    pub(crate) fn seal(self) -> Vec<u8> {
        let checksum = crc32fast::hash(self.0.as_bytes());
        let mut bytes = self.0.into_bytes();
        bytes.extend_from_slice(format!("checksum {checksum:08x}\n").as_bytes());
        bytes
    }
}

/// The fields of a file whose checksum was right.
#[derive(Debug)]
pub(crate) struct Fields<'a>(BTreeMap<&'a str, &'a str>);

impl<'a> Fields<'a> {
    /// Reads a `what`.
    pub(crate) fn unseal(what: &str, bytes: &'a [u8]) -> Result<Self, Unreadable> {
        let text = std::str::from_utf8(bytes).map_err(|_| Unreadable::Corrupt)?;
        let (first, _) = text.split_once('\n').ok_or(Unreadable::Corrupt)?;
        // Looked at first: nothing else of a newer format is known.
        let version: u32 = first
            .strip_prefix("tenure-")
            .and_then(|rest| rest.strip_prefix(what)?.strip_prefix(' '))
            .and_then(|version| version.parse().ok())
            .ok_or(Unreadable::Corrupt)?;
        if version > VERSION {
            return Err(Unreadable::Newer(version));
        }
        let body = text.strip_suffix('\n').ok_or(Unreadable::Corrupt)?;
        let (_, checksum) = body.rsplit_once("\nchecksum ").ok_or(Unreadable::Corrupt)?;
        let sealed = &text[..text.len() - "checksum \n".len() - checksum.len()];
        if checksum != format!("{:08x}", crc32fast::hash(sealed.as_bytes())) {
            return Err(Unreadable::Corrupt);
        }
        let fields = sealed
            .lines()
            .skip(1)
            .map(|line| line.split_once(' ').ok_or(Unreadable::Corrupt));
        fields.collect::<Result<_, _>>().map(Self)
    }

    /// A field's text, where it is there.
    pub(crate) fn text(&self, name: &str) -> Option<&'a str> {
        self.0.get(name).copied()
    }

    /// A field's value, which `read` must understand where it is there.
    pub(crate) fn optional<T>(
        &self,
        name: &str,
        read: impl FnOnce(&'a str) -> Option<T>,
    ) -> Result<Option<T>, Unreadable> {
        let value = self
            .text(name)
            .map(|text| read(text).ok_or(Unreadable::Corrupt));
        value.transpose()
    }

    /// A field's value, which must be there.
    pub(crate) fn value<T>(
        &self,
        name: &str,
        read: impl FnOnce(&'a str) -> Option<T>,
    ) -> Result<T, Unreadable> {
        self.optional(name, read)?.ok_or(Unreadable::Corrupt)
    }

    /// A whole number, which must be there.
    pub(crate) fn number(&self, name: &str) -> Result<u64, Unreadable> {
        self.value(name, |text| text.parse().ok())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_changed_or_missing_byte_is_noticed() {
        let sealed = Sealer::new("test")
            .field("token", 17)
            .field("note", "aa")
            .seal();
        assert_eq!(
            Fields::unseal("test", &sealed).unwrap().number("token"),
            Ok(17)
        );
        for at in 0..sealed.len() {
            assert!(
                Fields::unseal("test", &sealed[..at]).is_err(),
                "cut at {at}"
            );
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            assert!(Fields::unseal("test", &changed).is_err(), "changed at {at}");
        }
    }

    #[test]
    fn a_newer_format_is_told_apart_from_damage() {
        let newer = b"tenure-test 2\nanything at all";
        assert_eq!(
            Fields::unseal("test", newer).unwrap_err(),
            Unreadable::Newer(2)
        );
        assert_eq!(
            Fields::unseal("test", b"\0\0\0").unwrap_err(),
            Unreadable::Corrupt
        );
        assert_eq!(
            Fields::unseal("test", b"").unwrap_err(),
            Unreadable::Corrupt
        );
    }
}
