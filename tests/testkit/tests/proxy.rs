//! Each fault of the proxy, on a server that answers each byte with the same byte.

#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests are no tests to the lint, and a failed one should fail its test"
)]

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tenure_testkit::{Flow, Proxy, until};

/// Answers each byte, and counts them.
fn echo() -> (u16, Arc<AtomicU64>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let count = Arc::new(AtomicU64::new(0));
    let counted = Arc::clone(&count);
    std::thread::spawn(move || {
        for mut stream in listener.incoming().map_while(Result::ok) {
            let counted = Arc::clone(&counted);
            std::thread::spawn(move || {
                let mut byte = [0];
                while stream.read_exact(&mut byte).is_ok() {
                    counted.fetch_add(1, Ordering::Relaxed);
                    if stream.write_all(&byte).is_err() {
                        return;
                    }
                }
            });
        }
    });
    (port, count)
}

fn client(proxy: &Proxy) -> TcpStream {
    let stream = TcpStream::connect(("127.0.0.1", proxy.port())).unwrap();
    stream
        .set_read_timeout(Some(Duration::from_secs(30)))
        .unwrap();
    stream
}

/// Whether a byte comes back.
fn answers(stream: &mut TcpStream) -> bool {
    let mut byte = [0];
    stream.write_all(&[7]).is_ok() && stream.read_exact(&mut byte).is_ok()
}

#[test]
fn what_passes_is_counted_and_untouched() {
    let (port, count) = echo();
    let proxy = Proxy::to(port);
    let mut stream = client(&proxy);
    assert!(answers(&mut stream) && answers(&mut stream));
    assert_eq!((count.load(Ordering::Relaxed), proxy.connections()), (2, 1));
}

#[test]
fn a_lost_reply_was_a_request_that_arrived() {
    let (port, count) = echo();
    let proxy = Proxy::to(port);
    let mut stream = client(&proxy);
    assert!(answers(&mut stream));
    proxy.lose_next_reply();
    assert!(!answers(&mut stream));
    assert_eq!(count.load(Ordering::Relaxed), 2);
    assert!(!proxy.is_to_lose() && answers(&mut client(&proxy)));
}

#[test]
fn a_lost_request_never_arrives() {
    let (port, count) = echo();
    let proxy = Proxy::to(port);
    let mut stream = client(&proxy);
    assert!(answers(&mut stream));
    proxy.lose_next_request();
    assert!(!answers(&mut stream));
    assert_eq!(count.load(Ordering::Relaxed), 1);
    assert!(answers(&mut client(&proxy)));
}

#[test]
fn what_is_held_goes_on_when_it_is_healed() {
    let (port, count) = echo();
    let proxy = Proxy::to(port);
    for (to_server, to_client, arrives) in
        [(Flow::Hold, Flow::Pass, 0), (Flow::Pass, Flow::Hold, 1)]
    {
        let mut stream = client(&proxy);
        assert!(answers(&mut stream));
        let before = count.load(Ordering::Relaxed);
        proxy.flow(to_server, to_client);
        stream.write_all(&[7]).unwrap();
        until("what arrives", || {
            (count.load(Ordering::Relaxed) >= before + arrives).then_some(())
        });
        stream
            .set_read_timeout(Some(Duration::from_millis(50)))
            .unwrap();
        assert!(stream.read(&mut [0]).is_err(), "nothing comes back");
        proxy.heal();
        stream
            .set_read_timeout(Some(Duration::from_secs(30)))
            .unwrap();
        assert_eq!(stream.read(&mut [0]).unwrap(), 1);
    }
}

#[test]
fn a_cut_way_is_closed_and_refused_until_it_is_healed() {
    let (port, _) = echo();
    let proxy = Proxy::to(port);
    let mut stream = client(&proxy);
    assert!(answers(&mut stream));
    proxy.cut();
    assert!(!answers(&mut stream));
    assert!(!answers(&mut client(&proxy)));
    proxy.heal();
    assert!(answers(&mut client(&proxy)));
    let mut stream = client(&proxy);
    assert!(answers(&mut stream));
    proxy.reset();
    assert!(!answers(&mut stream));
    assert!(answers(&mut client(&proxy)));
}
