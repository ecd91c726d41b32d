//! What a session does once, whatever is led by it.

use std::time::Duration;

use tenure_backends::zookeeper::{Ensemble, NodeLock};
use tenure_core::backend::{Hint, LockBackend as _, OperatorRequest, RequestKind, Submitted};
use tenure_core::{ElectionName, FencingToken};

use crate::lock::{is_told_no_more, operator};
use crate::scene::{
    NAME, builder, contender, contender_on, fresh_base, is_told, leads, leads_eventually, process,
    releases, renews, server, until, wait, waits,
};

/// The nodes where sessions give their signs of life: by which transaction each was made.
async fn opened_by(base: &str) -> Vec<u64> {
    let path = format!("{base}/_tenure_/sessions");
    operator(move |operator| {
        let names = operator.children(&path).unwrap();
        let stats = names.iter().map(|name| {
            let stat = operator.stat(&format!("{path}/{name}")).unwrap();
            stat.unwrap().czxid.unsigned_abs()
        });
        stats.collect()
    })
    .await
}

/// Leads for a moment by a process of its own, which ends.
async fn led_once(base: &str) {
    let ensemble = process(base).await;
    let one = contender(&ensemble, "pod-0", 1);
    let hold = leads_eventually(&one).await.hold;
    renews(&one, hold).await.unwrap();
    releases(&one, hold).await;
    drop(one);
    ensemble.close().await;
    until(|| async { opened_by(base).await.is_empty().then_some(()) }).await;
}

fn lock(ensemble: &Ensemble, name: &str) -> NodeLock {
    ensemble.lock(ElectionName::new(name).unwrap()).unwrap()
}

#[test]
fn a_process_lives_asks_and_claims_in_one_transaction_and_by_one_alone_for_its_other_elections() {
    wait(async {
        for trusts in [false, true] {
            let base = fresh_base();
            led_once(&base).await;
            let builder = builder(&server().direct_connect_string(), &base);
            let builder = if trusts {
                builder.servers_trusted()
            } else {
                builder
            };
            let ensemble = builder.open().await.unwrap();
            let one = contender(&ensemble, "pod-1", 2);
            let hold = leads(&one).await.hold;
            assert_eq!(opened_by(&base).await, [hold.token.value()]);
            let path = format!("{base}/{NAME}");
            let node = operator(move |operator| {
                let name = operator.children(&path).unwrap().remove(0);
                operator.stat(&format!("{path}/{name}")).unwrap().unwrap()
            });
            assert_eq!(node.await.czxid.unsigned_abs(), hold.token.value());
            let other = contender_on(lock(&ensemble, "other"), "pod-1", 2);
            let second = leads_eventually(&other).await.hold;
            assert!(second.token > hold.token);
            renews(&one, hold).await.unwrap();
            renews(&other, second).await.unwrap();
            assert_eq!(opened_by(&base).await, [hold.token.value()]);
        }
    });
}

#[test]
fn a_process_that_comes_while_another_leads_waits_behind_it_and_gives_its_signs_of_life() {
    wait(async {
        let base = fresh_base();
        led_once(&base).await;
        let one = contender(&process(&base).await, "pod-1", 2);
        let hold = leads(&one).await.hold;
        let two = contender(&process(&base).await, "pod-2", 3);
        waits(&two).await;
        until(|| async { (opened_by(&base).await.len() == 2).then_some(()) }).await;
        releases(&one, hold).await;
        let next = leads_eventually(&two).await.hold;
        renews(&two, next).await.unwrap();
    });
}

/// Has an operator's process ask the leader of `name` to resign.
async fn ask(operator: &Ensemble, name: &str, token: FencingToken) -> OperatorRequest {
    let request = OperatorRequest {
        kind: RequestKind::Resign,
        token: Some(token),
    };
    let submitted = lock(operator, name).submit(&request).await.unwrap();
    assert_eq!(submitted, Submitted::Accepted);
    request
}

#[test]
fn a_request_is_told_to_its_election_alone_and_no_request_is_missed() {
    wait(async {
        let base = fresh_base();
        let (ensemble, operator) = (process(&base).await, process(&base).await);
        let names = ["first", "second"];
        let all = names.map(|name| contender_on(lock(&ensemble, name), "pod-0", 1));
        let mut tokens = Vec::new();
        for one in &all {
            tokens.push(leads_eventually(one).await.hold.token);
            is_told(&*one.lock, Hint::Watching(true)).await;
        }
        // The first of all requests makes the node above them, which may be about anybody.
        ask(&operator, "first", tokens[0]).await;
        for one in &all {
            is_told(&*one.lock, Hint::Changed).await;
            is_told_no_more(one).await;
        }
        let asked = ask(&operator, "second", tokens[1]).await;
        is_told(&*all[1].lock, Hint::Changed).await;
        assert_eq!(all[1].observe().await.unwrap().request, Some(asked));
        let told = tokio::time::timeout(Duration::from_millis(300), all[0].lock.changed()).await;
        assert!(told.is_err(), "the other was told {told:?}");
        // One comes before the other was looked at.
        for _ in 0..20 {
            for (name, token) in names.iter().zip(&tokens) {
                ask(&operator, name, *token).await;
            }
            for one in &all {
                is_told(&*one.lock, Hint::Changed).await;
            }
        }
    });
}
