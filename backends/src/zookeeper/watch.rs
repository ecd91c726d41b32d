//! What a handle watches: the node before its own, its own, what operators ask, and who is there.

use std::future::pending;
use std::sync::Arc;

use futures_util::future::{BoxFuture, FutureExt, select_all};

use super::live::Live;
use super::place::Place;
use super::planted::Mistake;
use super::queue::Queue;
use super::record;
use super::session::{Event, Failed, State};
use crate::locked::locked;

/// One node, or its children, and the event that tells of a change.
struct Watched {
    event: Option<Event>,
    path: String,
}

/// What fired.
enum Fired {
    /// Something else is to be watched now.
    Moved,
    Members,
    Own,
    Queue,
    Request,
    State(State),
}

#[derive(Default)]
struct Watches {
    members: Option<Watched>,
    own: Option<Watched>,
    queue: Option<Watched>,
    request: Option<Watched>,
}

/// Watches for as long as the handle is there.
pub(crate) async fn follow(queue: Arc<Queue>) {
    loop {
        let live = match queue.ensemble.live().await {
            Ok(live) => live,
            Err(failure) => {
                let error = failure.into_error("watch");
                tracing::debug!(%error, "no session yet");
                let retry = queue.ensemble.timing().retry_interval();
                queue.ensemble.clock.sleep(retry).await;
                continue;
            }
        };
        follow_session(&queue, &live).await;
        // Whatever was seen before is of a session that has ended.
        queue.hints.watching(false);
        queue.hints.changed();
    }
}

/// Watches on one session, until it ends.
async fn follow_session(queue: &Arc<Queue>, live: &Arc<Live>) {
    let mut watches = Watches::default();
    let mut state = live.session.state();
    let mut said = false;
    loop {
        if let State::Ended(_) = state {
            return;
        }
        if state == State::Connected {
            if let Err(failure) = queue.enlist_on(live).await {
                let error = failure.into_error("enlist");
                tracing::debug!(%error, "not a member yet");
            }
            match watches.arm(queue, live).await {
                Ok(()) if !said => {
                    said = true;
                    queue.hints.watching(true);
                }
                Ok(()) => {}
                Err(Failed::Ended(_)) => return,
                Err(error) => {
                    tracing::debug!(%error, "a watch could not be set");
                    if live.session.state() == State::Connected {
                        queue.ensemble.clock.sleep(live.pace.retry).await;
                        state = live.session.state();
                        continue;
                    }
                }
            }
        }
        if state == State::Connected
            && let Err(error) = queue.record(live).await
        {
            tracing::debug!(%error, "the token is not written down yet");
        }
        match watches.next(queue, live, state).await {
            Fired::Moved => {}
            // They are told when they are watched again; and whether the own node is still there is seen then.
            Fired::Members | Fired::Own => {}
            Fired::Queue => {
                let mut known = locked(&queue.known);
                known.called = true;
                // The claim that follows finds who is before now. A watch on who was would be asked for ahead of its reads, and fire at once.
                known.predecessor = None;
                drop(known);
                queue.hints.changed();
            }
            Fired::Request => queue.hints.changed(),
            Fired::State(next) => {
                if next != State::Connected {
                    queue.hints.disconnected();
                } else {
                    queue.hints.changed();
                }
                state = next;
            }
        }
    }
}

/// The own node is gone.
fn own_gone(queue: &Queue, path: &str) {
    let is_it = |place: &mut Place| matches!(&place.node, Some((_, node)) if node == path);
    let place = locked(&queue.known).place.take_if(is_it);
    if let Some(place) = place.filter(|place| !place.deleting) {
        tracing::warn!(
            election = %queue.election,
            node = path,
            "the node of this candidate was deleted by somebody else"
        );
        place.live.leads_no_longer(path);
        queue.hints.changed();
    }
}

impl Watches {
    /// Sets what is to be watched and is not.
    async fn arm(&mut self, queue: &Arc<Queue>, live: &Arc<Live>) -> Result<(), Failed> {
        let paths = &queue.paths;
        let (own, before, contends, wants_members) = {
            let known = locked(&queue.known);
            let place = known.place.as_ref().filter(|place| place.is_of(live));
            let own = place.and_then(|place| place.node.as_ref());
            let before = known.predecessor.clone().filter(|_| place.is_some());
            let own = own.map(|(_, path)| path.clone());
            (own, before, place.is_some(), known.wants_members)
        };
        let parent = queue.ensemble.planted.is(Mistake::WatchesParent);
        keep(&mut self.own, own.as_deref());
        // Who contends watches the one before alone, so that a release wakes one and not all.
        let of_children = !contends || parent;
        let watched = if of_children {
            Some(paths.election.clone())
        } else {
            before
        };
        keep(&mut self.queue, watched.as_deref());
        keep(&mut self.request, Some(&paths.request));
        keep(
            &mut self.members,
            wants_members.then_some(paths.members.as_str()),
        );
        if let Some(own) = unset(&mut self.own) {
            let (stat, event) = live.session.exists_and_watch(&own.path).await?;
            match stat {
                Some(stat) if stat.ephemeral_owner == live.id() => own.event = Some(event),
                _ => {
                    own_gone(queue, &own.path);
                    self.own = None;
                }
            }
        }
        if let Some(watched) = unset(&mut self.queue) {
            watched.event = Some(if of_children {
                children(live, &watched.path).await?
            } else {
                let (stat, event) = live.session.exists_and_watch(&watched.path).await?;
                if stat.is_some() { event } else { at_once() }
            });
        }
        if let Some(watched) = unset(&mut self.request) {
            watched.event = Some(request(queue, live, &watched.path).await?);
        }
        if let Some(watched) = unset(&mut self.members) {
            watched.event = Some(children(live, &watched.path).await?);
            // Whatever was read before may be out of date by what came before the watch.
            queue.hints.members_changed();
        }
        Ok(())
    }

    /// Waits for what fires first, and unsets that.
    async fn next(&mut self, queue: &Arc<Queue>, live: &Arc<Live>, state: State) -> Fired {
        let moved = async {
            let take = |moved: &mut bool| std::mem::take(moved).then_some(Fired::Moved);
            queue.moved.next(take).await
        };
        let session = live.session.state_after(state);
        let all: Vec<BoxFuture<'_, Fired>> = vec![
            async { Fired::State(session.await) }.boxed(),
            fired(&mut self.queue, Fired::Queue),
            fired(&mut self.own, Fired::Own),
            fired(&mut self.request, Fired::Request),
            fired(&mut self.members, Fired::Members),
            moved.boxed(),
        ];
        let (fired, _, _) = select_all(all).await;
        let slot = match fired {
            Fired::Members => &mut self.members,
            Fired::Own => &mut self.own,
            Fired::Queue => &mut self.queue,
            Fired::Request => &mut self.request,
            Fired::Moved | Fired::State(_) => return fired,
        };
        *slot = None;
        fired
    }
}

/// Reads and watches what operators ask, or whether they begin to.
async fn request(queue: &Queue, live: &Arc<Live>, path: &str) -> Result<Event, Failed> {
    match live.session.get_and_watch(path).await {
        Ok((data, _, event)) => {
            locked(&queue.known).request = record::request(&data);
            Ok(event)
        }
        Err(Failed::NoNode) => {
            let (stat, event) = live.session.exists_and_watch(path).await?;
            Ok(if stat.is_some() { at_once() } else { event })
        }
        Err(failed) => Err(failed),
    }
}

/// Watches the children of a node, or whether it is made.
async fn children(live: &Arc<Live>, path: &str) -> Result<Event, Failed> {
    match live.session.children_and_watch(path).await {
        Ok((_, event)) => Ok(event),
        Err(Failed::NoNode) => {
            let (stat, event) = live.session.exists_and_watch(path).await?;
            Ok(if stat.is_some() { at_once() } else { event })
        }
        Err(failed) => Err(failed),
    }
}

fn at_once() -> Event {
    Box::pin(std::future::ready(()))
}

/// Keeps a watch that is of this path, and makes room for another one.
fn keep(slot: &mut Option<Watched>, path: Option<&str>) {
    if slot.as_ref().map(|watched| watched.path.as_str()) != path {
        *slot = path.map(|path| Watched {
            event: None,
            path: path.to_owned(),
        });
    }
}

fn unset(slot: &mut Option<Watched>) -> Option<&mut Watched> {
    slot.as_mut().filter(|watched| watched.event.is_none())
}

fn fired(slot: &mut Option<Watched>, what: Fired) -> BoxFuture<'_, Fired> {
    async move {
        match slot.as_mut().and_then(|watched| watched.event.as_mut()) {
            Some(event) => event.await,
            None => pending().await,
        }
        what
    }
    .boxed()
}
