//! Recipes that do not wait for ours, nor ours for them, are found and named.

use tenure::zookeeper::Ensemble;
use tenure::{ElectionName, ErrorKind, LockBackend as _};
use zookeeper_client::CreateMode;

use crate::candidate::SESSION;
use crate::stage::{NAME, Peer, Stage, servers};

/// What ours says of the path.
fn refusal(stage: &Stage) -> String {
    let builder = Ensemble::builder()
        .connect_string(servers().direct_connect_string())
        .base_path(&stage.base)
        .session_timeout(SESSION);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let error = runtime.unwrap().block_on(async {
        let ensemble = builder.open().await.unwrap();
        let lock = ensemble.lock(ElectionName::new(NAME).unwrap()).unwrap();
        lock.observe().await.unwrap_err()
    });
    assert_eq!(error.kind(), ErrorKind::InvalidInput, "{error}");
    error.to_string()
}

fn assert_named(says: &str, whose: &str, path: &str) {
    assert!(says.contains(whose) && says.contains(path), "{says}");
    assert!(says.contains("use another name or base path"), "{says}");
}

#[test]
fn a_leader_latch_on_the_path_is_named_and_refused() {
    let mut stage = Stage::new();
    let latch = stage.theirs(Peer::Latch);
    stage.wait(latch, "leads");
    assert_named(&refusal(&stage), "Curator's LeaderLatch", &stage.path());
}

#[test]
fn a_node_of_kazoo_on_the_path_is_named_and_refused() {
    let stage = Stage::new();
    stage.operator.make_path(&stage.path()).unwrap();
    let node = format!("{}/53345f9894234e0ca7b59f819e3ec2e1__lock__", stage.path());
    let created = stage
        .operator
        .create(&node, b"worker", CreateMode::EphemeralSequential);
    created.unwrap();
    assert_named(&refusal(&stage), "kazoo's Lock or Election", &stage.path());
}

#[test]
fn ours_leads_once_the_latch_has_gone() {
    let mut stage = Stage::new();
    let latch = stage.theirs(Peer::Latch);
    stage.wait(latch, "leads");
    let ours = stage.ours();
    let failed = stage.wait(ours, "fails");
    assert_eq!(failed.more, "InvalidInput");
    stage.cast.say(latch, "quit");
    let left = stage.wait(latch, "leaves");
    let led = stage.wait(ours, "leads");
    assert!(led.at > left.at);
}
