use std::time::Duration;

use super::measured::{Measured, Rate};
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
    /// How many of them had two leaders at once.
    pub with_two: u64,
    /// The longest time for which there were two.
    pub worst_overlap: Duration,
}

/// A rate of the model beside that of what it is a model of.
#[derive(Clone, Copy, Debug)]
pub struct Agreement {
    /// What was seen here.
    pub here: Rate,
    /// What was measured there.
    pub measured: Measured,
    /// The longest time with two leaders here.
    pub worst_overlap: Duration,
}

/// Whether a rate of the model can be that of what it is a model of.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// It is another one.
    Differs,
    /// It lies outside the 95 % interval of the measured one, but two samples of one rate may lie as far apart.
    Near,
    /// It lies within that interval.
    Within,
}

impl Agreement {
    /// Whether the rate here can be the measured one.
    pub fn agrees(&self) -> bool {
        self.verdict() != Verdict::Differs
    }

    /// What can be said of the two rates.
    pub fn verdict(&self) -> Verdict {
        let Self { here, measured, .. } = self;
        if measured.rate.covers(*here) {
            Verdict::Within
        } else if measured.rate.may_equal(*here) {
            Verdict::Near
        } else {
            Verdict::Differs
        }
    }
}

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
        let (_, cell) = row
            .cells
            .iter()
            .find(|(peer, _)| *peer == Some(measured.peer))?;
        Some(Self {
            here: Rate {
                hits: cell.with_two,
                of: cell.runs,
            },
            measured,
            worst_overlap: cell.worst_overlap,
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
