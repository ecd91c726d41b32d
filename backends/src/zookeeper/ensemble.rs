use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::{BoxFuture, Either, Shared as SharedFuture, select};
use tenure_core::{Clock, ElectionName, Error, ErrorKind, FencingToken, Timing};

use super::config::EnsembleBuilder;
use super::config::Settings;
use super::error::{Failure, failure};
use super::live::Live;
use super::lock::NodeLock;
use super::names::OWN;
use super::pace::{Allowances, Pace, shortest_session};
use super::planted::Planted;
use super::session::{Failed, Servers, Step};
use crate::locked::locked;
use crate::tasks::Tasks;

/// A ZooKeeper ensemble, as all elections of one process share it: one client, one session, one heartbeat.
///
/// A session that has ended is followed by another one as soon as an election needs it. Clones are the same; the session is closed with the
/// last of them and of their locks.
#[derive(Clone, Debug)]
pub struct Ensemble(pub(crate) Arc<Shared>);

pub(crate) struct Shared {
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) planted: Planted,
    servers: Arc<dyn Servers>,
    slot: Mutex<Slot>,
    pub(crate) settings: Settings,
    pub(crate) tasks: Arc<dyn Tasks>,
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ensemble")
            .field("url", &self.settings.url)
            .finish_non_exhaustive()
    }
}

type Connecting = SharedFuture<BoxFuture<'static, Result<Arc<Live>, Failed>>>;

/// The session of now.
enum Slot {
    Begins(Connecting),
    None,
    Lives(Arc<Live>),
}

/// What has to fit into a session.
const CONTENTS: &str = "heartbeats that prove each other, an answer and the end of the work";

impl Ensemble {
    /// Describes how to open an ensemble.
    pub fn builder() -> EnsembleBuilder {
        EnsembleBuilder::new()
    }

    /// Begins the first session.
    pub(crate) async fn open(
        settings: Settings,
        servers: Arc<dyn Servers>,
        clock: Arc<dyn Clock>,
        tasks: Arc<dyn Tasks>,
        planted: Planted,
    ) -> Result<Self, Failure> {
        let ensemble = Self::begin(settings, servers, clock, tasks, planted)?;
        ensemble.0.live().await?;
        Ok(ensemble)
    }

    /// Begins no session yet.
    pub(crate) fn begin(
        settings: Settings,
        servers: Arc<dyn Servers>,
        clock: Arc<dyn Clock>,
        tasks: Arc<dyn Tasks>,
        planted: Planted,
    ) -> Result<Self, Failure> {
        let allowances = Allowances::of(&settings);
        if let Err(problem) = Pace::of(settings.session_timeout, allowances) {
            let asked = settings.session_timeout;
            let detail = match shortest_session(allowances) {
                Some(shortest) => format!(
                    "session_timeout {asked:?} is too short for {CONTENTS}: raise session_timeout to {shortest:?} or more"
                ),
                None => format!("session_timeout {asked:?} cannot be kept: {problem}"),
            };
            return Err(Failure::new(ErrorKind::InvalidInput, detail));
        }
        Ok(Self(Arc::new(Shared {
            clock,
            planted,
            servers,
            slot: Mutex::new(Slot::None),
            settings,
            tasks,
        })))
    }

    /// The lock of `election`: a queue of nodes below the base path. Nothing is sent yet.
    ///
    /// # Errors
    /// When no path can have the name.
    pub fn lock(&self, election: ElectionName) -> Result<NodeLock, Error> {
        if matches!(election.as_str(), OWN | "." | "..") {
            let detail = format!("no path can be made of the election {election:?}: rename it");
            return Err(Failure::new(ErrorKind::InvalidInput, detail).into_error("open"));
        }
        Ok(NodeLock::new(Arc::clone(&self.0), election))
    }

    /// The timeout of the session: what the servers granted, or what will be asked for while there is none.
    pub fn session_timeout(&self) -> Duration {
        self.0.session_timeout()
    }

    /// What an election is timed by where nothing is set: the session's timeout for a lease duration, and a clock drift that allows for
    /// servers whose clocks are slewed.
    pub fn timing(&self) -> Timing {
        self.0.timing()
    }

    /// Does all of `steps`, or nothing if the leadership with this token has lost its node: a write that is fenced by the servers themselves.
    ///
    /// Paths are absolute, below the chroot where there is one. All nodes of a process's elections are of one session, so that any clone of this
    /// will do.
    ///
    /// # Errors
    /// When the leadership is over, when a step cannot be done, or when the answer was lost: then it may have happened.
    pub async fn write_fenced(&self, token: FencingToken, steps: Vec<Step>) -> Result<(), Error> {
        self.0
            .write_fenced(token, steps)
            .await
            .map_err(|failure| failure.into_error("write_fenced"))
    }

    /// Ends the session, and waits for that no longer than the `max_close_wait` of the builder. What was led by it is led no more: stop your elections first.
    pub async fn close(self) {
        let Slot::Lives(live) = std::mem::replace(&mut *locked(&self.0.slot), Slot::None) else {
            return;
        };
        live.session.close();
        let limit = self.0.clock.sleep(self.0.settings.max_close_wait);
        select(live.session.closed(), limit).await;
    }
}

impl Shared {
    fn allowances(&self) -> Allowances {
        Allowances::of(&self.settings)
    }

    fn pace(&self) -> Pace {
        if let Slot::Lives(live) = &*locked(&self.slot) {
            return live.pace;
        }
        let asked = Pace::of(self.settings.session_timeout, self.allowances());
        asked.expect("the builder has tried it")
    }

    pub(crate) fn session_timeout(&self) -> Duration {
        self.pace().session_timeout
    }

    pub(crate) fn timing(&self) -> Timing {
        self.pace().timing
    }

    /// How long after the acknowledgement of a heartbeat the servers have passed it on, by their clocks.
    pub(crate) fn gap(&self) -> Duration {
        self.pace().passed_on
    }

    /// The session of now, if there is one that has not ended.
    pub(crate) fn present(&self) -> Option<Arc<Live>> {
        match &*locked(&self.slot) {
            Slot::Lives(live) if live.has_ended().is_none() => Some(Arc::clone(live)),
            _ => None,
        }
    }

    /// The session of now, or the next one, once there is a connection.
    pub(crate) async fn live(self: &Arc<Self>) -> Result<Arc<Live>, Failure> {
        loop {
            let live = self.living().await?;
            live.connected().await;
            if live.has_ended().is_none() {
                return Ok(live);
            }
        }
    }

    async fn living(self: &Arc<Self>) -> Result<Arc<Live>, Failure> {
        let connecting = {
            let mut slot = locked(&self.slot);
            match &*slot {
                Slot::Lives(live) if live.has_ended().is_none() => return Ok(Arc::clone(live)),
                Slot::Begins(connecting) => connecting.clone(),
                Slot::Lives(_) | Slot::None => {
                    let connecting = self.connect();
                    *slot = Slot::Begins(connecting.clone());
                    connecting
                }
            }
        };
        connecting
            .await
            .map_err(|failed| failure(failed, "connect to", &self.settings.url, false))
    }

    fn connect(self: &Arc<Self>) -> Connecting {
        let (servers, clock) = (Arc::clone(&self.servers), Arc::clone(&self.clock));
        let (settings, shared) = (self.settings.clone(), Arc::downgrade(self));
        let connecting = async move {
            let sent = clock.now();
            let session = servers.connect(settings.session_timeout);
            let limit = clock.sleep(settings.connection_timeout);
            let session = match select(session, limit).await {
                Either::Left((session, _)) => session,
                Either::Right(_) => {
                    let waited = settings.connection_timeout;
                    let says = format!("no server has answered for {waited:?}");
                    Err(Failed::Unreachable(says))
                }
            };
            let shared = shared.upgrade().ok_or(Failed::Lost)?;
            let live = session.and_then(|session| {
                let pace = Pace::of(session.timeout(), shared.allowances());
                let pace = pace.map_err(|problem| {
                    session.close();
                    let granted = session.timeout();
                    Failed::Other(match shortest_session(shared.allowances()) {
                        Some(shortest) => format!(
                            "the servers grant a session timeout of {granted:?}, which is too short for {CONTENTS}: let them allow {shortest:?} or more (`maxSessionTimeout`)"
                        ),
                        None => format!("no session of {granted:?} can be kept: {problem}"),
                    })
                })?;
                Ok(Live::begin(
                    session,
                    sent,
                    &settings.base,
                    pace,
                    clock,
                    &shared.tasks,
                    shared.planted,
                ))
            });
            *locked(&shared.slot) = match &live {
                Ok(live) => Slot::Lives(Arc::clone(live)),
                Err(_) => Slot::None,
            };
            live
        };
        connecting.boxed().shared()
    }

    pub(crate) async fn write_fenced(
        &self,
        token: FencingToken,
        steps: Vec<Step>,
    ) -> Result<(), Failure> {
        let over = || {
            let detail =
                format!("the leadership with token {token} is over, and nothing was written");
            Failure::new(ErrorKind::InvalidInput, detail)
        };
        let live = self.present().ok_or_else(over)?;
        let written = live.fenced(token.value(), steps).await.ok_or_else(over)?;
        written.map_err(|failed| failure(failed, "write below", &self.settings.base, true))
    }
}
