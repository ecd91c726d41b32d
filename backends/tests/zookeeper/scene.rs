//! What the tests share.

use std::future::Future;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use tenure_backends::zookeeper::{Ensemble, EnsembleBuilder, NodeLock};
use tenure_core::backend::{Grant, Hint, Hold, LockBackend, Released, Renewed};
use tenure_core::testing::Contender;
use tenure_core::{ElectionName, Error};
use tenure_testkit::{Ensemble as Servers, Settings};

pub(crate) const NAME: &str = "nightly";
/// Far more than anything here takes, on the slowest machine.
const PATIENCE: Duration = Duration::from_secs(60);
/// Long enough that no session ends by a busy machine.
pub(crate) const SESSION: Duration = Duration::from_secs(15);

pub(crate) fn election() -> ElectionName {
    ElectionName::new(NAME).unwrap()
}

/// One server for all tests that only need some, each below a node of its own.
pub(crate) fn server() -> &'static Servers {
    static SERVER: OnceLock<Servers> = OnceLock::new();
    SERVER.get_or_init(|| {
        let tick = Duration::from_secs(1);
        let settings = Settings::new(1).tick_time(tick);
        // Containers that are empty vanish after a second instead of a minute.
        let vanish = settings.property("znode.container.checkIntervalMs", 500);
        vanish.start()
    })
}

/// A base path of its own.
pub(crate) fn fresh_base() -> String {
    use std::sync::atomic::{AtomicU32, Ordering};
    static NEXT: AtomicU32 = AtomicU32::new(0);
    format!("/test{}", NEXT.fetch_add(1, Ordering::Relaxed))
}

/// Runs a test on a runtime of its own, but not for ever.
pub(crate) fn wait<F: Future>(future: F) -> F::Output {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let limited = tokio::time::timeout(PATIENCE, future);
        limited.await.expect("a test takes less than a minute")
    })
}

/// Lets `duration` pass, between two looks at something.
#[expect(clippy::disallowed_methods, reason = "real servers need real time")]
pub(crate) async fn pause(duration: Duration) {
    tokio::time::sleep(duration).await;
}

/// Looks again and again until there is something.
pub(crate) async fn until<T, F: Future<Output = Option<T>>>(mut look: impl FnMut() -> F) -> T {
    loop {
        if let Some(found) = look().await {
            return found;
        }
        pause(Duration::from_millis(10)).await;
    }
}

pub(crate) fn builder(connect_string: &str, base: &str) -> EnsembleBuilder {
    Ensemble::builder()
        .connect_string(connect_string)
        .base_path(base)
        .session_timeout(SESSION)
}

/// A process of its own: a session of its own.
pub(crate) async fn process(base: &str) -> Ensemble {
    let opened = builder(&server().direct_connect_string(), base)
        .open()
        .await;
    opened.unwrap()
}

/// A candidate that does what the test tells it.
pub(crate) fn contender(ensemble: &Ensemble, name: &str, bits: u128) -> Contender {
    contender_on(ensemble.lock(election()).unwrap(), name, bits)
}

pub(crate) fn contender_on(lock: NodeLock, name: &str, bits: u128) -> Contender {
    let mut contender = Contender::new(Arc::new(lock), name, bits).unwrap();
    contender.lease_duration = SESSION;
    contender
}

pub(crate) async fn leads(contender: &Contender) -> Grant {
    let grant = contender.try_lead().await.unwrap();
    grant.expect("a lock that may be taken is granted")
}

pub(crate) async fn waits(contender: &Contender) {
    let grant = contender.try_lead().await.unwrap();
    assert_eq!(grant, None, "somebody else has it");
}

pub(crate) async fn leads_eventually(contender: &Contender) -> Grant {
    until(|| async { contender.try_lead().await.unwrap() }).await
}

pub(crate) async fn renews(contender: &Contender, hold: Hold) -> Result<Hold, Error> {
    match contender.lock.renew(&contender.renewal(hold)).await? {
        Renewed::Confirmed(receipt) => Ok(Hold {
            version: receipt.version,
            ..hold
        }),
        Renewed::Conflict(seen) => panic!("the hold stands, but a renewal met {seen:?}"),
    }
}

pub(crate) async fn is_refused(contender: &Contender, hold: Hold) -> bool {
    let renewed = contender.lock.renew(&contender.renewal(hold)).await;
    matches!(renewed, Ok(Renewed::Conflict(_)))
}

pub(crate) async fn releases(contender: &Contender, hold: Hold) {
    let released = contender.lock.release(&contender.releasing(hold)).await;
    assert_eq!(released.unwrap(), Released::Vacated);
}

/// Waits until `lock` is told this, whatever else it is told before.
pub(crate) async fn is_told(lock: &dyn LockBackend, hint: Hint) {
    while lock.changed().await != hint {}
}
