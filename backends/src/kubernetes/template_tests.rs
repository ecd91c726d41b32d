use std::time::Duration;

use serde_json::{Value, json};
use tenure_core::backend::{Hold, Note, Renewal};
use tenure_core::{
    CandidateId, CandidateName, FencingToken, Incarnation, Nonce, Version, WallTime,
};

use super::echo::Expected;
use super::record::{Draft, Kept, Lease};
use super::template::Template;

fn candidate() -> CandidateId {
    CandidateId {
        name: CandidateName::new("report \"0\"").unwrap(),
        incarnation: Incarnation::from_bits(7),
    }
}

/// A Lease that the candidate holds, with what others have written.
fn lease(foreign: &Value) -> Lease {
    let object = json!({
        "metadata": {
            "name": "nightly",
            "uid": "3f1c9f60-5f0d-4d8e-9a51-0c7f4ad1b2c3",
            "resourceVersion": "98",
            "annotations": { "theirs": "\"renewTime\":\"never\"", "tenure/request": "pause 41" },
        },
        "spec": { "holderIdentity": candidate().to_string(), "theirs": foreign },
    });
    Lease::parse(object).unwrap()
}

fn renewal(lease: &Lease, number: u64) -> Renewal {
    Renewal {
        candidate: candidate(),
        hold: Hold {
            identity: lease.identity(),
            token: FencingToken::new(41).unwrap(),
            version: lease.version(),
        },
        lease_duration: Duration::from_secs(15),
        nonce: Nonce(1_796_009_600_120_000 + number),
        note: None,
        wall: WallTime::from_unix_seconds(1),
    }
}

/// The Lease after a renewal that was written by editing the one before, and how it is kept.
fn renewed(lease: Lease, renewal: &Renewal) -> (Lease, Kept) {
    let mut draft = Draft::of(lease);
    draft.renew(renewal).unwrap();
    let mut answer: Value = serde_json::from_slice(&draft.to_bytes()).unwrap();
    answer["metadata"]["resourceVersion"] = json!("99");
    let lease = draft.written(answer.to_string().as_bytes()).unwrap();
    let mut kept = Kept::of(&lease);
    kept.template = Template::of(&lease, kept.text(), renewal).map(Box::new);
    (lease, kept)
}

fn next(kept: &Kept, renewal: &Renewal) -> Option<(bytes::Bytes, Template)> {
    kept.template.as_ref()?.next(kept.text(), renewal)
}

#[test]
fn the_next_renewal_is_the_text_that_an_edit_would_be() {
    let first = lease(&json!({ "spec": "renewTime" }));
    let (mut lease, mut kept) = renewed(first.clone(), &renewal(&first, 1));
    // The version gets another digit on the way.
    for (number, version) in [(2, 100), (3, 101), (4, 12_345)] {
        let renewal = renewal(&lease, number);
        let (text, template) = next(&kept, &renewal).expect("nothing else is to be another");
        let mut draft = Draft::of(lease);
        draft.renew(&renewal).unwrap();
        assert_eq!(text, draft.to_bytes());
        let mut answer: Value = serde_json::from_slice(&text).unwrap();
        answer["metadata"]["resourceVersion"] = json!(version.to_string());
        let answer = answer.to_string();
        let expected = template.expected(&text).version(answer.as_bytes());
        assert_eq!(expected, Some(Version(version)));
        kept = Kept::renewed(text, template, Version(version));
        lease = kept.open();
        assert_eq!(lease, draft.written(answer.as_bytes()).unwrap());
    }
}

#[test]
fn a_renewal_that_changes_more_is_no_repetition() {
    let first = lease(&json!(null));
    let (lease, kept) = renewed(first.clone(), &renewal(&first, 1));
    let again = renewal(&lease, 2);
    assert!(next(&kept, &again).is_some());
    let note = Note::new(b"a note").unwrap();
    let mut others = [(); 5].map(|()| again.clone());
    others[0].note = Some(note);
    others[1].lease_duration = Duration::from_secs(16);
    others[2].candidate.incarnation = Incarnation::from_bits(8);
    others[3].hold.token = FencingToken::new(42).unwrap();
    others[4].nonce = Nonce(u64::MAX);
    for other in others {
        assert!(next(&kept, &other).is_none(), "{other:?}");
    }
}

#[test]
fn what_others_have_written_like_a_version_or_a_time_is_not_mistaken() {
    for foreign in [
        json!({ "renewTime": "never" }),
        json!({ "resourceVersion": "1" }),
        json!({ "x\"renewTime": "never" }),
    ] {
        let first = lease(&foreign);
        let (_, kept) = renewed(first.clone(), &renewal(&first, 1));
        assert!(kept.template.is_none(), "{foreign}");
    }
}

#[test]
fn an_answer_that_says_something_else_is_looked_at() {
    let first = lease(&json!(null));
    let (lease, kept) = renewed(first.clone(), &renewal(&first, 1));
    let (text, template) = next(&kept, &renewal(&lease, 2)).unwrap();
    let sent: Value = serde_json::from_slice(&text).unwrap();
    for (pointer, other) in [
        ("/metadata/uid", json!("another")),
        ("/metadata/resourceVersion", json!("0")),
        ("/spec/holderIdentity", json!("somebody")),
        ("/spec/renewTime", Value::Null),
    ] {
        let mut answer = sent.clone();
        *answer.pointer_mut(pointer).unwrap() = other;
        let version = template
            .expected(&text)
            .version(answer.to_string().as_bytes());
        assert_eq!(version, None, "{pointer}");
    }
}

/// An answer as the API server writes it: with its own book-keeping, the version before the spec.
fn answer(text: &[u8]) -> Value {
    let mut answer: Value = serde_json::from_slice(text).unwrap();
    answer["metadata"]["resourceVersion"] = json!("100");
    answer["metadata"]["managedFields"] = json!([{
        "manager": "tenure", "operation": "Update",
        "fieldsV1": { "f:metadata": { "f:annotations": { ".": {} } }, "f:spec": { "f:renewTime": {}, "f:holderIdentity": {} } },
    }]);
    answer
}

#[test]
fn an_answer_is_understood_at_sight_where_nothing_in_it_is_ambiguous() {
    let first = lease(&json!(null));
    let (lease, kept) = renewed(first.clone(), &renewal(&first, 1));
    let (text, template) = next(&kept, &renewal(&lease, 2)).unwrap();
    let quoted = template.expected(&text);
    let mut plain = answer(&text);
    // What is escaped in JSON is read.
    assert_eq!(quoted.at_sight(plain.to_string().as_bytes()), None);
    let expected = Expected {
        holder: Some("report-0_00000000000000000000000000000007"),
        ..quoted
    };
    plain["spec"]["holderIdentity"] = json!(expected.holder);
    let seen = expected.at_sight(plain.to_string().as_bytes());
    assert_eq!(seen, Some(Version(100)));
    let renewed = plain["spec"]["renewTime"].clone();
    for (pointer, key, value) in [
        (
            "/metadata",
            "ownerReferences",
            json!([{ "uid": "another" }]),
        ),
        ("/metadata/annotations", "renewTime", renewed.clone()),
        (
            "/metadata/annotations",
            "spec",
            json!({ "renewTime": renewed }),
        ),
        ("/metadata/annotations", "resourceVersion", json!("7")),
    ] {
        let mut other = plain.clone();
        let map = other.pointer_mut(pointer).unwrap();
        map.as_object_mut().unwrap().insert(key.to_owned(), value);
        let other = other.to_string();
        assert_eq!(expected.at_sight(other.as_bytes()), None, "{other}");
        assert_eq!(expected.version(other.as_bytes()), Some(Version(100)));
    }
}

#[test]
fn a_time_that_only_an_annotation_says_is_not_what_was_written() {
    let first = lease(&json!(null));
    let (lease, kept) = renewed(first.clone(), &renewal(&first, 1));
    let (text, template) = next(&kept, &renewal(&lease, 2)).unwrap();
    let mut other = answer(&text);
    let renewed = other["spec"]["renewTime"].take();
    other["metadata"]["annotations"]["renewTime"] = renewed;
    let version = template
        .expected(&text)
        .version(other.to_string().as_bytes());
    assert_eq!(version, None);
}
