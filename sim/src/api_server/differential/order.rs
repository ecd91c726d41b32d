use std::fmt;

use serde::de::{Deserialize, DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};

/// The names of a Lease's fields as they are written, those of its metadata and its spec among them.
#[derive(Default)]
pub(super) struct Order(pub(super) Vec<String>);

impl<'de> Deserialize<'de> for Order {
    fn deserialize<D: Deserializer<'de>>(reader: D) -> Result<Self, D::Error> {
        let mut order = Self::default();
        Names {
            of: "",
            order: &mut order,
        }
        .deserialize(reader)?;
        Ok(order)
    }
}

/// Adds the names of the fields of one object.
struct Names<'a> {
    of: &'a str,
    order: &'a mut Order,
}

impl<'de> DeserializeSeed<'de> for Names<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<(), D::Error> {
        reader.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Names<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let Self { of, order } = self;
        while let Some(name) = map.next_key::<String>()? {
            order.0.push(format!("{of}/{name}"));
            if of.is_empty() && ["metadata", "spec"].contains(&name.as_str()) {
                map.next_value_seed(Names { of: &name, order })?;
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_of_a_leases_fields_is_told_as_it_is_written() {
        let text = r#"{"kind":"Lease","spec":{"b":[{"x":1}],"a":null},"metadata":{"name":"x","labels":{"z":true}},"c":1.5}"#;
        let Order(order) = serde_json::from_str(text).unwrap();
        let expected = [
            "/kind",
            "/spec",
            "spec/b",
            "spec/a",
            "/metadata",
            "metadata/name",
            "metadata/labels",
            "/c",
        ];
        assert_eq!(order, expected);
    }
}
