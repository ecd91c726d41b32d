use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use tenure::zookeeper::{Acl, Credentials, SecretSource};

use super::confidential::Confidential;
use crate::exit::Failure;
use crate::open_lock::NodeOptions;

/// Where the password is read from, when no file is named.
const PASSWORD: &str = "TENURE_ZOOKEEPER_PASSWORD";

/// How ZooKeeper is asked
#[derive(Args, Default, Debug)]
pub(crate) struct NodeArguments {
    /// zookeeper: after how long without a sign of life the servers end the session [default: the lease]
    #[arg(long, env = "TENURE_SESSION_TIMEOUT", value_name = "DURATION", value_parser = humantime::parse_duration)]
    session_timeout: Option<Duration>,
    /// zookeeper: who the servers are told that this is; the password is in --zookeeper-password-file, or in the environment variable
    /// TENURE_ZOOKEEPER_PASSWORD
    #[arg(long, env = "TENURE_ZOOKEEPER_USER", value_name = "USER")]
    zookeeper_user: Option<String>,
    /// zookeeper: a file with the password
    #[arg(long, env = "TENURE_ZOOKEEPER_PASSWORD_FILE", value_name = "FILE")]
    zookeeper_password_file: Option<PathBuf>,
    /// zookeeper: gives user and password by SASL (DIGEST-MD5), not by the scheme digest
    #[arg(long, env = "TENURE_ZOOKEEPER_SASL")]
    zookeeper_sasl: bool,
    /// zookeeper: who may do what with the nodes, such as auth::cdrwa,world:anyone:r [default: the user everything, and nobody else
    /// anything]
    #[arg(long, env = "TENURE_ZOOKEEPER_ACL", hide_env_values = true, value_name = "ACL", value_parser = Confidential::<Acl>::new())]
    zookeeper_acl: Option<Acl>,
    /// zookeeper: uses TLS, with servers whose certificates an authority in this PEM file has signed
    #[arg(long, env = "TENURE_ZOOKEEPER_CA_FILE", value_name = "FILE")]
    zookeeper_ca_file: Option<PathBuf>,
    /// zookeeper: the own certificate, in a PEM file
    #[arg(long, env = "TENURE_ZOOKEEPER_CERT_FILE", value_name = "FILE")]
    zookeeper_cert_file: Option<PathBuf>,
    /// zookeeper: the key of the own certificate, in a PEM file
    #[arg(long, env = "TENURE_ZOOKEEPER_KEY_FILE", value_name = "FILE")]
    zookeeper_key_file: Option<PathBuf>,
    /// zookeeper: the servers' tickTime, where their minSessionTimeout is below two of it
    #[arg(long, env = "TENURE_ZOOKEEPER_TICK_TIME", value_name = "DURATION", value_parser = humantime::parse_duration)]
    zookeeper_tick_time: Option<Duration>,
}

impl NodeArguments {
    /// Which options were given.
    pub(crate) fn given(&self) -> [(bool, &'static str); 9] {
        [
            (self.session_timeout.is_some(), "--session-timeout"),
            (self.zookeeper_user.is_some(), "--zookeeper-user"),
            (
                self.zookeeper_password_file.is_some(),
                "--zookeeper-password-file",
            ),
            (self.zookeeper_sasl, "--zookeeper-sasl"),
            (self.zookeeper_acl.is_some(), "--zookeeper-acl"),
            (self.zookeeper_ca_file.is_some(), "--zookeeper-ca-file"),
            (self.zookeeper_cert_file.is_some(), "--zookeeper-cert-file"),
            (self.zookeeper_key_file.is_some(), "--zookeeper-key-file"),
            (self.zookeeper_tick_time.is_some(), "--zookeeper-tick-time"),
        ]
    }

    /// What is asked for by its own option.
    pub(crate) fn session_timeout(&self) -> Option<Duration> {
        self.session_timeout
    }

    pub(crate) fn options(&self) -> Result<NodeOptions, Failure> {
        let identity = match (&self.zookeeper_cert_file, &self.zookeeper_key_file) {
            (None, None) => None,
            (Some(certificate), Some(key)) => Some((certificate.clone(), key.clone())),
            (Some(_), None) => {
                return Err(Failure::usage(
                    "--zookeeper-cert-file has no key: add --zookeeper-key-file",
                ));
            }
            (None, Some(_)) => {
                return Err(Failure::usage(
                    "--zookeeper-key-file has no certificate: add --zookeeper-cert-file",
                ));
            }
        };
        if identity.is_some() && self.zookeeper_ca_file.is_none() {
            return Err(Failure::usage(
                "--zookeeper-cert-file is for TLS: add --zookeeper-ca-file",
            ));
        }
        Ok(NodeOptions {
            acl: self.zookeeper_acl.clone(),
            authorities: self.zookeeper_ca_file.clone(),
            credentials: self.credentials()?,
            identity,
            patient: false,
            session_option: "--session-timeout",
            session_timeout: self.session_timeout,
            tick_time: self.zookeeper_tick_time,
        })
    }

    fn credentials(&self) -> Result<Option<Credentials>, Failure> {
        let Some(user) = self.zookeeper_user.clone() else {
            let lonely = [
                (self.zookeeper_sasl, "--zookeeper-sasl"),
                (
                    self.zookeeper_password_file.is_some(),
                    "--zookeeper-password-file",
                ),
            ];
            return match lonely.iter().find(|(given, _)| *given) {
                Some((_, option)) => Err(Failure::usage(format!(
                    "{option} says nothing without a user: add --zookeeper-user"
                ))),
                None => Ok(None),
            };
        };
        let password = match &self.zookeeper_password_file {
            Some(file) => SecretSource::file(file),
            None if std::env::var_os(PASSWORD).is_some() => SecretSource::environment(PASSWORD),
            None => {
                return Err(Failure::usage(format!(
                    "--zookeeper-user has no password: name a file in --zookeeper-password-file, or set {PASSWORD}"
                )));
            }
        };
        Ok(Some(if self.zookeeper_sasl {
            Credentials::sasl_digest_md5(user, password)
        } else {
            Credentials::digest(user, password)
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(clap::Parser)]
    struct Line {
        #[command(flatten)]
        node: NodeArguments,
    }

    fn options(line: &str) -> Result<NodeOptions, String> {
        let words = std::iter::once("x").chain(line.split_ascii_whitespace());
        let line = <Line as clap::Parser>::try_parse_from(words).map_err(|e| e.to_string())?;
        line.node.options().map_err(|error| error.to_string())
    }

    #[test]
    fn what_belongs_together_is_asked_for_together() {
        for (line, says) in [
            ("--zookeeper-user me", "--zookeeper-password-file"),
            ("--zookeeper-sasl", "add --zookeeper-user"),
            ("--zookeeper-password-file /p", "add --zookeeper-user"),
            ("--zookeeper-cert-file /c", "add --zookeeper-key-file"),
            ("--zookeeper-key-file /k", "add --zookeeper-cert-file"),
            (
                "--zookeeper-cert-file /c --zookeeper-key-file /k",
                "add --zookeeper-ca-file",
            ),
            ("--zookeeper-acl world", "scheme:id:permissions"),
            ("--session-timeout soon", "--session-timeout"),
            ("--zookeeper-tick-time soon", "--zookeeper-tick-time"),
        ] {
            let error = options(line).unwrap_err();
            assert!(error.contains(says), "{line}: {error}");
        }
    }

    #[test]
    fn what_is_given_is_used() {
        let options = options(
            "--session-timeout 4s --zookeeper-user me --zookeeper-password-file /p --zookeeper-acl auth::cdrwa \
             --zookeeper-ca-file /ca --zookeeper-cert-file /c --zookeeper-key-file /k --zookeeper-tick-time 2s",
        )
        .unwrap();
        assert_eq!(options.session_timeout, Some(Duration::from_secs(4)));
        assert_eq!(options.tick_time, Some(Duration::from_secs(2)));
        assert_eq!(options.acl, Some(Acl::creator_all()));
        let credentials = Credentials::digest("me", SecretSource::file("/p"));
        assert_eq!(options.credentials, Some(credentials));
        assert_eq!(options.identity, Some(("/c".into(), "/k".into())));
        assert_eq!(options.authorities, Some("/ca".into()));
    }
}
