use std::fs;
use std::path::Path;

use crate::ensemble::Ensemble;

/// What all servers of an ensemble had on their disks at one time.
#[derive(Debug)]
pub struct Backup {
    directory: tempfile::TempDir,
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        match entry.file_type().unwrap().is_dir() {
            true => copy(&entry.path(), &target),
            false => drop(fs::copy(entry.path(), target).unwrap()),
        }
    }
}

impl Ensemble {
    /// Copies what the servers have on their disks. They stand still meanwhile.
    ///
    /// # Panics
    /// When it cannot be copied.
    pub fn back_up(&self) -> Backup {
        let backup = Backup {
            directory: tempfile::tempdir().unwrap(),
        };
        self.servers().for_each(crate::Server::freeze);
        for server in self.servers() {
            let to = backup.directory.path().join(server.number().to_string());
            copy(&server.directory().join("data"), &to);
        }
        self.servers().for_each(crate::Server::thaw);
        backup
    }

    /// Kills all servers, gives them the data of `backup`, starts them again and waits until all serve: what was written since is lost,
    /// and numbers that were given since are given again.
    ///
    /// # Panics
    /// When they do not serve again.
    pub fn restore(&self, backup: &Backup) {
        self.servers().for_each(crate::Server::kill);
        for server in self.servers() {
            let data = server.directory().join("data");
            fs::remove_dir_all(&data).unwrap();
            copy(
                &backup.directory.path().join(server.number().to_string()),
                &data,
            );
        }
        self.servers().for_each(crate::Server::start_again);
        self.wait_for_all();
    }
}
