//! The tables of `docs/simulation.md`, made from what the simulator knows of itself, so that the document tells nothing else.
//!
//! A table stands between `<!-- table: NAME` and `<!-- end of table -->`. What hunts find takes minutes to find out, so that the table of
//! planted mistakes keeps what it says of that unless it is told anew.

mod tables;
#[cfg(test)]
mod tests;

use std::fmt;

use crate::planted::{self, Bug, Catch, Measured, Missed};

/// The table of planted mistakes.
const BUGS: &str = "planted-bugs";
/// What stands where nobody has hunted yet.
const NOT_HUNTED: &str = "**not hunted**";
const BEGIN: &str = "<!-- table: ";
const END: &str = "<!-- end of table -->\n";

/// Why a document cannot be renewed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum DocumentError {
    /// There is no place for a table of this name.
    NoPlace(&'static str),
}

impl fmt::Display for DocumentError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoPlace(name) => write!(
                f,
                "there is no place for the table of {name}: write {BEGIN}{name} --> and {} around it",
                END.trim_end()
            ),
        }
    }
}

impl std::error::Error for DocumentError {}

/// The document with all tables that follow from the code, as they are now.
///
/// # Errors
/// When a table has no place in it.
pub fn renewed(document: &str) -> Result<String, DocumentError> {
    let known = hunted(document);
    let measured = |bug: Bug| {
        let row = known.iter().find(|(known, _)| *known == bug);
        let none = || [NOT_HUNTED, "", "", ""].map(str::to_owned);
        (bug, row.map_or_else(none, |(_, measured)| measured.clone()))
    };
    let bugs = planted::table_of(Bug::ALL.map(measured));
    let mut text = replaced(document, BUGS, &bugs)?;
    for (name, table) in tables::all() {
        text = replaced(&text, name, &table)?;
    }
    Ok(text)
}

/// The document with what these hunts have found.
///
/// # Errors
/// When the table has no place in it.
pub fn with_hunts(
    document: &str,
    results: &[Result<Catch, Missed>],
) -> Result<String, DocumentError> {
    replaced(document, BUGS, &planted::table(results))
}

/// What the document says that hunts have found.
pub fn hunted(document: &str) -> Vec<(Bug, Measured)> {
    let Ok((from, to)) = place(document, BUGS) else {
        return Vec::new();
    };
    let row = |line: &str| {
        let cells: Vec<&str> = line.trim_matches('|').split(" | ").map(str::trim).collect();
        let name = cells.first()?.split('`').nth(1)?;
        let [caught_by, on, seeds, faults] = cells.get(3..)? else {
            return None;
        };
        let measured = [caught_by, on, seeds, faults].map(|cell| (*cell).to_owned());
        Some((Bug::parse(name)?, measured))
    };
    document[from..to].lines().filter_map(row).collect()
}

fn replaced(document: &str, name: &'static str, table: &str) -> Result<String, DocumentError> {
    let (from, to) = place(document, name)?;
    let (before, after) = (&document[..from], &document[to..]);
    Ok(format!("{before}{table}{after}"))
}

/// Where the table of this name begins and ends.
fn place(document: &str, name: &'static str) -> Result<(usize, usize), DocumentError> {
    let begin = format!("{BEGIN}{name} ");
    let find = || {
        let comment = document.find(&begin)?;
        let from = comment + document[comment..].find('\n')? + 1;
        let to = from + document[from..].find(END)?;
        Some((from, to))
    };
    find().ok_or(DocumentError::NoPlace(name))
}
