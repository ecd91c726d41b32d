use tenure_core::backend::{
    Acquired, Grant, Held, Hold, LockState, Observation, ReleaseMark, Released, Renewal,
    RenewalReceipt, Renewed, Vacancy,
};
use tenure_core::machine::{Operation, Outcome};
use tenure_core::{FencingToken, Identity, Incarnation, Version};

use super::action::Answer;
use super::names::{TOKEN, VERSION};
use super::rules::Rules;
use super::world::{Basis, Call, Deed, Life, Lock, Record, World, Write};
use crate::planted::Distortion;

/// Above which number the identities of objects are that have not been named anew.
const NEW_OBJECTS: u128 = 1_000_000;

/// A leased record during one step, which changes it at most once.
#[derive(Clone, Copy, Debug)]
pub(super) struct Newest {
    pub(super) token: u64,
    pub(super) version: u64,
}

impl Newest {
    pub(super) const BEFORE: Self = Self {
        token: TOKEN,
        version: VERSION,
    };

    /// The identity of an object that did not exist before.
    fn object(self) -> u128 {
        NEW_OBJECTS + u128::from(self.version)
    }

    fn token(self) -> FencingToken {
        FencingToken::new(self.token).expect("labels of tokens are small")
    }
}

/// What a machine wants to send, as far as the store looks at it.
pub(super) fn call(
    world: &World,
    newest: Newest,
    life: Life,
    operation: &Operation,
) -> Option<Call> {
    let renewed = |hold: &Hold| {
        if hold.version.0 == newest.version && world.record.is_some() {
            Basis::Newest
        } else {
            Basis::Outdated
        }
    };
    let write = match operation {
        Operation::Observe => return Some(Call::Read),
        Operation::Acquire(claim) => Write {
            basis: match claim.basis {
                tenure_core::backend::Basis::Missing => Basis::Missing,
                tenure_core::backend::Basis::At(version)
                    if version.0 == newest.version && world.record.is_some() =>
                {
                    Basis::Newest
                }
                tenure_core::backend::Basis::At(_) => Basis::Outdated,
            },
            deed: Deed::Acquire(claim.nonce),
            life,
        },
        Operation::Renew(Renewal { hold, nonce, .. }) => Write {
            basis: renewed(hold),
            deed: Deed::Renew(*nonce),
            life,
        },
        Operation::Release(release) => Write {
            basis: renewed(&release.hold),
            deed: Deed::Release,
            life,
        },
        _ => return None,
    };
    Some(Call::Write(write))
}

/// What a read shows.
pub(super) fn observe(rules: &Rules, world: &World, newest: Newest) -> Observation {
    let Some(record) = world.record else {
        return Observation::of(if rules.distorts(Distortion::VanishedIsNew) {
            LockState::NeverHeld
        } else {
            LockState::Missing
        });
    };
    let identity = Identity(record.identity);
    let lock = match record.lock {
        Lock::Held { life, nonce } => LockState::Held(Held {
            duration: Some(rules.lease),
            holder: rules.holder(life),
            identity,
            nonce,
        }),
        Lock::Emptied if !rules.distorts(Distortion::ForgedMark) => LockState::Vacant {
            identity,
            mark: None,
        },
        Lock::Emptied | Lock::Released => LockState::Vacant {
            identity,
            mark: Some(ReleaseMark {
                by: Incarnation::from_bits(0),
                identity,
            }),
        },
    };
    Observation {
        token: Some(newest.token()),
        version: Some(Version(newest.version)),
        ..Observation::of(lock)
    }
}

/// Whether a write would be done now.
pub(super) fn fits(world: &World, write: &Write) -> bool {
    match write.basis {
        Basis::Missing => world.record.is_none(),
        Basis::Newest => true,
        Basis::Outdated => false,
    }
}

/// Whether a write may be done at some time.
pub(super) fn may_fit(rules: &Rules, world: &World, write: &Write) -> bool {
    fits(world, write) || (rules.configuration.deletions && write.basis == Basis::Missing)
}

/// Forgets delayed writes that can never be done.
pub(super) fn forget_hopeless(rules: &Rules, world: &mut World) {
    for index in 0..world.nodes.len() {
        let mut delayed = std::mem::take(&mut world.nodes[index].delayed);
        delayed.retain(|write| may_fit(rules, world, write));
        world.nodes[index].delayed = delayed;
    }
}

/// Does the write if the record is what it was computed from, and answers.
pub(super) fn apply(
    rules: &Rules,
    world: &mut World,
    newest: &mut Newest,
    write: &Write,
) -> Outcome {
    if !fits(world, write) {
        let seen = Some(observe(rules, world, *newest));
        return match write.deed {
            Deed::Acquire(_) => Outcome::Acquired(Acquired::Busy(seen)),
            Deed::Renew(_) => Outcome::Renewed(Renewed::Conflict(seen)),
            Deed::Release => Outcome::Released(Released::Conflict(seen)),
        };
    }
    newest.version += 1;
    outdate(world);
    let identity = world
        .record
        .map_or_else(|| newest.object(), |record| record.identity);
    let held = |nonce| Lock::Held {
        life: write.life,
        nonce,
    };
    let version = Version(newest.version);
    let (lock, outcome) = match write.deed {
        Deed::Acquire(nonce) => {
            if !rules.distorts(Distortion::OneToken) {
                newest.token += 1;
                world.newest_led = false;
            }
            let grant = grant(identity, *newest);
            (held(nonce), Outcome::Acquired(Acquired::Granted(grant)))
        }
        Deed::Renew(nonce) => {
            let receipt = RenewalReceipt {
                request: None,
                standing: None,
                version,
            };
            (held(nonce), Outcome::Renewed(Renewed::Confirmed(receipt)))
        }
        Deed::Release => (Lock::Released, Outcome::Released(Released::Vacated)),
    };
    world.record = Some(Record { identity, lock });
    outcome
}

/// Somebody takes the record away.
pub(super) fn delete(world: &mut World, newest: &mut Newest) {
    newest.version += 1;
    outdate(world);
    world.record = None;
}

/// Somebody takes the holder out of the record.
pub(super) fn empty(world: &mut World, newest: &mut Newest) {
    newest.version += 1;
    outdate(world);
    if let Some(record) = &mut world.record {
        record.lock = Lock::Emptied;
    }
}

/// What the store is made to do instead of this write.
pub(super) fn distort(rules: &Rules, world: &World, write: Write) -> Write {
    let claims = matches!(write.deed, Deed::Acquire(_)) && rules.distorts(Distortion::BlindPut);
    let stomps =
        write.deed == Deed::Release && rules.distorts(Distortion::ReleaseStomp) && world.is_held();
    let basis = match world.record {
        _ if !claims && !stomps => write.basis,
        Some(_) => Basis::Newest,
        None => Basis::Missing,
    };
    Write { basis, ..write }
}

/// What the candidate is told instead of this answer.
pub(super) fn falsify(rules: &Rules, newest: Newest, answer: Answer, outcome: Outcome) -> Outcome {
    match outcome {
        Outcome::Renewed(Renewed::Conflict(_)) if rules.distorts(Distortion::TrustedRenewal) => {
            Outcome::Renewed(Renewed::Confirmed(RenewalReceipt {
                request: None,
                standing: None,
                version: Version(newest.version),
            }))
        }
        Outcome::Acquired(Acquired::Busy(_))
            if rules.distorts(Distortion::ClaimIsAssumed) && answer == Answer::Lost =>
        {
            let made_up = Newest {
                token: newest.token + 1,
                version: newest.version + 1,
            };
            Outcome::Acquired(Acquired::Granted(grant(made_up.object(), made_up)))
        }
        outcome => outcome,
    }
}

fn grant(identity: u128, newest: Newest) -> Grant {
    Grant {
        hold: Hold {
            identity: Identity(identity),
            token: newest.token(),
            version: Version(newest.version),
        },
        note: None,
        request: None,
        standing: None,
        vacancy: Vacancy::AsClaimed,
    }
}

/// What was computed from the record as it was can no longer be done.
fn outdate(world: &mut World) {
    let outdate = |write: &mut Write| {
        if write.basis == Basis::Newest {
            write.basis = Basis::Outdated;
        }
    };
    for node in &mut world.nodes {
        node.delayed.iter_mut().for_each(outdate);
        if let Some(Call::Write(write)) = &mut node.call {
            outdate(write);
        }
    }
}
