//! A label on the leader's pod, so that a Service can route to it.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::task::{Poll, Waker};
use std::time::Duration;

use futures_util::future::select;
use http::{Method, StatusCode};
use serde_json::json;
use tenure_core::{Error, ErrorKind, Leadership, NameError};

use super::api::Api;
use super::cluster::Cluster;
use super::error::{Asked, Failure};
use super::names;
use crate::locked::locked;
use crate::tasks::{TaskGuard, Tasks};

/// How long the end of a leadership waits for the label to go, if its deadline lets it.
const GOODBYE: Duration = Duration::from_secs(1);
/// How soon a write that failed is made again.
const AGAIN_FIRST: Duration = Duration::from_secs(1);
const AGAIN_MAX: Duration = Duration::from_secs(60);
/// A label that cannot be taken away in that many tries stays until the next leadership on this pod, or its end.
const REMOVALS_MAX: usize = 5;
const MERGE_PATCH: &str = "application/merge-patch+json";

/// A label that the own pod has while it leads, so that a Service whose selector names it routes to the leader.
///
/// It is no fence and proves nothing: it comes a moment after the leadership and goes a moment before its end, it stays on a pod that has
/// died or is cut off, and endpoints follow it later still. Whoever must not be served by a former leader checks fencing tokens.
///
/// Needs `patch` on pods. Without that right the work is done all the same, and a warning names the right.
///
/// ```no_run
/// use tenure_backends::kubernetes::{Cluster, LeaderLabel};
/// # async fn serve(_: &tenure_core::Leadership) {}
/// # async fn example(mut election: tenure_core::Election) -> Result<(), Box<dyn std::error::Error>> {
/// let cluster = Cluster::infer().await?;
/// let label = LeaderLabel::new(&cluster, "example.org/role", "leader")?;
/// election
///     .run(|leadership| {
///         let label = label.clone();
///         async move { label.during(&leadership, serve(&leadership)).await }
///     })
///     .await?;
/// # Ok(()) }
/// ```
///
/// Clones are the same label.
#[derive(Clone, Debug)]
pub struct LeaderLabel(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    /// The newest task that writes the label.
    last: Mutex<Last>,
    tasks: Arc<dyn Tasks>,
    writer: Arc<Writer>,
}

#[derive(Debug)]
struct Last {
    done: Arc<Flag>,
    /// Kept, so that what a leadership leaves to do is done when its work has long been dropped.
    task: Option<TaskGuard>,
}

#[derive(Debug)]
struct Writer {
    api: Arc<Api>,
    key: String,
    pod: String,
    value: String,
}

impl LeaderLabel {
    /// The label `key`=`value` for this process's pod, which is the one of the [`Cluster`]. One that a former process has left there is taken
    /// away.
    ///
    /// # Errors
    /// When Kubernetes allows no such label, or no pod of that name.
    pub fn new(cluster: &Cluster, key: &str, value: &str) -> Result<Self, Error> {
        let refused = |error: NameError| {
            Failure::new(ErrorKind::InvalidInput, error.to_string()).into_error("label")
        };
        check_key(key).map_err(refused)?;
        check_part("label value", value, true).map_err(refused)?;
        let pod = &cluster.0.settings.pod_name;
        names::check("pod name", pod).map_err(refused)?;
        let done = Arc::new(Flag::default());
        done.raise();
        let label = Self(Arc::new(Inner {
            last: Mutex::new(Last { done, task: None }),
            tasks: Arc::clone(&cluster.0.tasks),
            writer: Arc::new(Writer {
                api: Arc::clone(&cluster.0.api),
                key: key.to_owned(),
                pod: pod.clone(),
                value: value.to_owned(),
            }),
        }));
        label.write(None);
        Ok(label)
    }

    /// Does `work`, with the label on the pod for as long as it takes.
    ///
    /// The work begins at once, however long the label takes, and whether it can be set or not. The label is taken away when the work has
    /// ended or is dropped. For that an ended work waits up to a second, but not beyond the leadership's deadline.
    pub async fn during<F: Future>(&self, leadership: &Leadership, work: F) -> F::Output {
        let ended = RaisedOnDrop(Arc::default());
        let removed = self.write(Some(Arc::clone(&ended.0)));
        let output = work.await;
        let patience = GOODBYE.min(leadership.remaining());
        drop(ended);
        let limit = leadership.clock().sleep(patience);
        let _ = select(pin!(removed.raised()), limit).await;
        output
    }

    /// Sets the label until `ended` is raised, if there is such a flag, and takes it away then. Tells when that is done.
    ///
    /// Writes never overtake each other: a removal that came after the next leadership's label would take that away.
    fn write(&self, ended: Option<Arc<Flag>>) -> Arc<Flag> {
        let done = Arc::new(Flag::default());
        let writer = Arc::clone(&self.0.writer);
        let now_done = RaisedOnDrop(Arc::clone(&done));
        let mut last = locked(&self.0.last);
        let next = Last {
            done: Arc::clone(&done),
            task: None,
        };
        let before = std::mem::replace(&mut *last, next);
        last.task = Some(self.0.tasks.spawn(Box::pin(async move {
            before.done.raised().await;
            drop(before);
            if let Some(ended) = ended {
                writer.set(&ended).await;
                ended.raised().await;
            }
            writer.remove().await;
            drop(now_done);
        })));
        done
    }
}

impl Writer {
    /// Sets the label, trying until it is there or no longer wanted. A request that is under way is waited for: it must not arrive after the
    /// removal.
    async fn set(&self, ended: &Flag) {
        let mut pause = AGAIN_FIRST;
        while !ended.is_raised() {
            let Err(failure) = self.patch(Some(&self.value)).await else {
                return;
            };
            let hopeless = is_hopeless(&failure);
            let error = failure.into_error("label");
            if hopeless || pause == AGAIN_FIRST {
                tracing::warn!(error = %error, "the leader's pod does not get its label; its work goes on");
            }
            if hopeless {
                return;
            }
            let _ = select(pin!(ended.raised()), self.api.clock.sleep(pause)).await;
            pause = (pause * 2).min(AGAIN_MAX);
        }
    }

    async fn remove(&self) {
        let mut pause = AGAIN_FIRST;
        for tried in 1..=REMOVALS_MAX {
            let Err(failure) = self.patch(None).await else {
                return;
            };
            let last = tried == REMOVALS_MAX || is_hopeless(&failure);
            let error = failure.into_error("label");
            if last {
                tracing::warn!(error = %error, "the leader's label may stay on this pod");
                return;
            }
            self.api.clock.sleep(pause).await;
            pause = (pause * 2).min(AGAIN_MAX);
        }
    }

    async fn patch(&self, value: Option<&str>) -> Result<(), Failure> {
        let namespace = &self.api.namespace;
        let asked = Asked {
            verb: "patch",
            resource: "pods",
            name: &self.pod,
            namespace,
        };
        let path = format!("/api/v1/namespaces/{namespace}/pods/{}", self.pod);
        let labels = json!({ &self.key: value });
        let body = json!({ "metadata": { "labels": labels } }).to_string();
        let missing = &[StatusCode::NOT_FOUND];
        let answer = self
            .api
            .write(
                asked,
                Method::PATCH,
                path,
                MERGE_PATCH,
                body.into(),
                missing,
            )
            .await?;
        // Where there is no pod, there is no label to take away.
        if answer.status == StatusCode::NOT_FOUND && value.is_some() {
            let detail = format!(
                "there is no pod {namespace}/{}: set the pod's name, and the namespace to its own",
                self.pod
            );
            return Err(Failure::new(ErrorKind::InvalidInput, detail));
        }
        Ok(())
    }
}

/// Whether only somebody who changes something can help.
fn is_hopeless(failure: &Failure) -> bool {
    matches!(
        failure.kind(),
        ErrorKind::InvalidInput | ErrorKind::PermissionDenied
    )
}

/// Whether `key` can be a label's: a name, perhaps behind a DNS subdomain and a slash.
fn check_key(key: &str) -> Result<(), NameError> {
    let name = match key.split_once('/') {
        Some((prefix, name)) => {
            names::check("label prefix", prefix)?;
            name
        }
        None => key,
    };
    check_part("label key", name, false)
}

/// Whether `part` can be a label's name or value.
fn check_part(what: &'static str, part: &str, may_be_empty: bool) -> Result<(), NameError> {
    let ends = part.bytes().next().into_iter().chain(part.bytes().last());
    let inner = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.');
    let well = part.bytes().all(inner) && ends.into_iter().all(|b| b.is_ascii_alphanumeric());
    if well && part.len() <= 63 && (may_be_empty || !part.is_empty()) {
        return Ok(());
    }
    let problem = "cannot be in a label: use 1 to 63 letters, digits, `-`, `_` and `.`, and a letter or digit at both ends";
    Err(NameError::new(what, part, problem))
}

/// Something that happens once, and any number can wait for.
#[derive(Default, Debug)]
struct Flag(Mutex<(bool, Vec<Waker>)>);

impl Flag {
    fn is_raised(&self) -> bool {
        locked(&self.0).0
    }

    fn raise(&self) {
        let wakers = {
            let mut state = locked(&self.0);
            state.0 = true;
            std::mem::take(&mut state.1)
        };
        wakers.into_iter().for_each(Waker::wake);
    }

    async fn raised(&self) {
        poll_fn(|context| {
            let mut state = locked(&self.0);
            if state.0 {
                return Poll::Ready(());
            }
            if !state.1.iter().any(|waker| waker.will_wake(context.waker())) {
                state.1.push(context.waker().clone());
            }
            Poll::Pending
        })
        .await;
    }
}

/// Raises its flag when it is dropped, so that dropping a future counts as its end.
#[derive(Debug)]
struct RaisedOnDrop(Arc<Flag>);

impl Drop for RaisedOnDrop {
    fn drop(&mut self) {
        self.0.raise();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_can_be_no_label_is_refused() {
        for key in ["role", "example.org/role", "tenure/leader", "A_b.c"] {
            assert!(check_key(key).is_ok(), "{key}");
        }
        let long = "x".repeat(64);
        for key in ["", "/role", "Example.org/role", "a/b/c", "-a", "a b", &long] {
            assert!(check_key(key).is_err(), "{key}");
        }
        assert!(check_part("label value", "", true).is_ok());
        assert!(check_part("label value", "ä", true).is_err());
    }
}
