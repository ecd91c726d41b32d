use serde_json::{Value, json};

use super::kind::Kind;
use super::operations::parse_option;
use super::request::Asked;
use super::selector::Selector;
use super::status::Failure;
use super::store::{Change, Store};

/// What one watch has told so far, and what it is to tell.
#[derive(Clone, Debug)]
pub(super) struct Watch {
    /// Everything up to this revision was told.
    told: u64,
    kind: Kind,
    namespace: String,
    selector: Selector,
}

impl Watch {
    /// Begins to watch, with what there is to tell at once. `visible` is what the server's cache has seen.
    ///
    /// # Errors
    /// When what is to be told has been forgotten.
    pub(super) fn begin(
        store: &Store,
        asked: &Asked,
        visible: u64,
    ) -> Result<(Self, Vec<Value>), Failure> {
        let wanted = parse_option(&asked.options.resource_version)?;
        let mut watch = Self {
            told: wanted,
            kind: asked.kind,
            namespace: asked.namespace.clone(),
            selector: asked.options.selector.clone(),
        };
        if wanted > 0 {
            return if wanted < store.compacted() {
                Err(Failure::expired(wanted, store.compacted()))
            } else {
                Ok((watch, Vec::new()))
            };
        }
        watch.told = visible;
        let objects = store.list_at(watch.kind, &watch.namespace, visible);
        let mut events: Vec<Value> = objects
            .iter()
            .filter(|object| watch.selector.matches(object))
            .map(|object| event("ADDED", object))
            .collect();
        if asked.options.bookmarks {
            let mut bookmark = watch.bookmark(visible);
            bookmark["object"]["metadata"]["annotations"] =
                json!({ "k8s.io/initial-events-end": "true" });
            events.push(bookmark);
        }
        Ok((watch, events))
    }

    /// What there is to tell since the last time.
    ///
    /// # Errors
    /// When it has been forgotten.
    pub(super) fn next(&mut self, store: &Store, visible: u64) -> Result<Vec<Value>, Failure> {
        if self.told < store.compacted() {
            return Err(Failure::expired(self.told, store.compacted()));
        }
        let changes = store.changes_after(self.told);
        let seen = changes.take_while(|change| change.revision <= visible);
        let events = seen.filter_map(|change| self.event_of(change)).collect();
        self.told = self.told.max(visible);
        Ok(events)
    }

    fn event_of(&self, change: &Change) -> Option<Value> {
        if change.key.kind != self.kind || change.key.namespace != self.namespace {
            return None;
        }
        let matches = |object: &&std::sync::Arc<Value>| self.selector.matches(object);
        let before = change.before.as_ref().filter(matches);
        let after = change.after.as_ref().filter(matches);
        match (before, after) {
            (Some(_), Some(after)) => Some(event("MODIFIED", after)),
            (None, Some(after)) => Some(event("ADDED", after)),
            (Some(before), None) => {
                // The object as it was, with the version of what took it out of sight.
                let mut gone = event("DELETED", before);
                gone["object"]["metadata"]["resourceVersion"] = change.revision.to_string().into();
                Some(gone)
            }
            (None, None) => None,
        }
    }

    /// Says up to where everything was told.
    pub(super) fn bookmark(&self, visible: u64) -> Value {
        let spec = match self.kind {
            Kind::Lease => json!({}),
            Kind::Pod => json!({ "containers": null }),
        };
        let object = json!({
            "kind": self.kind.name(),
            "apiVersion": self.kind.api_version(),
            "metadata": { "resourceVersion": self.told.max(visible).to_string() },
            "spec": spec,
        });
        event("BOOKMARK", &object)
    }
}

fn event(kind: &str, object: &Value) -> Value {
    json!({ "type": kind, "object": object })
}

/// How a watch says that it cannot go on.
pub(super) fn error_event(failure: &Failure) -> Value {
    event("ERROR", &failure.body())
}
