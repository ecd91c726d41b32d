use std::time::Duration;

use super::measured::{Failing, Measured, Rate};
use super::{Pattern, Peer, Summary, Tally};
use crate::machines;
use crate::plan::Plan;
use crate::run::Options;
use crate::trace::Keep;

/// How elections fared under the same plans.
#[derive(Clone, Debug)]
pub struct Table {
    /// How the rates of other elections compare with what their own code was measured at.
    pub agreements: Vec<Agreement>,
    /// One row for each pattern of faults.
    pub rows: Vec<Row>,
}

/// How elections fared under one pattern of faults.
#[derive(Clone, Debug)]
pub struct Row {
    /// One for each election: ours, which is nothing here, and the others.
    pub cells: Vec<(Option<Peer>, Cell)>,
    /// The pattern.
    pub pattern: Pattern,
}

/// How one election fared under one pattern of faults.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct Cell {
    /// How long nobody led after the first leader, in the run in the middle.
    pub leaderless_median: Duration,
    /// The same in the worst run.
    pub leaderless_most: Duration,
    /// Requests of all candidates in a thousand seconds.
    pub requests_per_kilosecond: u64,
    /// The runs.
    pub runs: u64,
    /// How many of them had nobody who led for two minutes without a break, after the first leader.
    pub with_nobody: u64,
    /// How many of them had two leaders at once.
    pub with_two: u64,
    /// The longest time for which there were two.
    pub worst_overlap: Duration,
}

/// A rate of the model beside that of what it is a model of.
#[derive(Clone, Copy, Debug)]
pub struct Agreement {
    /// What was seen of the model.
    pub here: Rate,
    /// What was measured there.
    pub measured: Measured,
    /// In how many runs ours failed in the same way, under the same plans.
    pub ours: u64,
}

impl Agreement {
    /// Whether the rate here can be the measured one.
    pub fn agrees(&self) -> bool {
        self.measured.rate.agrees_with(self.here)
    }
}

impl Table {
    /// Whether every rate is as measured, and ours never had two leaders and failed in none of the ways that others did.
    pub fn is_as_it_should_be(&self) -> bool {
        let ours = |row: &Row| {
            let own = row.cells.iter().filter(|(peer, _)| peer.is_none());
            own.map(|(_, cell)| cell.with_two).sum::<u64>()
        };
        self.rows.iter().all(|row| ours(row) == 0)
            && self.agreements.iter().all(|row| row.ours == 0)
            && self.agreements.iter().all(Agreement::agrees)
    }
}

impl Cell {
    /// In how many runs it failed in this way.
    pub fn failed(&self, failing: Failing) -> u64 {
        match failing {
            Failing::NobodyLeads => self.with_nobody,
            Failing::TwoLeaders => self.with_two,
        }
    }
}

/// For how long nobody has to lead until an election counts as failed.
const NOBODY_FOR: Duration = Duration::from_secs(120);

/// Runs all patterns with ours and all others, over the seeds from 0 to `seeds`, the same plans for each. `progress` is told how many
/// runs are done, and of how many.
pub fn compare(seeds: u64, mut progress: impl FnMut(u64, u64)) -> Table {
    let columns = 1 + Peer::ALL.len() as u64;
    let of = Pattern::ALL.len() as u64 * columns * seeds;
    let mut done = 0;
    let mut rows = Vec::with_capacity(Pattern::ALL.len());
    for pattern in Pattern::ALL {
        let peers = Peer::ALL.map(Some);
        let cells = std::iter::once(None).chain(peers).map(|peer| {
            let cell = pattern.cell(peer, seeds);
            done += seeds;
            progress(done, of);
            (peer, cell)
        });
        let cells = cells.collect();
        rows.push(Row { cells, pattern });
    }
    let agreements = Measured::ALL.map(|measured| Agreement::of(&rows, measured));
    let agreements = agreements.into_iter().flatten().collect();
    Table { agreements, rows }
}

impl Agreement {
    fn of(rows: &[Row], measured: Measured) -> Option<Self> {
        let row = rows
            .iter()
            .find(|row| row.pattern.name == measured.pattern)?;
        let cell = |wanted| {
            let mut cells = row.cells.iter();
            let (_, cell) = cells.find(|(peer, _)| *peer == wanted)?;
            Some(cell)
        };
        let (theirs, ours) = (cell(Some(measured.peer))?, cell(None)?);
        Some(Self {
            here: Rate {
                hits: theirs.failed(measured.failing),
                of: theirs.runs,
            },
            measured,
            ours: ours.failed(measured.failing),
        })
    }
}

impl Pattern {
    /// How one election fares under this pattern over the seeds from 0 to `seeds`: ours, unless another is given.
    pub fn cell(&self, peer: Option<Peer>, seeds: u64) -> Cell {
        let peer = peer.map(|peer| {
            self.go_timing
                .map_or(peer, |timing| peer.with_timing(timing))
        });
        let mut cell = Cell::default();
        let mut leaderless = Vec::new();
        let (mut requests, mut millis) = (0, 0);
        for seed in 0..seeds {
            let plan = self.plan(seed);
            let summary = run(&plan, peer);
            cell.runs += 1;
            cell.with_two += u64::from(summary.worst_overlap > Duration::ZERO);
            cell.with_nobody += u64::from(summary.longest_leaderless >= NOBODY_FOR);
            cell.worst_overlap = cell.worst_overlap.max(summary.worst_overlap);
            leaderless.push(summary.leaderless);
            requests += summary.requests;
            millis += plan.end.millis();
        }
        leaderless.sort_unstable();
        cell.leaderless_median = leaderless
            .get(leaderless.len() / 2)
            .copied()
            .unwrap_or_default();
        cell.leaderless_most = leaderless.last().copied().unwrap_or_default();
        cell.requests_per_kilosecond = requests * 1_000_000 / millis.max(1);
        cell
    }
}

fn run(plan: &Plan, peer: Option<Peer>) -> Summary {
    let options = Options {
        keep: Keep::All,
        peer,
        ..Options::PLAIN
    };
    let outcome = machines::run(plan, &options);
    Tally::over(plan.nodes.len(), &outcome.records)
}
