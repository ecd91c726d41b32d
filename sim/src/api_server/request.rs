use http::Method;
use serde::{Deserialize, Serialize};

use super::kind::{Key, Kind};
use super::selector::Selector;
use super::status::Failure;

/// What a role grants.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verb {
    /// To make an object.
    Create,
    /// To remove one.
    Delete,
    /// To read one.
    Get,
    /// To read many.
    List,
    /// To change some fields of one.
    Patch,
    /// To replace one.
    Update,
    /// To be told of changes.
    Watch,
}

impl Verb {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Create,
        Self::Delete,
        Self::Get,
        Self::List,
        Self::Patch,
        Self::Update,
        Self::Watch,
    ];

    /// Its name in roles.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Delete => "delete",
            Self::Get => "get",
            Self::List => "list",
            Self::Patch => "patch",
            Self::Update => "update",
            Self::Watch => "watch",
        }
    }

    /// Whether it can change an object.
    pub const fn writes(self) -> bool {
        !matches!(self, Self::Get | Self::List | Self::Watch)
    }
}

/// A request, without its body: what its method, path and query say.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Asked {
    pub(super) kind: Kind,
    pub(super) namespace: String,
    /// Of the path; empty where the path names a collection.
    pub(super) name: String,
    pub(super) options: Options,
    /// Whether it is about the status alone.
    pub(super) status: bool,
    pub(super) verb: Verb,
}

/// What a query says.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub(super) struct Options {
    pub(super) bookmarks: bool,
    pub(super) resource_version: String,
    pub(super) selector: Selector,
    pub(super) timeout_s: Option<u64>,
}

impl Asked {
    /// Reads the request line.
    pub(super) fn read(method: &Method, path_and_query: &str) -> Result<Self, Failure> {
        let (path, query) = path_and_query
            .split_once('?')
            .unwrap_or((path_and_query, ""));
        let (kind, namespace, name, status) = read_path(path)?;
        let (options, watch) = read_query(kind, query)?;
        let verb = match (method, name.is_empty(), status) {
            (&Method::GET, true, _) if watch => Verb::Watch,
            (&Method::GET, true, _) => Verb::List,
            (&Method::GET, false, _) => Verb::Get,
            (&Method::POST, true, false) => Verb::Create,
            (&Method::PUT, false, _) => Verb::Update,
            (&Method::PATCH, false, _) => Verb::Patch,
            (&Method::DELETE, false, false) => Verb::Delete,
            _ => return Err(Failure::no_method()),
        };
        Ok(Self {
            kind,
            namespace,
            name,
            options,
            status,
            verb,
        })
    }

    /// The name that rights are looked up by.
    pub(super) fn authorised_name(&self) -> &str {
        match &self.options.selector.name {
            Some(name) if self.name.is_empty() => name,
            _ => &self.name,
        }
    }

    pub(super) fn key(&self) -> Key {
        Key::new(self.kind, &self.namespace, &self.name)
    }
}

fn read_path(path: &str) -> Result<(Kind, String, String, bool), Failure> {
    for kind in Kind::ALL {
        let rest = path.strip_prefix(kind.root());
        let Some(rest) = rest.and_then(|rest| rest.strip_prefix("/namespaces/")) else {
            continue;
        };
        let parts: Vec<&str> = rest.split('/').collect();
        let (namespace, plural, name, status) = match parts.as_slice() {
            [namespace, plural] => (namespace, plural, "", false),
            [namespace, plural, name] => (namespace, plural, *name, false),
            [namespace, plural, name, "status"] if kind == Kind::Pod => {
                (namespace, plural, *name, true)
            }
            _ => continue,
        };
        if *plural == kind.plural() {
            return Ok((kind, (*namespace).to_owned(), name.to_owned(), status));
        }
    }
    Err(Failure::no_resource())
}

fn read_query(kind: Kind, query: &str) -> Result<(Options, bool), Failure> {
    let mut options = Options::default();
    let (mut watch, mut fields, mut labels) = (false, String::new(), String::new());
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let value = decoded(value);
        let is_set = !matches!(value.as_str(), "" | "0" | "false");
        match name {
            "allowWatchBookmarks" => options.bookmarks = is_set,
            "fieldSelector" => fields = value,
            "labelSelector" => labels = value,
            "resourceVersion" => options.resource_version = value,
            "timeoutSeconds" => {
                let seconds = value.parse::<i64>().map_err(|_| {
                    let message = format!("strconv.ParseInt: parsing \"{value}\": invalid syntax");
                    Failure::bad_request(message)
                })?;
                options.timeout_s = u64::try_from(seconds).ok();
            }
            "watch" => watch = is_set,
            _ => {}
        }
    }
    options.selector = Selector::parse(kind, &fields, &labels)?;
    Ok((options, watch))
}

/// Undoes what a query is escaped with.
fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        match byte {
            b'+' => bytes.push(b' '),
            b'%' => {
                let digit = |byte: Option<u8>| char::from(byte?).to_digit(16);
                let (high, low) = (digit(rest.next()), digit(rest.next()));
                let code = high.zip(low).map(|(high, low)| high * 16 + low);
                bytes.extend(code.and_then(|code| u8::try_from(code).ok()));
            }
            byte => bytes.push(byte),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    const LEASES: &str = "/apis/coordination.k8s.io/v1/namespaces/default/leases";

    fn verb(method: Method, path: &str) -> Verb {
        Asked::read(&method, path).unwrap().verb
    }

    #[test]
    fn a_request_line_says_what_is_asked() {
        let one = format!("{LEASES}/x");
        assert_eq!(verb(Method::GET, &one), Verb::Get);
        assert_eq!(verb(Method::PUT, &one), Verb::Update);
        assert_eq!(verb(Method::POST, LEASES), Verb::Create);
        assert_eq!(verb(Method::GET, LEASES), Verb::List);
        let watch = format!(
            "{LEASES}?&fieldSelector=metadata.name%3Dx&watch=true&timeoutSeconds=9&allowWatchBookmarks=true&resourceVersion=7"
        );
        let asked = Asked::read(&Method::GET, &watch).unwrap();
        assert_eq!(asked.verb, Verb::Watch);
        assert_eq!(asked.authorised_name(), "x");
        assert_eq!(asked.options.timeout_s, Some(9));
        assert_eq!(asked.options.resource_version, "7");
        assert!(asked.options.bookmarks);
        let pod = Asked::read(&Method::PUT, "/api/v1/namespaces/a/pods/p/status").unwrap();
        assert!(pod.status);
        assert_eq!(pod.key(), Key::new(Kind::Pod, "a", "p"));
    }

    #[test]
    fn what_the_server_does_not_have_is_refused() {
        let refusal = |method, path: &str| Asked::read(&method, path).unwrap_err().code.as_u16();
        assert_eq!(refusal(Method::POST, &format!("{LEASES}/x")), 405);
        assert_eq!(
            refusal(Method::GET, "/apis/apps/v1/namespaces/a/deployments"),
            404
        );
        assert_eq!(
            refusal(Method::GET, &format!("{LEASES}?timeoutSeconds=abc")),
            400
        );
    }

    #[test]
    fn a_query_is_unescaped() {
        assert_eq!(decoded("a%3Db+c%2"), "a=b c");
    }
}
