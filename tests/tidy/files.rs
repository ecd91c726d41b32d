use super::{Text, expect_none, texts};

/// How long a source file may be.
const LINES_MAX: usize = 600;

/// `parts` joined: this file would otherwise find itself.
fn word(parts: [&str; 2]) -> String {
    parts.concat()
}

/// A complaint for each line of each text that `is_bad` finds bad.
fn complaints(texts: &[Text], is_bad: impl Fn(&str) -> Option<String>) -> Vec<String> {
    let mut found = Vec::new();
    for text in texts {
        for (index, line) in text.content.lines().enumerate() {
            if let Some(why) = is_bad(line) {
                found.push(format!("{}:{}: {why}", text.path.display(), index + 1));
            }
        }
    }
    found
}

#[test]
fn no_source_file_is_longer_than_a_reader_can_hold() {
    let complaints = texts()
        .iter()
        .filter(|text| text.has_extension("rs"))
        .filter(|text| text.content.lines().count() > LINES_MAX)
        .map(|text| {
            let lines = text.content.lines().count();
            format!(
                "{}: {lines} lines, at most {LINES_MAX}",
                text.path.display()
            )
        })
        .collect();
    expect_none(complaints);
}

#[test]
fn no_marker_of_unfinished_work_is_left() {
    let markers = [["TO", "DO"], ["FIX", "ME"], ["X", "XX"], ["HA", "CK"]].map(word);
    expect_none(complaints(&texts(), |line| {
        let mut words = line.split(|character: char| !character.is_alphanumeric());
        let marker = words.find(|word| markers.iter().any(|marker| marker == word))?;
        Some(format!("{marker} is left"))
    }));
}

#[test]
fn no_test_and_no_example_is_switched_off() {
    let switches = [
        ["#[igno", "re"],
        ["#[should_", "panic"],
        ["```igno", "re"],
        ["rust,igno", "re"],
    ]
    .map(word);
    expect_none(complaints(&texts(), |line| {
        let switch = switches.iter().find(|switch| line.contains(*switch))?;
        Some(format!("{switch} switches something off"))
    }));
}

#[test]
fn every_storm_is_run_beside_the_others() {
    let texts = texts();
    let begins = |text: &&Text| text.content.lines().any(|line| line == "mod storms {");
    let storms = texts.iter().filter(begins).count();
    let script = texts.iter().find(|text| text.path.ends_with("tools/test"));
    let script = script.expect("the script of the tests is there");
    let named = script.content.lines().find_map(|line| {
        let names = line.strip_prefix("storms=(")?.strip_suffix(')')?;
        Some(names.split(' ').count())
    });
    assert_eq!(named, Some(storms), "tools/test has to name each of them");
}

#[test]
fn no_place_of_one_machine_is_named() {
    let places = [
        ["/ro", "ot/"],
        ["/ho", "me/"],
        ["/wo", "rk/"],
        ["/Us", "ers/"],
        ["index.cra", "tes.io"],
        ["arti", "factory"],
        ["proxy.go", "lang.org"],
    ]
    .map(word);
    expect_none(complaints(&texts(), |line| {
        let place = places.iter().find(|place| line.contains(*place))?;
        Some(format!("{place} is a place of one machine"))
    }));
}

#[test]
fn lines_end_without_blanks_and_files_with_a_line_feed() {
    let texts = texts();
    let mut found = complaints(&texts, |line| {
        (line.ends_with([' ', '\t', '\r'])).then(|| "blank at the end of the line".to_owned())
    });
    found.extend(
        texts
            .iter()
            .filter(|text| !text.content.is_empty() && !text.content.ends_with('\n'))
            .map(|text| format!("{}: no line feed at its end", text.path.display())),
    );
    expect_none(found);
}
