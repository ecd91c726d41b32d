//! What the demo's jobs leave behind: a line when a fire starts and one when it ends, in a file that all of them append to.

use std::fmt;
use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::Path;

/// One line of the journal.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Entry {
    pub(super) kind: Kind,
    pub(super) candidate: String,
    /// The process that ran the fire.
    pub(super) process: u32,
    /// When the fire was scheduled for, in seconds since 1970.
    pub(super) scheduled: u64,
    pub(super) token: u64,
    /// When the line was written, in microseconds since 1970.
    pub(super) written: u64,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Kind {
    Start,
    End,
}

impl fmt::Display for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self.kind {
            Kind::Start => "start",
            Kind::End => "end",
        };
        let Self {
            candidate,
            process,
            scheduled,
            token,
            written,
            ..
        } = self;
        write!(
            f,
            "{kind} {scheduled} {token} {process} {written} {candidate}"
        )
    }
}

impl Entry {
    fn parse(line: &str) -> Option<Self> {
        let mut words = line.splitn(6, ' ');
        let kind = match words.next()? {
            "start" => Kind::Start,
            "end" => Kind::End,
            _ => return None,
        };
        let scheduled = words.next()?.parse().ok()?;
        let token = words.next()?.parse().ok()?;
        let process = words.next()?.parse().ok()?;
        let written = words.next()?.parse().ok()?;
        let candidate = words.next()?.to_owned();
        Some(Self {
            kind,
            candidate,
            process,
            scheduled,
            token,
            written,
        })
    }

    /// Appends the line in one write, so that lines of several processes never mix.
    pub(super) fn append_to(&self, journal: &Path) -> io::Result<()> {
        let mut file = OpenOptions::new().append(true).create(true).open(journal)?;
        file.write_all(format!("{self}\n").as_bytes())
    }
}

/// All entries, in the order in which they were written. A line that is being written is left for the next time.
pub(super) fn read(journal: &Path) -> io::Result<Vec<Entry>> {
    match fs::read_to_string(journal) {
        Ok(text) => Ok(text.lines().filter_map(Entry::parse).collect()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_reads_back_what_it_writes() {
        let entry = Entry {
            kind: Kind::End,
            candidate: "pod-1".to_owned(),
            process: 7,
            scheduled: 1_700_000_000,
            token: 42,
            written: 1_700_000_000_250_000,
        };
        assert_eq!(Entry::parse(&entry.to_string()), Some(entry));
        assert_eq!(Entry::parse("start 17"), None);
    }
}
