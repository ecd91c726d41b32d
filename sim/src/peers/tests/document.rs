use crate::peers::render::percent;
use crate::peers::{Measured, Pattern};

const DOCUMENT: &str = include_str!("../../../../docs/comparison.md");

/// The lines of the printed table under the one that has `head` in it, with single spaces, until the next empty one.
fn section(head: &str) -> Vec<String> {
    let lines = DOCUMENT.lines().skip_while(|line| !line.contains(head));
    let lines = lines.skip(1).take_while(|line| !line.is_empty());
    let words = |line: &str| line.split_whitespace().collect::<Vec<_>>().join(" ");
    lines.map(words).collect()
}

#[test]
fn lists_exactly_the_rows_that_were_measured_and_no_failure_of_ours() {
    let rows = section("95 % of that");
    assert_eq!(rows.len(), Measured::ALL.len(), "{rows:?}");
    for (row, measured) in rows.iter().zip(Measured::ALL) {
        let Measured {
            failing,
            label,
            pattern,
            peer,
            rate,
        } = measured;
        let [low, high] = rate.interval().map(percent);
        let expected = format!(
            "{label} {pattern} {peer} {} {} of {} {low} to {high} ",
            failing.name(),
            rate.hits,
            rate.of
        );
        let here = row.strip_prefix(&expected);
        let here = here.unwrap_or_else(|| panic!("{row}, not {expected}"));
        assert!(here.ends_with(" of 1000 agrees 0"), "{row}");
    }
}

#[test]
fn says_of_every_pattern_what_happens_in_it() {
    let told = section("What happens:");
    let expected = Pattern::all().map(|pattern| format!("{} {}", pattern.name, pattern.sentence));
    assert_eq!(told, expected.collect::<Vec<_>>());
}
