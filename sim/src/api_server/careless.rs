use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderValue};
use http::{Method, Request, Response, StatusCode};
use kube::client::Body;
use serde_json::{Value, json};
use tower_service::Service;

use super::body::{Broken, SimBody};
use super::link::{Link, all_of};
use crate::executor::Host;

/// How often a request is repeated that nobody asked to repeat.
const REPEATS_MOST: u32 = 8;
/// Before the first repetition; twice as long before each that follows.
const FIRST_PAUSE: Duration = Duration::from_millis(50);
/// What a patch has to name as nothing where a whole object would leave it out.
const TAKEN_OUT: [(&str, &str); 3] = [
    ("/spec", "holderIdentity"),
    ("/metadata/annotations", "tenure/released"),
    ("/metadata/annotations", "tenure/container"),
];

/// A mistake of what is between the backend and the API server.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Carelessness {
    /// A Lease is read from a server's cache.
    CachedReads,
    /// The container that was here before is taken for the own one.
    EarlierContainer,
    /// A layer of the client repeats requests that were answered with an error.
    HiddenRetries,
    /// A Lease is changed by a patch that names no version.
    UnconditionalPatch,
    /// An update names no uid, so that it creates a Lease that is gone.
    UpdateCreates,
}

/// A link whose user is careless.
#[derive(Clone)]
pub(super) struct Careless {
    pub(super) link: Link,
    pub(super) mistake: Carelessness,
}

/// A request that can be sent again.
struct Repeatable {
    body: Bytes,
    head: http::request::Parts,
}

impl Repeatable {
    fn request(&self) -> Request<Body> {
        Request::from_parts(self.head.clone(), Body::from(self.body.to_vec()))
    }

    fn spoil(&mut self, mistake: Carelessness) {
        let Self { body, head } = self;
        let path = head.uri.path_and_query().map_or("", |path| path.as_str());
        if !path.contains("/leases/") {
            return;
        }
        match (mistake, &head.method) {
            (Carelessness::CachedReads, &Method::GET) => {
                if let Ok(cached) = format!("{path}?resourceVersion=0").parse() {
                    head.uri = cached;
                }
            }
            (Carelessness::UnconditionalPatch, &Method::PUT) => {
                head.method = Method::PATCH;
                let merge = HeaderValue::from_static("application/merge-patch+json");
                head.headers.insert(CONTENT_TYPE, merge);
                *body = without(body, "resourceVersion", patch);
            }
            (Carelessness::UpdateCreates, &Method::PUT) => *body = without(body, "uid", |_| ()),
            _ => {}
        }
    }
}

/// An object without a field of its metadata.
fn without(body: &[u8], field: &str, then: impl FnOnce(&mut Value)) -> Bytes {
    let mut object: Value = serde_json::from_slice(body).unwrap_or_default();
    if let Some(metadata) = object["metadata"].as_object_mut() {
        metadata.remove(field);
    }
    then(&mut object);
    object.to_string().into()
}

/// Makes a whole object a patch that leaves nothing behind.
fn patch(object: &mut Value) {
    for (map, field) in TAKEN_OUT {
        if let Some(Value::Object(map)) = object.pointer_mut(map) {
            map.entry(field).or_insert(json!(null));
        }
    }
}

impl Link {
    /// The real client over this link, and between them perhaps a mistake.
    pub fn client_with(
        &self,
        mistake: Option<Carelessness>,
        host: &Host,
        namespace: &str,
    ) -> kube::Client {
        let Some(mistake) = mistake else {
            return self.client(host, namespace);
        };
        let link = self.clone();
        host.inside(|| kube::Client::new(Careless { link, mistake }, namespace))
    }
}

impl Careless {
    async fn send(mut self, request: Request<Body>) -> Result<Response<SimBody>, Broken> {
        let (head, body) = request.into_parts();
        let mut repeatable = Repeatable {
            body: all_of(body),
            head,
        };
        repeatable.spoil(self.mistake);
        let repeats = match self.mistake {
            Carelessness::HiddenRetries => REPEATS_MOST,
            _ => 0,
        };
        for repeat in 0..repeats {
            let answer = self.link.call(repeatable.request()).await;
            let is_error = answer.as_ref().is_ok_and(|answer| {
                let code = answer.status();
                code.is_server_error() || code == StatusCode::TOO_MANY_REQUESTS
            });
            if !is_error {
                return answer;
            }
            self.link.sleep(FIRST_PAUSE * (1 << repeat)).await;
        }
        self.link.call(repeatable.request()).await
    }
}

impl Service<Request<Body>> for Careless {
    type Response = Response<SimBody>;
    type Error = Broken;
    type Future = Pin<Box<dyn Future<Output = Result<Response<SimBody>, Broken>> + Send>>;

    fn poll_ready(&mut self, _context: &mut Context<'_>) -> Poll<Result<(), Broken>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        Box::pin(self.clone().send(request))
    }
}

impl fmt::Debug for Careless {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Careless")
            .field("mistake", &self.mistake)
            .finish_non_exhaustive()
    }
}
