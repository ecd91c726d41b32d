use std::path::{Path, PathBuf};
use std::sync::{Arc, Once};
use std::time::Duration;

use tenure_core::timing::CLOCK_DRIFT_PPM_MAX;
use tenure_core::{Error, ErrorKind};
use tokio::runtime::Handle;

use super::acl::Acl;
use super::address::{self, Address};
use super::client::{Access, RealServers};
use super::ensemble::Ensemble;
use super::error::Failure;
use super::names::Strangers;
use super::planted::Planted;
use super::secret::Credentials;
use super::tls::{self, Identity, TlsFiles};
use crate::host::SystemClock;
use crate::tasks::TokioTasks;

/// The longest session timeout: what the servers' protocol can say, in milliseconds.
const SESSION_TIMEOUT_MAX: Duration = Duration::from_millis(i32::MAX as u64);

/// What the backend's logic goes by.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Settings {
    /// The node that all elections are below, with chroot and namespace: absolute, without `/` at its end, and empty for the root.
    pub(crate) base: String,
    pub(crate) clock_drift_ppm: u32,
    pub(crate) connection_timeout: Duration,
    /// How much later than at its time a server's ping may be.
    pub(crate) jitter: Duration,
    pub(crate) max_close_wait: Duration,
    /// What is asked for, which the servers need not grant.
    pub(crate) session_timeout: Duration,
    pub(crate) strangers: Strangers,
    pub(crate) tick_time: Option<Duration>,
    /// Whether a new process believes what its server shows at first sight.
    pub(crate) trusts_servers: bool,
    /// The base as a URL that people may copy: `zookeeper://zk1:2181,zk2:2181/tenure`.
    pub(crate) url: String,
}

/// How an [`Ensemble`] is opened.
///
/// For who comes from Camel's `ZooKeeperClusterService`:
///
/// | Camel | here |
/// | --- | --- |
/// | `nodes` | [`connect_string`](Self::connect_string), or [`servers`](Self::servers) |
/// | `basePath` | [`base_path`](Self::base_path): `/tenure` unless set, where Camel's has to be |
/// | `namespace` | [`namespace`](Self::namespace); the election's name is the rest of the path |
/// | `sessionTimeout` | [`session_timeout`](Self::session_timeout): 15 s unless set, where Camel's is 60 s, of which servers grant 40 s |
/// | `connectionTimeout` | [`connection_timeout`](Self::connection_timeout) |
/// | `reconnectBaseSleepTime`, `reconnectMaxSleepTime` | none: another server is tried at once, then all of them again and again, after a pause that doubles from 0.1 s for each server until the session has expired; then a new one is sought at the election's retry interval |
/// | `reconnectMaxRetries`, `retryPolicy` | none: it goes on for ever. A leader stops by its deadline, whatever becomes of the connection |
/// | `maxCloseWait` | [`max_close_wait`](Self::max_close_wait) |
/// | `authInfoList` | [`credentials`](Self::credentials); nodes are then the creator's unless [`acl`](Self::acl) says otherwise, where Camel leaves them to anybody |
/// | `curatorFramework` | the [`Ensemble`]: one session for all elections of the process |
/// | `id` | the candidate's name, which is what the node holds |
/// | `order`, `attributes` | none: they choose between services of one Camel context |
#[derive(Clone, Debug)]
#[must_use = "nothing is opened until `open`"]
pub struct EnsembleBuilder {
    acl: Option<Acl>,
    authorities: Option<PathBuf>,
    base_path: String,
    clock_drift_ppm: u32,
    connection_timeout: Duration,
    credentials: Option<Credentials>,
    identity: Option<Identity>,
    jitter: Duration,
    max_close_wait: Duration,
    namespace: Option<String>,
    servers: Vec<String>,
    session_timeout: Duration,
    strangers: Strangers,
    tick_time: Option<Duration>,
    trusts_servers: bool,
}

fn invalid(detail: impl Into<String>) -> Failure {
    Failure::new(ErrorKind::InvalidInput, detail)
}

impl EnsembleBuilder {
    pub(crate) fn new() -> Self {
        Self {
            acl: None,
            authorities: None,
            base_path: "/tenure".to_owned(),
            clock_drift_ppm: 100_000,
            connection_timeout: Duration::from_secs(15),
            credentials: None,
            identity: None,
            jitter: Duration::from_millis(100),
            max_close_wait: Duration::from_secs(1),
            namespace: None,
            servers: Vec::new(),
            session_timeout: Duration::from_secs(15),
            strangers: Strangers::Refused,
            tick_time: None,
            trusts_servers: false,
        }
    }

    /// Who may do what with the nodes that are made. Unless set, the creator alone where there are [`credentials`](Self::credentials) or a
    /// [client certificate](Self::client_certificate), and anybody where there are none, with a warning.
    pub fn acl(mut self, acl: Acl) -> Self {
        self.acl = Some(acl);
        self
    }

    /// The node that all elections are below: `/tenure`, unless set. The same for all candidates.
    pub fn base_path(mut self, path: impl Into<String>) -> Self {
        self.base_path = path.into();
        self
    }

    /// TLS, with servers whose certificates one of the authorities in this PEM file has signed. Without it there is no TLS.
    pub fn certificate_authority(mut self, pem: impl AsRef<Path>) -> Self {
        self.authorities = Some(pem.as_ref().to_owned());
        self
    }

    /// Who this is for servers that ask for a certificate, and its key, each in a PEM file. Needs
    /// [`certificate_authority`](Self::certificate_authority).
    pub fn client_certificate(mut self, pem: impl AsRef<Path>, key: impl AsRef<Path>) -> Self {
        self.identity = Some(Identity {
            certificate: pem.as_ref().to_owned(),
            key: key.as_ref().to_owned(),
        });
        self
    }

    /// How much faster or slower than true time any clock may run, in parts per million: 100 000, which is 10 %, unless set. The servers
    /// count by a clock that may be slewed.
    pub fn clock_drift_ppm(mut self, ppm: u32) -> Self {
        self.clock_drift_ppm = ppm;
        self
    }

    /// The servers, as ZooKeeper writes them: `host:2181,host:2181`, with `/chroot` behind the last one where all paths are below a node.
    /// Called again, it replaces those before.
    pub fn connect_string(self, servers: impl Into<String>) -> Self {
        self.servers([servers.into()])
    }

    /// How long it may take until there is a session, over all servers: 15 s, unless set. A quarter of it is kept for finding out why there
    /// is none. About the session timeout is the most that is used, and one server that does not answer takes two fifths of that.
    pub fn connection_timeout(mut self, timeout: Duration) -> Self {
        self.connection_timeout = timeout;
        self
    }

    /// Who the servers are told that this is: nobody, unless set.
    pub fn credentials(mut self, credentials: Credentials) -> Self {
        self.credentials = Some(credentials);
        self
    }

    /// Leaves nodes of other recipes out of an election's queue, where they are refused otherwise. Whoever made them (kazoo, Curator's
    /// `LeaderLatch`) does not wait for ours and may lead beside them.
    pub fn foreign_nodes_ignored(mut self) -> Self {
        self.strangers = Strangers::Ignored;
        self
    }

    /// How much later than at its time a server may hear of its followers' clients: 100 ms, unless set. The leader's deadline is earlier by
    /// as much.
    pub fn jitter_allowance(mut self, jitter: Duration) -> Self {
        self.jitter = jitter;
        self
    }

    /// How long a session may take to close when the last election of the process is gone: 1 s, unless set. The servers end it by
    /// themselves after its timeout.
    pub fn max_close_wait(mut self, wait: Duration) -> Self {
        self.max_close_wait = wait;
        self
    }

    /// Curator's namespace: a node above the base path, such as `app` for `/app/tenure`. None, unless set.
    pub fn namespace(mut self, namespace: impl Into<String>) -> Self {
        self.namespace = Some(namespace.into());
        self
    }

    /// The servers, each as `host:2181` or several with commas between. Called again, it replaces those before.
    pub fn servers<S: Into<String>>(mut self, servers: impl IntoIterator<Item = S>) -> Self {
        self.servers = servers.into_iter().map(Into::into).collect();
        self
    }

    /// Believes what a server shows of a queue at first sight. Unless this is set, a new process asks the ensemble's leader by a write before it
    /// leads an election that somebody has led: its own server may have lost a node that is still there, as servers of some releases have done.
    /// Whoever has seen a leader asks after each new connection all the same, which costs nothing in a handover.
    pub fn servers_trusted(mut self) -> Self {
        self.trusts_servers = true;
        self
    }

    /// After how long without a sign of life the servers end the session, and others may lead: 15 s, unless set. The servers may grant
    /// another one, within 2 to 20 of their ticks unless told otherwise; that one counts.
    pub fn session_timeout(mut self, timeout: Duration) -> Self {
        self.session_timeout = timeout;
        self
    }

    /// The servers' `tickTime`. Needed only where their `minSessionTimeout` is below two ticks: a server tells its leader of its clients
    /// every half tick, which is taken for at most a quarter of the session timeout.
    pub fn tick_time(mut self, tick: Duration) -> Self {
        self.tick_time = Some(tick);
        self
    }

    /// Checks what can be checked without a server or a file: names, paths and numbers.
    ///
    /// # Errors
    /// When something cannot be used.
    pub fn check(&self) -> Result<(), Error> {
        let settings = self.settings();
        settings
            .map(drop)
            .map_err(|failure| failure.into_error("open"))
    }

    /// Opens the ensemble: begins a session.
    ///
    /// Call it on the tokio runtime that the elections will run on.
    ///
    /// # Errors
    /// When something cannot be used, no server gives a session, or there is no tokio runtime.
    pub async fn open(self) -> Result<Ensemble, Error> {
        let opened = self.open_by_client().await;
        opened.map_err(|failure| failure.into_error("open"))
    }

    async fn open_by_client(self) -> Result<Ensemble, Failure> {
        let settings = self.settings()?;
        let servers = Arc::new(self.servers_by_client()?);
        let tasks = TokioTasks::present().ok_or_else(no_runtime)?;
        let clock = Arc::new(SystemClock::new());
        Ensemble::open(
            settings,
            servers,
            clock,
            Arc::new(tasks),
            Planted::default(),
        )
        .await
    }

    /// Opens a simulated ensemble: with its servers, clocks and tasks.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    #[cfg(feature = "simulated-ensemble")]
    pub async fn open_simulated(self, world: super::simulated::World) -> Result<Ensemble, Error> {
        let planted = Planted {
            mistake: world.planted,
        };
        let opened = async {
            let settings = self.settings()?;
            Ensemble::open(settings, world.servers, world.clock, world.tasks, planted).await
        };
        let opened = opened.await;
        opened.map_err(|failure: Failure| failure.into_error("open"))
    }

    /// A simulated ensemble whose first session begins when an election needs it: with its servers, clocks and tasks.
    ///
    /// # Errors
    /// When something cannot be used.
    #[cfg(feature = "simulated-ensemble")]
    pub fn begin_simulated(self, world: super::simulated::World) -> Result<Ensemble, Error> {
        let planted = Planted {
            mistake: world.planted,
        };
        let settings = self.settings();
        let begun = settings.and_then(|settings| {
            Ensemble::begin(settings, world.servers, world.clock, world.tasks, planted)
        });
        begun.map_err(|failure| failure.into_error("open"))
    }

    /// The real servers, for what is put between them and the backend. [`connection_timeout`](Self::connection_timeout), credentials, ACL and
    /// certificates count, and nothing else.
    ///
    /// # Errors
    /// When something cannot be used, or there is no tokio runtime.
    #[cfg(feature = "simulated-ensemble")]
    pub fn real_servers(&self) -> Result<Arc<dyn super::session::Servers>, Error> {
        let servers = self.servers_by_client();
        let servers = servers.map_err(|failure| failure.into_error("open"))?;
        Ok(Arc::new(servers))
    }

    /// # Errors
    /// When something cannot be used.
    pub(crate) fn settings(&self) -> Result<Settings, Failure> {
        let session_timeout = self.session_timeout;
        if session_timeout.is_zero() {
            return Err(invalid(
                "a session timeout of 0 s ends at once: lengthen session_timeout",
            ));
        }
        if session_timeout > SESSION_TIMEOUT_MAX {
            return Err(invalid(format!(
                "session_timeout {session_timeout:?} is longer than the {SESSION_TIMEOUT_MAX:?} that servers can be asked for: shorten it"
            )));
        }
        if self.connection_timeout.is_zero() {
            return Err(invalid(
                "a connection timeout of 0 s lets no connection through: lengthen connection_timeout",
            ));
        }
        let ppm = self.clock_drift_ppm;
        if ppm > CLOCK_DRIFT_PPM_MAX {
            return Err(invalid(format!(
                "clock_drift_ppm {ppm} is more than {CLOCK_DRIFT_PPM_MAX}: lower it"
            )));
        }
        if self.tick_time.is_some_and(|tick| tick.is_zero()) {
            return Err(invalid(
                "a tick of 0 s is none: set tick_time to the servers' tickTime, or leave it out",
            ));
        }
        let (addresses, base) = (self.parsed_servers()?.0, self.base()?);
        let addresses: Vec<_> = addresses.iter().map(Address::to_string).collect();
        let url = format!("zookeeper://{}{base}", addresses.join(","));
        Ok(Settings {
            base,
            clock_drift_ppm: ppm,
            connection_timeout: self.connection_timeout,
            jitter: self.jitter,
            max_close_wait: self.max_close_wait,
            session_timeout,
            strangers: self.strangers,
            tick_time: self.tick_time,
            trusts_servers: self.trusts_servers,
            url,
        })
    }

    /// The base path below chroot and namespace.
    fn base(&self) -> Result<String, Failure> {
        let (_, chroot) = self.parsed_servers()?;
        let namespace = match self.namespace.as_deref() {
            None => String::new(),
            Some(namespace) if namespace.starts_with('/') => {
                return Err(invalid(format!(
                    "the namespace {namespace:?} begins with `/`: leave that out, as Curator does"
                )));
            }
            Some("") => {
                return Err(invalid("the namespace is empty: name one, or leave it out"));
            }
            Some(namespace) => below(&chroot, "namespace", &format!("/{namespace}"))?,
        };
        let above = format!("{chroot}{namespace}");
        if self.base_path.is_empty() {
            return Err(invalid("the base path is empty: name one, or `/` for none"));
        }
        let base = below(&above, "base path", &self.base_path)?;
        Ok(format!("{above}{base}"))
    }

    fn parsed_servers(&self) -> Result<(Vec<Address>, String), Failure> {
        let mut all = Vec::new();
        let mut chroot = String::new();
        for (place, text) in self.servers.iter().enumerate() {
            let (addresses, root) = address::parse_connect_string(text).map_err(invalid)?;
            if !root.is_empty() && place + 1 < self.servers.len() {
                return Err(invalid(format!(
                    "{text:?} has a chroot before the last server: write it behind that one"
                )));
            }
            chroot = root;
            for address in addresses {
                if all.contains(&address) {
                    return Err(invalid(format!(
                        "the server {address} is named twice: name each once"
                    )));
                }
                all.push(address);
            }
        }
        Ok((all, chroot))
    }

    /// # Errors
    /// When something cannot be used, or there is no tokio runtime.
    pub(crate) fn servers_by_client(&self) -> Result<RealServers, Failure> {
        let (addresses, _) = self.parsed_servers()?;
        if addresses.is_empty() {
            return Err(invalid(
                "no server is named: give connect_string, such as `zk1:2181,zk2:2181,zk3:2181`",
            ));
        }
        if let Some(credentials) = &self.credentials {
            credentials.check().map_err(invalid)?;
        }
        let tls = match (&self.authorities, &self.identity) {
            (None, None) => None,
            (None, Some(_)) => {
                return Err(invalid(
                    "a client certificate is for TLS, which has no certificate authority: set certificate_authority too",
                ));
            }
            (Some(authorities), identity) => Some(TlsFiles {
                authorities: authorities.clone(),
                identity: identity.clone(),
            }),
        };
        if tls.is_some() {
            for address in &addresses {
                tls::server_name(address).map_err(invalid)?;
            }
        }
        let access = Access {
            acl: self.chosen_acl()?,
            addresses,
            connection_timeout: self.connection_timeout,
            credentials: self.credentials.clone(),
            tls,
        };
        let runtime = Handle::try_current().map_err(|_| no_runtime())?;
        RealServers::new(access, runtime).map_err(invalid)
    }

    fn chosen_acl(&self) -> Result<Acl, Failure> {
        let known = self.credentials.is_some() || self.identity.is_some();
        match &self.acl {
            Some(acl) if acl.needs_credentials() && !known => Err(invalid(
                "the ACL names whoever is authenticated, and there are no credentials: set credentials or client_certificate",
            )),
            Some(acl) => Ok(acl.clone()),
            None if known => Ok(Acl::creator_all()),
            None => {
                static TOLD: Once = Once::new();
                TOLD.call_once(|| {
                tracing::warn!(
                    "anybody who reaches the servers can change or delete this election's nodes: set credentials, or an ACL to say that it is meant"
                );
                });
                Ok(Acl::anyone_all())
            }
        }
    }
}

/// A part of the base, which is ZooKeeper's own only at the root.
fn below(above: &str, what: &str, text: &str) -> Result<String, Failure> {
    let own = above.is_empty() || !text.starts_with("/zookeeper");
    if own {
        return address::path(what, text).map_err(invalid);
    }
    let whole = address::path(what, &format!("{above}{text}")).map_err(invalid)?;
    Ok(whole[above.len()..].to_owned())
}

fn no_runtime() -> Failure {
    invalid(
        "there is no tokio runtime here: open the ensemble on the one that the election runs on",
    )
}
