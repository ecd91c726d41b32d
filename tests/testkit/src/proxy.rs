//! A way to a server that a test makes as bad as it likes.

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::wait::pause;

/// How often a direction looks whether it may go on.
const RHYTHM: Duration = Duration::from_millis(2);

/// What becomes of the bytes of one direction.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Flow {
    /// They go on.
    Pass,
    /// They wait, as behind a network that loses everything, and go on when it is healed.
    Hold,
}

/// A proxy of TCP connections on the loopback interface. TLS goes through it untouched.
#[derive(Debug)]
pub struct Proxy {
    port: u16,
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    connections: AtomicU64,
    /// How long a connection may wait for a server that does not listen yet.
    patience: Duration,
    state: Mutex<State>,
    target: u16,
}

#[derive(Debug)]
struct State {
    /// Connections of an older time are closed.
    age: u64,
    closed: bool,
    delay: Duration,
    /// Connections from before the last of these carry nothing more.
    hangs: u64,
    lose_reply: bool,
    lose_request: bool,
    /// A part of the request whose reply is lost.
    lose_reply_to: Option<Vec<u8>>,
    /// A part of the request that is lost.
    lose_request_with: Option<Vec<u8>>,
    /// Whether new connections are refused.
    refuses: bool,
    /// A text that each connection's first bytes from its client may contain, and what the server is to read instead.
    renamed: Option<(Vec<u8>, Vec<u8>)>,
    to_client: Flow,
    to_server: Flow,
}

/// When a connection was made.
#[derive(Clone, Copy)]
struct Made {
    age: u64,
    hangs: u64,
}

/// Where `part` begins in `bytes`.
fn place(bytes: &[u8], part: &[u8]) -> Option<usize> {
    let mut windows = bytes.windows(part.len());
    windows.position(|window| window == part)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    ToClient,
    ToServer,
}

impl Proxy {
    /// A proxy before the server that listens at `target` on the loopback interface.
    ///
    /// # Panics
    /// When no port is to be had.
    pub fn to(target: u16) -> Self {
        Self::patient(target, Duration::ZERO)
    }

    /// One that keeps a connection for so long until the server listens. Who is told that a connection is there, and sees it end at once,
    /// may give up where it would have tried again after a refusal.
    pub(crate) fn patient(target: u16, patience: Duration) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let shared = Arc::new(Shared {
            connections: AtomicU64::new(0),
            patience,
            state: Mutex::new(State {
                age: 0,
                closed: false,
                delay: Duration::ZERO,
                hangs: 0,
                lose_reply: false,
                lose_request: false,
                lose_reply_to: None,
                lose_request_with: None,
                refuses: false,
                renamed: None,
                to_client: Flow::Pass,
                to_server: Flow::Pass,
            }),
            target,
        });
        let accepting = Arc::clone(&shared);
        std::thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                if accepting.state.lock().unwrap().closed {
                    return;
                }
                if accepting.patience.is_zero() {
                    accepting.connect(&client);
                } else {
                    let waiting = Arc::clone(&accepting);
                    std::thread::spawn(move || waiting.connect(&client));
                }
            }
        });
        Self { port, shared }
    }

    /// Where clients connect to.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// How many connections there were.
    pub fn connections(&self) -> u64 {
        self.shared.connections.load(Ordering::Relaxed)
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.shared.state.lock().unwrap());
    }

    /// What becomes of requests and of replies.
    pub fn flow(&self, to_server: Flow, to_client: Flow) {
        self.change(|state| {
            state.to_server = to_server;
            state.to_client = to_client;
        });
    }

    /// Closes all connections and refuses new ones.
    pub fn cut(&self) {
        self.change(|state| {
            state.age += 1;
            state.refuses = true;
        });
    }

    /// Lets everything through again.
    pub fn heal(&self) {
        self.change(|state| {
            state.refuses = false;
            state.delay = Duration::ZERO;
            state.to_client = Flow::Pass;
            state.to_server = Flow::Pass;
        });
    }

    /// Lets nothing more through on the connections that there are, and tells neither side. New ones are as usual.
    pub fn hang(&self) {
        self.change(|state| state.hangs += 1);
    }

    /// Closes all connections. New ones are welcome.
    pub fn reset(&self) {
        self.change(|state| state.age += 1);
    }

    /// Makes each way take so much longer.
    pub fn delay(&self, delay: Duration) {
        self.change(|state| state.delay = delay);
    }

    /// The next bytes from the server are lost, and their connection with them.
    pub fn lose_next_reply(&self) {
        self.change(|state| state.lose_reply = true);
    }

    /// The next bytes to the server are lost, and their connection with them.
    pub fn lose_next_request(&self) {
        self.change(|state| state.lose_request = true);
    }

    /// The reply to the next request that contains `part`, such as a node's path, is lost, and their connection with it. The connection must
    /// not be encrypted.
    pub fn lose_reply_to(&self, part: &str) {
        self.change(|state| state.lose_reply_to = Some(part.into()));
    }

    /// The next request that contains `part` is lost, and its connection with it. The connection must not be encrypted.
    pub fn lose_request_with(&self, part: &str) {
        self.change(|state| state.lose_request_with = Some(part.into()));
    }

    /// Lets servers read `to` where a client says `from` in the first bytes of its connection, such as the address to be called back at.
    ///
    /// # Panics
    /// When they differ in length, which the bytes around them may tell.
    pub(crate) fn rename(&self, from: &str, to: &str) {
        assert_eq!(from.len(), to.len(), "{from} cannot be read as {to}");
        self.change(|state| state.renamed = Some((from.into(), to.into())));
    }

    /// Whether a loss that was asked for has not happened yet.
    pub fn is_to_lose(&self) -> bool {
        let state = self.shared.state.lock().unwrap();
        state.lose_reply
            || state.lose_request
            || state.lose_reply_to.is_some()
            || state.lose_request_with.is_some()
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.change(|state| {
            state.age += 1;
            state.closed = true;
        });
        // The thread that accepts has to see it.
        drop(TcpStream::connect(("127.0.0.1", self.port)));
    }
}

impl Shared {
    fn connect(self: &Arc<Self>, client: &TcpStream) {
        let made = {
            let state = self.state.lock().unwrap();
            if state.refuses {
                let _ = client.shutdown(Shutdown::Both);
                return;
            }
            let State { age, hangs, .. } = *state;
            Made { age, hangs }
        };
        self.connections.fetch_add(1, Ordering::Relaxed);
        let Some(server) = self.reach(made.age) else {
            let _ = client.shutdown(Shutdown::Both);
            return;
        };
        for stream in [client, &server] {
            stream.set_nodelay(true).unwrap();
            stream
                .set_read_timeout(Some(Duration::from_millis(20)))
                .unwrap();
        }
        let doomed = Arc::new(AtomicBool::new(false));
        for way in [Way::ToServer, Way::ToClient] {
            let (from, to) = match way {
                Way::ToServer => (client, &server),
                Way::ToClient => (&server, client),
            };
            let (from, to) = (from.try_clone().unwrap(), to.try_clone().unwrap());
            let (shared, doomed) = (Arc::clone(self), Arc::clone(&doomed));
            std::thread::spawn(move || shared.carry(way, made, &doomed, from, to));
        }
    }

    /// A connection to the server.
    fn reach(&self, age: u64) -> Option<TcpStream> {
        let mut waited = Duration::ZERO;
        loop {
            match TcpStream::connect(("127.0.0.1", self.target)) {
                Ok(server) => return Some(server),
                Err(_) if waited >= self.patience || self.is_over(age) => return None,
                Err(_) => pause(RHYTHM),
            }
            waited += RHYTHM;
        }
    }

    /// Carries bytes of one direction until the connection ends or is to end.
    fn carry(
        &self,
        way: Way,
        made: Made,
        doomed: &AtomicBool,
        mut from: TcpStream,
        mut to: TcpStream,
    ) {
        let mut buffer = vec![0; 16 << 10];
        let mut is_first = true;
        loop {
            if self.is_over(made.age) {
                break;
            }
            let count = match from.read(&mut buffer) {
                Ok(0) => break,
                Ok(count) => count,
                Err(error)
                    if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) =>
                {
                    continue;
                }
                Err(_) => break,
            };
            if way == Way::ToServer {
                if self.is_lost(&buffer[..count], doomed) {
                    break;
                }
                if std::mem::take(&mut is_first) {
                    self.rename(&mut buffer[..count]);
                }
            }
            if way == Way::ToClient && doomed.load(Ordering::Acquire) {
                break;
            }
            if !self.may_pass(way, made) || to.write_all(&buffer[..count]).is_err() {
                break;
            }
        }
        let _ = from.shutdown(Shutdown::Both);
        let _ = to.shutdown(Shutdown::Both);
    }

    /// Whether a request is one that is to be lost; if its reply is to be, its connection is doomed.
    fn is_lost(&self, request: &[u8], doomed: &AtomicBool) -> bool {
        let mut state = self.state.lock().unwrap();
        let contains = |part: &Vec<u8>| place(request, part).is_some();
        if state.lose_reply_to.take_if(|part| contains(part)).is_some() {
            doomed.store(true, Ordering::Release);
        }
        let lost = state.lose_request_with.take_if(|part| contains(part));
        lost.is_some()
    }

    fn rename(&self, bytes: &mut [u8]) {
        let renamed = self.state.lock().unwrap().renamed.clone();
        let Some((from, to)) = renamed else { return };
        if let Some(place) = place(bytes, &from) {
            bytes[place..place + from.len()].copy_from_slice(&to);
        }
    }

    fn is_over(&self, age: u64) -> bool {
        self.state.lock().unwrap().age != age
    }

    /// Waits until what was read may go on; says whether it may at all.
    fn may_pass(&self, way: Way, made: Made) -> bool {
        let delay = {
            let mut state = self.state.lock().unwrap();
            let lost = match way {
                Way::ToClient => std::mem::take(&mut state.lose_reply),
                Way::ToServer => std::mem::take(&mut state.lose_request),
            };
            if lost {
                return false;
            }
            state.delay
        };
        if !delay.is_zero() {
            pause(delay);
        }
        loop {
            let state = self.state.lock().unwrap();
            if state.age != made.age {
                return false;
            }
            let hangs = state.hangs != made.hangs;
            let flow = match way {
                Way::ToClient => state.to_client,
                Way::ToServer => state.to_server,
            };
            drop(state);
            if flow == Flow::Pass && !hangs {
                return true;
            }
            pause(RHYTHM);
        }
    }
}
