use tenure_core::backend::{
    Acquired, Holder, LockState, Observation, Released, RenewalReceipt, Renewed,
};
use tenure_core::machine::{Labels, Outcome};
use tenure_core::{FencingToken, Identity, Nanos, Nonce, Reading, Version};

use super::rules::Rules;
use super::store::{self, Newest};
use super::world::{Call, Deed, Life, Lock, Node, World, Write};

/// How far above the nonces of one candidate those of the next begin.
const NONCES: u64 = 1000;

/// What all candidates call now. Later than any span that matters.
pub(super) const NOW: Reading = Reading::both(Nanos::from_millis(1_000_000));
/// What the newest version is called.
pub(super) const VERSION: u64 = 100;
/// What the newest token is called.
pub(super) const TOKEN: u64 = 100;

/// Above which number a candidate's next nonce is: higher than any name of a nonce, and another range for each.
fn last_nonce(node: usize) -> Nonce {
    Nonce(NONCES * (node as u64 + 1))
}

/// Names in the order in which they are met, so that worlds that differ in names alone are equal.
struct Names<'a> {
    identities: Vec<u128>,
    lives: Vec<u8>,
    newest: Newest,
    nonces: Vec<Nonce>,
    /// Whose present life began in this step: what bears its name is of its former life.
    reborn: Option<u8>,
    rules: &'a Rules,
    /// Numbers of writes that a read may show now or later.
    shown: Vec<Nonce>,
    /// What one candidate knows, when an answer of the past is on its way to it.
    past: Option<Past>,
}

/// Versions and tokens that one candidate knows of, oldest first.
#[derive(Clone, Default)]
struct Past {
    /// The version that the answer shows.
    shows: Option<Version>,
    tokens: Vec<u64>,
    versions: Vec<u64>,
}

fn met<T: PartialEq>(known: &mut Vec<T>, name: T) -> usize {
    known
        .iter()
        .position(|other| *other == name)
        .unwrap_or_else(|| {
            known.push(name);
            known.len() - 1
        })
}

/// Where it stands from the newest one.
fn age(known: &[u64], newest: u64, number: u64) -> u64 {
    match known.iter().rev().position(|other| *other == number) {
        // The newest itself need not be known.
        Some(age) if known.last() == Some(&newest) => age as u64,
        Some(age) => age as u64 + 1,
        None => u64::from(number != newest),
    }
}

impl Names<'_> {
    fn life(&mut self, life: Life) -> Life {
        let candidates = self.rules.configuration.candidates;
        if life.0 < candidates && self.reborn != Some(life.0) {
            return life;
        }
        let index = met(&mut self.lives, life.0);
        Life(candidates + u8::try_from(index).expect("few lives are remembered"))
    }

    fn write(&mut self, write: &mut Write) {
        write.life = self.life(write.life);
        match &mut write.deed {
            Deed::Acquire(nonce) | Deed::Renew(nonce) => *nonce = self.nonce(*nonce),
            Deed::Release => {}
        }
    }
}

impl Labels for Names<'_> {
    fn holder(&mut self, holder: &Holder) -> Holder {
        let life = self.life(self.rules.life(holder));
        self.rules.holder(life)
    }

    fn identity(&mut self, identity: Identity) -> Identity {
        Identity(met(&mut self.identities, identity.0) as u128)
    }

    fn nonce(&mut self, nonce: Nonce) -> Nonce {
        // No write has the number 0, but a mistake may take all writes to have it.
        if nonce == Nonce(0) {
            return nonce;
        }
        Nonce(met(&mut self.nonces, nonce) as u64 + 1)
    }

    fn token(&mut self, token: FencingToken) -> FencingToken {
        let known = self.past.as_ref().map_or(&[][..], |past| &past.tokens);
        let age = age(known, self.newest.token, token.value());
        FencingToken::new(TOKEN - age).expect("labels of tokens are small")
    }

    fn version(&mut self, version: Version) -> Version {
        let known = self.past.as_ref().map_or(&[][..], |past| &past.versions);
        Version(VERSION - age(known, self.newest.version, version.0))
    }

    fn may_show(&self, nonce: Nonce) -> bool {
        // What a sound machine may forget is what a mistake may be about.
        self.rules.bug.is_some() || self.shown.contains(&nonce)
    }

    fn may_show_before(&self, version: Version) -> bool {
        let past = self.past.as_ref();
        past.is_some_and(|past| past.may_show_before(version))
    }
}

/// Gathers the versions and tokens that one candidate knows of.
impl Labels for Past {
    fn holder(&mut self, holder: &Holder) -> Holder {
        holder.clone()
    }

    fn identity(&mut self, identity: Identity) -> Identity {
        identity
    }

    fn nonce(&mut self, nonce: Nonce) -> Nonce {
        nonce
    }

    fn token(&mut self, token: FencingToken) -> FencingToken {
        self.tokens.push(token.value());
        token
    }

    fn version(&mut self, version: Version) -> Version {
        self.versions.push(version.0);
        version
    }

    fn may_show(&self, _: Nonce) -> bool {
        true
    }

    fn may_show_before(&self, version: Version) -> bool {
        self.shows.is_some_and(|shows| shows < version)
    }
}

impl Past {
    fn of(node: &Node, outcome: &Outcome) -> Self {
        let mut past = Self {
            shows: observation(outcome).and_then(|seen| seen.version),
            ..Self::default()
        };
        node.machine
            .clone()
            .normalise(node.now, NOW, Nonce(0), &mut past);
        rename(&mut outcome.clone(), &mut past);
        for known in [&mut past.tokens, &mut past.versions] {
            known.sort_unstable();
            known.dedup();
        }
        past
    }
}

fn rename_observation(observation: &mut Observation, labels: &mut dyn Labels) {
    observation.token = observation.token.map(|token| labels.token(token));
    observation.version = observation.version.map(|version| labels.version(version));
    match &mut observation.lock {
        LockState::Held(held) => {
            held.holder = labels.holder(&held.holder);
            held.identity = labels.identity(held.identity);
            held.nonce = labels.nonce(held.nonce);
        }
        LockState::Vacant { identity, mark } => {
            *identity = labels.identity(*identity);
            if let Some(mark) = mark {
                mark.identity = *identity;
            }
        }
        LockState::Missing | LockState::NeverHeld => {}
    }
}

fn rename(outcome: &mut Outcome, labels: &mut dyn Labels) {
    match outcome {
        Outcome::Observed(seen)
        | Outcome::Acquired(Acquired::Busy(Some(seen)))
        | Outcome::Renewed(Renewed::Conflict(Some(seen)))
        | Outcome::Released(Released::Conflict(Some(seen))) => rename_observation(seen, labels),
        Outcome::Acquired(Acquired::Granted(grant)) => {
            grant.hold.identity = labels.identity(grant.hold.identity);
            grant.hold.token = labels.token(grant.hold.token);
            grant.hold.version = labels.version(grant.hold.version);
        }
        Outcome::Renewed(Renewed::Confirmed(RenewalReceipt { version, .. })) => {
            *version = labels.version(*version);
        }
        _ => {}
    }
}

fn observation(outcome: &Outcome) -> Option<&Observation> {
    match outcome {
        Outcome::Observed(seen)
        | Outcome::Acquired(Acquired::Busy(Some(seen)))
        | Outcome::Renewed(Renewed::Conflict(Some(seen)))
        | Outcome::Released(Released::Conflict(Some(seen))) => Some(seen),
        _ => None,
    }
}

fn seen(outcome: &Outcome) -> Option<Nonce> {
    match &observation(outcome)?.lock {
        LockState::Held(held) => Some(held.nonce),
        _ => None,
    }
}

/// Which writes a read may show now or later, or an answer that is on its way.
fn shown(rules: &Rules, world: &World) -> Vec<Nonce> {
    let mut shown = Vec::new();
    if let Some(lock) = world.record.map(|record| record.lock) {
        match lock {
            Lock::Held { nonce, .. } => shown.push(nonce),
            Lock::Emptied | Lock::Released => {}
        }
    }
    for node in &world.nodes {
        let call = match &node.call {
            Some(Call::Write(write)) => Some(write),
            _ => None,
        };
        let writes = node.delayed.iter().chain(call);
        let may = writes.filter(|write| store::may_fit(rules, world, write));
        shown.extend(may.filter_map(|write| write.deed.nonce()));
        if let Some(Call::Answered(outcome)) = &node.call {
            shown.extend(seen(outcome));
        }
    }
    shown
}

/// Brings the world into normal form.
pub(super) fn normalise(rules: &Rules, world: &mut World, newest: Newest, reborn: Option<u8>) {
    let mut names = Names {
        identities: Vec::new(),
        lives: Vec::new(),
        newest,
        nonces: Vec::new(),
        reborn,
        rules,
        shown: shown(rules, world),
        past: None,
    };
    if let Some(record) = &mut world.record {
        record.identity = names.identity(Identity(record.identity)).0;
        if let Lock::Held { life, nonce } = &mut record.lock {
            *life = names.life(*life);
            *nonce = names.nonce(*nonce);
        }
    }
    for (index, node) in world.nodes.iter_mut().enumerate() {
        names.past = match &node.call {
            Some(Call::Answered(outcome)) => Some(Past::of(node, outcome)),
            _ => None,
        };
        node.machine
            .normalise(node.now, NOW, last_nonce(index), &mut names);
        node.now = NOW;
        match &mut node.call {
            Some(Call::Write(write)) => names.write(write),
            Some(Call::Answered(outcome)) => rename(outcome, &mut names),
            _ => {}
        }
        for write in &mut node.delayed {
            names.write(write);
        }
    }
}
