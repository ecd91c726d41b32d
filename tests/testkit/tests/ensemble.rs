//! The testkit's ensemble of ZooKeeper: each server and each fault does what it says.

#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests are no tests to the lint, and a failed one should fail its test"
)]

use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};
use std::time::Duration;

use tenure_testkit::{Ensemble, Mode, Operator, Settings, boottime, until};
use zookeeper_client::{CreateMode, Error};

const SESSION: Duration = Duration::from_secs(4);

fn client(connect_string: &str) -> Operator {
    Operator::connect(connect_string, SESSION).unwrap()
}

/// In the process that is to be killed this is set.
const VICTIM: &str = "TENURE_TESTKIT_VICTIM";

#[test]
fn servers_end_with_the_process_that_started_them() {
    if std::env::var_os(VICTIM).is_some() {
        let ensemble = Ensemble::start(3);
        let ids = ensemble
            .servers()
            .map(|server| server.process_id().to_string());
        let told = format!("\nservers {}\n", ids.collect::<Vec<_>>().join(" "));
        std::io::stdout().write_all(told.as_bytes()).unwrap();
        loop {
            std::thread::park();
        }
    }
    let mut victim = Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "servers_end_with_the_process_that_started_them",
            "--nocapture",
        ])
        .env(VICTIM, "1")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(victim.stdout.take().unwrap()).lines();
    let told = lines.find_map(|line| Some(line.ok()?.strip_prefix("servers ")?.to_owned()));
    let servers: Vec<u32> = told
        .unwrap()
        .split(' ')
        .map(|id| id.parse().unwrap())
        .collect();
    let alive = |id: &u32| {
        let state = std::fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
        !state.is_empty() && !state.contains(") Z ")
    };
    assert!(
        servers.len() == 3 && servers.iter().all(alive),
        "{servers:?}"
    );
    victim.kill().unwrap();
    victim.wait().unwrap();
    until("the servers' end", || {
        (!servers.iter().any(alive)).then_some(())
    });
}

/// Waits until writes are done again.
fn wait_for_a_write(operator: &Operator, path: &str) {
    until("a write", || operator.write(path, b"again").ok());
}

#[test]
fn one_server_serves_and_counts_what_its_clients_ask() {
    let ensemble = Ensemble::start(1);
    let server = ensemble.server(1);
    assert_eq!(server.mode(), Some(Mode::Standalone));
    assert_eq!(server.ask("ruok").as_deref(), Some("imok"));
    let operator = client(&ensemble.connect_string());
    operator.make_path("/a/b").unwrap();
    let (path, made) = operator
        .create("/a/b/n-", b"x", CreateMode::EphemeralSequential)
        .unwrap();
    assert_eq!(path, "/a/b/n-0000000000");
    let (data, stat) = operator.read(&path).unwrap();
    assert_eq!((data.as_slice(), stat.czxid), (&b"x"[..], made));
    assert_eq!(stat.ephemeral_owner, operator.session());
    assert_eq!(operator.children("/a/b").unwrap(), ["n-0000000000"]);
    let connections = server.connections();
    let own = connections
        .iter()
        .find(|connection| connection.session == operator.session());
    let own = own.unwrap();
    assert!(own.received >= 5, "{own:?}");
    assert_eq!(own.timeout, SESSION);
    let before = ensemble.packets_received();
    operator.write(&path, b"y").unwrap();
    assert!(ensemble.packets_received() > before);
    assert_eq!(ensemble.way().to(1).connections(), 1);
}

#[test]
fn three_servers_elect_and_replace_a_leader_that_was_killed() {
    let ensemble = Ensemble::start(3);
    assert_eq!(ensemble.followers().len(), 2);
    let operator = ensemble.operator();
    operator.make_path("/a").unwrap();
    let first = ensemble.wait_for_quorum().number();
    ensemble.server(first).kill();
    let second = ensemble.wait_for_quorum().number();
    assert_ne!(second, first);
    wait_for_a_write(&operator, "/a");
    ensemble.server(first).start_again();
    ensemble.wait_for_all();
    assert_eq!(ensemble.server(first).mode(), Some(Mode::Follower));
    assert!(operator.stat("/a").unwrap().is_some());
}

#[test]
fn a_leader_that_stands_still_is_replaced_and_follows_when_it_goes_on() {
    let ensemble = Ensemble::start(3);
    let first = ensemble.wait_for_quorum();
    first.freeze();
    until("another leader", || {
        let leader = ensemble.leader()?.number();
        (leader != first.number()).then_some(())
    });
    first.thaw();
    until("a follower", || {
        (first.mode() == Some(Mode::Follower)).then_some(())
    });
}

#[test]
fn a_follower_that_is_cut_off_answers_reads_until_its_limit_while_the_others_expire_its_session() {
    let tick = Duration::from_millis(500);
    let settings = Settings::new(3).tick_time(tick).sync_limit(10);
    let ensemble = settings.start();
    let operator = ensemble.operator();
    let number = ensemble.followers()[0].number();
    let alone = ensemble.another_way();
    let to_follower = format!("127.0.0.1:{}", alone.to(number).port());
    let timeout = Duration::from_millis(1500);
    let cut = Operator::connect(&to_follower, timeout).unwrap();
    cut.create("/mine", b"", CreateMode::Ephemeral).unwrap();
    ensemble.cut_off(number);
    let began = boottime();
    let others = ensemble
        .servers()
        .filter(|server| server.number() != number);
    let others: Vec<String> = others
        .map(|server| format!("127.0.0.1:{}", server.port()))
        .collect();
    let outside = client(&others.join(","));
    until("the others without the node", || {
        outside.stat("/mine").unwrap().is_none().then_some(())
    });
    let gone = boottime().saturating_sub(began);
    assert!(
        cut.stat("/mine").unwrap().is_some(),
        "its server does not know after {gone:?}"
    );
    until("the end of answers", || {
        cut.stat("/mine").is_err().then_some(())
    });
    let silent = boottime().saturating_sub(began);
    // A leader's sign of life may have come just before the cut, and a tick may have begun.
    assert!(
        silent > tick * 9 && silent < tick * 20,
        "{gone:?}, {silent:?}"
    );
    ensemble.heal();
    ensemble.wait_for_all();
    drop(operator);
}

#[test]
fn a_leader_that_is_cut_off_is_replaced_and_nothing_gets_by_the_links() {
    let ensemble = Ensemble::start(3);
    let first = ensemble.wait_for_quorum().number();
    ensemble.cut_off(first);
    until("another leader", || {
        let leads = |number: usize| ensemble.server(number).mode() == Some(Mode::Leader);
        (1..=3).find(|number| *number != first && leads(*number))
    });
    until("an end of the old leader", || {
        ensemble.server(first).mode().is_none().then_some(())
    });
    // It would join again at once if it found a way.
    let joined = (0..50).find(|_| {
        tenure_testkit::pause(Duration::from_millis(40));
        ensemble.server(first).mode().is_some()
    });
    assert_eq!(joined, None);
    ensemble.heal();
    ensemble.wait_for_all();
    assert_eq!(ensemble.server(first).mode(), Some(Mode::Follower));
}

#[test]
fn a_quorum_that_was_lost_comes_back_with_what_it_had() {
    let ensemble = Ensemble::start(3);
    let operator = ensemble.operator();
    operator.make_path("/kept").unwrap();
    ensemble.scatter();
    until("nobody who serves", || {
        ensemble
            .servers()
            .all(|server| server.mode().is_none())
            .then_some(())
    });
    ensemble.heal();
    ensemble.wait_for_all();
    wait_for_a_write(&operator, "/kept");
    for number in [1, 2] {
        ensemble.server(number).kill();
    }
    until("nobody who serves", || {
        ensemble.server(3).mode().is_none().then_some(())
    });
    ensemble.server(1).start_again();
    ensemble.wait_for_quorum();
    ensemble.server(2).start_again();
    ensemble.wait_for_all();
    wait_for_a_write(&operator, "/kept");
}

#[test]
fn a_lost_reply_to_a_create_leaves_a_node_whose_maker_does_not_know() {
    let ensemble = Ensemble::start(1);
    let client = client(&ensemble.connect_string());
    ensemble.way().to(1).lose_reply_to("/unknown");
    let read = client.stat("/").unwrap();
    assert!(read.is_some(), "another request is answered");
    let made = client.create("/unknown", b"", CreateMode::Ephemeral);
    assert_eq!(made.unwrap_err(), Error::ConnectionLoss);
    let node = ensemble.operator().stat("/unknown").unwrap().unwrap();
    assert_eq!(node.ephemeral_owner, client.session());
    assert!(!ensemble.way().to(1).is_to_lose());
}

#[test]
fn a_session_that_an_administrator_closes_ends_with_its_nodes() {
    let ensemble = Ensemble::start(3);
    let operator = ensemble.operator();
    for number in 1..=3 {
        let server = format!("127.0.0.1:{}", ensemble.server(number).port());
        let victim = client(&server);
        victim.create("/mine", b"", CreateMode::Ephemeral).unwrap();
        ensemble.close_session(victim.session()).unwrap();
        until("the end of the node", || {
            operator.stat("/mine").unwrap().is_none().then_some(())
        });
        until("the end of the session", || {
            (victim.stat("/") == Err(Error::SessionExpired)).then_some(())
        });
        let again = ensemble.close_session(victim.session()).unwrap_err();
        assert!(again.to_string().contains("has ended"), "{again}");
    }
}

#[test]
fn a_restored_ensemble_has_forgotten_what_came_after_its_backup() {
    let ensemble = Ensemble::start(3);
    let operator = ensemble.operator();
    operator.make_path("/queue").unwrap();
    let number = |operator: &Operator| {
        let made = operator.create("/queue/n-", b"", CreateMode::PersistentSequential);
        made.unwrap().0
    };
    assert_eq!(number(&operator), "/queue/n-0000000000");
    let backup = ensemble.back_up();
    assert_eq!(number(&operator), "/queue/n-0000000001");
    drop(operator);
    ensemble.restore(&backup);
    let operator = ensemble.operator();
    assert_eq!(operator.children("/queue").unwrap(), ["n-0000000000"]);
    assert_eq!(number(&operator), "/queue/n-0000000001");
}
