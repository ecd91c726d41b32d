//! Sessions that an administrator closes. No tool of ZooKeeper's does it; but a session belongs to whoever knows its password, and the
//! server makes that from the session's number.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

/// `superSecret` of ZooKeeperServer.java.
const SECRET: u64 = 0xB341_5C00;
/// `java.util.Random`.
const MULTIPLIER: u64 = 0x5_DEEC_E66D;
const MASK: u64 = (1 << 48) - 1;

const CLOSE: i32 = -11;
const TRIES_MAX: usize = 20;

/// The password of a session.
pub fn session_password(session: i64) -> [u8; 16] {
    let mut seed = (session.cast_unsigned() ^ SECRET ^ MULTIPLIER) & MASK;
    let mut password = [0; 16];
    for part in password.chunks_mut(4) {
        seed = seed.wrapping_mul(MULTIPLIER).wrapping_add(0xB) & MASK;
        part.copy_from_slice(&(seed >> 16).to_le_bytes()[..4]);
    }
    password
}

/// Closes a session by way of the server at `port`: takes it over and ends it, until it cannot be taken over.
pub(crate) fn close(port: u16, session: i64) -> std::io::Result<()> {
    let mut closed = false;
    for _ in 0..TRIES_MAX {
        match take_over(port, session) {
            Ok(Some(mut stream)) => {
                closed |= end(&mut stream).is_ok();
            }
            Ok(None) if closed => return Ok(()),
            Ok(None) => {
                let why = format!("session {session:#x} is unknown or has ended");
                return Err(std::io::Error::other(why));
            }
            // The session's own client may have taken it back.
            Err(error) if error.kind() == ErrorKind::UnexpectedEof => {}
            Err(error) => return Err(error),
        }
    }
    let why = format!("session {session:#x} cannot be closed: its client comes back each time");
    Err(std::io::Error::other(why))
}

/// A connection that has the session; none if there is no such session.
fn take_over(port: u16, session: i64) -> std::io::Result<Option<TcpStream>> {
    let mut stream = TcpStream::connect(("127.0.0.1", port))?;
    stream.set_read_timeout(Some(Duration::from_secs(30)))?;
    let mut request = Vec::new();
    request.extend(0_i32.to_be_bytes()); // the protocol's version
    request.extend(0_i64.to_be_bytes()); // the last transaction that was seen
    request.extend(30_000_i32.to_be_bytes()); // the timeout, in milliseconds
    request.extend(session.to_be_bytes());
    request.extend(16_i32.to_be_bytes());
    request.extend(session_password(session));
    request.push(0); // not read-only
    write(&mut stream, &request)?;
    let answer = read(&mut stream)?;
    let granted = answer.get(8..16) == Some(&session.to_be_bytes());
    Ok(granted.then_some(stream))
}

/// Asks for the end of the session. The connection ends with it, perhaps before the answer has come.
fn end(stream: &mut TcpStream) -> std::io::Result<()> {
    let number = 1_i32;
    write(
        stream,
        &[number.to_be_bytes(), CLOSE.to_be_bytes()].concat(),
    )?;
    match read(stream) {
        Err(error) if error.kind() != ErrorKind::UnexpectedEof => Err(error),
        _ => Ok(()),
    }
}

fn write(stream: &mut TcpStream, packet: &[u8]) -> std::io::Result<()> {
    let length = u32::try_from(packet.len()).expect("requests are short");
    stream.write_all(&[&length.to_be_bytes(), packet].concat())
}

fn read(stream: &mut TcpStream) -> std::io::Result<Vec<u8>> {
    let mut length = [0; 4];
    stream.read_exact(&mut length)?;
    let length = usize::try_from(u32::from_be_bytes(length)).expect("32 bits fit");
    let mut packet = vec![0; length.min(1 << 20)];
    stream.read_exact(&mut packet)?;
    Ok(packet)
}
