//! Synthetic histories for the tests of invariants: a few records, written as short as they can be.

use super::{Invariant, Jury};
use crate::TrueTime;
use crate::executor::NodeId;
use crate::plan::{Backend, CronPlan, DeliveryPlan, NodePlan, OnMissingPlan, Plan, Span};
use crate::trace::{Answer, Deed, Life, Operation, Record, RequestId, What};

/// A history that is being told, in milliseconds.
#[derive(Clone, Debug)]
pub(super) struct History {
    pub(super) plan: Plan,
    records: Vec<Record>,
    requests: u32,
    version: Option<u64>,
    holder: Option<Life>,
    token: Option<u64>,
}

impl History {
    /// Three good nodes, a lease of 6 s, healed from 100 s on, over at 160 s. All run from the start: lives 1, 2 and 3.
    pub(super) fn of(backend: Backend) -> Self {
        let mut plan = Plan::generate(0, backend);
        plan.faults.clear();
        plan.on_missing = OnMissingPlan::Wait;
        plan.timing.stop_timeout = None;
        plan.nodes = vec![NodePlan::default(); 3];
        plan.server = crate::plan::ServerPlan::default();
        plan.cron = None;
        plan.quiet_from = Span::from_secs(100);
        plan.end = Span::from_secs(160);
        let mut history = Self {
            plan,
            records: Vec::new(),
            requests: 0,
            version: None,
            holder: None,
            token: None,
        };
        for node in 0..3 {
            let life = Life(u32::from(node) + 1);
            history.at(0, node, What::Up { life });
        }
        history
    }

    pub(super) fn at(&mut self, ms: u64, node: u16, what: What) -> &mut Self {
        self.push(ms, Some(NodeId(node)), what)
    }

    pub(super) fn world(&mut self, ms: u64, what: What) -> &mut Self {
        self.push(ms, None, what)
    }

    fn push(&mut self, ms: u64, node: Option<NodeId>, what: What) -> &mut Self {
        let at = moment(ms);
        self.records.push(Record { at, node, what });
        self
    }

    /// A call that reaches the store at once, does there what `deed` says, and is answered.
    pub(super) fn call(
        &mut self,
        ms: u64,
        node: u16,
        operation: Operation,
        deed: Deed,
    ) -> &mut Self {
        let (request, zombie) = (self.sends(ms, node, operation, self.version), false);
        self.at(ms + 1, node, What::Landed { request, zombie });
        self.write(ms + 1, Some(node), deed);
        let answer = Answer::Done;
        self.at(ms + 2, node, What::Answered { request, answer })
    }

    /// A call that reaches the store at once, changes nothing there, and is answered.
    pub(super) fn asks(
        &mut self,
        ms: u64,
        node: u16,
        operation: Operation,
        answer: Answer,
    ) -> &mut Self {
        let (request, zombie) = (self.sends(ms, node, operation, None), false);
        self.at(ms + 1, node, What::Landed { request, zombie });
        self.at(ms + 2, node, What::Answered { request, answer })
    }

    /// A call that never reaches the store, and is answered all the same.
    pub(super) fn asks_in_vain(
        &mut self,
        ms: u64,
        node: u16,
        operation: Operation,
        answer: Answer,
    ) -> &mut Self {
        let request = self.sends(ms, node, operation, None);
        self.at(ms + 2, node, What::Answered { request, answer })
    }

    fn sends(&mut self, ms: u64, node: u16, operation: Operation, basis: Option<u64>) -> RequestId {
        self.requests += 1;
        let request = RequestId(self.requests);
        let sent = What::Sent {
            request,
            operation,
            basis,
        };
        self.at(ms, node, sent);
        request
    }

    /// The lock passes to another, as a queue moves.
    pub(super) fn passes(&mut self, ms: u64, deed: Deed, holder: Life) -> &mut Self {
        let what = What::Wrote {
            deed,
            basis: None,
            version: self.version,
            holder: Some(holder),
            token: self.token,
        };
        self.world(ms, what)
    }

    /// A write that the store makes, against the version that the lock has.
    pub(super) fn write(&mut self, ms: u64, node: Option<u16>, deed: Deed) -> &mut Self {
        let basis = self.version;
        self.version = Some(basis.unwrap_or(0) + 1);
        match deed {
            Deed::Acquired => {
                self.holder = node.map(|node| Life(u32::from(node) + 1));
                self.token = self.version;
            }
            Deed::Released | Deed::Expired | Deed::Foreign(_) => self.holder = None,
            Deed::Renewed | Deed::Requested => {}
        }
        let what = What::Wrote {
            deed,
            basis,
            version: self.version,
            holder: self.holder,
            token: self.token,
        };
        self.push(ms, node.map(NodeId), what)
    }

    /// As on a lease, with a cron job that is due every 10 s.
    pub(super) fn with_cron(delivery: DeliveryPlan) -> Self {
        let mut history = Self::of(Backend::Lease);
        history.plan.cron = Some(CronPlan {
            every: Span::from_secs(10),
            takes: Span::ZERO,
            delivery,
        });
        history
    }

    pub(super) fn records(&self) -> &[Record] {
        &self.records
    }

    /// The newest token.
    pub(super) fn token(&self) -> u64 {
        self.token.unwrap_or(0)
    }

    /// That a node says it leads with the newest token, counted from `sent`, until then.
    pub(super) fn leads(&mut self, ms: u64, node: u16, sent: u64, until: u64) -> &mut Self {
        let what = What::Leads {
            token: self.token(),
            sent: moment(sent),
            until: moment(until),
        };
        self.at(ms, node, what)
    }

    /// A node takes the lock at `ms`, leads from 2 ms later, for 5 s, and lets work run.
    pub(super) fn elects(&mut self, ms: u64, node: u16) -> &mut Self {
        self.call(ms, node, Operation::Acquire, Deed::Acquired);
        let token = self.token();
        self.leads(ms + 2, node, ms, ms + 5_000);
        self.at(ms + 2, node, What::WorkBegan { token })
    }

    /// A leader ends its leadership and its work, at once.
    pub(super) fn stops(&mut self, ms: u64, node: u16) -> &mut Self {
        let token = self.token();
        self.at(ms, node, What::LeadsNot { token });
        self.at(ms, node, What::WorkTold { token });
        let how = crate::trace::WorkEnd::Returned;
        self.at(ms, node, What::WorkEnded { how, token })
    }

    /// What the jury says to it.
    pub(super) fn judged(&self) -> Jury {
        let mut jury = Jury::new(self.plan.facts());
        for record in &self.records {
            jury.see(record);
        }
        jury
    }

    /// The invariants that it breaks.
    pub(super) fn broken(&self) -> Vec<Invariant> {
        let jury = self.judged();
        jury.breaches()
            .iter()
            .map(|breach| breach.invariant)
            .collect()
    }
}

pub(super) fn moment(ms: u64) -> TrueTime {
    TrueTime::from_nanos(ms * 1_000_000)
}
