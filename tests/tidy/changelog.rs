use super::{expect_none, root};

/// The headings that an entry may have, in the order in which they stand.
const HEADINGS: [&str; 6] = [
    "Safety",
    "Added",
    "Changed",
    "Deprecated",
    "Removed",
    "Fixed",
];

/// What is wrong with a changelog of this text.
fn faults(changelog: &str) -> Vec<String> {
    let mut faults = Vec::new();
    let mut versions = 0;
    let mut last_heading = None;
    if changelog.lines().next() != Some("# Changelog") {
        faults.push("the first line is not '# Changelog'".to_owned());
    }
    for line in changelog.lines() {
        if let Some(version) = line.strip_prefix("## ") {
            versions += 1;
            last_heading = None;
            faults.extend(version_fault(version, versions));
        } else if let Some(heading) = line.strip_prefix("### ") {
            let place = HEADINGS.iter().position(|known| *known == heading);
            if place.is_none() || place <= last_heading {
                faults.push(format!(
                    "'{heading}' is unknown, doubled or out of order: {HEADINGS:?}"
                ));
            }
            last_heading = place;
        } else if let Some(entry) = line.strip_prefix("- ") {
            if last_heading.is_none() {
                faults.push(format!("'{entry}' stands under no heading"));
            }
            if !entry.ends_with(['.', ',', ';', ':']) && !entry.contains(' ') {
                faults.push(format!("'{entry}' is not a sentence"));
            }
        }
    }
    if versions == 0 {
        faults.push("there is no version".to_owned());
    }
    faults
}

/// What is wrong with the heading of a version: `Unreleased` at the top, then `1.2.3 - 2026-01-31`.
fn version_fault(version: &str, place: usize) -> Option<String> {
    if version == "Unreleased" {
        return (place != 1).then(|| "'Unreleased' is not at the top".to_owned());
    }
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let parts =
        |text: &str, separator| text.split(separator).filter(|part| is_number(part)).count();
    let well_formed = version
        .split_once(" - ")
        .is_some_and(|(number, date)| parts(number, '.') == 3 && parts(date, '-') == 3);
    (!well_formed).then(|| format!("'{version}' is not of the form '1.2.3 - 2026-01-31'"))
}

#[test]
fn the_changelog_has_the_form_that_readers_expect() {
    let path = root().join("CHANGELOG.md");
    let changelog = std::fs::read_to_string(path).expect("there is a CHANGELOG.md");
    expect_none(faults(&changelog));
}

#[test]
fn a_changelog_without_form_is_found() {
    let good = "# Changelog\n\n## Unreleased\n\n### Added\n\n- A thing that does it.\n\n## 0.1.0 - 2026-01-31\n";
    assert_eq!(faults(good), Vec::<String>::new());
    for (bad, count) in [
        ("# Changes\n\n## Unreleased\n", 1),
        ("# Changelog\n\n## Unreleased\n\n- Loose entry.\n", 1),
        ("# Changelog\n\n## 0.1 - 2026\n", 1),
        ("# Changelog\n\n## 0.1.0 - 2026-01-31\n\n## Unreleased\n", 1),
        (
            "# Changelog\n\n## Unreleased\n\n### Added\n\n### Safety\n",
            1,
        ),
        ("# Changelog\n", 1),
    ] {
        assert_eq!(faults(bad).len(), count, "{bad}: {:?}", faults(bad));
    }
}
