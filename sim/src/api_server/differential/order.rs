use std::fmt;

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// The names of a text's fields as they are written, with those of the fields' own. Of lists there is nothing.
#[derive(Default)]
pub(super) struct Fields(Vec<(String, Self)>);

impl Fields {
    /// In which order a Lease is written.
    pub(super) fn of_lease(&self) -> Vec<String> {
        let mut order = self.names("");
        for (name, fields) in &self.0 {
            if ["metadata", "spec"].contains(&name.as_str()) {
                order.extend(fields.names(name));
            }
        }
        order
    }

    fn names(&self, of: &str) -> Vec<String> {
        let names = self.0.iter().map(|(name, _)| format!("{of}/{name}"));
        names.collect()
    }
}

impl<'de> Deserialize<'de> for Fields {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AnyValue)
    }
}

struct AnyValue;

impl<'de> Visitor<'de> for AnyValue {
    type Value = Fields;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Fields, A::Error> {
        let mut fields = Vec::new();
        while let Some(field) = map.next_entry()? {
            fields.push(field);
        }
        Ok(Fields(fields))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Fields, A::Error> {
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Fields::default())
    }

    fn visit_bool<E>(self, _: bool) -> Result<Fields, E> {
        Ok(Fields::default())
    }

    fn visit_i64<E>(self, _: i64) -> Result<Fields, E> {
        Ok(Fields::default())
    }

    fn visit_u64<E>(self, _: u64) -> Result<Fields, E> {
        Ok(Fields::default())
    }

    fn visit_f64<E>(self, _: f64) -> Result<Fields, E> {
        Ok(Fields::default())
    }

    fn visit_str<E>(self, _: &str) -> Result<Fields, E> {
        Ok(Fields::default())
    }

    fn visit_unit<E>(self) -> Result<Fields, E> {
        Ok(Fields::default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_of_a_leases_fields_is_told_as_it_is_written() {
        let text = r#"{"kind":"Lease","spec":{"b":[{"x":1}],"a":null},"metadata":{"name":"x","labels":{"z":true}},"c":1.5}"#;
        let fields: Fields = serde_json::from_str(text).unwrap();
        let order = [
            "/kind",
            "/spec",
            "/metadata",
            "/c",
            "spec/b",
            "spec/a",
            "metadata/name",
            "metadata/labels",
        ];
        assert_eq!(fields.of_lease(), order);
    }
}
