use std::collections::VecDeque;

use super::Standing;
use crate::{Nanos, Reading};

/// A sign of life that the store has acknowledged.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) struct Acknowledged {
    pub(crate) at: Reading,
    pub(crate) sent: Reading,
}

/// Which of a holder's signs of life are proven: the one place where it is decided from which sending a deadline counts.
///
/// A sign proves itself when it is acknowledged, or, with a gap, when another one that was sent at least that much later was
/// acknowledged too ([`Proof`](super::Proof)).
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Signs {
    gap: Option<Nanos>,
    pub(crate) last: Acknowledged,
    /// Whether any sign is proven.
    pub(crate) proved: bool,
    /// When the newest sign that is proven was sent; the first one before any is.
    pub(crate) proven: Reading,
    /// Acknowledged signs that a later one has yet to prove.
    pub(crate) waiting: VecDeque<Acknowledged>,
}

/// The most acknowledged signs that wait for their proof.
const WAITING_MAX: usize = 8;

impl Signs {
    /// Begins with a sign that was sent and acknowledged then. With a gap it proves nothing yet.
    pub fn new(gap: Option<Nanos>, sent: Reading, acknowledged: Reading) -> Self {
        let last = Acknowledged {
            at: acknowledged,
            sent,
        };
        Self {
            gap,
            last,
            proved: gap.is_none(),
            proven: sent,
            waiting: gap.map(|_| last).into_iter().collect(),
        }
    }

    /// Begins with a sign that proves itself though later ones may not, such as the opening of a session, which its store counts from.
    pub fn opened(gap: Option<Nanos>, sent: Reading, acknowledged: Reading) -> Self {
        Self {
            proved: true,
            waiting: VecDeque::new(),
            ..Self::new(gap, sent, acknowledged)
        }
    }

    /// Begins with what somebody else has judged.
    pub(crate) fn told(gap: Option<Nanos>, standing: Standing) -> Self {
        Self {
            proved: true,
            proven: standing.proven,
            ..Self::new(gap, standing.sent, standing.acknowledged)
        }
    }

    /// Takes in a sign that was acknowledged. What was acknowledged long enough before it was sent is proven by it.
    pub fn acknowledged(&mut self, sent: Reading, at: Reading) {
        let sign = Acknowledged { at, sent };
        if is_later(sent, self.last.sent) {
            self.last = sign;
        }
        self.acknowledged_out_of_turn(sent);
        if self.gap.is_none() {
            return;
        }
        if self.waiting.len() == WAITING_MAX {
            // The oldest will be proven first, so it is the newest that makes room.
            self.waiting.pop_back();
        }
        self.waiting.push_back(sign);
    }

    /// Takes in a sign that was not given at its time, but when there was something to write. With a gap it proves what an own sign at that
    /// time would prove, and is not itself to be proven: the regular ones prove each other at their times, and whatever came between them
    /// would have its proof later than the next regular one has.
    pub fn acknowledged_out_of_turn(&mut self, sent: Reading) {
        let Some(gap) = self.gap else {
            self.prove(sent);
            return;
        };
        while let Some(first) = self.waiting.front().copied() {
            if sent.shortest_since(first.at) < gap {
                break;
            }
            self.prove(first.sent);
            self.waiting.pop_front();
        }
    }

    pub(crate) fn prove(&mut self, sent: Reading) {
        self.proven = later(self.proven, sent);
        self.proved = true;
    }

    /// When the newest sign that is proven was sent; nothing before any is.
    pub fn proven(&self) -> Option<Reading> {
        self.proved.then_some(self.proven)
    }

    /// What is known by now, once anything is proven.
    pub fn standing(&self) -> Option<Standing> {
        Some(Standing {
            acknowledged: self.last.at,
            proven: self.proven()?,
            sent: self.last.sent,
        })
    }

    /// Which sign was the last one is of no interest to a holder that keeps it itself.
    #[cfg(feature = "testing")]
    pub(crate) fn forget_last(&mut self, origin: Reading) {
        self.last = Acknowledged {
            at: origin,
            sent: origin,
        };
    }

    pub(crate) fn check(&self) {
        assert!(
            self.waiting.len() <= WAITING_MAX,
            "too many unproven signs of life"
        );
    }
}

/// Whether `a` was read after `b`.
pub(crate) fn is_later(a: Reading, b: Reading) -> bool {
    a.raw > b.raw || a.boottime > b.boottime
}

pub(crate) fn later(a: Reading, b: Reading) -> Reading {
    if is_later(b, a) { b } else { a }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: u64) -> Reading {
        Reading::both(Nanos::from_millis(millis))
    }

    const GAP: Option<Nanos> = Some(Nanos::from_millis(1_000));

    #[test]
    fn a_sign_is_proven_by_one_that_was_sent_a_gap_after_its_acknowledgement() {
        let mut signs = Signs::new(GAP, at(0), at(400));
        assert_eq!(signs.proven(), None);
        signs.acknowledged(at(1_399), at(1_450));
        assert_eq!(
            signs.proven(),
            None,
            "one that comes too early proves nothing"
        );
        signs.acknowledged(at(1_400), at(1_500));
        assert_eq!(signs.proven(), Some(at(0)));
        signs.acknowledged(at(2_480), at(2_490));
        assert_eq!(signs.proven(), Some(at(1_399)));
    }

    #[test]
    fn an_opening_is_proven_but_proves_no_later_sign() {
        let mut signs = Signs::opened(GAP, at(0), at(50));
        assert_eq!(signs.proven(), Some(at(0)));
        signs.acknowledged(at(1_200), at(1_210));
        assert_eq!(signs.proven(), Some(at(0)));
        signs.acknowledged(at(2_300), at(2_310));
        assert_eq!(signs.proven(), Some(at(1_200)));
    }

    #[test]
    fn a_sign_out_of_turn_proves_but_takes_no_turn() {
        let mut signs = Signs::opened(GAP, at(0), at(10));
        signs.acknowledged(at(100), at(110));
        for sent in [1_000, 1_109] {
            signs.acknowledged_out_of_turn(at(sent));
            assert_eq!(signs.proven(), Some(at(0)));
        }
        signs.acknowledged_out_of_turn(at(1_110));
        assert_eq!(signs.standing().unwrap().proven, at(100));
        assert_eq!(signs.standing().unwrap().sent, at(100));
        signs.acknowledged(at(1_300), at(1_310));
        signs.acknowledged(at(2_400), at(2_410));
        assert_eq!(signs.proven(), Some(at(1_300)));
    }

    #[test]
    fn any_number_of_signs_out_of_turn_displaces_no_regular_one() {
        let mut signs = Signs::opened(GAP, at(0), at(10));
        signs.acknowledged(at(1_100), at(1_110));
        for sent in 1_120..2_100 {
            signs.acknowledged_out_of_turn(at(sent));
        }
        signs.acknowledged(at(2_200), at(2_210));
        assert_eq!(signs.proven(), Some(at(1_100)));
    }

    #[test]
    fn without_a_gap_each_sign_proves_itself() {
        let mut signs = Signs::new(None, at(0), at(900));
        assert_eq!(signs.proven(), Some(at(0)));
        signs.acknowledged(at(10), at(2_000));
        assert_eq!(signs.proven(), Some(at(10)));
    }

    #[test]
    fn an_answer_that_overtakes_takes_nothing_back() {
        let mut signs = Signs::new(None, at(50), at(60));
        signs.acknowledged(at(20), at(70));
        assert_eq!(signs.proven(), Some(at(50)));
        assert_eq!(signs.standing().unwrap().sent, at(50));
    }
}
