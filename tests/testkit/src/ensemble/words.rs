//! ZooKeeper's words of four letters, and how their answers are read.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

/// What a server is in its ensemble.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Mode {
    /// Its writes are the ensemble's.
    Leader,
    /// It follows a leader.
    Follower,
    /// It is the only one.
    Standalone,
}

/// A connection as a server sees it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Connection {
    /// Its session.
    pub session: i64,
    /// How many packets came from the client: requests, pings among them.
    pub received: u64,
    /// How many went to it.
    pub sent: u64,
    /// The session's timeout.
    pub timeout: Duration,
    /// The last operation, such as `PING`.
    pub last_operation: String,
}

/// What the server at `port` answers to `word`; none if nothing is heard within half a second.
pub(crate) fn ask(port: u16, word: &str) -> Option<String> {
    let limit = Some(Duration::from_millis(500));
    let mut stream = TcpStream::connect(("127.0.0.1", port)).ok()?;
    stream.set_read_timeout(limit).ok()?;
    stream.write_all(word.as_bytes()).ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    Some(answer)
}

/// A server that has lost its quorum says something else.
pub(crate) fn mode(answer: &str) -> Option<Mode> {
    let mut lines = answer.lines();
    match lines.find_map(|line| line.strip_prefix("Mode: "))? {
        "leader" => Some(Mode::Leader),
        "follower" => Some(Mode::Follower),
        "standalone" => Some(Mode::Standalone),
        _ => None,
    }
}

/// The connections that have a session: ` /127.0.0.1:4[1](queued=0,recved=7,sent=7,sid=0x1…,lop=PING,…,to=4000,…)`.
pub(crate) fn connections(answer: &str) -> Vec<Connection> {
    answer.lines().filter_map(connection).collect()
}

fn connection(line: &str) -> Option<Connection> {
    let (_, fields) = line.trim().strip_suffix(')')?.split_once('(')?;
    let field = |wanted: &str| {
        let mut fields = fields.split(',').filter_map(|field| field.split_once('='));
        fields
            .find(|(name, _)| *name == wanted)
            .map(|(_, value)| value)
    };
    let session = field("sid")?.strip_prefix("0x")?;
    let number = |name| field(name)?.parse().ok();
    Some(Connection {
        // The number of the server is in its highest bits.
        session: u64::from_str_radix(session, 16).ok()?.cast_signed(),
        received: number("recved")?,
        sent: number("sent")?,
        timeout: Duration::from_millis(number("to")?),
        last_operation: field("lop")?.to_owned(),
    })
}

#[test]
fn a_connection_is_read_and_one_without_a_session_is_not() {
    let answer = " /127.0.0.1:5[0](queued=0,recved=1,sent=0)\n /127.0.0.1:4[1](queued=0,recved=7,sent=6,sid=0xf0000000000000a1,lop=PING,est=1,to=4000,lcxid=0x0)\n\n";
    let read = connections(answer);
    assert_eq!(read.len(), 1);
    assert_eq!(
        read[0].session,
        i64::from_be_bytes([0xf0, 0, 0, 0, 0, 0, 0, 0xa1])
    );
    assert_eq!((read[0].received, read[0].sent), (7, 6));
    assert_eq!(read[0].timeout, Duration::from_secs(4));
    assert_eq!(read[0].last_operation, "PING");
}

#[test]
fn a_server_without_a_quorum_has_no_mode() {
    assert_eq!(mode("Zxid: 0x0\nMode: follower\n"), Some(Mode::Follower));
    assert_eq!(
        mode("This ZooKeeper instance is not currently serving requests\n"),
        None
    );
}
