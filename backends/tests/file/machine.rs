//! What the tests change about the machine: small disks, read-only ones, users without rights. They need root, as in a container.

use std::path::{Path, PathBuf};

use rustix::mount::{MountFlags, UnmountFlags};
use rustix::thread::CapabilitySet;

/// A mount that ends with the test.
#[derive(Debug)]
pub(crate) struct Mounted(PathBuf);

impl Drop for Mounted {
    fn drop(&mut self) {
        let _ = rustix::mount::unmount(&self.0, UnmountFlags::DETACH);
    }
}

fn mounted(what: &str, at: &Path, outcome: rustix::io::Result<()>) -> Mounted {
    if let Err(error) = outcome {
        panic!(
            "cannot mount {what} at {}: {error}; run the tests as root, or under `unshare --map-root-user --mount`",
            at.display()
        );
    }
    Mounted(at.to_owned())
}

/// A disk of 64 KiB.
pub(crate) fn small_disk(at: &Path) -> Mounted {
    std::fs::create_dir_all(at).unwrap();
    let outcome = rustix::mount::mount("tmpfs", at, "tmpfs", MountFlags::empty(), c"size=64k");
    mounted("a tmpfs of 64 KiB", at, outcome)
}

/// A disk that is not slow to synchronise, for tests of many files.
pub(crate) fn disk_in_memory(at: &Path) -> Mounted {
    let outcome = rustix::mount::mount("tmpfs", at, "tmpfs", MountFlags::empty(), c"size=64m");
    mounted("a tmpfs", at, outcome)
}

/// Makes everything under `at` read-only for whoever goes there by its path.
pub(crate) fn read_only(at: &Path) -> Mounted {
    let mounted = mounted("it over itself", at, rustix::mount::mount_bind(at, at));
    let flags = MountFlags::BIND | MountFlags::RDONLY;
    rustix::mount::mount_remount(at, flags, c"").unwrap();
    mounted
}

/// Fills the disk under `directory`; what fills it.
pub(crate) fn fill(directory: &Path) -> PathBuf {
    use std::io::Write as _;

    let ballast = directory.join(".ballast");
    let mut file = std::fs::File::create(&ballast).unwrap();
    while file.write_all(&[0; 512]).is_ok() {}
    ballast
}

/// Runs `test` on a thread, and threads that it starts, without root's right to open every file.
pub(crate) fn without_rights(test: impl FnOnce() + Send + 'static) {
    let thread = std::thread::spawn(|| {
        let mut sets = rustix::thread::capabilities(None).unwrap();
        let rights = CapabilitySet::DAC_OVERRIDE | CapabilitySet::DAC_READ_SEARCH;
        sets.effective.remove(rights);
        rustix::thread::set_capabilities(None, sets).unwrap();
        test();
    });
    if let Err(panic) = thread.join() {
        std::panic::resume_unwind(panic);
    }
}

pub(crate) fn set_mode(path: &Path, mode: u32) {
    use std::os::unix::fs::PermissionsExt as _;

    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}
