//! What the real servers and clients were seen to do, the simulated ones do.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use tenure_backends::zookeeper::simulated::{
    Ending, Event, Failed, Mode, Pending, Servers, Session, State as Seen, Step,
};
use tenure_core::{Clock, Nanos, WallTime};

use super::connection::{Connection, Lane};
use super::server::Role;
use super::tracker::Tracker;
use super::{Condition, Ensemble, Habits, Party, SERVERS, Setting, SimServers};
use crate::TrueTime;
use crate::clock::{ClockStart, Counter, NodeClock};
use crate::electors::{LinkState, Network};
use crate::executor::{Executor, Limits, NodeId, Order, Process, Step as Stepped};
use crate::plan::{Direction, Fault, Who};

const NODES: usize = 4;
const TICK: Duration = Duration::from_secs(2);
const TIMEOUT: Duration = Duration::from_secs(6);

struct Scene {
    clock: Arc<dyn Clock>,
    ensemble: Ensemble,
    executor: Executor,
    /// Those of the clients that begin.
    habits: Habits,
    network: Network,
}

/// A process with a session.
struct Member {
    process: Process,
    session: Arc<dyn Session>,
}

impl Scene {
    fn new() -> Self {
        Self::of(None)
    }

    /// Servers that are so patient.
    fn of(sync_limit: Option<u32>) -> Self {
        let executor = Executor::new(1, Order::Seeded, Limits::STANDARD);
        let network = Network::new(1, NODES);
        let setting = Setting {
            network: network.clone(),
            rate_ppm: 0,
            seed: 1,
            silent: false,
            sync_limit,
            tick: TICK,
        };
        let start = ClockStart {
            uptime: Nanos::from_millis(1_000),
            rate_ppm: 0,
            wall: WallTime::from_unix_seconds(1_700_000_000),
        };
        let clock = NodeClock::new(executor.handle(), start).clock();
        let ensemble = Ensemble::new(executor.handle(), setting);
        let mut scene = Self {
            clock,
            ensemble,
            executor,
            habits: Habits::Crate,
            network,
        };
        scene.run(Duration::from_secs(1));
        scene
    }

    fn now(&self) -> TrueTime {
        self.executor.now()
    }

    fn run(&mut self, duration: Duration) {
        let until = self.now().plus(duration);
        while !matches!(self.executor.step(until), Stepped::Reached) {}
    }

    /// Waits for an answer, for at most a while.
    fn answer<T: Send + 'static>(&mut self, pending: Pending<T>) -> Option<Result<T, Failed>> {
        self.answer_within(pending, Duration::from_secs(2))
    }

    fn answer_within<T: Send + 'static>(
        &mut self,
        pending: Pending<T>,
        limit: Duration,
    ) -> Option<Result<T, Failed>> {
        let slot = Arc::new(Mutex::new(None));
        let told = Arc::clone(&slot);
        self.executor.handle().spawn_in_world(async move {
            let answer = pending.await;
            *told.lock().unwrap() = Some(answer);
        });
        let until = self.now().plus(limit);
        while slot.lock().unwrap().is_none() {
            if matches!(self.executor.step(until), Stepped::Reached) {
                break;
            }
        }
        slot.lock().unwrap().take()
    }

    fn done<T: Send + 'static>(&mut self, pending: Pending<T>) -> T {
        match self.answer(pending) {
            Some(Ok(answer)) => answer,
            Some(Err(failed)) => panic!("{failed}"),
            None => panic!("no answer"),
        }
    }

    /// A session of a process on this node; on that server, if one is given.
    fn begin(&mut self, node: u16, server: Option<usize>, timeout: Duration) -> Member {
        let node = NodeId(node);
        loop {
            let process = Process::on(node);
            let party = Party {
                clock: Arc::clone(&self.clock),
                node,
                habits: self.habits,
                number: 0,
                process: process.clone(),
                server: None,
                tagger: Arc::new(|_| 0),
            };
            let servers = SimServers::new(&self.ensemble, party);
            let session = self.done(servers.connect(timeout));
            let party = Member { process, session };
            let on = self.server_of(&party);
            if server.is_none_or(|server| on == Some(server)) {
                return party;
            }
            party.session.close();
        }
    }

    /// To which server a session's client is connected.
    fn server_of(&self, party: &Member) -> Option<usize> {
        let id = party.session.id();
        self.ensemble.with(|state| {
            let of = |one: &&Connection| one.open && one.session == Some(id);
            let connection = state.connections.values().rfind(of);
            connection.map(|one| one.server)
        })
    }

    /// Whether an event comes within a while.
    fn fires(&mut self, event: Event) -> bool {
        let pending = Box::pin(async {
            event.await;
            Ok(())
        });
        self.answer(pending).is_some()
    }

    fn leader(&self) -> usize {
        self.ensemble.with(|state| state.leader()).unwrap()
    }

    fn follower(&self) -> usize {
        (self.leader() + 1) % SERVERS
    }

    fn trouble(&self, change: impl FnOnce(&mut Condition)) {
        let mut condition = Condition::default();
        change(&mut condition);
        self.ensemble.set_condition(condition);
    }

    fn exists(&self, path: &str) -> bool {
        self.ensemble.truth(|tree| tree.node(path).is_some())
    }

    /// How long until this node is gone for a majority.
    fn gone_after(&mut self, path: &str) -> Duration {
        let began = self.now();
        while self.exists(path) {
            self.run(Duration::from_millis(10));
            assert!(self.now() < began.plus(Duration::from_secs(60)), "it stays");
        }
        Duration::from_nanos(self.now().nanos() - began.nanos())
    }

    fn cut_link(&self, node: u16, cut: bool) {
        let mut link = LinkState::default();
        if cut {
            link.add(&Fault::Cut {
                direction: Direction::Both,
                node: Who::Node(node),
            });
        }
        self.network.set(usize::from(node), link);
        self.ensemble.links_changed();
    }
}

#[test]
fn a_timeout_is_granted_within_2_and_20_ticks() {
    let mut scene = Scene::new();
    for (asked, granted) in [(1, 4), (6, 6), (600, 40)] {
        let party = scene.begin(0, None, Duration::from_secs(asked));
        assert_eq!(party.session.timeout(), Duration::from_secs(granted));
    }
}

#[test]
fn a_session_ends_at_a_tick_after_its_timeout_and_its_nodes_all_at_once() {
    let mut scene = Scene::new();
    let party = scene.begin(0, None, TIMEOUT);
    for path in ["/a", "/b"] {
        scene.done(party.session.create(path, b"", Mode::Ephemeral));
    }
    scene.done(party.session.create("/c", b"", Mode::Persistent));
    scene.ensemble.process_died(&party.process, false);
    let after = scene.gone_after("/a");
    assert!(after + TICK / 2 > TIMEOUT && after < TIMEOUT + TICK + TICK / 2);
    assert!(!scene.exists("/b") && scene.exists("/c"));
}

#[test]
fn a_closed_session_ends_at_once() {
    let mut scene = Scene::new();
    let party = scene.begin(0, None, TIMEOUT);
    scene.done(party.session.create("/a", b"", Mode::Ephemeral));
    party.session.close();
    assert!(scene.gone_after("/a") < Duration::from_millis(500));
    assert_eq!(party.session.state(), Seen::Ended(Ending::Closed));
}

#[test]
fn a_server_that_is_cut_off_answers_pings_and_reads_while_its_clients_sessions_end() {
    let mut scene = Scene::new();
    let server = scene.follower();
    let party = scene.begin(0, Some(server), Duration::from_secs(4));
    scene.done(party.session.create("/a", b"", Mode::Ephemeral));
    scene.trouble(|condition| condition.servers[server].cut = true);
    let gone = scene.gone_after("/a");
    assert!(gone < Duration::from_secs(7), "{gone:?}");
    // Two would lead who take that for a sign of life.
    assert_eq!(party.session.state(), Seen::Connected);
    let (_, stat) = scene.done(party.session.get("/a"));
    assert_eq!(stat.ephemeral_owner, party.session.id());
    scene.run(Duration::from_secs(11).saturating_sub(gone));
    assert_ne!(scene.server_of(&party), Some(server));
}

#[test]
fn a_server_that_has_lost_changes_shows_all_but_the_leaders_node_until_it_is_started_again() {
    let mut scene = Scene::new();
    let server = scene.follower();
    let other = scene.begin(0, Some(scene.leader()), TIMEOUT);
    let (stays, ends) = (Mode::Persistent, Mode::Ephemeral);
    let nodes = [("/q", stays), ("/q/leads", ends), ("/q/waits", ends)];
    for (path, mode) in nodes.into_iter().chain([("/note", stays)]) {
        scene.done(other.session.create(path, b"", mode));
    }
    scene.done(other.session.set("/note", b"leads", None));
    let party = scene.begin(1, Some(server), TIMEOUT);
    let connection = party.session.connection();
    scene.trouble(|condition| condition.servers[server].forgets = true);
    scene.run(Duration::from_secs(3));
    assert_ne!(party.session.connection(), connection);
    let party = scene.begin(2, Some(server), TIMEOUT);
    assert_eq!(scene.done(party.session.children("/q")), ["waits"]);
    // Its leader has it.
    let make = party.session.create("/q/leads", b"", stays);
    assert_eq!(scene.answer(make), Some(Err(Failed::NodeExists)));
    scene.trouble(|condition| condition.servers[server].forgets = false);
    scene.run(Duration::from_secs(3));
    let party = scene.begin(3, Some(server), TIMEOUT);
    assert_eq!(scene.done(party.session.children("/q")), ["leads", "waits"]);
}

#[test]
fn a_server_that_is_cut_off_drops_its_clients_at_its_sync_limit_where_that_is_set() {
    let mut scene = Scene::of(Some(2));
    let server = scene.follower();
    let party = scene.begin(0, Some(server), TIMEOUT);
    scene.trouble(|condition| condition.servers[server].cut = true);
    // Its leader has said something within the last half tick.
    scene.run((TICK * 3 / 2).saturating_sub(Duration::from_millis(30)));
    assert_eq!(scene.server_of(&party), Some(server));
    scene.run(TICK / 2 + Duration::from_millis(60));
    assert_ne!(scene.server_of(&party), Some(server));
}

#[test]
fn a_write_needs_a_majority() {
    let mut scene = Scene::new();
    let server = scene.leader();
    let party = scene.begin(0, Some(server), TIMEOUT);
    scene.trouble(|condition| condition.servers[server].cut = true);
    let write = party.session.create("/a", b"", Mode::Persistent);
    assert_eq!(scene.answer(write), None);
    // It leads on in its own eyes, and answers what needs nobody.
    assert!(scene.answer(party.session.get("/a")).is_none());
}

#[test]
fn a_follower_passes_on_who_was_there_with_the_leaders_pings_only() {
    let mut scene = Scene::new();
    let server = scene.follower();
    let party = scene.begin(0, Some(server), TIMEOUT);
    scene.done(party.session.create("/a", b"", Mode::Ephemeral));
    // Both signs of life are between the same two pings, and then the server is gone.
    let touched = || {
        scene
            .ensemble
            .with(|state| match &state.servers[server].role {
                Role::Following { touched, .. } => touched.contains(&party.session.id()),
                _ => false,
            })
    };
    assert!(touched(), "the leader does not know yet");
    scene.run(TICK / 2 + Duration::from_millis(20));
    let touched = scene
        .ensemble
        .with(|state| match &state.servers[server].role {
            Role::Following { touched, .. } => touched.contains(&party.session.id()),
            _ => true,
        });
    assert!(!touched, "it was passed on");
}

#[test]
fn sessions_are_in_buckets_of_ticks() {
    let second = |number: u64| TrueTime::from_nanos(number * 1_000_000_000);
    let mut tracker = Tracker::new(Counter::new(0, 0), TICK);
    tracker.track(second(1), 7, Duration::from_secs(4));
    assert_eq!(tracker.next_look(second(1)), second(2));
    assert!(tracker.expired(second(5)).is_empty());
    assert!(tracker.touch(second(5), 7));
    assert!(tracker.expired(second(9)).is_empty());
    assert_eq!(tracker.expired(second(10)), [7]);
    assert!(!tracker.touch(second(10), 7));
}

#[test]
fn a_new_leader_gives_all_sessions_their_whole_timeout_and_drops_all_clients() {
    let mut scene = Scene::new();
    let party = scene.begin(0, None, TIMEOUT);
    let (_, before) = scene.done(party.session.create("/a", b"", Mode::Ephemeral));
    scene.cut_link(0, true);
    scene.run(Duration::from_secs(4));
    let leader = scene.leader();
    scene.ensemble.change_leader();
    scene.run(Duration::from_secs(3));
    // Seven seconds after its last sign of life, of six.
    assert!(scene.exists("/a"));
    let party = scene.begin(1, None, TIMEOUT);
    let (_, after) = scene.done(party.session.create("/b", b"", Mode::Persistent));
    assert!(
        after.czxid >> 32 > before.czxid >> 32,
        "another leader counts from anew"
    );
    assert!(scene.ensemble.with(|state| state.servers[leader].serves()));
}

#[test]
fn the_numbers_of_sequential_nodes_grow_with_each_child_that_their_parent_had() {
    let mut scene = Scene::new();
    let party = scene.begin(0, None, TIMEOUT);
    let session = Arc::clone(&party.session);
    scene.done(session.create("/q", b"", Mode::Container));
    scene.done(session.create("/q/other", b"", Mode::Persistent));
    let (first, _) = scene.done(session.create("/q/n-", b"", Mode::EphemeralSequential));
    scene.done(session.delete(&first, Some(0)));
    let (second, _) = scene.done(session.create("/q/n-", b"", Mode::EphemeralSequential));
    assert_eq!(
        (first.as_str(), second.as_str()),
        ("/q/n-0000000001", "/q/n-0000000002")
    );
}

#[test]
fn a_container_is_deleted_some_time_after_its_last_child() {
    let mut scene = Scene::new();
    let party = scene.begin(0, None, TIMEOUT);
    let session = Arc::clone(&party.session);
    scene.done(session.create("/q", b"", Mode::Container));
    scene.done(session.create("/empty", b"", Mode::Container));
    scene.done(session.create("/q/a", b"", Mode::Persistent));
    scene.run(TICK * 70);
    assert!(scene.exists("/q"));
    scene.done(session.delete("/q/a", None));
    scene.run(TICK * 70);
    assert!(!scene.exists("/q"));
    assert!(scene.exists("/empty"), "one that never had a child stays");
}

#[test]
fn a_multi_does_all_or_nothing() {
    let mut scene = Scene::new();
    let party = scene.begin(0, None, TIMEOUT);
    let create = |path: &str| Step::Create {
        path: path.to_owned(),
        data: Vec::new(),
        mode: Mode::Persistent,
    };
    let check = Step::Check {
        path: "/missing".to_owned(),
        version: None,
    };
    let failed = scene.answer(party.session.multi(vec![create("/a"), check]));
    assert_eq!(failed, Some(Err(Failed::NoNode)));
    assert!(!scene.exists("/a"));
    scene.done(party.session.multi(vec![create("/a"), create("/b")]));
    assert!(scene.exists("/a") && scene.exists("/b"));
}

#[test]
fn a_watch_fires_once_and_one_on_what_is_missing_when_it_is_made() {
    let mut scene = Scene::new();
    let party = scene.begin(0, None, TIMEOUT);
    let session = Arc::clone(&party.session);
    let (stat, event) = scene.done(session.exists_and_watch("/a"));
    assert_eq!(stat, None);
    scene.done(session.create("/a", b"", Mode::Persistent));
    assert!(scene.fires(event));
    let (_, _, event) = scene.done(session.get_and_watch("/a"));
    scene.done(session.set("/a", b"1", None));
    assert!(scene.fires(event));
    let watches = scene.ensemble.with(|state| {
        let servers = state.servers.iter();
        servers.map(|server| server.watches.len()).sum::<usize>()
    });
    assert_eq!(watches, 0, "none is left after it has fired");
}

#[test]
fn a_watch_is_set_again_with_the_next_connection_and_fires_if_something_was_missed() {
    let mut scene = Scene::new();
    let party = scene.begin(0, None, TIMEOUT);
    let other = scene.begin(1, None, TIMEOUT);
    for path in ["/a", "/b"] {
        scene.done(party.session.create(path, b"", Mode::Persistent));
    }
    let (_, changed) = scene.done(party.session.exists_and_watch("/a"));
    let (_, unchanged) = scene.done(party.session.exists_and_watch("/b"));
    scene.ensemble.break_connections(NodeId(0));
    scene.done(other.session.set("/a", b"1", None));
    assert!(scene.fires(changed));
    assert!(!scene.fires(unchanged));
    assert_eq!(party.session.state(), Seen::Connected);
}

#[test]
fn answers_come_in_the_order_of_the_requests_and_reads_see_the_writes_before_them() {
    let mut scene = Scene::new();
    let server = scene.follower();
    let party = scene.begin(0, Some(server), TIMEOUT);
    let write = party.session.create("/a", b"1", Mode::Persistent);
    let again = party.session.set("/a", b"2", None);
    let read = party.session.get("/a");
    let (data, stat) = scene.done(read);
    assert_eq!((data.as_slice(), stat.version), (b"2".as_slice(), 1));
    // Theirs were there before.
    assert!(scene.answer_within(write, Duration::ZERO).is_some());
    assert!(scene.answer_within(again, Duration::ZERO).is_some());
    let mut lane = Lane::default();
    let (late, soon) = (Duration::from_secs(2), Duration::from_secs(1));
    lane.send(TrueTime::START, late, "first");
    lane.send(TrueTime::START, soon, "second");
    assert_eq!(lane.take(TrueTime::START.plus(soon)), None);
    assert_eq!(lane.take(TrueTime::START.plus(late)), Some("first"));
    assert_eq!(lane.take(TrueTime::START.plus(late)), Some("second"));
}

#[test]
fn what_was_asked_is_lost_with_the_connection_and_may_happen_all_the_same() {
    let mut scene = Scene::new();
    let party = scene.begin(0, None, TIMEOUT);
    let write = party.session.create("/a", b"", Mode::Persistent);
    scene.ensemble.break_connections(NodeId(0));
    assert_eq!(scene.answer(write), Some(Err(Failed::Lost)));
    scene.run(Duration::from_millis(500));
    assert!(scene.exists("/a"), "it was on its way");
    scene.trouble(|condition| condition.loses_answers = 1_000);
    let write = party.session.create("/b", b"", Mode::Persistent);
    assert_eq!(scene.answer(write), Some(Err(Failed::Lost)));
    assert!(scene.exists("/b"));
}

#[test]
fn what_an_earlier_connection_still_brings_is_refused_once_the_session_has_moved() {
    let mut scene = Scene::new();
    let party = scene.begin(0, None, TIMEOUT);
    let server = scene.server_of(&party).unwrap();
    scene.trouble(|condition| condition.servers[server].hangs = true);
    let write = party.session.create("/a", b"", Mode::Persistent);
    assert_eq!(scene.answer_within(write, TIMEOUT), Some(Err(Failed::Lost)));
    scene.run(Duration::from_secs(1));
    assert_ne!(scene.server_of(&party), Some(server));
    scene.done(party.session.create("/b", b"", Mode::Persistent));
    scene.trouble(|_| {});
    scene.run(Duration::from_secs(5));
    assert!(scene.exists("/b") && !scene.exists("/a"));
}

#[test]
fn a_client_is_told_that_its_session_has_expired_or_says_so_by_its_own_clock() {
    let mut scene = Scene::new();
    let party = scene.begin(0, None, TIMEOUT);
    scene.done(party.session.create("/a", b"", Mode::Ephemeral));
    scene.cut_link(0, true);
    scene.run(TIMEOUT * 13 / 10);
    assert_eq!(party.session.state(), Seen::Disconnected);
    scene.run(TIMEOUT * 2 / 10);
    assert_eq!(party.session.state(), Seen::Ended(Ending::Expired));
    scene.cut_link(0, false);
    let party = scene.begin(0, None, TIMEOUT);
    scene.done(party.session.create("/b", b"", Mode::Ephemeral));
    scene.ensemble.end_session(&party.process);
    scene.run(Duration::from_secs(1));
    assert!(!scene.exists("/b"));
    assert_eq!(party.session.state(), Seen::Ended(Ending::Expired));
}

#[test]
fn a_sync_waits_until_a_server_that_is_behind_has_caught_up() {
    let mut scene = Scene::new();
    let server = scene.follower();
    let reader = scene.begin(0, Some(server), TIMEOUT);
    let writer = scene.begin(1, Some(scene.leader()), TIMEOUT);
    scene.trouble(|condition| condition.servers[server].lags = Duration::from_secs(1));
    scene.done(writer.session.create("/a", b"", Mode::Persistent));
    let early = scene.answer(reader.session.get("/a"));
    assert_eq!(early, Some(Err(Failed::NoNode)));
    let synced = reader.session.sync("/");
    let read = reader.session.get("/a");
    scene.done(synced);
    scene.done(read);
}

#[test]
fn a_client_is_let_in_by_no_server_that_has_seen_less_than_it() {
    let mut scene = Scene::new();
    let behind = scene.follower();
    let party = scene.begin(0, Some(scene.leader()), TIMEOUT);
    scene.trouble(|condition| condition.servers[behind].lags = Duration::from_secs(8));
    for number in 0..6 {
        scene.done(
            party
                .session
                .create(&format!("/{number}"), b"", Mode::Persistent),
        );
        scene.ensemble.break_connections(NodeId(0));
        scene.run(Duration::from_secs(1));
        assert_ne!(scene.server_of(&party), Some(behind));
    }
}

#[test]
fn a_client_of_javas_gives_a_connection_up_after_two_thirds_and_a_session_after_four_thirds() {
    let mut scene = Scene::new();
    scene.habits = Habits::Java;
    let party = scene.begin(0, None, TIMEOUT);
    scene.run(TIMEOUT * 2);
    assert_eq!(party.session.state(), Seen::Connected);
    scene.cut_link(0, true);
    let cut = scene.now();
    // It has heard something within the third in which it pings.
    for (at, state) in [
        (1_950, Seen::Connected),
        (4_050, Seen::Disconnected),
        (5_950, Seen::Disconnected),
        (8_050, Seen::Ended(Ending::Expired)),
    ] {
        let at = cut.plus(Duration::from_millis(at));
        scene.run(at.since(scene.now()));
        assert_eq!(party.session.state(), state, "{at:?}");
    }
}

#[test]
fn a_client_of_javas_that_stood_still_looks_at_its_clock_before_it_reads() {
    for (stands, state) in [
        (TIMEOUT * 9 / 10, Seen::Disconnected),
        (TIMEOUT * 3, Seen::Ended(Ending::Expired)),
    ] {
        let mut scene = Scene::new();
        scene.habits = Habits::Java;
        let party = scene.begin(0, None, TIMEOUT);
        scene.executor.pause(&party.process);
        scene.run(stands);
        assert_eq!(party.session.state(), Seen::Connected);
        scene.executor.resume(&party.process);
        scene.ensemble.links_changed();
        scene.run(Duration::from_millis(10));
        assert_eq!(party.session.state(), state);
    }
}
