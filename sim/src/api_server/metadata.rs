use serde_json::{Map, Value};

use super::kind::Kind;
use super::status::{Failure, Problem};

/// All annotations of an object together have at most so many bytes.
const ANNOTATIONS_MOST: usize = 256 * 1_024;
const NAME_MOST: usize = 253;
const LABEL_MOST: usize = 63;

const SUBDOMAIN: &str = "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
const QUALIFIED: &str = "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";
const LABEL_VALUE: &str = "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')";

/// What of an object's metadata a client may set, as it was sent: fields that the server does not know are left out.
#[derive(Clone, Default, PartialEq, Debug)]
pub(super) struct Metadata {
    pub(super) annotations: Option<Map<String, Value>>,
    pub(super) labels: Option<Map<String, Value>>,
    /// What says who set what; an empty list lets all of it be forgotten.
    pub(super) managed_fields: Option<Vec<Value>>,
    pub(super) name: String,
    pub(super) namespace: String,
    /// Fields that are kept as they are: `ownerReferences`, `finalizers`, `generateName`.
    pub(super) rest: Map<String, Value>,
    pub(super) resource_version: String,
    pub(super) uid: String,
}

impl Metadata {
    pub(super) fn decode(kind: Kind, object: &mut Map<String, Value>) -> Result<Self, Failure> {
        let mut metadata = Self::default();
        let fields = match object.remove("metadata") {
            None | Some(Value::Null) => return Ok(metadata),
            Some(Value::Object(fields)) => fields,
            Some(other) => return Err(mistyped(kind, &other, "metadata", "v1.ObjectMeta")),
        };
        for (field, value) in fields {
            if value.is_null() {
                continue;
            }
            match field.as_str() {
                "name" => metadata.name = text(kind, value, "name")?,
                "namespace" => metadata.namespace = text(kind, value, "namespace")?,
                "resourceVersion" => metadata.resource_version = text(kind, value, &field)?,
                "uid" => metadata.uid = text(kind, value, "uid")?,
                "labels" => metadata.labels = texts(kind, value, &field)?,
                "annotations" => metadata.annotations = texts(kind, value, &field)?,
                "managedFields" => metadata.managed_fields = Some(list(kind, value, &field)?),
                "finalizers" | "ownerReferences" => {
                    let kept = list(kind, value, &field)?;
                    if !kept.is_empty() {
                        metadata.rest.insert(field, kept.into());
                    }
                }
                "generateName" => {
                    let kept = text(kind, value, &field)?;
                    metadata.rest.insert(field, kept.into());
                }
                // What the server sets itself, and what it does not know.
                _ => {}
            }
        }
        Ok(metadata)
    }

    /// What is wrong with it.
    pub(super) fn problems(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        if self.name.is_empty() {
            let why = "name or generateName is required";
            problems.push(Problem::required("metadata.name", why));
        } else if self.name.len() > NAME_MOST {
            let why = "must be no more than 253 characters";
            problems.push(wrong("metadata.name", &self.name, why));
        } else if !is_subdomain(&self.name) {
            problems.push(wrong("metadata.name", &self.name, SUBDOMAIN));
        }
        for (key, value) in self.labels.iter().flatten() {
            let value = value.as_str().unwrap_or_default();
            if !is_qualified(key) {
                problems.push(wrong("metadata.labels", key, QUALIFIED));
            }
            if value.len() > LABEL_MOST {
                let why = "must be no more than 63 characters";
                problems.push(wrong("metadata.labels", value, why));
            } else if !value.is_empty() && !is_word(value) {
                problems.push(wrong("metadata.labels", value, LABEL_VALUE));
            }
        }
        let mut size = 0;
        for (key, value) in self.annotations.iter().flatten() {
            // Keys of annotations may be in upper case.
            if !is_qualified(&key.to_lowercase()) {
                problems.push(wrong("metadata.annotations", key, QUALIFIED));
            }
            size += key.len() + value.as_str().map_or(0, str::len);
        }
        if size > ANNOTATIONS_MOST {
            problems.push(Problem::too_long("metadata.annotations", ANNOTATIONS_MOST));
        }
        problems
    }
}

fn wrong(field: &'static str, value: &str, why: &str) -> Problem {
    Problem::invalid(field, &format!("\"{value}\""), why)
}

/// A value that is of another type than the field.
pub(super) fn mistyped(kind: Kind, value: &Value, field: &str, wanted: &str) -> Failure {
    let found = match value {
        Value::Null => "null",
        Value::Bool(_) => "bool",
        Value::Number(number) if number.is_f64() => &format!("number {number}"),
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    };
    let problem = format!(
        "json: cannot unmarshal {found} into Go struct field {} of type {wanted}",
        if field.contains('.') {
            field.to_owned()
        } else {
            format!("ObjectMeta.metadata.{field}")
        }
    );
    Failure::undecodable(kind, &problem)
}

pub(super) fn text(kind: Kind, value: Value, field: &str) -> Result<String, Failure> {
    match value {
        Value::String(text) => Ok(text),
        other => Err(mistyped(kind, &other, field, "string")),
    }
}

fn texts(kind: Kind, value: Value, field: &str) -> Result<Option<Map<String, Value>>, Failure> {
    match value {
        Value::Object(texts) => match texts.values().find(|value| !value.is_string()) {
            Some(other) => Err(mistyped(kind, other, field, "string")),
            None => Ok((!texts.is_empty()).then_some(texts)),
        },
        other => Err(mistyped(kind, &other, field, "map[string]string")),
    }
}

fn list(kind: Kind, value: Value, field: &str) -> Result<Vec<Value>, Failure> {
    match value {
        Value::Array(values) => Ok(values),
        other => Err(mistyped(kind, &other, field, "[]string")),
    }
}

fn is_subdomain(name: &str) -> bool {
    name.split('.').all(|label| {
        let letter = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
        let bytes = label.as_bytes();
        bytes.first().is_some_and(|byte| letter(*byte))
            && bytes.last().is_some_and(|byte| letter(*byte))
            && bytes.iter().all(|byte| letter(*byte) || *byte == b'-')
    })
}

fn is_word(word: &str) -> bool {
    let bytes = word.as_bytes();
    bytes.first().is_some_and(u8::is_ascii_alphanumeric)
        && bytes.last().is_some_and(u8::is_ascii_alphanumeric)
        && bytes
            .iter()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(byte))
}

fn is_qualified(key: &str) -> bool {
    let (prefix, name) = match key.split_once('/') {
        Some((prefix, name)) => (Some(prefix), name),
        None => (None, key),
    };
    let prefix_fits = prefix.is_none_or(|prefix| prefix.len() <= NAME_MOST && is_subdomain(prefix));
    prefix_fits && name.len() <= LABEL_MOST && is_word(name)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn metadata(metadata: Value) -> Result<Metadata, Failure> {
        let mut object = Map::new();
        object.insert("metadata".to_owned(), metadata);
        Metadata::decode(Kind::Lease, &mut object)
    }

    #[test]
    fn unknown_fields_and_empty_maps_are_left_out() {
        let read = metadata(json!({ "name": "x", "bogus": 1, "labels": {}, "uid": null })).unwrap();
        let only_named = Metadata {
            name: "x".to_owned(),
            ..Metadata::default()
        };
        assert_eq!(read, only_named);
        assert!(metadata(json!({ "annotations": { "a": 5 } })).is_err());
        assert!(metadata(json!({ "name": 5 })).is_err());
    }

    #[test]
    fn a_bad_name_label_or_annotation_is_a_problem() {
        let problems = |value| metadata(value).unwrap().problems().len();
        assert_eq!(problems(json!({ "name": "a.b-c" })), 0);
        let fine = json!({ "name": "x", "labels": { "a.b/c": "", "D": "e_f" }, "annotations": { "tenure/Token": "{}" } });
        assert_eq!(problems(fine), 0);
        for bad in [
            json!({}),
            json!({ "name": "A_b" }),
            json!({ "name": "a".repeat(254) }),
            json!({ "name": "x", "labels": { "a": "x y" } }),
            json!({ "name": "x", "annotations": { "a b": "x" } }),
        ] {
            assert_eq!(problems(bad.clone()), 1, "{bad}");
        }
    }

    #[test]
    fn annotations_have_256_kib_together() {
        let sized = |bytes: usize| {
            let value = json!({ "name": "x", "annotations": { "a": "x".repeat(bytes - 1) } });
            metadata(value).unwrap().problems().len()
        };
        assert_eq!(sized(262_144), 0);
        assert_eq!(sized(262_145), 1);
    }
}
