//! Whatever is wrong, the program says what, and what to change.

use crate::common::program::Program;
use crate::common::wait_until;
use crate::server::Place;

#[test]
fn what_is_wrong_with_the_way_in_is_said() {
    let place = Place::new("ways");
    let namespace = &place.namespace.name;
    let lock = format!("kubernetes://{namespace}/ways");
    let unknown = format!("kubernetes://nowhere@{namespace}/ways");
    for (url, says) in [(&lock, "Unauthorized"), (&unknown, "nowhere")] {
        let stranger = place.with_token("this was never a token");
        let (status, told) = stranger.fail("status", &["--lock", url]);
        assert_eq!(status, 69, "{told}");
        assert!(told.contains(says), "{told}");
    }
    let mut lost = place.tenure("status");
    lost.env("KUBECONFIG", place.folder().join("missing"));
    let output = lost.output().unwrap();
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(69), "{told}");
    assert!(told.contains("failed to read kubeconfig"), "{told}");

    let mut nowhere = place.tenure("status");
    nowhere.env_remove("KUBECONFIG").env("HOME", place.folder());
    let output = nowhere.output().unwrap();
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(69), "{told}");
    assert!(told.contains("no cluster is configured"), "{told}");
}

#[test]
fn a_token_that_has_ended_is_told_apart_from_a_missing_right() {
    let place = Place::new("ended");
    let account = place.with_rights(&[]);
    let (status, told) = account.fail("status", &[]);
    assert_eq!(status, 69, "{told}");
    assert!(
        told.contains("allow verb get on leases in coordination.k8s.io"),
        "{told}"
    );
    account.revoke_token();
    let ended = || account.fail("status", &[]);
    wait_until("the end of a token", || {
        ended().1.contains("does not accept this token")
    });
    assert_eq!(ended().0, 69);
}

#[test]
fn a_namespace_that_is_not_there_is_named() {
    let place = Place::new("nowhere");
    let url = ["--lock", "kubernetes://no-such-place/nowhere"];
    let (status, told) = place.fail("init", &url);
    assert_eq!(status, 69, "{told}");
    assert!(told.contains("in namespace no-such-place"), "{told}");
    place.allow_everywhere();
    for command in ["init", "pause"] {
        let says = "\"no-such-place\" not found: create the namespace";
        wait_until(says, || place.fail(command, &url).1.contains(says));
    }
}

#[test]
fn a_lease_of_somebody_else_is_refused_with_a_way_on() {
    let place = Place::new("strangers");
    let camels = serde_json::json!({
        "metadata": { "name": "strangers", "labels": { "provider": "camel" } },
        "spec": { "holderIdentity": "camel-7d9f" },
    });
    place.namespace.create_lease(&camels).unwrap();
    for command in ["status", "init"] {
        let (status, told) = place.fail(command, &[]);
        assert_eq!(status, 69, "{told}");
        assert!(told.contains("stop every Camel candidate"), "{told}");
    }
}

#[test]
fn a_holder_of_another_kind_is_not_asked_to_resign_and_ours_can_be_held_back() {
    let place = Place::new("others");
    let theirs = serde_json::json!({
        "metadata": { "name": "others" },
        "spec": { "holderIdentity": "host_0f0e0d0c-0b0a-0908-0706-050403020100", "leaseDurationSeconds": 15 },
    });
    place.namespace.create_lease(&theirs).unwrap();
    let (status, told) = place.fail("resign", &[]);
    assert_eq!(status, 69, "{told}");
    assert!(told.contains("no candidate of this program"), "{told}");
    place.succeed("pause");
    assert_eq!(place.status()["request"]["kind"], "pause");
    place.succeed("resume");
    assert_eq!(place.status()["request"], serde_json::Value::Null);
}

#[test]
fn an_option_that_means_nothing_is_refused() {
    let place = Place::new("options");
    let file = format!("file://{}/lock", place.folder().display());
    let job = ["--", "true"];
    for (options, says) in [
        (
            &["--token-floor", "3"][..],
            "--token-floor is for lock files",
        ),
        (
            &["--accept-node-local-locks"],
            "--accept-node-local-locks is for lock files",
        ),
        (&["--container", "c"], "add --death-proof kubelet"),
        (&["--leader-label", "a b"], "cannot be in a label"),
        (&["--leader-label", "=b"], "has no key"),
        (
            &["--lock", &file, "--members", "a=b"],
            "--members is for Leases",
        ),
        (
            &["--lock", &file, "--lease-prefix", "a"],
            "--lease-prefix is for Leases",
        ),
        (
            &["--lock", &file, "--pod-name", "a"],
            "--pod-name is for Leases",
        ),
        (
            &["--lock", &file, "--death-proof", "kubelet"],
            "--death-proof is for Leases",
        ),
        (
            &["--lock", &file, "--leader-label", "a"],
            "--leader-label is for Leases",
        ),
    ] {
        let (status, told) = place.fail("run", &[options, &job].concat());
        assert_eq!(status, 64, "{told}");
        assert!(told.contains(says), "{told}");
    }
    let (status, told) = place.fail("init", &["--lock", &file]);
    assert_eq!(status, 64, "{told}");
    assert!(told.contains("needs no init"), "{told}");
}
