use std::fmt;
use std::process::ExitCode;

/// Something was found: a violation, a mark that is missing, a planted mistake that was not caught.
pub(crate) const FOUND: u8 = 1;
/// The command line, or a file that it names, cannot be used.
const USAGE: u8 = 2;
/// What a program is killed by that does not handle it: 128 and the number of SIGPIPE.
const NOBODY_READS: u8 = 128 + 13;
/// 128 and the number of SIGINT.
pub(crate) const INTERRUPTED: u8 = 128 + 2;

/// Why the program ends without having done what it was asked, in one line that says what to do.
#[derive(PartialEq, Eq, Debug)]
pub(crate) struct Failure {
    status: u8,
    message: String,
}

impl Failure {
    pub(crate) fn usage(message: impl fmt::Display) -> Self {
        Self {
            status: USAGE,
            message: message.to_string(),
        }
    }

    /// Tells nothing to those who have gone.
    pub(crate) fn tell(&self) -> ExitCode {
        if self.status != NOBODY_READS {
            super::output::complain(&self.message);
        }
        ExitCode::from(self.status)
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
        let status = match error.kind() {
            std::io::ErrorKind::BrokenPipe => NOBODY_READS,
            _ => FOUND,
        };
        Self {
            status,
            message: format!("the output cannot be written: {error}"),
        }
    }
}
