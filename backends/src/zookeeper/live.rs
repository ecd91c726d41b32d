//! One session, and what is known of whether the servers count it as alive.
//!
//! What proves it is a write through the quorum, and nothing else: a server that is cut off from its leader goes on answering pings and
//! reads. And a server passes its clients' signs of life on with its leader's pings only, so that one acknowledged write proves an earlier one
//! ([`Signs`]). There is one such write for all elections of the session.

use std::fmt;
use std::sync::{Arc, Mutex, Weak};

use futures_util::FutureExt;
use futures_util::future::{BoxFuture, Shared};
use tenure_core::backend::{Signs, Standing};
use tenure_core::{Clock, Nanos, Reading};

use super::error::Failure;
use super::janitor::Janitor;
use super::names;
use super::pace::Pace;
use super::planted::{Mistake, Planted};
use super::queue::Queue;
use super::session::{Ending, Failed, Mode, Pending, Session, Stat, State, Step};
use super::session_watch::SessionWatch;
use crate::locked::locked;
use crate::tasks::{TaskGuard, Tasks};

/// By which connection of which session something was learned.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub(crate) struct Way {
    connection: u64,
    pub(crate) session: i64,
}

/// A session, from its beginning to its end.
pub(crate) struct Live {
    beats: Mutex<Beats>,
    clock: Arc<dyn Clock>,
    /// The nodes by which elections are led now, by their tokens.
    holds: Mutex<Vec<(u64, Arc<str>)>>,
    pub(crate) janitor: Arc<Janitor>,
    /// Where the heartbeats go.
    node: String,
    pub(crate) pace: Pace,
    planted: Planted,
    pub(crate) session: Arc<dyn Session>,
    /// What tidies up, and what beats once somebody contends.
    running: Mutex<Vec<TaskGuard>>,
    tasks: Arc<dyn Tasks>,
    pub(crate) watch: Arc<SessionWatch>,
}

type Beat = Shared<BoxFuture<'static, Result<(), Failed>>>;

struct Beats {
    /// Whether somebody has begun to contend.
    contends: bool,
    /// One that was sent and not answered yet.
    flight: Option<Beat>,
    /// Whether the session's node is known to have been made.
    made: bool,
    /// When the newest was sent, whatever became of it.
    sent: Reading,
    /// When the last acknowledged one but one was sent, for a planted mistake.
    last_but_one: Reading,
    signs: Signs,
    /// Why the newest was refused, where it was: more of them will be.
    trouble: Option<Failed>,
}

/// A write that makes the session's node, and a read that shows by which transaction.
pub(crate) struct Opening {
    sent: Reading,
    done: Pending<()>,
    node: Pending<(Vec<u8>, Stat)>,
}

impl Beats {
    fn acknowledged(&mut self, sent: Reading, at: Reading) {
        self.made = true;
        if let Some(standing) = self.signs.standing() {
            self.last_but_one = standing.sent;
        }
        self.signs.acknowledged(sent, at);
    }
}

impl fmt::Debug for Live {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Live")
            .field("session", &self.session)
            .field("node", &self.node)
            .finish_non_exhaustive()
    }
}

impl Live {
    /// Goes on with a session that was asked for at `sent` and has just begun. The servers count it from its beginning.
    pub(crate) fn begin(
        session: Arc<dyn Session>,
        sent: Reading,
        base: &str,
        pace: Pace,
        clock: Arc<dyn Clock>,
        tasks: &Arc<dyn Tasks>,
        planted: Planted,
    ) -> Arc<Self> {
        let beats = Beats {
            contends: false,
            flight: None,
            made: false,
            sent,
            last_but_one: sent,
            signs: Signs::opened(Some(pace.gap), sent, clock.now()),
            trouble: None,
        };
        let janitor = Arc::new(Janitor::new(
            Arc::clone(&session),
            Arc::clone(&clock),
            pace.retry,
        ));
        let watch = SessionWatch::new(
            Arc::clone(&session),
            names::requests_path(base),
            pace.retry,
            Arc::clone(&clock),
        );
        let live = Arc::new(Self {
            beats: Mutex::new(beats),
            clock,
            holds: Mutex::default(),
            node: names::session_path(base, session.id()),
            janitor: Arc::clone(&janitor),
            pace,
            planted,
            session,
            running: Mutex::default(),
            tasks: Arc::clone(tasks),
            watch,
        });
        let works = tasks.spawn(Box::pin(janitor.work()));
        locked(&live.running).push(works);
        live
    }

    /// Whether nobody has contended by this session yet. Says so once.
    pub(crate) fn is_first_to_contend(&self) -> bool {
        !std::mem::replace(&mut locked(&self.beats).contends, true)
    }

    /// Does `steps` together with the first sign of life, if that was not given yet.
    pub(crate) fn open(&self, mut steps: Vec<Step>) -> Opening {
        steps.insert(
            0,
            Step::Create {
                path: self.node.clone(),
                data: Vec::new(),
                mode: Mode::Ephemeral,
            },
        );
        // No heartbeat makes the node anew between the two.
        let _beats = locked(&self.beats);
        Opening {
            sent: self.clock.now(),
            done: self.session.multi(steps),
            node: self.session.get(&self.node),
        }
    }

    /// Waits for that, and tells by which transaction it was done, where a read shows it.
    pub(crate) async fn opened(&self, opening: Opening) -> Result<Option<i64>, Failed> {
        let Opening { sent, done, node } = opening;
        done.await?;
        {
            let mut beats = locked(&self.beats);
            if !beats.made {
                if beats.flight.is_none() {
                    beats.sent = sent;
                }
                beats.acknowledged(sent, self.clock.now());
            }
        }
        let made = node.await.ok().map(|(_, stat)| stat);
        let made = made.filter(|stat| stat.ephemeral_owner == self.id());
        Ok(made.map(|stat| stat.czxid))
    }

    /// Gives signs of life from now on: somebody contends. Who only looks on needs no right to write.
    pub(crate) fn contend(self: &Arc<Self>) {
        let mut running = locked(&self.running);
        if running.len() < 2 {
            let made = {
                let mut beats = locked(&self.beats);
                beats.contends = true;
                beats.made
            };
            let first = (!made).then(|| self.beat());
            let beats = keep_beating(Arc::downgrade(self), first);
            running.push(self.tasks.spawn(Box::pin(beats)));
        }
    }

    /// Tells `queue` of the session's states and of operators' requests from now on.
    pub(crate) fn tell(&self, queue: &Arc<Queue>) {
        self.watch.tell(queue, &*self.tasks);
    }

    pub(crate) fn id(&self) -> i64 {
        self.session.id()
    }

    /// The connection of now. What is asked for after this was read is answered over it, if it still is the one when the answer has come.
    pub(crate) fn way(&self) -> Way {
        Way {
            connection: self.session.connection(),
            session: self.id(),
        }
    }

    /// Where the heartbeats go.
    pub(crate) fn node(&self) -> &str {
        &self.node
    }

    /// Why the servers refuse heartbeats, where they do.
    pub(crate) fn trouble(&self) -> Option<Failed> {
        locked(&self.beats).trouble.clone()
    }

    pub(crate) fn has_ended(&self) -> Option<Ending> {
        match self.session.state() {
            State::Ended(how) => Some(how),
            State::Connected | State::Disconnected => None,
        }
    }

    /// Waits while there is no connection: what is sent meanwhile is lost at once, and found again too late.
    pub(crate) async fn connected(&self) {
        connected(&*self.session).await;
    }

    /// What is known by now.
    pub(crate) fn standing(&self) -> Standing {
        let beats = locked(&self.beats);
        let standing = beats.signs.standing();
        let standing = standing.expect("a session that was opened is proven");
        let proven = if self.planted.is(Mistake::FromLastAcknowledged) {
            standing.sent
        } else if self.planted.is(Mistake::FromLastButOne) {
            beats.last_but_one
        } else if self.planted.is(Mistake::WaitsForExpired) && self.has_ended().is_none() {
            self.clock.now()
        } else {
            standing.proven
        };
        Standing { proven, ..standing }
    }

    /// What is known once a heartbeat is acknowledged that was sent after `known`; now, if one was.
    pub(crate) async fn vouch(self: &Arc<Self>, known: Reading) -> Result<Standing, Failed> {
        if self.planted.is(Mistake::WaitsForExpired) {
            drop(self.beat());
            return match self.has_ended() {
                Some(how) => Err(Failed::Ended(how)),
                None => Ok(self.standing()),
            };
        }
        let newest = self.standing().sent;
        if newest.longest_since(known) == Nanos::ZERO {
            self.connected().await;
            self.beat().await?;
        }
        Ok(self.standing())
    }

    /// Sends a heartbeat at once if one is due. A machine that was suspended still sleeps until the next one, and a leadership that begins
    /// meanwhile would be proven too late.
    pub(crate) async fn catch_up(self: &Arc<Self>) -> Result<(), Failed> {
        if self.due_in() == Nanos::ZERO {
            self.beat().await?;
        }
        Ok(())
    }

    /// Takes in that a write of this session that is no heartbeat, sent then, was acknowledged.
    pub(crate) fn wrote(&self, sent: Reading) {
        locked(&self.beats).signs.acknowledged_out_of_turn(sent);
    }

    /// Sends a heartbeat, or joins the one that is under way.
    fn beat(self: &Arc<Self>) -> Beat {
        let mut beats = locked(&self.beats);
        if let Some(flight) = &beats.flight {
            return flight.clone();
        }
        let sent = self.clock.now();
        beats.sent = sent;
        let live = Arc::downgrade(self);
        let answer: BoxFuture<'static, Result<(), Failed>> = if !beats.made {
            Box::pin(Self::make_node(
                Arc::clone(&self.session),
                self.node.clone(),
            ))
        } else if self.planted.is(Mistake::PingIsHeartbeat) {
            let read = self.session.get(&self.node);
            Box::pin(async { read.await.map(drop) })
        } else {
            let write = self.session.set(&self.node, b"", None);
            let (session, node) = (Arc::clone(&self.session), self.node.clone());
            Box::pin(async move {
                match write.await {
                    // Somebody deleted it. Making it is a write as well.
                    Err(Failed::NoNode) => Self::make_node(session, node).await,
                    answer => answer.map(drop),
                }
            })
        };
        let flight = async move {
            let answer = answer.await;
            if let Some(live) = live.upgrade() {
                let mut beats = locked(&live.beats);
                beats.flight = None;
                beats.trouble = match &answer {
                    Ok(()) | Err(Failed::Lost | Failed::Ended(_)) => None,
                    Err(refused) => Some(refused.clone()),
                };
                if answer.is_ok() {
                    beats.acknowledged(sent, live.clock.now());
                }
            }
            answer
        };
        let flight = flight.boxed().shared();
        beats.flight = Some(flight.clone());
        flight
    }

    async fn make_node(session: Arc<dyn Session>, node: String) -> Result<(), Failed> {
        let made = create(&*session, &node, b"", Mode::Ephemeral, Mode::Persistent).await;
        match made {
            // The answer to an earlier attempt was lost. Nothing was written, so this proves nothing: write.
            Err(Failed::NodeExists) => session.set(&node, b"", None).await.map(drop),
            made => made.map(drop),
        }
    }

    /// How long until the next heartbeat is due.
    fn due_in(&self) -> Nanos {
        let beats = locked(&self.beats);
        self.due_after(&beats, self.clock.now())
    }

    fn due_after(&self, beats: &Beats, now: Reading) -> Nanos {
        if self.planted.is(Mistake::FromLastButOne) {
            let since = now.longest_since(beats.sent);
            return self.pace.interval.saturating_sub(since);
        }
        let standing = beats.signs.standing();
        let acknowledged = standing.map_or(beats.sent, |standing| standing.acknowledged);
        self.pace.due_in(beats.sent, acknowledged, now)
    }

    /// Whether a leadership that begins now goes on, if nothing goes wrong.
    pub(crate) fn is_followed_by_proof(&self, standing: Standing) -> bool {
        let beats = locked(&self.beats);
        // One moment for all of it: what is due when the last one is just proven must not come out a little too early.
        let now = self.clock.now();
        let beat = match beats.flight {
            Some(_) => beats.sent,
            None => now.plus(self.due_after(&beats, now)),
        };
        self.pace.is_followed_by_proof(standing, now, beat)
    }

    /// Notes that an election is led by the node at `path`.
    pub(crate) fn leads(&self, token: u64, path: &Arc<str>) {
        locked(&self.holds).push((token, Arc::clone(path)));
    }

    /// Notes that the node at `path` leads nothing any more.
    pub(crate) fn leads_no_longer(&self, path: &str) {
        locked(&self.holds).retain(|(_, led)| **led != *path);
    }

    /// Does `steps` if the leadership with this token stands; nothing where this session does not have it.
    pub(crate) async fn fenced(&self, token: u64, steps: Vec<Step>) -> Option<Result<(), Failed>> {
        let path = {
            let holds = locked(&self.holds);
            let hold = holds.iter().find(|(led, _)| *led == token)?;
            hold.1.to_string()
        };
        let check = Step::Check {
            path,
            version: None,
        };
        let all = std::iter::once(check).chain(steps).collect();
        let sent = self.clock.now();
        let answer = self.session.multi(all).await;
        if answer.is_ok() {
            self.wrote(sent);
        }
        Some(answer)
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        self.session.close();
    }
}

/// Sends heartbeats for as long as the session and somebody who wants it are there.
async fn keep_beating(live: Weak<Live>, first: Option<Beat>) {
    if let Some(first) = first
        && let Err(error) = first.await
    {
        tracing::debug!(%error, "the first heartbeat was not acknowledged");
    }
    loop {
        let (wait, clock) = {
            let Some(live) = live.upgrade() else { return };
            (live.due_in(), Arc::clone(&live.clock))
        };
        clock.sleep(wait.into()).await;
        // Not the session's keeper: it ends while there is no connection, if nobody else wants it.
        let session = live.upgrade().map(|live| Arc::clone(&live.session));
        if let Some(session) = session {
            connected(&*session).await;
        }
        let (beat, retry) = {
            let Some(live) = live.upgrade() else { return };
            if live.has_ended().is_some() {
                return;
            }
            if live.due_in() > Nanos::ZERO {
                continue;
            }
            (live.beat(), live.pace.retry)
        };
        if let Err(error) = beat.await {
            tracing::debug!(%error, "a heartbeat was not acknowledged");
            clock.sleep(retry).await;
        }
    }
}

/// Waits while a session has no connection.
pub(crate) async fn connected(session: &dyn Session) {
    while session.state() == State::Disconnected {
        session.state_after(State::Disconnected).await;
    }
}

/// Makes a node, and its parents as far as they are missing. The next parent is made like `parent`, those above it stay for good.
pub(crate) async fn create(
    session: &dyn Session,
    path: &str,
    data: &[u8],
    mode: Mode,
    parent: Mode,
) -> Result<(String, Stat), Failed> {
    /// A container may vanish as often as it is made, if nobody stands in it.
    const TRIES: u32 = 4;
    for _ in 0..TRIES {
        match session.create(path, data, mode).await {
            Err(Failed::NoNode) => make_parents(session, path, parent).await?,
            made => return made,
        }
    }
    Err(Failed::NoNode)
}

/// Makes a node that stays, and its parents, as far as they are missing.
pub(crate) async fn make(session: &dyn Session, path: &str) -> Result<(), Failed> {
    match create(session, path, b"", Mode::Persistent, Mode::Persistent).await {
        Ok(_) | Err(Failed::NodeExists) => Ok(()),
        Err(failed) => Err(failed),
    }
}

/// Where a node could not be made for want of rights: that its base is missing, if it is. That is what to see to then.
pub(crate) async fn missing_base(
    session: &dyn Session,
    base: &str,
    failed: &Failed,
) -> Option<Failure> {
    if *failed != Failed::NoRights || base.is_empty() {
        return None;
    }
    let there = session.get(base).await;
    (there == Err(Failed::NoNode)).then(|| Failure::no_base(base))
}

/// Makes the parents of `path` that are missing, from the lowest that can be made.
pub(crate) async fn make_parents(
    session: &dyn Session,
    path: &str,
    mode: Mode,
) -> Result<(), Failed> {
    let parents: Vec<_> = names::parents(path).collect();
    let mut depth = parents.len();
    let mut tries = 2 * parents.len() + 2;
    while depth > 0 && depth <= parents.len() {
        tries = tries.checked_sub(1).ok_or(Failed::NoNode)?;
        let lowest = depth == parents.len();
        let mode = if lowest { mode } else { Mode::Persistent };
        let mut made = session.create(parents[depth - 1], b"", mode).await;
        if made == Err(Failed::Unsupported) && mode == Mode::Container {
            // Servers older than 3.5.3 have no containers.
            let stays = Mode::Persistent;
            made = session.create(parents[depth - 1], b"", stays).await;
        }
        match made {
            Ok(_) | Err(Failed::NodeExists) => depth += 1,
            Err(Failed::NoNode) => depth -= 1,
            Err(failed) => return Err(failed),
        }
    }
    if depth == 0 {
        Err(Failed::NoNode)
    } else {
        Ok(())
    }
}
