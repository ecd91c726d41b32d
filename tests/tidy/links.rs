use std::path::Path;

use super::{Text, expect_none, root, texts};

/// The name that a heading has in a link, as the usual viewers make it.
fn anchor(heading: &str) -> String {
    heading
        .trim()
        .to_lowercase()
        .chars()
        .filter(|character| character.is_alphanumeric() || matches!(character, ' ' | '-' | '_'))
        .map(|character| if character == ' ' { '-' } else { character })
        .collect()
}

/// The lines of a document that are not inside a code block.
fn prose(document: &str) -> impl Iterator<Item = &str> {
    let mut in_code = false;
    document.lines().filter(move |line| {
        let is_fence = line.trim_start().starts_with("```");
        in_code ^= is_fence;
        !in_code && !is_fence
    })
}

/// Where the links of a document lead.
fn targets(document: &str) -> Vec<String> {
    prose(document)
        .flat_map(|line| line.split("](").skip(1))
        .filter_map(|rest| Some(rest.split_once(')')?.0.to_owned()))
        .collect()
}

fn has_anchor(document: &str, wanted: &str) -> bool {
    prose(document)
        .filter_map(|line| line.strip_prefix('#'))
        .any(|heading| anchor(heading.trim_start_matches('#')) == wanted)
}

/// What is wrong with a link of `text` to `target`.
fn fault(text: &Text, target: &str) -> Option<String> {
    if target.starts_with("https://") {
        return None;
    }
    let (file, wanted) = target.split_once('#').unwrap_or((target, ""));
    let folder = text.path.parent().unwrap_or_else(|| Path::new(""));
    let path = match file {
        "" => root().join(&text.path),
        _ => root().join(folder).join(file),
    };
    if !path.exists() {
        return Some(format!(
            "{}: no file for link {target}",
            text.path.display()
        ));
    }
    if wanted.is_empty() {
        return None;
    }
    let linked = std::fs::read_to_string(&path).unwrap_or_default();
    (!has_anchor(&linked, wanted))
        .then(|| format!("{}: no heading for link {target}", text.path.display()))
}

#[test]
fn every_link_between_documents_leads_somewhere() {
    let complaints = texts()
        .iter()
        .filter(|text| text.has_extension("md"))
        .flat_map(|text| {
            targets(&text.content)
                .into_iter()
                .filter_map(|target| fault(text, &target))
        })
        .collect();
    expect_none(complaints);
}

#[test]
fn every_document_with_rust_in_it_is_compiled() {
    let texts = texts();
    let complaints = texts
        .iter()
        .filter(|text| text.has_extension("md") && text.content.contains("```rust"))
        .filter(|text| {
            let name = text.path.file_name().and_then(|name| name.to_str());
            let name = name.expect("a document has a name");
            !texts
                .iter()
                .filter(|source| source.has_extension("rs"))
                .flat_map(|source| source.content.lines())
                .any(|line| line.contains("include_str!") && line.contains(name))
        })
        .map(|text| {
            format!(
                "{}: include it as documentation, so that its examples are tests",
                text.path.display()
            )
        })
        .collect();
    expect_none(complaints);
}

#[test]
fn a_link_to_nowhere_is_found() {
    let text = Text {
        content: "# One thing: more\n[a](b.md) `code` [c](#one-thing-more)\n```\n[no](link)\n```\n"
            .to_owned(),
        path: "README.md".into(),
    };
    assert_eq!(targets(&text.content), ["b.md", "#one-thing-more"]);
    assert!(has_anchor(&text.content, "one-thing-more"));
    assert!(fault(&text, "no-such-file.md").is_some());
    assert!(fault(&text, "Cargo.toml#no-such-heading").is_some());
    assert!(fault(&text, "Cargo.toml").is_none());
}
