//! The servers, and the paths of those who take part.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use tenure_testkit::{Ensemble, Settings};

pub(crate) const SERVERS: usize = 3;
/// ZooKeeper's own.
pub(crate) const TICK: Duration = Duration::from_secs(2);
/// The backend's own.
pub(crate) const SESSION: Duration = Duration::from_secs(15);

/// Three servers with ZooKeeper's own settings.
pub(crate) fn servers() -> &'static Ensemble {
    static ENSEMBLE: OnceLock<Ensemble> = OnceLock::new();
    ENSEMBLE.get_or_init(|| {
        let ensemble = Settings::new(SERVERS)
            .tick_time(TICK)
            .memory_mb(256)
            .start();
        ensemble.wait_for_all();
        ensemble
    })
}

/// Where clients connect to: a server that follows, for all alike, since one that leads answers sooner.
pub(crate) fn connect_string() -> String {
    let follower = servers().followers()[0].port();
    format!("127.0.0.1:{follower}")
}

/// A base path of its own.
pub(crate) fn fresh_base() -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    format!("/bench{}", NEXT.fetch_add(1, Ordering::Relaxed))
}

/// The name of an election.
pub(crate) fn election(number: u32) -> String {
    format!("job-{number}")
}
