//! Commands that only look, and options that mean nothing here.

use serde_json::json;

use crate::common::program::Program;
use crate::scene::{Place, ensemble, names};

#[test]
fn who_only_looks_makes_nothing_and_stands_in_no_queue() {
    let place = Place::new();
    let shown = place.status();
    assert_eq!(
        (&shown["state"], &shown["leader"], &shown["queue"]),
        (&json!("missing"), &json!(null), &json!([]))
    );
    let output = place.output("status", &[]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(
        text.contains("it was deleted, or the URL is wrong"),
        "{text}"
    );
    for command in ["resign", "resume"] {
        // Neither asks for a lock that nobody has ever had.
        drop(place.output(command, &[]));
    }
    let made = ensemble().operator().stat(&place.base).unwrap();
    assert_eq!(made, None, "nothing is made");
    let _candidate = place.candidate_in_queue("pod-0");
    place.wait_for_leader("pod-0");
    let sessions = format!("{}/_tenure_/sessions", place.base);
    place.status();
    assert_eq!(place.queue(), ["pod-0"]);
    let sessions = ensemble().operator().children(&sessions).unwrap();
    assert_eq!(sessions.len(), 1, "one that looks gives no signs of life");
}

#[test]
fn who_looks_needs_no_more_than_the_right_to_read() {
    let place = Place::new();
    let password = place.password("right");
    let owner = [
        "--zookeeper-user",
        "jobs",
        "--zookeeper-password-file",
        &password,
    ];
    let acl = ["--zookeeper-acl", "auth::cdrwa,world:anyone:r"];
    let _candidate = place.candidate("pod-0", &[&owner[..], &acl].concat());
    place.wait_for_leader("pod-0");
    assert_eq!(place.queue(), ["pod-0"]);
    assert_eq!(names(&place.status()["members"]), ["pod-0"]);
    let (status, told) = place.fail("pause", &[]);
    assert_eq!(status, 69, "{told}");
    assert!(told.contains("the node's ACL forbids it"), "{told}");
}
