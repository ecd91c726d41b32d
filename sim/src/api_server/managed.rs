//! Who has set which field, as the server notes it in an object, and how objects are written with that, in the server's order.
//!
//! An entry is kept as the text that it is in an answer: it is more than half of a Lease, changes with each write, and nobody here looks
//! into it.

use std::io::Write;

use serde_json::{Map, Value};

use super::micro_time;

const FIELD: &str = "managedFields";
/// What each entry begins with.
const BEGINS: &str = "{\"manager\":";

/// The fields that the server writes before all others, in this order, at the top of an answer and of each object in it.
const TOP: [&str; 3] = ["type", "kind", "apiVersion"];
/// Those of `metadata`. It writes the keys of labels and annotations in theirs.
const METADATA: [&str; 12] = [
    "name",
    "namespace",
    "uid",
    "resourceVersion",
    "generation",
    "creationTimestamp",
    "deletionTimestamp",
    "deletionGracePeriodSeconds",
    "labels",
    "annotations",
    "finalizers",
    FIELD,
];
/// Those of a Lease's `spec`.
const SPEC: [&str; 5] = [
    "holderIdentity",
    "leaseDurationSeconds",
    "acquireTime",
    "renewTime",
    "leaseTransitions",
];

/// Who writes, as the server notes it in an object.
#[derive(Clone, Copy, Debug)]
pub(super) struct Manager<'a> {
    pub(super) api_version: &'a str,
    /// The program's name, from the start of its `User-Agent`.
    pub(super) name: &'a str,
    pub(super) unix_s: i64,
}

impl Manager<'_> {
    /// The entries of a new object.
    pub(super) fn of_new(self, object: &Value) -> Option<Value> {
        let entry = self.entry(object)?;
        Some(Value::Array(vec![entry.into()]))
    }

    /// The entries of an object that was changed. What had none before gets none.
    pub(super) fn of_changed(
        self,
        live: &Value,
        sent: Option<&[Value]>,
        object: &Value,
    ) -> Option<Value> {
        let live = live["metadata"][FIELD].as_array()?;
        if sent.is_some_and(<[Value]>::is_empty) {
            return None;
        }
        let own = self.begins();
        let is_own = |entry: &&Value| entry.as_str().is_some_and(|entry| entry.starts_with(&own));
        let others = live.iter().filter(|entry| !is_own(entry)).cloned();
        let entry = self.entry(object).map(Value::String);
        let entries: Vec<Value> = others.chain(entry).collect();
        (!entries.is_empty()).then_some(Value::Array(entries))
    }

    fn begins(self) -> String {
        format!("{BEGINS}{},", Value::from(self.name))
    }

    /// All fields that somebody can own, as if one writer had set all of them: who owns which of several is not modelled.
    fn entry(self, object: &Value) -> Option<String> {
        let metadata = &object["metadata"];
        let mut own = String::new();
        for (name, part) in [
            ("annotations", &metadata["annotations"]),
            ("labels", &metadata["labels"]),
        ] {
            push_fields(&mut own, name, part, "\".\":{},");
        }
        let mut fields = String::new();
        if !own.is_empty() {
            fields = format!("\"f:metadata\":{{{own}}}");
        }
        for name in ["spec", "status"] {
            push_fields(&mut fields, name, &object[name], "");
        }
        if fields.is_empty() {
            return None;
        }
        let begins = self.begins();
        let (version, time) = (
            Value::from(self.api_version),
            micro_time::write_seconds(self.unix_s),
        );
        Some(format!(
            "{begins}\"operation\":\"Update\",\"apiVersion\":{version},\"time\":\"{time}\",\"fieldsType\":\"FieldsV1\",\"fieldsV1\":{{{fields}}}}}"
        ))
    }
}

/// Adds the fields of `part` under its name, where it has some.
fn push_fields(text: &mut String, name: &str, part: &Value, whole: &str) {
    let Some(fields) = part.as_object().filter(|fields| !fields.is_empty()) else {
        return;
    };
    if !text.is_empty() {
        text.push(',');
    }
    text.push_str("\"f:");
    text.push_str(name);
    text.push_str("\":{");
    text.push_str(whole);
    for (index, field) in fields.keys().enumerate() {
        let is_plain = |byte: u8| byte.is_ascii_graphic() && byte != b'"' && byte != b'\\';
        text.push_str(if index > 0 { ",\"f:" } else { "\"f:" });
        if field.bytes().all(is_plain) {
            text.push_str(field);
        } else {
            let quoted = Value::from(field.as_str()).to_string();
            text.push_str(&quoted[1..quoted.len() - 1]);
        }
        text.push_str("\":{}");
    }
    text.push('}');
}

/// Writes an object, a list or an event as an answer has it.
pub(super) fn write(value: &Value, to: &mut Vec<u8>) {
    write_in(&TOP, value, to);
}

/// Writes a value, of whose fields these are the first.
fn write_in(order: &[&str], value: &Value, to: &mut Vec<u8>) {
    match value {
        Value::Object(fields) => write_map(order, fields, to),
        Value::Array(values) => write_list(values, to, write),
        _ => serde_json::to_writer(to, value).expect("a JSON value can be written"),
    }
}

fn write_map(order: &[&str], fields: &Map<String, Value>, to: &mut Vec<u8>) {
    let first = order.iter().filter_map(|name| fields.get_key_value(*name));
    let others = fields
        .iter()
        .filter(|(name, _)| !order.contains(&name.as_str()));
    to.push(b'{');
    for (index, (name, value)) in first.chain(others).enumerate() {
        if index > 0 {
            to.push(b',');
        }
        serde_json::to_writer(&mut *to, name).expect("a text can be written");
        to.push(b':');
        match (name.as_str(), value) {
            (FIELD, Value::Array(entries)) => write_list(entries, to, write_entry),
            ("metadata", value) => write_in(&METADATA, value, to),
            ("spec", value) => write_in(&SPEC, value, to),
            ("labels" | "annotations", value) => write_in(&[], value, to),
            (_, value) => write(value, to),
        }
    }
    to.push(b'}');
}

fn write_list(values: &[Value], to: &mut Vec<u8>, one: fn(&Value, &mut Vec<u8>)) {
    to.push(b'[');
    for (index, value) in values.iter().enumerate() {
        if index > 0 {
            to.push(b',');
        }
        one(value, to);
    }
    to.push(b']');
}

fn write_entry(entry: &Value, to: &mut Vec<u8>) {
    match entry.as_str().filter(|entry| entry.starts_with(BEGINS)) {
        Some(text) => to
            .write_all(text.as_bytes())
            .expect("memory takes what is written"),
        None => write(entry, to),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const MANAGER: Manager<'_> = Manager {
        api_version: "v1",
        name: "tenure",
        unix_s: 0,
    };

    fn written(object: &Value) -> Value {
        let mut text = Vec::new();
        write(object, &mut text);
        serde_json::from_slice(&text).unwrap()
    }

    /// The entries, as an answer has them.
    fn entries(managed: Option<Value>) -> Value {
        written(&json!({ "metadata": { "managedFields": managed } }))["metadata"][FIELD].take()
    }

    #[test]
    fn an_object_says_who_set_its_fields() {
        let object =
            json!({ "metadata": { "labels": { "a": "b" } }, "spec": { "x": 1, "\"\\": 2 } });
        let entries = entries(MANAGER.of_new(&object));
        let fields = json!({
            "f:metadata": { "f:labels": { ".": {}, "f:a": {} } },
            "f:spec": { "f:x": {}, "f:\"\\": {} },
        });
        assert_eq!(entries[0]["fieldsV1"], fields);
        assert_eq!(entries[0]["manager"], "tenure");
        assert_eq!(entries[0]["time"], "1970-01-01T00:00:00Z");
        assert_eq!(MANAGER.of_new(&json!({ "spec": {} })), None);
    }

    #[test]
    fn who_writes_again_has_one_entry_beside_those_of_others() {
        let object = json!({ "spec": { "x": 1 } });
        let other = Manager {
            name: "kubectl",
            ..MANAGER
        };
        let live = json!({ "metadata": { "managedFields": MANAGER.of_new(&object) } });
        let both =
            json!({ "metadata": { "managedFields": other.of_changed(&live, None, &object) } });
        let later = Manager {
            unix_s: 60,
            ..MANAGER
        };
        let again = entries(later.of_changed(&both, None, &json!({ "spec": { "y": 1 } })));
        assert_eq!(again.as_array().unwrap().len(), 2);
        assert_eq!(again[0]["manager"], "kubectl");
        assert_eq!(again[1]["fieldsV1"], json!({ "f:spec": { "f:y": {} } }));
        assert_eq!(again[1]["time"], "1970-01-01T00:01:00Z");
    }

    #[test]
    fn an_object_that_says_nothing_goes_on_to_say_nothing() {
        let object = json!({ "spec": { "x": 1 } });
        let live = json!({ "metadata": {} });
        assert_eq!(MANAGER.of_changed(&live, None, &object), None);
        let live = json!({ "metadata": { "managedFields": MANAGER.of_new(&object) } });
        assert_eq!(MANAGER.of_changed(&live, Some(&[]), &object), None);
    }

    #[test]
    fn what_is_written_is_read_back() {
        let value = json!({
            "items": [{ "a": [1, 2.5, null, true], "managedFields": ["text", {}] }, []],
            "quo\"ted": { "b": "\n" },
        });
        assert_eq!(written(&value), value);
    }
}
