use serde_json::{Map, Value, json};

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
        Some(json!([entry]))
    }

    /// The entries of an object that was changed. What had none before gets none.
    pub(super) fn of_changed(
        self,
        live: &Value,
        sent: Option<&[Value]>,
        object: &Value,
    ) -> Option<Value> {
        let live = live["metadata"]["managedFields"].as_array()?;
        if sent.is_some_and(<[Value]>::is_empty) {
            return None;
        }
        let (own, others): (Vec<&Value>, Vec<&Value>) = live
            .iter()
            .partition(|entry| entry["manager"] == *self.name);
        let own = match own[..] {
            // Mostly the same fields are set again.
            [own] if owns(&own["fieldsV1"], object) => {
                let mut own = own.clone();
                own["time"] = super::micro_time::write_seconds(self.unix_s).into();
                Some(own)
            }
            _ => self.entry(object),
        };
        let entries: Vec<Value> = others.into_iter().cloned().chain(own).collect();
        (!entries.is_empty()).then_some(Value::Array(entries))
    }

    fn entry(self, object: &Value) -> Option<Value> {
        let fields = owned(object);
        (!fields.is_empty()).then(|| {
            json!({
                "manager": self.name,
                "operation": "Update",
                "apiVersion": self.api_version,
                "time": super::micro_time::write_seconds(self.unix_s),
                "fieldsType": "FieldsV1",
                "fieldsV1": fields,
            })
        })
    }
}

/// All fields that somebody can own, as if one writer had set all of them: who owns which of several is not modelled.
fn owned(object: &Value) -> Map<String, Value> {
    let mut fields = Map::new();
    let mut metadata = Map::new();
    for part in ["annotations", "labels"] {
        let keys = names(&object["metadata"][part]);
        if !keys.is_empty() {
            let whole = [(".".to_owned(), json!({}))];
            metadata.insert(format!("f:{part}"), whole.into_iter().chain(keys).collect());
        }
    }
    if !metadata.is_empty() {
        fields.insert("f:metadata".to_owned(), metadata.into());
    }
    for part in ["spec", "status"] {
        let keys = names(&object[part]);
        if !keys.is_empty() {
            fields.insert(format!("f:{part}"), keys.into_iter().collect());
        }
    }
    fields
}

/// Whether these are the fields that a writer of the whole object owns.
fn owns(fields: &Value, object: &Value) -> bool {
    let same = |named: &Value, part: &Value, more: usize| {
        let (named, part) = (named.as_object(), part.as_object());
        let count = part.map_or(0, Map::len);
        let whole = if count == 0 { 0 } else { count + more };
        let has = |name: &String| {
            named.is_some_and(|named| {
                let mut names = named.keys().filter_map(|named| named.strip_prefix("f:"));
                names.any(|named| named == name)
            })
        };
        named.map_or(0, Map::len) == whole && part.into_iter().flat_map(Map::keys).all(has)
    };
    let metadata = &object["metadata"];
    same(&fields["f:spec"], &object["spec"], 0)
        && same(&fields["f:status"], &object["status"], 0)
        && same(&fields["f:metadata"]["f:labels"], &metadata["labels"], 1)
        && same(
            &fields["f:metadata"]["f:annotations"],
            &metadata["annotations"],
            1,
        )
}

fn names(value: &Value) -> Vec<(String, Value)> {
    let names = value.as_object().into_iter().flat_map(Map::keys);
    names.map(|name| (format!("f:{name}"), json!({}))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const MANAGER: Manager<'_> = Manager {
        api_version: "v1",
        name: "tenure",
        unix_s: 0,
    };

    #[test]
    fn an_object_says_who_set_its_fields() {
        let object = json!({ "metadata": { "labels": { "a": "b" } }, "spec": { "x": 1 } });
        let entries = MANAGER.of_new(&object).unwrap();
        let fields = json!({ "f:metadata": { "f:labels": { ".": {}, "f:a": {} } }, "f:spec": { "f:x": {} } });
        assert_eq!(entries[0]["fieldsV1"], fields);
        assert_eq!(entries[0]["manager"], "tenure");
        assert_eq!(MANAGER.of_new(&json!({ "spec": {} })), None);
    }

    #[test]
    fn who_sets_the_same_fields_again_keeps_its_entry_and_who_sets_others_gets_another() {
        let object = json!({ "metadata": { "labels": { "a": "b" } }, "spec": { "x": 1 } });
        let live = json!({ "metadata": { "managedFields": MANAGER.of_new(&object) } });
        let later = Manager {
            unix_s: 60,
            ..MANAGER
        };
        for changed in [
            json!({ "metadata": { "labels": { "a": "c" } }, "spec": { "x": 2 } }),
            json!({ "metadata": { "labels": { "b": "c" } }, "spec": { "x": 2 } }),
            json!({ "metadata": {}, "spec": { "x": 2 } }),
            json!({ "metadata": { "annotations": { "a": "c" } }, "spec": { "y": 2 } }),
        ] {
            assert_eq!(
                later.of_changed(&live, None, &changed),
                later.of_new(&changed)
            );
        }
    }

    #[test]
    fn an_object_that_says_nothing_goes_on_to_say_nothing() {
        let object = json!({ "spec": { "x": 1 } });
        let live = json!({ "metadata": {} });
        assert_eq!(MANAGER.of_changed(&live, None, &object), None);
        let live = json!({ "metadata": { "managedFields": [{ "manager": "kubectl" }] } });
        assert_eq!(MANAGER.of_changed(&live, Some(&[]), &object), None);
        let both = MANAGER.of_changed(&live, None, &object).unwrap();
        assert_eq!(both.as_array().unwrap().len(), 2);
    }
}
