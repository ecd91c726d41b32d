//! What the backend needs of ZooKeeper, on the real thing.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use tenure_backends::zookeeper;
use tenure_backends::zookeeper::simulated::{Ending, Failed, Mode, Servers, Session, State, Step};
use tenure_testkit::{Ensemble, Settings};

const SESSION: Duration = Duration::from_secs(4);
/// Far more than anything here takes, on the slowest machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// Runs a test on a runtime of its own, but not for ever.
pub(crate) fn wait<F: Future>(future: F) -> F::Output {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let limited = tokio::time::timeout(PATIENCE, Box::pin(future));
        limited.await.expect("a test takes less than a minute")
    })
}

/// Lets `duration` pass, between two looks at something.
#[expect(clippy::disallowed_methods, reason = "real servers need real time")]
pub(crate) async fn pause(duration: Duration) {
    tokio::time::sleep(duration).await;
}

fn servers(connect_string: &str) -> Arc<dyn Servers> {
    let builder = zookeeper::Ensemble::builder().connect_string(connect_string);
    builder.real_servers().unwrap()
}

pub(crate) async fn session(connect_string: &str) -> Arc<dyn Session> {
    servers(connect_string).connect(SESSION).await.unwrap()
}

async fn becomes(session: &Arc<dyn Session>, wanted: State) {
    let mut state = session.state();
    while state != wanted {
        state = session.state_after(state).await;
    }
}

#[test]
fn every_request_does_what_it_says() {
    let ensemble = Ensemble::start(1);
    wait(async {
        let session = session(&ensemble.connect_string()).await;
        assert_eq!(session.timeout(), SESSION);
        assert_eq!(session.state(), State::Connected);

        let (path, made) = session.create("/base", b"", Mode::Container).await.unwrap();
        assert_eq!(path, "/base");
        assert_eq!(made.ephemeral_owner, 0, "a container is nobody's");
        let again = session.create("/base", b"", Mode::Container).await;
        assert_eq!(again, Err(Failed::NodeExists));
        let (path, node) = session
            .create("/base/_c_1-lock-", b"me", Mode::EphemeralSequential)
            .await
            .unwrap();
        assert_eq!(path, "/base/_c_1-lock-0000000000");
        assert_eq!(node.ephemeral_owner, session.id());
        assert!(node.czxid > made.czxid);
        let (data, read) = session.get(&path).await.unwrap();
        assert_eq!((data.as_slice(), read), (&b"me"[..], node));
        let set = session.set(&path, b"", Some(0)).await.unwrap();
        assert_eq!((set.version, set.czxid), (1, node.czxid));
        assert_eq!(session.get(&path).await.unwrap().0, b"");
        assert_eq!(
            session.set(&path, b"x", Some(0)).await,
            Err(Failed::BadVersion)
        );
        assert_eq!(
            session.children("/base").await.unwrap(),
            ["_c_1-lock-0000000000"]
        );
        session.sync("/base").await.unwrap();

        assert_eq!(session.delete("/base", None).await, Err(Failed::NotEmpty));
        assert_eq!(
            session.delete(&path, Some(0)).await,
            Err(Failed::BadVersion)
        );
        let below = format!("{path}/below");
        let refused = session.create(&below, b"", Mode::Persistent).await;
        assert!(matches!(refused, Err(Failed::Other(says)) if says.contains("ephemeral")));
        session.delete(&path, Some(1)).await.unwrap();
        assert_eq!(session.delete(&path, None).await, Err(Failed::NoNode));
        assert_eq!(session.get(&path).await, Err(Failed::NoNode));
        assert_eq!(session.set(&path, b"", None).await, Err(Failed::NoNode));
        assert!(session.get_and_watch(&path).await.is_err());
        let no_parent = session.create("/none/node", b"", Mode::Persistent).await;
        assert_eq!(no_parent, Err(Failed::NoNode));
        let bad = session.get("no path").await;
        assert!(matches!(bad, Err(Failed::Other(_))), "{bad:?}");
    });
}

#[test]
fn of_several_steps_all_are_done_or_none() {
    let ensemble = Ensemble::start(1);
    wait(async {
        let session = session(&ensemble.connect_string()).await;
        let create = |path: &str, mode| Step::Create {
            path: path.to_owned(),
            data: b"x".to_vec(),
            mode,
        };
        let check = |path: &str, version| Step::Check {
            path: path.to_owned(),
            version,
        };
        let set = |path: &str, version| Step::Set {
            path: path.to_owned(),
            data: b"y".to_vec(),
            version,
        };
        let made = session.multi(vec![
            create("/container", Mode::Container),
            create("/plain", Mode::Persistent),
            create("/mine", Mode::Ephemeral),
            set("/plain", Some(0)),
        ]);
        made.await.unwrap();
        session
            .multi(vec![
                check("/mine", Some(0)),
                check("/mine", None),
                set("/plain", Some(1)),
            ])
            .await
            .unwrap();
        for (steps, failed) in [
            (
                vec![check("/mine", Some(7)), set("/plain", None)],
                Failed::BadVersion,
            ),
            (
                vec![set("/plain", None), check("/gone", None)],
                Failed::NoNode,
            ),
            (
                vec![set("/plain", None), create("/mine", Mode::Ephemeral)],
                Failed::NodeExists,
            ),
        ] {
            assert_eq!(session.multi(steps).await, Err(failed));
        }
        assert_eq!(
            session.get("/plain").await.unwrap().1.version,
            2,
            "nothing was done"
        );
        let delete = Step::Delete {
            path: "/plain".to_owned(),
            version: Some(2),
        };
        session
            .multi(vec![check("/mine", Some(0)), delete])
            .await
            .unwrap();
        assert_eq!(session.get("/plain").await, Err(Failed::NoNode));
        session.multi(Vec::new()).await.unwrap();
    });
}

#[test]
fn whether_a_node_is_there_can_be_asked_by_a_write_that_leaves_nothing() {
    let ensemble = Ensemble::start(1);
    wait(async {
        let session = session(&ensemble.connect_string()).await;
        let made = session.create("/there", b"", Mode::Persistent);
        made.await.unwrap();
        let probe = |path: &str| {
            let path = path.to_owned();
            let create = Step::Create {
                path: path.clone(),
                data: Vec::new(),
                mode: Mode::Persistent,
            };
            let version = None;
            session.multi(vec![create, Step::Delete { path, version }])
        };
        assert_eq!(probe("/there").await, Err(Failed::NodeExists));
        assert_eq!(probe("/gone").await, Ok(()));
        assert_eq!(session.get("/gone").await, Err(Failed::NoNode));
    });
}

#[test]
fn requests_are_sent_in_the_order_of_asking_also_when_nobody_waits() {
    let ensemble = Ensemble::start(1);
    wait(async {
        let session = session(&ensemble.connect_string()).await;
        drop(session.create("/node", b"0", Mode::Persistent));
        let answers: Vec<_> = (1..=50)
            .map(|round: i32| {
                drop(session.set("/node", round.to_string().as_bytes(), Some(round - 1)));
                session.get("/node")
            })
            .collect();
        for (round, answer) in (1..).zip(answers) {
            let (data, stat) = answer.await.unwrap();
            assert_eq!(stat.version, round);
            assert_eq!(data, round.to_string().as_bytes());
        }
    });
}

#[test]
fn watches_tell_of_changes_and_of_nothing_else() {
    let ensemble = Ensemble::start(1);
    wait(async {
        let session = session(&ensemble.connect_string()).await;
        session
            .create("/base", b"", Mode::Persistent)
            .await
            .unwrap();
        let (none, appears) = session.exists_and_watch("/base/a").await.unwrap();
        assert_eq!(none, None);
        let (names, others) = session.children_and_watch("/base").await.unwrap();
        assert!(names.is_empty());
        session
            .create("/base/a", b"", Mode::Ephemeral)
            .await
            .unwrap();
        appears.await;
        others.await;
        let (_, _, changes) = session.get_and_watch("/base/a").await.unwrap();
        let (_, _, dropped) = session.get_and_watch("/base/a").await.unwrap();
        let (_, mut children) = session.children_and_watch("/base").await.unwrap();
        drop(dropped);
        session.set("/base/a", b"1", None).await.unwrap();
        changes.await;
        let quiet = tokio::time::timeout(Duration::from_millis(200), &mut children);
        assert!(
            quiet.await.is_err(),
            "a node's data is none of its parent's children"
        );
        let (_, gone) = session.exists_and_watch("/base/a").await.unwrap();
        session.delete("/base/a", None).await.unwrap();
        gone.await;
        children.await;
    });
}

#[test]
fn a_watch_outlives_the_connection_and_tells_what_changed_meanwhile() {
    let ensemble = Ensemble::start(1);
    let operator = ensemble.operator();
    wait(async {
        let session = session(&ensemble.connect_string()).await;
        for node in ["/a", "/b"] {
            session.create(node, b"", Mode::Persistent).await.unwrap();
        }
        let (_, _, a) = session.get_and_watch("/a").await.unwrap();
        let (_, _, mut b) = session.get_and_watch("/b").await.unwrap();
        let (_, mut c) = session.exists_and_watch("/c").await.unwrap();
        ensemble.way().to(1).cut();
        becomes(&session, State::Disconnected).await;
        operator.write("/a", b"meanwhile").unwrap();
        ensemble.way().heal();
        becomes(&session, State::Connected).await;
        a.await;
        let quiet = tokio::time::timeout(Duration::from_millis(200), &mut b);
        assert!(
            quiet.await.is_err(),
            "a connection lost and found is no change"
        );
        let quiet = tokio::time::timeout(Duration::from_millis(200), &mut c);
        assert!(
            quiet.await.is_err(),
            "nor is it for a node that is not there"
        );
        operator.write("/b", b"later").unwrap();
        b.await;
        operator
            .create("/c", b"", zookeeper_client::CreateMode::Persistent)
            .unwrap();
        c.await;
    });
}

#[test]
fn a_write_whose_answer_is_lost_may_have_been_done() {
    let ensemble = Ensemble::start(1);
    let operator = ensemble.operator();
    wait(async {
        let session = session(&ensemble.connect_string()).await;
        session
            .create("/node", b"", Mode::Persistent)
            .await
            .unwrap();
        ensemble.way().to(1).lose_next_reply();
        let lost = session.set("/node", b"1", Some(0)).await;
        assert_eq!(lost, Err(Failed::Lost));
        assert_eq!(operator.read("/node").unwrap().0, b"1");
        becomes(&session, State::Connected).await;
        // The client has pinged when this is answered, and will not for a while.
        session.get("/node").await.unwrap();
        ensemble.way().to(1).lose_next_request();
        let lost = session.set("/node", b"2", Some(1)).await;
        assert_eq!(lost, Err(Failed::Lost));
        assert_eq!(operator.read("/node").unwrap().0, b"1");
        becomes(&session, State::Connected).await;
        session.set("/node", b"3", Some(1)).await.unwrap();
    });
}

#[test]
fn what_is_asked_without_a_connection_is_sent_with_the_next_one() {
    let ensemble = Ensemble::start(1);
    wait(async {
        let session = session(&ensemble.connect_string()).await;
        ensemble.way().to(1).cut();
        becomes(&session, State::Disconnected).await;
        let made = session.create("/late", b"", Mode::Persistent);
        ensemble.way().heal();
        made.await.unwrap();
    });
}

#[test]
fn a_session_survives_the_server_that_it_is_connected_to() {
    let ensemble = Ensemble::start(3);
    wait(async {
        let session = session(&ensemble.connect_string()).await;
        session.create("/mine", b"", Mode::Ephemeral).await.unwrap();
        let connected = ensemble
            .servers()
            .find(|server| {
                let mine = format!("{:#x}", session.id());
                server.ask("cons").is_some_and(|said| said.contains(&mine))
            })
            .unwrap();
        connected.kill();
        ensemble.wait_for_quorum();
        loop {
            match session.get("/mine").await {
                Ok((_, stat)) => break assert_eq!(stat.ephemeral_owner, session.id()),
                Err(failed) => assert_eq!(failed, Failed::Lost),
            }
        }
    });
}

#[test]
fn the_end_of_a_session_ends_its_requests_its_watches_and_its_nodes() {
    let ensemble = Ensemble::start(1);
    let operator = ensemble.operator();
    wait(async {
        let session = session(&ensemble.connect_string()).await;
        session.create("/mine", b"", Mode::Ephemeral).await.unwrap();
        let (_, event) = session.exists_and_watch("/other").await.unwrap();
        ensemble.close_session(session.id()).unwrap();
        becomes(&session, State::Ended(Ending::Expired)).await;
        event.await;
        let late = session.get("/mine").await;
        assert_eq!(late, Err(Failed::Ended(Ending::Expired)));
        assert_eq!(operator.stat("/mine").unwrap(), None);
    });
}

#[test]
fn a_closed_session_is_gone_at_once_although_answers_are_kept() {
    let ensemble = Ensemble::start(1);
    let operator = ensemble.operator();
    wait(async {
        let session = session(&ensemble.connect_string()).await;
        session.create("/mine", b"", Mode::Ephemeral).await.unwrap();
        let (_, event) = session.exists_and_watch("/other").await.unwrap();
        let (_, kept) = session.exists_and_watch("/another").await.unwrap();
        let kept_answer = session.children_and_watch("/");
        let kept_write = session.create("/kept", b"", Mode::Persistent);
        let ends = session.state_after(State::Connected);
        session.close();
        assert_eq!(session.state(), State::Ended(Ending::Closed));
        assert_eq!(ends.await, State::Ended(Ending::Closed));
        event.await;
        let late = session.get("/mine").await;
        assert_eq!(late, Err(Failed::Ended(Ending::Closed)));
        let mut tries = 0;
        while operator.stat("/mine").unwrap().is_some() {
            tries += 1;
            assert!(tries < 50, "far less than the session's timeout");
            pause(Duration::from_millis(20)).await;
        }
        kept_write.await.unwrap();
        drop((kept, kept_answer));
    });
}

#[test]
fn a_session_that_is_dropped_is_closed() {
    let ensemble = Ensemble::start(1);
    let operator = ensemble.operator();
    wait(async {
        let session = session(&ensemble.connect_string()).await;
        session.create("/mine", b"", Mode::Ephemeral).await.unwrap();
        drop(session);
        let mut tries = 0;
        while operator.stat("/mine").unwrap().is_some() {
            tries += 1;
            assert!(tries < 50, "far less than the session's timeout");
            pause(Duration::from_millis(20)).await;
        }
    });
}

#[test]
fn the_servers_grant_what_they_allow() {
    let settings = Settings::new(1).min_session_timeout(Duration::from_secs(7));
    let ensemble = settings.start();
    wait(async {
        let session = session(&ensemble.connect_string()).await;
        assert_eq!(session.timeout(), Duration::from_secs(7));
    });
}

#[test]
fn who_does_not_answer_is_named_with_what_is_wrong() {
    let ensemble = Ensemble::start(1);
    let port = ensemble.server(1).port();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let silent = listener.local_addr().unwrap().port();
    wait(async {
        ensemble.server(1).kill();
        let text = format!("127.0.0.1:{port},127.0.0.1:{silent},no-such-host.invalid");
        let refused = servers(&text).connect(SESSION).await.unwrap_err();
        let Failed::Unreachable(says) = refused else {
            panic!("{refused:?}");
        };
        for part in [
            format!("127.0.0.1:{port}: it refuses connections"),
            format!("127.0.0.1:{silent}: it takes connections and says nothing"),
            "no-such-host.invalid:2181: its name cannot be resolved".to_owned(),
        ] {
            assert!(says.contains(&part), "{says}");
        }
    });
}

#[test]
fn servers_without_a_quorum_are_said_to_have_none() {
    let ensemble = Ensemble::start(3);
    wait(async {
        for number in [1, 2] {
            ensemble.server(number).kill();
        }
        while ensemble.server(3).mode().is_some() {
            pause(Duration::from_millis(20)).await;
        }
        let only = format!("127.0.0.1:{}", ensemble.server(3).port());
        let refused = servers(&only).connect(SESSION).await.unwrap_err();
        assert!(refused.to_string().contains("no quorum"), "{refused}");
    });
}

#[test]
fn an_attempt_ends_at_the_connection_timeout() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let silent = listener.local_addr().unwrap();
    wait(async {
        let builder = zookeeper::Ensemble::builder().connect_string(silent.to_string());
        let builder = builder.connection_timeout(Duration::from_millis(300));
        let connecting = builder.real_servers().unwrap().connect(PATIENCE);
        // With a second for the server to be asked what is wrong, and time for a slow machine.
        let limited = tokio::time::timeout(Duration::from_secs(10), connecting);
        let refused = limited.await.unwrap().unwrap_err();
        assert!(matches!(refused, Failed::Unreachable(_)), "{refused:?}");
    });
}
