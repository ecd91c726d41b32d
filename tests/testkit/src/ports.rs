use std::net::TcpListener;
use std::ops::Range;
use std::sync::atomic::{AtomicU32, Ordering};

const TRIES_MAX: u32 = 1000;

/// Where the ports begin that no program asks for by name on the machines that tests run on.
const LOWEST: u16 = 20_000;

/// A port that nobody has at the moment.
pub(crate) fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}

/// The ports that the kernel gives to connections: the server that had one may not find it free when it comes again.
fn given_away() -> Range<u16> {
    let text = std::fs::read_to_string("/proc/sys/net/ipv4/ip_local_port_range");
    let text = text.unwrap_or_default();
    let mut ends = text.split_whitespace().filter_map(|end| end.parse().ok());
    ends.next().unwrap_or(32_768)..ends.next().unwrap_or(60_999)
}

/// So many ports that nobody has at the moment, and that no connection takes while a server is away.
///
/// # Panics
/// When they are not to be had.
pub(crate) fn lasting_ports(count: usize) -> Vec<u16> {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let highest = given_away().start;
    if highest <= LOWEST + 1000 {
        return (0..count).map(|_| free_port()).collect();
    }
    let width = u32::from(highest - LOWEST);
    // Processes that look at the same time look in different places.
    let begin = std::process::id().wrapping_mul(7919);
    let mut kept = Vec::new();
    for _ in 0..TRIES_MAX {
        if kept.len() == count {
            break;
        }
        let place = begin.wrapping_add(NEXT.fetch_add(1, Ordering::Relaxed)) % width;
        let port = LOWEST + u16::try_from(place).unwrap();
        kept.extend(TcpListener::bind(("127.0.0.1", port)));
    }
    assert!(
        kept.len() == count,
        "no {count} free ports from {LOWEST} to {highest}"
    );
    let port = |listener: &TcpListener| listener.local_addr().unwrap().port();
    kept.iter().map(port).collect()
}
