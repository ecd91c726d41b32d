use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use tenure_core::Reading;
use tenure_core::WallTime;
use tenure_core::backend::Holder;
use tenure_core::machine::{Eligibility, Machine, Moment, Settings};

use super::configuration::{Configuration, candidate};
use super::names::NOW;
use super::world::Life;
use crate::planted::{Bug, Distortion};

/// How much further clocks differ when they do what no drift allows.
const WILD_TICKS: u8 = 2;
/// How many lives the names of holders suffice for.
const LIVES: usize = 64;

/// A configuration, with what every step needs made ready.
#[derive(Debug)]
pub(super) struct Rules {
    pub(super) configuration: Configuration,
    pub(super) bug: Option<Bug>,
    /// Whether something was found, or the time is up.
    pub(super) over: Arc<AtomicBool>,
    pub(super) lease: Duration,
    holders: Vec<Holder>,
    settings: Vec<Settings>,
}

impl Rules {
    pub(super) fn new(configuration: Configuration, bug: Option<Bug>) -> Self {
        let nodes = usize::from(configuration.candidates);
        Self {
            bug,
            over: Arc::default(),
            lease: configuration.timing().lease_duration(),
            holders: (0..LIVES)
                .map(|label| Holder::from(&candidate(label)))
                .collect(),
            settings: (0..nodes)
                .map(|node| configuration.settings(node))
                .collect(),
            configuration,
        }
    }

    pub(super) fn holder(&self, life: Life) -> Holder {
        self.holders[usize::from(life.0)].clone()
    }

    pub(super) fn life(&self, holder: &Holder) -> Life {
        let bits = holder
            .incarnation()
            .map_or(0, |incarnation| incarnation.to_bits());
        Life(u8::try_from(bits.saturating_sub(1)).expect("labels of lives are small"))
    }

    /// A candidate that starts now.
    pub(super) fn machine(&self, node: usize) -> Machine {
        Machine::new(
            moment(NOW),
            self.settings[node].clone(),
            Eligibility::Eligible,
        )
        .with_mistake(self.bug.and_then(Bug::mistake))
    }

    /// Whether this is planted around the machines.
    pub(super) fn distorts(&self, distortion: Distortion) -> bool {
        self.bug.and_then(Bug::distortion) == Some(distortion)
    }

    /// How far clocks differ, which may be further than everybody takes them to.
    pub(super) fn drift(&self) -> u8 {
        if self.distorts(Distortion::WildClock) {
            self.configuration.drift + WILD_TICKS
        } else {
            self.configuration.drift
        }
    }
}

pub(super) fn moment(reading: Reading) -> Moment {
    Moment {
        jitter: 0,
        reading,
        wall: WallTime::from_unix_micros(0),
    }
}
