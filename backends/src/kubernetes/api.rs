//! Requests to the API server: one attempt each, with a time-out of our own.

use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::{Either, select};
use futures_util::stream::BoxStream;
use http::request::Builder;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, StatusCode, Uri, header};
use http_body_util::{BodyExt, Limited};
use kube::client::Body;
use kube::core::WatchEvent;
use serde_json::Value;
use tenure_core::{Clock, ErrorKind, Nanos, Reading, WallTime};

use super::connection::{self, Clients, Source};
use super::error::{Asked, Failure};
use super::time;
use crate::locked::locked;

/// Who the API server's logs and `managedFields` say it was.
const USER_AGENT: HeaderValue =
    HeaderValue::from_static(concat!("tenure/", env!("CARGO_PKG_VERSION")));
/// No Lease is larger, and no list of pods that an election is about.
const ANSWER_BYTES_MAX: usize = 64 << 20;

/// A token that was revoked is not looked for by every election at every try.
const READ_AGAIN_EVERY: Duration = Duration::from_secs(1);

/// The API server, as one process sees it.
#[derive(Debug)]
pub(crate) struct Api {
    clients: Mutex<Arc<Clients>>,
    /// When the way in was last read again.
    read_again: Mutex<Option<Reading>>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) namespace: String,
    request_timeout: Duration,
    /// How often a right that was missing is looked for again.
    pub(crate) rights_interval: Duration,
    source: Source,
}

/// What the API server answered.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) body: Bytes,
    /// The server's wall clock.
    pub(crate) date: Option<WallTime>,
    pub(crate) status: StatusCode,
}

impl Answer {
    /// What it says.
    pub(crate) fn object(&self, asked: Asked<'_>) -> Result<Value, Failure> {
        serde_json::from_slice(&self.body).map_err(|error| Failure::garbled(asked, error))
    }
}

/// What a watch tells.
pub(crate) type Events = BoxStream<'static, Result<WatchEvent<Value>, kube::Error>>;

/// Why a watch could not be opened.
#[derive(Debug)]
pub(crate) enum NoWatch {
    Failed(Failure),
    /// What it was to start from is no longer known.
    Gone,
}

impl From<Failure> for NoWatch {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

impl Api {
    pub(crate) fn new(
        clients: Clients,
        source: Source,
        namespace: String,
        request_timeout: Duration,
        rights_interval: Duration,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self {
            clients: Mutex::new(Arc::new(clients)),
            read_again: Mutex::default(),
            clock,
            namespace,
            request_timeout,
            rights_interval,
            source,
        }
    }

    fn clients(&self) -> Arc<Clients> {
        Arc::clone(&locked(&self.clients))
    }

    /// Reads an object or a list, authoritatively; nothing when there is none.
    pub(crate) async fn read(
        &self,
        asked: Asked<'_>,
        path: &str,
    ) -> Result<Option<Answer>, Failure> {
        let request = built(asked, request(Method::GET, path).body(Body::empty()))?;
        let answer = self.call(asked, request, &[StatusCode::NOT_FOUND]).await?;
        Ok((answer.status != StatusCode::NOT_FOUND).then_some(answer))
    }

    /// Sends a write once. Answers with these `expected` statuses are no failures.
    pub(crate) async fn write(
        &self,
        asked: Asked<'_>,
        method: Method,
        path: String,
        content: &'static str,
        body: Bytes,
        expected: &[StatusCode],
    ) -> Result<Answer, Failure> {
        let request = request(method, path)
            .header(header::CONTENT_TYPE, HeaderValue::from_static(content))
            .body(Body::from(body));
        self.call(asked, built(asked, request)?, expected).await
    }

    async fn call(
        &self,
        asked: Asked<'_>,
        request: Request<Body>,
        expected: &[StatusCode],
    ) -> Result<Answer, Failure> {
        let exchange = pin!(self.exchange(asked, request, expected));
        let outcome = self.in_time(asked, exchange).await.flatten();
        if let Err(failure) = &outcome
            && failure.kind() == ErrorKind::Unauthenticated
        {
            // Out of line, since it is rare and large.
            Box::pin(self.read_way_in_again()).await;
        }
        outcome
    }

    /// Gives up what takes too long. Its connection is closed with the dropped future.
    async fn in_time<T>(
        &self,
        asked: Asked<'_>,
        future: impl Future<Output = T> + Unpin,
    ) -> Result<T, Failure> {
        let limit = self.clock.sleep(self.request_timeout);
        match select(future, limit).await {
            Either::Left((output, _)) => Ok(output),
            Either::Right(_) => Err(Failure::timeout(asked, self.request_timeout)),
        }
    }

    async fn exchange(
        &self,
        asked: Asked<'_>,
        request: Request<Body>,
        expected: &[StatusCode],
    ) -> Result<Answer, Failure> {
        let clients = self.clients();
        let response = clients.requests.send(request).await;
        let response = response.map_err(|error| Failure::transport(asked, error))?;
        let (head, body) = response.into_parts();
        let body = Limited::new(body, ANSWER_BYTES_MAX);
        let body = body
            .collect()
            .await
            .map_err(|error| Failure::garbled(asked, error))?;
        let body = body.to_bytes();
        let status = head.status;
        if status.is_success() || expected.contains(&status) {
            let date = if asked.writes() {
                None
            } else {
                text(&head.headers, &header::DATE).and_then(time::date)
            };
            return Ok(Answer { body, date, status });
        }
        let retry_after = text(&head.headers, &header::RETRY_AFTER);
        let retry_after = retry_after.and_then(|seconds| seconds.parse().ok());
        let said: Value = serde_json::from_slice(&body).unwrap_or_default();
        let message = said
            .get("message")
            .and_then(Value::as_str)
            .unwrap_or_default();
        let retry_after = retry_after.map(Duration::from_secs);
        Err(Failure::refused(asked, status, message, retry_after))
    }

    /// Opens a watch. It ends with its connection; what a silent one means is for the caller to judge.
    pub(crate) async fn watch(&self, asked: Asked<'_>, path: &str) -> Result<Events, NoWatch> {
        let request = built(asked, request(Method::GET, path).body(Vec::new()))?;
        let clients = self.clients();
        let opening = pin!(clients.watches.request_events::<Value>(request));
        match self.in_time(asked, opening).await? {
            Ok(events) => Ok(Box::pin(events)),
            Err(kube::Error::Api(status)) if status.code == StatusCode::GONE.as_u16() => {
                Err(NoWatch::Gone)
            }
            Err(kube::Error::Api(status)) => {
                let code = StatusCode::from_u16(status.code).unwrap_or(StatusCode::BAD_GATEWAY);
                if code == StatusCode::UNAUTHORIZED {
                    Box::pin(self.read_way_in_again()).await;
                }
                Err(Failure::refused(asked, code, &status.message, None).into())
            }
            Err(error) => Err(Failure::transport(asked, error).into()),
        }
    }

    /// After a 401 the token may have been rotated: what names it is read again, for the next request.
    async fn read_way_in_again(&self) {
        {
            let now = self.clock.now();
            let mut last = locked(&self.read_again);
            if last.is_some_and(|last| now.longest_since(last) < Nanos::from(READ_AGAIN_EVERY)) {
                return;
            }
            *last = Some(now);
        }
        let read = async {
            let config = self.source.read_again().await?;
            config
                .map(|config| connection::connect(&config, self.request_timeout))
                .transpose()
        };
        match read.await {
            Ok(Some(clients)) => *locked(&self.clients) = Arc::new(clients),
            Ok(None) => {}
            Err(failure) => {
                let error = failure.into_error("authenticate");
                tracing::warn!(error = %error, "the way in could not be read again");
            }
        }
    }
}

/// A request that says who sends it.
fn request<T>(method: Method, path: T) -> Builder
where
    T: TryInto<Uri>,
    T::Error: Into<http::Error>,
{
    let builder = Request::builder().method(method).uri(path);
    builder.header(header::USER_AGENT, USER_AGENT)
}

fn built<T>(
    asked: Asked<'_>,
    request: Result<Request<T>, http::Error>,
) -> Result<Request<T>, Failure> {
    request.map_err(|error| {
        let detail = format!("{:?} makes no address", asked.name);
        Failure::new(ErrorKind::InvalidInput, detail).with_source(error)
    })
}

fn text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}
