//! Commands that look, ask and prepare.

use std::path::Path;

use serde_json::json;
use tenure_testkit::{Proxy, TestCluster};

use crate::common::place::Candidate;
use crate::common::program::Program;
use crate::common::wait_until;
use crate::server::{Place, leases};

#[test]
fn who_looks_needs_nothing_but_get_and_makes_nothing() {
    let place = Place::new("looking");
    let looker = place.with_rights(&[leases(&["get"])]);
    let shown = looker.status();
    assert_eq!(
        (&shown["state"], &shown["leader"]),
        (&json!("missing"), &json!(null))
    );
    assert_eq!(shown["members"], json!(null), "none are asked for");
    assert!(place.namespace.lease("looking").is_none(), "it is not made");
    place.succeed("init");
    assert_eq!(looker.status()["state"], "free");
    // Members that may not be listed leave the rest to be shown.
    let shown = looker.status_with(&["--members", "app=report"]);
    assert_eq!(
        (&shown["state"], &shown["members"]),
        (&json!("free"), &json!(null))
    );
}

#[test]
fn who_watches_needs_nothing_but_get_and_sees_each_change() {
    let place = Place::new("watching");
    let watcher = place.with_rights(&[leases(&["get"])]);
    let told = watcher.folder().join("told");
    let mut tenure = watcher.tenure("watch");
    tenure.stdout(std::fs::File::create(&told).unwrap());
    let _watch = Candidate::of(&mut tenure);
    let tells = |what: &str| {
        wait_until(what, || {
            std::fs::read_to_string(&told).unwrap().contains(what)
        });
    };
    tells("the lock is missing");
    place.succeed("init");
    tells("the lock is free");
    let _candidate = place.candidate("p-1", &[]);
    tells("p-1 leads");
}

#[test]
fn who_watches_goes_on_when_the_api_server_was_away() {
    let place = Place::new("away");
    let proxy = Proxy::to(TestCluster::shared().api().port());
    let watcher = place.by_way_of(&proxy);
    let [told, complaints] = ["told", "complaints"].map(|name| watcher.folder().join(name));
    let mut tenure = watcher.tenure("watch");
    tenure
        .stdout(std::fs::File::create(&told).unwrap())
        .stderr(std::fs::File::create(&complaints).unwrap());
    let _watch = Candidate::of(&mut tenure);
    let says = |path: &Path, what: &str| {
        wait_until(what, || {
            std::fs::read_to_string(path).unwrap().contains(what)
        });
    };
    says(&told, "the lock is missing");
    proxy.cut();
    says(&complaints, "trying again");
    place.succeed("init");
    proxy.heal();
    says(&told, "the lock is free");
}

#[test]
fn a_lease_is_made_once_and_one_that_is_held_is_left_alone() {
    let place = Place::new("init");
    let made = |place: &Place| place.json("init", &[])["made"].clone();
    assert_eq!(made(&place), true);
    let version = |place: &Place| {
        place.namespace.lease("init").unwrap()["metadata"]["resourceVersion"].clone()
    };
    let first = version(&place);
    assert_eq!(made(&place), false);
    assert_eq!(version(&place), first, "nothing was written");
    let _candidate = place.candidate("p-1", &[]);
    place.wait_for_leader("p-1");
    let (status, told) = place.fail("init", &[]);
    assert_eq!(status, 69, "{told}");
    assert!(told.contains("held by p-1"), "{told}");
}

#[test]
fn the_lock_of_a_context_is_in_its_namespace_unless_another_is_named() {
    let place = Place::new("contexts");
    place.succeed("init");
    let election = "contexts";
    for url in [
        format!("kubernetes:///{election}"),
        format!("kubernetes://odd@name/x@/{election}"),
        format!(
            "kubernetes://odd@name/x@{}/{election}",
            place.namespace.name
        ),
    ] {
        let shown = place.json("status", &["--lock", &url]);
        assert_eq!(shown["state"], "free", "{url}");
    }
}
