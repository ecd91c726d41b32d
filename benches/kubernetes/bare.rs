//! Requests without an election: by the same layers as the backend's, with nothing around them.

use http::{Method, Request};
use http_body_util::BodyExt as _;
use hyper_util::client::legacy::Client as Pool;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use k8s_openapi::api::coordination::v1::Lease;
use tenure::kubernetes::kube::client::{Body, ClientBuilder, ConfigExt as _};
use tenure::kubernetes::kube::{Api, Client, Config};

/// A client of one Lease.
#[derive(Clone)]
pub(crate) struct Bare {
    client: Client,
    leases: String,
    name: String,
}

const VERSION: &str = "\"resourceVersion\":\"";

/// The version in the answer, as cheaply as it can be found.
fn version(answer: &str) -> String {
    let from = answer.find(VERSION).expect("an object has a version") + VERSION.len();
    let rest = &answer[from..];
    let to = rest.find('"').expect("a text has an end");
    rest[..to].to_owned()
}

impl Bare {
    /// A client with a pool of its own, and without any connection yet.
    pub(crate) fn open(config: &Config, name: &str) -> Self {
        // The backend's, which may have chosen it before.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut http = HttpConnector::new();
        http.enforce_http(false);
        http.set_nodelay(true);
        let https = config
            .rustls_https_connector_with_connector(http)
            .expect("the testkit's certificate is good");
        let pool: Pool<_, Body> = Pool::builder(TokioExecutor::new()).build(https);
        let auth = config.auth_layer().expect("the testkit's token is good");
        let service = tower::ServiceBuilder::new()
            .layer(config.base_uri_layer())
            .option_layer(auth)
            .map_err(tower::BoxError::from)
            .service(pool);
        let namespace = &config.default_namespace;
        Self {
            client: ClientBuilder::new(service, namespace.clone()).build(),
            leases: format!("/apis/coordination.k8s.io/v1/namespaces/{namespace}/leases"),
            name: name.to_owned(),
        }
    }

    /// The same client, of another Lease.
    pub(crate) fn of(&self, name: &str) -> Self {
        Self {
            name: name.to_owned(),
            ..self.clone()
        }
    }

    /// kube's own way to Leases, by the same client.
    pub(crate) fn typed(&self) -> Api<Lease> {
        Api::default_namespaced(self.client.clone())
    }

    async fn send(&self, method: Method, path: &str, body: Vec<u8>) -> String {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("content-type", "application/json")
            .body(Body::from(body))
            .expect("a plain path");
        let response = self.client.send(request).await.expect("the server answers");
        let status = response.status();
        let body = response.into_body().collect().await;
        let body = body.expect("the answer comes whole").to_bytes();
        let text = String::from_utf8_lossy(&body).into_owned();
        assert!(status.is_success(), "{text}");
        text
    }

    fn body(&self, version: Option<&str>, number: u32) -> Vec<u8> {
        let version = version.map(|version| format!("{VERSION}{version}\","));
        let version = version.unwrap_or_default();
        let (name, number) = (&self.name, number % 1_000_000);
        // As many bytes as a record of ours.
        format!(
            r#"{{"apiVersion":"coordination.k8s.io/v1","kind":"Lease","metadata":{{"name":"{name}",{version}"annotations":{{"tenure/election":"{name}","tenure/token":"1000","tenure/token-holder":"0123456789abcdef0123456789abcdef"}},"labels":{{"tenure/lock":"true"}}}},"spec":{{"acquireTime":"2026-01-01T00:00:00.000000Z","holderIdentity":"bare_0123456789abcdef0123456789abcdef","leaseDurationSeconds":15,"leaseTransitions":1,"renewTime":"2026-01-01T00:00:00.{number:06}Z"}}}}"#
        )
        .into_bytes()
    }

    /// Makes the Lease, and says its version.
    pub(crate) async fn create(&self) -> String {
        version(
            &self
                .send(Method::POST, &self.leases, self.body(None, 0))
                .await,
        )
    }

    /// Reads the Lease, and says its version.
    pub(crate) async fn get(&self) -> String {
        let path = format!("{}/{}", self.leases, self.name);
        version(&self.send(Method::GET, &path, Vec::new()).await)
    }

    /// Writes the Lease over this version of it, and says the next.
    pub(crate) async fn put(&self, over: &str, number: u32) -> String {
        let path = format!("{}/{}", self.leases, self.name);
        version(
            &self
                .send(Method::PUT, &path, self.body(Some(over), number))
                .await,
        )
    }

    /// Watches the Lease from this version on: each event's version is told.
    pub(crate) async fn watch(&self, from: &str) -> Watch {
        let path = format!(
            "{}?watch=1&fieldSelector=metadata.name%3D{}&resourceVersion={from}",
            self.leases, self.name
        );
        let request = Request::get(path)
            .body(Body::empty())
            .expect("a plain path");
        let response = self.client.send(request).await.expect("the server answers");
        assert!(
            response.status().is_success(),
            "the right to watch is there"
        );
        Watch(response.into_body())
    }
}

/// An open watch.
pub(crate) struct Watch(Body);

impl Watch {
    /// Waits for the next event.
    pub(crate) async fn next(&mut self) {
        loop {
            let frame = self.0.frame().await.expect("the watch goes on");
            let frame = frame.expect("the watch goes on");
            if frame.data_ref().is_some_and(|data| !data.is_empty()) {
                return;
            }
        }
    }
}
