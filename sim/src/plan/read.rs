use std::fmt;
use std::path::Path;

use serde::Deserialize;
use serde::de::DeserializeSeed;

use super::check::other_version;
use super::place::{Seek, Step};
use super::{Plan, VERSION};

/// A plan could not be read: in which file, at which line and column, and what to do.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ReadError {
    file: String,
    /// Line and column, both counted from 1.
    place: Option<(usize, usize)>,
    problem: String,
}

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.file)?;
        if let Some((line, column)) = self.place {
            write!(f, ":{line}:{column}")?;
        }
        write!(f, ": {}", self.problem)
    }
}

impl std::error::Error for ReadError {}

/// How a plan is written down.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Format {
    /// JSON, in files that end in `.json`.
    Json,
    /// TOML, in files that end in `.toml`.
    Toml,
}

impl Format {
    /// The format that a file's name stands for, if any.
    pub fn of(path: &Path) -> Option<Self> {
        match path.extension()?.to_str()? {
            "json" => Some(Self::Json),
            "toml" => Some(Self::Toml),
            _ => None,
        }
    }
}

/// As much of a plan as plans of all versions have.
#[derive(Deserialize)]
struct Header {
    version: Option<u32>,
}

impl Plan {
    /// Reads the plan in a file, TOML or JSON by its name, and checks it. Its faults are put in the order of time.
    ///
    /// # Errors
    /// When the file cannot be read, is no plan, is of another version, or asks for something that cannot be: with the line and
    /// the column where they are known, the field and what to do.
    pub fn read(path: &Path) -> Result<Self, ReadError> {
        let file = path.display().to_string();
        let fails = |problem: String| ReadError {
            file: file.clone(),
            place: None,
            problem,
        };
        let format = Format::of(path).ok_or_else(|| {
            fails("this is no plan file by its name: name it .toml or .json".to_owned())
        })?;
        let bytes =
            std::fs::read(path).map_err(|error| fails(format!("it cannot be read: {error}")))?;
        match std::str::from_utf8(&bytes) {
            Ok(text) => Self::parse(text, format, &file),
            Err(error) => {
                let before = String::from_utf8_lossy(&bytes[..error.valid_up_to()]);
                Err(ReadError {
                    place: Some(place(&before, before.len())),
                    ..fails("this is no text in UTF-8: save it as such".to_owned())
                })
            }
        }
    }

    /// Reads a plan in `text`, which came from `file`. See [`Plan::read`].
    ///
    /// # Errors
    /// As for [`Plan::read`].
    pub fn parse(text: &str, format: Format, file: &str) -> Result<Self, ReadError> {
        let fails = |(place, problem): Found| ReadError {
            file: file.to_owned(),
            place,
            problem,
        };
        let header = match text.trim() {
            "" => Header { version: None },
            _ => read(text, format).map_err(fails)?,
        };
        match header.version {
            Some(VERSION) => {}
            Some(version) => {
                let place = find(text, format, &[Step::field("version")]);
                return Err(fails((
                    place,
                    format!("version: {}", other_version(version)),
                )));
            }
            None => {
                let problem = format!("missing field `version`: begin with version {VERSION}");
                return Err(fails((Some((1, 1)), problem)));
            }
        }
        let mut plan: Self = read(text, format).map_err(fails)?;
        // Before its faults are sorted, since they are called by their places in the file.
        plan.check()
            .map_err(|error| fails((find(text, format, error.path()), error.to_string())))?;
        plan.faults.sort_by_key(|fault| fault.at);
        Ok(plan)
    }

    /// This plan as text that [`Plan::parse`] reads.
    pub fn write(&self, format: Format) -> String {
        let text = match format {
            Format::Json => serde_json::to_string_pretty(self)
                .map(|text| text + "\n")
                .ok(),
            Format::Toml => toml::to_string(self).ok(),
        };
        text.expect("a plan has nothing that TOML and JSON do not have")
    }
}

type Found = (Option<(usize, usize)>, String);

fn read<T: for<'de> Deserialize<'de>>(text: &str, format: Format) -> Result<T, Found> {
    match format {
        Format::Json => serde_json::from_str(text).map_err(|error| of_json(text, &error)),
        Format::Toml => toml::from_str(text).map_err(|error| of_toml(text, &error)),
    }
}

/// Line and column of what is at the end of this way, or of as much of the way as is there.
fn find(text: &str, format: Format, path: &[Step]) -> Option<(usize, usize)> {
    let sought = |length: usize| {
        let seek = Seek(&path[..length]);
        match format {
            Format::Json => {
                let mut reader = serde_json::Deserializer::from_str(text);
                let error = seek.deserialize(&mut reader).err()?;
                of_json(text, &error).0
            }
            Format::Toml => {
                let reader = toml::Deserializer::parse(text).ok()?;
                let error = seek.deserialize(reader).err()?;
                of_toml(text, &error).0
            }
        }
    };
    (1..=path.len()).rev().find_map(sought)
}

fn of_json(text: &str, error: &serde_json::Error) -> Found {
    let (line, column) = (error.line(), error.column());
    if line == 0 {
        return (None, error.to_string());
    }
    let message = error.to_string();
    let message = message
        .strip_suffix(&format!(" at line {line} column {column}"))
        .unwrap_or(&message)
        .replace("EOF while parsing", "the file ends in the middle of");
    let lines = text.split_inclusive('\n').take(line - 1);
    let start: usize = lines.map(str::len).sum();
    let before = text.get(..start + column).unwrap_or(text);
    // The place is behind the value, maybe on the next line: the last name with a colon after it is the field's.
    let field = before.rfind("\":").and_then(|end| {
        let start = before[..end].rfind('"')? + 1;
        Some((start, &before[start..end]))
    });
    match field {
        Some((start, field)) if error.is_data() && !names_field(&message) => {
            (Some(place(text, start)), format!("{field}: {message}"))
        }
        _ => (Some((line, column)), message),
    }
}

fn of_toml(text: &str, error: &toml::de::Error) -> Found {
    let message = error.message().replace('\n', ", ");
    let Some(span) = error.span() else {
        return (None, message);
    };
    let before = text.get(..span.start).unwrap_or(text);
    let at = Some(place(text, before.len()));
    // The place is the value's: the field's name is what stands before its equals sign.
    let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
    let field = before[line_start..]
        .trim_end()
        .strip_suffix('=')
        .map(|before| {
            let before = before.trim_end();
            let name = |c: char| c.is_alphanumeric() || c == '-' || c == '_' || c == '.';
            &before[before.trim_end_matches(name).len()..]
        });
    let key = text.get(span).unwrap_or_default();
    match field {
        Some(field) if !names_field(&message) => (at, format!("{field}: {message}")),
        _ if message == "duplicate key" => {
            (at, format!("{key} is set a second time: leave one out"))
        }
        _ => (at, message),
    }
}

/// Line and column of what begins at this byte, both counted from 1.
fn place(text: &str, byte: usize) -> (usize, usize) {
    let before = &text[..byte];
    let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
    let line = before.matches('\n').count() + 1;
    (line, before[line_start..].chars().count() + 1)
}

/// Whether the message says which field is meant.
fn names_field(message: &str) -> bool {
    message.starts_with("missing field") || message.starts_with("unknown field")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::Backend;

    const GOOD: &str = r#"
version = 1
seed = 7
backend = "lease"
quiet-from = "1m"
end = "2m"
timing.lease = "15s"
nodes = [{}, { rate-ppm = 100 }]
faults = [
    { at = "20s", lasts = "10s", what = { cut = { node = "leader", direction = "both" } } },
    { at = "5s", what = { crash = { node = 1 } } },
]
"#;

    fn complaint(from: &str, to: &str) -> String {
        assert!(GOOD.contains(from), "{from}");
        let text = GOOD.replacen(from, to, 1);
        Plan::parse(&text, Format::Toml, "my.toml")
            .unwrap_err()
            .to_string()
    }

    #[test]
    fn a_plan_that_was_written_by_hand_is_read_in_the_order_of_time() {
        let plan = Plan::parse(GOOD, Format::Toml, "my.toml").unwrap();
        assert_eq!(plan.faults[0].at.to_string(), "5s");
        for format in [Format::Json, Format::Toml] {
            let again = Plan::parse(&plan.write(format), format, "again");
            assert_eq!(again.as_ref(), Ok(&plan));
        }
    }

    #[test]
    fn what_is_not_toml_or_not_a_plan_is_told_with_line_column_and_field() {
        for (from, to, begins, says) in [
            ("seed = 7", "seed = ", "my.toml:3:", ""),
            (
                "seed = 7",
                "seed = \"x\"",
                "my.toml:3:8: seed:",
                "expected u64",
            ),
            (
                "\"15s\"",
                "\"15\"",
                "my.toml:7:16: timing.lease:",
                "write 15s",
            ),
            ("rate-ppm", "rate", "my.toml:8:", "`rate-ppm`"),
            ("cut", "cutt", "my.toml:10:", "`cut`"),
            ("\"leader\"", "\"lead\"", "my.toml:10:", "`leader`"),
            ("end = \"2m\"", "", "my.toml:", "missing field `end`"),
            (
                "version = 1",
                "",
                "my.toml:1:1: missing field `version`",
                "version 1",
            ),
            (
                "version = 1",
                "version = 9",
                "my.toml:2:11: version: ",
                "version 9",
            ),
        ] {
            let text = complaint(from, to);
            assert!(text.starts_with(begins) && text.contains(says), "{text}");
            assert!(!text.contains('\n'), "{text}");
        }
    }

    #[test]
    fn json_is_told_of_with_line_column_and_field_too() {
        let plan = Plan::parse(GOOD, Format::Toml, "my.toml").unwrap();
        let text = plan.write(Format::Json).replacen("\"15s\"", "\"15\"", 1);
        let complaint = Plan::parse(&text, Format::Json, "my.json")
            .unwrap_err()
            .to_string();
        assert!(complaint.starts_with("my.json:8:6: lease: "), "{complaint}");
        assert!(
            complaint.contains(": lease: \"15\" is no span"),
            "{complaint}"
        );
        for (from, to, begins) in [
            (
                "\"leader\"",
                "7",
                "my.json:48:12: fault 2 (cut at 20s), node: ",
            ),
            ("\"2m\"", "\"1s\"", "my.json:5:4: quiet-from: "),
            ("\"version\": 1", "\"version\": 2", "my.json:2:4: version: "),
        ] {
            let text = plan.write(Format::Json).replacen(from, to, 1);
            let complaint = Plan::parse(&text, Format::Json, "my.json").unwrap_err();
            let complaint = complaint.to_string();
            assert!(complaint.starts_with(begins), "{complaint}");
        }
    }

    #[test]
    fn an_empty_file_and_one_that_breaks_off_are_told_so() {
        for format in [Format::Json, Format::Toml] {
            let error = Plan::parse(" \n", format, "my").unwrap_err().to_string();
            assert!(error.starts_with("my:1:1: missing field `version`"));
        }
        let error = Plan::parse("{\"version\": 1,\n", Format::Json, "my.json");
        let error = error.unwrap_err().to_string();
        assert!(error.contains("the file ends in the middle of"), "{error}");
    }

    #[test]
    fn what_cannot_be_is_told_with_line_column_and_place_in_words() {
        for (from, to, place, says) in [
            (
                "\"leader\"",
                "7",
                "10:58",
                "fault 1 (cut at 20s), node: there is no node 7: use 0 to 1",
            ),
            (
                "\"lease\"",
                "\"file\"",
                "10:41",
                "fault 1 (cut at 20s), what: a file lock has no such fault",
            ),
            (
                "\"1m\"",
                "\"3m\"",
                "5:14",
                "quiet-from: it is 3m, after the end at 2m",
            ),
            (
                "\"10s\"",
                "\"10m\"",
                "10:27",
                "fault 1 (cut at 20s), lasts: it would last until",
            ),
            (
                "rate-ppm = 100",
                "rate-ppm = -1000000",
                "8:27",
                "node 1, rate-ppm: -1000000",
            ),
            (
                "nodes = [{}, { rate-ppm = 100 }]",
                "nodes = []",
                "8:9",
                "nodes: there are 0",
            ),
            (
                "timing.lease = \"15s\"",
                "timing = { lease = \"1s\", renew = \"2s\" }",
                "7:10",
                "timing:",
            ),
            (
                "seed = ",
                "cron = { every = \"1500ms\", takes = \"1s\", delivery = \"at-least-once\" }\nseed = ",
                "3:18",
                "cron, every:",
            ),
        ] {
            let text = complaint(from, to);
            let begins = format!("my.toml:{place}: {says}");
            assert!(text.starts_with(&begins), "{begins}: {text}");
        }
    }

    #[test]
    fn generated_plans_are_plans_that_can_be() {
        for seed in 0..300 {
            for backend in Backend::ALL {
                assert_eq!(
                    Plan::generate(seed, backend).check(),
                    Ok(()),
                    "{seed} {backend:?}"
                );
            }
        }
    }
}
