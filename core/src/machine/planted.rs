//! What a machine with a planted mistake does where it takes more than a line.

use super::holding::Attempt;
use super::{Input, Machine, Moment, Phase, Stage, Timer};
use crate::backend::{Hold, LockKind, LockState, Observation};
use crate::planted::Mistake;
use crate::{FencingToken, Identity, Nanos, Nonce, Reading, Version};

impl Machine {
    /// The same machine, making this mistake from now on.
    #[cfg(feature = "planted")]
    #[must_use]
    pub fn with_mistake(mut self, mistake: Option<Mistake>) -> Self {
        let spans = &mut self.spans;
        spans.planted = crate::planted::Planted::new(mistake);
        let Some(mistake) = mistake else {
            return self;
        };
        match mistake {
            Mistake::FirstAnswerProves => spans.gap = None,
            Mistake::KillsAtStopTimeout => spans.grace = spans.stop,
            Mistake::NoDriftMargin => spans.validity = spans.lease.saturating_sub(spans.stop),
            Mistake::NoStopMargin => spans.validity = spans.validity.saturating_add(spans.stop),
            Mistake::TriesAddUp => {
                let another_try = spans.retry.saturating_add(spans.request_timeout);
                spans.validity = spans.validity.saturating_add(another_try);
            }
            _ => {}
        }
        self
    }

    /// Whether the machine makes this mistake. Never, unless somebody asked for it.
    pub(super) fn planted(&self, mistake: Mistake) -> bool {
        self.spans.planted.is(mistake)
    }

    /// The moment as a machine sees it that does not look at its clocks when its alarm rings.
    pub(super) fn as_the_alarm_says(&self, now: Moment, input: &Input) -> Moment {
        match self.wake_after(self.last_reading) {
            Some(set) if *input == Input::Tick => Moment {
                reading: self.last_reading.plus(set),
                ..now
            },
            _ => now,
        }
    }

    /// Takes a record for this candidate's own without having written it.
    pub(super) fn adopts(&mut self, now: Moment, observation: &Observation) -> bool {
        let LockState::Held(held) = &observation.lock else {
            return false;
        };
        let candidate = &self.settings.candidate;
        let own = held.holder.is(candidate) && self.planted(Mistake::OwnRecordIsTaken);
        let name = candidate.name.as_str();
        let named = held.holder.name() == name && self.planted(Mistake::NameIsEnough);
        let (Some(token), Some(version)) = (observation.token, observation.version) else {
            return false;
        };
        if !own && !named {
            return false;
        }
        let hold = Hold {
            identity: held.identity,
            token,
            version,
        };
        self.last_token = None;
        let note = observation.note.clone();
        self.hold(now, now.reading, hold, note, None, Nanos::ZERO);
        true
    }

    /// Leads because nobody says otherwise.
    pub(super) fn fails_open(&mut self, now: Moment) {
        let hold = Hold {
            identity: Identity(1),
            token: FencingToken::new(1).expect("1 is a token"),
            version: Version(1),
        };
        self.last_token = None;
        self.hold(now, now.reading, hold, None, None, Nanos::ZERO);
    }

    /// Whether a hold ends by its deadline.
    pub(super) fn expires(&self) -> bool {
        self.settings.kind == LockKind::Leased || !self.planted(Mistake::WaitsForExpiry)
    }

    /// Goes on with the hold whose work has just ended.
    pub(super) fn lead_again(&mut self, now: Moment) {
        self.last_token = None;
        if let Phase::Holding(holding) = &mut self.phase {
            let over = Timer::new(now.reading, Nanos::ZERO);
            holding.stage = Stage::Probation { over };
        }
    }

    /// Gives the lock back while the work is still finishing.
    pub(super) fn release_first(&mut self, now: Moment) {
        if let Phase::Holding(holding) = &mut self.phase {
            holding.work_runs = false;
            holding.note_wanted = None;
        }
        self.begin_release(now);
    }
}

impl Attempt {
    /// A renewal that nobody has sent.
    pub(super) fn sent_now(now: Moment, nonce: Nonce) -> Self {
        Self {
            nonce,
            note: None,
            sent: now.reading,
        }
    }
}

/// When a hold would have been seen first, if its age could be told from the wall clock in its record.
pub(super) fn as_old_as_it_says(now: Moment, observation: &Observation) -> Reading {
    let age = observation.written.map_or(Nanos::ZERO, |written| {
        now.wall.saturating_since(written).into()
    });
    Reading {
        boottime: now.reading.boottime.saturating_sub(age),
        raw: now.reading.raw.saturating_sub(age),
    }
}
