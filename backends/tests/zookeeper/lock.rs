//! What the lock is on the servers, and what becomes of it when somebody meddles with it.

use std::time::Duration;

use tenure_backends::zookeeper::{Mode, Step};
use tenure_core::backend::{Acquired, Hint};
use tenure_core::testing::Contender;
use tenure_core::{Effect, ErrorKind};
use tenure_testkit::{Flow, Operator};
use zookeeper_client::CreateMode;

use crate::scene::{
    NAME, SESSION, builder, contender, election, fresh_base, is_refused, is_told, leads,
    leads_eventually, pause, process, releases, renews, server, until, wait, waits,
};

/// What an operator does, who waits for it.
pub(crate) async fn operator<T: Send + 'static>(
    act: impl FnOnce(&Operator) -> T + Send + 'static,
) -> T {
    let acted = tokio::task::spawn_blocking(move || act(&server().operator()));
    acted.await.unwrap()
}

async fn children(base: &str) -> Vec<String> {
    let path = format!("{base}/{NAME}");
    operator(move |operator| operator.children(&path).unwrap()).await
}

/// The path of the only node in the queue.
async fn only_node(base: &str) -> String {
    let children = children(base).await;
    assert_eq!(children.len(), 1, "{children:?}");
    format!("{base}/{NAME}/{}", children[0])
}

#[test]
fn the_node_is_curators_and_holds_the_candidate_and_the_token_is_the_transaction_that_made_it() {
    wait(async {
        let base = fresh_base();
        let one = contender(&process(&base).await, "pod-0", 0x5334);
        let grant = leads(&one).await;
        let path = only_node(&base).await;
        let name = path.rsplit('/').next().unwrap();
        assert!(name.starts_with("_c_00000000-0000-0000-") && name.ends_with("-lock-0000000000"));
        let (data, stat) = operator(move |operator| operator.read(&path).unwrap()).await;
        assert_eq!(String::from_utf8(data).unwrap(), one.candidate.to_string());
        assert_eq!(u64::try_from(stat.czxid).unwrap(), grant.hold.token.value());
        assert_ne!(stat.ephemeral_owner, 0);
    });
}

#[test]
fn the_queue_is_in_a_container_which_is_made_again_when_it_has_vanished() {
    wait(async {
        let base = fresh_base();
        let one = contender(&process(&base).await, "pod-0", 1);
        for _ in 0..2 {
            let hold = leads_eventually(&one).await.hold;
            releases(&one, hold).await;
            // The servers themselves delete a container some time after its last child.
            let path = format!("{base}/{NAME}");
            until(|| async {
                let path = path.clone();
                let stat = operator(move |operator| operator.stat(&path).unwrap()).await;
                stat.is_none().then_some(())
            })
            .await;
        }
    });
}

#[test]
fn a_candidate_that_stopped_without_a_release_stands_again_with_a_new_node() {
    wait(async {
        let base = fresh_base();
        let one = contender(&process(&base).await, "pod-0", 1);
        let first = leads(&one).await.hold;
        let before = only_node(&base).await;
        let second = leads_eventually(&one).await.hold;
        assert!(second.token > first.token);
        assert_ne!(only_node(&base).await, before);
        assert!(is_refused(&one, first).await, "that leadership is over");
        renews(&one, second).await.unwrap();
    });
}

#[test]
fn contenders_are_told_in_the_order_in_which_they_will_lead_other_recipes_among_them() {
    wait(async {
        let base = fresh_base();
        let [first, second, last] = ["pod-z", "pod-a", "pod-m"].map(|name| {
            let base = base.clone();
            async move { contender(&process(&base).await, name, u128::from(name.as_bytes()[4])) }
        });
        let (first, second, last) = (first.await, second.await, last.await);
        let contenders = || async {
            let contenders = last.lock.contenders().await.unwrap().unwrap();
            contenders.into_iter().map(|one| one.name.to_string())
        };
        assert_eq!(contenders().await.count(), 0, "there is not even a queue");
        let hold = leads(&first).await.hold;
        waits(&second).await;
        // As text its name comes before all others.
        let path = format!("{base}/{NAME}/_c_00000000-0000-0000-0000-000000000000-lock-");
        let mode = CreateMode::EphemeralSequential;
        let foreign = operator(move |operator| operator.clone()).await;
        let made = foreign.clone();
        operator(move |_| made.create(&path, b"192.0.2.7", mode).unwrap()).await;
        waits(&last).await;
        assert!(
            contenders()
                .await
                .eq(["pod-z", "pod-a", "192.0.2.7", "pod-m"])
        );
        releases(&first, hold).await;
        assert!(contenders().await.eq(["pod-a", "192.0.2.7", "pod-m"]));
        let seen = second.observe().await.unwrap();
        let leader = &second.lock.contenders().await.unwrap().unwrap()[0];
        assert_eq!(leader.incarnation, seen.holder().unwrap().incarnation());
        drop(foreign);
    });
}

#[test]
fn a_release_wakes_the_next_and_nobody_else() {
    wait(async {
        let base = fresh_base();
        let [first, second, third] = [1, 2, 3].map(|bits| {
            let base = base.clone();
            async move { contender(&process(&base).await, "pod", bits) }
        });
        let (first, second, third) = (first.await, second.await, third.await);
        let hold = leads(&first).await.hold;
        for one in [&second, &third] {
            waits(one).await;
            is_told(&*one.lock, Hint::Watching(true)).await;
            // Its watch may have had to be moved behind the place it has got.
            is_told_no_more(one).await;
        }
        releases(&first, hold).await;
        is_told(&*second.lock, Hint::Changed).await;
        let told = tokio::time::timeout(Duration::from_millis(300), third.lock.changed()).await;
        assert!(told.is_err(), "the third was told {told:?}");
        leads(&second).await;
        waits(&third).await;
    });
}

/// Waits until nothing has been told for a while.
pub(crate) async fn is_told_no_more(one: &Contender) {
    let quiet = Duration::from_millis(300);
    while tokio::time::timeout(quiet, one.lock.changed())
        .await
        .is_ok()
    {}
}

#[test]
fn an_own_node_that_somebody_deletes_is_noticed_and_led_by_no_more() {
    wait(async {
        let base = fresh_base();
        let one = contender(&process(&base).await, "pod-0", 1);
        let hold = leads(&one).await.hold;
        is_told(&*one.lock, Hint::Watching(true)).await;
        let path = only_node(&base).await;
        operator(move |operator| operator.delete(&path).unwrap()).await;
        is_told(&*one.lock, Hint::Changed).await;
        assert!(is_refused(&one, hold).await);
        assert_eq!(one.lock.observe().await.unwrap().holder(), None);
    });
}

#[test]
fn an_own_node_that_somebody_writes_into_is_kept_and_released_all_the_same() {
    wait(async {
        let base = fresh_base();
        let one = contender(&process(&base).await, "pod-0", 1);
        let hold = leads(&one).await.hold;
        let path = only_node(&base).await;
        operator(move |operator| {
            let (data, _) = operator.read(&path).unwrap();
            operator.write(&path, &data).unwrap()
        })
        .await;
        let hold = renews(&one, hold).await.unwrap();
        releases(&one, hold).await;
        assert_eq!(children(&base).await, [""; 0]);
    });
}

#[test]
fn a_session_that_was_ended_is_followed_by_another_with_a_node_of_its_own() {
    wait(async {
        let base = fresh_base();
        let ensemble = process(&base).await;
        let one = contender(&ensemble, "pod-0", 1);
        let hold = leads(&one).await.hold;
        let path = only_node(&base).await;
        let stat = operator(move |operator| operator.stat(&path).unwrap().unwrap()).await;
        let session = stat.ephemeral_owner;
        tokio::task::spawn_blocking(move || server().close_session(session).unwrap())
            .await
            .unwrap();
        until(|| async { is_refused(&one, hold).await.then_some(()) }).await;
        let next = until(|| async { one.try_lead().await.ok().flatten() }).await;
        assert!(next.hold.token > hold.token);
        renews(&one, next.hold).await.unwrap();
    });
}

/// Makes the queue a node that stays, and no container, which could vanish between a release and what comes then.
pub(crate) async fn queue_stays(base: &str) {
    let path = format!("{base}/{NAME}");
    operator(move |operator| operator.make_path(&path).unwrap()).await;
}

/// How many packets the server has had from a session, once no more come.
async fn packets(session: i64) -> u64 {
    let look = || async {
        let connections = || -> Vec<_> {
            let servers = server().servers();
            servers.flat_map(|server| server.connections()).collect()
        };
        let seen = tokio::task::spawn_blocking(connections).await.unwrap();
        let mut seen = seen.into_iter();
        let of_session = seen.find(|connection| connection.session == session);
        of_session.unwrap().received
    };
    let mut before = look().await;
    loop {
        pause(Duration::from_millis(200)).await;
        let now = look().await;
        if now == before {
            return now;
        }
        before = now;
    }
}

#[test]
fn a_release_asks_for_the_deletion_and_for_nothing_else_until_somebody_asks_about_the_lock() {
    wait(async {
        let base = fresh_base();
        queue_stays(&base).await;
        let builder = builder(&server().connect_string(), &base);
        let ensemble = builder.session_timeout(Duration::from_secs(20)).open();
        let ensemble = ensemble.await.unwrap();
        let one = contender(&ensemble, "pod-0", 1);
        let hold = leads(&one).await.hold;
        is_told(&*one.lock, Hint::Watching(true)).await;
        let path = only_node(&base).await;
        let stat = operator(move |operator| operator.stat(&path).unwrap()).await;
        let session = stat.unwrap().ephemeral_owner;
        let before = packets(session).await;
        releases(&one, hold).await;
        let asked = packets(session).await - before;
        // A sign of life may be among them.
        assert!((1..=2).contains(&asked), "{asked} packets");
        let seen = one.lock.observe().await.unwrap();
        assert_eq!(seen.holder(), None);
        let other = contender(&ensemble, "pod-1", 2);
        leads(&other).await;
        is_told(&*one.lock, Hint::Changed).await;
    });
}

/// A candidate whose claim was done, and that has not heard of it.
async fn has_lost_the_answer_to_a_claim(base: &str) -> Contender {
    queue_stays(base).await;
    let opened = builder(&server().connect_string(), base).open().await;
    let one = contender(&opened.unwrap(), "pod-0", 1);
    let hold = leads(&one).await.hold;
    releases(&one, hold).await;
    let part = format!("{base}/{NAME}/_c_");
    server().way().to(1).lose_reply_to(&part);
    let lost = one.try_lead().await.unwrap_err();
    assert_eq!(lost.effect(), Effect::Unknown, "{lost}");
    one
}

async fn members(base: &str) -> Vec<String> {
    let path = format!("{base}/_tenure_/members/{NAME}");
    operator(move |operator| operator.children(&path).unwrap()).await
}

/// The elector waits for an answer only so long. The session lives on, and what stayed would be in everybody's way.
#[test]
fn a_withdrawal_that_nobody_waits_for_and_whose_requests_are_lost_is_done_all_the_same() {
    wait(async {
        let base = fresh_base();
        let way = server().another_way();
        let ensemble = builder(&way.connect_string(), &base).open().await.unwrap();
        let one = contender(&ensemble, "pod-0", 1);
        one.lock.enlist(&one.candidate).await.unwrap();
        leads(&one).await;
        assert_eq!(members(&base).await.len(), 1);
        way.to(1).flow(Flow::Hold, Flow::Hold);
        let withdrawn = one.lock.withdraw(&one.candidate);
        let answer = tokio::time::timeout(Duration::from_millis(50), withdrawn).await;
        assert!(answer.is_err(), "nothing can have answered: {answer:?}");
        way.to(1).reset();
        way.heal();
        until(|| async { children(&base).await.is_empty().then_some(()) }).await;
        until(|| async { members(&base).await.is_empty().then_some(()) }).await;
    });
}

#[test]
fn a_claim_without_answer_is_found_by_its_uuid_and_not_made_again() {
    wait(async {
        let base = fresh_base();
        let one = has_lost_the_answer_to_a_claim(&base).await;
        let before = only_node(&base).await;
        let grant = leads_eventually(&one).await;
        assert_eq!(only_node(&base).await, before);
        renews(&one, grant.hold).await.unwrap();
    });
}

#[test]
fn what_a_claim_without_answer_has_made_is_deleted_when_nobody_wants_it() {
    wait(async {
        let base = fresh_base();
        let one = has_lost_the_answer_to_a_claim(&base).await;
        one.lock.withdraw(&one.candidate).await.unwrap();
        until(|| async { children(&base).await.is_empty().then_some(()) }).await;
    });
}

#[test]
fn a_handle_that_is_dropped_leaves_no_node_behind_on_a_session_that_goes_on() {
    wait(async {
        let base = fresh_base();
        let ensemble = process(&base).await;
        let one = contender(&ensemble, "pod-0", 1);
        one.lock.enlist(&one.candidate).await.unwrap();
        leads(&one).await;
        drop(one);
        until(|| async { children(&base).await.is_empty().then_some(()) }).await;
        until(|| async { members(&base).await.is_empty().then_some(()) }).await;
        drop(ensemble);
    });
}

#[test]
fn elections_of_one_process_share_one_session() {
    wait(async {
        let base = fresh_base();
        let ensemble = process(&base).await;
        let mut owners = Vec::new();
        for number in 0..20 {
            let name = tenure_core::ElectionName::new(&format!("job-{number}")).unwrap();
            let lock = ensemble.lock(name).unwrap();
            let one = crate::scene::contender_on(lock, "pod-0", number + 1);
            leads(&one).await;
            let path = format!("{base}/job-{number}");
            let owner = operator(move |operator| {
                let children = operator.children(&path).unwrap();
                let node = format!("{path}/{}", children[0]);
                operator.stat(&node).unwrap().unwrap().ephemeral_owner
            });
            owners.push(owner.await);
        }
        owners.dedup();
        assert_eq!(owners.len(), 1);
    });
}

#[test]
fn nodes_of_a_recipe_that_excludes_nobody_are_refused_unless_told_otherwise() {
    wait(async {
        let base = fresh_base();
        let node = format!("{base}/{NAME}/0f__lock__0000000000");
        operator(move |operator| operator.make_path(&node).unwrap()).await;
        let one = contender(&process(&base).await, "pod-0", 1);
        let refused = one.try_lead().await.unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::InvalidInput);
        assert!(refused.to_string().contains("kazoo"), "{refused}");
        let careless = builder(&server().direct_connect_string(), &base).foreign_nodes_ignored();
        leads(&contender(&careless.open().await.unwrap(), "pod-0", 2)).await;
    });
}

#[test]
fn a_lease_that_is_longer_than_the_session_is_refused() {
    wait(async {
        let base = fresh_base();
        let mut one = contender(&process(&base).await, "pod-0", 1);
        one.lease_duration = SESSION + Duration::from_secs(1);
        let refused = one.try_lead().await.unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::InvalidInput);
        assert!(
            refused.to_string().contains("less than the lease duration"),
            "{refused}"
        );
        assert_eq!(one.lock.session_timeout(), Some(SESSION));
        assert_eq!(one.lock.timing().lease_duration(), SESSION);
    });
}

#[test]
fn a_timing_in_which_no_renewal_could_be_proven_is_refused() {
    wait(async {
        let ensemble = process(&fresh_base()).await;
        let lock = ensemble.lock(election()).unwrap();
        let builder = tenure_backends::host::election(lock).unwrap();
        let refused = builder
            .timing(tenure_core::Timing::fast())
            .build()
            .unwrap_err();
        let says = refused.to_string();
        assert!(
            says.contains("proves a renewal only") && says.contains("raise lease_duration"),
            "{says}"
        );
    });
}

#[test]
fn a_write_that_is_fenced_is_done_only_by_who_leads() {
    wait(async {
        let base = fresh_base();
        let ensemble = process(&base).await;
        let one = contender(&ensemble, "pod-0", 1);
        let grant = leads(&one).await;
        let path = format!("{base}/data");
        let create = |path: &str| {
            vec![Step::Create {
                path: path.to_owned(),
                data: b"7".to_vec(),
                mode: Mode::Persistent,
            }]
        };
        let token = grant.hold.token;
        ensemble.write_fenced(token, create(&path)).await.unwrap();
        releases(&one, grant.hold).await;
        let late = ensemble
            .write_fenced(token, create(&format!("{base}/late")))
            .await;
        assert!(late.unwrap_err().to_string().contains("is over"));
        let late = format!("{base}/late");
        assert_eq!(
            operator(move |operator| operator.stat(&late).unwrap()).await,
            None
        );
    });
}

#[test]
fn a_closed_ensemble_gives_back_what_it_had_at_once() {
    wait(async {
        let base = fresh_base();
        let ensemble = process(&base).await;
        let one = contender(&ensemble, "pod-0", 1);
        leads(&one).await;
        let two = contender(&process(&base).await, "pod-1", 2);
        waits(&two).await;
        ensemble.close().await;
        leads_eventually(&two).await;
        pause(Duration::from_millis(1)).await;
    });
}

#[test]
fn an_election_that_has_the_name_of_what_is_tenures_own_is_refused() {
    wait(async {
        let ensemble = process(&fresh_base()).await;
        let own = tenure_core::ElectionName::new("_tenure_").unwrap();
        assert!(ensemble.lock(own).is_err());
        assert!(ensemble.lock(election()).is_ok());
        let claim = contender(&ensemble, "pod-0", 1);
        assert!(matches!(
            claim.acquire().await.unwrap(),
            Acquired::Granted(_)
        ));
    });
}
