//! When a candidate asks the ensemble's leader whether those have gone that its server does not show, and when it need not.

use tenure_core::testing::Contender;

use crate::lock::{operator, queue_stays};
use crate::scene::{
    NAME, builder, contender, fresh_base, leads, leads_eventually, process, releases, server,
    until, wait, waits,
};

/// How often the children of the queue have changed.
async fn changes(base: &str) -> i32 {
    let path = format!("{base}/{NAME}");
    let stat = operator(move |operator| operator.stat(&path).unwrap()).await;
    stat.unwrap().cversion
}

/// What its own node coming or going changes.
const OWN: i32 = 1;
/// A node that is made and deleted.
const ASKED: i32 = 2;

/// Waits until a candidate leads, tells what has changed in the queue meanwhile, and has it give the lock back.
async fn leads_once(base: &str, contender: &Contender) -> i32 {
    let before = changes(base).await;
    let hold = leads_eventually(contender).await.hold;
    let changed = changes(base).await - before;
    releases(contender, hold).await;
    changed
}

#[test]
fn a_new_process_asks_whether_the_last_leader_has_gone_which_it_has_never_seen() {
    wait(async {
        let base = fresh_base();
        queue_stays(&base).await;
        let one = contender(&process(&base).await, "pod-0", 1);
        // Nobody has led here: there is nothing to ask about but the note.
        assert_eq!(leads_once(&base, &one).await, OWN);
        let two = contender(&process(&base).await, "pod-1", 2);
        assert_eq!(leads_once(&base, &two).await, OWN + ASKED);
        // Who gives it back knows that nobody has it, and is told who takes it.
        assert_eq!(leads_once(&base, &two).await, OWN);
    });
}

#[test]
fn a_new_process_that_trusts_the_servers_asks_nobody() {
    wait(async {
        let base = fresh_base();
        queue_stays(&base).await;
        let one = contender(&process(&base).await, "pod-0", 1);
        leads_once(&base, &one).await;
        let trusting = builder(&server().direct_connect_string(), &base).servers_trusted();
        let two = contender(&trusting.open().await.unwrap(), "pod-1", 2);
        assert_eq!(leads_once(&base, &two).await, OWN);
    });
}

#[test]
fn who_has_seen_the_leader_go_asks_nobody_unless_by_another_connection() {
    wait(async {
        let base = fresh_base();
        queue_stays(&base).await;
        let way = server().another_way();
        let opened = builder(&way.connect_string(), &base).open().await;
        let ensemble = opened.unwrap();
        let one = contender(&process(&base).await, "pod-0", 1);
        let two = contender(&ensemble, "pod-1", 2);
        for resets in [false, true] {
            let hold = leads_eventually(&one).await.hold;
            waits(&two).await;
            if resets {
                let connections = || way.proxies().map(|proxy| proxy.connections()).sum::<u64>();
                let before = connections();
                way.proxies().for_each(|proxy| proxy.reset());
                until(|| async { (connections() > before).then_some(()) }).await;
            }
            releases(&one, hold).await;
            let changed = leads_once(&base, &two).await;
            assert_eq!(changed, if resets { ASKED } else { 0 }, "{resets}");
        }
    });
}

#[test]
fn a_note_that_names_nothing_of_ours_is_asked_about_by_its_version_alone() {
    wait(async {
        let base = fresh_base();
        queue_stays(&base).await;
        let note = format!("{base}/_tenure_/notes/{NAME}");
        operator(move |operator| {
            operator.make_path(&note).unwrap();
            operator.write(
                &note,
                br#"{"token":1,"node":"../../somewhere-lock-0000000001"}"#,
            )
        })
        .await
        .unwrap();
        let one = contender(&process(&base).await, "pod-0", 1);
        let before = changes(&base).await;
        leads(&one).await;
        assert_eq!(changes(&base).await - before, OWN);
    });
}
