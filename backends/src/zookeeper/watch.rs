//! What a handle watches: the node before its own, its own, and who is there.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;

use super::live::Live;
use super::place::Place;
use super::planted::Mistake;
use super::queue::Queue;
use super::session::{Event, Failed, State};
use crate::locked::locked;

/// One node, or its children, and the event that tells of a change.
struct Watched {
    event: Option<Event>,
    path: Arc<str>,
}

/// What fired.
enum Fired {
    /// Somebody has come, or gone. Only who does not contend watches for that.
    Crowd,
    /// Something else is to be watched now.
    Moved,
    Members,
    Own,
    Queue,
    State(State),
}

#[derive(Default)]
struct Watches {
    members: Option<Watched>,
    own: Option<Watched>,
    queue: Option<Watched>,
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
    live.tell(queue);
    let mut watches = Watches::default();
    let mut state = live.watch.state();
    let mut said = false;
    loop {
        if let State::Ended(_) = state {
            return;
        }
        if state == State::Connected {
            // What is done now and then is out of line: most of the time there are only watches, perhaps of a thousand elections.
            if let Err(failure) = Box::pin(queue.enlist_on(live)).await {
                let error = failure.into_error("enlist");
                tracing::debug!(%error, "not a member yet");
            }
            match Box::pin(watches.arm(queue, live)).await {
                Ok(()) if !said && live.watch.hears() => {
                    said = true;
                    queue.hints.watching(true);
                }
                Ok(()) => {}
                Err(Failed::Ended(_)) => return,
                Err(error) => {
                    tracing::debug!(%error, "a watch could not be set");
                    if live.session.state() == State::Connected {
                        queue.ensemble.clock.sleep(live.pace.retry).await;
                        state = live.watch.state();
                        continue;
                    }
                }
            }
        }
        if state == State::Connected
            && let Err(error) = Box::pin(queue.record(live)).await
        {
            tracing::debug!(%error, "the token is not written down yet");
        }
        match watches.next(queue, live, state).await {
            Fired::Moved => {}
            // They are told when they are watched again; and whether the own node is still there is seen then.
            Fired::Members | Fired::Own => {}
            // The own node was it, perhaps, and its claim reads the queue by itself.
            Fired::Crowd if locked(&queue.known).stays(live).is_some() => {}
            Fired::Crowd => queue.hints.changed(),
            Fired::Queue => {
                let mut known = locked(&queue.known);
                known.called = true;
                // The claim that follows finds who is before now. A watch on who was would be asked for ahead of its reads, and fire at once.
                known.predecessor = None;
                drop(known);
                queue.look_ahead(live);
                queue.hints.changed();
            }
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
    {
        let mut known = locked(&queue.known);
        let is_it = |place: &&mut Place| {
            matches!(&place.node, Some((_, node)) if **node == *path) && place.stays()
        };
        let Some(place) = known.place.as_mut().filter(is_it) else {
            return;
        };
        place.gone = true;
        place.live.leads_no_longer(path);
    }
    tracing::warn!(
        election = %queue.election,
        node = path,
        "the node of this candidate was deleted by somebody else, or its server has lost it"
    );
    queue.hints.changed();
}

impl Watches {
    /// Sets what is to be watched and is not.
    async fn arm(&mut self, queue: &Arc<Queue>, live: &Arc<Live>) -> Result<(), Failed> {
        let paths = &queue.paths;
        let (own, before, contends, left, wants_members) = {
            let known = locked(&queue.known);
            let place = known.place.as_ref();
            let place = place.filter(|place| place.is_of(live) && !place.gone);
            // Of one that is being deleted from here, nothing is to be told.
            let own = known.stays(live).and_then(|place| place.node.as_ref());
            let before = known.predecessor.clone().filter(|_| place.is_some());
            let own = own.map(|(_, path)| Arc::clone(path));
            (
                own,
                before,
                place.is_some(),
                known.left,
                known.wants_members,
            )
        };
        let parent = queue.ensemble.planted.is(Mistake::WatchesParent);
        keep(&mut self.own, own.as_ref());
        // Who contends watches the one before alone, so that a release wakes one and not all.
        let of_children = !contends || parent;
        let watched = if !of_children {
            before
        } else {
            (!left).then(|| Arc::clone(&paths.election))
        };
        keep(&mut self.queue, watched.as_ref());
        keep(&mut self.members, wants_members.then_some(&paths.members));
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
        if let Some(watched) = unset(&mut self.members) {
            watched.event = Some(children(live, &watched.path).await?);
            // Whatever was read before may be out of date by what came before the watch.
            queue.hints.members_changed();
        }
        Ok(())
    }

    /// Waits for what fires first, and unsets that.
    async fn next(&mut self, queue: &Queue, live: &Live, state: State) -> Fired {
        let take = |moved: &mut bool| std::mem::take(moved).then_some(Fired::Moved);
        let mut moved = pin!(queue.moved.next(take));
        let crowd = (self.queue.as_ref())
            .is_some_and(|watched| watched.path == queue.paths.election)
            && !queue.ensemble.planted.is(Mistake::WatchesParent);
        let of_queue = || if crowd { Fired::Crowd } else { Fired::Queue };
        poll_fn(|context| {
            let now = live.watch.state();
            if now != state {
                return Poll::Ready(Fired::State(now));
            }
            for (slot, what) in [
                (&mut self.queue, of_queue()),
                (&mut self.own, Fired::Own),
                (&mut self.members, Fired::Members),
            ] {
                let event = slot.as_mut().and_then(|watched| watched.event.as_mut());
                if event.is_some_and(|event| event.as_mut().poll(context).is_ready()) {
                    *slot = None;
                    return Poll::Ready(what);
                }
            }
            moved.as_mut().poll(context)
        })
        .await
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
fn keep(slot: &mut Option<Watched>, path: Option<&Arc<str>>) {
    if slot.as_ref().map(|watched| &watched.path) != path {
        *slot = path.map(|path| Watched {
            event: None,
            path: Arc::clone(path),
        });
    }
}

fn unset(slot: &mut Option<Watched>) -> Option<&mut Watched> {
    slot.as_mut().filter(|watched| watched.event.is_none())
}
