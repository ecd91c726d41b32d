use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use super::{FireHost, HostFuture, Stop, Witness, WitnessSource};
use crate::backend::Note;
use crate::{CandidateName, Clock, ElectionName, FencingToken, Leadership, Nanos, Reading};

/// How long before its receipt an answer's time may have been read, at the most. Small against what clocks may be apart.
const ANSWER_MAX: Duration = Duration::from_secs(5);

impl FireHost for Leadership {
    fn candidate(&self) -> CandidateName {
        Self::candidate(self).name
    }

    fn clock(&self) -> Arc<dyn Clock> {
        Arc::clone(Self::clock(self))
    }

    fn election(&self) -> ElectionName {
        Self::election(self).clone()
    }

    fn may_start(&self) -> bool {
        self.is_valid() && !self.in_jeopardy() && Self::stop_requested(self).is_none()
    }

    fn note(&self) -> Option<Note> {
        Self::note(self)
    }

    fn stop_requested(&self) -> Option<Stop> {
        if self.validity().is_over() || !self.is_valid() {
            Some(Stop::AtOnce)
        } else {
            Self::stop_requested(self).map(|_| Stop::Drain)
        }
    }

    fn stop_changed(&self) -> HostFuture<'_, ()> {
        let told = FireHost::stop_requested(self).is_some();
        Box::pin(async move {
            if told {
                self.lost().await;
            } else {
                self.cancelled().await;
            }
        })
    }

    fn token(&self) -> FencingToken {
        Self::token(self)
    }

    fn witnesses(&self) -> Vec<Witness> {
        let view = self.view();
        let seen = view.observation.zip(view.observed_at);
        let store = seen.and_then(|(seen, received)| {
            seen.server_time.map(|wall| Witness {
                source: WitnessSource::Store,
                not_before: before(received, ANSWER_MAX),
                not_after: received,
                wall,
            })
        });
        let leader = view.leader_clock.map(|clock| Witness {
            source: WitnessSource::LastLeader,
            not_before: before(clock.not_before, ANSWER_MAX),
            not_after: clock.not_after,
            wall: clock.wall,
        });
        store.into_iter().chain(leader).collect()
    }

    fn write_note(&self, note: Note) -> HostFuture<'_, Result<(), Box<dyn Error + Send + Sync>>> {
        Box::pin(async move { Self::write_note(self, note).await.map_err(Into::into) })
    }
}

fn before(reading: Reading, span: Duration) -> Reading {
    let span = Nanos::from(span);
    Reading {
        boottime: reading.boottime.saturating_sub(span),
        raw: reading.raw.saturating_sub(span),
    }
}
