//! What the program and the guard say to each other over their socket.

use std::ffi::{OsStr, OsString};
use std::fmt;
use std::os::unix::ffi::{OsStrExt, OsStringExt};

use tenure::time::{Nanos, Reading};

use super::Deadline;

/// The most bytes of one message: more than any command line and environment that Linux starts a process with.
pub const MESSAGE_BYTES_MAX: usize = 8 << 20;

/// What the program tells its guard.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Order {
    /// A leadership has begun. The descriptor that comes with it is the lock, if there is one.
    Watch(Deadline, SilentProgram),
    /// Starts a job, when none is there. The descriptor that comes with it is the job's standard input.
    Start(Start),
    /// The hold was confirmed again.
    Extend(Deadline),
    /// Passes a signal on to the job.
    Signal(i32),
    /// Asks the job to stop, with this signal, unless it has been asked already.
    Stop(i32),
    /// Ends the job and all its descendants now.
    Kill,
}

/// The job to start.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Start {
    /// The program and its arguments.
    pub command: Vec<OsString>,
    /// Variables that the job gets beside those that the program has.
    pub environment: Vec<(OsString, OsString)>,
}

/// What becomes of a program that is stopped or hangs past its deadline, once nothing of its job is left.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SilentProgram {
    /// It is left alone: others can take the lock when its record has aged.
    Leave,
    /// It is ended: it has a lock that the kernel frees only with the process.
    End,
}

/// What the guard tells the program.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Report {
    /// The guard watches over the leadership.
    Ready,
    /// The job runs as this process.
    Started(i32),
    /// The job itself has ended; descendants may still be there.
    Ended(End),
    /// Neither the job nor any descendant of it is left.
    Gone(Cause),
    /// The guard does not watch, or has not started the job, and why.
    Refused(String),
}

/// How a process ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum End {
    /// With this exit status.
    Exited(i32),
    /// By this signal.
    Signaled(i32),
}

/// Why nothing of the job is left.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Cause {
    /// The job ended, by itself or when it was asked to stop.
    Ended,
    /// The program ordered it to be killed.
    Ordered,
    /// The deadline and the grace after it had passed.
    Expired,
}

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
    fn tag(&mut self, tag: u8) {
        self.0.push(tag);
    }

    fn i32(&mut self, value: i32) {
        self.0.extend_from_slice(&value.to_le_bytes());
    }

    fn nanos(&mut self, value: Nanos) {
        self.0.extend_from_slice(&value.get().to_le_bytes());
    }

    fn text(&mut self, text: &OsStr) {
        let bytes = text.as_bytes();
        self.count(bytes.len());
        self.0.extend_from_slice(bytes);
    }

    /// A count that does not fit also makes the message too long, so that it is refused.
    fn count(&mut self, count: usize) {
        let count = u32::try_from(count).unwrap_or(u32::MAX);
        self.0.extend_from_slice(&count.to_le_bytes());
    }

    fn deadline(&mut self, deadline: &Deadline) {
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

    fn tag(&mut self) -> Result<u8, Malformed> {
        self.array::<1>().map(|[tag]| tag)
    }

    fn i32(&mut self) -> Result<i32, Malformed> {
        self.array().map(i32::from_le_bytes)
    }

    fn nanos(&mut self) -> Result<Nanos, Malformed> {
        self.array().map(u64::from_le_bytes).map(Nanos::new)
    }

    fn count(&mut self) -> Result<usize, Malformed> {
        let count = u32::from_le_bytes(self.array()?);
        usize::try_from(count).map_err(|_| Malformed)
    }

    fn text(&mut self) -> Result<OsString, Malformed> {
        let length = self.count()?;
        Ok(OsString::from_vec(self.bytes(length)?.to_vec()))
    }

    fn deadline(&mut self) -> Result<Deadline, Malformed> {
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

impl Message for Order {
    fn write(&self, out: &mut Writer) {
        match self {
            Self::Start(start) => {
                out.tag(0);
                start.write(out);
            }
            Self::Extend(deadline) => {
                out.tag(1);
                out.deadline(deadline);
            }
            Self::Signal(signal) => {
                out.tag(2);
                out.i32(*signal);
            }
            Self::Stop(signal) => {
                out.tag(3);
                out.i32(*signal);
            }
            Self::Kill => out.tag(4),
            Self::Watch(deadline, silent) => {
                out.tag(5);
                out.deadline(deadline);
                out.tag(match silent {
                    SilentProgram::Leave => 0,
                    SilentProgram::End => 1,
                });
            }
        }
    }

    fn read(bytes: &mut Reader<'_>) -> Result<Self, Malformed> {
        Ok(match bytes.tag()? {
            0 => Self::Start(Start::read(bytes)?),
            1 => Self::Extend(bytes.deadline()?),
            2 => Self::Signal(bytes.i32()?),
            3 => Self::Stop(bytes.i32()?),
            4 => Self::Kill,
            5 => {
                let deadline = bytes.deadline()?;
                let silent = match bytes.tag()? {
                    0 => SilentProgram::Leave,
                    1 => SilentProgram::End,
                    _ => return Err(Malformed),
                };
                Self::Watch(deadline, silent)
            }
            _ => return Err(Malformed),
        })
    }
}

impl Message for Start {
    fn write(&self, out: &mut Writer) {
        out.count(self.command.len());
        for word in &self.command {
            out.text(word);
        }
        out.count(self.environment.len());
        for (name, value) in &self.environment {
            out.text(name);
            out.text(value);
        }
    }

    fn read(bytes: &mut Reader<'_>) -> Result<Self, Malformed> {
        // Each element takes at least four bytes, so a count cannot make this loop longer than the message.
        let mut command = Vec::new();
        for _ in 0..bytes.count()? {
            command.push(bytes.text()?);
        }
        let mut environment = Vec::new();
        for _ in 0..bytes.count()? {
            environment.push((bytes.text()?, bytes.text()?));
        }
        Ok(Self {
            command,
            environment,
        })
    }
}

impl Message for Report {
    fn write(&self, out: &mut Writer) {
        match self {
            Self::Started(pid) => {
                out.tag(0);
                out.i32(*pid);
            }
            Self::Ended(End::Exited(status)) => {
                out.tag(1);
                out.i32(*status);
            }
            Self::Ended(End::Signaled(signal)) => {
                out.tag(2);
                out.i32(*signal);
            }
            Self::Gone(cause) => {
                out.tag(3);
                out.tag(match cause {
                    Cause::Ended => 0,
                    Cause::Ordered => 1,
                    Cause::Expired => 2,
                });
            }
            Self::Refused(why) => {
                out.tag(4);
                out.text(OsStr::new(why));
            }
            Self::Ready => out.tag(5),
        }
    }

    fn read(bytes: &mut Reader<'_>) -> Result<Self, Malformed> {
        Ok(match bytes.tag()? {
            0 => Self::Started(bytes.i32()?),
            1 => Self::Ended(End::Exited(bytes.i32()?)),
            2 => Self::Ended(End::Signaled(bytes.i32()?)),
            3 => Self::Gone(match bytes.tag()? {
                0 => Cause::Ended,
                1 => Cause::Ordered,
                2 => Cause::Expired,
                _ => return Err(Malformed),
            }),
            4 => Self::Refused(bytes.text()?.to_string_lossy().into_owned()),
            5 => Self::Ready,
            _ => return Err(Malformed),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn deadline() -> Deadline {
        Deadline {
            from: Reading {
                boottime: Nanos::new(7),
                raw: Nanos::new(5),
            },
            validity: Nanos::from_millis(1_500),
            grace: Nanos::from_millis(300),
        }
    }

    fn orders() -> Vec<Order> {
        vec![
            Order::Start(Start {
                command: vec!["sh".into(), OsString::from_vec(vec![0xff, b'x']), "".into()],
                environment: vec![("TENURE_TOKEN".into(), "7".into())],
            }),
            Order::Watch(deadline(), SilentProgram::End),
            Order::Watch(deadline(), SilentProgram::Leave),
            Order::Extend(deadline()),
            Order::Signal(1),
            Order::Stop(15),
            Order::Kill,
        ]
    }

    #[test]
    fn every_order_reads_back_as_it_was_sent_also_byte_by_byte() {
        let mut inbox = Inbox::default();
        for order in orders() {
            let bytes = encode(&order).unwrap();
            for (index, byte) in bytes.iter().enumerate() {
                assert_eq!(inbox.take::<Order>(), Ok(None), "{order:?} at {index}");
                inbox.push(&[*byte]);
            }
            assert_eq!(inbox.take(), Ok(Some(order)));
        }
    }

    #[test]
    fn every_report_reads_back_as_it_was_sent_also_all_at_once() {
        let reports = [
            Report::Ready,
            Report::Started(4711),
            Report::Ended(End::Exited(3)),
            Report::Ended(End::Signaled(9)),
            Report::Gone(Cause::Ended),
            Report::Gone(Cause::Ordered),
            Report::Gone(Cause::Expired),
            Report::Refused("no /proc".to_owned()),
        ];
        let mut inbox = Inbox::default();
        for report in &reports {
            inbox.push(&encode(report).unwrap());
        }
        for report in reports {
            assert_eq!(inbox.take(), Ok(Some(report)));
        }
        assert_eq!(inbox.take::<Report>(), Ok(None));
    }

    #[test]
    fn bytes_that_are_no_message_are_refused() {
        let cut = |order: &Order| {
            let mut bytes = encode(order).unwrap();
            bytes.pop();
            let length = u32::try_from(bytes.len() - 4).unwrap();
            bytes[..4].copy_from_slice(&length.to_le_bytes());
            bytes
        };
        let mut wrong: Vec<Vec<u8>> = orders().iter().map(cut).collect();
        wrong.push(vec![2, 0, 0, 0, 4, 4]);
        wrong.push(vec![1, 0, 0, 0, 77]);
        wrong.push(u32::MAX.to_le_bytes().to_vec());
        for bytes in wrong {
            let mut inbox = Inbox::default();
            inbox.push(&bytes);
            assert_eq!(inbox.take::<Order>(), Err(Malformed), "{bytes:?}");
        }
    }

    #[test]
    fn a_message_over_the_limit_is_not_sent() {
        let order = Order::Start(Start {
            command: vec!["x".repeat(MESSAGE_BYTES_MAX).into()],
            environment: Vec::new(),
        });
        assert_eq!(encode(&order), Err(Malformed));
    }
}
