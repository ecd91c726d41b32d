//! What the program writes: results on standard output, plain when it is no terminal, and what is wrong on standard error.

use std::fmt;
use std::fs;
use std::io::{self, Write};
use std::path::Path;

use super::failure::Failure;

/// Writes a line to standard output.
pub(crate) fn print(line: impl fmt::Display) -> io::Result<()> {
    writeln!(io::stdout().lock(), "{line}")
}

/// Writes a line to standard error.
pub(crate) fn complain(message: impl fmt::Display) {
    // Nothing can be done about a standard error that is closed.
    let _ = writeln!(io::stderr(), "tenure-sim: {message}");
}

/// Writes a file that the user asked for.
pub(crate) fn write_file(path: &Path, content: &str) -> Result<(), Failure> {
    fs::write(path, content).map_err(|error| {
        let path = path.display();
        Failure::usage(format!(
            "{path} cannot be written ({error}): name a file in a folder that exists"
        ))
    })
}

/// A table whose columns are as wide as they must be: the first to the left, the others to the right.
pub(crate) fn table(rows: &[Vec<String>]) -> String {
    let columns = rows.iter().map(Vec::len).max().unwrap_or_default();
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column));
        cells
            .map(|cell| cell.chars().count())
            .max()
            .unwrap_or_default()
    };
    let widths: Vec<usize> = (0..columns).map(width).collect();
    let mut text = String::new();
    for row in rows {
        let mut line = String::new();
        for (column, cell) in row.iter().enumerate() {
            let width = widths[column];
            if column == 0 {
                line.push_str(&format!("{cell:<width$}"));
            } else {
                line.push_str(&format!("  {cell:>width$}"));
            }
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}
