//! The kubelet's word that a container has ended.
//!
//! A kubelet says so of a container only when its processes are gone. That a pod or its node is missing, unknown, not ready or failed says
//! nothing: it may run on where nobody can see it.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::Value;
use tenure_core::{ErrorKind, Incarnation, WallTime};

use super::annotations;
use super::api::Api;
use super::error::{Asked, Failure};
use super::record::Lease;
use super::time;
use crate::locked::locked;
use crate::tasks::{TaskGuard, Tasks};

/// A kubelet tells times in whole seconds.
const ROUNDING: Duration = Duration::from_secs(1);
/// A runtime notes that a container has started so long after its first process has begun, at the latest.
const NOTED_WITHIN: Duration = Duration::from_secs(3);
/// What a kubelet says of a container that it has lost sight of.
const LOST_SIGHT: &str = "ContainerStatusUnknown";
/// How often the own pod is read until its status shows this container.
const LOOK_AGAIN_FIRST: Duration = Duration::from_secs(1);
const LOOK_AGAIN_MAX: Duration = Duration::from_secs(30);

/// The container that a holder says its process is in.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Container {
    container: String,
    pub(crate) holder: Incarnation,
    id: String,
    pub(crate) pod: String,
    pod_uid: String,
}

impl Container {
    /// The holder's container, where the record names one.
    pub(crate) fn of(lease: &Lease) -> Option<Self> {
        let mut parts = lease.annotation(annotations::CONTAINER)?.split(' ');
        let holder = Incarnation::parse(parts.next()?)?;
        let mut part = || {
            parts
                .next()
                .filter(|part| !part.is_empty())
                .map(str::to_owned)
        };
        Some(Self {
            holder,
            pod_uid: part()?,
            pod: part()?,
            container: part()?,
            id: part()?,
        })
    }

    /// Whether the pod's status says that this very container has ended.
    pub(crate) fn is_dead(&self, pod: &Value, lease: &Lease) -> bool {
        let uid = pod.pointer("/metadata/uid").and_then(Value::as_str);
        if uid != Some(&self.pod_uid) || shares_processes(pod) {
            return false;
        }
        let began = lease.led_since();
        statuses(pod)
            .filter(|status| text(status, "name") == Some(&self.container))
            .flat_map(|status| ["state", "lastState"].map(|key| status.get(key)?.get("terminated")))
            .flatten()
            .any(|ended| self.ended(ended, began))
    }

    fn ended(&self, terminated: &Value, began: Option<WallTime>) -> bool {
        let ours = text(terminated, "containerID") == Some(&self.id);
        let seen = text(terminated, "reason") != Some(LOST_SIGHT);
        // What ended before the leadership began, by the clock of one and the same node, was not the leader.
        let finished = text(terminated, "finishedAt").and_then(time::micros_of);
        let after = match (finished, began) {
            (Some(finished), Some(began)) => {
                WallTime::from_unix_micros(finished).saturating_add(ROUNDING) >= began
            }
            _ => false,
        };
        ours && seen && after
    }
}

fn text<'a>(value: &'a Value, key: &str) -> Option<&'a str> {
    value.get(key)?.as_str()
}

fn statuses(pod: &Value) -> impl Iterator<Item = &Value> {
    ["containerStatuses", "initContainerStatuses"]
        .into_iter()
        .filter_map(|key| pod.get("status")?.get(key)?.as_array())
        .flatten()
}

/// Whether work may outlive its container.
fn shares_processes(pod: &Value) -> bool {
    ["/spec/hostPID", "/spec/shareProcessNamespace"]
        .iter()
        .any(|path| pod.pointer(path).and_then(Value::as_bool) == Some(true))
}

/// The pod, read authoritatively.
pub(crate) async fn report(api: &Api, pod: &str) -> Result<Option<Value>, Failure> {
    let asked = Asked {
        verb: "get",
        resource: "pods",
        name: pod,
        namespace: &api.namespace,
    };
    let path = format!("/api/v1/namespaces/{}/pods/{pod}", api.namespace);
    let answer = api.read(asked, &path).await?;
    answer.map(|answer| answer.object(asked)).transpose()
}

/// The container that this process is in.
#[derive(Debug)]
pub(crate) struct Own {
    known: Arc<Mutex<Option<Named>>>,
    _task: TaskGuard,
}

/// What a record says of it, behind the incarnation.
pub(crate) type Named = String;

/// What the own pod's status shows.
#[derive(PartialEq, Eq, Debug)]
pub(crate) enum Look {
    Found(Named),
    /// Not yet, for this reason.
    NotYet(&'static str),
    /// Never, and what to change.
    Never(String),
}

impl Own {
    /// Looks for the own container until the kubelet has reported it.
    ///
    /// `began` is when its first process began, where the machine is not to be asked.
    pub(crate) fn find(
        api: &Arc<Api>,
        pod: String,
        container: Option<String>,
        began: Option<WallTime>,
        tasks: &dyn Tasks,
    ) -> Self {
        let known = Arc::new(Mutex::new(None));
        let search = search(Arc::clone(api), pod, container, began, Arc::clone(&known));
        Self {
            known,
            _task: tasks.spawn(Box::pin(search)),
        }
    }

    /// What the record says of the container of its `holder`, once it is known.
    pub(crate) fn named(&self, holder: Incarnation) -> Option<String> {
        let known = locked(&self.known);
        known.as_ref().map(|named| format!("{holder} {named}"))
    }
}

async fn search(
    api: Arc<Api>,
    pod: String,
    container: Option<String>,
    began: Option<WallTime>,
    known: Arc<Mutex<Option<Named>>>,
) {
    let mut pause = LOOK_AGAIN_FIRST;
    let mut told = false;
    loop {
        let look = match report(&api, &pod).await {
            Ok(Some(object)) => {
                let began = began.or_else(first_process_began);
                look(&object, &pod, container.as_deref(), began)
            }
            Ok(None) => Look::NotYet("there is no pod of this name: set the pod's name"),
            Err(failure) if failure.kind() == ErrorKind::PermissionDenied => {
                Look::NotYet("the right to get pods is missing")
            }
            Err(_) => Look::NotYet("the pod could not be read"),
        };
        match look {
            Look::Found(named) => {
                *locked(&known) = Some(named);
                return;
            }
            Look::Never(why) => {
                tracing::warn!(
                    pod,
                    why,
                    "no proof of death by the kubelet: a crash is waited out"
                );
                return;
            }
            Look::NotYet(why) => {
                if pause == LOOK_AGAIN_MAX && !std::mem::replace(&mut told, true) {
                    tracing::warn!(
                        pod,
                        why,
                        "this container is not reported yet: a crash is waited out"
                    );
                }
            }
        }
        api.clock.sleep(pause).await;
        pause = (pause * 2).min(LOOK_AGAIN_MAX);
    }
}

/// When this container's first process began, by the node's wall clock; nothing where that cannot be found out.
#[cfg(target_os = "linux")]
fn first_process_began() -> Option<WallTime> {
    use tenure_core::Clock;

    let stat = std::fs::read_to_string("/proc/1/stat").ok()?;
    // The command's name is in parentheses and may contain anything.
    let ticks: u64 = stat
        .rsplit_once(')')?
        .1
        .split_whitespace()
        .nth(19)?
        .parse()
        .ok()?;
    let per_second = rustix::param::clock_ticks_per_second();
    let after_boot =
        Duration::from_nanos(ticks.checked_mul(1_000_000_000)?.checked_div(per_second)?);
    let clock = crate::host::SystemClock::new();
    let up = Duration::from(clock.now().boottime);
    let age = up.checked_sub(after_boot)?;
    let age = u64::try_from(age.as_micros()).ok()?;
    Some(WallTime::from_unix_micros(
        clock.wall().unix_micros().checked_sub(age)?,
    ))
}

#[cfg(not(target_os = "linux"))]
fn first_process_began() -> Option<WallTime> {
    None
}

/// The own container in the own pod's status.
///
/// The status may be that of the container before: of one that was restarted in place. That one began before this one's first process; or
/// after it, by a clock that was set back in between.
pub(crate) fn look(
    pod: &Value,
    name: &str,
    container: Option<&str>,
    began: Option<WallTime>,
) -> Look {
    if shares_processes(pod) {
        let why = "its processes are shared (hostPID or shareProcessNamespace), so work may outlive the container";
        return Look::Never(why.to_owned());
    }
    let Some(began) = began else {
        return Look::Never("when this container began cannot be found out here".to_owned());
    };
    let mut named =
        statuses(pod).filter(|status| container.is_none_or(|c| text(status, "name") == Some(c)));
    let Some(status) = named.next() else {
        return Look::NotYet("its status shows no such container: set the container's name");
    };
    if named.next().is_some() {
        let why = "it has several containers: say which one this is";
        return Look::Never(why.to_owned());
    }
    let started = status
        .pointer("/state/running/startedAt")
        .and_then(Value::as_str)
        .and_then(time::micros_of)
        .map(WallTime::from_unix_micros);
    let Some(started) = started else {
        return Look::NotYet("the kubelet has not reported this container as running");
    };
    if started.saturating_add(ROUNDING) <= began {
        return Look::NotYet("the kubelet has reported an earlier container");
    }
    if started > began.saturating_add(NOTED_WITHIN) {
        return Look::NotYet(
            "the container that the kubelet has reported began after this process, or the node's clock was set",
        );
    }
    let uid = pod.pointer("/metadata/uid").and_then(Value::as_str);
    match (uid, text(status, "name"), text(status, "containerID")) {
        (Some(uid), Some(container), Some(id)) if !id.is_empty() && !id.contains(' ') => {
            Look::Found(format!("{uid} {name} {container} {id}"))
        }
        _ => Look::NotYet("the kubelet has not reported the container's id"),
    }
}
