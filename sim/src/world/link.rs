use crate::TrueTime;
use crate::plan::Direction;
use crate::random::{Purpose, Stream};

const MILLISECOND: u64 = 1_000_000;

/// How a link is now.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub(crate) struct Condition {
    /// Nothing passes, and all arrives once that is over.
    pub(crate) clogged: bool,
    /// How many of a thousand requests arrive twice.
    pub(crate) duplicate_per_mille: u16,
    /// What is sent to the store.
    pub(crate) requests: Way,
    /// What the store sends.
    pub(crate) replies: Way,
}

/// One way of a link.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub(crate) struct Way {
    /// Nothing passes.
    pub(crate) cut: bool,
    /// Everything takes so much longer, in nanoseconds.
    pub(crate) delay: u64,
    /// How many of a thousand are lost.
    pub(crate) lose_per_mille: u16,
    /// Everything takes between nothing and so long, in nanoseconds.
    pub(crate) slow: Option<u64>,
}

impl Condition {
    /// Changes the ways that `direction` names.
    pub(crate) fn each(&mut self, direction: Direction, change: impl Fn(&mut Way)) {
        if direction != Direction::Replies {
            change(&mut self.requests);
        }
        if direction != Direction::Requests {
            change(&mut self.replies);
        }
    }
}

/// The way between a node and the store.
#[derive(Clone, Debug)]
pub(crate) struct Link {
    /// When the last request of a connection lands, which keeps its order.
    pub(crate) arrives: TrueTime,
    pub(crate) condition: Condition,
    draw: Stream,
    /// Whether the store is on the same machine, and at the end of no network.
    local: bool,
}

/// What happens to one request and its reply, drawn when the request is sent. In nanoseconds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Route {
    /// How long the request takes; nothing when it is lost.
    pub(crate) request: Option<u64>,
    /// After how long the request arrives once more.
    pub(crate) again: Option<u64>,
    /// How long the reply takes; nothing when it is lost.
    pub(crate) reply: Option<u64>,
    /// After how long the sender learns that its request was lost; nothing when it hears nothing.
    pub(crate) reset: Option<u64>,
}

impl Link {
    /// The link of `node`; to a store on the same machine when it is `local`.
    pub(crate) fn new(seed: u64, node: u16, local: bool) -> Self {
        Self {
            arrives: TrueTime::START,
            condition: Condition::default(),
            draw: Stream::new(seed, u64::from(node), Purpose::Network),
            local,
        }
    }

    /// What will happen to a request that is sent now.
    pub(crate) fn route(&mut self) -> Route {
        let Condition {
            duplicate_per_mille,
            requests,
            replies,
            ..
        } = self.condition;
        // Always the same number of draws, so that a change of a link's state does not shift the rest.
        let (there, back) = (self.takes(requests), self.takes(replies));
        let chance = self.draw.next_u64();
        let [lost, reply_lost, again, told] = per_mille(chance);
        let lost = requests.cut || lost < requests.lose_per_mille;
        let reset = (chance >> 40) % (50 * MILLISECOND);
        Route {
            request: (!lost).then_some(there),
            again: (again < duplicate_per_mille).then_some(there + 1 + 8 * reset),
            reply: (reply_lost >= replies.lose_per_mille).then_some(back),
            reset: (told < 500 && !requests.cut && !replies.cut).then_some(reset),
        }
    }

    /// How long a hint takes; nothing when it is lost.
    pub(crate) fn hint(&mut self) -> Option<u64> {
        let way = self.condition.replies;
        let takes = self.takes(way);
        let [lost, ..] = per_mille(self.draw.next_u64());
        (lost >= way.lose_per_mille && !way.cut).then_some(takes)
    }

    /// Mostly short, with a long tail; up to what a slow link takes.
    fn takes(&mut self, way: Way) -> u64 {
        let draw = self.draw.next_u64();
        let micros = 100 + (draw & 0xffff_ffff) * 2_900 / (1 << 32);
        let tail = (draw >> 32).is_multiple_of(50);
        let takes = match way.slow {
            _ if self.local => micros * 100,
            Some(most) => (micros - 100) * (most / 2_900),
            None if tail => micros * 100_000,
            None => micros * 1_000,
        };
        takes + way.delay
    }
}

/// Four numbers below a thousand out of one.
fn per_mille(draw: u64) -> [u16; 4] {
    let part = |shift: u32| u16::try_from((((draw >> shift) & 0xffff) * 1_000) >> 16);
    [0, 16, 32, 48].map(|shift| part(shift).expect("a number below a thousand"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn routes(condition: Condition) -> Vec<Route> {
        let mut link = Link::new(1, 0, false);
        link.condition = condition;
        (0..10_000).map(|_| link.route()).collect()
    }

    #[test]
    fn a_good_link_loses_nothing_and_is_mostly_fast() {
        let routes = routes(Condition::default());
        let fast = |route: &&Route| route.request.unwrap() + route.reply.unwrap() <= 6_000_000;
        assert!(routes.iter().all(|route| route.again.is_none()));
        let fast = routes.iter().filter(fast).count();
        assert!(fast > 9_000 && fast < 10_000, "{fast}");
    }

    #[test]
    fn a_lossy_way_loses_its_share_and_the_other_nothing() {
        let mut condition = Condition::default();
        condition.each(Direction::Requests, |way| way.lose_per_mille = 300);
        let routes = routes(condition);
        let lost = routes.iter().filter(|route| route.request.is_none());
        let lost = lost.count();
        assert!((2_700..3_300).contains(&lost), "{lost}");
        assert!(routes.iter().all(|route| route.reply.is_some()));
    }

    #[test]
    fn a_slow_way_takes_up_to_what_it_may() {
        let mut condition = Condition::default();
        let most = 12_000 * MILLISECOND;
        condition.each(Direction::Both, |way| way.slow = Some(most));
        let takes = routes(condition).into_iter().filter_map(|r| r.request);
        let longest = takes.max().unwrap();
        assert!(longest <= most && longest > most / 10 * 9, "{longest}");
    }
}
