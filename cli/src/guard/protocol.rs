//! What the program and the guard say to each other over their socket.

use std::ffi::{OsStr, OsString};

use super::Deadline;
use super::wire::{Malformed, Message, Reader, Writer};

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
    use std::os::unix::ffi::OsStringExt;

    use tenure::time::{Nanos, Reading};

    use super::super::wire::{Inbox, MESSAGE_BYTES_MAX, encode};
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
