use std::time::Duration;

use super::measured::{Failing, Measured, Rate};
use super::{MeasuredLength, Pattern, Peer, Spread, Summary, Tally};
use crate::plan::{Backend, Plan};
use crate::run::Options;
use crate::trace::Keep;
use crate::{electors, machines};

/// How elections fared under the same plans.
#[derive(Clone, Debug)]
pub struct Table {
    /// How the rates of other elections compare with what their own code was measured at.
    pub agreements: Vec<Agreement>,
    /// How long other elections took to things, beside what their own code was measured to take.
    pub lengths: Vec<LengthAgreement>,
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
    /// How long after the fault whoever led had stopped its work, over the runs in which it did.
    pub gives_up: Spread,
    /// How long nobody led after the first leader.
    pub leaderless: Spread,
    /// The longest time for which there were two leaders at once.
    pub overlap: Spread,
    /// Requests of all candidates in a thousand seconds.
    pub requests_per_kilosecond: u64,
    /// The runs.
    pub runs: u64,
    /// How many of them had nobody who led for two minutes without a break, after the first leader.
    pub with_nobody: u64,
    /// How many of them had two leaders at once.
    pub with_two: u64,
}

/// A length of time of the model beside that of what it is a model of.
#[derive(Clone, Copy, Debug)]
pub struct LengthAgreement {
    /// What was seen of the model.
    pub here: Spread,
    /// What was measured there.
    pub measured: MeasuredLength,
    /// What was seen of ours, under the same plans.
    pub ours: Spread,
    /// In how many runs of each.
    pub runs: u64,
}

impl LengthAgreement {
    /// Whether what was measured can be of the same kind as what is here. Few runs do not tell.
    pub fn agrees(&self) -> bool {
        self.runs < MeasuredLength::RUNS_LEAST || self.measured.agrees_with(self.here)
    }

    fn of(rows: &[Row], measured: MeasuredLength) -> Option<Self> {
        let [theirs, ours] = pair(rows, measured.pattern, measured.peer)?;
        Some(Self {
            here: theirs.length(measured.what),
            measured,
            ours: ours.length(measured.what),
            runs: theirs.runs,
        })
    }
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
            && self.lengths.iter().all(LengthAgreement::agrees)
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
    let columns = |pattern: &Pattern| 1 + pattern.peers().len() as u64;
    let of = Pattern::all().map(columns).sum::<u64>() * seeds;
    let mut done = 0;
    let mut rows = Vec::new();
    for pattern in Pattern::all().copied() {
        let peers = pattern.peers().iter().copied().map(Some);
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
    let lengths = MeasuredLength::ALL.map(|measured| LengthAgreement::of(&rows, measured));
    Table {
        agreements,
        lengths: lengths.into_iter().flatten().collect(),
        rows,
    }
}

/// How another election fared under the pattern of this name, and ours.
fn pair(rows: &[Row], pattern: &str, peer: Peer) -> Option<[Cell; 2]> {
    let row = rows.iter().find(|row| row.pattern.name == pattern)?;
    let cell = |wanted| {
        let mut cells = row.cells.iter();
        let (_, cell) = cells.find(|(peer, _)| *peer == wanted)?;
        Some(*cell)
    };
    Some([cell(Some(peer))?, cell(None)?])
}

impl Agreement {
    fn of(rows: &[Row], measured: Measured) -> Option<Self> {
        let [theirs, ours] = pair(rows, measured.pattern, measured.peer)?;
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
        let (mut gives_up, mut leaderless, mut overlap) = (Vec::new(), Vec::new(), Vec::new());
        let (mut requests, mut millis) = (0, 0);
        for seed in 0..seeds {
            let plan = self.plan(seed);
            let summary = run(&plan, peer);
            cell.runs += 1;
            cell.with_two += u64::from(summary.worst_overlap > Duration::ZERO);
            cell.with_nobody += u64::from(summary.longest_leaderless >= NOBODY_FOR);
            gives_up.extend(summary.gives_up);
            leaderless.push(summary.leaderless);
            overlap.push(summary.worst_overlap);
            requests += summary.requests;
            millis += plan.end.millis();
        }
        cell.gives_up = Spread::of(gives_up);
        cell.leaderless = Spread::of(leaderless);
        cell.overlap = Spread::of(overlap);
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
    let outcome = match plan.backend {
        Backend::Zookeeper => electors::run(plan, &options),
        _ => machines::run(plan, &options),
    };
    Tally::over(plan.nodes.len(), &outcome.records)
}
