use std::fmt;
use std::time::Duration;

use super::Spread;
use super::compare::{Agreement, Cell, LengthAgreement, Row, Table};
use super::measured::Rate;

/// A text of lines that are read as columns.
impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "Runs with two leaders at once, and the longest time:")?;
        self.section(f, |cell| match cell.with_two {
            0 => "0".to_owned(),
            some => format!("{some}/{} {}", cell.runs, seconds(cell.overlap.most)),
        })?;
        writeln!(
            f,
            "\nTime without a leader after the first one, in the middle run and at the most:"
        )?;
        self.section(f, |cell| {
            let [middle, most] = [cell.leaderless.middle, cell.leaderless.most].map(seconds);
            format!("{middle} {most}")
        })?;
        writeln!(f, "\nRequests per second, all candidates together:")?;
        self.section(f, |cell| {
            let hundredths = cell.requests_per_kilosecond / 10;
            format!("{}.{:02}", hundredths / 100, hundredths % 100)
        })?;
        writeln!(f, "\nWhat happens:")?;
        for Row { pattern, .. } in &self.rows {
            writeln!(f, "  {:<11} {}", pattern.name, pattern.sentence)?;
        }
        writeln!(
            f,
            "\nRuns that failed, beside how often others' own code was measured to fail, and tenure under the same plans:"
        )?;
        let heads = [
            "",
            "under",
            "election",
            "what",
            "measured",
            "95 % of that",
            "its model",
            "",
            "tenure",
        ];
        write_agreement(f, heads.map(str::to_owned))?;
        for agreement in &self.agreements {
            write_agreement(f, cells(agreement))?;
        }
        self.lengths(f)?;
        let rates = self.agreements.iter();
        let rates = rates.map(|row| (row.measured.label, row.agrees()));
        let lengths = self.lengths.iter();
        let lengths = lengths.map(|row| (row.measured.label, row.agrees()));
        let differ = rates.chain(lengths).filter(|(_, agrees)| !agrees);
        let labels: Vec<_> = differ.map(|(label, _)| label).collect();
        match labels.as_slice() {
            [] => writeln!(f, "\nAll rows agree with what was measured.")?,
            labels => writeln!(f, "\nRows that differ: {}.", labels.join(", "))?,
        }
        Ok(())
    }
}

impl Table {
    /// What is to be shown of each cell, in one part for each kind of lock, because the elections are others.
    fn section(&self, f: &mut fmt::Formatter<'_>, show: impl Fn(&Cell) -> String) -> fmt::Result {
        let mut parts = self
            .rows
            .chunk_by(|one, next| one.pattern.backend == next.pattern.backend);
        if let Some(first) = parts.next() {
            part(f, first, &show)?;
        }
        parts.try_for_each(|rows| {
            writeln!(f)?;
            part(f, rows, &show)
        })
    }

    fn lengths(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "\nHow long it took, in the shortest, the middle and the longest run, beside what others' own code was measured to take:"
        )?;
        let heads = [
            "",
            "under",
            "election",
            "what",
            "measured",
            "its model",
            "",
            "tenure",
        ];
        write_length(f, heads.map(str::to_owned))?;
        for length in &self.lengths {
            write_length(f, length_cells(length))?;
        }
        Ok(())
    }
}

fn part(f: &mut fmt::Formatter<'_>, rows: &[Row], show: impl Fn(&Cell) -> String) -> fmt::Result {
    let heads = rows.first().map_or(&[][..], |row| &row.cells);
    write!(f, "  {:<11}", "")?;
    for (peer, _) in heads {
        let name = peer.map_or("tenure", |peer| peer.name());
        write!(f, " {:>width$}", name, width = width(name))?;
    }
    writeln!(f)?;
    for Row { cells, pattern } in rows {
        write!(f, "  {:<11}", pattern.name)?;
        for (peer, cell) in cells {
            let name = peer.map_or("tenure", |peer| peer.name());
            write!(f, " {:>width$}", show(cell), width = width(name))?;
        }
        writeln!(f)?;
    }
    Ok(())
}

fn width(name: &str) -> usize {
    name.len().max(17)
}

fn seconds(duration: Duration) -> String {
    format!(
        "{}.{:02} s",
        duration.as_secs(),
        duration.subsec_millis() / 10
    )
}

fn thousandths(duration: Duration) -> String {
    format!("{}.{:03} s", duration.as_secs(), duration.subsec_millis())
}

pub(super) fn percent(ten_thousandths: u64) -> String {
    format!("{}.{:02} %", ten_thousandths / 100, ten_thousandths % 100)
}

fn share(rate: Rate) -> String {
    format!("{} of {}", rate.hits, rate.of)
}

fn cells(agreement: &Agreement) -> [String; 9] {
    let measured = agreement.measured;
    let [low, high] = measured.rate.interval().map(percent);
    let verdict = if agreement.agrees() {
        "agrees"
    } else {
        "DIFFERS"
    };
    [
        measured.label.to_owned(),
        measured.pattern.to_owned(),
        measured.peer.name().to_owned(),
        measured.failing.name().to_owned(),
        share(measured.rate),
        format!("{low} to {high}"),
        share(agreement.here),
        verdict.to_owned(),
        agreement.ours.to_string(),
    ]
}

fn write_agreement(f: &mut fmt::Formatter<'_>, cells: [String; 9]) -> fmt::Result {
    let [
        label,
        under,
        election,
        what,
        measured,
        interval,
        here,
        verdict,
        ours,
    ] = cells;
    writeln!(
        f,
        "  {label:<5} {under:<11} {election:<29} {what:<13} {measured:>12} {interval:>20} {here:>13} {verdict:<8} {ours:>6}"
    )
}

fn length_cells(length: &LengthAgreement) -> [String; 8] {
    let measured = length.measured;
    let verdict = if length.agrees() { "agrees" } else { "DIFFERS" };
    let range = [measured.least, measured.most].map(thousandths);
    let range = range.join(" to ");
    [
        measured.label.to_owned(),
        measured.pattern.to_owned(),
        measured.peer.name().to_owned(),
        measured.what.name().to_owned(),
        range,
        spread(length.here),
        verdict.to_owned(),
        spread(length.ours),
    ]
}

fn spread(spread: Spread) -> String {
    [spread.least, spread.middle, spread.most]
        .map(thousandths)
        .join(" ")
}

fn write_length(f: &mut fmt::Formatter<'_>, cells: [String; 8]) -> fmt::Result {
    let [label, under, election, what, measured, here, verdict, ours] = cells;
    writeln!(
        f,
        "  {label:<5} {under:<11} {election:<10} {what:<16} {measured:>18} {here:>23} {verdict:<8} {ours:>23}"
    )
}
