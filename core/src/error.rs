//! What can go wrong at a backend, and what is known about its effect.

use std::fmt;
use std::time::Duration;

/// Whether a failed write may have happened all the same.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Effect {
    /// The write did not happen and will not.
    NotApplied,
    /// The write may have happened, or may still happen at any later time.
    Unknown,
}

/// What kind of failure it is: what an elector or a program decides by.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The stored record cannot be understood.
    Corrupt,
    /// What was asked for cannot work, whoever asks and however often.
    InvalidInput,
    /// A limit of the backend or of the machine is exhausted: descriptors, space, sequence numbers.
    Exhausted,
    /// The backend panicked.
    Panicked,
    /// The caller has not the rights that the operation needs.
    PermissionDenied,
    /// The backend asks for fewer requests.
    Throttled {
        /// How long it asks to wait, where it says so.
        retry_after: Option<Duration>,
    },
    /// No answer came in time.
    Timeout,
    /// The caller is not who it says, or its credentials have expired.
    Unauthenticated,
    /// The backend cannot be reached or cannot answer now.
    Unavailable,
    /// The backend has no such operation.
    Unsupported,
}

impl ErrorKind {
    fn says(self) -> &'static str {
        match self {
            Self::Corrupt => "unreadable record",
            Self::Exhausted => "limit reached",
            Self::InvalidInput => "invalid input",
            Self::Panicked => "panicked",
            Self::PermissionDenied => "permission denied",
            Self::Throttled { .. } => "throttled",
            Self::Timeout => "no answer in time",
            Self::Unauthenticated => "not authenticated",
            Self::Unavailable => "unavailable",
            Self::Unsupported => "not supported",
        }
    }
}

/// A failure of one operation of a backend.
///
/// Its text is one line for people: operation, backend, kind, what exactly and what to do. The text is not specified; decide by
/// [`Error::kind`] and [`Error::effect`].
pub struct Error {
    backend: &'static str,
    detail: String,
    effect: Effect,
    kind: ErrorKind,
    operation: &'static str,
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl Error {
    /// A failure of `operation` at `backend`; `detail` says what exactly, and what to do where there is something to do.
    pub fn new(
        kind: ErrorKind,
        effect: Effect,
        operation: &'static str,
        backend: &'static str,
        detail: impl Into<String>,
    ) -> Self {
        Self {
            backend,
            detail: detail.into(),
            effect,
            kind,
            operation,
            source: None,
        }
    }

    /// Adds the failure that caused this one.
    #[must_use]
    pub fn with_source(
        mut self,
        source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Self {
        self.source = Some(source.into());
        self
    }

    /// What kind of failure it is.
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// Whether the operation may have happened all the same.
    pub fn effect(&self) -> Effect {
        self.effect
    }

    /// The operation that failed, such as `renew`.
    pub fn operation(&self) -> &'static str {
        self.operation
    }

    /// The backend that failed, such as `file`.
    pub fn backend(&self) -> &'static str {
        self.backend
    }

    /// What exactly failed and what to do, without operation and kind.
    pub fn detail(&self) -> &str {
        &self.detail
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} on the {} backend: {}",
            self.operation,
            self.backend,
            self.kind.says()
        )?;
        if !self.detail.is_empty() {
            write!(f, ": {}", self.detail)?;
        }
        if self.effect == Effect::Unknown {
            f.write_str(" (it may have happened all the same)")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Error")
            .field("kind", &self.kind)
            .field("effect", &self.effect)
            .field("operation", &self.operation)
            .field("backend", &self.backend)
            .field("detail", &self.detail)
            .field("source", &self.source)
            .finish()
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}
