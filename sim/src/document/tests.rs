use super::*;

const EMPTY: &str = "# Title\n\
<!-- table: scenarios -->\n<!-- end of table -->\n\
<!-- table: faults -->\nan old table\n<!-- end of table -->\nbetween\n\
<!-- table: invariants -->\n<!-- end of table -->\n\
<!-- table: assumptions -->\n<!-- end of table -->\n\
<!-- table: rules-and-pitfalls -->\n<!-- end of table -->\n\
<!-- table: planted-bugs (made by a hunt) -->\n<!-- end of table -->\nafter\n";

#[test]
fn a_document_that_was_renewed_is_current() {
    let text = renewed(EMPTY).unwrap();
    assert_eq!(renewed(&text).as_ref(), Ok(&text));
    assert!(text.starts_with("# Title\n") && text.ends_with("after\n"));
    assert!(text.contains("\nbetween\n") && !text.contains("an old table"));
    assert_eq!(hunted(&text).len(), Bug::ALL.len());
    assert!(text.contains(NOT_HUNTED));
}

#[test]
fn what_hunts_have_found_is_kept() {
    let bug = Bug::ALL[1];
    let found = ["converge", "machine, lease", "169", "1"].map(str::to_owned);
    let table = planted::table_of([(bug, found.clone())]);
    let text = replaced(EMPTY, BUGS, &table).unwrap();
    assert_eq!(hunted(&text), [(bug, found.clone())]);
    let text = renewed(&text).unwrap();
    assert_eq!(hunted(&text)[1], (bug, found));
}

#[test]
fn a_document_without_a_place_for_a_table_is_refused() {
    let error = renewed("# Title\n").unwrap_err();
    assert_eq!(error, DocumentError::NoPlace(BUGS));
    assert!(error.to_string().contains("<!-- table: planted-bugs -->"));
}
