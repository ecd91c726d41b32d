use std::time::Duration;

use tenure::backend::{Basis, Renewed};
use tenure::kubernetes::Cluster;
use tenure::kubernetes::kube::api::PostParams;
use tenure::{ElectionName, LockBackend as _};
use tenure_core::Nonce;
use tenure_testkit::{TestCluster, WATCH_RULES};

use crate::bare::Bare;
use crate::harness::{self, Oblivion, Table, cost_line, costs, shown};
use crate::scene::{Scene, election};

const TIMES: u32 = 1_000;
const TIMER: Duration = Duration::from_secs(1);
const RATIO_MOST: f64 = 1.2;

/// As the process of a leader has, for its elector: the timer of a request is never the first that it waits for, which would cost a wake-up of the
/// runtime by itself.
async fn always_has_a_timer() {
    loop {
        #[expect(clippy::disallowed_methods, reason = "the real time passes here")]
        tokio::time::sleep(TIMER).await;
    }
}

/// A renewal through the backend, in turn with a bare write.
pub(crate) fn run(table: &mut Table) {
    let scene = Scene::new(TestCluster::shared(), WATCH_RULES);
    let config = scene.config();
    let runtime = harness::runtime();
    runtime.spawn(always_has_a_timer());
    let third = election(2);
    // A client for each, so that each finds its connection as far out of the processor's caches as the others find theirs.
    let (lock, bare, kubes) = runtime.block_on(async {
        let cluster = Cluster::builder().config(config.clone()).open().await;
        let name = ElectionName::new(&election(0)).expect("a plain word is a name");
        let lock = cluster.expect("the testkit's way in is good").lock(name);
        (
            lock.expect("a plain name"),
            Bare::open(&config, &election(1)),
            Bare::open(&config, &third),
        )
    });
    let candidate = harness::candidate();
    let grant = runtime.block_on(harness::acquire(&lock, &candidate, Basis::Missing));
    let mut renewal = harness::renewal(&candidate, &grant);
    let mut version = runtime.block_on(bare.create());
    let mut number = 0;
    let typed = kubes.typed();
    runtime.block_on(kubes.create());
    let mut lease = runtime.block_on(typed.get(&third)).expect("it was made");
    let params = PostParams::default();
    let mut caches = Oblivion::new();
    let [ours, beside, kubes] = costs(
        TIMES,
        || caches.forget(),
        [
            &mut || {
                renewal.nonce = Nonce(renewal.nonce.0 + 1);
                let renewed = runtime.block_on(lock.renew(&renewal));
                let Ok(Renewed::Confirmed(receipt)) = renewed else {
                    panic!("nobody else writes: {renewed:?}");
                };
                renewal.hold.version = receipt.version;
            },
            &mut || {
                number += 1;
                version = runtime.block_on(bare.put(&version, number));
            },
            &mut || {
                let replaced = runtime.block_on(typed.replace(&third, &params, &lease));
                lease = replaced.expect("nobody else writes");
            },
        ],
    );
    println!("{}", cost_line("renewal through the backend", ours));
    println!(
        "{}",
        cost_line("bare write, the answer not understood", beside)
    );
    println!("{}", cost_line("write by kube's Api::replace", kubes));
    let ratio = ours.processor.as_secs_f64() / beside.processor.as_secs_f64();
    table.row("renewal, processor", shown(ours.processor), None);
    table.row("bare write, processor", shown(beside.processor), None);
    let target = ("≤ 1.2", ratio <= RATIO_MOST);
    table.row(
        "renewal over bare write, processor",
        format!("{ratio:.2}"),
        Some(target),
    );
    let ratio = ours.processor.as_secs_f64() / kubes.processor.as_secs_f64();
    let what = "renewal over kube's Api::replace, processor";
    table.row(what, format!("{ratio:.2}"), None);
}
