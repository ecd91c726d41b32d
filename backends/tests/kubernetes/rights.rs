//! What an account may do, and what becomes of an election when that changes.

use std::time::Duration;

use tenure_backends::kubernetes::Cluster;
use tenure_core::backend::Hint;
use tenure_core::testing::Contender;
use tenure_core::{Effect, ErrorKind};
use tenure_testkit::{CAMEL_RULES, Proxy, Rule, TestCluster, WATCH_RULES};

use crate::scene::{builder, contender, leads, pause, renews, told_undisturbed, wait};

const READ_ONLY: &[Rule] = &[Rule {
    group: "coordination.k8s.io",
    resource: "leases",
    verbs: &["get"],
}];

const SOON: Duration = Duration::from_millis(200);

/// The next hint about the watch itself.
async fn watching(contender: &Contender) -> bool {
    loop {
        if let Hint::Watching(works) = contender.lock.changed().await {
            return works;
        }
    }
}

#[test]
fn the_role_of_camels_users_is_enough() {
    wait(async {
        let namespace = TestCluster::shared().namespace();
        let account = namespace.account(CAMEL_RULES);
        let builder = builder(&namespace, &account).members("app=report");
        let cluster = builder.open().await.unwrap();
        let leader = contender(&cluster, "report-0", 1);
        let hold = leads(&leader).await.hold;
        let hold = renews(&leader, hold).await.unwrap();
        leader.lock.release(&leader.releasing(hold)).await.unwrap();
        assert_eq!(leader.lock.members().await.unwrap(), []);
    });
}

#[test]
fn watching_is_done_where_it_is_granted_and_found_out_again() {
    wait(async {
        let namespace = TestCluster::shared().namespace();
        let account = namespace.account(CAMEL_RULES);
        let proxy = Proxy::to(namespace.cluster.api().port());
        let cluster = Cluster::builder()
            .config(account.config(proxy.port()))
            .rights_interval(SOON)
            .open()
            .await
            .unwrap();
        let follower = contender(&cluster, "report-0", 1);
        let refused = tokio::time::timeout(SOON, watching(&follower)).await;
        assert!(
            refused.is_err(),
            "without the right it polls, as at the start"
        );
        namespace.grant(&account, WATCH_RULES);
        assert!(watching(&follower).await);
        namespace.grant(&account, CAMEL_RULES);
        // The API server leaves a watch alone that it has let in.
        proxy.reset();
        assert!(!watching(&follower).await);
        namespace.grant(&account, WATCH_RULES);
        assert!(watching(&follower).await);
    });
}

#[test]
fn a_watch_that_comes_after_much_polling_stays() {
    wait(async {
        let namespace = TestCluster::shared().namespace();
        let account = namespace.account(CAMEL_RULES);
        let builder = builder(&namespace, &account).rights_interval(SOON);
        let cluster = builder.open().await.unwrap();
        let follower = contender(&cluster, "report-0", 1);
        let leader = contender(&cluster, "report-1", 2);
        let mut hold = leads(&leader).await.hold;
        let refused = tokio::time::timeout(SOON, watching(&follower)).await;
        assert!(refused.is_err(), "it polls");
        for _ in 0..3 {
            hold = renews(&leader, hold).await.unwrap();
            follower.observe().await.unwrap();
            // As long as a watch may be late.
            pause(Duration::from_secs(1)).await;
        }
        namespace.grant(&account, WATCH_RULES);
        assert!(watching(&follower).await);
        hold = renews(&leader, hold).await.unwrap();
        told_undisturbed(&follower, hold.version).await;
    });
}

#[test]
fn a_missing_right_is_named_and_the_candidate_stays_one() {
    wait(async {
        let namespace = TestCluster::shared().namespace();
        let account = namespace.account(READ_ONLY);
        let cluster = builder(&namespace, &account).open().await.unwrap();
        let candidate = contender(&cluster, "report-0", 1);
        let error = candidate.try_lead().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::PermissionDenied);
        assert_eq!(error.effect(), Effect::NotApplied);
        let text = error.to_string();
        for part in [
            "verb create",
            "leases in coordination.k8s.io",
            &namespace.name,
        ] {
            assert!(text.contains(part), "{text}");
        }
        namespace.grant(&account, CAMEL_RULES);
        leads(&candidate).await;
    });
}

#[test]
fn a_leader_whose_token_was_rotated_goes_on() {
    wait(async {
        let namespace = TestCluster::shared().namespace();
        let mut account = namespace.account(WATCH_RULES);
        let directory = tempfile::tempdir().unwrap();
        let port = namespace.cluster.api().port();
        let file = account.kubeconfig(directory.path(), port);
        let cluster = Cluster::builder().kubeconfig(&file).open().await.unwrap();
        let leader = contender(&cluster, "report-0", 1);
        let hold = leads(&leader).await.hold;

        namespace.revoke_tokens(&account);
        // An API server remembers for ten seconds which tokens were good.
        let mut hold = hold;
        let error = loop {
            match renews(&leader, hold).await {
                Ok(renewed) => hold = renewed,
                Err(error) => break error,
            }
            pause(SOON).await;
        };
        assert_eq!(error.kind(), ErrorKind::Unauthenticated, "{error}");
        assert_eq!(error.effect(), Effect::NotApplied);
        assert!(
            !error.to_string().contains(&account.token),
            "no secret is told"
        );

        account.token = namespace.token(&account);
        account.write_kubeconfig(&file, port);
        pause(Duration::from_secs(1)).await;
        // The next refusal reads it again; the one after that is none.
        let renewed = match renews(&leader, hold).await {
            Ok(renewed) => renewed,
            Err(_) => renews(&leader, hold).await.unwrap(),
        };
        assert_eq!(renewed.token, hold.token, "it is the same leadership");
    });
}

#[test]
fn who_may_only_list_can_look() {
    wait(async {
        let namespace = TestCluster::shared().namespace();
        let lists = &[Rule {
            group: "coordination.k8s.io",
            resource: "leases",
            verbs: &["list"],
        }];
        let cluster = builder(&namespace, &namespace.account(lists))
            .open()
            .await
            .unwrap();
        let looker = contender(&cluster, "operator", 9);
        let missing = looker.observe().await.unwrap();
        assert_eq!(missing.lock, tenure_core::backend::LockState::Missing);
        let account = namespace.account(CAMEL_RULES);
        let cluster = builder(&namespace, &account).open().await.unwrap();
        let leader = contender(&cluster, "report-0", 1);
        let hold = leads(&leader).await.hold;
        let seen = looker.observe().await.unwrap();
        assert!(
            seen.holder()
                .is_some_and(|holder| holder.is(&leader.candidate))
        );
        assert_eq!(seen.version, Some(hold.version));
    });
}
