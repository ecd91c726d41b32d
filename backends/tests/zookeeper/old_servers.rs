//! Servers that do not know all that is asked of them: they say so, and close the connection.

use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

use super::scene::{builder, contender, fresh_base, server, until, wait};
use tenure_core::ErrorKind;
use tenure_core::backend::Released;

/// Makes a container, since 3.5.3.
const CREATE_CONTAINER: i32 = 19;
/// Reads several nodes at once, since 3.6.
const MULTI_READ: i32 = 22;
/// ZooKeeper's code for what it does not know.
const UNIMPLEMENTED: i32 = -6;

/// A way to the server that answers as an older one to what is newer than that.
struct Old {
    /// What it was asked for and does not know.
    asked: Arc<Mutex<Vec<i32>>>,
    port: u16,
}

impl Old {
    fn knows_all_but(lacks: &'static [i32]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let told = Arc::clone(&asked);
        thread::spawn(move || {
            for client in listener.incoming() {
                let told = Arc::clone(&told);
                // An error is the end of a connection.
                thread::spawn(move || drop(carry(&client.unwrap(), lacks, &told)));
            }
        });
        Self { asked, port }
    }

    fn asked(&self) -> Vec<i32> {
        self.asked.lock().unwrap().clone()
    }
}

/// Carries a connection's frames until one of its ends closes it, or until something unknown is asked for.
fn carry(client: &TcpStream, lacks: &[i32], asked: &Mutex<Vec<i32>>) -> io::Result<()> {
    let port = server().servers().next().unwrap().port();
    let server = TcpStream::connect(("127.0.0.1", port))?;
    let writes = Mutex::new(client.try_clone()?);
    thread::scope(|scope| {
        scope.spawn(|| {
            while let Ok(frame) = read_frame(&server) {
                if write_frame(&writes.lock().unwrap(), &frame).is_err() {
                    break;
                }
            }
            drop(client.shutdown(Shutdown::Both));
        });
        let mut greeted = false;
        while let Ok(frame) = read_frame(client) {
            let number = |at: usize| i32::from_be_bytes(frame[at..at + 4].try_into().unwrap());
            if greeted && lacks.contains(&number(4)) {
                asked.lock().unwrap().push(number(4));
                let mut answer = number(0).to_be_bytes().to_vec();
                answer.extend(0_i64.to_be_bytes());
                answer.extend(UNIMPLEMENTED.to_be_bytes());
                drop(write_frame(&writes.lock().unwrap(), &answer));
                break;
            }
            greeted = true;
            if write_frame(&server, &frame).is_err() {
                break;
            }
        }
        drop(client.shutdown(Shutdown::Both));
        server.shutdown(Shutdown::Both)
    })
}

fn read_frame(mut from: &TcpStream) -> io::Result<Vec<u8>> {
    let mut length = [0; 4];
    from.read_exact(&mut length)?;
    let length = usize::try_from(i32::from_be_bytes(length)).map_err(io::Error::other)?;
    let mut frame = vec![0; length];
    from.read_exact(&mut frame)?;
    Ok(frame)
}

fn write_frame(mut to: &TcpStream, frame: &[u8]) -> io::Result<()> {
    let length = i32::try_from(frame.len()).map_err(io::Error::other)?;
    let mut bytes = length.to_be_bytes().to_vec();
    bytes.extend(frame);
    to.write_all(&bytes)
}

/// Two candidates lead by a server that lacks this, one after the other; it is asked for it once for each session's process.
async fn is_led_by(lacks: &'static [i32], base: &str) -> Vec<i32> {
    let old = Old::knows_all_but(lacks);
    let address = format!("127.0.0.1:{}", old.port);
    let ensemble = builder(&address, base).open().await.unwrap();
    for (name, bits) in [("a", 1), ("b", 2)] {
        let one = contender(&ensemble, name, bits);
        let grant = until(|| async {
            match one.try_lead().await {
                Ok(grant) => grant,
                // What else was asked on the connection that the server has closed.
                Err(error) => {
                    assert_eq!(error.kind(), ErrorKind::Unavailable, "{error}");
                    None
                }
            }
        });
        let hold = grant.await.hold;
        let release = one.releasing(hold);
        let released = until(|| async { one.lock.release(&release).await.ok() }).await;
        assert_eq!(released, Released::Vacated);
    }
    ensemble.close().await;
    old.asked()
}

#[test]
fn a_server_that_reads_one_node_at_a_time_is_asked_for_more_once() {
    wait(async {
        let asked = is_led_by(&[MULTI_READ], &fresh_base()).await;
        assert_eq!(asked, [MULTI_READ]);
    });
}

#[test]
fn a_server_that_has_no_containers_is_asked_for_one_once_and_given_nodes_that_stay() {
    wait(async {
        let base = fresh_base();
        let asked = is_led_by(&[CREATE_CONTAINER, MULTI_READ], &base).await;
        let mut sorted = asked.clone();
        sorted.sort_unstable();
        assert_eq!(sorted, [CREATE_CONTAINER, MULTI_READ], "{asked:?}");
    });
}
