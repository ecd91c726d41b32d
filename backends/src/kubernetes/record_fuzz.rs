//! Random Leases against the decoder: it may not panic, what it cannot understand may never look free, and no answer is taken for
//! what was written that is not.
//!
//! `TENURE_FUZZ_INPUTS=10000000 cargo test --release -p tenure-backends --features kubernetes --lib record_fuzz` tries ten million.

use std::time::Duration;

use serde_json::{Map, Value, json};
use tenure_core::backend::{Basis, Claim, LockState};
use tenure_core::{CandidateId, CandidateName, ElectionName, Incarnation, Nonce, WallTime};

use super::record::{Draft, Lease};
use super::template::Template;
use super::template_tests::{answer, renewal, written};
use super::time::micro_time;

const INPUTS: u64 = 30_000;

/// The generator splitmix64.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.next() % u64::try_from(bound).unwrap()).unwrap()
    }

    fn one_of<'a>(&mut self, all: &'a [&'a str]) -> &'a str {
        all[self.below(all.len())]
    }
}

const KEYS: [&str; 22] = [
    "holderIdentity",
    "renewTime",
    "acquireTime",
    "leaseDurationSeconds",
    "leaseTransitions",
    "metadata",
    "spec",
    "annotations",
    "labels",
    "uid",
    "resourceVersion",
    "managedFields",
    "provider",
    "tenure/election",
    "tenure/note",
    "tenure/note-base64",
    "tenure/released",
    "tenure/request",
    "tenure/token",
    "tenure/token-holder",
    "tenure/container",
    "later",
];
const TEXTS: [&str; 24] = [
    "",
    " ",
    "-",
    "0",
    "1",
    "41",
    "-1",
    "9223372036854775807",
    "18446744073709551615",
    "pause 41",
    "pause -",
    "resign x",
    "2026-11-28T10:00:00.000000Z",
    "2026-11-28T10:00:00Z",
    "0000-00-00T00:00:00Z",
    "+999999-01-01T00:00:00Z",
    "report-0_00000000000000000000000000000007",
    "00000000000000000000000000000007",
    "_",
    "camel",
    "nightly",
    "é\0\u{10ffff}",
    "00000000000000000000000000000007 3f1c9f605f0d4d8e9a510c7f4ad1b2c3 1796000000000000",
    "////",
];

fn text(random: &mut Random) -> String {
    let mut text = random.one_of(&TEXTS).to_owned();
    match random.below(8) {
        0 => text.push_str(random.one_of(&TEXTS)),
        1 => {
            text.pop();
        }
        2 => text = text.repeat(random.below(5)),
        _ => {}
    }
    text
}

fn value(random: &mut Random, depth: usize) -> Value {
    match random.below(if depth == 0 { 6 } else { 8 }) {
        0 => Value::Null,
        1 => json!(random.next().is_multiple_of(2)),
        2 => json!(random.next()),
        3 => json!(i64::from_ne_bytes(random.next().to_ne_bytes())),
        4 => json!(f64::from_bits(random.next())),
        5 => json!(text(random)),
        6 => (0..random.below(4))
            .map(|_| value(random, depth - 1))
            .collect(),
        _ => Value::Object(map(random, depth - 1)),
    }
}

fn map(random: &mut Random, depth: usize) -> Map<String, Value> {
    (0..random.below(6))
        .map(|_| (random.one_of(&KEYS).to_owned(), value(random, depth)))
        .collect()
}

/// A Lease as ours are, with some of it made something else.
fn lease(random: &mut Random) -> Value {
    let mut lease = json!({
        "metadata": {
            "name": "nightly", "uid": "3f1c9f60-5f0d-4d8e-9a51-0c7f4ad1b2c3", "resourceVersion": "41",
            "labels": { "tenure/lock": "true" },
            "annotations": { "tenure/election": "nightly", "tenure/token": "40" },
        },
        "spec": { "holderIdentity": text(random), "renewTime": "2026-11-28T10:00:00.000000Z", "leaseDurationSeconds": 15 },
    });
    for _ in 0..random.below(5) {
        change(random, &mut lease);
    }
    lease
}

/// Makes something of it something else.
fn change(random: &mut Random, lease: &mut Value) {
    let place = random.one_of(&[
        "",
        "/metadata",
        "/spec",
        "/metadata/annotations",
        "/metadata/labels",
    ]);
    let key = random.one_of(&KEYS).to_owned();
    let replacement = value(random, 3);
    if let Some(Value::Object(map)) = lease.pointer_mut(place) {
        map.insert(key, replacement);
    }
}

fn claim() -> Claim {
    Claim {
        basis: Basis::Missing,
        candidate: CandidateId {
            name: CandidateName::new("report-1").unwrap(),
            incarnation: Incarnation::from_bits(8),
        },
        lease_duration: Duration::from_secs(15),
        nonce: Nonce(5),
        wall: WallTime::from_unix_seconds(1),
    }
}

/// Reads one input, and takes it over.
fn read(object: Value, election: &ElectionName, claim: &Claim) {
    let holder = object.pointer("/spec/holderIdentity").cloned();
    let Ok(lease) = Lease::parse(object.clone()) else {
        return;
    };
    let seen = lease.observation();
    let named = !matches!(&holder, None | Some(Value::Null)) && holder != Some(json!(""));
    if named {
        assert!(
            matches!(seen.lock, LockState::Held(_)),
            "{object} names somebody: {seen:?}"
        );
    }
    if let LockState::Vacant { mark: Some(_), .. } = seen.lock {
        let released = object.pointer("/metadata/annotations/tenure~1released");
        assert!(
            released.is_some_and(Value::is_string),
            "{object} has no mark: {seen:?}"
        );
    }
    lease.stranger(election);
    let mut draft = Draft::of(lease);
    draft.claim(election, claim).unwrap();
    let taken: Value = serde_json::from_slice(&draft.to_bytes()).unwrap();
    let taken = Lease::parse(taken).unwrap();
    let LockState::Held(held) = taken.observation().lock else {
        panic!("{object} was claimed")
    };
    assert!(
        held.holder.is(&claim.candidate) && held.nonce == claim.nonce,
        "{object}: {held:?}"
    );
    assert_eq!(taken.stranger(election), None, "{object}");
}

fn inputs() -> u64 {
    let inputs = std::env::var("TENURE_FUZZ_INPUTS").ok();
    inputs.map_or(INPUTS, |inputs| inputs.parse().unwrap())
}

/// An object without its version, the server's book-keeping and what would stand behind that, where nothing of the record is.
fn bare(mut object: Value) -> Value {
    if let Value::Object(object) = &mut object {
        object.retain(|key, _| ["metadata", "spec"].contains(&key.as_str()));
    }
    if let Some(Value::Object(metadata)) = object.get_mut("metadata") {
        metadata.retain(|key, _| ["name", "uid", "labels", "annotations"].contains(&key.as_str()));
    }
    object
}

#[test]
fn an_answer_is_taken_for_what_was_written_only_if_it_is_that() {
    let mut random = Random(2);
    let [mut same, mut other] = [0; 2];
    for _ in 0..inputs() {
        let Ok(lease) = Lease::parse(lease(&mut random)) else {
            continue;
        };
        let mut draft = Draft::of(lease.clone());
        if draft.renew(&renewal(&lease, 1)).is_err() {
            continue;
        }
        let sent = draft.to_bytes();
        let first = written(&answer(&sent, 42));
        let lease = Lease::answered(first.as_bytes()).unwrap();
        let template = Template::of(&lease, first.as_bytes(), &renewal(&lease, 1));
        // Where others have put something behind the server's own, it is edited each time.
        let Some((text, template)) = template else {
            continue;
        };
        let next = template.next(&text, &renewal(&lease, 2));
        let (text, template) = next.unwrap_or_else(|| panic!("{first} has no next"));
        let mut expected: Value = serde_json::from_str(&first).unwrap();
        expected["spec"]["renewTime"] = json!(micro_time(renewal(&lease, 2).nonce.0));
        let sent: Value = serde_json::from_slice(&text).unwrap();
        assert_eq!(bare(sent.clone()), bare(expected));
        let mut reply = answer(&text, 43);
        if random.below(2) == 0 {
            change(&mut random, &mut reply);
        }
        let is_same = bare(reply.clone()) == bare(sent);
        let version = template.version(&text, written(&reply).as_bytes());
        if is_same {
            same += u64::from(version.is_some());
        } else {
            assert_eq!(version, None, "{reply}");
            other += 1;
        }
    }
    assert!(
        same > inputs() / 8 && other > inputs() / 8,
        "{same} were the same, {other} were not: there is little of what was to be tried"
    );
}

#[test]
fn no_record_makes_the_decoder_panic_or_looks_free_when_it_is_not() {
    let election = ElectionName::new("nightly").unwrap();
    let claim = claim();
    let mut random = Random(1);
    for _ in 0..inputs() {
        read(lease(&mut random), &election, &claim);
    }
}
