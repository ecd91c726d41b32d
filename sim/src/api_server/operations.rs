use std::sync::Arc;

use http::StatusCode;
use serde_json::{Map, Value, json};

use super::kind::{Key, Kind};
use super::lease;
use super::managed::Manager;
use super::metadata::Metadata;
use super::micro_time;
use super::request::{Asked, Verb};
use super::rights::Rights;
use super::sent;
use super::status::Failure;
use super::store::Store;
use crate::TrueTime;

/// The largest body that is read.
const BODY_MOST: usize = 3 * 1_024 * 1_024;

/// Under what a request is served.
#[derive(Clone, Copy, Debug)]
pub(super) struct Scene<'a> {
    /// The program's name, for the objects' `managedFields`.
    pub(super) manager: &'a str,
    pub(super) now: TrueTime,
    pub(super) rights: &'a Rights,
    pub(super) subject: &'a str,
    /// What the server's clock shows.
    pub(super) unix_s: i64,
    /// Up to which revision the server's cache has seen.
    pub(super) visible: u64,
}

/// What a request that is not refused is answered with.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Served {
    /// The version that a write names.
    pub(super) basis: Option<u64>,
    pub(super) code: StatusCode,
    pub(super) body: Arc<Value>,
}

impl Served {
    fn read(body: Arc<Value>) -> Self {
        Self::wrote(body, 0)
    }

    /// A write that names a version; none is 0.
    fn wrote(body: Arc<Value>, basis: u64) -> Self {
        Self {
            basis: (basis > 0).then_some(basis),
            code: StatusCode::OK,
            body,
        }
    }
}

/// An object as a client sent it.
struct Sent {
    metadata: Metadata,
    /// All but the metadata.
    rest: Map<String, Value>,
}

impl Store {
    /// Does what a request asks for, but for watches.
    pub(super) fn serve(
        &mut self,
        asked: &Asked,
        body: &[u8],
        scene: Scene<'_>,
    ) -> Result<Served, Failure> {
        if body.len() > BODY_MOST {
            return Err(Failure::too_large_request(BODY_MOST));
        }
        match asked.verb {
            Verb::Get => self.read(asked, scene),
            Verb::List | Verb::Watch => self.list(asked, scene),
            Verb::Create => self.create(asked, body, scene),
            Verb::Update => self.update(asked, body, scene),
            Verb::Patch => self.patch(asked, body, scene),
            Verb::Delete => self.delete(asked, scene),
        }
    }

    fn read(&self, asked: &Asked, scene: Scene<'_>) -> Result<Served, Failure> {
        let key = asked.key();
        let revision = self.revision_for(&asked.options.resource_version, scene)?;
        let found = self.get_at(&key, revision);
        let body = Arc::clone(found.ok_or_else(|| Failure::not_found(&key))?);
        Ok(Served::read(body))
    }

    /// Which state a read sees: the newest of all, by asking the store, or what this server's cache has.
    fn revision_for(&self, wanted: &str, scene: Scene<'_>) -> Result<u64, Failure> {
        if wanted.is_empty() {
            return Ok(self.revision());
        }
        let wanted = parse_option(wanted)?;
        if wanted > scene.visible {
            return Err(Failure::too_new(wanted, scene.visible));
        }
        Ok(scene.visible)
    }

    fn list(&self, asked: &Asked, scene: Scene<'_>) -> Result<Served, Failure> {
        let revision = self.revision_for(&asked.options.resource_version, scene)?;
        let objects = self.list_at(asked.kind, &asked.namespace, revision);
        let items = objects
            .iter()
            .filter(|object| asked.options.selector.matches(object))
            .map(|object| {
                let mut item = Value::clone(object);
                if let Value::Object(fields) = &mut item {
                    fields.remove("kind");
                    fields.remove("apiVersion");
                }
                item
            });
        let items: Vec<Value> = items.collect();
        let body = json!({
            "kind": format!("{}List", asked.kind.name()),
            "apiVersion": asked.kind.api_version(),
            "metadata": { "resourceVersion": revision.to_string() },
            "items": items,
        });
        Ok(Served::read(Arc::new(body)))
    }

    fn create(&mut self, asked: &Asked, body: &[u8], scene: Scene<'_>) -> Result<Served, Failure> {
        let sent = decode(asked, body)?;
        self.insert(asked, sent, scene)
    }

    fn insert(
        &mut self,
        asked: &Asked,
        mut sent: Sent,
        scene: Scene<'_>,
    ) -> Result<Served, Failure> {
        if !self.has_namespace(&asked.namespace) {
            return Err(Failure::no_namespace(&asked.namespace));
        }
        if asked.verb == Verb::Create && !sent.metadata.resource_version.is_empty() {
            let message = "resourceVersion should not be set on objects to be created";
            return Err(Failure::internal(message));
        }
        let generated = sent
            .metadata
            .rest
            .get("generateName")
            .and_then(Value::as_str);
        if let Some(prefix) = generated.filter(|_| sent.metadata.name.is_empty()) {
            sent.metadata.name = format!("{prefix}{}", self.new_suffix());
        }
        check(asked.kind, &sent)?;
        let key = Key::new(asked.kind, &asked.namespace, &sent.metadata.name);
        if self.get(&key).is_some() {
            return Err(Failure::already_exists(&key));
        }
        if asked.kind == Kind::Pod {
            let status = json!({ "phase": "Pending", "qosClass": "BestEffort" });
            sent.rest.insert("status".to_owned(), status);
        }
        let basis = parse_version(&sent.metadata.resource_version).unwrap_or(0);
        let uid = self.new_uid();
        let created = micro_time::write_seconds(scene.unix_s);
        let mut object = build(&key, sent, &uid, &created);
        if let Some(fields) = manager(asked.kind, scene).of_new(&object) {
            object["metadata"]["managedFields"] = fields;
        }
        let body = self.put(scene.now, key, object);
        Ok(Served {
            code: StatusCode::CREATED,
            ..Served::wrote(body, basis)
        })
    }

    fn update(&mut self, asked: &Asked, body: &[u8], scene: Scene<'_>) -> Result<Served, Failure> {
        let sent = decode(asked, body)?;
        if sent.metadata.name != asked.name {
            let Metadata { name, .. } = &sent.metadata;
            let message = if name.is_empty() {
                "name must be provided".to_owned()
            } else {
                format!(
                    "the name of the object ({name}) does not match the name on the URL ({})",
                    asked.name
                )
            };
            return Err(Failure::bad_request(message));
        }
        let key = asked.key();
        let live = self.get(&key).map(Arc::clone);
        let found = live.as_ref().map_or("", |live| text(live, "uid"));
        if !sent.metadata.uid.is_empty() && sent.metadata.uid != found {
            return Err(Failure::other_uid(&key, &sent.metadata.uid, found));
        }
        let version = parse_version(&sent.metadata.resource_version)?;
        let Some(live) = live else {
            return self.create_by_update(asked, sent, scene);
        };
        if version == 0 && asked.kind == Kind::Lease {
            return Err(Failure::unconditional(&key));
        }
        self.replace(asked, sent, &live, version, scene)
    }

    /// A Lease that is not there is created by an update, whatever version the update names.
    fn create_by_update(
        &mut self,
        asked: &Asked,
        sent: Sent,
        scene: Scene<'_>,
    ) -> Result<Served, Failure> {
        if asked.kind != Kind::Lease || asked.status {
            return Err(Failure::not_found(&asked.key()));
        }
        let (subject, verb) = (scene.subject, Verb::Create);
        if !scene.rights.allow(subject, verb, asked.kind, &asked.name) {
            let at = (asked.namespace.as_str(), asked.name.as_str());
            return Err(Failure::forbidden(subject, verb.name(), asked.kind, at));
        }
        self.insert(asked, sent, scene)
    }

    fn replace(
        &mut self,
        asked: &Asked,
        mut sent: Sent,
        live: &Arc<Value>,
        version: u64,
        scene: Scene<'_>,
    ) -> Result<Served, Failure> {
        let key = asked.key();
        if version != 0 && version.to_string() != text(live, "resourceVersion") {
            return Err(Failure::modified(&key));
        }
        check(asked.kind, &sent)?;
        if asked.kind == Kind::Pod {
            // The status has its own way in, and nothing else goes through it.
            let (own, other) = if asked.status {
                ("spec", "status")
            } else {
                ("status", "spec")
            };
            let given = sent
                .rest
                .remove(other)
                .unwrap_or_else(|| live[other].clone());
            sent.rest.insert(other.to_owned(), given);
            sent.rest.insert(own.to_owned(), live[own].clone());
        }
        let managed_fields = sent.metadata.managed_fields.take();
        let mut object = build(
            &key,
            sent,
            text(live, "uid"),
            text(live, "creationTimestamp"),
        );
        let managed = managed_fields.as_deref();
        if !differs(&object, live) && managed.is_none_or(|sent| !sent.is_empty()) {
            let body = Arc::clone(live);
            return Ok(Served::wrote(body, version));
        }
        if let Some(fields) = manager(asked.kind, scene).of_changed(live, managed, &object) {
            object["metadata"]["managedFields"] = fields;
        }
        let body = self.put(scene.now, key, object);
        Ok(Served::wrote(body, version))
    }

    /// A merge patch. Without a version in it, it changes whatever is there.
    fn patch(&mut self, asked: &Asked, body: &[u8], scene: Scene<'_>) -> Result<Served, Failure> {
        let patch: Value = serde_json::from_slice(body)
            .map_err(|error| Failure::bad_request(format!("error decoding patch: {error}")))?;
        let key = asked.key();
        let live = self.get(&key).map(Arc::clone);
        let live = live.ok_or_else(|| Failure::not_found(&key))?;
        let mut object = Value::clone(&live);
        merge(&mut object, &patch);
        let patched =
            serde_json::to_vec(&object).map_err(|error| Failure::internal(error.to_string()))?;
        let sent = decode(asked, &patched)?;
        let version = parse_version(&sent.metadata.resource_version)?;
        self.replace(asked, sent, &live, version, scene)
    }

    fn delete(&mut self, asked: &Asked, scene: Scene<'_>) -> Result<Served, Failure> {
        let key = asked.key();
        if asked.kind == Kind::Pod
            && let Some(live) = self.get(&key)
        {
            // A pod is marked first, also where it may go at once.
            let mut marked = Value::clone(live);
            marked["metadata"]["deletionTimestamp"] =
                micro_time::write_seconds(scene.unix_s).into();
            marked["metadata"]["deletionGracePeriodSeconds"] = 0.into();
            self.put(scene.now, key.clone(), marked);
        }
        let removed = self.remove(scene.now, &key);
        let removed = removed.ok_or_else(|| Failure::not_found(&key))?;
        let body = if asked.kind == Kind::Pod {
            removed
        } else {
            Arc::new(json!({
                "kind": "Status",
                "apiVersion": "v1",
                "metadata": {},
                "status": "Success",
                "details": {
                    "name": key.name,
                    "group": key.kind.group(),
                    "kind": key.kind.plural(),
                    "uid": text(&removed, "uid"),
                },
            }))
        };
        Ok(Served::read(body))
    }
}

fn manager<'a>(kind: Kind, scene: Scene<'a>) -> Manager<'a> {
    Manager {
        api_version: kind.api_version(),
        name: scene.manager,
        unix_s: scene.unix_s,
    }
}

/// A version as clients send it; none is 0.
pub(super) fn parse_version(text: &str) -> Result<u64, Failure> {
    if text.is_empty() {
        return Ok(0);
    }
    text.parse().map_err(|_| {
        Failure::internal(format!(
            "strconv.ParseUint: parsing \"{text}\": invalid syntax"
        ))
    })
}

/// A version as queries have it; none is 0.
pub(super) fn parse_option(text: &str) -> Result<u64, Failure> {
    parse_version(text).map_err(|_| {
        Failure::internal(format!(
            "resourceVersion: Invalid value: \"{text}\": strconv.ParseUint: parsing \"{text}\": invalid syntax"
        ))
    })
}

/// A text of an object's metadata.
pub(super) fn text<'a>(object: &'a Value, field: &str) -> &'a str {
    object["metadata"][field].as_str().unwrap_or_default()
}

fn decode(asked: &Asked, body: &[u8]) -> Result<Sent, Failure> {
    let kind = asked.kind;
    let mut object = sent::object(body).map_err(|error| {
        let message = format!(
            "the object provided is unrecognized (must be of type {}): couldn't get version/kind; json parse error: {error}",
            kind.name()
        );
        Failure::bad_request(message)
    })?;
    let named = |object: &mut Map<String, Value>, field| match object.remove(field) {
        Some(Value::String(text)) if !text.is_empty() => Some(text),
        _ => None,
    };
    let version = named(&mut object, "apiVersion");
    let other_kind = named(&mut object, "kind").filter(|other| other != kind.name());
    let other_version = version.filter(|version| version != kind.api_version());
    if other_kind.is_some() || other_version.is_some() {
        let message = format!(
            "the object provided is no {} of {}",
            kind.name(),
            kind.api_version()
        );
        return Err(Failure::bad_request(message));
    }
    let metadata = Metadata::decode(kind, &mut object)?;
    let rest = match kind {
        Kind::Lease => {
            let spec = lease::decode_spec(&mut object)?;
            [("spec".to_owned(), Value::Object(spec))]
                .into_iter()
                .collect()
        }
        Kind::Pod => object,
    };
    if !metadata.namespace.is_empty() && metadata.namespace != asked.namespace {
        let message =
            "the namespace of the provided object does not match the namespace sent on the request";
        return Err(Failure::bad_request(message));
    }
    Ok(Sent { metadata, rest })
}

fn check(kind: Kind, sent: &Sent) -> Result<(), Failure> {
    let mut problems = sent.metadata.problems();
    if let (Kind::Lease, Some(Value::Object(spec))) = (kind, sent.rest.get("spec")) {
        problems.extend(lease::problems(spec));
    }
    if problems.is_empty() {
        Ok(())
    } else {
        Err(Failure::invalid(kind, &sent.metadata.name, &problems))
    }
}

/// An object as it is kept, but for its version.
fn build(key: &Key, sent: Sent, uid: &str, created: &str) -> Value {
    let Sent { metadata, mut rest } = sent;
    let mut fields = metadata.rest;
    fields.insert("name".to_owned(), key.name.clone().into());
    fields.insert("namespace".to_owned(), key.namespace.clone().into());
    fields.insert("uid".to_owned(), uid.into());
    fields.insert("creationTimestamp".to_owned(), created.into());
    if let Some(labels) = metadata.labels {
        fields.insert("labels".to_owned(), labels.into());
    }
    if let Some(annotations) = metadata.annotations {
        fields.insert("annotations".to_owned(), annotations.into());
    }
    rest.insert("kind".to_owned(), key.kind.name().into());
    rest.insert("apiVersion".to_owned(), key.kind.api_version().into());
    rest.insert("metadata".to_owned(), fields.into());
    Value::Object(rest)
}

/// Whether an object says something else than the one that is kept. Who set what does not count.
fn differs(object: &Value, live: &Value) -> bool {
    let (Value::Object(object), Value::Object(live)) = (object, live) else {
        return object != live;
    };
    let without = |fields: &Map<String, Value>, left_out: &[&str]| {
        let kept = fields
            .keys()
            .filter(|name| !left_out.contains(&name.as_str()));
        kept.count()
    };
    let same = |a: &Map<String, Value>, b: &Map<String, Value>, left_out: &[&str]| {
        without(a, left_out) == without(b, left_out)
            && a.iter()
                .filter(|(name, _)| !left_out.contains(&name.as_str()))
                .all(|(name, value)| b.get(name) == Some(value))
    };
    let (Some(ours), Some(theirs)) = (
        object.get("metadata").and_then(Value::as_object),
        live.get("metadata").and_then(Value::as_object),
    ) else {
        return true;
    };
    !same(object, live, &["metadata"]) || !same(ours, theirs, &["managedFields", "resourceVersion"])
}

fn merge(object: &mut Value, patch: &Value) {
    let Value::Object(changes) = patch else {
        *object = patch.clone();
        return;
    };
    if !object.is_object() {
        *object = json!({});
    }
    for (field, change) in changes {
        if let Value::Object(fields) = object {
            if change.is_null() {
                fields.remove(field);
            } else {
                merge(fields.entry(field).or_insert(Value::Null), change);
            }
        }
    }
}
