use std::path::PathBuf;
use std::str::FromStr;

use tenure::ElectionName;
use tenure::zookeeper::Ensemble;

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
    /// `zookeeper://zk1:2181,zk2:2181/base/nightly` is the election `nightly` below the node `/base`.
    Zookeeper {
        base: String,
        election: ElectionName,
        servers: String,
    },
}

impl FromStr for LockUrl {
    type Err = String;

    fn from_str(url: &str) -> Result<Self, String> {
        let Some((scheme, rest)) = url.split_once("://") else {
            return Err(format!(
                "not a URL: write a file's absolute path as `file://{}`, a Lease as `kubernetes://namespace/name`, a ZooKeeper node as `zookeeper://host:2181/base/name`",
                absolute(url)
            ));
        };
        match scheme {
            "file" => file(rest),
            "kubernetes" => kubernetes(rest),
            "zookeeper" => zookeeper(rest),
            other => Err(format!(
                "unknown scheme {other:?}: use `file:///directory/election`, `kubernetes://namespace/name` or `zookeeper://host:2181/base/name`"
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

/// Reads `host:port,host:port/base/name`. Credentials have no place in it, where others would see them.
fn zookeeper(rest: &str) -> Result<LockUrl, String> {
    let Some((servers, path)) = rest.split_once('/') else {
        return Err(format!(
            "{rest:?} has no path: write `zookeeper://{rest}/base/name`"
        ));
    };
    if servers.contains('@') {
        return Err("credentials do not belong in a URL, which others can see: leave out what stands before `@`, and give --zookeeper-user and --zookeeper-password-file".to_owned());
    }
    let (base, election) = match path.rsplit_once('/') {
        None => ("/".to_owned(), path),
        Some(("", _)) => {
            return Err(format!(
                "{path:?} begins with `/`: write one `/` after the servers"
            ));
        }
        Some((base, election)) => (format!("/{base}"), election),
    };
    if election.is_empty() {
        return Err("the URL ends in `/`: end it in the election's name".to_owned());
    }
    let ensemble = Ensemble::builder().connect_string(servers).base_path(&base);
    ensemble
        .check()
        .map_err(|error| error.detail().to_owned())?;
    Ok(LockUrl::Zookeeper {
        base,
        election: ElectionName::new(election).map_err(|error| error.to_string())?,
        servers: servers.to_owned(),
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
            Self::Kubernetes { .. } | Self::Zookeeper { .. } => true,
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
            Self::Zookeeper {
                base,
                election,
                servers,
            } => {
                let base = base.strip_suffix('/').unwrap_or(base);
                write!(f, "zookeeper://{servers}{base}/{election}")
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
    fn a_node_is_servers_a_base_and_an_election() {
        for (url, servers, base, election) in [
            (
                "zookeeper://zk1:2181,zk2:2182,[::1]/camel/cluster/nightly",
                "zk1:2181,zk2:2182,[::1]",
                "/camel/cluster",
                "nightly",
            ),
            ("zookeeper://zk/nightly", "zk", "/", "nightly"),
            ("zookeeper://zk/a b/c%20d", "zk", "/a b", "c%20d"),
        ] {
            let parsed: LockUrl = url.parse().unwrap();
            let expected = LockUrl::Zookeeper {
                base: base.to_owned(),
                election: ElectionName::new(election).unwrap(),
                servers: servers.to_owned(),
            };
            assert_eq!(parsed, expected);
            assert_eq!(parsed.to_string(), url);
        }
    }

    #[test]
    fn a_password_in_a_url_is_not_printed() {
        let url = "zookeeper://me:secret@zk/nightly";
        let error = url.parse::<LockUrl>().unwrap_err();
        assert!(!error.contains("secret"), "{error}");
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
            ("zookeeper://zk:2181", "`zookeeper://zk:2181/base/name`"),
            ("zookeeper://zk/base/", "end it in the election's name"),
            ("zookeeper://zk/", "end it in the election's name"),
            ("zookeeper:///base/nightly", "it has no host"),
            ("zookeeper://zk1,,zk2/nightly", "it has no host"),
            ("zookeeper://zk:x/nightly", "its port is not a number"),
            ("zookeeper://zk:0/nightly", "1 to 65535"),
            ("zookeeper://::1/nightly", "needs brackets"),
            ("zookeeper://zk,zk:2181/nightly", "name each once"),
            (
                "zookeeper://me:secret@zk/nightly",
                "--zookeeper-password-file",
            ),
            ("zookeeper://zk//nightly", "write one `/` after"),
            ("zookeeper://zk/a//b/nightly", "write one `/`"),
            ("zookeeper://zk/../nightly", "write it out"),
            ("zookeeper://zk/zookeeper/nightly", "ZooKeeper's own"),
            ("zookeeper://zk/base/..", "names a directory"),
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
