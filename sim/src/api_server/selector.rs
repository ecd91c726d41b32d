use serde_json::Value;

use super::kind::Kind;
use super::status::Failure;

/// Which objects a list or a watch is about.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub(super) struct Selector {
    labels: Vec<Requirement>,
    /// The only name, where the field selector asks for one.
    pub(super) name: Option<String>,
    /// A name that is not wanted.
    other_than: Option<String>,
}

#[derive(Clone, PartialEq, Eq, Debug)]
struct Requirement {
    key: String,
    wants: Wants,
}

#[derive(Clone, PartialEq, Eq, Debug)]
enum Wants {
    Absent,
    In(Vec<String>),
    NotIn(Vec<String>),
    Present,
}

impl Selector {
    pub(super) fn parse(kind: Kind, fields: &str, labels: &str) -> Result<Self, Failure> {
        let mut selector = Self {
            labels: parse_labels(labels)?,
            ..Self::default()
        };
        for field in fields.split(',').filter(|field| !field.is_empty()) {
            selector.add_field(kind, field)?;
        }
        Ok(selector)
    }

    fn add_field(&mut self, kind: Kind, field: &str) -> Result<(), Failure> {
        let (key, is, value) = if let Some((key, value)) = field.split_once("!=") {
            (key, false, value)
        } else if let Some((key, value)) = field.split_once("==") {
            (key, true, value)
        } else if let Some((key, value)) = field.split_once('=') {
            (key, true, value)
        } else {
            let message = format!("invalid selector: '{field}'; can't understand '{field}'");
            return Err(Failure::bad_request(message));
        };
        match (key, is) {
            ("metadata.name", true) => self.name = Some(value.to_owned()),
            ("metadata.name", false) => self.other_than = Some(value.to_owned()),
            _ => {
                let message = match kind {
                    Kind::Lease => format!(
                        "\"{key}\" is not a known field selector: only \"metadata.name\", \"metadata.namespace\""
                    ),
                    Kind::Pod => format!("field label not supported: {key}"),
                };
                return Err(Failure::bad_request(message));
            }
        }
        Ok(())
    }

    pub(super) fn matches(&self, object: &Value) -> bool {
        let metadata = &object["metadata"];
        let name = metadata["name"].as_str().unwrap_or_default();
        if self.name.as_deref().is_some_and(|wanted| wanted != name)
            || self.other_than.as_deref() == Some(name)
        {
            return false;
        }
        let labels = &metadata["labels"];
        self.labels
            .iter()
            .all(|requirement| requirement.holds(labels[&requirement.key].as_str()))
    }
}

impl Requirement {
    fn holds(&self, value: Option<&str>) -> bool {
        let among =
            |values: &[String]| value.is_some_and(|value| values.iter().any(|v| v == value));
        match &self.wants {
            Wants::Absent => value.is_none(),
            Wants::Present => value.is_some(),
            Wants::In(values) => among(values),
            Wants::NotIn(values) => !among(values),
        }
    }

    fn new(key: &str, wants: Wants) -> Self {
        Self {
            key: key.trim().to_owned(),
            wants,
        }
    }

    fn parse(text: &str) -> Result<Self, Failure> {
        let one = |value: &str| vec![value.trim().to_owned()];
        let text = text.trim();
        if let Some(key) = text.strip_prefix('!') {
            return Ok(Self::new(key, Wants::Absent));
        }
        if let Some((key, value)) = text.split_once("!=") {
            return Ok(Self::new(key, Wants::NotIn(one(value))));
        }
        if let Some((key, value)) = text.split_once("==").or_else(|| text.split_once('=')) {
            return Ok(Self::new(key, Wants::In(one(value))));
        }
        let Some((key, set)) = text.split_once(char::is_whitespace) else {
            return Ok(Self::new(text, Wants::Present));
        };
        let set = set.trim();
        let (negated, set) = if let Some(set) = set.strip_prefix("notin") {
            (true, set)
        } else if let Some(set) = set.strip_prefix("in") {
            (false, set)
        } else {
            return Err(unreadable(set, "in, notin, =, ==, !=, gt, lt"));
        };
        let set = set.trim();
        let values = set
            .strip_prefix('(')
            .and_then(|set| set.strip_suffix(')'))
            .ok_or_else(|| unreadable(set, "("))?;
        let values = values.split(',').map(|value| value.trim().to_owned());
        let values = values.collect();
        let wants = if negated {
            Wants::NotIn(values)
        } else {
            Wants::In(values)
        };
        Ok(Self::new(key, wants))
    }
}

fn unreadable(found: &str, expected: &str) -> Failure {
    let message = format!("unable to parse requirement: found '{found}' expected: '{expected}'");
    Failure::bad_request(message)
}

fn parse_labels(text: &str) -> Result<Vec<Requirement>, Failure> {
    let mut requirements = Vec::new();
    let mut depth = 0_usize;
    let mut part = String::new();
    for letter in text.chars().chain([',']) {
        match letter {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            ',' if depth == 0 => {
                if !part.trim().is_empty() {
                    requirements.push(Requirement::parse(&part)?);
                }
                part.clear();
                continue;
            }
            _ => {}
        }
        part.push(letter);
    }
    if !part.is_empty() {
        return Err(unreadable(&part, ")"));
    }
    Ok(requirements)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn selects(fields: &str, labels: &str) -> bool {
        let object = json!({ "metadata": { "name": "x", "labels": { "app": "cron", "c": "x" } } });
        let selector = Selector::parse(Kind::Lease, fields, labels).unwrap();
        selector.matches(&object)
    }

    #[test]
    fn labels_are_selected_by_equality_and_by_sets() {
        for labels in [
            "",
            "app=cron",
            "app==cron,c in (x,y)",
            "app",
            "!missing",
            "app!=other",
            "c notin (a, b),app=cron",
            "missing notin (a)",
        ] {
            assert!(selects("", labels), "{labels}");
        }
        for labels in [
            "app=x",
            "c in (y)",
            "missing",
            "!app",
            "app!=cron",
            "c notin (x)",
        ] {
            assert!(!selects("", labels), "{labels}");
        }
    }

    #[test]
    fn names_are_selected_by_a_field_and_nothing_else_is() {
        assert!(selects("metadata.name=x", ""));
        assert!(selects("metadata.name!=y", ""));
        assert!(!selects("metadata.name=y", "app=cron"));
        for (fields, labels) in [
            ("spec.foo=x", ""),
            ("nonsense", ""),
            ("", "l in v"),
            ("", "l in (v"),
        ] {
            assert!(
                Selector::parse(Kind::Lease, fields, labels).is_err(),
                "{fields} {labels}"
            );
        }
    }
}
