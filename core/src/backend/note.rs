use std::fmt;
use std::sync::Arc;

/// A small piece of data that a leader keeps in the lock: at most [`Note::BYTES_MAX`] bytes.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Note(Arc<[u8]>);

/// A note of more than [`Note::BYTES_MAX`] bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct NoteTooLarge {
    /// How many bytes it has.
    pub bytes: usize,
}

impl fmt::Display for NoteTooLarge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "a note of {} bytes does not fit: keep it to {}",
            self.bytes,
            Note::BYTES_MAX
        )
    }
}

impl std::error::Error for NoteTooLarge {}

impl Note {
    /// The most bytes a note may have.
    pub const BYTES_MAX: usize = 1024;

    /// A note of these bytes.
    ///
    /// # Errors
    /// When there are more than [`Note::BYTES_MAX`].
    pub fn new(bytes: &[u8]) -> Result<Self, NoteTooLarge> {
        if bytes.len() > Self::BYTES_MAX {
            return Err(NoteTooLarge { bytes: bytes.len() });
        }
        Ok(Self(Arc::from(bytes)))
    }

    /// The bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Note({})", self.0.escape_ascii())
    }
}
