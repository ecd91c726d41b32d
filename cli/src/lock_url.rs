use std::path::PathBuf;
use std::str::FromStr;
use std::sync::Arc;

use tenure::file::{FileLock, FileRoot, NodeLocalLocks};
use tenure::{CandidateId, ElectionName, FencingToken, LockBackend};

use crate::exit::Failure;

/// Which lock: `file:///var/lib/tenure/nightly` is the election `nightly` in `/var/lib/tenure`. Taken literally: no `%` is decoded.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum LockUrl {
    File {
        directory: PathBuf,
        election: ElectionName,
    },
}

/// Directories that do not survive a reboot, or are cleaned up in the middle of one.
const FLEETING: [&str; 5] = ["/dev/shm", "/run", "/tmp", "/var/lock", "/var/run"];

impl FromStr for LockUrl {
    type Err = String;

    fn from_str(url: &str) -> Result<Self, String> {
        let Some((scheme, rest)) = url.split_once("://") else {
            return Err(format!(
                "not a URL: write a file's absolute path as `file://{}`",
                absolute(url)
            ));
        };
        match scheme {
            "file" => file(rest),
            "kubernetes" | "zookeeper" => Err(format!(
                "the {scheme} backend is not in this build: use `file:///directory/election`"
            )),
            other => Err(format!(
                "unknown scheme {other:?}: use `file:///directory/election` (kubernetes:// and zookeeper:// are not in this build)"
            )),
        }
    }
}

fn absolute(path: &str) -> String {
    match path.strip_prefix('/') {
        Some(_) => path.to_owned(),
        None => "/var/lib/tenure/".to_owned() + path.rsplit('/').next().unwrap_or("nightly"),
    }
}

fn file(path: &str) -> Result<LockUrl, String> {
    let Some((directory, election)) = path.rsplit_once('/').filter(|_| path.starts_with('/'))
    else {
        return Err(format!(
            "{path:?} is not an absolute path: write three slashes, as in `file://{}`",
            absolute(path)
        ));
    };
    if election.is_empty() {
        return Err("the path ends in `/`: end it in the election's name".to_owned());
    }
    let election = ElectionName::new(election).map_err(|error| error.to_string())?;
    let directory = if directory.is_empty() { "/" } else { directory };
    Ok(LockUrl::File {
        directory: directory.into(),
        election,
    })
}

/// A lock that was opened for one candidate, or to look at it.
#[derive(Clone, Debug)]
pub(crate) struct OpenLock {
    pub(crate) backend: Arc<dyn LockBackend>,
    file: Arc<FileLock>,
}

impl OpenLock {
    /// A descriptor with which guard and job keep the lock, where the kernel has it and it is held.
    pub(crate) fn descriptor(&self) -> std::io::Result<Option<std::os::fd::OwnedFd>> {
        self.file.descriptor()
    }

    pub(crate) fn election(&self) -> &ElectionName {
        &self.backend.description().election
    }

    /// Takes the candidate out, when its elector was given up.
    pub(crate) async fn withdraw(&self, candidate: &CandidateId) {
        // There is nothing to be done about a failure: the end of the process does the same.
        let _ = self.backend.withdraw(candidate).await;
    }
}

impl LockUrl {
    /// Whether the lock's place exists. Looking at a lock must not make one.
    pub(crate) fn exists(&self) -> bool {
        let Self::File { directory, .. } = self;
        directory.is_dir()
    }

    /// Opens the lock; makes the directory where there is none.
    pub(crate) fn open(
        &self,
        locks: NodeLocalLocks,
        token_floor: Option<FencingToken>,
    ) -> Result<OpenLock, Failure> {
        let Self::File {
            directory,
            election,
        } = self;
        let mut root = FileRoot::builder(directory).node_local_locks(locks);
        if let Some(floor) = token_floor {
            root = root.token_floor(floor);
        }
        let root = root.open().map_err(Failure::unavailable)?;
        let fleeting = FLEETING.iter().find(|place| directory.starts_with(place));
        if let (Some(place), None) = (fleeting, root.warning()) {
            tracing::warn!(
                "{place} is cleaned up at a reboot or before, and the order of fencing tokens with it: prefer /var/lib"
            );
        }
        let lock = root.lock(election.clone()).map_err(Failure::unavailable)?;
        let file = Arc::new(lock);
        let backend = Arc::clone(&file) as Arc<dyn LockBackend>;
        Ok(OpenLock { backend, file })
    }
}

impl std::fmt::Display for LockUrl {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self::File {
            directory,
            election,
        } = self;
        write!(f, "file://{}", directory.join(election.as_str()).display())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_a_directory_and_an_election() {
        for (url, directory, election) in [
            (
                "file:///var/lib/tenure/nightly",
                "/var/lib/tenure",
                "nightly",
            ),
            ("file:///nightly", "/", "nightly"),
            ("file:///a b/c%20d", "/a b", "c%20d"),
        ] {
            let parsed: LockUrl = url.parse().unwrap();
            let expected = LockUrl::File {
                directory: directory.into(),
                election: ElectionName::new(election).unwrap(),
            };
            assert_eq!(parsed, expected);
            assert_eq!(parsed.to_string(), url);
        }
    }

    #[test]
    fn what_is_no_lock_says_what_to_write() {
        for (url, says) in [
            (
                "/var/lib/tenure/nightly",
                "`file:///var/lib/tenure/nightly`",
            ),
            ("nightly", "`file:///var/lib/tenure/nightly`"),
            ("file://nightly", "three slashes"),
            ("file:///var/lib/", "end it in the election's name"),
            ("etcd://host/x", "unknown scheme \"etcd\": use `file://"),
            ("kubernetes://default/x", "not in this build"),
            ("zookeeper://host/x", "not in this build"),
            ("file:///var/lib/..", "names a directory"),
        ] {
            let error = url.parse::<LockUrl>().unwrap_err();
            assert!(error.contains(says), "{url}: {error}");
        }
    }
}
