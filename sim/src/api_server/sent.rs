//! Reads what a client sent, but for what no server of ours looks into.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

/// An object. Of its `metadata.managedFields`, more than half of a Lease, only how many entries there are is kept.
pub(super) fn object(body: &[u8]) -> Result<Map<String, Value>, serde_json::Error> {
    let mut reader = serde_json::Deserializer::from_slice(body);
    let object = Fields {
        deep: "metadata",
        then: Deep::Metadata,
    }
    .deserialize(&mut reader)?;
    reader.end()?;
    match object {
        Value::Object(object) => Ok(object),
        _ => Err(serde_json::Error::custom("an object was expected")),
    }
}

/// An object, one field of which is read in its own way.
#[derive(Clone, Copy)]
struct Fields {
    deep: &'static str,
    then: Deep,
}

#[derive(Clone, Copy)]
enum Deep {
    Metadata,
    ManagedFields,
}

impl<'de> DeserializeSeed<'de> for Deep {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<Value, D::Error> {
        match self {
            Self::Metadata => Fields {
                deep: "managedFields",
                then: Self::ManagedFields,
            }
            .deserialize(reader),
            Self::ManagedFields => Count.deserialize(reader),
        }
    }
}

/// Visits what is no object or list, which is then told to be of the wrong type.
macro_rules! scalars {
    () => {
        fn visit_bool<E: Error>(self, value: bool) -> Result<Value, E> {
            Ok(value.into())
        }

        fn visit_i64<E: Error>(self, value: i64) -> Result<Value, E> {
            Ok(value.into())
        }

        fn visit_u64<E: Error>(self, value: u64) -> Result<Value, E> {
            Ok(value.into())
        }

        fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
            Ok(value.into())
        }

        fn visit_str<E: Error>(self, value: &str) -> Result<Value, E> {
            Ok(value.into())
        }

        fn visit_unit<E: Error>(self) -> Result<Value, E> {
            Ok(Value::Null)
        }
    };
}

impl<'de> DeserializeSeed<'de> for Fields {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<Value, D::Error> {
        reader.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Fields {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let mut object = Map::new();
        while let Some(field) = map.next_key::<String>()? {
            let value = if field == self.deep {
                map.next_value_seed(self.then)?
            } else {
                map.next_value()?
            };
            object.insert(field, value);
        }
        Ok(Value::Object(object))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Value, A::Error> {
        let mut values = Vec::new();
        while let Some(value) = list.next_element()? {
            values.push(value);
        }
        Ok(Value::Array(values))
    }

    scalars!();
}

/// How many elements a list has, as a list of nothing.
struct Count;

impl<'de> DeserializeSeed<'de> for Count {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<Value, D::Error> {
        reader.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Count {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Value, A::Error> {
        let mut values = Vec::new();
        while list.next_element::<IgnoredAny>()?.is_some() {
            values.push(Value::Null);
        }
        Ok(Value::Array(values))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Value::Object(Map::new()))
    }

    scalars!();
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn all_but_the_managed_fields_is_read_as_it_was_sent() {
        let sent = json!({
            "metadata": { "name": "x", "labels": { "a": "b" }, "managedFields": [{ "manager": "m" }, {}] },
            "spec": { "managedFields": [1, 2.5, null, true, "text"] },
            "list": [{}],
        });
        let mut expected = sent.clone();
        expected["metadata"]["managedFields"] = json!([null, null]);
        let read = object(sent.to_string().as_bytes()).unwrap();
        assert_eq!(Value::Object(read), expected);
    }

    #[test]
    fn what_is_no_object_is_refused_and_a_wrong_type_is_kept_to_be_told() {
        for text in ["", "[]", "7", "{\"a\":1", "{} {}", "\"x\""] {
            assert!(object(text.as_bytes()).is_err(), "{text}");
        }
        for metadata in [
            json!("x"),
            json!([1]),
            json!(null),
            json!({ "managedFields": 7 }),
        ] {
            let text = json!({ "metadata": metadata }).to_string();
            assert_eq!(object(text.as_bytes()).unwrap()["metadata"], metadata);
        }
    }
}
