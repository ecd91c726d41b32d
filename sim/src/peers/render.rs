use std::fmt;
use std::time::Duration;

use super::compare::{Agreement, Cell, Row, Table};
use super::measured::Rate;

/// A text of lines that are read as columns.
impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "Runs with two leaders at once, and the longest time:")?;
        self.section(f, |cell| match cell.with_two {
            0 => "0".to_owned(),
            some => format!("{some}/{} {}", cell.runs, seconds(cell.worst_overlap)),
        })?;
        writeln!(
            f,
            "\nTime without a leader after the first one, in the middle run and at the most:"
        )?;
        self.section(f, |cell| {
            let [median, most] = [cell.leaderless_median, cell.leaderless_most].map(seconds);
            format!("{median} {most}")
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
        let differ = self.agreements.iter().filter(|row| !row.agrees());
        let labels: Vec<_> = differ.map(|row| row.measured.label).collect();
        match labels.as_slice() {
            [] => writeln!(f, "\nAll rows agree with what was measured.")?,
            labels => writeln!(f, "\nRows that differ: {}.", labels.join(", "))?,
        }
        Ok(())
    }
}

impl Table {
    fn section(&self, f: &mut fmt::Formatter<'_>, show: impl Fn(&Cell) -> String) -> fmt::Result {
        let heads = self.rows.first().map_or(&[][..], |row| &row.cells);
        write!(f, "  {:<11}", "")?;
        for (peer, _) in heads {
            let name = peer.map_or("tenure", |peer| peer.name());
            write!(f, " {:>width$}", name, width = width(name))?;
        }
        writeln!(f)?;
        for Row { cells, pattern } in &self.rows {
            write!(f, "  {:<11}", pattern.name)?;
            for (peer, cell) in cells {
                let name = peer.map_or("tenure", |peer| peer.name());
                write!(f, " {:>width$}", show(cell), width = width(name))?;
            }
            writeln!(f)?;
        }
        Ok(())
    }
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
