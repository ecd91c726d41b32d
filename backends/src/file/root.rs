use std::path::{Path, PathBuf};
use std::sync::Arc;

use tenure_core::{ElectionName, Error, ErrorKind, FencingToken};

use super::backend::FileLock;
use super::config::{FileRootBuilder, NodeLocalLocks};
use super::descriptors::Share;
use super::error::{Failure, doing};
use super::mounts::{Verdict, judge};
use super::paths::Paths;
use super::system::{FileKind, System};
use super::watch::Watcher;
use super::worker::Worker;

/// A directory with the locks of any number of elections.
///
/// All its locks share three threads, whatever their number: a disk that hangs stops this root's elections at their deadlines, and no
/// other's. Cheap to clone. The threads end when the last clone and the last lock are dropped.
#[derive(Clone, Debug)]
pub struct FileRoot(Arc<Shared>);

#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) directory: PathBuf,
    pub(crate) inode: u64,
    pub(crate) system: Arc<dyn System>,
    pub(crate) token_floor: Option<FencingToken>,
    pub(crate) warning: Option<String>,
    pub(crate) watcher: Arc<Watcher>,
    pub(crate) worker: Worker,
}

impl Drop for Shared {
    fn drop(&mut self) {
        self.watcher.close();
    }
}

impl FileRoot {
    /// Opens `directory` with the usual choices: see [`FileRootBuilder::open`].
    ///
    /// # Errors
    /// As [`FileRootBuilder::open`].
    pub fn open(directory: impl AsRef<Path>) -> Result<Self, Error> {
        Self::builder(directory).open()
    }

    /// Opens `directory` with choices.
    pub fn builder(directory: impl AsRef<Path>) -> FileRootBuilder {
        FileRootBuilder::new(directory.as_ref())
    }

    /// The lock of `election`, for one candidate. It touches no file before its first call.
    ///
    /// # Errors
    /// When the name could be mistaken for another election's file, or when this process may not have as many open files.
    pub fn lock(&self, election: ElectionName) -> Result<FileLock, Error> {
        let opened = Paths::new(&self.0.directory, election)
            .map_err(|error| Failure::new(ErrorKind::InvalidInput, error.to_string()))
            .and_then(|paths| {
                let share = Share::take(self.0.system.as_ref())?;
                Ok(FileLock::new(&self.0, paths, share))
            });
        opened.map_err(|failure| failure.into_error("open"))
    }

    /// The directory, as an absolute path.
    pub fn directory(&self) -> &Path {
        &self.0.directory
    }

    /// What its user should know about the file system, where there is something; it was told in a log line too.
    pub fn warning(&self) -> Option<&str> {
        self.0.warning.as_deref()
    }

    pub(crate) fn open_on(
        system: Arc<dyn System>,
        builder: &FileRootBuilder,
    ) -> Result<Self, Failure> {
        let directory = std::path::absolute(&builder.directory)
            .map_err(doing("cannot use", &builder.directory))?;
        system
            .create_directories(&directory)
            .map_err(doing("cannot create", &directory))?;
        let stat = system
            .stat_directory(&directory)
            .map_err(doing("cannot look at", &directory))?
            .filter(|stat| stat.kind == FileKind::Directory)
            .ok_or_else(|| {
                let detail = format!("{} is not a directory", directory.display());
                Failure::new(ErrorKind::InvalidInput, detail)
            })?;
        let warning = examine(system.as_ref(), &directory, builder.node_local_locks)?;
        let threads = |error: std::io::Error| {
            let detail = format!("cannot start a thread: {error}");
            Failure::new(ErrorKind::Exhausted, detail)
        };
        // The threads of the worker end with it when the watcher cannot be started.
        let worker = Worker::start(system.as_ref()).map_err(threads)?;
        Ok(Self(Arc::new(Shared {
            inode: stat.inode,
            token_floor: builder.token_floor,
            warning,
            watcher: Watcher::start(&system, &directory).map_err(threads)?,
            worker,
            directory,
            system,
        })))
    }
}

fn examine(
    system: &dyn System,
    directory: &Path,
    policy: NodeLocalLocks,
) -> Result<Option<String>, Failure> {
    let facts = system
        .mount_of(directory)
        .map_err(doing("cannot look at", directory))?;
    let warning = match (judge(&facts), policy) {
        (Verdict::Fine, _) => return Ok(None),
        (Verdict::Refused(why), NodeLocalLocks::Refuse) => {
            let detail = format!("{} is on {why}", directory.display());
            return Err(Failure::new(ErrorKind::Unsupported, detail));
        }
        (Verdict::Refused(why), NodeLocalLocks::Accept) => format!("{why} (accepted explicitly)"),
        (Verdict::Warned(why), _) => why,
    };
    tracing::warn!(directory = %directory.display(), "{warning}");
    Ok(Some(warning))
}
