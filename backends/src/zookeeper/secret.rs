//! Passwords: read from where they lie, when they are needed, and never shown.

use std::fmt;
use std::path::{Path, PathBuf};

/// Where a password is read from, each time that a session is begun.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SecretSource(Source);

#[derive(Clone, PartialEq, Eq, Debug)]
enum Source {
    Environment(String),
    File(PathBuf),
}

impl SecretSource {
    /// A file with the password and nothing else; one line end after it is left out.
    pub fn file(path: impl AsRef<Path>) -> Self {
        Self(Source::File(path.as_ref().to_owned()))
    }

    /// An environment variable with the password.
    pub fn environment(variable: impl Into<String>) -> Self {
        Self(Source::Environment(variable.into()))
    }

    /// # Errors
    /// When there is none, as a line that says where.
    pub(crate) fn read(&self) -> Result<Secret, String> {
        let text = match &self.0 {
            Source::Environment(variable) => std::env::var(variable).map_err(|error| {
                format!(
                    "the password in the environment variable {variable} cannot be read: {error}"
                )
            })?,
            Source::File(path) => {
                let text = std::fs::read_to_string(path);
                let mut text = text.map_err(|error| {
                    format!(
                        "the password file {} cannot be read: {error}",
                        path.display()
                    )
                })?;
                if text.ends_with('\n') {
                    text.pop();
                    if text.ends_with('\r') {
                        text.pop();
                    }
                }
                text
            }
        };
        if text.is_empty() {
            return Err(format!("the password in {self} is empty"));
        }
        Ok(Secret(text))
    }
}

impl fmt::Display for SecretSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Source::Environment(variable) => write!(f, "the environment variable {variable}"),
            Source::File(path) => write!(f, "the file {}", path.display()),
        }
    }
}

/// A password.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Secret(String);

impl Secret {
    pub(crate) fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

/// Who the servers are told that this is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Credentials {
    pub(crate) scheme: Scheme,
    pub(crate) user: String,
    pub(crate) password: SecretSource,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Scheme {
    Digest,
    SaslDigestMd5,
}

impl Credentials {
    /// A user and a password of ZooKeeper's own scheme `digest`, as `addauth digest user:password` gives them.
    ///
    /// The servers keep no list of these: each node says in its ACL who may do what, and a wrong password shows as a missing right there.
    /// It goes over the wire as it is: use TLS.
    pub fn digest(user: impl Into<String>, password: SecretSource) -> Self {
        Self {
            scheme: Scheme::Digest,
            user: user.into(),
            password,
        }
    }

    /// A user and a password that the servers know, by SASL's mechanism DIGEST-MD5.
    ///
    /// Where the servers let nobody in without it (`sessionRequireClientSASLAuth`), the session may end with a connection that is lost: the
    /// client asks for its watches before it has said who it is.
    pub fn sasl_digest_md5(user: impl Into<String>, password: SecretSource) -> Self {
        Self {
            scheme: Scheme::SaslDigestMd5,
            user: user.into(),
            password,
        }
    }

    /// # Errors
    /// When they cannot be used, as a line that says what to change.
    pub(crate) fn check(&self) -> Result<(), String> {
        let Self { scheme, user, .. } = self;
        if user.is_empty() {
            return Err("the user is empty: name one, or leave the credentials out".to_owned());
        }
        if *scheme == Scheme::Digest && user.contains(':') {
            return Err(format!(
                "the user {user:?} contains `:`, which ends a user in the scheme digest: name another one"
            ));
        }
        self.password.read().map(drop)
    }
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
    fn a_file_is_read_without_its_line_end() {
        for (text, password) in [
            ("pa ss", "pa ss"),
            ("pass\n", "pass"),
            ("pass\r\n", "pass"),
            ("pass\n\n", "pass\n"),
            (" pass ", " pass "),
        ] {
            let file = file(text);
            let read = SecretSource::file(file.path()).read().unwrap();
            assert_eq!(read.reveal(), password);
        }
    }

    #[test]
    fn a_password_that_is_not_there_says_where_it_was_looked_for() {
        let nothing = file("\n");
        for (source, says) in [
            (SecretSource::file("/does/not/exist"), "/does/not/exist"),
            (SecretSource::file(nothing.path()), "is empty"),
            (
                SecretSource::environment("TENURE_TEST_NO_SUCH_VARIABLE"),
                "TENURE_TEST_NO_SUCH_VARIABLE",
            ),
        ] {
            let error = source.read().unwrap_err();
            assert!(error.contains(says), "{error}");
        }
    }

    #[test]
    fn nothing_that_is_printed_shows_a_password() {
        let file = file("hunter2");
        let credentials = Credentials::digest("tenure", SecretSource::file(file.path()));
        let secret = credentials.password.read().unwrap();
        let printed = format!("{credentials:?} {secret:?} {}", credentials.password);
        assert!(!printed.contains("hunter2"), "{printed}");
        assert!(printed.contains("tenure"), "{printed}");
    }

    #[test]
    fn users_that_the_scheme_cannot_have_are_refused() {
        let file = file("x");
        let source = || SecretSource::file(file.path());
        assert_eq!(Credentials::digest("tenure", source()).check(), Ok(()));
        let sasl = Credentials::sasl_digest_md5("a:b", source());
        assert_eq!(sasl.check(), Ok(()));
        for (user, says) in [("", "is empty"), ("a:b", "contains `:`")] {
            let error = Credentials::digest(user, source()).check().unwrap_err();
            assert!(error.contains(says), "{error}");
        }
    }
}
