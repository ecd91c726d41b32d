//! A ready-made client that repeats requests behind the backend's back.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use http::{Method, Request, Response, StatusCode};
use kube::client::Body;
use kube::client::retry::RetryPolicy;
use tenure_backends::kubernetes::{Cluster, kube};
use tenure_core::backend::{LockState, Renewed};
use tenure_testkit::{TestCluster, WATCH_RULES};
use tower::retry::RetryLayer;
use tower::{BoxError, ServiceBuilder};

use crate::scene::{contender, leads, renews, wait};

/// What stands between the repeating client and the server.
#[derive(Default, Debug)]
struct Way {
    /// Whether the answer to the next write becomes a 503, after it was done.
    garbles: AtomicBool,
    writes: AtomicU32,
}

async fn pass(
    way: Arc<Way>,
    client: kube::Client,
    request: Request<Body>,
) -> Result<Response<Body>, BoxError> {
    let writes = request.method() == Method::PUT;
    let answer = client.send(request).await?;
    if !writes {
        return Ok(answer);
    }
    way.writes.fetch_add(1, Ordering::Relaxed);
    if way.garbles.swap(false, Ordering::Relaxed) {
        let busy = Response::builder().status(StatusCode::SERVICE_UNAVAILABLE);
        return Ok(busy.body(Body::empty())?);
    }
    Ok(answer)
}

#[test]
fn hidden_retries_of_a_ready_made_client_cost_time_only() {
    wait(async {
        let namespace = TestCluster::shared().namespace();
        let account = namespace.account(WATCH_RULES);
        let config = account.config(namespace.cluster.api().port());
        assert!(
            config.default_retry,
            "kube's own client repeats what was refused for a while"
        );
        let mut plain = config;
        plain.default_retry = false;
        let inner = kube::Client::try_from(plain).unwrap();
        let way = Arc::new(Way::default());
        let passing = Arc::clone(&way);
        let service = ServiceBuilder::new()
            .layer(RetryLayer::new(RetryPolicy::server_retry()))
            .service_fn(move |request| pass(Arc::clone(&passing), inner.clone(), request));
        let client = kube::Client::new(service, namespace.name.clone());
        let cluster = Cluster::with_ready_client(client).unwrap();
        let leader = contender(&cluster, "report-0", 1);
        let hold = leads(&leader).await.hold;

        // The write is done, its answer says that it was not, and the client sends it again: now its version is gone.
        way.garbles.store(true, Ordering::Relaxed);
        let before = way.writes.load(Ordering::Relaxed);
        let renewal = leader.renewal(hold);
        let renewed = leader.lock.renew(&renewal).await.unwrap();
        assert!(matches!(renewed, Renewed::Conflict(_)), "{renewed:?}");
        assert_eq!(way.writes.load(Ordering::Relaxed), before + 2);
        let seen = leader.observe().await.unwrap();
        let LockState::Held(held) = &seen.lock else {
            panic!("{seen:?}")
        };
        assert_eq!(held.nonce, renewal.nonce, "a read settles it");
        let version = seen.version.unwrap();
        renews(&leader, tenure_core::backend::Hold { version, ..hold })
            .await
            .unwrap();
    });
}
