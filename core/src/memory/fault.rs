use super::{Gate, Operation};
use crate::ErrorKind;

/// What happens to one call instead of a plain answer.
///
/// Effects belong to the store: a request that was sent still lands as its fault says when the caller has dropped the future.
#[derive(Clone, Debug)]
pub enum Fault {
    /// The request waits at the gate, lands when it opens, and is answered then.
    Delay(Gate),
    /// The request lands at once; its answer waits at the gate.
    DelayReply(Gate),
    /// The request lands and is answered at once, and lands once more when the gate opens.
    Duplicate(Gate),
    /// The call fails at once with an unknown effect; the request lands when the gate opens.
    LandLater(Gate),
    /// The request lands, and no answer ever comes.
    HangAfterRequest,
    /// The request never lands, and no answer ever comes.
    HangBeforeRequest,
    /// The request lands, and the call fails with an unknown effect.
    LoseReply,
    /// The request never lands, and the call fails with an unknown effect.
    LoseRequest,
    /// The backend panics with this message; the request never lands.
    Panic(String),
    /// The store refuses: nothing is applied, and the call says so with this kind.
    Refuse(ErrorKind),
    /// A read is answered with what the lock was before its last change. Another operation is answered plainly.
    Stale,
}

/// A fault and the calls that it meets: plain data, made before the run.
#[derive(Clone, Debug)]
pub struct PlannedFault {
    /// What happens.
    pub fault: Fault,
    /// Which operation's calls are counted; nothing counts all.
    pub operation: Option<Operation>,
    /// How many such calls pass before.
    pub after: u32,
    /// How many calls it then meets; nothing means all from there on.
    pub times: Option<u32>,
}

impl PlannedFault {
    /// Meets the next call of `operation`.
    pub fn next(operation: Operation, fault: Fault) -> Self {
        Self {
            fault,
            operation: Some(operation),
            after: 0,
            times: Some(1),
        }
    }

    /// Meets every call of every operation until the faults are cleared.
    pub fn always(fault: Fault) -> Self {
        Self {
            fault,
            operation: None,
            after: 0,
            times: None,
        }
    }

    /// Lets `calls` calls pass before.
    #[must_use]
    pub fn after(mut self, calls: u32) -> Self {
        self.after = calls;
        self
    }

    /// Meets `calls` calls in a row.
    #[must_use]
    pub fn times(mut self, calls: u32) -> Self {
        self.times = Some(calls);
        self
    }
}

/// The faults that wait for their calls, in the order in which they were planned.
#[derive(Default, Debug)]
pub(super) struct Faults {
    planned: Vec<PlannedFault>,
}

impl Faults {
    pub(super) fn plan(&mut self, fault: PlannedFault) {
        self.planned.push(fault);
    }

    pub(super) fn clear(&mut self) {
        self.planned.clear();
    }

    /// The fault that meets this call. Each waiting fault counts the call, but only the first that is due is used up by it.
    pub(super) fn meet(&mut self, operation: Operation) -> Option<Fault> {
        let mut met = None;
        for planned in &mut self.planned {
            if planned
                .operation
                .is_some_and(|counted| counted != operation)
            {
                continue;
            }
            if planned.after > 0 {
                planned.after -= 1;
            } else if met.is_none() && planned.times != Some(0) {
                planned.times = planned.times.map(|left| left - 1);
                met = Some(planned.fault.clone());
            }
        }
        self.planned.retain(|planned| planned.times != Some(0));
        met
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lost(fault: Option<Fault>) -> bool {
        matches!(fault, Some(Fault::LoseReply))
    }

    #[test]
    fn a_fault_meets_the_calls_that_it_was_planned_for() {
        let mut faults = Faults::default();
        faults.plan(
            PlannedFault::next(Operation::Renew, Fault::LoseReply)
                .after(1)
                .times(2),
        );
        let met: Vec<bool> = (0..5)
            .map(|_| lost(faults.meet(Operation::Renew)))
            .collect();
        assert_eq!(met, [false, true, true, false, false]);
    }

    #[test]
    fn calls_of_another_operation_are_not_counted() {
        let mut faults = Faults::default();
        faults.plan(PlannedFault::next(Operation::Renew, Fault::LoseReply));
        assert!(!lost(faults.meet(Operation::Observe)));
        assert!(lost(faults.meet(Operation::Renew)));
    }

    #[test]
    fn a_fault_that_meets_all_goes_on_until_cleared() {
        let mut faults = Faults::default();
        faults.plan(PlannedFault::always(Fault::LoseReply));
        assert!(Operation::ALL.into_iter().all(|op| lost(faults.meet(op))));
        faults.clear();
        assert!(!lost(faults.meet(Operation::Observe)));
    }
}
