//! The members: pods that a label selector chooses, and that are running and ready. One watch, or one poll, for all elections of a process.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, Weak};
use std::time::Duration;

use serde_json::Value;
use tenure_core::backend::Member;
use tenure_core::{Nanos, Reading};

use super::api::Api;
use super::error::{Asked, Failure};
use super::hints::Hints;
use super::store::Store;
use super::watch::{Follower, Nudge, Sink, Target};
use crate::locked::locked;
use crate::tasks::{TaskGuard, Tasks};

/// Many elections ask at once, after one change.
const LISTED_STAYS: Duration = Duration::from_secs(1);

/// Who wants to know.
#[derive(Clone, Debug)]
pub(crate) struct Listener {
    hints: Weak<Hints>,
    store: Weak<Store>,
}

impl Listener {
    pub(crate) fn new(hints: &Arc<Hints>, store: &Arc<Store>) -> Self {
        Self {
            hints: Arc::downgrade(hints),
            store: Arc::downgrade(store),
        }
    }
}

/// The pods by name, and whether each is ready.
#[derive(Default, Debug)]
struct Ready {
    /// When they were listed, unless something may have been missed since.
    listed: Option<Reading>,
    pods: BTreeMap<String, bool>,
    /// Whether changes are told, so that what was listed stays the present.
    watched: bool,
}

#[derive(Debug)]
pub(crate) struct Pods {
    shared: Arc<View>,
    tasks: Arc<dyn Tasks>,
    watch: Mutex<Option<(TaskGuard, TaskGuard)>>,
}

/// What is known of the pods.
#[derive(Debug)]
struct View {
    api: Arc<Api>,
    listeners: Mutex<Vec<Listener>>,
    path: String,
    /// How often pods are listed where they cannot be watched.
    list_every: Duration,
    /// Only one lists at a time: those who wait for it want the same.
    listing: tokio::sync::Mutex<()>,
    ready: Mutex<Ready>,
    selector: String,
}

impl Pods {
    pub(crate) fn new(
        api: Arc<Api>,
        selector: String,
        list_every: Duration,
        tasks: Arc<dyn Tasks>,
    ) -> Self {
        let path = format!(
            "/api/v1/namespaces/{}/pods?labelSelector={}",
            api.namespace,
            escape(&selector)
        );
        let shared = View {
            api,
            listeners: Mutex::default(),
            list_every,
            listing: tokio::sync::Mutex::default(),
            path,
            ready: Mutex::default(),
            selector,
        };
        Self {
            shared: Arc::new(shared),
            tasks,
            watch: Mutex::default(),
        }
    }

    /// Tells `listener` of changes from now on.
    pub(crate) fn tell(&self, listener: Listener) {
        {
            let mut listeners = locked(&self.shared.listeners);
            listeners.retain(|listener| listener.hints.strong_count() > 0);
            listeners.push(listener);
        }
        let mut watch = locked(&self.watch);
        if watch.is_none() {
            let follower = Follower {
                api: Arc::clone(&self.shared.api),
                nudge: Arc::new(Nudge::default()),
                sink: Arc::clone(&self.shared) as _,
                target: Target {
                    path: self.shared.path.as_str().into(),
                    resource: "pods",
                    name: self.shared.selector.clone(),
                },
            };
            let poll = poll(Arc::clone(&self.shared));
            *watch = Some((
                self.tasks.spawn(Box::pin(follower.follow())),
                self.tasks.spawn(Box::pin(poll)),
            ));
        }
    }

    /// Who is ready, by name.
    pub(crate) async fn members(&self) -> Result<Vec<Member>, Failure> {
        if !self.shared.is_present() {
            let _turn = self.shared.listing.lock().await;
            if !self.shared.is_present() {
                self.shared.list().await?;
            }
        }
        let ready = locked(&self.shared.ready);
        let member = |name: &String| Member {
            name: name.as_str().into(),
            incarnation: None,
        };
        Ok(members_of(&ready.pods).map(member).collect())
    }
}

/// Lists the pods again and again while they cannot be watched.
async fn poll(view: Arc<View>) {
    loop {
        view.api.clock.sleep(view.list_every).await;
        if locked(&view.ready).watched {
            continue;
        }
        if let Err(failure) = view.list().await {
            let error = failure.into_error("members");
            tracing::debug!(error = %error, "the members could not be listed");
        }
    }
}

impl View {
    /// Whether the view is the present: it was listed, and what has changed since is told, or cannot be much.
    fn is_present(&self) -> bool {
        let ready = locked(&self.ready);
        let now = self.api.clock.now();
        ready.listed.is_some_and(|listed| {
            ready.watched || now.longest_since(listed) < Nanos::from(LISTED_STAYS)
        })
    }

    async fn list(&self) -> Result<(), Failure> {
        let asked = Asked {
            verb: "list",
            resource: "pods",
            name: &self.selector,
            namespace: &self.api.namespace,
        };
        let mut listed = BTreeMap::new();
        let answer = self.api.read(asked, &self.path).await?;
        let list = answer.map(|answer| answer.object(asked)).transpose()?;
        let items = list.as_ref().and_then(|list| list.get("items")?.as_array());
        for pod in items.into_iter().flatten() {
            if let Some(name) = name(pod) {
                listed.insert(name.to_owned(), is_ready(pod));
            }
        }
        let changed = {
            let mut ready = locked(&self.ready);
            let changed = members_of(&ready.pods).ne(members_of(&listed));
            ready.pods = listed;
            ready.listed = Some(self.api.clock.now());
            changed
        };
        if changed {
            self.members_changed();
        }
        Ok(())
    }

    fn members_changed(&self) {
        for listener in locked(&self.listeners).iter() {
            if let Some(hints) = listener.hints.upgrade() {
                hints.members_changed();
            }
        }
    }

    /// A pod's status may be the word that its holder is dead.
    fn tell_of(&self, pod: &str) {
        for listener in locked(&self.listeners).iter() {
            let (Some(hints), Some(store)) = (listener.hints.upgrade(), listener.store.upgrade())
            else {
                continue;
            };
            if store.cluster.own.is_some() && store.expect_report_of(pod) {
                hints.look();
            }
        }
    }

    fn set(&self, pod: &Value, ready: Option<bool>) {
        let Some(name) = name(pod) else { return };
        let before = {
            let pods = &mut locked(&self.ready).pods;
            match ready {
                Some(ready) => pods.insert(name.to_owned(), ready),
                None => pods.remove(name),
            }
        };
        if before.unwrap_or(false) != ready.unwrap_or(false) {
            self.members_changed();
        }
        self.tell_of(name);
    }
}

impl Sink for View {
    fn changed(&self, pod: Value) {
        self.set(&pod, Some(is_ready(&pod)));
    }

    fn deleted(&self, pod: Value) {
        self.set(&pod, None);
    }

    fn missed(&self) {
        // The watch begins with all that are there; those that are gone are told by nobody.
        locked(&self.ready).listed = None;
        self.members_changed();
    }

    fn watching(&self, works: bool) {
        locked(&self.ready).watched = works;
    }
}

fn members_of(pods: &BTreeMap<String, bool>) -> impl Iterator<Item = &String> {
    pods.iter()
        .filter(|(_, ready)| **ready)
        .map(|(name, _)| name)
}

fn name(pod: &Value) -> Option<&str> {
    pod.pointer("/metadata/name")?.as_str()
}

/// Running, and with the condition Ready, as Camel counts members.
fn is_ready(pod: &Value) -> bool {
    let running = pod.pointer("/status/phase").and_then(Value::as_str) == Some("Running");
    let conditions = pod.pointer("/status/conditions").and_then(Value::as_array);
    let ready = conditions.into_iter().flatten().any(|condition| {
        condition.get("type").and_then(Value::as_str) == Some("Ready")
            && condition.get("status").and_then(Value::as_str) == Some("True")
    });
    running && ready
}

/// A selector as a part of a query (RFC 3986, section 2.1).
fn escape(text: &str) -> String {
    let mut escaped = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            escaped.push(char::from(byte));
        } else {
            escaped.push_str(&format!("%{byte:02X}"));
        }
    }
    escaped
}
