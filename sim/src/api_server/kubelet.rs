use std::fmt;
use std::future::poll_fn;
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Poll, Waker};
use std::time::Duration;

use serde_json::{Value, json};
use tenure_core::WallTime;

use super::kind::{Key, Kind};
use super::micro_time::write_seconds;
use super::servers::ApiServers;
use crate::electors::Network;
use crate::executor::NodeId;
use crate::plan::Span;
use crate::random::{Purpose, Stream};

/// The only container of each pod.
pub const CONTAINER: &str = "main";
/// What all pods of the candidates are labelled with.
pub const LABEL: (&str, &str) = ("app", "tenure");
const NAMESPACE: &str = "default";
const ONE_THREAD: &str = "one thread, and nothing panics under the lock";
/// How long a kubelet takes to see what has become of a container, at the most.
const NOTICES_WITHIN_MICROS: u64 = 1_500_000;
/// How often a kubelet tries to report what it could not.
const TRIES_AGAIN_FIRST: Duration = Duration::from_millis(500);
const TRIES_AGAIN_MOST: Duration = Duration::from_secs(10);

/// A node's kubelet, its one pod and the container in that.
///
/// It reports a container as terminated only after its processes are gone, and late: or never, while its node is cut off or it does not
/// work. Where it is silent for too long, the control plane calls the pod not ready, and deletes it later, whatever runs on the node.
#[derive(Clone)]
pub struct Kubelet(Arc<Inner>);

struct Inner {
    api: ApiServers,
    network: Network,
    node: NodeId,
    state: Mutex<State>,
}

struct State {
    /// Counts what there was to report.
    changes: u64,
    containers: u64,
    draw: Stream,
    ended: Option<Ended>,
    late: Span,
    /// Counts the pods that there were.
    pods: u64,
    reporter: Option<Waker>,
    restarts: u64,
    running: Option<(String, WallTime)>,
    silent: bool,
}

/// A container that has terminated.
#[derive(Clone)]
struct Ended {
    exit_code: i32,
    finished: WallTime,
    id: String,
    started: WallTime,
}

impl Kubelet {
    /// The kubelet of a node, on which nothing runs yet.
    pub(crate) fn new(api: &ApiServers, network: &Network, node: NodeId, seed: u64) -> Self {
        let kubelet = Self(Arc::new(Inner {
            api: api.clone(),
            network: network.clone(),
            node,
            state: Mutex::new(State {
                changes: 0,
                containers: 0,
                draw: Stream::new(seed, (1 << 35) + u64::from(node.0), Purpose::Network),
                ended: None,
                late: Span::ZERO,
                pods: 0,
                reporter: None,
                restarts: 0,
                running: None,
                silent: false,
            }),
        }));
        let reporter = kubelet.clone();
        api.handle()
            .spawn_in_world(async move { reporter.report_for_ever().await });
        kubelet
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().expect(ONE_THREAD)
    }

    /// The name of the pod that is on the node now.
    pub fn pod(&self) -> String {
        format!("pod-{}-{}", self.0.node.0, self.state().pods)
    }

    fn key(&self) -> Key {
        Key::new(Kind::Pod, NAMESPACE, &self.pod())
    }

    /// A container begins, at `wall` by the node's clock: in the pod that is there, or in a new one. Says when the one before it in the pod began.
    pub fn container_began(&self, wall: WallTime) -> Option<WallTime> {
        if self.0.api.object(&self.key()).is_none() {
            {
                let mut state = self.state();
                state.pods += 1;
                state.restarts = 0;
                state.ended = None;
            }
            let (label, value) = LABEL;
            let pod = json!({
                "metadata": { "labels": { label: value } },
                "spec": { "containers": [{ "name": CONTAINER, "image": "tenure" }], "restartPolicy": "Always" },
                "status": { "phase": "Pending" },
            });
            self.0.api.edit(&self.key(), |_| Some(pod));
        } else {
            self.state().restarts += 1;
        }
        let mut state = self.state();
        state.containers += 1;
        let id = format!(
            "containerd://{:04x}{:016x}",
            self.0.node.0,
            state.draw.next_u64()
        );
        state.running = Some((id, wall));
        let before = state.ended.as_ref().map(|ended| ended.started);
        drop(state);
        self.changed();
        before
    }

    /// The container's processes are gone since `wall`, by the node's clock.
    pub fn container_ended(&self, wall: WallTime, exit_code: i32) {
        {
            let mut state = self.state();
            let Some((id, started)) = state.running.take() else {
                return;
            };
            state.ended = Some(Ended {
                exit_code,
                finished: wall,
                id,
                started,
            });
        }
        self.changed();
    }

    /// Somebody deletes the pod: it is gone from the API. What runs on the node is another matter.
    pub fn pod_deleted(&self) {
        self.0.api.edit(&self.key(), |_| None);
    }

    /// The control plane has not heard of the node for long.
    pub fn pod_not_ready(&self) {
        self.0.api.edit(&self.key(), |pod| {
            let mut pod = pod?;
            pod["status"]["conditions"] = json!([{ "type": "Ready", "status": "False" }]);
            Some(pod)
        });
    }

    /// From now on it reports so much later.
    pub fn set_late(&self, by: Span) {
        self.state().late = by;
    }

    /// Whether it reports nothing at all.
    pub fn set_silent(&self, silent: bool) {
        self.state().silent = silent;
    }

    fn changed(&self) {
        let waker = {
            let mut state = self.state();
            state.changes += 1;
            state.reporter.take()
        };
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    async fn report_for_ever(self) {
        let handle = self.0.api.handle().clone();
        let mut reported = 0;
        loop {
            poll_fn(|context| {
                let mut state = self.state();
                if state.changes != reported {
                    return Poll::Ready(());
                }
                state.reporter = Some(context.waker().clone());
                Poll::Pending
            })
            .await;
            let (notices, late) = {
                let mut state = self.state();
                let notices = state.draw.below(NOTICES_WITHIN_MICROS);
                (Duration::from_micros(notices), state.late.into())
            };
            handle.sleep(notices.saturating_add(late)).await;
            let mut pause = TRIES_AGAIN_FIRST;
            while !self.reaches() {
                handle.sleep(pause).await;
                pause = (pause * 2).min(TRIES_AGAIN_MOST);
            }
            reported = self.state().changes;
            let (key, status) = (self.key(), self.status());
            self.0.api.edit(&key, |pod| {
                let mut pod = pod?;
                pod["status"] = status;
                Some(pod)
            });
        }
    }

    fn reaches(&self) -> bool {
        !self.state().silent && self.0.network.lets_requests(self.0.node)
    }

    fn status(&self) -> Value {
        let state = self.state();
        let ended = state.ended.as_ref().map(Ended::written);
        let runs = state.running.is_some();
        let (id, current, last) = match (&state.running, ended) {
            (Some((id, started)), ended) => {
                let running = json!({ "running": { "startedAt": seconds(*started) } });
                (id.as_str(), running, ended.unwrap_or_else(|| json!({})))
            }
            (None, Some(ended)) => {
                let id = state.ended.as_ref().map_or("", |ended| ended.id.as_str());
                (id, ended, json!({}))
            }
            (None, None) => (
                "",
                json!({ "waiting": { "reason": "ContainerCreating" } }),
                json!({}),
            ),
        };
        json!({
            "phase": "Running",
            "conditions": [{ "type": "Ready", "status": if runs { "True" } else { "False" } }],
            "containerStatuses": [{
                "name": CONTAINER,
                "image": "tenure",
                "imageID": "",
                "containerID": id,
                "ready": runs,
                "restartCount": state.restarts,
                "state": current,
                "lastState": last,
            }],
        })
    }
}

impl Ended {
    fn written(&self) -> Value {
        json!({ "terminated": {
            "containerID": self.id,
            "exitCode": self.exit_code,
            "reason": if self.exit_code == 0 { "Completed" } else { "Error" },
            "startedAt": seconds(self.started),
            "finishedAt": seconds(self.finished),
        } })
    }
}

fn seconds(wall: WallTime) -> String {
    write_seconds(i64::try_from(wall.unix_micros() / 1_000_000).unwrap_or(i64::MAX))
}

impl fmt::Debug for Kubelet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Kubelet").field(&self.0.node).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api_server::Alone;

    fn wall(second: u64) -> WallTime {
        WallTime::from_unix_seconds(1_700_000_000 + second)
    }

    fn status(world: &Alone, kubelet: &Kubelet) -> Value {
        let key = Key::new(Kind::Pod, "default", &kubelet.pod());
        let pod = world.api().object(&key).unwrap();
        pod["status"]["containerStatuses"][0].clone()
    }

    #[test]
    fn a_container_that_restarts_in_place_leaves_its_end_in_the_last_state() {
        Alone::run(1, 1, |world| async move {
            let kubelet = world.kubelet(0);
            kubelet.container_began(wall(0));
            world.handle().sleep(Duration::from_secs(2)).await;
            let first = status(&world, &kubelet);
            assert!(first["state"]["running"].is_object());
            kubelet.container_ended(wall(5), 137);
            world.handle().sleep(Duration::from_secs(2)).await;
            let ended = status(&world, &kubelet);
            assert_eq!(
                ended["state"]["terminated"]["containerID"],
                first["containerID"]
            );
            kubelet.container_began(wall(8));
            world.handle().sleep(Duration::from_secs(2)).await;
            let second = status(&world, &kubelet);
            assert_ne!(second["containerID"], first["containerID"]);
            assert_eq!(second["restartCount"], 1);
            assert_eq!(second["lastState"], ended["state"]);
        });
    }

    #[test]
    fn a_kubelet_that_is_silent_says_nothing_of_a_death_and_a_deleted_pod_nothing_either() {
        Alone::run(2, 1, |world| async move {
            let kubelet = world.kubelet(0);
            kubelet.container_began(wall(0));
            world.handle().sleep(Duration::from_secs(2)).await;
            kubelet.set_silent(true);
            kubelet.container_ended(wall(5), 137);
            world.handle().sleep(Duration::from_secs(60)).await;
            assert!(status(&world, &kubelet)["state"]["running"].is_object());
            let first = kubelet.pod();
            kubelet.pod_deleted();
            kubelet.set_silent(false);
            kubelet.container_began(wall(90));
            assert_ne!(kubelet.pod(), first);
        });
    }
}
