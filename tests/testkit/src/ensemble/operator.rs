use std::sync::mpsc::channel;
use std::time::Duration;

use zookeeper_client::{Acls, Client, Connector, CreateMode, Error, Stat};

use crate::admin::runtime;

/// How long a request may take. One that takes longer has failed, although it may still be done.
const LIMIT: Duration = Duration::from_secs(20);

/// A client of an ensemble with a session, from any thread, also inside of a runtime. Its session ends with it.
#[derive(Clone, Debug)]
pub struct Operator {
    client: Client,
}

/// Runs one request, and waits for its answer.
fn wait<T: Send + 'static>(
    request: impl Future<Output = Result<T, Error>> + Send + 'static,
) -> Result<T, Error> {
    let (answer, answered) = channel();
    runtime().spawn(async move {
        let result = tokio::time::timeout(LIMIT, request).await;
        drop(answer.send(result.unwrap_or(Err(Error::Timeout))));
    });
    answered.recv().unwrap()
}

impl Operator {
    /// Connects to the servers of `connect_string` as ZooKeeper's user `super`, who may do everything.
    ///
    /// # Errors
    /// When there is no session within the time that a request may take.
    pub fn connect(connect_string: &str, session_timeout: Duration) -> Result<Self, Error> {
        Self::by(Self::connector(session_timeout), connect_string)
    }

    /// ZooKeeper's user `super`.
    pub(crate) fn connector(session_timeout: Duration) -> Connector {
        Client::connector()
            .with_session_timeout(session_timeout)
            .with_auth("digest", b"super:super")
    }

    /// Connects in the way that `connector` says.
    ///
    /// # Errors
    /// When there is no session within the time that a request may take.
    pub fn by(connector: Connector, connect_string: &str) -> Result<Self, Error> {
        let servers = connect_string.to_owned();
        let client = wait(async move { connector.connect(&servers).await })?;
        Ok(Self { client })
    }

    /// The client underneath, for what is not here.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// The number of its session.
    pub fn session(&self) -> i64 {
        self.client.session_id().0
    }

    /// Creates a node that anybody may change, and says its path, which has a number at its end if `mode` is sequential, and the
    /// transaction that made it.
    ///
    /// # Errors
    /// The ensemble's refusal, or why there is no answer, as in all that follow.
    pub fn create(
        &self,
        path: &str,
        data: &[u8],
        mode: CreateMode,
    ) -> Result<(String, i64), Error> {
        let (client, path, data) = (self.client.clone(), path.to_owned(), data.to_vec());
        wait(async move {
            let options = mode.with_acls(Acls::anyone_all());
            let (stat, number) = client.create(&path, &data, &options).await?;
            let numbered = matches!(
                mode,
                CreateMode::EphemeralSequential | CreateMode::PersistentSequential
            );
            let path = if numbered {
                format!("{path}{number}")
            } else {
                path
            };
            Ok((path, stat.czxid))
        })
    }

    /// Makes a persistent node and those above it, where they are missing.
    ///
    /// # Errors
    /// As above.
    pub fn make_path(&self, path: &str) -> Result<(), Error> {
        let (client, path) = (self.client.clone(), path.to_owned());
        wait(async move {
            let options = CreateMode::Persistent.with_acls(Acls::anyone_all());
            client.mkdir(&path, &options).await
        })
    }

    /// Deletes a node, whatever its version.
    ///
    /// # Errors
    /// As above.
    pub fn delete(&self, path: &str) -> Result<(), Error> {
        let (client, path) = (self.client.clone(), path.to_owned());
        wait(async move { client.delete(&path, None).await })
    }

    /// Sets what a node holds, whatever its version: a write that the quorum has agreed to.
    ///
    /// # Errors
    /// As above.
    pub fn write(&self, path: &str, data: &[u8]) -> Result<Stat, Error> {
        let (client, path, data) = (self.client.clone(), path.to_owned(), data.to_vec());
        wait(async move { client.set_data(&path, &data, None).await })
    }

    /// What a node holds for the server that is connected to, which may be behind.
    ///
    /// # Errors
    /// As above.
    pub fn read(&self, path: &str) -> Result<(Vec<u8>, Stat), Error> {
        let (client, path) = (self.client.clone(), path.to_owned());
        wait(async move { client.get_data(&path).await })
    }

    /// What a node is for the server that is connected to; none if it is missing there.
    ///
    /// # Errors
    /// As above.
    pub fn stat(&self, path: &str) -> Result<Option<Stat>, Error> {
        let (client, path) = (self.client.clone(), path.to_owned());
        wait(async move { client.check_stat(&path).await })
    }

    /// The names of a node's children in their order, for the server that is connected to.
    ///
    /// # Errors
    /// As above.
    pub fn children(&self, path: &str) -> Result<Vec<String>, Error> {
        let (client, path) = (self.client.clone(), path.to_owned());
        let mut names = wait(async move { client.list_children(&path).await })?;
        names.sort();
        Ok(names)
    }
}
