use super::{Figures, OPERATIONS};
use crate::TrueTime;
use crate::plan::{Plan, Span};
use crate::trace::{FireDeed, Record, Told, What};

/// Reads the records of one run in their order and keeps its figures.
#[derive(Clone, Debug)]
pub struct Observer {
    end: TrueTime,
    figures: Figures,
    nodes: Vec<Node>,
    /// When the state of `working` was looked at last.
    seen: TrueTime,
    vacancy: Vacancy,
    working: usize,
}

#[derive(Clone, Copy, Default, Debug)]
struct Node {
    draining: bool,
    frozen: bool,
    token: Option<u64>,
    works: bool,
}

/// Why no work runs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Vacancy {
    /// It never ran.
    Never,
    /// The last work ended in a planned way.
    Planned(TrueTime),
    /// The last work ended without warning.
    Sudden(TrueTime),
    /// It runs.
    None,
}

impl Observer {
    /// For a run of this plan.
    pub fn new(plan: &Plan) -> Self {
        Self {
            end: plan.end.from_start(),
            figures: Figures {
                runs: 1,
                ..Figures::default()
            },
            nodes: vec![Node::default(); plan.nodes.len()],
            seen: TrueTime::START,
            vacancy: Vacancy::Never,
            working: 0,
        }
    }

    /// Takes in the next record.
    pub fn see(&mut self, record: &Record) {
        if let Some(id) = record.node {
            let index = usize::from(id.0);
            if let Some(node) = self.nodes.get_mut(index) {
                let was = node.works && !node.frozen;
                node.see(&record.what, &mut self.figures);
                let planned = node.draining;
                match (was, node.works && !node.frozen) {
                    (true, false) => self.stop(record.at, planned),
                    (false, true) => {
                        let begins = matches!(record.what, What::WorkBegan { .. });
                        self.run(record.at, begins);
                    }
                    _ => {}
                }
                if matches!(record.what, What::WorkEnded { .. }) {
                    self.nodes[index].draining = false;
                }
            }
        }
        match record.what {
            What::Sent { operation, .. } => {
                let place = OPERATIONS.iter().position(|one| *one == operation);
                if let Some(place) = place {
                    self.figures.requests[place] += 1;
                }
            }
            What::Fire { deed, .. } => {
                let fires = &mut self.figures.fires;
                match deed {
                    FireDeed::Began => fires.begun += 1,
                    FireDeed::Ended => fires.ended += 1,
                    FireDeed::Broken => fires.broken += 1,
                    FireDeed::Missed => fires.missed += 1,
                }
            }
            _ => {}
        }
    }

    /// The figures, when the run is over.
    pub fn finish(mut self) -> Figures {
        let end = self.end.max(self.seen);
        self.account(end);
        self.figures.simulated_ns = end.nanos().into();
        self.figures
    }

    /// Work of one node more runs: because it begins, or because it goes on after a freeze, which is no failover.
    fn run(&mut self, at: TrueTime, begins: bool) {
        self.account(at);
        self.working += 1;
        let vacancy = std::mem::replace(&mut self.vacancy, Vacancy::None);
        let after = |since: TrueTime| Span::from_nanos(at.nanos().saturating_sub(since.nanos()));
        match vacancy {
            Vacancy::Never => self.figures.first.add(after(TrueTime::START)),
            Vacancy::Planned(since) if begins => self.figures.handovers.add(after(since)),
            Vacancy::Sudden(since) if begins => self.figures.failovers.add(after(since)),
            _ => {}
        }
    }

    fn stop(&mut self, at: TrueTime, planned: bool) {
        self.account(at);
        self.working -= 1;
        if self.working == 0 {
            self.vacancy = if planned {
                Vacancy::Planned(at)
            } else {
                Vacancy::Sudden(at)
            };
        }
    }

    /// Books the time since the last look.
    fn account(&mut self, at: TrueTime) {
        let passed = u128::from(at.nanos().saturating_sub(self.seen.nanos()));
        self.seen = at;
        if self.working > 1 {
            self.figures.overlap_ns += passed;
        } else if self.working == 0 && self.vacancy != Vacancy::Never {
            self.figures.vacant_ns += passed;
        }
    }
}

impl Node {
    fn see(&mut self, what: &What, figures: &mut Figures) {
        match *what {
            What::Leads { token, .. } if self.token != Some(token) => {
                self.token = Some(token);
                figures.leaderships += 1;
            }
            What::Told {
                event: Told::Draining,
                ..
            }
            | What::Asked { .. } => self.draining = true,
            What::WorkBegan { .. } => {
                self.works = true;
                self.draining = false;
            }
            What::WorkEnded { .. } => self.works = false,
            What::Frozen { .. } => self.frozen = true,
            What::Thawed => self.frozen = false,
            What::Down { .. } => *self = Self::default(),
            _ => {}
        }
    }
}
