use std::collections::BTreeMap;
use std::fmt;

use serde_json::Value;

use super::exchange::Exchange;

/// Something that two servers say differently.
#[derive(Clone, PartialEq, Debug)]
pub struct Difference {
    /// In the answer to what.
    pub step: String,
    /// Where in the answer.
    pub place: String,
    /// What the first says.
    pub first: String,
    /// What the second says.
    pub second: String,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            step,
            place,
            first,
            second,
        } = self;
        write!(f, "{step}: {place}: {first} / {second}")
    }
}

/// Fields that two servers cannot say alike, or that nobody here reads: the wording of what a decoder of another language says of
/// garbage, who owns which field, and what defaulting adds to a pod.
const NOT_COMPARED: [&str; 2] = ["/fieldsV1", "/generation"];

/// What the servers say differently, field by field.
pub fn compare(first: &[Exchange], second: &[Exchange]) -> Vec<Difference> {
    let mut differences = Vec::new();
    let mut names = (Names::default(), Names::default());
    for (one, other) in first.iter().zip(second) {
        let mut differ = |place: &str, a: String, b: String| {
            differences.push(Difference {
                step: one.step.clone(),
                place: place.to_owned(),
                first: a,
                second: b,
            });
        };
        if one.code != other.code {
            differ("code", one.code.to_string(), other.code.to_string());
        }
        let head = |exchange: &Exchange| {
            let Exchange {
                retry_after,
                content_type,
                ..
            } = exchange;
            format!("{retry_after:?} {content_type:?}")
        };
        if head(one) != head(other) {
            differ("headers", head(one), head(other));
        }
        if one.bodies.len() != other.bodies.len() {
            differ(
                "count",
                one.bodies.len().to_string(),
                other.bodies.len().to_string(),
            );
        }
        for (a, b) in one.orders.iter().zip(&other.orders) {
            // What only one of them says is compared below.
            let (a, b) = (common(a, b), common(b, a));
            if a != b {
                differ("order", a.join(" "), b.join(" "));
            }
        }
        let one_bodies = one.bodies.iter().map(|body| names.0.normal(body));
        let one_bodies: Vec<Value> = one_bodies.collect();
        let other_bodies = other.bodies.iter().map(|body| names.1.normal(body));
        for (index, (a, b)) in one_bodies.iter().zip(other_bodies).enumerate() {
            walk(&format!("/{index}"), a, &b, &mut differ);
        }
    }
    if first.len() != second.len() {
        differences.push(Difference {
            step: "the script".to_owned(),
            place: "steps".to_owned(),
            first: first.len().to_string(),
            second: second.len().to_string(),
        });
    }
    differences
}

/// Those of the names that the others have, too.
fn common<'a>(names: &'a [String], others: &[String]) -> Vec<&'a str> {
    let names = names.iter().filter(|name| others.contains(name));
    names.map(String::as_str).collect()
}

fn walk(place: &str, a: &Value, b: &Value, differ: &mut impl FnMut(&str, String, String)) {
    if NOT_COMPARED.iter().any(|suffix| place.ends_with(suffix)) {
        return;
    }
    match (a, b) {
        (Value::Object(a), Value::Object(b)) => {
            for (name, value) in a {
                let other = b.get(name).unwrap_or(&Value::Null);
                walk(&format!("{place}/{name}"), value, other, differ);
            }
            for (name, value) in b.iter().filter(|(name, _)| !a.contains_key(*name)) {
                walk(&format!("{place}/{name}"), &Value::Null, value, differ);
            }
        }
        (Value::Array(a), Value::Array(b)) if a.len() == b.len() => {
            for (index, (a, b)) in a.iter().zip(b).enumerate() {
                walk(&format!("{place}/{index}"), a, b, differ);
            }
        }
        _ if a != b => differ(place, a.to_string(), b.to_string()),
        _ => {}
    }
}

/// What stands for names that a server makes up: the same for the same thing in both.
#[derive(Default)]
struct Names(BTreeMap<String, String>);

impl Names {
    fn normal(&mut self, body: &Value) -> Value {
        let mut body = body.clone();
        let is_list = body["items"].is_array();
        if is_list {
            // The revision of the whole cluster, which others move as well.
            body["metadata"]["resourceVersion"] = "of the list".into();
        }
        let is_bookmark = body["type"] == "BOOKMARK";
        if is_bookmark {
            body["object"]["metadata"]["resourceVersion"] = "of the bookmark".into();
        }
        let is_status = body["kind"] == "Status";
        if is_status && body["code"] == 400 {
            // The same decoder would be needed for the same words.
            body["message"] = "of a decoder".into();
        }
        if body["kind"] == "Pod" {
            pod_without_defaults(&mut body);
        }
        if let Some(object) = body
            .get_mut("object")
            .filter(|object| object["kind"] == "Pod")
        {
            pod_without_defaults(object);
        }
        let items = body.get_mut("items").and_then(Value::as_array_mut);
        for item in items.into_iter().flatten() {
            if item["spec"].get("containers").is_some() {
                pod_without_defaults(item);
            }
        }
        self.rename("", &mut body);
        body
    }

    fn rename(&mut self, field: &str, value: &mut Value) {
        match value {
            Value::Object(fields) => {
                for (name, value) in fields {
                    self.rename(name, value);
                }
            }
            Value::Array(values) => {
                for value in values {
                    self.rename("", value);
                }
            }
            Value::String(text) => {
                let named = match field {
                    "uid" => self.name("uid", text),
                    "resourceVersion" => self.name("version", text),
                    "creationTimestamp" | "deletionTimestamp" | "time" => "then".to_owned(),
                    "message" => without_names(text),
                    _ => return,
                };
                *text = named;
            }
            _ => {}
        }
    }

    fn name(&mut self, what: &str, text: &str) -> String {
        if text.starts_with("of the ") {
            return text.to_owned();
        }
        let next = format!("{what} {}", self.0.len());
        self.0
            .entry(format!("{what} {text}"))
            .or_insert(next)
            .clone()
    }
}

/// A message, with stand-ins for uids and revisions.
fn without_names(message: &str) -> String {
    let words = message.split(' ').map(|word| {
        let letters = word.trim_matches(|letter: char| "\"',:()[]".contains(letter));
        let is_uid = letters.len() == 36 && letters.matches('-').count() == 4;
        let is_revision = letters.len() > 1 && letters.bytes().all(|byte| byte.is_ascii_digit());
        if is_uid || is_revision { "#" } else { word }
    });
    words.collect::<Vec<_>>().join(" ")
}

/// A pod as it is without what the server fills in: its containers' names and images are left.
fn pod_without_defaults(pod: &mut Value) {
    let containers = pod["spec"]["containers"].clone();
    let Some(containers) = containers.as_array() else {
        return;
    };
    let bare = containers.iter().map(
        |container| serde_json::json!({ "name": container["name"], "image": container["image"] }),
    );
    if let Some(metadata) = pod["metadata"].as_object_mut() {
        metadata.remove("managedFields");
    }
    pod["spec"] = serde_json::json!({ "containers": bare.collect::<Vec<_>>() });
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn exchange(code: u16, body: Value) -> Exchange {
        Exchange {
            step: "a step".to_owned(),
            code,
            retry_after: None,
            content_type: None,
            bodies: vec![body],
            orders: Vec::new(),
        }
    }

    #[test]
    fn names_that_a_server_makes_up_may_differ_and_what_they_name_may_not() {
        let object =
            |version: &str| json!({ "metadata": { "uid": "u", "resourceVersion": version } });
        let twice = [exchange(200, object("5")), exchange(200, object("5"))];
        let other = [exchange(200, object("900")), exchange(200, object("900"))];
        assert_eq!(compare(&twice, &other), []);
        let moved = [exchange(200, object("900")), exchange(200, object("901"))];
        assert_eq!(compare(&twice, &moved).len(), 1);
    }

    #[test]
    fn each_field_that_differs_is_told() {
        let one = [exchange(200, json!({ "a": 1, "b": { "c": 2 } }))];
        let other = [exchange(201, json!({ "a": 1, "b": { "d": 2 } }))];
        let places: Vec<String> = compare(&one, &other)
            .into_iter()
            .map(|found| found.place)
            .collect();
        assert_eq!(places, ["code", "/0/b/c", "/0/b/d"]);
    }

    #[test]
    fn another_order_is_told() {
        let ordered = |names: [&str; 2]| Exchange {
            orders: vec![names.map(str::to_owned).to_vec()],
            ..exchange(200, json!({}))
        };
        let found = compare(&[ordered(["/a", "/b"])], &[ordered(["/b", "/a"])]);
        assert_eq!(found[0].to_string(), "a step: order: /a /b / /b /a");
    }
}
