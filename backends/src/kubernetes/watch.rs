//! Follows objects by a watch, for as long as it is wanted: opened again when it ends, and found out again when it was not allowed.
//!
//! What it tells is a hint. It may come late or never, and nothing is lost by that but time.

use std::fmt;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::future::{Either, select};
use kube::core::WatchEvent;
use serde_json::Value;
use tenure_core::ErrorKind;

use super::api::{Api, Events, NoWatch};
use super::error::{Asked, Failure};
use crate::mailbox::Mailbox;

/// The server ends a watch after this long, so that no connection lives for ever behind a load balancer.
const SERVER_ENDS_AFTER_SECONDS: u64 = 290;
/// Bookmarks come about once a minute. A watch that is silent for longer is opened again.
const SILENCE_MAX: Duration = Duration::from_secs(100);
/// A watch that ends sooner was no success.
const SUCCESS: Duration = Duration::from_secs(5);
/// 0.5, 1, 2 … 32 s between failed tries to open it.
const FIRST_PAUSE: Duration = Duration::from_millis(500);
const DOUBLINGS_MAX: u32 = 6;

/// What is watched.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    /// Says which objects: a path with its selectors, without anything about the watch.
    pub(crate) path: Box<str>,
    pub(crate) resource: &'static str,
    /// The object's name, or the selector, for messages.
    pub(crate) name: String,
}

/// Who is told.
pub(crate) trait Sink: fmt::Debug + Send + Sync {
    /// An object was added or has changed.
    fn changed(&self, object: Value);
    /// An object is gone.
    fn deleted(&self, object: Value);
    /// Something may have been missed.
    fn missed(&self);
    /// From now on changes are told, or no longer.
    fn watching(&self, works: bool);
    /// The right to watch is missing.
    fn refused(&self) {}
}

/// Asks a watch to be opened again.
#[derive(Default, Debug)]
pub(crate) struct Nudge(Mailbox<bool>);

impl Nudge {
    pub(crate) fn nudge(&self) {
        self.0.tell(|nudged| *nudged = true);
    }

    /// Whatever was asked before is done.
    fn forget(&self) {
        self.0.alter(|nudged| *nudged = false);
    }

    async fn nudged(&self) {
        let take = |nudged: &mut bool| std::mem::take(nudged).then_some(());
        self.0.next(take).await;
    }
}

/// One watch and what is known about it.
#[derive(Debug)]
pub(crate) struct Follower {
    pub(crate) api: Arc<Api>,
    pub(crate) nudge: Arc<Nudge>,
    pub(crate) sink: Arc<dyn Sink>,
    pub(crate) target: Target,
}

/// Why a watch ended.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Ended {
    /// By the server, in good order: the next one goes on from there.
    Closed,
    /// What it would go on from is no longer known.
    Gone,
    /// It had to be given up.
    Lost,
}

impl Follower {
    /// Follows until it is dropped.
    pub(crate) async fn follow(self) {
        let mut from: Option<String> = None;
        let mut failures = 0_u32;
        let mut told_refused = false;
        let mut watched = false;
        loop {
            match self.open(from.as_deref()).await {
                Ok(events) => {
                    told_refused = false;
                    self.nudge.forget();
                    let opened = self.api.clock.now();
                    if from.is_none() {
                        self.sink.missed();
                    }
                    if !watched {
                        self.sink.watching(true);
                        watched = true;
                    }
                    let ended = self.listen(events, &mut from).await;
                    if self.api.clock.now().shortest_since(opened) >= SUCCESS.into() {
                        failures = 0;
                    }
                    if ended == Ended::Gone {
                        from = None;
                    }
                    if ended != Ended::Closed || failures > 0 {
                        self.sink.watching(false);
                        watched = false;
                        self.pause(failures).await;
                    }
                    failures += 1;
                }
                Err(NoWatch::Gone) => {
                    from = None;
                    self.pause(failures).await;
                    failures += 1;
                }
                Err(NoWatch::Failed(failure)) => {
                    if watched {
                        self.sink.watching(false);
                        watched = false;
                    }
                    if failure.kind() == ErrorKind::PermissionDenied {
                        self.tell_refused(failure, &mut told_refused);
                        self.sink.refused();
                        from = None;
                        self.api.clock.sleep(self.api.rights_interval).await;
                    } else {
                        self.pause(failures).await;
                        failures += 1;
                    }
                }
            }
        }
    }

    /// Opens the watch, out of line: most of its time a follower listens, or waits to ask again.
    async fn open(&self, from: Option<&str>) -> Result<Events, NoWatch> {
        let path = self.path(from);
        Box::pin(self.api.watch(self.asked(), &path)).await
    }

    fn asked(&self) -> Asked<'_> {
        Asked {
            verb: "watch",
            resource: self.target.resource,
            name: &self.target.name,
            namespace: &self.api.namespace,
        }
    }

    fn path(&self, from: Option<&str>) -> String {
        let Target { path, .. } = &self.target;
        let with = if path.contains('?') { '&' } else { '?' };
        let mut path = format!(
            "{path}{with}watch=1&allowWatchBookmarks=true&timeoutSeconds={SERVER_ENDS_AFTER_SECONDS}"
        );
        if let Some(version) = from {
            path.push_str("&resourceVersion=");
            path.push_str(version);
        }
        path
    }

    fn tell_refused(&self, failure: Failure, told: &mut bool) {
        if !std::mem::replace(told, true) {
            let error = failure.into_error("watch");
            tracing::info!(error = %error, "watching is not allowed: polling instead, and asking again now and then");
        }
    }

    async fn pause(&self, failures: u32) {
        let doublings = failures.min(DOUBLINGS_MAX);
        self.api.clock.sleep(FIRST_PAUSE * (1 << doublings)).await;
    }

    /// Passes on what is told until the watch ends.
    async fn listen(&self, mut events: Events, from: &mut Option<String>) -> Ended {
        loop {
            let silence = self.api.clock.sleep(SILENCE_MAX);
            let nudged = pin!(self.nudge.nudged());
            let given_up = select(silence, nudged);
            let event = match select(events.next(), given_up).await {
                Either::Left((event, _)) => event,
                Either::Right(_) => return Ended::Lost,
            };
            match event {
                None => return Ended::Closed,
                Some(Err(_)) => return Ended::Lost,
                Some(Ok(WatchEvent::Added(object) | WatchEvent::Modified(object))) => {
                    note(&object, from);
                    self.sink.changed(object);
                }
                Some(Ok(WatchEvent::Deleted(object))) => {
                    note(&object, from);
                    self.sink.deleted(object);
                }
                Some(Ok(WatchEvent::Bookmark(mark))) => {
                    *from = Some(mark.metadata.resource_version);
                }
                Some(Ok(WatchEvent::Error(_))) => return Ended::Gone,
            }
        }
    }
}

/// Remembers from where the next watch goes on.
fn note(object: &Value, from: &mut Option<String>) {
    let version = object
        .get("metadata")
        .and_then(|meta| meta.get("resourceVersion"))
        .and_then(Value::as_str);
    if let Some(version) = version {
        *from = Some(version.to_owned());
    }
}
