//! Elections as they run in production, on three servers under faults: no two leaders, whatever the servers believe.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use tenure_backends::host::{self, SystemClock};
use tenure_backends::zookeeper::Ensemble;
use tenure_core::elector::Backoff;
use tenure_core::{CandidateName, Clock, Control, ElectionName, Nanos};
use tenure_testkit::{Ensemble as Servers, Settings, Way};

use crate::scene::{builder, pause};

/// As ZooKeeper is set up by most: what it was measured with.
const TICK: Duration = Duration::from_secs(2);
const SESSION: Duration = Duration::from_secs(4);

fn wait<F: Future>(future: F) -> F::Output {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let limited = tokio::time::timeout(Duration::from_secs(150), future);
        limited.await.expect("it takes less than that")
    })
}

/// When somebody led, by the clock that all candidates here share.
#[derive(Clone, Copy, Debug)]
struct Led {
    who: usize,
    from: Nanos,
    until: Option<Nanos>,
}

/// What the work of all candidates of one election has done.
#[derive(Clone, Default, Debug)]
struct Diary(Arc<Mutex<Vec<Led>>>);

struct Page {
    diary: Diary,
    number: usize,
}

fn now() -> Nanos {
    SystemClock::new().now().boottime
}

impl Diary {
    fn begin(&self, who: usize) -> Page {
        let mut all = self.0.lock().unwrap();
        all.push(Led {
            who,
            from: now(),
            until: None,
        });
        Page {
            diary: self.clone(),
            number: all.len() - 1,
        }
    }

    fn leader(&self) -> Option<usize> {
        let all = self.0.lock().unwrap();
        let open = all.iter().find(|led| led.until.is_none());
        open.map(|led| led.who)
    }

    /// Whether all of its leaderships are over.
    fn has_stopped(&self, who: usize) -> bool {
        let all = self.0.lock().unwrap();
        let mut of = all.iter().filter(|led| led.who == who);
        of.all(|led| led.until.is_some())
    }

    /// For how long the first leader and the next one led at once.
    fn led_at_once(&self) -> Duration {
        let all = self.0.lock().unwrap();
        let ended = all[0].until.unwrap_or(Nanos::MAX);
        ended.saturating_sub(all[1].from).into()
    }

    fn has_led(&self, who: usize) -> bool {
        self.0.lock().unwrap().iter().any(|led| led.who == who)
    }

    /// Two that led at once.
    fn overlap(&self) -> Option<[Led; 2]> {
        let all = self.0.lock().unwrap();
        let pairs = all.windows(2).map(|pair| [pair[0], pair[1]]);
        let at_once = |pair: &[Led; 2]| pair[0].until.is_none_or(|ended| ended > pair[1].from);
        pairs.into_iter().find(at_once)
    }

    fn check(&self) {
        if let Some(pair) = self.overlap() {
            panic!("two led at once: {pair:?}");
        }
    }
}

impl Drop for Page {
    fn drop(&mut self) {
        self.diary.0.lock().unwrap()[self.number].until = Some(now());
    }
}

/// A candidate of a process of its own, whose work is written into the diary.
struct Candidate {
    control: Control,
    task: tokio::task::JoinHandle<()>,
    _ensemble: Ensemble,
}

impl Candidate {
    async fn start(servers: &str, name: &str, who: usize, diary: &Diary) -> Self {
        Self::start_for(SESSION, servers, name, who, diary).await
    }

    async fn start_for(
        session: Duration,
        servers: &str,
        name: &str,
        who: usize,
        diary: &Diary,
    ) -> Self {
        let opened = builder(servers, "/faults").session_timeout(session).open();
        Self::begin(opened.await.unwrap(), name, who, diary)
    }

    #[expect(clippy::disallowed_methods, reason = "the test decides where it runs")]
    fn begin(ensemble: Ensemble, name: &str, who: usize, diary: &Diary) -> Self {
        let lock = ensemble.lock(ElectionName::new(name).unwrap()).unwrap();
        let candidate = CandidateName::new(&format!("candidate-{who}")).unwrap();
        let election = host::election(lock).unwrap().candidate(candidate).build();
        let mut election = election.unwrap();
        let control = election.control();
        let diary = diary.clone();
        let task = tokio::spawn(async move {
            let work = |leadership: tenure_core::Leadership| {
                let page = diary.begin(who);
                async move {
                    let _page = page;
                    leadership.cancelled().await;
                    Ok::<_, std::convert::Infallible>(())
                }
            };
            // It ends when it is shut down.
            drop(election.run_forever(Backoff::STANDARD, work).await);
        });
        Self {
            control,
            task,
            _ensemble: ensemble,
        }
    }

    async fn stop(self) {
        self.control.shut_down();
        self.task.await.unwrap();
    }
}

async fn until(mut is_so: impl FnMut() -> bool) {
    while !is_so() {
        pause(Duration::from_millis(5)).await;
    }
}

fn three() -> Servers {
    Settings::new(3).tick_time(TICK).sync_limit(5).start()
}

/// So many elections, each led by a candidate that knows only `way` to the server `of`, with a follower that knows the others.
async fn couples(
    servers: &Servers,
    of: usize,
    way: &Way,
    count: usize,
) -> Vec<(Diary, Candidate, Candidate)> {
    let others: Vec<_> = servers
        .servers()
        .filter(|server| server.number() != of)
        .map(|server| format!("127.0.0.1:{}", server.port()))
        .collect();
    let others = others.join(",");
    let one = format!("127.0.0.1:{}", way.to(of).port());
    let mut couples = Vec::new();
    for number in 0..count {
        let diary = Diary::default();
        let name = format!("job-{number}");
        let leader = Candidate::start(&one, &name, 0, &diary).await;
        until(|| diary.leader() == Some(0)).await;
        let follower = Candidate::start(&others, &name, 1, &diary).await;
        couples.push((diary, leader, follower));
    }
    couples
}

/// A server that was cut off from its leader goes on answering its client's pings and reads for ten seconds here, while the others have long
/// given the node away. Twenty at once, each with a session of its own.
#[test]
fn a_leader_whose_server_is_cut_off_stops_before_the_next_one_leads() {
    wait(async {
        let servers = three();
        let of = servers.followers()[0].number();
        let couples = couples(&servers, of, servers.way(), 20).await;
        // Each has given signs of life by then.
        pause(SESSION / 2).await;
        servers.cut_off(of);
        until(|| couples.iter().all(|(diary, ..)| diary.has_led(1))).await;
        for (diary, ..) in &couples {
            diary.check();
        }
        servers.heal();
        servers.wait_for_all();
        for (diary, leader, follower) in couples {
            leader.stop().await;
            follower.stop().await;
            diary.check();
        }
    });
}

/// The same, with a backend that takes an answered read for a sign of life: that the test above can fail.
#[cfg(feature = "simulated-ensemble")]
#[test]
fn a_read_for_a_heartbeat_makes_two_leaders_when_a_server_is_cut_off() {
    use tenure_backends::zookeeper::simulated::{Mistake, Task, TaskGuard, Tasks, World};

    #[derive(Debug)]
    struct Here;

    impl Tasks for Here {
        #[expect(clippy::disallowed_methods, reason = "the test decides where it runs")]
        fn spawn(&self, task: Task) -> TaskGuard {
            let handle = tokio::spawn(task).abort_handle();
            TaskGuard::new(move || handle.abort())
        }
    }

    wait(async {
        let servers = three();
        let of = servers.followers()[0].number();
        let one = format!("127.0.0.1:{}", servers.server(of).port());
        let careless = builder(&one, "/faults").session_timeout(SESSION);
        let world = World {
            servers: careless.real_servers().unwrap(),
            clock: Arc::new(SystemClock::new()),
            planted: Some(Mistake::PingIsHeartbeat),
            tasks: Arc::new(Here),
        };
        let diary = Diary::default();
        let ensemble = careless.open_simulated(world).await.unwrap();
        let leader = Candidate::begin(ensemble, "job", 0, &diary);
        until(|| diary.leader() == Some(0)).await;
        let others = servers.servers().filter(|server| server.number() != of);
        let others = others.map(|server| format!("127.0.0.1:{}", server.port()));
        let others: Vec<_> = others.collect();
        let follower = Candidate::start(&others.join(","), "job", 1, &diary).await;
        // Each has given signs of life by then.
        pause(SESSION / 2).await;
        servers.cut_off(of);
        until(|| diary.has_led(1)).await;
        assert!(diary.overlap().is_some(), "{diary:?}");
        drop((leader, follower));
    });
}

/// The server dies when it has acknowledged heartbeats that its leader may never have heard of, one of which was late: what "the last but one"
/// was measured to be too much for. A hundred sessions, at a hundred moments between their heartbeats.
#[test]
fn a_leader_whose_server_dies_after_a_late_heartbeat_stops_before_the_next_one_leads() {
    wait(async {
        let servers = three();
        let of = servers.followers()[0].number();
        let way = servers.another_way();
        let couples = couples(&servers, of, &way, 100).await;
        let beat = SESSION / 3;
        way.to(of).delay(Duration::from_millis(190));
        pause(beat).await;
        way.to(of).delay(Duration::ZERO);
        pause(beat).await;
        servers.server(of).kill();
        until(|| couples.iter().all(|(diary, ..)| diary.has_led(1))).await;
        for (diary, ..) in &couples {
            diary.check();
        }
    });
}

#[test]
fn a_leader_goes_on_when_its_server_dies_and_another_takes_its_session() {
    wait(async {
        let servers = three();
        let diary = Diary::default();
        let connect = servers.direct_connect_string();
        // While a leader of the ensemble is elected nothing is proven: on a busy machine that takes longer than half a second.
        let session = Duration::from_secs(10);
        let one = Candidate::start_for(session, &connect, "job", 0, &diary).await;
        until(|| diary.leader() == Some(0)).await;
        let two = Candidate::start_for(session, &connect, "job", 1, &diary).await;
        for number in [1, 2, 3] {
            servers.server(number).kill();
            // Longer than the session, so that it would have ended.
            pause(session + session / 2).await;
            servers.server(number).restart();
            servers.wait_for_all();
        }
        assert_eq!(diary.0.lock().unwrap().len(), 1, "{diary:?}");
        assert_eq!(diary.leader(), Some(0));
        one.stop().await;
        until(|| diary.leader() == Some(1)).await;
        two.stop().await;
        diary.check();
    });
}

/// What is no part of the claim: the servers take the node away, and the next one leads, before the leader can know. It stops as soon as it
/// hears of it, and how long both led is said.
#[test]
fn a_leader_whose_session_an_administrator_closes_stops_and_stands_again() {
    wait(async {
        let servers = three();
        let of = servers.followers()[0].number();
        let couples = couples(&servers, of, servers.way(), 20).await;
        let sessions: Vec<_> = servers.server(of).connections();
        for connection in sessions {
            let closed = tokio::task::block_in_place(|| servers.close_session(connection.session));
            closed.unwrap();
        }
        until(|| couples.iter().all(|(diary, ..)| diary.has_led(1))).await;
        until(|| couples.iter().all(|(diary, ..)| diary.has_stopped(0))).await;
        let mut overlaps: Vec<_> = couples
            .iter()
            .map(|(diary, ..)| diary.led_at_once())
            .collect();
        overlaps.sort();
        eprintln!("both led for {overlaps:?}");
        for (number, (diary, leader, follower)) in couples.into_iter().enumerate() {
            follower.stop().await;
            if number == 0 {
                until(|| diary.leader() == Some(0)).await;
            }
            leader.stop().await;
        }
    });
}

/// The answers to the release, and to the claims of all, are lost with the quorum.
#[test]
fn somebody_leads_again_when_a_leader_resigned_while_there_was_no_quorum() {
    wait(async {
        let servers = three();
        let diary = Diary::default();
        let mut candidates = Vec::new();
        for who in 0..4 {
            let connect = servers.direct_connect_string();
            candidates.push(Candidate::start(&connect, "job", who, &diary).await);
        }
        for _ in 0..3 {
            until(|| diary.leader().is_some()).await;
            let leader = diary.leader().unwrap();
            servers.scatter();
            candidates[leader].control.resign();
            until(|| diary.leader().is_none()).await;
            pause(SESSION).await;
            servers.heal();
        }
        until(|| diary.leader().is_some()).await;
        for candidate in candidates {
            candidate.stop().await;
        }
        diary.check();
    });
}

#[test]
fn nobody_leads_while_there_is_no_quorum() {
    wait(async {
        let servers = three();
        let diary = Diary::default();
        let connect = servers.direct_connect_string();
        let one = Candidate::start(&connect, "job", 0, &diary).await;
        until(|| diary.leader() == Some(0)).await;
        servers.scatter();
        until(|| diary.leader().is_none()).await;
        pause(SESSION).await;
        assert_eq!(diary.leader(), None);
        servers.heal();
        until(|| diary.leader() == Some(0)).await;
        one.stop().await;
        diary.check();
    });
}
