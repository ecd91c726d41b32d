use std::path::PathBuf;
use std::str::FromStr;

use tenure::ElectionName;

/// Which lock. Taken literally: no `%` is decoded.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum LockUrl {
    /// `file:///var/lib/tenure/nightly` is the election `nightly` in `/var/lib/tenure`.
    File {
        directory: PathBuf,
        election: ElectionName,
    },
    /// `kubernetes://jobs/nightly` is the election `nightly` in the namespace `jobs`; `kubernetes:///nightly` in the namespace of the service
    /// account, or of the context; `kubernetes://production@jobs/nightly` by the kubeconfig's context `production`.
    Kubernetes {
        context: Option<String>,
        election: ElectionName,
        namespace: Option<String>,
    },
}

impl FromStr for LockUrl {
    type Err = String;

    fn from_str(url: &str) -> Result<Self, String> {
        let Some((scheme, rest)) = url.split_once("://") else {
            return Err(format!(
                "not a URL: write a file's absolute path as `file://{}`, a Lease as `kubernetes://namespace/name`",
                absolute(url)
            ));
        };
        match scheme {
            "file" => file(rest),
            "kubernetes" => kubernetes(rest),
            "zookeeper" => Err(
                "the zookeeper backend is not in this build: use `file:///directory/election` or `kubernetes://namespace/name`"
                    .to_owned(),
            ),
            other => Err(format!(
                "unknown scheme {other:?}: use `file:///directory/election` or `kubernetes://namespace/name` (zookeeper:// is not in this build)"
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

/// Reads `[context@]namespace/name`. Contexts may contain `@` and `/`, as those of cloud providers do, and nothing after them does.
fn kubernetes(rest: &str) -> Result<LockUrl, String> {
    let Some((place, election)) = rest.rsplit_once('/') else {
        return Err(format!(
            "{rest:?} has no namespace: write `kubernetes://namespace/{rest}`, or `kubernetes:///{rest}` for the service account's"
        ));
    };
    if election.is_empty() {
        return Err("the URL ends in `/`: end it in the election's name".to_owned());
    }
    let (context, namespace) = match place.rsplit_once('@') {
        Some((context, namespace)) => (Some(context), namespace),
        None => (None, place),
    };
    if context == Some("") {
        return Err("no context stands before `@`: name one, or leave `@` out".to_owned());
    }
    let namespace = Some(namespace).filter(|namespace| !namespace.is_empty());
    if let Some(namespace) = namespace {
        check_namespace(namespace)?;
    }
    Ok(LockUrl::Kubernetes {
        context: context.map(str::to_owned),
        election: ElectionName::new(election).map_err(|error| error.to_string())?,
        namespace: namespace.map(str::to_owned),
    })
}

/// What the API server would refuse anyway, said while it is still about a command line.
fn check_namespace(namespace: &str) -> Result<(), String> {
    let well = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    let whole = namespace.chars().all(|c| well(c) || c == '-');
    if whole && namespace.starts_with(well) && namespace.ends_with(well) && namespace.len() <= 63 {
        return Ok(());
    }
    Err(format!(
        "{namespace:?} is no namespace: use at most 63 of the characters a-z, 0-9 and `-`, with a letter or digit at both ends (`kubernetes://[context@]namespace/name`)"
    ))
}

impl LockUrl {
    /// Whether the lock's place may exist. Looking at a lock must not make one.
    pub(crate) fn exists(&self) -> bool {
        match self {
            Self::File { directory, .. } => directory.is_dir(),
            Self::Kubernetes { .. } => true,
        }
    }
}

impl std::fmt::Display for LockUrl {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::File {
                directory,
                election,
            } => write!(f, "file://{}", directory.join(election.as_str()).display()),
            Self::Kubernetes {
                context,
                election,
                namespace,
            } => {
                let namespace = namespace.as_deref().unwrap_or_default();
                match context {
                    Some(context) => write!(f, "kubernetes://{context}@{namespace}/{election}"),
                    None => write!(f, "kubernetes://{namespace}/{election}"),
                }
            }
        }
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
    fn a_lease_is_a_context_a_namespace_and_an_election() {
        for (url, context, namespace, election) in [
            ("kubernetes://jobs/nightly", None, Some("jobs"), "nightly"),
            ("kubernetes:///nightly", None, None, "nightly"),
            (
                "kubernetes://admin@prod@jobs/nightly",
                Some("admin@prod"),
                Some("jobs"),
                "nightly",
            ),
            (
                "kubernetes://arn:aws:eks:eu-west-1:1:cluster/prod@jobs/nightly",
                Some("arn:aws:eks:eu-west-1:1:cluster/prod"),
                Some("jobs"),
                "nightly",
            ),
            ("kubernetes://prod@/a b", Some("prod"), None, "a b"),
        ] {
            let parsed: LockUrl = url.parse().unwrap();
            let expected = LockUrl::Kubernetes {
                context: context.map(str::to_owned),
                election: ElectionName::new(election).unwrap(),
                namespace: namespace.map(str::to_owned),
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
            ("zookeeper://host/x", "not in this build"),
            ("file:///var/lib/..", "names a directory"),
            ("kubernetes://nightly", "`kubernetes:///nightly`"),
            ("kubernetes://jobs/", "end it in the election's name"),
            ("kubernetes://@jobs/nightly", "no context stands before `@`"),
            ("kubernetes://Jobs/nightly", "\"Jobs\" is no namespace"),
            ("kubernetes://a/b/nightly", "\"a/b\" is no namespace"),
            ("kubernetes://jobs/..", "names a directory"),
        ] {
            let error = url.parse::<LockUrl>().unwrap_err();
            assert!(error.contains(says), "{url}: {error}");
        }
    }
}
