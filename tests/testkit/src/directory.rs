//! Where servers are kept: a directory that does not outlive the tests, and a cache of programs that does.

use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// A directory that is removed when this process has ended, however it ends; kept under another name where a test fails that it belongs to.
#[derive(Debug)]
pub(crate) struct Directory {
    pub(crate) path: PathBuf,
    /// Its standard input closes with this process.
    remover: Child,
}

impl Directory {
    pub(crate) fn make() -> Self {
        let path = tempfile::Builder::new()
            .prefix("tenure-servers-")
            .tempdir()
            .unwrap()
            .keep();
        let mut remover = Command::new("sh");
        remover
            .args(["-c", "read _; sleep 1; rm -rf \"$1\"", "remover"])
            .arg(&path)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        // Whoever ends the tests from a terminal must not end it too.
        let remover = remover.process_group(0).spawn().unwrap();
        Self { path, remover }
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let kept = kept(&self.path);
            // What servers have logged is all there is to explain a failure with.
            match std::fs::rename(&self.path, &kept) {
                Ok(()) => eprintln!("the servers' files are kept in {}", kept.display()),
                Err(error) => eprintln!("the servers' files cannot be kept: {error}"),
            }
        }
        drop(self.remover.stdin.take());
    }
}

fn kept(path: &Path) -> PathBuf {
    path.with_extension("kept")
}

/// The directory of what tools/servers builds: now, if it is not there yet.
pub(crate) fn built(arguments: &[&str]) -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let output = Command::new(root.join("tools/servers"))
        .args(arguments)
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "tools/servers built nothing: see above"
    );
    PathBuf::from(String::from_utf8(output.stdout).unwrap().trim())
}

#[cfg(test)]
mod tests {
    use std::panic::catch_unwind;

    use super::*;

    #[test]
    fn a_test_that_fails_keeps_what_its_servers_have_written() {
        let paths = std::sync::Mutex::new(PathBuf::new());
        let failed = catch_unwind(|| {
            let directory = Directory::make();
            std::fs::write(directory.path.join("log"), "said").unwrap();
            paths.lock().unwrap().clone_from(&directory.path);
            panic!("it fails");
        });
        assert!(failed.is_err());
        let kept = kept(&paths.into_inner().unwrap());
        let said = std::fs::read_to_string(kept.join("log")).unwrap();
        assert_eq!(said, "said");
        std::fs::remove_dir_all(kept).unwrap();
    }
}
