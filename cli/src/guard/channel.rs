//! The socket between the program and its guard, without blocking.

use std::io::{self, IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::io::Errno;
use rustix::net::{
    AddressFamily, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags, SocketFlags, SocketType, recvmsg, sendmsg, socketpair,
};

use super::wire::{Inbox, MESSAGE_BYTES_MAX, Malformed, Message, encode};

/// The most descriptors that are sent or received at a time.
const DESCRIPTORS_MAX: usize = 2;

/// The most bytes that wait for the other side to read: past that it does not work any more.
const BACKLOG_BYTES_MAX: usize = MESSAGE_BYTES_MAX + (64 << 10);

/// One end of the socket.
#[derive(Debug)]
pub struct Channel<S> {
    descriptors: Vec<OwnedFd>,
    inbox: Inbox,
    outbox: Vec<u8>,
    /// Sent with the next bytes of the outbox.
    outgoing: Vec<OwnedFd>,
    socket: S,
}

/// Whether the other side is still there.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Peer {
    /// It has closed its end, which it does by dying at the latest.
    Gone,
    /// Nothing says that it has gone.
    There,
}

/// A pair of connected sockets that do not block and are not inherited.
///
/// # Errors
/// When no more descriptors can be opened.
pub fn pair() -> io::Result<(OwnedFd, OwnedFd)> {
    Ok(socketpair(
        AddressFamily::UNIX,
        SocketType::STREAM,
        SocketFlags::CLOEXEC | SocketFlags::NONBLOCK,
        None,
    )?)
}

impl<S: AsFd> Channel<S> {
    /// A channel over one end of [`pair`].
    pub fn new(socket: S) -> Self {
        Self {
            descriptors: Vec::new(),
            inbox: Inbox::default(),
            outbox: Vec::new(),
            outgoing: Vec::new(),
            socket,
        }
    }

    /// Sends `message` and `descriptors`, as far as the other side takes them now; the rest is kept for [`Channel::flush`].
    ///
    /// # Errors
    /// When the message is too long, the other side has gone, or it has not read for so long that too much waits.
    pub fn send(&mut self, message: &impl Message, descriptors: Vec<OwnedFd>) -> io::Result<()> {
        let bytes = encode(message).map_err(|_| {
            io::Error::new(
                io::ErrorKind::ArgumentListTooLong,
                "the command and its arguments are too long",
            )
        })?;
        if self.outbox.len() + bytes.len() > BACKLOG_BYTES_MAX {
            return Err(io::Error::new(
                io::ErrorKind::TimedOut,
                "the other side does not read",
            ));
        }
        self.outbox.extend_from_slice(&bytes);
        self.outgoing.extend(descriptors);
        self.flush()
    }

    /// The socket, to wait for.
    pub fn socket(&self) -> &S {
        &self.socket
    }

    /// Whether something waits for the other side to read.
    pub fn wants_to_send(&self) -> bool {
        !self.outbox.is_empty()
    }

    /// Sends what waits, as far as the other side takes it.
    ///
    /// # Errors
    /// When the other side has gone.
    pub fn flush(&mut self) -> io::Result<()> {
        while !self.outbox.is_empty() {
            let borrowed: Vec<BorrowedFd<'_>> = self.outgoing.iter().map(AsFd::as_fd).collect();
            let mut space =
                [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(DESCRIPTORS_MAX))];
            let mut control = SendAncillaryBuffer::new(&mut space);
            if !borrowed.is_empty() {
                control.push(SendAncillaryMessage::ScmRights(&borrowed));
            }
            let bytes = [IoSlice::new(&self.outbox)];
            match sendmsg(&self.socket, &bytes, &mut control, SendFlags::NOSIGNAL) {
                Ok(sent) => {
                    self.outbox.drain(..sent);
                    self.outgoing.clear();
                }
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => return Ok(()),
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    /// Takes in all that has arrived.
    ///
    /// # Errors
    /// When the socket fails in another way than by the other side's going.
    pub fn receive(&mut self) -> io::Result<Peer> {
        let mut bytes = [0; 4096];
        loop {
            let mut space =
                [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(DESCRIPTORS_MAX))];
            let mut control = RecvAncillaryBuffer::new(&mut space);
            let received = recvmsg(
                &self.socket,
                &mut [IoSliceMut::new(&mut bytes)],
                &mut control,
                RecvFlags::CMSG_CLOEXEC,
            );
            let count = match received {
                Ok(received) => received.bytes,
                Err(Errno::INTR) => continue,
                Err(Errno::AGAIN) => return Ok(Peer::There),
                Err(Errno::CONNRESET) => return Ok(Peer::Gone),
                Err(error) => return Err(error.into()),
            };
            for message in control.drain() {
                if let RecvAncillaryMessage::ScmRights(descriptors) = message {
                    self.descriptors.extend(descriptors);
                }
            }
            if count == 0 {
                return Ok(Peer::Gone);
            }
            self.inbox.push(&bytes[..count]);
        }
    }

    /// The next whole message that has arrived.
    ///
    /// # Errors
    /// When what has arrived is no message.
    pub fn take<M: Message>(&mut self) -> Result<Option<M>, Malformed> {
        self.inbox.take()
    }

    /// The descriptors that have arrived, in their order.
    pub fn take_descriptors(&mut self) -> Vec<OwnedFd> {
        std::mem::take(&mut self.descriptors)
    }
}

#[cfg(test)]
mod tests {
    use super::super::protocol::Order;
    use super::*;

    #[test]
    fn descriptors_arrive_with_their_message_and_the_end_is_noticed() {
        let (one, other) = pair().unwrap();
        let (mut here, mut there) = (Channel::new(one), Channel::new(other));
        let (left, right) = pair().unwrap();
        here.send(&Order::Kill, vec![left, right]).unwrap();
        assert_eq!(there.receive().unwrap(), Peer::There);
        assert_eq!(there.take(), Ok(Some(Order::Kill)));
        assert_eq!(there.take_descriptors().len(), 2);
        drop(here);
        assert_eq!(there.receive().unwrap(), Peer::Gone);
    }

    #[test]
    fn a_side_that_does_not_read_is_an_error_and_not_a_growing_queue() {
        let (one, _other) = pair().unwrap();
        let mut here = Channel::new(one);
        let order = Order::Start(super::super::protocol::Start {
            command: vec!["x".repeat(4 << 20).into()],
            environment: Vec::new(),
        });
        let refused = (0..8).find_map(|_| here.send(&order, Vec::new()).err());
        assert_eq!(refused.unwrap().kind(), io::ErrorKind::TimedOut);
        assert!(here.wants_to_send());
    }
}
