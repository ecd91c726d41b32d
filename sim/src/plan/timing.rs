use std::time::Duration;

use tenure_core::{Nanos, Timing, TimingError};

use super::{Backend, Fault, NodePlan, Plan, PlannedFault, Span};
use crate::invariants::{Facts, NodeFacts};

impl Plan {
    /// The timing of the candidate on this node: the plan's, with the node's own lease duration where it has one. What is not set
    /// follows from the lease duration. A node that the plan does not have gets the plan's timing.
    ///
    /// # Errors
    /// When the numbers cannot keep what an election promises; the error says which to change, and to what.
    pub fn timing(&self, node: usize) -> Result<Timing, TimingError> {
        let own = self.nodes.get(node).and_then(|node| node.lease);
        let lease = own.unwrap_or(self.timing.lease);
        let mut builder = Timing::builder().lease_duration(lease.into());
        if let Some(renew) = self.timing.renew {
            builder = builder.renew_interval(renew.into());
        }
        if let Some(request) = self.timing.request_timeout {
            builder = builder.request_timeout(request.into());
        }
        if let Some(stop) = self.timing.stop_timeout {
            builder = builder.stop_timeout(stop.into());
        }
        if let Some(drain) = self.timing.drain_timeout {
            builder = builder.drain_timeout(drain.into());
        }
        if let Some(ppm) = self.timing.drift_ppm {
            builder = builder.clock_drift_ppm(ppm);
        }
        let timing = builder.build()?;
        // A kernel's file lock ends with its process, and is a session lock to an election.
        if self.backend.kind() != Backend::Lease {
            timing.check_session()?;
        }
        Ok(timing)
    }

    /// What invariants know about a run of this plan before it starts. A node whose timing is impossible, which no tier runs, counts
    /// with the standard timing.
    pub fn facts(&self) -> Facts {
        let node = |(index, node): (usize, &NodePlan)| {
            let timing = self.timing(index).unwrap_or_else(|_| Timing::standard());
            node_facts(&timing, node)
        };
        Facts {
            backend: self.backend.kind(),
            nodes_in_a_queue: self.backend == Backend::Zookeeper,
            quiet_from: self.quiet_from.from_start(),
            end: self.end.from_start(),
            on_its_way: self.on_its_way().into(),
            on_missing: self.on_missing,
            server: self.server.clone(),
            cron: self.cron.clone(),
            faults: self.faults.iter().map(|fault| fault.what.clone()).collect(),
            nodes: self.nodes.iter().enumerate().map(node).collect(),
        }
    }
}

impl Plan {
    /// For how long into the quiet time something that a link holds back may still be on its way.
    fn on_its_way(&self) -> Span {
        let late = |fault: &PlannedFault| {
            let most = match fault.what {
                Fault::Delay { by, .. } => by,
                Fault::Slow { most, .. } => most,
                _ => return Span::ZERO,
            };
            let end = fault
                .lasts
                .map_or(self.quiet_from, |lasts| fault.at.plus(lasts));
            end.min(self.quiet_from).plus(most).minus(self.quiet_from)
        };
        self.faults.iter().map(late).max().unwrap_or_default()
    }
}

fn node_facts(timing: &Timing, node: &NodePlan) -> NodeFacts {
    let nanos = |duration: Duration| Nanos::from(duration);
    NodeFacts {
        drift_ppm: timing.clock_drift_ppm(),
        stop_timeout: nanos(timing.stop_timeout()),
        kill_allowance: nanos(timing.kill_allowance()),
        drain_timeout: nanos(timing.drain_timeout()),
        lease: nanos(timing.lease_duration()),
        validity: timing.validity(),
        renew: nanos(timing.renew_interval()),
        retry: nanos(timing.retry_interval()),
        request_timeout: nanos(timing.request_timeout()),
        work_lasts: node.work_lasts.map(Nanos::from),
        name: node.name.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_generated_plan_has_a_timing_for_each_node() {
        for seed in 0..200 {
            for backend in Backend::ALL {
                let plan = Plan::generate(seed, backend);
                let facts = plan.facts();
                assert_eq!(facts.nodes.len(), plan.nodes.len());
                for (index, node) in plan.nodes.iter().enumerate() {
                    let timing = plan.timing(index).unwrap();
                    let lease = node.lease.unwrap_or(plan.timing.lease);
                    assert_eq!(timing.lease_duration(), Duration::from(lease));
                    assert_eq!(facts.nodes[index].lease, Nanos::from(lease));
                }
            }
        }
    }

    #[test]
    fn a_timing_that_cannot_keep_its_promise_is_refused_with_advice() {
        let mut plan = Plan::generate(0, Backend::Lease);
        plan.timing.stop_timeout = Some(Span::from_secs(60));
        assert!(plan.timing(0).unwrap_err().to_string().contains("raise"));
    }

    #[test]
    fn a_session_lock_needs_room_for_two_renewals() {
        let mut plan = Plan::generate(0, Backend::Lease);
        plan.nodes[0].lease = None;
        plan.timing.renew = Some(Span::from_secs(3));
        assert!(plan.timing(0).is_ok());
        plan.backend = Backend::Session;
        assert!(plan.timing(0).is_err());
    }
}
