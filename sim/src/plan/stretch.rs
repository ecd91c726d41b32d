use std::num::NonZeroU32;

use super::{Fault, NodePlan, Plan, Span};

impl Plan {
    /// The same plan, so many times as slow: the timing of the candidates, what goes wrong, the work and the run itself take so many times
    /// as long. Links stay as fast as they are, so that a simulated year costs so many times fewer events.
    #[must_use]
    pub fn stretched(mut self, factor: NonZeroU32) -> Self {
        let stretch = |span: &mut Span| {
            *span = Span::from_nanos(span.nanos().saturating_mul(u64::from(factor.get())));
        };
        self.spans_mut().into_iter().for_each(stretch);
        self
    }

    /// All times that belong to one another.
    fn spans_mut(&mut self) -> Vec<&mut Span> {
        let timing = &mut self.timing;
        let mut spans = vec![&mut self.quiet_from, &mut self.end, &mut timing.lease];
        spans.extend(&mut timing.renew);
        spans.extend(&mut timing.request_timeout);
        spans.extend(&mut timing.stop_timeout);
        spans.extend(&mut timing.drain_timeout);
        spans.push(&mut self.server.tick);
        spans.extend(&mut self.server.edited_every);
        if let Some(cron) = &mut self.cron {
            spans.extend([&mut cron.every, &mut cron.takes]);
        }
        for node in &mut self.nodes {
            let NodePlan {
                starts_at,
                lease,
                stop_takes,
                work_lasts,
                drain_takes,
                ..
            } = node;
            spans.extend(starts_at);
            spans.extend(lease);
            spans.extend(work_lasts);
            spans.extend([stop_takes, drain_takes]);
        }
        for fault in &mut self.faults {
            spans.push(&mut fault.at);
            spans.extend(&mut fault.lasts);
            spans.extend(fault.what.span_mut());
        }
        spans
    }
}

impl Fault {
    /// How long it makes something take, where it says so.
    fn span_mut(&mut self) -> Option<&mut Span> {
        match self {
            Self::Delay { by, .. }
            | Self::KubeletLate { by, .. }
            | Self::ServerLags { by, .. }
            | Self::Stale { by } => Some(by),
            Self::Slow { most, .. } | Self::SlowStore { most } | Self::Starve { most, .. } => {
                Some(most)
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::Backend;

    #[test]
    fn a_stretched_plan_can_be_run_and_lasts_as_much_longer() {
        let ten = NonZeroU32::new(10).unwrap();
        for seed in 0..100 {
            for backend in Backend::EVERY {
                let plan = Plan::generate(seed, backend);
                let slow = plan.clone().stretched(ten);
                assert!(slow.check().is_ok());
                assert_eq!(slow.end.nanos(), plan.end.nanos() * 10);
                for (slow, fault) in slow.faults.iter().zip(&plan.faults) {
                    assert_eq!(slow.at.nanos(), fault.at.nanos() * 10);
                    assert_eq!(slow.what.who(), fault.what.who());
                }
                assert_eq!(plan.clone().stretched(NonZeroU32::MIN), plan);
            }
        }
    }
}
