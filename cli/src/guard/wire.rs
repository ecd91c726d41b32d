//! How messages cross the socket: a length, then the message's parts one after another.

use std::ffi::{OsStr, OsString};
use std::fmt;
use std::os::unix::ffi::{OsStrExt, OsStringExt};

use tenure::time::{Nanos, Reading};

use super::Deadline;

/// The most bytes of one message: more than any command line and environment that Linux starts a process with.
pub const MESSAGE_BYTES_MAX: usize = 8 << 20;

/// Bytes that are not a message of this protocol.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Malformed;

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the program and its guard do not understand each other")
    }
}

impl std::error::Error for Malformed {}

/// A message that can cross the socket.
pub trait Message: Sized {
    /// Writes the message without its length.
    fn write(&self, out: &mut Writer);
    /// Reads a message back, all of it.
    fn read(bytes: &mut Reader<'_>) -> Result<Self, Malformed>;
}

/// The message with its length in front, ready to be sent.
///
/// # Errors
/// When it has more than [`MESSAGE_BYTES_MAX`] bytes.
pub fn encode(message: &impl Message) -> Result<Vec<u8>, Malformed> {
    let mut out = Writer(vec![0; 4]);
    message.write(&mut out);
    let length = out.0.len() - 4;
    if length > MESSAGE_BYTES_MAX {
        return Err(Malformed);
    }
    let length = u32::try_from(length).map_err(|_| Malformed)?;
    out.0[..4].copy_from_slice(&length.to_le_bytes());
    Ok(out.0)
}

/// Bytes as they arrive, cut into messages.
#[derive(Debug, Default)]
pub struct Inbox(Vec<u8>);

impl Inbox {
    /// Adds bytes that arrived.
    pub fn push(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
    }

    /// The next whole message, if there is one.
    ///
    /// # Errors
    /// When the bytes are no message; nothing that follows can be trusted then.
    pub fn take<M: Message>(&mut self) -> Result<Option<M>, Malformed> {
        let Some((head, rest)) = self.0.split_first_chunk::<4>() else {
            return Ok(None);
        };
        let length = usize::try_from(u32::from_le_bytes(*head)).map_err(|_| Malformed)?;
        if length > MESSAGE_BYTES_MAX {
            return Err(Malformed);
        }
        let Some(body) = rest.get(..length) else {
            return Ok(None);
        };
        let mut reader = Reader(body);
        let message = M::read(&mut reader)?;
        if !reader.0.is_empty() {
            return Err(Malformed);
        }
        self.0.drain(..4 + length);
        Ok(Some(message))
    }
}

/// Writes the parts of a message.
#[derive(Debug)]
pub struct Writer(Vec<u8>);

impl Writer {
    pub(super) fn tag(&mut self, tag: u8) {
        self.0.push(tag);
    }

    pub(super) fn i32(&mut self, value: i32) {
        self.0.extend_from_slice(&value.to_le_bytes());
    }

    pub(super) fn nanos(&mut self, value: Nanos) {
        self.0.extend_from_slice(&value.get().to_le_bytes());
    }

    pub(super) fn text(&mut self, text: &OsStr) {
        let bytes = text.as_bytes();
        self.count(bytes.len());
        self.0.extend_from_slice(bytes);
    }

    /// A count that does not fit also makes the message too long, so that it is refused.
    pub(super) fn count(&mut self, count: usize) {
        let count = u32::try_from(count).unwrap_or(u32::MAX);
        self.0.extend_from_slice(&count.to_le_bytes());
    }

    pub(super) fn deadline(&mut self, deadline: &Deadline) {
        self.nanos(deadline.from.boottime);
        self.nanos(deadline.from.raw);
        self.nanos(deadline.validity);
        self.nanos(deadline.grace);
    }
}

/// Reads the parts of a message.
#[derive(Debug)]
pub struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn bytes(&mut self, count: usize) -> Result<&'a [u8], Malformed> {
        let (part, rest) = self.0.split_at_checked(count).ok_or(Malformed)?;
        self.0 = rest;
        Ok(part)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Malformed> {
        let (part, rest) = self.0.split_first_chunk::<N>().ok_or(Malformed)?;
        self.0 = rest;
        Ok(*part)
    }

    pub(super) fn tag(&mut self) -> Result<u8, Malformed> {
        self.array::<1>().map(|[tag]| tag)
    }

    pub(super) fn i32(&mut self) -> Result<i32, Malformed> {
        self.array().map(i32::from_le_bytes)
    }

    pub(super) fn nanos(&mut self) -> Result<Nanos, Malformed> {
        self.array().map(u64::from_le_bytes).map(Nanos::new)
    }

    pub(super) fn count(&mut self) -> Result<usize, Malformed> {
        let count = u32::from_le_bytes(self.array()?);
        usize::try_from(count).map_err(|_| Malformed)
    }

    pub(super) fn text(&mut self) -> Result<OsString, Malformed> {
        let length = self.count()?;
        Ok(OsString::from_vec(self.bytes(length)?.to_vec()))
    }

    pub(super) fn deadline(&mut self) -> Result<Deadline, Malformed> {
        Ok(Deadline {
            from: Reading {
                boottime: self.nanos()?,
                raw: self.nanos()?,
            },
            validity: self.nanos()?,
            grace: self.nanos()?,
        })
    }
}
