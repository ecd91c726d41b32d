//! What is written into a Lease, and what is made of Leases that others have written.

use serde_json::{Value, json};
use tenure_backends::kubernetes::Initialized;
use tenure_core::backend::{LockBackend, OperatorRequest};
use tenure_core::backend::{LockState, Note, RequestKind, Submitted};
use tenure_core::{ElectionName, ErrorKind};
use tenure_testkit::{TestCluster, WATCH_RULES};

use crate::scene::{
    NAME, builder, contender, contender_on, election, leads, part, place, renews, wait,
};

#[test]
fn a_lease_shows_others_what_they_know_to_read() {
    wait(async {
        let (namespace, cluster) = place().await;
        let leader = contender(&cluster, "report-0", 0xab);
        let hold = leads(&leader).await.hold;
        let identity = "report-0_000000000000000000000000000000ab";
        assert_eq!(part(&namespace, "/spec/holderIdentity"), identity);
        assert_eq!(part(&namespace, "/spec/leaseDurationSeconds"), 15);
        assert_eq!(part(&namespace, "/spec/leaseTransitions"), 0);
        assert_eq!(
            part(&namespace, "/metadata/resourceVersion"),
            hold.token.to_string().as_str()
        );
        assert_eq!(
            part(&namespace, "/metadata/annotations/tenure~1token"),
            Value::Null
        );
        renews(&leader, hold).await.unwrap();
        let told = part(&namespace, "/metadata/annotations/tenure~1token");
        assert_eq!(
            told,
            hold.token.to_string().as_str(),
            "by the first renewal"
        );

        let next = contender(&cluster, "report-1", 2);
        leads(&next).await;
        assert_eq!(part(&namespace, "/spec/leaseTransitions"), 1);
    });
}

#[test]
fn labels_and_annotations_of_others_are_kept() {
    wait(async {
        let (namespace, cluster) = place().await;
        let leader = contender(&cluster, "report-0", 1);
        let hold = leads(&leader).await.hold;
        let edit = json!({ "metadata": { "labels": { "team": "billing" }, "annotations": { "example.com/x": "y" } } });
        namespace.patch_lease(NAME, &edit).unwrap();
        let version = leader.observe().await.unwrap().version.unwrap();
        let hold = tenure_core::backend::Hold { version, ..hold };
        let hold = renews(&leader, hold).await.unwrap();
        leader.lock.release(&leader.releasing(hold)).await.unwrap();
        leads(&contender(&cluster, "report-1", 2)).await;
        assert_eq!(part(&namespace, "/metadata/labels/team"), "billing");
        assert_eq!(
            part(&namespace, "/metadata/annotations/example.com~1x"),
            "y"
        );
        let fields = part(&namespace, "/metadata/managedFields").to_string();
        let ours = "\"manager\":\"tenure\"";
        assert!(fields.contains(ours), "who wrote what is told: {fields}");
    });
}

#[test]
fn a_lease_that_was_initialized_is_free_at_once() {
    wait(async {
        let (namespace, cluster) = place().await;
        let lock = cluster.lock(election()).unwrap();
        assert_eq!(lock.initialize().await.unwrap(), Initialized::Made);
        assert_eq!(lock.initialize().await.unwrap(), Initialized::WasThere);
        let seen = lock.observe().await.unwrap();
        let LockState::Vacant {
            identity,
            mark: Some(mark),
        } = seen.lock
        else {
            panic!("{seen:?}")
        };
        assert_eq!(mark.identity, identity);

        let leader = contender_on(lock, "report-0", 1);
        leads(&leader).await;
        let lock = cluster.lock(election()).unwrap();
        let error = lock.initialize().await.unwrap_err();
        assert!(error.to_string().contains("held by report-0_"), "{error}");

        namespace
            .patch_lease(NAME, &json!({ "spec": { "holderIdentity": null } }))
            .unwrap();
        let error = lock.initialize().await.unwrap_err();
        assert!(error.to_string().contains("without the mark"), "{error}");
    });
}

#[test]
fn a_lease_of_camel_is_refused_with_how_to_migrate() {
    wait(async {
        let namespace = TestCluster::shared().namespace();
        let account = namespace.account(WATCH_RULES);
        let builder = builder(&namespace, &account).lease_prefix("leaders");
        let cluster = builder.open().await.unwrap();
        let camel = json!({
            "metadata": { "name": "leaders-orders", "labels": { "provider": "camel" } },
            "spec": { "holderIdentity": "orders-1", "leaseDurationSeconds": 15, "renewTime": "2026-01-01T00:00:00.000000Z" },
        });
        namespace.create_lease(&camel).unwrap();
        let lock = cluster.lock(ElectionName::new("orders").unwrap()).unwrap();
        let error = lock.observe().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
        for part in ["Camel", "delete the Lease", "another name"] {
            assert!(error.to_string().contains(part), "{error}");
        }
    });
}

#[test]
fn elections_that_would_share_a_lease_are_told_apart() {
    wait(async {
        let namespace = TestCluster::shared().namespace();
        let account = namespace.account(WATCH_RULES);
        let named = |name: &str| ElectionName::new(name).unwrap();
        let open = || builder(&namespace, &account).lease_prefix("leaders").open();
        let cluster = open().await.unwrap();
        let lock = cluster.lock(named("my ns")).unwrap();
        let error = cluster.lock(named("My_NS")).unwrap_err();
        assert!(error.to_string().contains("leaders-my-ns"), "{error}");
        leads(&contender_on(lock, "report-0", 1)).await;

        // In another process nobody knows of the first one but its Lease.
        let elsewhere = open().await.unwrap();
        let error = elsewhere
            .lock(named("My_NS"))
            .unwrap()
            .observe()
            .await
            .unwrap_err();
        assert!(error.to_string().contains("\"my ns\""), "{error}");
    });
}

#[test]
fn annotations_that_leave_no_room_are_an_error_and_cut_nothing() {
    wait(async {
        let (namespace, cluster) = place().await;
        let leader = contender(&cluster, "report-0", 1);
        let hold = leads(&leader).await.hold;
        // A Lease may have 256 KiB of annotations in all.
        let bulky = "x".repeat((256 << 10) - 300);
        let edit = json!({ "metadata": { "annotations": { "example.com/bulk": bulky } } });
        namespace.patch_lease(NAME, &edit).unwrap();
        let version = leader.observe().await.unwrap().version.unwrap();
        let mut renewal = leader.renewal(tenure_core::backend::Hold { version, ..hold });
        renewal.note = Some(Note::new(&[b'n'; 1024]).unwrap());
        let error = leader.lock.renew(&renewal).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput, "{error}");
        assert!(error.to_string().contains("annotations"), "{error}");
        assert_eq!(
            part(&namespace, "/metadata/annotations/tenure~1note"),
            Value::Null
        );
    });
}

#[test]
fn a_namespace_that_is_missing_is_named() {
    wait(async {
        let namespace = TestCluster::shared().namespace();
        let account = namespace.account(WATCH_RULES);
        let elsewhere = builder(&namespace, &account).namespace("nowhere");
        let cluster = elsewhere.open().await.unwrap();
        let candidate = contender(&cluster, "report-0", 1);
        let error = candidate.try_lead().await.unwrap_err();
        // Who has no rights there is told of those.
        assert_eq!(error.kind(), ErrorKind::PermissionDenied);
        assert!(error.to_string().contains("namespace nowhere"), "{error}");
    });
}

#[test]
fn a_request_before_the_first_renewal_names_the_version_of_the_grant() {
    wait(async {
        let (_namespace, cluster) = place().await;
        let leader = contender(&cluster, "report-0", 1);
        let token = leads(&leader).await.hold.token;
        let operator = cluster.lock(election()).unwrap();
        let request = |token| OperatorRequest {
            kind: RequestKind::Resign,
            token,
        };
        let outdated = operator.submit(&request(None)).await.unwrap();
        assert!(matches!(outdated, Submitted::Outdated(_)));
        let accepted = operator.submit(&request(Some(token))).await.unwrap();
        assert_eq!(accepted, Submitted::Accepted);
        let seen = leader.observe().await.unwrap();
        assert_eq!(
            (seen.token, seen.request),
            (Some(token), Some(request(Some(token))))
        );
    });
}

#[test]
fn a_pause_can_be_ended_when_a_stranger_has_edited_the_lease() {
    wait(async {
        let (namespace, cluster) = place().await;
        let leader = contender(&cluster, "report-0", 1);
        let token = Some(leads(&leader).await.hold.token);
        let operator = cluster.lock(election()).unwrap();
        let asked = |kind, token| OperatorRequest { kind, token };
        let paused = operator
            .submit(&asked(RequestKind::Pause, token))
            .await
            .unwrap();
        assert_eq!(paused, Submitted::Accepted);
        let edit = json!({ "spec": { "holderIdentity": "somebody-else" } });
        namespace.patch_lease(NAME, &edit).unwrap();
        let seen = operator.observe().await.unwrap();
        let resumed = operator
            .submit(&asked(RequestKind::Resume, seen.token))
            .await
            .unwrap();
        assert_eq!(resumed, Submitted::Accepted);
        assert_eq!(operator.observe().await.unwrap().request, None);
    });
}

#[test]
fn a_pause_that_was_sent_before_a_resumption_is_refused_after_it() {
    wait(async {
        let (namespace, cluster) = place().await;
        let leader = contender(&cluster, "report-0", 1);
        leads(&leader).await;
        let before = namespace.lease(NAME).unwrap();
        let operator = cluster.lock(election()).unwrap();
        let token = leader.observe().await.unwrap().token;
        let token = token.or_else(|| {
            before["metadata"]["resourceVersion"]
                .as_str()
                .unwrap()
                .parse()
                .ok()
        });
        let resume = OperatorRequest {
            kind: RequestKind::Resume,
            token,
        };
        assert_eq!(operator.submit(&resume).await.unwrap(), Submitted::Accepted);
        // There was no pause, but what was made from the Lease before it is out of date all the same.
        let after = namespace.lease(NAME).unwrap();
        assert_ne!(
            before["metadata"]["resourceVersion"],
            after["metadata"]["resourceVersion"]
        );
        let again = OperatorRequest {
            kind: RequestKind::Resume,
            token,
        };
        assert_eq!(operator.submit(&again).await.unwrap(), Submitted::Accepted);
    });
}
