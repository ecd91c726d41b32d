//! Certificates of an authority that is made for one test.

use std::path::{Path, PathBuf};
use std::process::Command;

/// A directory of certificates in PEM form, and of their keys.
#[derive(Debug)]
pub(crate) struct Certificates(tempfile::TempDir);

impl Certificates {
    /// An authority, which has signed nothing yet.
    pub(crate) fn new() -> Self {
        let this = Self(tempfile::tempdir().unwrap());
        this.openssl(
            "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout ca.key -out ca.pem -subj /CN=authority -days 2",
        );
        this
    }

    fn openssl(&self, arguments: &str) {
        let output = Command::new("openssl")
            .args(arguments.split(' '))
            .current_dir(self.0.path())
            .output()
            .expect("openssl is there: tools/prepare tests installs it");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "openssl {arguments}: {said}");
    }

    /// Signs a certificate for these names, such as `DNS:localhost,IP:127.0.0.1`. Its files are `<name>.pem`, `<name>.key`, and both in
    /// `<name>.both.pem`.
    pub(crate) fn sign(&self, name: &str, names: &str) {
        std::fs::write(self.path("names"), format!("subjectAltName={names}\n")).unwrap();
        self.openssl(&format!(
            "req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout {name}.key -out {name}.csr -subj /CN={name}"
        ));
        self.openssl(&format!(
            "x509 -req -in {name}.csr -CA ca.pem -CAkey ca.key -CAcreateserial -out {name}.pem -days 2 -extfile names"
        ));
        let parts = ["key", "pem"]
            .map(|part| std::fs::read_to_string(self.path(&format!("{name}.{part}"))).unwrap());
        std::fs::write(self.path(&format!("{name}.both.pem")), parts.concat()).unwrap();
    }

    pub(crate) fn path(&self, file: &str) -> PathBuf {
        self.0.path().join(file)
    }

    pub(crate) fn directory(&self) -> &Path {
        self.0.path()
    }
}
