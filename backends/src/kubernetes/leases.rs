//! Watches of Leases: one for each, by its name, so that a role may grant no more; one for all, by our label, above some number of them.
//!
//! A Lease that somebody else has made carries our label only once a candidate of ours has written it. Until then it is watched by its
//! name, or polled.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, Weak};

use serde_json::Value;

use super::annotations::LABEL;
use super::api::Api;
use super::hints::Hints;
use super::watch::{Follower, Nudge, Sink, Target};
use crate::locked::locked;
use crate::tasks::{TaskGuard, Tasks};

/// Up to so many Leases are watched by name, each on a connection of its own.
const BY_NAME_MAX: usize = 8;

/// All Leases that one process watches.
#[derive(Debug)]
pub(crate) struct Leases {
    api: Arc<Api>,
    state: Mutex<State>,
    tasks: Arc<dyn Tasks>,
}

#[derive(Default, Debug)]
struct State {
    /// By the Lease's name and a number, since several handles of a process may watch one Lease.
    watched: BTreeMap<(String, u64), Watched>,
    number: u64,
    /// The watch of all, once it was needed.
    together: Option<(TaskGuard, Arc<Nudge>)>,
    /// Whether the watch of all works; nothing before that is known.
    works: Option<bool>,
}

#[derive(Debug)]
struct Watched {
    alone: Option<TaskGuard>,
    /// The watch of all does not tell of it.
    apart: bool,
    hints: Arc<Hints>,
    nudge: Arc<Nudge>,
}

/// One Lease that is watched until this is dropped.
#[derive(Debug)]
pub(crate) struct Watch {
    key: (String, u64),
    leases: Arc<Leases>,
}

impl Leases {
    pub(crate) fn new(api: Arc<Api>, tasks: Arc<dyn Tasks>) -> Self {
        Self {
            api,
            state: Mutex::default(),
            tasks,
        }
    }

    /// Watches the Lease `name`, and tells `hints`.
    pub(crate) fn watch(self: &Arc<Self>, name: &str, hints: &Arc<Hints>) -> Watch {
        let mut state = locked(&self.state);
        state.number += 1;
        let key = (name.to_owned(), state.number);
        let watched = Watched {
            alone: None,
            apart: false,
            hints: Arc::clone(hints),
            nudge: Arc::default(),
        };
        state.watched.insert(key.clone(), watched);
        if state.watched.len() > BY_NAME_MAX && state.together.is_none() {
            state.together = Some(self.watch_together());
        }
        match (&state.together, state.works) {
            (Some(_), Some(true)) => hints.join_watch(),
            // The watch of all will tell whether it works.
            (Some(_), None) => {}
            _ => self.watch_alone(&mut state),
        }
        drop(state);
        Watch {
            key,
            leases: Arc::clone(self),
        }
    }

    fn follower(&self, selector: &str, name: &str, sink: Arc<dyn Sink>) -> (Follower, Arc<Nudge>) {
        let namespace = &self.api.namespace;
        let nudge = Arc::new(Nudge::default());
        let follower = Follower {
            api: Arc::clone(&self.api),
            nudge: Arc::clone(&nudge),
            sink,
            target: Target {
                path: format!(
                    "/apis/coordination.k8s.io/v1/namespaces/{namespace}/leases?{selector}"
                )
                .into(),
                resource: "leases",
                name: name.to_owned(),
            },
        };
        (follower, nudge)
    }

    fn watch_together(self: &Arc<Self>) -> (TaskGuard, Arc<Nudge>) {
        let selector = format!("labelSelector={}%3Dtrue", LABEL.replace('/', "%2F"));
        let sink = Together(Arc::downgrade(self));
        let (follower, nudge) = self.follower(&selector, LABEL, Arc::new(sink));
        (self.tasks.spawn(Box::pin(follower.follow())), nudge)
    }

    /// Watches by name what is not watched.
    fn watch_alone(&self, state: &mut State) {
        for ((name, _), watched) in &mut state.watched {
            if watched.alone.is_none() {
                self.watch_by_name(name, watched);
            }
        }
    }

    fn watch_by_name(&self, name: &str, watched: &mut Watched) {
        let selector = format!("fieldSelector=metadata.name%3D{name}");
        let hints = Arc::clone(&watched.hints);
        let (follower, nudge) = self.follower(&selector, name, hints);
        watched.alone = Some(self.tasks.spawn(Box::pin(follower.follow())));
        watched.nudge = nudge;
    }
}

impl Watch {
    /// The Lease does not carry our label, so that the watch of all does not tell of it.
    pub(crate) fn set_apart(&self) {
        let mut state = locked(&self.leases.state);
        let by_name = state.watched.values().filter(|it| it.alone.is_some());
        let room = by_name.count() < BY_NAME_MAX;
        let Some(watched) = state.watched.get_mut(&self.key) else {
            return;
        };
        let was_apart = std::mem::replace(&mut watched.apart, true);
        if watched.alone.is_some() {
            return;
        }
        if !was_apart {
            watched.hints.tell_watching(false);
        }
        if room {
            self.leases.watch_by_name(&self.key.0, watched);
        }
    }

    /// Has the watch opened again, since it is behind.
    pub(crate) fn nudge(&self) {
        let state = locked(&self.leases.state);
        let Some(watched) = state.watched.get(&self.key) else {
            return;
        };
        match &state.together {
            _ if watched.alone.is_some() => watched.nudge.nudge(),
            Some((_, nudge)) if !watched.apart => nudge.nudge(),
            _ => {}
        }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        let mut state = locked(&self.leases.state);
        state.watched.remove(&self.key);
        if state.watched.is_empty() {
            state.together = None;
            state.works = None;
        }
    }
}

/// Who the watch of all tells.
#[derive(Debug)]
struct Together(Weak<Leases>);

impl Together {
    /// Tells those who watch the Lease that `object` is.
    fn tell(&self, object: &Value, tell: impl Fn(&mut Watched)) {
        let name = object.pointer("/metadata/name").and_then(Value::as_str);
        let (Some(leases), Some(name)) = (self.0.upgrade(), name) else {
            return;
        };
        let mut state = locked(&leases.state);
        let from = (name.to_owned(), 0);
        let to = (name.to_owned(), u64::MAX);
        for (_, watched) in state.watched.range_mut(from..=to) {
            tell(watched);
        }
    }

    fn tell_all(&self, tell: impl Fn(&Hints)) {
        if let Some(leases) = self.0.upgrade() {
            let state = locked(&leases.state);
            for watched in state.watched.values().filter(|watched| !watched.apart) {
                tell(&watched.hints);
            }
        }
    }
}

impl Sink for Together {
    fn changed(&self, object: Value) {
        self.tell(&object, |watched| {
            // So it does tell of it.
            if std::mem::take(&mut watched.apart) {
                watched.alone = None;
                watched.hints.tell_watching(true);
            }
            watched.hints.changed(object.clone());
        });
    }

    fn deleted(&self, object: Value) {
        self.tell(&object, |watched| watched.hints.look());
    }

    fn missed(&self) {
        self.tell_all(Hints::look);
    }

    fn watching(&self, works: bool) {
        if let Some(leases) = self.0.upgrade() {
            let mut state = locked(&leases.state);
            state.works = Some(works);
            if works {
                // It tells of all of them.
                for watched in state.watched.values_mut().filter(|it| !it.apart) {
                    watched.alone = None;
                }
            }
        }
        self.tell_all(|hints| hints.tell_watching(works));
    }

    fn refused(&self) {
        let Some(leases) = self.0.upgrade() else {
            return;
        };
        let mut state = locked(&leases.state);
        state.works = Some(false);
        // The right may be there for each name.
        leases.watch_alone(&mut state);
    }
}
