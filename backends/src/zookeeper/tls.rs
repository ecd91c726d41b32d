//! The certificates of the way to the servers, read from their files each time that a session is begun.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use zookeeper_client as client;

use super::address::Address;
use crate::cryptography;

/// Files in PEM form.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct TlsFiles {
    /// The authorities that the servers' certificates are trusted by, and no others.
    pub(crate) authorities: PathBuf,
    pub(crate) identity: Option<Identity>,
}

/// Who this is by a certificate.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Identity {
    pub(crate) certificate: PathBuf,
    pub(crate) key: PathBuf,
}

fn read(what: &str, path: &Path) -> Result<String, String> {
    std::fs::read_to_string(path)
        .map_err(|error| format!("the {what} {} cannot be read: {error}", path.display()))
}

impl TlsFiles {
    /// What the client of the servers takes.
    ///
    /// # Errors
    /// When a file cannot be used, as a line that names it.
    pub(crate) fn options(&self) -> Result<client::TlsOptions, String> {
        let Self {
            authorities,
            identity,
        } = self;
        let pem = read("certificate authority", authorities)?;
        let options = client::TlsOptions::new()
            .with_pem_ca(&pem)
            .map_err(|error| unusable_authorities(authorities, &error))?;
        let Some(identity) = identity else {
            return Ok(options);
        };
        let certificate = read("client certificate", &identity.certificate)?;
        let key = read("key", &identity.key)?;
        options
            .with_pem_identity(&certificate, &key)
            .map_err(|error| identity.unusable(&error))
    }

    /// What our own handshakes take, which find out why there is no session.
    ///
    /// # Errors
    /// When a file cannot be used, as a line that names it.
    pub(crate) fn config(&self) -> Result<Arc<ClientConfig>, String> {
        let Self {
            authorities,
            identity,
        } = self;
        cryptography::choose();
        let certificates = CertificateDer::pem_file_iter(authorities)
            .and_then(Iterator::collect::<Result<Vec<_>, _>>)
            .map_err(|error| unusable_authorities(authorities, &error))?;
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(certificates);
        if roots.is_empty() {
            return Err(unusable_authorities(authorities, &"it has no certificate"));
        }
        let builder = ClientConfig::builder().with_root_certificates(roots);
        let config = match identity {
            None => builder.with_no_client_auth(),
            Some(identity) => {
                let chain = CertificateDer::pem_file_iter(&identity.certificate)
                    .and_then(Iterator::collect::<Result<Vec<_>, _>>)
                    .map_err(|error| identity.unusable(&error))?;
                let key = PrivateKeyDer::from_pem_file(&identity.key)
                    .map_err(|error| identity.unusable(&error))?;
                builder
                    .with_client_auth_cert(chain, key)
                    .map_err(|error| identity.unusable(&error))?
            }
        };
        Ok(Arc::new(config))
    }
}

impl Identity {
    fn unusable(&self, why: &dyn std::fmt::Display) -> String {
        let (certificate, key) = (self.certificate.display(), self.key.display());
        format!(
            "the client certificate {certificate} with the key {key} cannot be used: {why}: give both in PEM form, the key without a password"
        )
    }
}

fn unusable_authorities(path: &Path, why: &dyn std::fmt::Display) -> String {
    let path = path.display();
    format!("the certificate authority {path} cannot be used: {why}: give certificates in PEM form")
}

/// Trusts nobody: who answers a handshake with it at all speaks TLS.
pub(crate) fn trusts_nobody() -> Arc<ClientConfig> {
    cryptography::choose();
    let builder = ClientConfig::builder().with_root_certificates(RootCertStore::empty());
    Arc::new(builder.with_no_client_auth())
}

/// The name that a server's certificate has to have. The client of the servers panics where there can be none.
///
/// # Errors
/// When no certificate can have it.
pub(crate) fn server_name(address: &Address) -> Result<ServerName<'static>, String> {
    ServerName::try_from(address.host.clone()).map_err(|_| {
        format!(
            "no certificate can be for the host {:?}: write a name as DNS has them, or an IP address",
            address.host
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(text: &str) -> tempfile::NamedTempFile {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), text).unwrap();
        file
    }

    #[test]
    fn files_that_cannot_be_used_are_named() {
        let nothing = file("");
        let garbled = file("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
        for path in [Path::new("/does/not/exist"), nothing.path(), garbled.path()] {
            let files = TlsFiles {
                authorities: path.to_owned(),
                identity: None,
            };
            for error in [
                files.options().map(drop).unwrap_err(),
                files.config().map(drop).unwrap_err(),
            ] {
                let named = path.display().to_string();
                assert!(error.contains(&named), "{error}");
                assert!(error.starts_with("the certificate authority"), "{error}");
            }
        }
    }

    #[test]
    fn a_host_that_no_certificate_can_be_for_is_refused_where_the_client_would_panic() {
        for (host, right) in [
            ("zk-1.example", true),
            ("127.0.0.1", true),
            ("::1", true),
            ("-", false),
            ("zk..example", false),
            ("zk$", false),
        ] {
            let address = Address {
                host: host.to_owned(),
                port: 2181,
            };
            assert_eq!(server_name(&address).is_ok(), right, "{host}");
        }
    }
}
