//! Sessions of real servers.
//!
//! What the client underneath does by itself: it keeps the connection, pings, and seeks another server when the connection is lost, until
//! it holds the session for dead. What it is asked while there is no connection waits for the next one, and is sent then. It has no limit
//! for an answer: whoever asks keeps one.

use std::fmt;
use std::future::{Future, ready};
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::future::select;
use futures_util::{FutureExt, TryFutureExt};
use tokio::runtime::Handle;
use tokio::sync::Notify;
use zookeeper_client as client;
use zookeeper_client::{Client, CreateMode, MultiReadResult, OneshotWatcher, SessionState};

use super::acl::Acl;
use super::address::Address;
use super::answers::Answers;
use super::diagnosis;
use super::lacks::Lacks;
use super::secret::{Credentials, Scheme};
use super::session::{
    Ending, Event, Failed, Mode, Pending, Servers, Session, Snapshot, Stat, State, Step,
};
use super::tls::TlsFiles;
use crate::locked::locked;

/// The owner that the servers say of a container: a bit that no session has.
const CONTAINER: i64 = i64::MIN;

/// What the client says when the task that it runs in has ended without a word.
const NOBODY_SERVES: &str = "expect error state";

/// How to get at the servers.
#[derive(Clone, Debug)]
pub(crate) struct Access {
    pub(crate) acl: Acl,
    pub(crate) addresses: Vec<Address>,
    /// How long it may take until there is a session.
    pub(crate) connection_timeout: Duration,
    pub(crate) credentials: Option<Credentials>,
    pub(crate) tls: Option<TlsFiles>,
}

/// Real servers.
#[derive(Debug)]
pub(crate) struct RealServers {
    access: Arc<Access>,
    lacks: Arc<Lacks>,
    runtime: Handle,
}

impl RealServers {
    /// The servers, with sessions that live on `runtime`.
    ///
    /// # Errors
    /// When a file with a secret or a certificate cannot be used, as a line that says which.
    pub(crate) fn new(access: Access, runtime: Handle) -> Result<Self, String> {
        access.connector(Duration::from_secs(1))?;
        if let Some(files) = &access.tls {
            files.config()?;
        }
        Ok(Self {
            access: Arc::new(access),
            lacks: Arc::default(),
            runtime,
        })
    }
}

impl Servers for RealServers {
    fn connect(&self, timeout: Duration) -> Pending<Arc<dyn Session>> {
        let (access, lacks) = (Arc::clone(&self.access), Arc::clone(&self.lacks));
        let runtime = self.runtime.clone();
        // Goes on when the answer is dropped, so that the session is closed and does not wait for its end.
        let begun = self.runtime.spawn(async move {
            let client = access.connect(timeout).await?;
            let session = RealSession::new(client, access.acl.clone(), lacks, &runtime);
            Ok(Arc::new(session) as Arc<dyn Session>)
        });
        Box::pin(async move {
            begun.await.unwrap_or_else(|gone| {
                let says = format!("no session could be begun: {gone}");
                Err(Failed::Unreachable(says))
            })
        })
    }
}

impl Access {
    /// The client's own settings, with all files read again.
    fn connector(&self, timeout: Duration) -> Result<client::Connector, String> {
        let mut connector = Client::connector()
            .with_session_timeout(timeout)
            .with_fail_eagerly();
        if let Some(credentials) = &self.credentials {
            let password = credentials.password.read()?;
            connector = match credentials.scheme {
                Scheme::Digest => {
                    let pair = format!("{}:{}", credentials.user, password.reveal());
                    connector.with_auth("digest", pair.as_bytes())
                }
                Scheme::SaslDigestMd5 => {
                    let (user, password) = (credentials.user.clone(), password.reveal().to_owned());
                    connector.with_sasl(client::SaslOptions::digest_md5(user, password))
                }
            };
        }
        if let Some(files) = &self.tls {
            connector = connector.with_tls(files.options()?);
        }
        Ok(connector)
    }

    async fn connect(&self, timeout: Duration) -> Result<Client, Failed> {
        let connector = self.connector(timeout).map_err(Failed::Unreachable)?;
        let servers: Vec<_> = self.addresses.iter().map(Address::to_string).collect();
        let servers = servers.join(",");
        let connecting: Pin<Box<dyn Future<Output = _> + Send>> = match self.tls {
            Some(_) => Box::pin(connector.secure_connect(&servers)),
            None => Box::pin(connector.connect(&servers)),
        };
        // The rest is for finding out why there is none.
        let limit = self.connection_timeout * 3 / 4;
        let answer = tokio::time::timeout(limit, connecting).await;
        match answer.unwrap_or(Err(client::Error::Timeout)) {
            Ok(client) => Ok(client),
            Err(client::Error::AuthFailed) => Err(Failed::Ended(Ending::Refused)),
            Err(client::Error::BadArguments(says)) => Err(Failed::Other((*says).to_owned())),
            Err(error) => {
                tracing::debug!(%error, "no session");
                let why = diagnosis::why_unreachable(&self.addresses, self.tls.as_ref()).await;
                Err(Failed::Unreachable(why))
            }
        }
    }
}

/// Whether the session was closed here, or its client has ended without a word.
#[derive(Default)]
struct Closed {
    is: AtomicBool,
    told: Notify,
}

impl Closed {
    fn tell(&self) {
        self.is.store(true, Ordering::Release);
        self.told.notify_waiters();
    }

    fn is(&self) -> bool {
        self.is.load(Ordering::Acquire)
    }

    async fn wait(&self) {
        // Told of what comes after this line, also before it is polled.
        let told = self.told.notified();
        if !self.is() {
            told.await;
        }
    }
}

/// A session. It is closed when this is dropped.
pub(crate) struct RealSession {
    acl: Acl,
    answers: Answers,
    /// Gone when it was closed. The session ends with the last one that anybody has, so that no answer may keep one longer than it takes.
    client: Mutex<Option<Arc<Client>>>,
    closed: Arc<Closed>,
    /// How often the state has changed until it was asked about last, and what tells of the changes since.
    connections: Mutex<(client::StateWatcher, u64)>,
    id: i64,
    lacks: Arc<Lacks>,
    states: client::StateWatcher,
    timeout: Duration,
}

impl fmt::Debug for RealSession {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RealSession")
            .field("id", &format_args!("{:#x}", self.id))
            .field("timeout", &self.timeout)
            .field("state", &self.state())
            .finish_non_exhaustive()
    }
}

impl RealSession {
    fn new(client: Client, acl: Acl, lacks: Arc<Lacks>, runtime: &Handle) -> Self {
        Self {
            acl,
            answers: Answers::new(runtime),
            closed: Arc::default(),
            connections: Mutex::new((client.state_watcher(), 0)),
            id: client.session_id().0,
            lacks,
            states: client.state_watcher(),
            timeout: client.session_timeout(),
            client: Mutex::new(Some(Arc::new(client))),
        }
    }

    fn client(&self) -> Option<Arc<Client>> {
        locked(&self.client).clone()
    }

    /// Sends what `begin` asks for before it returns: the client sends a request when its future is made, which the first poll does.
    fn ask<T, F>(&self, begin: impl FnOnce(Arc<Client>) -> F) -> Pending<T>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, client::Error>> + Send + 'static,
    {
        let Some(client) = self.client() else {
            return Box::pin(ready(Err(Failed::Ended(Ending::Closed))));
        };
        let closed = Arc::clone(&self.closed);
        let answer = begin(client);
        self.answers
            .see_to(answer.map_err(move |error| failed(error, &closed)))
    }

    /// The client tells it of the session's end, too.
    fn event(watcher: OneshotWatcher) -> Event {
        // The client panics here if it has ended without a word, which is an event to us.
        let changed = std::panic::AssertUnwindSafe(watcher.changed()).catch_unwind();
        Box::pin(changed.map(drop))
    }
}

impl Session for RealSession {
    fn id(&self) -> i64 {
        self.id
    }

    fn timeout(&self) -> Duration {
        self.timeout
    }

    fn state(&self) -> State {
        state(self.states.peek_state(), &self.closed)
    }

    fn connection(&self) -> u64 {
        let (states, changes) = &mut *locked(&self.connections);
        // It tells of a change, also when the state is what it was again.
        while states.changed().now_or_never().is_some() {
            *changes += 1;
        }
        *changes
    }

    fn state_after(&self, known: State) -> Pin<Box<dyn Future<Output = State> + Send>> {
        let mut states = self.states.clone();
        let closed = Arc::clone(&self.closed);
        Box::pin(async move {
            loop {
                let now = state(states.state(), &closed);
                if now != known {
                    return now;
                }
                if closed.is() {
                    // Nothing comes after the end.
                    std::future::pending::<()>().await;
                }
                select(pin!(states.changed()), pin!(closed.wait())).await;
            }
        })
    }

    fn create(&self, path: &str, data: &[u8], mode: Mode) -> Pending<(String, Stat)> {
        let is_container = mode == Mode::Container;
        if is_container && self.lacks.containers.is_known() {
            return Box::pin(ready(Err(Failed::Unsupported)));
        }
        let (path, data, acl) = (path.to_owned(), data.to_vec(), self.acl.clone());
        let lacks = Arc::clone(&self.lacks);
        self.ask(|client| async move {
            let options = create_mode(mode).with_acls(acl.entries().into());
            let made = client.create(&path, &data, &options).await;
            if is_container {
                lacks.containers.is_shown_by(&made, &client).await;
            }
            let (stat, sequence) = made?;
            let path = match mode {
                Mode::EphemeralSequential => format!("{path}{sequence}"),
                Mode::Container | Mode::Ephemeral | Mode::Persistent => path,
            };
            Ok((path, stat_of(&stat)))
        })
    }

    fn delete(&self, path: &str, version: Option<i32>) -> Pending<()> {
        let path = path.to_owned();
        self.ask(|client| async move { client.delete(&path, version).await })
    }

    fn set(&self, path: &str, data: &[u8], version: Option<i32>) -> Pending<Stat> {
        let (path, data) = (path.to_owned(), data.to_vec());
        self.ask(|client| async move {
            let stat = client.set_data(&path, &data, version).await?;
            Ok(stat_of(&stat))
        })
    }

    fn get(&self, path: &str) -> Pending<(Vec<u8>, Stat)> {
        let path = path.to_owned();
        self.ask(|client| async move {
            let (data, stat) = client.get_data(&path).await?;
            Ok((data, stat_of(&stat)))
        })
    }

    fn exists_and_watch(&self, path: &str) -> Pending<(Option<Stat>, Event)> {
        let path = path.to_owned();
        self.ask(|client| async move {
            let (stat, watcher) = client.check_and_watch_stat(&path).await?;
            Ok((stat.as_ref().map(stat_of), Self::event(watcher)))
        })
    }

    fn get_and_watch(&self, path: &str) -> Pending<(Vec<u8>, Stat, Event)> {
        let path = path.to_owned();
        self.ask(|client| async move {
            let (data, stat, watcher) = client.get_and_watch_data(&path).await?;
            Ok((data, stat_of(&stat), Self::event(watcher)))
        })
    }

    fn children(&self, path: &str) -> Pending<Vec<String>> {
        let path = path.to_owned();
        self.ask(|client| async move { client.list_children(&path).await })
    }

    fn children_and_watch(&self, path: &str) -> Pending<(Vec<String>, Event)> {
        let path = path.to_owned();
        self.ask(|client| async move {
            let (children, watcher) = client.list_and_watch_children(&path).await?;
            Ok((children, Self::event(watcher)))
        })
    }

    fn children_and_data(&self, of: &str, others: &[&str]) -> Pending<Snapshot> {
        let of = of.to_owned();
        let others: Vec<_> = others.iter().map(|path| (*path).to_owned()).collect();
        let (closed, lacks) = (Arc::clone(&self.closed), Arc::clone(&self.lacks));
        self.ask(|client| async move {
            if !lacks.multi_reads.is_known() {
                let answer = snapshot(&client, &of, &others, &closed).await;
                if !lacks.multi_reads.is_shown_by(&answer, &client).await {
                    return answer;
                }
            }
            let children = client.list_children(&of);
            let data = others.iter().map(|path| {
                let answer = client.get_data(path);
                let read = answer.map_ok(|(data, stat)| (data, stat_of(&stat)));
                read.map_err(|error| failed(error, &closed))
            });
            // All are asked for before the first is waited for.
            let data = data.collect();
            let children = children.map_err(|error| failed(error, &closed));
            Ok(Snapshot::gather(children, data).await)
        })
    }

    fn multi(&self, steps: Vec<Step>) -> Pending<()> {
        let acl = self.acl.clone();
        self.ask(|client| async move {
            let mut writer = client.new_multi_writer();
            for step in &steps {
                add(&mut writer, step, &acl)?;
            }
            writer.commit().await.map(drop).map_err(client::Error::from)
        })
    }

    fn sync(&self, path: &str) -> Pending<()> {
        let path = path.to_owned();
        self.ask(|client| async move { client.sync(&path).await })
    }

    fn close(&self) {
        self.closed.tell();
        drop(locked(&self.client).take());
    }

    fn closed(&self) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        let mut states = self.states.clone();
        Box::pin(async move {
            while !states.state().is_terminated() {
                states.changed().await;
            }
        })
    }
}

/// Reads all at once, which servers since 3.6 do.
async fn snapshot(
    client: &Client,
    of: &str,
    others: &[String],
    closed: &Closed,
) -> Result<Snapshot, client::Error> {
    let mut reader = client.new_multi_reader();
    reader.add_get_children(of)?;
    for path in others {
        reader.add_get_data(path)?;
    }
    let mut answers = reader.commit().await?.into_iter();
    let children = match answers.next() {
        Some(MultiReadResult::Children { children }) => Ok(children),
        answer => Err(answer),
    };
    let data = answers.map(|answer| match answer {
        MultiReadResult::Data { data, stat } => Ok((data, stat_of(&stat))),
        answer => Err(failed(error_of(Some(answer)), closed)),
    });
    Ok(Snapshot {
        children: children.map_err(|answer| failed(error_of(answer), closed)),
        data: data.collect(),
    })
}

/// The error in one answer of several; that it is no answer to its question, where it is none.
fn error_of(answer: Option<MultiReadResult>) -> client::Error {
    match answer {
        Some(MultiReadResult::Error { err }) => err,
        other => client::Error::UnexpectedError(format!("an answer of another kind: {other:?}")),
    }
}

fn add(writer: &mut client::MultiWriter<'_>, step: &Step, acl: &Acl) -> Result<(), client::Error> {
    match step {
        // The servers take -1 for any.
        Step::Check { path, version } => writer.add_check_version(path, version.unwrap_or(-1)),
        Step::Create { path, data, mode } => {
            let options = create_mode(*mode).with_acls(acl.entries().into());
            writer.add_create(path, data, &options)
        }
        Step::Delete { path, version } => writer.add_delete(path, *version),
        Step::Set {
            path,
            data,
            version,
        } => writer.add_set_data(path, data, *version),
    }
}

fn create_mode(mode: Mode) -> CreateMode {
    match mode {
        Mode::Container => CreateMode::Container,
        Mode::Ephemeral => CreateMode::Ephemeral,
        Mode::EphemeralSequential => CreateMode::EphemeralSequential,
        Mode::Persistent => CreateMode::Persistent,
    }
}

fn stat_of(stat: &client::Stat) -> Stat {
    Stat {
        czxid: stat.czxid,
        ephemeral_owner: match stat.ephemeral_owner {
            CONTAINER => 0,
            owner => owner,
        },
        version: stat.version,
    }
}

fn state(of_client: SessionState, closed: &Closed) -> State {
    match of_client {
        SessionState::AuthFailed => State::Ended(Ending::Refused),
        SessionState::Closed => State::Ended(Ending::Closed),
        SessionState::Expired => State::Ended(Ending::Expired),
        _ if closed.is() => State::Ended(Ending::Closed),
        SessionState::Disconnected => State::Disconnected,
        SessionState::ConnectedReadOnly | SessionState::SyncConnected => State::Connected,
    }
}

/// What an answer means. Whatever does not say for certain that nothing was done is [`Failed::Lost`]: among it an error of the system on
/// the connection, which the client hands to everybody who waits, and a server's `MARSHALLINGERROR`, which stands for whatever went wrong
/// in it, perhaps after the change.
fn failed(error: client::Error, closed: &Closed) -> Failed {
    use client::Error as E;
    match error {
        E::AuthFailed => Failed::Ended(Ending::Refused),
        E::BadVersion => Failed::BadVersion,
        E::ClientClosed => Failed::Ended(Ending::Closed),
        E::NoAuth => Failed::NoRights,
        E::NoNode => Failed::NoNode,
        E::NodeExists => Failed::NodeExists,
        E::NotEmpty => Failed::NotEmpty,
        E::SessionExpired => Failed::Ended(Ending::Expired),
        E::Throttled => Failed::Throttled,
        E::Unimplemented => Failed::Unsupported,
        E::InvalidAcl => Failed::Other(
            "the servers do not accept the ACL: `auth` needs credentials that they know, and digests are as `zkCli` makes them"
                .to_owned(),
        ),
        E::QuotaExceeded => Failed::Other("the quota is exceeded".to_owned()),
        E::NoChildrenForEphemerals => {
            Failed::Other("the node above is ephemeral, which can have none below it".to_owned())
        }
        E::BadArguments(_) | E::NotReadOnly | E::NoWatcher | E::ReconfigDisabled => {
            Failed::Other(error.to_string())
        }
        E::UnexpectedError(says) if says.starts_with(NOBODY_SERVES) => {
            tracing::warn!("the client of the servers has ended without a word");
            closed.tell();
            Failed::Ended(Ending::Closed)
        }
        other => {
            tracing::debug!(error = %other, "no answer that says what was done");
            Failed::Lost
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_say_that_nothing_was_done_may_have_been_done() {
        use client::Error as E;
        for error in [
            E::ConnectionLoss,
            E::MarshallingError,
            E::SessionMoved,
            E::Timeout,
            E::UnexpectedError("BUG: create expect response, but got none".to_owned()),
            E::UnexpectedErrorCode(-1),
            E::UnmarshalError {
                entity: "stat",
                reason: &"short",
            },
        ] {
            let closed = Closed::default();
            assert_eq!(failed(error.clone(), &closed), Failed::Lost, "{error}");
            assert!(!closed.is());
        }
    }

    #[test]
    fn a_client_that_serves_nobody_any_more_has_ended() {
        let closed = Closed::default();
        let says = "expect error state, got SyncConnected".to_owned();
        let error = client::Error::UnexpectedError(says);
        assert_eq!(failed(error, &closed), Failed::Ended(Ending::Closed));
        let now = state(SessionState::SyncConnected, &closed);
        assert_eq!(now, State::Ended(Ending::Closed));
    }

    #[test]
    fn a_container_belongs_to_no_session() {
        let stat = |owner| client::Stat {
            czxid: 7,
            mzxid: 7,
            ctime: 0,
            mtime: 0,
            version: 3,
            cversion: 0,
            aversion: 0,
            ephemeral_owner: owner,
            data_length: 0,
            num_children: 0,
            pzxid: 7,
        };
        assert_eq!(stat_of(&stat(i64::MIN)).ephemeral_owner, 0);
        assert_eq!(stat_of(&stat(0)).ephemeral_owner, 0);
        assert_eq!(stat_of(&stat(-5)).ephemeral_owner, -5);
    }
}
