use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use serde_json::Value;

use super::kind::{Key, Kind};
use crate::TrueTime;
use crate::random::Stream;

/// So many changes are kept for watches and for caches that lag.
const HISTORY_MOST: usize = 1_024;
/// Other objects of the cluster, which nobody here looks at, are written between two writes at most this often.
const STEP_MOST: u64 = 4;

/// All objects of the cluster, and what became of them: what etcd is to an API server.
///
/// One revision counts the writes of all objects. It has gaps here, because most of a cluster's objects are not simulated.
#[derive(Debug)]
pub(super) struct Store {
    /// The objects as they were at `compacted`.
    base: BTreeMap<Key, Arc<Value>>,
    /// What happened up to this revision is not known any more.
    compacted: u64,
    draw: Stream,
    history: VecDeque<Change>,
    namespaces: Vec<String>,
    objects: BTreeMap<Key, Arc<Value>>,
    revision: u64,
}

/// One write.
#[derive(Clone, Debug)]
pub struct Change {
    /// The object since; nothing when it is gone.
    pub after: Option<Arc<Value>>,
    /// When.
    pub at: TrueTime,
    /// The object until then; nothing when there was none.
    pub before: Option<Arc<Value>>,
    /// Which object.
    pub key: Key,
    /// The revision that the write made.
    pub revision: u64,
}

impl Store {
    pub(super) fn new(namespaces: &[&str], draw: Stream) -> Self {
        Self {
            base: BTreeMap::new(),
            compacted: 1,
            draw,
            history: VecDeque::new(),
            namespaces: namespaces.iter().map(|name| (*name).to_owned()).collect(),
            objects: BTreeMap::new(),
            revision: 1,
        }
    }

    pub(super) fn has_namespace(&self, name: &str) -> bool {
        self.namespaces.iter().any(|known| known == name)
    }

    pub(super) fn revision(&self) -> u64 {
        self.revision
    }

    pub(super) fn compacted(&self) -> u64 {
        self.compacted
    }

    /// The object as it is now.
    pub(super) fn get(&self, key: &Key) -> Option<&Arc<Value>> {
        self.objects.get(key)
    }

    /// The object as it was at a revision that is not compacted.
    pub(super) fn get_at(&self, key: &Key, revision: u64) -> Option<&Arc<Value>> {
        if revision >= self.revision {
            return self.get(key);
        }
        let changes = self.history.iter().rev();
        let last = changes
            .skip_while(|change| change.revision > revision)
            .find(|change| change.key == *key);
        match last {
            Some(change) => change.after.as_ref(),
            None => self.base.get(key),
        }
    }

    /// All objects of a kind in a namespace, as they were at a revision that is not compacted.
    pub(super) fn list_at(&self, kind: Kind, namespace: &str, revision: u64) -> Vec<Arc<Value>> {
        let here = |key: &Key| key.kind == kind && key.namespace == namespace;
        if revision >= self.revision {
            let now = self.objects.iter().filter(|(key, _)| here(key));
            return now.map(|(_, object)| Arc::clone(object)).collect();
        }
        let base = self.base.iter().filter(|(key, _)| here(key));
        let mut objects: BTreeMap<&Key, &Arc<Value>> = base.collect();
        let changes = self.history.iter();
        for change in changes.take_while(|change| change.revision <= revision) {
            if !here(&change.key) {
                continue;
            }
            match &change.after {
                Some(after) => objects.insert(&change.key, after),
                None => objects.remove(&change.key),
            };
        }
        objects.into_values().map(Arc::clone).collect()
    }

    /// Writes an object, which gets its version by that.
    pub(super) fn put(&mut self, now: TrueTime, key: Key, mut object: Value) -> Arc<Value> {
        let revision = self.step();
        object["metadata"]["resourceVersion"] = revision.to_string().into();
        let object = Arc::new(object);
        let before = self.objects.insert(key.clone(), Arc::clone(&object));
        self.remember(Change {
            after: Some(Arc::clone(&object)),
            at: now,
            before,
            key,
            revision,
        });
        object
    }

    /// Removes an object. Says whether there was one.
    pub(super) fn remove(&mut self, now: TrueTime, key: &Key) -> Option<Arc<Value>> {
        let before = self.objects.remove(key)?;
        let revision = self.step();
        self.remember(Change {
            after: None,
            at: now,
            before: Some(Arc::clone(&before)),
            key: key.clone(),
            revision,
        });
        Some(before)
    }

    fn step(&mut self) -> u64 {
        self.revision += self.draw.within(1..=STEP_MOST);
        self.revision
    }

    fn remember(&mut self, change: Change) {
        self.history.push_back(change);
        if self.history.len() > HISTORY_MOST {
            self.forget_one();
        }
    }

    fn forget_one(&mut self) {
        let Some(change) = self.history.pop_front() else {
            return;
        };
        self.compacted = change.revision;
        match change.after {
            Some(after) => self.base.insert(change.key, after),
            None => self.base.remove(&change.key),
        };
    }

    /// Forgets what happened up to `revision`.
    pub(super) fn compact(&mut self, revision: u64) {
        while self
            .history
            .front()
            .is_some_and(|change| change.revision <= revision)
        {
            self.forget_one();
        }
    }

    /// The changes after a revision, the oldest first.
    pub(super) fn changes_after(&self, revision: u64) -> impl Iterator<Item = &Change> {
        let from = self
            .history
            .partition_point(|change| change.revision <= revision);
        self.history.range(from..)
    }

    /// The newest revision that was there at a time.
    pub(super) fn revision_at(&self, at: TrueTime) -> u64 {
        let until = self.history.partition_point(|change| change.at <= at);
        match until.checked_sub(1).and_then(|last| self.history.get(last)) {
            Some(_) if until == self.history.len() => self.revision,
            Some(change) => change.revision,
            None if self.history.is_empty() => self.revision,
            None => self.compacted,
        }
    }

    /// Sixteen random bytes in the form of a uid.
    pub(super) fn new_uid(&mut self) -> String {
        let (high, low) = (self.draw.next_u64(), self.draw.next_u64());
        format!(
            "{:08x}-{:04x}-4{:03x}-{:04x}-{:012x}",
            high >> 32,
            high >> 16 & 0xffff,
            high & 0xfff,
            low >> 48 & 0x3fff | 0x8000,
            low & 0xffff_ffff_ffff
        )
    }

    /// A few random letters, for names.
    pub(super) fn new_suffix(&mut self) -> String {
        const LETTERS: &[u8] = b"bcdfghjklmnpqrstvwxz2456789";
        (0..5)
            .map(|_| char::from(LETTERS[self.draw.index(LETTERS.len())]))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::plan::Span;
    use crate::random::Purpose;

    fn at(seconds: u64) -> TrueTime {
        Span::from_secs(seconds).from_start()
    }

    fn store() -> Store {
        Store::new(&["default"], Stream::new(1, 0, Purpose::Network))
    }

    fn key(name: &str) -> Key {
        Key::new(Kind::Lease, "default", name)
    }

    fn write(store: &mut Store, second: u64, name: &str, value: u64) -> u64 {
        let object = json!({ "metadata": { "name": name }, "value": value });
        store.put(at(second), key(name), object);
        store.revision()
    }

    #[test]
    fn each_write_has_a_greater_revision_whatever_it_writes() {
        let mut store = store();
        let first = write(&mut store, 1, "a", 1);
        let second = write(&mut store, 2, "b", 1);
        assert!(first < second);
        store.remove(at(3), &key("a"));
        assert!(store.revision() > second);
        assert_eq!(store.remove(at(3), &key("a")), None);
        let version = &store.get(&key("b")).unwrap()["metadata"]["resourceVersion"];
        assert_eq!(*version, json!(second.to_string()));
    }

    #[test]
    fn the_past_can_be_read_until_it_is_compacted() {
        let mut store = store();
        let first = write(&mut store, 1, "a", 1);
        let second = write(&mut store, 2, "a", 2);
        store.remove(at(3), &key("a"));
        let value = |store: &Store, revision| {
            store
                .get_at(&key("a"), revision)
                .map(|object| object["value"].clone())
        };
        assert_eq!(value(&store, first), Some(json!(1)));
        assert_eq!(value(&store, second), Some(json!(2)));
        assert_eq!(value(&store, store.revision()), None);
        assert_eq!(store.revision_at(at(2)), second);
        assert_eq!(store.revision_at(at(9)), store.revision());
        assert_eq!(store.list_at(Kind::Lease, "default", second).len(), 1);
        assert_eq!(
            store
                .list_at(Kind::Lease, "default", store.revision())
                .len(),
            0
        );
        store.compact(first);
        assert_eq!(store.compacted(), first);
        assert_eq!(value(&store, first), Some(json!(1)));
        assert_eq!(store.changes_after(first).count(), 2);
    }

    #[test]
    fn what_is_kept_has_a_limit() {
        let mut store = store();
        for value in 0..2_000 {
            write(&mut store, value, "a", value);
        }
        assert_eq!(store.changes_after(0).count(), HISTORY_MOST);
        assert!(store.compacted() > 1);
    }
}
