use std::fmt;

/// What the program exits with when something other than its command decides it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Exit {
    /// All is well.
    Success,
    /// Somebody else has the lock, and `--try` or `--wait` said not to wait any longer.
    Conflict(u8),
    /// The command line is wrong (`EX_USAGE` of sysexits.h).
    Usage,
    /// The lock cannot be used, or does not answer (`EX_UNAVAILABLE`).
    Unavailable,
    /// The command could not be guarded, or the program itself failed (`EX_SOFTWARE`).
    Failed,
    /// A signal ended the program: 128 and its number.
    Signal(i32),
}

impl Exit {
    pub(crate) fn status(self) -> u8 {
        match self {
            Self::Success => 0,
            Self::Conflict(status) => status,
            Self::Usage => 64,
            Self::Unavailable => 69,
            Self::Failed => 70,
            Self::Signal(signal) => u8::try_from(128 + signal).unwrap_or(u8::MAX),
        }
    }
}

/// Why the program ends without having done what it was asked, in one line that says what to do.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) exit: Exit,
    message: String,
}

impl Failure {
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self {
            exit: Exit::Usage,
            message: message.into(),
        }
    }

    /// What the command line says cannot be used.
    pub(crate) fn usage_of(message: impl fmt::Display) -> Self {
        Self::usage(message.to_string())
    }

    pub(crate) fn unavailable(message: impl fmt::Display) -> Self {
        Self {
            exit: Exit::Unavailable,
            message: message.to_string(),
        }
    }

    pub(crate) fn failed(message: impl fmt::Display) -> Self {
        Self {
            exit: Exit::Failed,
            message: message.to_string(),
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

/// A line could not be written: nobody reads any more, which is the reader's wish, or the disk is full.
impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        if error.kind() == std::io::ErrorKind::BrokenPipe {
            // What a program is killed by that does not handle it: SIGPIPE.
            return Self {
                exit: Exit::Signal(13),
                message: "nobody reads the output".to_owned(),
            };
        }
        Self::failed(format!("the output cannot be written: {error}"))
    }
}
