//! When several candidates see a lock become free, they do not all reach for it in the same moment.

use std::pin::pin;
use std::time::Duration;

use futures_util::future::{Either, select};
use tenure_core::Version;

use super::hints::{Hints, Told};
use super::record::Lease;
use super::store::Store;
use crate::locked::locked;

/// How often it is looked whether there is a holder to be asked about.
const LOOK_EVERY: Duration = Duration::from_secs(2);

/// The next thing told, a free lock a little later when rivals are known; nothing when it is time to ask about the holder.
pub(crate) async fn next(hints: &Hints, store: &Store) -> Option<Told> {
    let told = if store.cluster.own.is_some() {
        let pause = store.cluster.api.clock.sleep(pause(store));
        match select(pin!(hints.next()), pause).await {
            Either::Left((told, _)) => told,
            Either::Right(_) => return None,
        }
    } else {
        hints.next().await
    };
    let Told::Seen(lease) = &told else {
        return Some(told);
    };
    let wait = delay(store, lease);
    if wait.is_zero() {
        return Some(told);
    }
    // Whoever was quicker shows in the meantime.
    match select(pin!(hints.next()), store.cluster.api.clock.sleep(wait)).await {
        Either::Left((newer @ (Told::Seen(_) | Told::Changed), _)) => Some(newer),
        Either::Left((other, _)) => {
            // Told after it, not instead of it.
            if let Told::Seen(lease) = told {
                hints.seen(*lease);
            }
            Some(other)
        }
        Either::Right(_) => Some(told),
    }
}

/// For how long nobody has to ask about the holder, when nothing is told meanwhile.
fn pause(store: &Store) -> Duration {
    let known = locked(&store.known);
    let now = store.cluster.api.clock.now();
    known
        .newest()
        .map_or(LOOK_EVERY, |lease| known.pause(now, &lease))
}

/// A part of one measured round trip, different for each candidate and each time; nothing where no rival is known.
fn delay(store: &Store, lease: &Lease) -> Duration {
    if lease.holder().is_some() {
        return Duration::ZERO;
    }
    let known = locked(&store.known);
    if !known.has_rivals(store.cluster.api.clock.now()) {
        return Duration::ZERO;
    }
    let part = spread(&store.cluster.settings.pod_name, lease.version()) >> 48;
    known
        .trip
        .mul_f64(f64::from(u16::try_from(part).unwrap_or(0)) / 65_536.0)
}

/// The 64-bit FNV-1a hash (RFC 9923) of a candidate's pod and a version.
fn spread(pod: &str, version: Version) -> u64 {
    let bytes = pod.bytes().chain(version.0.to_le_bytes());
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}
