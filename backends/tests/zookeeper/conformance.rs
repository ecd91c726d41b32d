use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use tenure_backends::host::SystemClock;
use tenure_backends::zookeeper::{Ensemble, NodeLock};
use tenure_core::memory::Operation;
use tenure_core::testing::conformance::{Ability, Fixture, TestLock, Trouble};
use tenure_core::{Clock, LockBackend};

use crate::scene::{NAME, builder, election, fresh_base, server, wait};

#[derive(Debug)]
struct OneServer;

/// One election, below a node of its own. Each handle is a process of its own, with a session of its own.
#[derive(Debug)]
struct Nodes {
    base: String,
    processes: Mutex<BTreeMap<usize, Process>>,
}

#[derive(Debug)]
struct Process {
    ensemble: Ensemble,
    lock: Arc<NodeLock>,
}

fn trouble(error: impl std::fmt::Display) -> Trouble {
    Trouble::new(error.to_string())
}

#[async_trait]
impl Fixture for OneServer {
    async fn fresh_lock(&self) -> Result<Box<dyn TestLock>, Trouble> {
        let base = fresh_base();
        let paths = [
            format!("{base}/{NAME}"),
            format!("{base}/_tenure_/notes/{NAME}"),
            format!("{base}/_tenure_/sessions"),
        ];
        // A write without parents does nothing, which is no case for a lost reply.
        let made = tokio::task::spawn_blocking(move || {
            let operator = server().operator();
            paths.iter().try_for_each(|path| operator.make_path(path))
        });
        made.await.map_err(trouble)?.map_err(trouble)?;
        Ok(Box::new(Nodes {
            base,
            processes: Mutex::default(),
        }))
    }

    fn lacks(&self) -> Vec<(Ability, &'static str)> {
        let deleted = "a node that somebody else deletes leaves no trace of its having been there: what overlap that makes is measured, and no part of what is promised";
        let claimed = "a contender's node has no record beside its name: there is nothing that could be unreadable, emptied, copied or claimed by another";
        vec![
            (Ability::DeleteLock, deleted),
            (Ability::CopyRecord, claimed),
            (Ability::CorruptRecord, claimed),
            (Ability::EditLabel, claimed),
            (Ability::EmptyRecord, claimed),
            (Ability::OverwriteHolder, claimed),
        ]
    }

    fn clock(&self) -> Option<Arc<dyn Clock>> {
        Some(Arc::new(SystemClock::new()))
    }
}

impl Nodes {
    /// A part of what `operation` writes, which no other test's requests have.
    fn part_of(&self, operation: Operation) -> String {
        let Self { base, .. } = self;
        match operation {
            Operation::Renew => format!("{base}/_tenure_/sessions/"),
            _ => format!("{base}/{NAME}/_c_"),
        }
    }
}

#[async_trait]
impl TestLock for Nodes {
    async fn handle(&self, number: usize) -> Result<Arc<dyn LockBackend>, Trouble> {
        let opened = builder(&server().connect_string(), &self.base).open().await;
        let ensemble = opened.map_err(trouble)?;
        let lock = Arc::new(ensemble.lock(election()).map_err(trouble)?);
        let process = Process {
            ensemble,
            lock: Arc::clone(&lock),
        };
        self.processes.lock().unwrap().insert(number, process);
        Ok(lock)
    }

    async fn crash(&self, number: usize) -> Result<(), Trouble> {
        // The servers end the session when they hear nothing of it for a while. That is not waited for.
        let process = self.processes.lock().unwrap().remove(&number);
        let process = process.ok_or_else(|| trouble("no such handle"))?;
        drop(process.lock);
        process.ensemble.close().await;
        Ok(())
    }

    async fn lose_next_reply(&self, _number: usize, operation: Operation) -> Result<(), Trouble> {
        let part = self.part_of(operation);
        server().way().to(1).lose_reply_to(&part);
        Ok(())
    }

    async fn lose_next_request(&self, _number: usize, operation: Operation) -> Result<(), Trouble> {
        let part = self.part_of(operation);
        server().way().to(1).lose_request_with(&part);
        Ok(())
    }
}

tenure_core::conformance_tests!(wait, OneServer);
