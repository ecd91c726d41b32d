use std::time::Duration;

use bytes::Bytes;
use serde_json::{Map, Value, json};
use tenure_core::backend::{Hold, Note, Renewal};
use tenure_core::{
    CandidateId, CandidateName, FencingToken, Incarnation, Nonce, Version, WallTime,
};

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
        "kind": "Lease",
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

pub(super) fn renewal(lease: &Lease, number: u64) -> Renewal {
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

/// An object as the API server writes it: first these fields, in this order.
pub(super) fn written(object: &Value) -> String {
    const ORDER: [&str; 13] = [
        "kind",
        "apiVersion",
        "metadata",
        "name",
        "uid",
        "resourceVersion",
        "labels",
        "annotations",
        "managedFields",
        "spec",
        "holderIdentity",
        "leaseDurationSeconds",
        "acquireTime",
    ];
    let Value::Object(map) = object else {
        return object.to_string();
    };
    let rank = |key: &str| ORDER.iter().position(|name| *name == key);
    let mut members: Vec<_> = map.iter().collect();
    members.sort_by_key(|(key, _)| rank(key).unwrap_or(ORDER.len()));
    let members = members
        .iter()
        .map(|(key, value)| format!("{}:{}", json!(key), written(value)));
    let members: Vec<_> = members.collect();
    format!("{{{}}}", members.join(","))
}

/// What the API server answers when `text` has become this version: with its own book-keeping.
pub(super) fn answer(text: &[u8], version: u64) -> Value {
    let mut answer: Value = serde_json::from_slice(text).unwrap();
    answer["metadata"]["resourceVersion"] = json!(version.to_string());
    answer["metadata"]["managedFields"] = json!([{
        "manager": "tenure", "operation": "Update",
        "fieldsV1": { "f:metadata": { "f:annotations": { ".": {} } }, "f:spec": { "f:renewTime": {}, "f:x\\\"": {} } },
    }]);
    answer
}

/// The Lease after a renewal that was written by editing the one before, and how the next one is written.
fn renewed(lease: Lease, renewal: &Renewal) -> (Lease, Option<(Bytes, Template)>) {
    let mut draft = Draft::of(lease);
    draft.renew(renewal).unwrap();
    let answer = written(&answer(&draft.to_bytes(), 99));
    let lease = draft.written(answer.as_bytes()).unwrap();
    let template = Template::of(&lease, answer.as_bytes(), renewal);
    (lease, template)
}

fn parsed(text: &[u8]) -> Value {
    serde_json::from_slice(text).unwrap()
}

#[test]
fn the_next_renewal_is_what_an_edit_would_be() {
    let first = lease(&json!({ "spec": "renewTime" }));
    let (mut lease, template) = renewed(first.clone(), &renewal(&first, 1));
    let (mut text, mut template) = template.unwrap();
    // The version gets another digit on the way.
    for (number, version) in [(2, 100), (3, 101), (4, 12_345)] {
        let renewal = renewal(&lease, number);
        (text, template) = template
            .next(&text, &renewal)
            .expect("nothing else is to be another");
        let mut draft = Draft::of(lease);
        draft.renew(&renewal).unwrap();
        assert_eq!(parsed(&text), parsed(&draft.to_bytes()));
        let answer = written(&answer(&text, version)) + "\n";
        assert_eq!(
            template.version(&text, answer.as_bytes()),
            Some(Version(version))
        );
        lease = Kept::renewed(text.clone(), template.clone(), Version(version)).open();
        assert_eq!(lease, draft.written(answer.as_bytes()).unwrap());
    }
}

#[test]
fn a_renewal_that_changes_more_is_no_repetition() {
    let first = lease(&json!(null));
    let (lease, template) = renewed(first.clone(), &renewal(&first, 1));
    let (text, template) = template.unwrap();
    let again = renewal(&lease, 2);
    assert!(template.next(&text, &again).is_some());
    let note = Note::new(b"a note").unwrap();
    let mut others = [(); 5].map(|()| again.clone());
    others[0].note = Some(note);
    others[1].lease_duration = Duration::from_secs(16);
    others[2].candidate.incarnation = Incarnation::from_bits(8);
    others[3].hold.token = FencingToken::new(42).unwrap();
    others[4].nonce = Nonce(u64::MAX);
    for other in others {
        assert!(template.next(&text, &other).is_none(), "{other:?}");
    }
}

#[test]
fn what_others_have_written_like_a_version_or_a_time_is_not_mistaken() {
    for foreign in [
        json!({ "renewTime": "never" }),
        json!({ "resourceVersion": "1" }),
        json!({ "x\"renewTime": "never" }),
        json!("},\"spec\":{\"renewTime\":\"never\""),
    ] {
        let first = lease(&foreign);
        let (lease, template) = renewed(first.clone(), &renewal(&first, 1));
        let (text, template) = template.unwrap();
        let (text, _) = template.next(&text, &renewal(&lease, 2)).unwrap();
        let mut draft = Draft::of(lease.clone());
        draft.renew(&renewal(&lease, 2)).unwrap();
        assert_eq!(parsed(&text), parsed(&draft.to_bytes()), "{foreign}");
    }
}

#[test]
fn what_an_answer_says_beside_the_record_makes_no_pattern() {
    let first = lease(&json!(null));
    let renewal = renewal(&first, 1);
    let (lease, _) = renewed(first, &renewal);
    let mut draft = Draft::of(lease.clone());
    draft.renew(&renewal).unwrap();
    let answer = answer(&draft.to_bytes(), 99);
    let of = |text: &str| Template::of(&lease, text.as_bytes(), &renewal);
    assert!(of(&written(&answer)).is_some());
    // Its order is not the server's, or it has blanks.
    assert!(of(&answer.to_string()).is_none());
    assert!(of(&written(&answer).replace(':', ": ")).is_none());
    let mut changed = answer;
    changed["metadata"]["labels"] = json!({ "by": "a webhook" });
    assert!(of(&written(&changed)).is_none());
}

#[test]
fn an_answer_that_says_something_else_is_looked_at() {
    let first = lease(&json!(null));
    let (lease, template) = renewed(first.clone(), &renewal(&first, 1));
    let (text, template) = template.unwrap();
    let (text, template) = template.next(&text, &renewal(&lease, 2)).unwrap();
    let answer = answer(&text, 100);
    let version = |answer: &Value| template.version(&text, written(answer).as_bytes());
    assert_eq!(version(&answer), Some(Version(100)));
    for (pointer, other) in [
        ("/metadata/uid", json!("another")),
        ("/metadata/resourceVersion", json!("0")),
        ("/metadata/resourceVersion", json!("")),
        ("/metadata/resourceVersion", json!("99999999999999999999")),
        ("/metadata/annotations/theirs", json!("else")),
        ("/metadata/managedFields", json!({})),
        ("/spec/holderIdentity", json!("somebody")),
        ("/spec/renewTime", Value::Null),
        ("/spec/theirs", json!("more")),
    ] {
        let mut answer = answer.clone();
        *answer.pointer_mut(pointer).unwrap() = other;
        assert_eq!(version(&answer), None, "{pointer}");
    }
    for map in ["", "/metadata", "/metadata/annotations", "/spec"] {
        let mut answer = answer.clone();
        let map = answer.pointer_mut(map).and_then(Value::as_object_mut);
        map.map(|map: &mut Map<_, _>| map.insert("more".to_owned(), json!("")));
        assert_eq!(version(&answer), None, "{answer}");
    }
    let whole = written(&answer);
    for cut in 0..whole.len() {
        let answer = &whole.as_bytes()[..cut];
        assert_eq!(template.version(&text, answer), None, "{cut}");
    }
}

/// In the order of the API server, which the simulated one has too: a test of that compares them.
#[test]
fn what_the_api_server_answers_is_a_pattern() {
    let answer = concat!(
        r#"{"kind":"Lease","apiVersion":"coordination.k8s.io/v1","metadata":{"name":"nightly","namespace":"default","#,
        r#""uid":"3f1c9f60-5f0d-4d8e-9a51-0c7f4ad1b2c3","resourceVersion":"98","creationTimestamp":"2026-11-30T08:00:00Z","#,
        r#""labels":{"tenure/lock":"true"},"annotations":{"tenure/election":"nightly"},"managedFields":[{"manager":"tenure","#,
        r#""operation":"Update","apiVersion":"coordination.k8s.io/v1","time":"2026-11-30T08:00:05Z","fieldsType":"FieldsV1","#,
        r#""fieldsV1":{"f:metadata":{"f:labels":{".":{},"f:tenure/lock":{}}},"f:spec":{"f:renewTime":{}}}}]},"#,
        r#""spec":{"holderIdentity":"report-0_07","leaseDurationSeconds":15,"acquireTime":"2026-11-30T08:00:00.000000Z","#,
        r#""renewTime":"2026-11-30T03:33:20.120001Z","leaseTransitions":1}}"#,
        "\n"
    );
    let lease = Lease::answered(answer.as_bytes()).unwrap();
    let (text, template) = Template::of(&lease, answer.as_bytes(), &renewal(&lease, 1)).unwrap();
    let (text, template) = template.next(&text, &renewal(&lease, 2)).unwrap();
    let renewed = answer.replace("20.120001", "20.120002");
    let at = |version: &str| {
        let reply = renewed.replace("\"98\"", &format!("\"{version}\""));
        template.version(&text, reply.as_bytes())
    };
    assert_eq!(at("242"), Some(Version(242)));
    assert_eq!(at("242x"), None);
    assert_eq!(template.version(&text, answer.as_bytes()), None);
}
