//! The real Kubernetes backend over the simulated API server keeps every promise that it keeps over the real one.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use serde_json::{Value, json};
use tenure_backends::kubernetes::Cluster;
use tenure_backends::kubernetes::simulated::{Task, TaskGuard, Tasks, World};
use tenure_core::testing::conformance::{Ability, Fixture, Outcome, Suite, TestLock, Trouble};
use tenure_core::{Clock, ElectionName, LockBackend, Nanos, WallTime};

use super::{ADMINISTRATOR, Alone, ApiServers, Key, Kind};
use crate::clock::{ClockStart, NodeClock};
use crate::executor::{Handle, NodeId, Process};
use crate::random::{Purpose, Stream};

#[derive(Debug)]
struct Servers {
    clock: NodeClock,
    locks: std::sync::Mutex<u64>,
    world: Alone,
}

struct Lease {
    api: ApiServers,
    clock: NodeClock,
    key: Key,
    world: Alone,
}

fn trouble(error: impl fmt::Display) -> Trouble {
    Trouble::new(error.to_string())
}

/// Tasks that go on until the world ends: there is nothing that they could disturb.
#[derive(Debug)]
struct Endless(Handle);

impl Tasks for Endless {
    fn spawn(&self, task: Task) -> TaskGuard {
        self.0.spawn(&Process::on(NodeId(0)), task);
        TaskGuard::new(|| {})
    }
}

impl Lease {
    fn edit(&self, change: impl FnOnce(&mut Value)) -> Result<(), Trouble> {
        let mut found = false;
        self.api.edit(&self.key, |lease| {
            let mut lease = lease?;
            change(&mut lease);
            found = true;
            Some(lease)
        });
        if found {
            Ok(())
        } else {
            Err(trouble("there is no Lease"))
        }
    }
}

#[async_trait]
impl Fixture for Servers {
    async fn fresh_lock(&self) -> Result<Box<dyn TestLock>, Trouble> {
        let number = {
            let mut locks = self.locks.lock().unwrap();
            *locks += 1;
            *locks
        };
        Ok(Box::new(Lease {
            api: self.world.api().clone(),
            clock: self.clock.clone(),
            key: Key::new(Kind::Lease, "default", &format!("lock-{number}")),
            world: self.world.clone(),
        }))
    }

    fn lacks(&self) -> Vec<(Ability, &'static str)> {
        let pods = "members are pods, which nobody enlists";
        let version =
            "the token is the version of the acquiring write, which only its answer tells";
        let drawn = "the electors' runs lose requests and replies";
        vec![
            (Ability::Enlist, pods),
            (Ability::TellTokenAtOnce, version),
            (Ability::LoseReply, drawn),
            (Ability::LoseRequest, drawn),
        ]
    }

    fn clock(&self) -> Option<Arc<dyn Clock>> {
        Some(self.clock.clock())
    }
}

#[async_trait]
impl TestLock for Lease {
    async fn handle(&self, number: usize) -> Result<Arc<dyn LockBackend>, Trouble> {
        let node = u16::try_from(number).map_err(trouble)?;
        let client = || {
            let server = number % self.api.count();
            let link = self.world.link(node, ADMINISTRATOR, server);
            link.client(self.world.host(), "default")
        };
        let clock: Arc<dyn Clock> = self.clock.clock();
        let world = World {
            requests: client(),
            watches: client(),
            planted: None,
            process_began: clock.wall(),
            clock,
            tasks: Arc::new(Endless(self.world.handle().clone())),
        };
        let cluster = Cluster::builder().open_simulated(world).map_err(trouble)?;
        let election = ElectionName::new(&self.key.name).map_err(trouble)?;
        Ok(Arc::new(cluster.lock(election).map_err(trouble)?))
    }

    async fn crash(&self, _number: usize) -> Result<(), Trouble> {
        Ok(())
    }

    async fn delete_lock(&self) -> Result<(), Trouble> {
        self.api.edit(&self.key, |_| None);
        Ok(())
    }

    async fn edit_label(&self) -> Result<(), Trouble> {
        self.edit(|lease| lease["metadata"]["labels"]["edited"] = "yes".into())
    }

    async fn empty_record(&self) -> Result<(), Trouble> {
        self.edit(|lease| {
            if let Some(spec) = lease["spec"].as_object_mut() {
                spec.remove("holderIdentity");
            }
        })
    }

    async fn copy_record(&self) -> Result<(), Trouble> {
        self.api.recreate(&self.key);
        Ok(())
    }

    async fn corrupt_record(&self) -> Result<(), Trouble> {
        self.edit(|lease| lease["spec"] = json!({ "holderIdentity": "???", "renewTime": null }))
    }

    async fn overwrite_holder(&self, holder: &str) -> Result<(), Trouble> {
        self.edit(|lease| lease["spec"]["holderIdentity"] = holder.into())
    }
}

impl fmt::Debug for Lease {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Lease").field(&self.key).finish()
    }
}

#[test]
fn the_kubernetes_backend_keeps_its_promises_over_simulated_servers() {
    let mut passed = 0;
    for name in Suite::<Servers>::names() {
        for seed in 0..5 {
            let servers = if Stream::new(seed, 0, Purpose::Plan).happens(500) {
                1
            } else {
                2
            };
            let outcome = Alone::run(seed, servers, move |world| async move {
                let start = ClockStart {
                    uptime: Nanos::from_millis(1_000_000),
                    rate_ppm: 0,
                    wall: WallTime::from_unix_seconds(1_800_000_000),
                };
                let clock = NodeClock::new(world.handle(), start);
                let locks = std::sync::Mutex::default();
                Suite::new(Servers {
                    clock,
                    locks,
                    world,
                })
                .run(name)
                .await
            });
            match outcome {
                Outcome::Passed => passed += 1,
                Outcome::LeftOut(_) => {}
                Outcome::Failed(failure) => panic!("{name}, seed {seed}: {failure}"),
            }
        }
    }
    assert!(passed > 30 * 5, "only {passed} checks were not left out");
}
