//! A candidate of another make on a simulated ensemble: its model decides, and this is what it has of the world, as tasks of its process.
//! A client with the habits of ZooKeeper's own keeps its session; what Curator makes of the client's states is here as well.

use std::collections::VecDeque;
use std::fmt;
use std::future::poll_fn;
use std::sync::{Arc, Mutex};
use std::task::{Poll, Waker};
use std::time::Duration;

use tenure_backends::zookeeper::simulated::{
    Ending, Failed, Mode, Servers, Session, State as Seen,
};
use tenure_core::Clock;

use super::belief::Beliefs;
use super::exits::Exits;
use super::log::Actor;
use super::recorded::Current;
use crate::TrueTime;
use crate::executor::Handle;
use crate::peers::{Call, Curator, NodeAnswer, NodeAsk, NodeInput, NodeOutput};
use crate::trace::{Answer, Operation, What, WorkEnd};

/// The nodes above the queue's own, and that.
const ABOVE: &str = "/curator";
const QUEUE: &str = "/curator/simulated";
const ONE_THREAD: &str = "one thread, and nothing panics under the lock";
/// The Java client tells nobody that a connection is lost before it has cleaned up, which has this sleep in it
/// (`ClientCnxnSocketNIO.cleanup`); and it cleans up twice before it tells that its session has expired by its own clock.
const CLEANS_UP: Duration = Duration::from_millis(100);

/// What a candidate's process has been told and has not looked at yet. Clones are the same.
#[derive(Clone, Default)]
pub(super) struct Mailbox(Arc<Mutex<Letters>>);

#[derive(Default)]
struct Letters {
    queue: VecDeque<Letter>,
    waker: Option<Waker>,
}

enum Letter {
    Input(NodeInput),
    /// There is a connection to a new session.
    Session(Arc<dyn Session>),
}

impl Mailbox {
    pub(super) fn tell(&self, input: NodeInput) {
        self.put(Letter::Input(input));
    }

    fn put(&self, letter: Letter) {
        let waker = {
            let mut letters = self.0.lock().expect(ONE_THREAD);
            letters.queue.push_back(letter);
            letters.waker.take()
        };
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    fn take(&self, waker: &Waker) -> Option<Letter> {
        let mut letters = self.0.lock().expect(ONE_THREAD);
        let letter = letters.queue.pop_front();
        if letter.is_none() {
            letters.waker = Some(waker.clone());
        }
        letter
    }
}

impl fmt::Debug for Mailbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Mailbox").finish()
    }
}

/// A candidate's process.
pub(super) struct Rival {
    pub(super) actor: Actor,
    pub(super) beliefs: Beliefs,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) current: Current,
    pub(super) exits: Exits,
    pub(super) handle: Handle,
    pub(super) mailbox: Mailbox,
    pub(super) model: Curator,
    pub(super) servers: Arc<dyn Servers>,
    pub(super) session: Option<Arc<dyn Session>>,
    pub(super) session_timeout: Duration,
    /// Under which token the work runs.
    pub(super) works: Option<u64>,
}

impl Rival {
    /// Stands for election until it is asked to end.
    pub(super) async fn run(mut self) {
        let keeper = Keeper {
            clock: Arc::clone(&self.clock),
            mailbox: self.mailbox.clone(),
            servers: Arc::clone(&self.servers),
            session_timeout: self.session_timeout,
        };
        self.handle.spawn(&self.actor.process, keeper.keep());
        loop {
            let input = match self.next().await {
                Letter::Input(input) => input,
                Letter::Session(session) => {
                    self.session = Some(session);
                    NodeInput::Connected
                }
            };
            self.model.handle(self.clock.now().raw, input);
            while let Some(output) = self.model.poll() {
                if output == NodeOutput::Ended {
                    return self.end().await;
                }
                self.act(output);
            }
        }
    }

    /// Waits for what comes next.
    async fn next(&self) -> Letter {
        let mut sleep = self.model.due().map(|due| {
            let left = due.saturating_sub(self.clock.now().raw);
            self.clock.sleep(left.into())
        });
        poll_fn(|context| {
            if let Some(letter) = self.mailbox.take(context.waker()) {
                return Poll::Ready(letter);
            }
            match &mut sleep {
                Some(sleep) => {
                    let due = sleep.as_mut().poll(context);
                    due.map(|()| Letter::Input(NodeInput::Tick))
                }
                None => Poll::Pending,
            }
        })
        .await
    }

    fn act(&mut self, output: NodeOutput) {
        match output {
            NodeOutput::Ended => {}
            NodeOutput::Send(call, ask) => self.send(call, ask),
            NodeOutput::Start(token) => {
                self.works = Some(token);
                self.beliefs.rival_leads(&self.actor);
                // Until it says otherwise: it knows no deadline.
                self.actor.tell(What::Leads {
                    token,
                    sent: self.handle.now(),
                    until: TrueTime::END,
                });
                self.actor.tell(What::WorkBegan { token });
            }
            NodeOutput::Stop => self.stop(),
        }
    }

    fn stop(&mut self) {
        if let Some(token) = self.works.take() {
            self.beliefs.rival_stops(&self.actor);
            self.actor.tell(What::LeadsNot { token });
            let how = WorkEnd::Returned;
            self.actor.tell(What::WorkEnded { how, token });
        }
    }

    /// Its client closes the session: nothing of it is left behind.
    async fn end(mut self) {
        self.stop();
        if let Some(session) = self.session.take() {
            session.close();
        }
        // A process ends when its users have read what was told to them.
        self.handle.sleep(Duration::from_nanos(1)).await;
        self.actor.tell(What::ShutDown);
        self.exits.end(self.actor.node);
    }

    fn send(&self, call: Call, ask: NodeAsk) {
        let Some(session) = self.session.clone() else {
            return;
        };
        let request = self.actor.log.next_request();
        let operation = match ask {
            NodeAsk::Children | NodeAsk::Watch(_) => Operation::Observe,
            NodeAsk::Create(_) => Operation::Acquire,
            NodeAsk::Delete(_) => Operation::Release,
        };
        self.actor.tell(What::Sent {
            request,
            operation,
            basis: None,
        });
        self.current.set(request);
        let (actor, mailbox) = (self.actor.clone(), self.mailbox.clone());
        let data = self.actor.node.to_string();
        let asked = Asked { data, session };
        self.handle.spawn(&self.actor.process, async move {
            let (answer, event) = asked.answer(ask).await;
            let says = match answer {
                NodeAnswer::Failed => Answer::Unknown,
                NodeAnswer::Missing => Answer::Conflict,
                _ => Answer::Done,
            };
            actor.tell(What::Answered {
                request,
                answer: says,
            });
            mailbox.tell(NodeInput::Answered(call, answer));
            if let Some(event) = event {
                event.await;
                mailbox.tell(NodeInput::Fired(call));
            }
        });
    }
}

/// A request on its way.
struct Asked {
    data: String,
    session: Arc<dyn Session>,
}

type Watched = Option<tenure_backends::zookeeper::simulated::Event>;

impl Asked {
    async fn answer(self, ask: NodeAsk) -> (NodeAnswer, Watched) {
        let path = |name: &str| format!("{QUEUE}/{name}");
        let answer = match ask {
            NodeAsk::Children => self.session.children(QUEUE).await.map(NodeAnswer::Children),
            NodeAsk::Create(name) => self.create(&path(&name)).await,
            NodeAsk::Delete(name) => {
                let deleted = self.session.delete(&path(&name), None).await;
                deleted.map(|()| NodeAnswer::Done)
            }
            NodeAsk::Watch(name) => match self.session.get_and_watch(&path(&name)).await {
                Ok((_, _, event)) => return (NodeAnswer::Done, Some(event)),
                Err(failed) => Err(failed),
            },
        };
        let answer = answer.unwrap_or_else(|failed| match failed {
            Failed::NoNode => NodeAnswer::Missing,
            _ => NodeAnswer::Failed,
        });
        (answer, None)
    }

    /// Makes what is above it where that is missing.
    async fn create(&self, path: &str) -> Result<NodeAnswer, Failed> {
        let data = self.data.as_bytes();
        let made = self.session.create(path, data, Mode::EphemeralSequential);
        let (path, stat) = match made.await {
            Err(Failed::NoNode) => {
                for above in [ABOVE, QUEUE] {
                    match self.session.create(above, b"", Mode::Container).await {
                        Ok(_) | Err(Failed::NodeExists) => {}
                        Err(failed) => return Err(failed),
                    }
                }
                let again = self.session.create(path, data, Mode::EphemeralSequential);
                again.await?
            }
            made => made?,
        };
        let name = path.rsplit('/').next().unwrap_or_default().to_owned();
        let token = stat.czxid.unsigned_abs();
        Ok(NodeAnswer::Created { name, token })
    }
}

/// What keeps a session, and begins another when it is over.
struct Keeper {
    clock: Arc<dyn Clock>,
    mailbox: Mailbox,
    servers: Arc<dyn Servers>,
    session_timeout: Duration,
}

impl Keeper {
    async fn keep(self) {
        loop {
            // It fails when no server lets the client in, which takes its time.
            let Ok(session) = self.servers.connect(self.session_timeout).await else {
                continue;
            };
            self.mailbox.put(Letter::Session(Arc::clone(&session)));
            self.follow(&*session).await;
            self.mailbox.tell(NodeInput::Lost);
        }
    }

    /// Tells what becomes of the connection, until the session is over.
    async fn follow(&self, session: &dyn Session) {
        loop {
            let seen = session.state_after(Seen::Connected).await;
            self.clock.sleep(CLEANS_UP).await;
            if let Seen::Ended(_) = seen {
                self.clock.sleep(CLEANS_UP).await;
                return;
            }
            self.mailbox.tell(NodeInput::Suspended);
            match self.next(session).await {
                Seen::Connected => self.mailbox.tell(NodeInput::Connected),
                Seen::Disconnected | Seen::Ended(_) => return session.close(),
            }
        }
    }

    /// What becomes of a lost connection. Curator gives a session up that was without one for as long as its timeout.
    async fn next(&self, session: &dyn Session) -> Seen {
        let mut patience = self.clock.sleep(session.timeout());
        let mut after = session.state_after(Seen::Disconnected);
        poll_fn(|context| {
            if let Poll::Ready(seen) = after.as_mut().poll(context) {
                return Poll::Ready(seen);
            }
            let over = patience.as_mut().poll(context);
            over.map(|()| Seen::Ended(Ending::Expired))
        })
        .await
    }
}
