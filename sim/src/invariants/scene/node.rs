use crate::TrueTime;
use crate::trace::{Ask, Frozen, Life, Operation, Record, RequestId, What};

/// One machine, and the candidate on it.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub(in crate::invariants) struct Node {
    /// The candidate that runs; nothing while none does.
    pub(in crate::invariants) life: Option<Life>,
    pub(in crate::invariants) frozen: Option<(Frozen, TrueTime)>,
    /// When it last ran again after it was frozen.
    pub(in crate::invariants) thawed_at: Option<TrueTime>,
    /// That it leads, as it would say itself; kept after its end until it says so, or another one begins.
    pub(in crate::invariants) belief: Option<Belief>,
    /// The belief before, or the one that it has.
    pub(in crate::invariants) last_belief: Option<Belief>,
    pub(in crate::invariants) work: Option<Work>,
    /// How much faster than true time its oscillator runs, and how much it is slewed on top, in millionths.
    pub(in crate::invariants) rate_ppm: i64,
    pub(in crate::invariants) slew_ppm: i64,
    /// How long the last call that was answered took, in nanoseconds.
    pub(in crate::invariants) answered_after: u64,
    /// The call under way.
    pub(in crate::invariants) pending: Option<RequestId>,
    /// The token that the store granted to this life last, and when.
    pub(in crate::invariants) granted: Option<(u64, TrueTime)>,
    /// Since when its control has been asked to end.
    pub(in crate::invariants) ending_since: Option<TrueTime>,
    /// Whether its control has made it ineligible.
    pub(in crate::invariants) ineligible: bool,
    /// When it last began to let others go first: it resigned, or its work ended by itself.
    pub(in crate::invariants) gave_way_at: Option<TrueTime>,
    /// Its last renewal.
    pub(in crate::invariants) renewal: Option<RequestId>,
    /// When its last claims and renewals were sent.
    sends: [Option<(TrueTime, RequestId)>; SENDS],
    /// Where the next one goes.
    next_send: usize,
}

/// How many sends of claims and renewals are remembered: more than any deadline can still be counted from.
const SENDS: usize = 16;

/// That a candidate leads, by its own clock.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::invariants) struct Belief {
    pub(in crate::invariants) token: u64,
    pub(in crate::invariants) since: TrueTime,
    /// The send that the deadline is counted from.
    pub(in crate::invariants) sent: TrueTime,
    /// The first moment at which it says no longer that it leads.
    pub(in crate::invariants) until: TrueTime,
}

/// Work that runs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::invariants) struct Work {
    pub(in crate::invariants) token: u64,
    pub(in crate::invariants) since: TrueTime,
    /// Since when it has been told to stop.
    pub(in crate::invariants) told: Option<TrueTime>,
}

/// How much later than its deadline a belief may be told to go on: what turning a clock's time into true time may round.
const ROUNDING_NANOS: u64 = 1_000;

impl Node {
    /// Whether it says at `at` that it leads. A virtual machine that is frozen says nothing.
    pub(in crate::invariants) fn believes(&self, at: TrueTime) -> bool {
        self.believes_until().is_some_and(|until| at < until)
    }

    /// Until when it says that it leads, if nothing happens.
    pub(in crate::invariants) fn believes_until(&self) -> Option<TrueTime> {
        match self.frozen {
            Some((Frozen::VirtualMachine, _)) => None,
            _ => self.belief.map(|belief| belief.until),
        }
    }

    /// Until when it leads in any sense, if nothing happens.
    pub(in crate::invariants) fn leads_until(&self) -> Option<TrueTime> {
        if self.works() {
            Some(TrueTime::END)
        } else {
            self.believes_until()
        }
    }

    /// Whether it runs and may try.
    pub(in crate::invariants) fn is_able(&self) -> bool {
        let asked_off = self.ineligible || self.ending_since.is_some();
        self.life.is_some() && self.frozen.is_none() && !asked_off
    }

    /// Whether work of it does something.
    pub(in crate::invariants) fn works(&self) -> bool {
        self.work.is_some() && self.frozen.is_none()
    }

    /// Takes in a record about it. Says whether it begins a leadership.
    pub(super) fn take_in(&mut self, record: &Record) -> bool {
        let at = record.at;
        match record.what {
            What::Up { life } => self.start(life),
            What::Down { .. } => self.stop(),
            What::Frozen { by } => self.frozen = Some((by, at)),
            What::Thawed => {
                self.frozen = None;
                self.thawed_at = Some(at);
            }
            What::Clock { rate_ppm, slew_ppm } => {
                (self.rate_ppm, self.slew_ppm) = (rate_ppm, slew_ppm);
            }
            What::Sent {
                request, operation, ..
            } => self.sent(at, request, operation),
            What::Answered { request, .. } | What::Abandoned { request } => {
                self.pending = self.pending.filter(|pending| *pending != request);
            }
            What::Leads { token, sent, until } => return self.leads_on(at, token, sent, until),
            What::LeadsNot { .. } => self.belief = None,
            What::Asked { ask } => self.asked(at, ask),
            What::WorkBegan { token } => {
                self.work = Some(Work {
                    token,
                    since: at,
                    told: None,
                });
            }
            What::WorkTold { .. } => {
                if let Some(work) = &mut self.work {
                    work.told.get_or_insert(at);
                }
            }
            What::WorkEnded { .. } => {
                let by_itself = self.work.is_some_and(|work| work.told.is_none());
                if by_itself {
                    self.gave_way_at = Some(at);
                }
                self.work = None;
            }
            _ => {}
        }
        false
    }

    /// The claims, renewals and signs of life that were sent at this moment, as far as they are remembered.
    pub(in crate::invariants) fn sent_at(&self, at: TrueTime) -> impl Iterator<Item = RequestId> {
        let sends = self.sends.iter().flatten();
        let then = sends.filter(move |(sent, _)| *sent == at);
        then.map(|(_, id)| *id)
    }

    /// Whether sends of that time may be forgotten.
    pub(in crate::invariants) fn forgets(&self, at: TrueTime) -> bool {
        let oldest = self.sends[self.next_send];
        oldest.is_some_and(|(sent, _)| at <= sent)
    }

    fn sent(&mut self, at: TrueTime, request: RequestId, operation: Operation) {
        if operation != Operation::Beat {
            self.pending = Some(request);
        }
        if operation == Operation::Renew {
            self.renewal = Some(request);
        }
        if matches!(
            operation,
            Operation::Acquire | Operation::Beat | Operation::Renew
        ) {
            self.sends[self.next_send] = Some((at, request));
            self.next_send = (self.next_send + 1) % SENDS;
        }
    }

    fn leads_on(&mut self, at: TrueTime, token: u64, sent: TrueTime, until: TrueTime) -> bool {
        let before = self.belief.filter(|belief| {
            let latest = belief.until.nanos().saturating_add(ROUNDING_NANOS);
            // Where the clocks stood still, the deadline has moved.
            let stood_still = self.frozen.is_some() || self.thawed_at == Some(at);
            // What was over before it is told says only that it is over.
            let is_over = until <= at;
            belief.token == token && (at.nanos() <= latest || stood_still || is_over)
        });
        let since = before.map_or(at, |belief| belief.since);
        self.belief = Some(Belief {
            token,
            since,
            sent,
            until,
        });
        self.last_belief = self.belief;
        before.is_none()
    }

    fn asked(&mut self, at: TrueTime, ask: Ask) {
        match ask {
            Ask::Resign => self.gave_way_at = Some(at),
            Ask::ShutDown => {
                self.ending_since.get_or_insert(at);
            }
            Ask::Ineligible => self.ineligible = true,
            Ask::Eligible => self.ineligible = false,
        }
    }

    fn start(&mut self, life: Life) {
        self.stop();
        self.life = Some(life);
    }

    /// The process is gone, and all that it knew; the machine's clocks go on.
    fn stop(&mut self) {
        *self = Self {
            frozen: None,
            rate_ppm: self.rate_ppm,
            slew_ppm: self.slew_ppm,
            ..Self::default()
        };
    }
}
