use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use tempfile::TempDir;
use tenure_backends::file::{FileLock, FileRoot};
use tenure_backends::host::SystemClock;
use tenure_core::testing::conformance::{Ability, Fixture, TestLock, Trouble};
use tenure_core::{Clock, LockBackend};

use crate::scene::{NAME, election, wait, with_holder};

#[derive(Debug)]
struct Directory;

#[derive(Debug)]
struct Lock {
    handles: Mutex<BTreeMap<usize, Arc<FileLock>>>,
    root: FileRoot,
    temporary: TempDir,
}

impl Lock {
    fn path(&self, suffix: &str) -> PathBuf {
        self.temporary.path().join(format!("{NAME}{suffix}"))
    }
}

fn trouble(error: &dyn std::error::Error) -> Trouble {
    Trouble::new(error.to_string())
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), Trouble> {
    std::fs::write(path, bytes).map_err(|error| trouble(&error))
}

#[async_trait]
impl Fixture for Directory {
    async fn fresh_lock(&self) -> Result<Box<dyn TestLock>, Trouble> {
        let temporary = tempfile::tempdir().map_err(|error| trouble(&error))?;
        let root = FileRoot::open(temporary.path()).map_err(|error| trouble(&error))?;
        Ok(Box::new(Lock {
            handles: Mutex::default(),
            root,
            temporary,
        }))
    }

    fn lacks(&self) -> Vec<(Ability, &'static str)> {
        let calls = "a system call returns what it did: nothing is lost between the two";
        vec![(Ability::LoseReply, calls), (Ability::LoseRequest, calls)]
    }

    fn clock(&self) -> Option<Arc<dyn Clock>> {
        Some(Arc::new(SystemClock::new()))
    }
}

#[async_trait]
impl TestLock for Lock {
    async fn handle(&self, number: usize) -> Result<Arc<dyn LockBackend>, Trouble> {
        let lock = self
            .root
            .lock(election())
            .map_err(|error| trouble(&error))?;
        let lock = Arc::new(lock);
        let mut handles = self.handles.lock().unwrap();
        handles.insert(number, Arc::clone(&lock));
        Ok(lock)
    }

    async fn crash(&self, number: usize) -> Result<(), Trouble> {
        // All that the kernel does at a process's death is to close what it had open.
        if let Some(lock) = self.handles.lock().unwrap().get(&number) {
            lock.abandon();
        }
        Ok(())
    }

    async fn delete_lock(&self) -> Result<(), Trouble> {
        std::fs::remove_file(self.path("")).map_err(|error| trouble(&error))
    }

    async fn corrupt_record(&self) -> Result<(), Trouble> {
        write(&self.path(".tenure"), b"tenure-record 1\nholder x\n")
    }

    async fn overwrite_holder(&self, holder: &str) -> Result<(), Trouble> {
        let path = self.path(".tenure");
        let record = std::fs::read_to_string(&path).map_err(|error| trouble(&error))?;
        write(&path, with_holder(&record, holder).as_bytes())
    }
}

tenure_core::conformance_tests!(wait, Directory);
