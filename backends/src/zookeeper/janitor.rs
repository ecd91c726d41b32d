//! Nodes that nobody needs any more are deleted, until that is known to be done or the session has ended.

use std::sync::Arc;
use std::time::Duration;

use tenure_core::Clock;

use super::live;
use super::names::{self, Strangers, Uuid};
use super::session::{Failed, Session, State};
use crate::mailbox::Mailbox;

/// Something to be done on a session without haste.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Chore {
    /// The node at a path is made, if there is none.
    Make(String),
    /// The node at a path is deleted.
    Delete(String),
    /// What a claim may have made among the children of a node is deleted, if it did.
    Find { among: String, uuid: Uuid },
}

/// Deletes a node of this process. Nobody sets its data but somebody who meddles, and it is to go all the same.
pub(crate) async fn delete(session: &dyn Session, path: &str) -> Result<(), Failed> {
    match session.delete(path, Some(0)).await {
        Err(Failed::BadVersion) => session.delete(path, None).await,
        answer => answer,
    }
}

/// What a session does on the side.
#[derive(Debug)]
pub(crate) struct Janitor {
    chores: Mailbox<Vec<Chore>>,
    clock: Arc<dyn Clock>,
    retry: Duration,
    session: Arc<dyn Session>,
}

impl Janitor {
    pub(crate) fn new(session: Arc<dyn Session>, clock: Arc<dyn Clock>, retry: Duration) -> Self {
        Self {
            chores: Mailbox::default(),
            clock,
            retry,
            session,
        }
    }

    /// Asks for something to be done.
    pub(crate) fn ask(&self, chore: Chore) {
        self.chores.tell(|chores| {
            if !chores.contains(&chore) {
                chores.push(chore);
            }
        });
    }

    /// Takes back what was asked for. What was sent already is done before anything that is sent from now on.
    pub(crate) fn forget(&self, chore: &Chore) {
        self.chores
            .tell(|chores| chores.retain(|other| other != chore));
    }

    /// Does something at once. What is not known to be done by then, also because nobody waits for it any more, is seen to as if it had
    /// been asked for.
    pub(crate) async fn hurry(&self, chore: Chore) -> Result<(), Failed> {
        let mut rest = Rest {
            chore: Some(chore.clone()),
            janitor: self,
        };
        let answer = self.attempt(&chore).await;
        if matches!(answer, Ok(()) | Err(Failed::Ended(_))) {
            rest.chore = None;
        }
        answer
    }

    /// Works until the session ends. What cannot be done yet waits behind what else there is to do.
    pub(crate) async fn work(self: Arc<Self>) {
        let mut refused = Vec::new();
        loop {
            let chore = self.chores.next(|chores| chores.first().cloned()).await;
            let error = match self.attempt(&chore).await {
                Ok(()) => {
                    refused.retain(|other| *other != chore);
                    self.forget(&chore);
                    continue;
                }
                Err(Failed::Ended(_)) => return,
                Err(error) => error,
            };
            if error.is_refusal() {
                if !refused.contains(&chore) {
                    tracing::warn!(%error, ?chore, "a node could not be tidied away");
                    refused.push(chore.clone());
                }
                if matches!(chore, Chore::Make(_)) {
                    self.forget(&chore);
                    continue;
                }
            }
            // A node that stays stands in everybody's way: also what was refused is tried again.
            self.put_last(&chore);
            self.pause().await;
        }
    }

    fn put_last(&self, chore: &Chore) {
        self.chores.tell(|chores| {
            if let Some(at) = chores.iter().position(|other| other == chore) {
                chores[at..].rotate_left(1);
            }
        });
    }

    /// Waits for a connection, or for a while.
    async fn pause(&self) {
        if self.session.state() == State::Disconnected {
            live::connected(&*self.session).await;
        } else {
            self.clock.sleep(self.retry).await;
        }
    }

    async fn attempt(&self, chore: &Chore) -> Result<(), Failed> {
        match chore {
            Chore::Make(path) => live::make(&*self.session, path).await,
            Chore::Delete(path) => self.delete(path).await,
            Chore::Find { among, uuid } => {
                let synced = self.session.sync(among);
                let children = self.session.children(among);
                match synced.await {
                    Ok(()) => {}
                    Err(Failed::NoNode) => return Ok(()),
                    Err(failed) => return Err(failed),
                }
                let children = match children.await {
                    Ok(children) => children,
                    Err(Failed::NoNode) => return Ok(()),
                    Err(failed) => return Err(failed),
                };
                let queue = names::queue(among, children, Strangers::Ignored).unwrap_or_default();
                let theirs = queue.iter().filter(|one| one.uuid == Some(*uuid));
                for contender in theirs {
                    self.delete(&format!("{among}/{}", contender.name)).await?;
                }
                Ok(())
            }
        }
    }

    async fn delete(&self, path: &str) -> Result<(), Failed> {
        match delete(&*self.session, path).await {
            Ok(()) | Err(Failed::NoNode) => Ok(()),
            Err(failed) => Err(failed),
        }
    }
}

/// What is left to the janitor unless it is known to be done.
struct Rest<'a> {
    chore: Option<Chore>,
    janitor: &'a Janitor,
}

impl Drop for Rest<'_> {
    fn drop(&mut self) {
        if let Some(chore) = self.chore.take() {
            self.janitor.ask(chore);
        }
    }
}
