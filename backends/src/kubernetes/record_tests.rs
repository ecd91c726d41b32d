use std::time::Duration;

use serde_json::{Value, json};
use tenure_core::backend::{
    Basis, Claim, Hold, LockState, Note, OperatorRequest, Renewal, RequestKind,
};
use tenure_core::{
    CandidateId, CandidateName, ElectionName, FencingToken, Identity, Incarnation, Nonce, Version,
    WallTime,
};

use super::record::{Draft, Lease, Stranger};

const UID: &str = "3f1c9f60-5f0d-4d8e-9a51-0c7f4ad1b2c3";

fn election() -> ElectionName {
    ElectionName::new("nightly").unwrap()
}

fn candidate(bits: u128) -> CandidateId {
    CandidateId {
        name: CandidateName::new("report-0").unwrap(),
        incarnation: Incarnation::from_bits(bits),
    }
}

fn claim(bits: u128, nonce: u64) -> Claim {
    Claim {
        basis: Basis::Missing,
        candidate: candidate(bits),
        lease_duration: Duration::from_millis(14_001),
        nonce: Nonce(nonce),
        wall: WallTime::from_unix_seconds(1_800_000_000),
    }
}

/// What the API server makes of a draft.
fn stored(draft: &Draft, version: u64) -> Lease {
    let mut object: Value = serde_json::from_slice(&draft.to_bytes()).unwrap();
    object["metadata"]["uid"] = json!(UID);
    object["metadata"]["resourceVersion"] = json!(version.to_string());
    Lease::parse(object).unwrap()
}

fn fresh() -> Draft {
    Draft::new("nightly", "jobs")
}

fn claimed(bits: u128, nonce: u64, version: u64) -> Lease {
    let mut draft = fresh();
    draft.claim(&election(), &claim(bits, nonce)).unwrap();
    stored(&draft, version)
}

fn hold(lease: &Lease, token: u64) -> Hold {
    Hold {
        identity: lease.identity(),
        token: FencingToken::new(token).unwrap(),
        version: lease.version(),
    }
}

fn renewed(lease: &Lease, bits: u128, token: u64, note: Option<&[u8]>) -> Draft {
    let mut draft = Draft::of(lease.clone());
    let renewal = Renewal {
        candidate: candidate(bits),
        hold: hold(lease, token),
        lease_duration: Duration::from_secs(15),
        nonce: Nonce(2_000_000),
        note: note.map(|bytes| Note::new(bytes).unwrap()),
        wall: WallTime::from_unix_seconds(1_800_000_005),
    };
    draft.renew(&renewal).unwrap();
    draft
}

fn released(lease: &Lease, bits: u128) -> Draft {
    let mut draft = Draft::of(lease.clone());
    let by = Incarnation::from_bits(bits);
    draft.release(by, lease.identity(), 3_000_000).unwrap();
    draft
}

fn mark_of(lease: &Lease) -> Option<Incarnation> {
    match lease.observation().lock {
        LockState::Vacant { mark, identity } => mark
            .filter(|mark| mark.identity == identity)
            .map(|mark| mark.by),
        _ => None,
    }
}

/// The Lease after somebody has changed it.
fn edited(lease: &Lease, edit: impl FnOnce(&mut Value)) -> Lease {
    let mut object: Value = serde_json::from_slice(&Draft::of(lease.clone()).to_bytes()).unwrap();
    edit(&mut object);
    Lease::parse(object).unwrap()
}

#[test]
fn a_claim_names_its_holder_and_rounds_its_duration_up() {
    let lease = claimed(7, 1_000_001, 41);
    let seen = lease.observation();
    let LockState::Held(held) = seen.lock else {
        panic!("{seen:?}")
    };
    assert!(held.holder.is(&candidate(7)));
    assert_eq!(held.duration, Some(Duration::from_secs(15)));
    assert_eq!(held.nonce, Nonce(1_000_001));
    assert_eq!(seen.version, Some(Version(41)));
    assert_eq!(seen.token, None, "only the answer tells it");
    assert_eq!(lease.stranger(&election()), None);
}

#[test]
fn a_token_is_told_by_its_own_holder_only() {
    let first = stored(&renewed(&claimed(7, 1, 41), 7, 41, None), 42);
    assert_eq!(first.token(), FencingToken::new(41));
    let mut draft = Draft::of(first.clone());
    draft.claim(&election(), &claim(8, 9)).unwrap();
    let second = stored(&draft, 43);
    assert_eq!(second.token(), None, "41 was another's");
    assert_eq!(second.written_token(), FencingToken::new(41));
    // Nor is it that of the same candidate's next leadership.
    let mut draft = Draft::of(first);
    draft.claim(&election(), &claim(7, 9)).unwrap();
    let again = stored(&draft, 43);
    assert_eq!(
        (again.token(), again.written_token()),
        (None, FencingToken::new(41))
    );
}

#[test]
fn a_mark_vouches_for_its_own_write_on_its_own_object_only() {
    let lease = stored(&released(&claimed(7, 1, 41), 7), 42);
    assert_eq!(mark_of(&lease), Some(Incarnation::from_bits(7)));
    // A candidate of client-go leads and gives back: it keeps the annotation, and writes a time of its own.
    let after_another = edited(&lease, |object| {
        object["spec"]["renewTime"] = json!("2026-01-01T00:00:00.000000Z");
    });
    assert_eq!(mark_of(&after_another), None);
    let copied = edited(&lease, |object| {
        object["metadata"]["uid"] = json!("00000000-0000-0000-0000-000000000001");
    });
    assert_eq!(mark_of(&copied), None);
    let never_held = stored(&fresh(), 42);
    assert_eq!(mark_of(&never_held), None);
    // Taken over, then emptied by hand.
    let mut draft = Draft::of(lease);
    draft.claim(&election(), &claim(8, 9)).unwrap();
    let emptied = edited(&stored(&draft, 43), |object| {
        object["spec"]["holderIdentity"] = Value::Null;
    });
    assert_eq!(mark_of(&emptied), None);
}

#[test]
fn what_is_not_ours_is_carried_along() {
    let lease = edited(&claimed(7, 1, 41), |object| {
        object["metadata"]["labels"]["team"] = json!("billing");
        object["metadata"]["annotations"]["example.com/x"] = json!("y");
        object["metadata"]["managedFields"] = json!([{ "manager": "kubectl" }]);
        object["spec"]["preferredHolder"] = json!("somebody");
        object["spec"]["strategy"] = json!({ "of": ["the", "future"] });
        object["later"] = json!(1.5);
    });
    for draft in [renewed(&lease, 7, 41, None), released(&lease, 7)] {
        let object: Value = serde_json::from_slice(&draft.to_bytes()).unwrap();
        for (path, value) in [
            ("/metadata/labels/team", json!("billing")),
            ("/metadata/annotations/example.com~1x", json!("y")),
            ("/spec/preferredHolder", json!("somebody")),
            ("/spec/strategy", json!({ "of": ["the", "future"] })),
            ("/later", json!(1.5)),
            ("/metadata/resourceVersion", json!("41")),
            ("/metadata/uid", json!(UID)),
        ] {
            assert_eq!(object.pointer(path), Some(&value), "{path}");
        }
        // Left out, the server keeps them; sent, they would be ours.
        assert_eq!(object.pointer("/metadata/managedFields"), None);
    }
}

#[test]
fn a_note_of_any_bytes_reads_back() {
    let lease = claimed(7, 1, 41);
    for bytes in [
        &b"plain text\n"[..],
        "käse".as_bytes(),
        b"\0\x01",
        b"\xff\xfe",
        b"",
    ] {
        let with_note = stored(&renewed(&lease, 7, 41, Some(bytes)), 42);
        let read = with_note.observation().note.unwrap();
        assert_eq!(read.as_bytes(), bytes);
        // The next one replaces it, whichever form that has.
        let next = stored(&renewed(&with_note, 7, 41, Some(b"\0next")), 43);
        assert_eq!(next.observation().note.unwrap().as_bytes(), b"\0next");
    }
}

#[test]
fn a_request_reads_back_until_it_is_taken_out() {
    for kind in [RequestKind::Pause, RequestKind::Resign] {
        for token in [None, FencingToken::new(41)] {
            let request = OperatorRequest { kind, token };
            let mut draft = fresh();
            draft.request(&request, WallTime::from_unix_seconds(1));
            let lease = stored(&draft, 1);
            assert_eq!(lease.observation().request, Some(request));
            let mut draft = Draft::of(lease.clone());
            let resume = OperatorRequest {
                kind: RequestKind::Resume,
                token,
            };
            draft.request(&resume, WallTime::from_unix_seconds(2));
            assert_eq!(stored(&draft, 2).observation().request, None);
        }
    }
}

#[test]
fn camels_lease_and_another_elections_are_strangers() {
    let camel = edited(&stored(&fresh(), 1), |object| {
        object["metadata"]["labels"] = json!({ "provider": "camel" });
        object["spec"] = json!({ "holderIdentity": "pod-1", "leaseDurationSeconds": 15 });
    });
    assert_eq!(camel.stranger(&election()), Some(Stranger::Camel));
    let other = ElectionName::new("Nightly").unwrap();
    let lease = claimed(7, 1, 41);
    let stranger = Stranger::Election("nightly".to_owned());
    assert_eq!(lease.stranger(&other), Some(stranger));
}

#[test]
fn what_a_foreign_record_does_not_say_is_waited_out() {
    for (spec, duration) in [
        (json!({ "holderIdentity": "x" }), None),
        (
            json!({ "holderIdentity": "x", "leaseDurationSeconds": 7 }),
            None,
        ),
        (json!({ "holderIdentity": 7 }), None),
        (json!("nonsense"), None),
        (
            json!({ "holderIdentity": "x", "leaseDurationSeconds": 7, "renewTime": "2026-01-01T00:00:00Z" }),
            Some(7),
        ),
        (
            json!({ "holderIdentity": "x", "leaseDurationSeconds": -7, "renewTime": "2026-01-01T00:00:00Z" }),
            None,
        ),
        (
            json!({ "holderIdentity": "x", "leaseDurationSeconds": 7, "renewTime": "soon" }),
            None,
        ),
    ] {
        let lease = edited(&stored(&fresh(), 41), |object| {
            object["spec"] = spec.clone()
        });
        let LockState::Held(held) = lease.observation().lock else {
            panic!("{spec} is held by somebody")
        };
        assert_eq!(held.duration, duration.map(Duration::from_secs), "{spec}");
        if lease.renew_micros().is_none() {
            assert_eq!(held.nonce, Nonce(41), "each write makes it young: {spec}");
        }
    }
}

#[test]
fn an_object_that_cannot_be_compared_is_refused() {
    for (uid, version) in [("", "1"), (UID, ""), (UID, "0"), (UID, "abc"), (UID, "-1")] {
        let object = json!({ "metadata": { "uid": uid, "resourceVersion": version } });
        assert!(Lease::parse(object).is_err(), "{uid:?} {version:?}");
    }
    assert!(Lease::parse(json!([])).is_err());
    // A uid that is no UUID still tells objects apart.
    let lease = |uid| {
        let object = json!({ "metadata": { "uid": uid, "resourceVersion": "1" } });
        Lease::parse(object).unwrap().identity()
    };
    assert_ne!(lease("a"), lease("b"));
    assert_eq!(
        lease(UID),
        Identity(0x3f1c_9f60_5f0d_4d8e_9a51_0c7f_4ad1_b2c3)
    );
}

#[test]
fn transitions_count_and_never_overflow() {
    let count = |before: Value| {
        let lease = edited(&stored(&fresh(), 1), |object| {
            object["spec"]["leaseTransitions"] = before.clone();
        });
        let mut draft = Draft::of(lease);
        draft.claim(&election(), &claim(7, 1)).unwrap();
        let object: Value = serde_json::from_slice(&draft.to_bytes()).unwrap();
        object["spec"]["leaseTransitions"].clone()
    };
    assert_eq!(count(Value::Null), json!(0));
    assert_eq!(count(json!(4)), json!(5));
    assert_eq!(count(json!(i32::MAX)), json!(i32::MAX));
    assert_eq!(count(json!("many")), json!(0));
}

#[test]
fn a_time_or_duration_that_a_lease_cannot_say_is_refused() {
    let mut draft = fresh();
    assert!(draft.claim(&election(), &claim(7, u64::MAX)).is_err());
    let long = Claim {
        lease_duration: Duration::from_secs(1 << 40),
        ..claim(7, 1)
    };
    assert!(fresh().claim(&election(), &long).is_err());
}
