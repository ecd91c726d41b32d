//! What the backend has of an ensemble: sessions.

use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use tenure_backends::zookeeper::simulated::{
    Ending, Event, Failed, Mode, Pending, Servers, Session, Stat, State as Seen, Step,
};

use super::Ensemble;
use super::client::Told;
use super::connection::{Ask, Body, ClientId, WatchId};
use super::party::Party;
use super::transaction::{Answer, Change};
use crate::executor::{Reply, reply};

/// The servers, as one process sees them.
#[derive(Clone)]
pub(crate) struct SimServers {
    ensemble: Ensemble,
    party: Party,
}

impl SimServers {
    pub(crate) fn new(ensemble: &Ensemble, party: Party) -> Self {
        Self {
            ensemble: ensemble.clone(),
            party,
        }
    }
}

impl fmt::Debug for SimServers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("SimServers").field(&self.party.node).finish()
    }
}

/// A session. It is closed when this is dropped.
#[derive(Debug)]
struct SimSession {
    client: ClientId,
    ensemble: Ensemble,
    id: i64,
    timeout: Duration,
}

/// Closes a client whose session nobody has taken over.
struct Untaken(Option<(Ensemble, ClientId)>);

impl Untaken {
    fn is_taken(&mut self) {
        self.0 = None;
    }
}

impl Drop for Untaken {
    fn drop(&mut self) {
        if let Some((ensemble, client)) = self.0.take() {
            ensemble.with(|state| state.close_client(client));
        }
    }
}

impl Servers for SimServers {
    fn connect(&self, timeout: Duration) -> Pending<Arc<dyn Session>> {
        let (begin, begun) = reply();
        let ensemble = self.ensemble.clone();
        let party = self.party.clone();
        let client = ensemble.with(|state| state.add_client(party, timeout, begin));
        let serves = serve(ensemble.clone(), client, Arc::clone(&self.party.clock));
        ensemble.handle().spawn(&self.party.process, serves);
        let mut untaken = Untaken(Some((ensemble.clone(), client)));
        Box::pin(async move {
            let (id, timeout) = begun.await?;
            untaken.is_taken();
            let session = SimSession {
                client,
                ensemble,
                id,
                timeout,
            };
            Ok(Arc::new(session) as Arc<dyn Session>)
        })
    }
}

/// Does what a client has to do by its clock.
async fn serve(ensemble: Ensemble, client: ClientId, clock: Arc<dyn tenure_core::Clock>) {
    loop {
        let Some(wait) = ensemble.with(|state| state.serve_client(client)) else {
            return;
        };
        let mut sleep = clock.sleep(wait);
        let mut registered = false;
        poll_fn(|context| {
            let woken = ensemble.with(|state| match state.clients.get_mut(&client) {
                // The waker is taken by whoever wakes.
                Some(one) if registered && one.waker.is_none() => true,
                Some(one) => {
                    one.waker = Some(context.waker().clone());
                    registered = true;
                    false
                }
                None => true,
            });
            if woken {
                return Poll::Ready(());
            }
            sleep.as_mut().poll(context)
        })
        .await;
    }
}

impl SimSession {
    fn ask(&self, body: Body) -> Reply<Told> {
        let (sender, answer) = reply();
        self.ensemble
            .with(|state| state.ask(self.client, body, sender));
        answer
    }

    fn read(&self, ask: Ask, path: &str, watches: bool) -> Reply<Told> {
        let watch = watches.then(|| WatchId(self.ensemble.with(super::state::State::number)));
        let path = path.to_owned();
        self.ask(Body::Read { ask, path, watch })
    }

    fn write(&self, step: Step) -> Reply<Told> {
        self.ask(Body::Write(Change::One(step)))
    }
}

const MISFIT: &str = "the servers have answered something else";

fn misfit<T>() -> Result<T, Failed> {
    Err(Failed::Other(MISFIT.to_owned()))
}

/// An event that comes at once where nothing was watched.
fn event(event: Option<Event>) -> Event {
    event.unwrap_or_else(|| Box::pin(std::future::ready(())))
}

impl Session for SimSession {
    fn id(&self) -> i64 {
        self.id
    }

    fn timeout(&self) -> Duration {
        self.timeout
    }

    fn state(&self) -> Seen {
        self.ensemble.with(|state| {
            let client = state.clients.get(&self.client);
            client.map_or(Seen::Ended(Ending::Closed), super::client::Client::seen)
        })
    }

    fn connection(&self) -> u64 {
        self.ensemble.with(|state| {
            let client = state.clients.get(&self.client);
            client.map_or(0, |client| client.connections)
        })
    }

    fn state_after(&self, known: Seen) -> Pin<Box<dyn Future<Output = Seen> + Send>> {
        let (ensemble, id) = (self.ensemble.clone(), self.client);
        Box::pin(poll_fn(move |context| {
            ensemble.with(|state| {
                let Some(client) = state.clients.get_mut(&id) else {
                    let ended = Seen::Ended(Ending::Closed);
                    return if known == ended {
                        Poll::Pending
                    } else {
                        Poll::Ready(ended)
                    };
                };
                let now = client.seen();
                if now != known {
                    return Poll::Ready(now);
                }
                let waker = context.waker();
                if !client.states.iter().any(|known| known.will_wake(waker)) {
                    client.states.push(waker.clone());
                }
                Poll::Pending
            })
        }))
    }

    fn create(&self, path: &str, data: &[u8], mode: Mode) -> Pending<(String, Stat)> {
        let (path, data) = (path.to_owned(), data.to_vec());
        let answer = self.write(Step::Create { path, data, mode });
        Box::pin(async {
            match answer.await?.0 {
                Answer::Made(path, stat) => Ok((path, stat)),
                _ => misfit(),
            }
        })
    }

    fn delete(&self, path: &str, version: Option<i32>) -> Pending<()> {
        let path = path.to_owned();
        let answer = self.write(Step::Delete { path, version });
        Box::pin(async { answer.await.map(drop) })
    }

    fn set(&self, path: &str, data: &[u8], version: Option<i32>) -> Pending<Stat> {
        let (path, data) = (path.to_owned(), data.to_vec());
        let answer = self.write(Step::Set {
            path,
            data,
            version,
        });
        Box::pin(async {
            match answer.await?.0 {
                Answer::Set(stat) => Ok(stat),
                _ => misfit(),
            }
        })
    }

    fn get(&self, path: &str) -> Pending<(Vec<u8>, Stat)> {
        let answer = self.read(Ask::Data, path, false);
        Box::pin(async {
            match answer.await?.0 {
                Answer::Data(data, stat) => Ok((data, stat)),
                _ => misfit(),
            }
        })
    }

    fn exists_and_watch(&self, path: &str) -> Pending<(Option<Stat>, Event)> {
        let answer = self.read(Ask::Exists, path, true);
        Box::pin(async {
            match answer.await? {
                (Answer::Exists(stat), watched) => Ok((stat, event(watched))),
                _ => misfit(),
            }
        })
    }

    fn get_and_watch(&self, path: &str) -> Pending<(Vec<u8>, Stat, Event)> {
        let answer = self.read(Ask::Data, path, true);
        Box::pin(async {
            match answer.await? {
                (Answer::Data(data, stat), watched) => Ok((data, stat, event(watched))),
                _ => misfit(),
            }
        })
    }

    fn children(&self, path: &str) -> Pending<Vec<String>> {
        let answer = self.read(Ask::Children, path, false);
        Box::pin(async {
            match answer.await?.0 {
                Answer::Children(children) => Ok(children),
                _ => misfit(),
            }
        })
    }

    fn children_and_watch(&self, path: &str) -> Pending<(Vec<String>, Event)> {
        let answer = self.read(Ask::Children, path, true);
        Box::pin(async {
            match answer.await? {
                (Answer::Children(children), watched) => Ok((children, event(watched))),
                _ => misfit(),
            }
        })
    }

    fn multi(&self, steps: Vec<Step>) -> Pending<()> {
        let answer = self.ask(Body::Write(Change::Multi(steps)));
        Box::pin(async { answer.await.map(drop) })
    }

    fn sync(&self, _path: &str) -> Pending<()> {
        let answer = self.ask(Body::Sync);
        Box::pin(async { answer.await.map(drop) })
    }

    fn close(&self) {
        self.ensemble.with(|state| state.close_client(self.client));
    }

    fn closed(&self) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        let (ensemble, id) = (self.ensemble.clone(), self.client);
        Box::pin(async move {
            let gone = poll_fn(|context| {
                ensemble.with(|state| match state.clients.get_mut(&id) {
                    Some(client) => {
                        client.closed.push(context.waker().clone());
                        Poll::Pending
                    }
                    None => Poll::Ready(()),
                })
            });
            pin!(gone).await;
        })
    }
}

impl Drop for SimSession {
    fn drop(&mut self) {
        self.close();
    }
}
