//! Curator's `LeaderSelector` with `autoRequeue` and the listener adapter, as Curator 5.9 has it: an `InterProcessMutex` over a queue of
//! nodes, of which the first leads. What it knows of the session is what the client says of the connection: it leads until that is lost,
//! and then stops. No write of its own tells whether the servers still have its node.

use std::collections::VecDeque;

use tenure_core::Nanos;

use super::model::Call;
use super::nodes::{Answer, Ask, Input, Output};

/// What comes between the name that a candidate gives its node and the servers' number.
const LOCK: &str = "-lock-";
/// After how long a request that has failed is made again: the first sleep of the usual `ExponentialBackoffRetry(1000, 3)`.
const RETRIES_AFTER: Nanos = Nanos::from_millis(1_000);

/// One candidate.
#[derive(Debug)]
pub(crate) struct Curator {
    calls: u64,
    connected: bool,
    /// A number that no other candidate's process has.
    id: u32,
    nodes_made: u64,
    outputs: VecDeque<Output>,
    place: Place,
    retries_at: Option<Nanos>,
    shuts_down: bool,
}

/// Its node.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Own {
    name: String,
    token: u64,
}

/// Where it stands.
#[derive(Clone, PartialEq, Eq, Debug)]
enum Place {
    /// Nowhere: it has no node.
    Out,
    /// It makes a node of a name that begins so.
    Creating(String, Call),
    /// It looks who is first.
    Looking(Own, Call),
    /// It asks to be told when the one before it is gone.
    Watching(Own, Call),
    /// It waits until it is told.
    Waiting(Own, Call),
    /// It leads.
    Leading(Own),
    /// It takes its node away.
    Leaving(Own, Option<Call>),
    /// It may have made a node of a name that begins so, and looks for it.
    Searching(String, Option<Call>),
    Ended,
}

impl Curator {
    pub(crate) fn new(id: u32) -> Self {
        Self {
            calls: 0,
            connected: false,
            id,
            nodes_made: 0,
            outputs: VecDeque::new(),
            place: Place::Out,
            retries_at: None,
            shuts_down: false,
        }
    }

    fn send(&mut self, ask: Ask) -> Call {
        self.calls += 1;
        let call = Call(self.calls);
        self.outputs.push_back(Output::Send(call, ask));
        call
    }

    /// Goes on from where it has nothing under way, if it can.
    fn go_on(&mut self) {
        if self.shuts_down && (self.place == Place::Out || !self.connected) {
            self.place = Place::Ended;
            self.outputs.push_back(Output::Ended);
            return;
        }
        if !self.connected || self.retries_at.is_some() {
            return;
        }
        match self.place.clone() {
            Place::Out => self.create(),
            Place::Leaving(own, None) => {
                let call = self.send(Ask::Delete(own.name.clone()));
                self.place = Place::Leaving(own, Some(call));
            }
            Place::Searching(name, None) => {
                let call = self.send(Ask::Children);
                self.place = Place::Searching(name, Some(call));
            }
            _ => {}
        }
    }

    /// A node with protection: its name has a UUID in it, by which it is found when the answer was lost.
    fn create(&mut self) {
        self.nodes_made += 1;
        let (id, number) = (self.id, self.nodes_made);
        let name = format!("_c_{id:08x}-0000-4000-8000-{number:012x}{LOCK}");
        let call = self.send(Ask::Create(name.clone()));
        self.place = Place::Creating(name, call);
    }

    fn look(&mut self, own: Own) {
        let call = self.send(Ask::Children);
        self.place = Place::Looking(own, call);
    }

    fn looked(&mut self, own: Own, mut children: Vec<String>) {
        children.sort_by(|one, other| for_sorting(one).cmp(for_sorting(other)));
        match children.iter().position(|name| *name == own.name) {
            // It is gone: another is made.
            None => {
                self.place = Place::Out;
                self.go_on();
            }
            Some(0) => {
                self.outputs.push_back(Output::Start(own.token));
                self.place = Place::Leading(own);
            }
            Some(at) => {
                let call = self.send(Ask::Watch(children[at - 1].clone()));
                self.place = Place::Watching(own, call);
            }
        }
    }

    /// The thread is interrupted, whatever it does: its node is to go.
    fn interrupted(&mut self) {
        self.place = match std::mem::replace(&mut self.place, Place::Ended) {
            Place::Creating(name, _) | Place::Searching(name, _) => Place::Searching(name, None),
            Place::Leading(own) => {
                self.outputs.push_back(Output::Stop);
                Place::Leaving(own, None)
            }
            Place::Looking(own, _)
            | Place::Watching(own, _)
            | Place::Waiting(own, _)
            | Place::Leaving(own, _) => Place::Leaving(own, None),
            place @ (Place::Out | Place::Ended) => place,
        };
    }

    fn answered(&mut self, now: Nanos, answered: Call, answer: Answer) {
        let (Place::Creating(_, call)
        | Place::Looking(_, call)
        | Place::Watching(_, call)
        | Place::Leaving(_, Some(call))
        | Place::Searching(_, Some(call))) = self.place
        else {
            return;
        };
        if call != answered {
            return;
        }
        match (self.place.clone(), answer) {
            (Place::Creating(..), Answer::Created { name, token }) => {
                self.look(Own { name, token })
            }
            (Place::Looking(own, _), Answer::Children(children)) => self.looked(own, children),
            (Place::Watching(own, call), Answer::Done) => self.place = Place::Waiting(own, call),
            // The one before it went meanwhile.
            (Place::Watching(own, _), Answer::Missing) => self.look(own),
            (Place::Leaving(..), Answer::Done | Answer::Missing) => {
                self.place = Place::Out;
                self.go_on();
            }
            (Place::Searching(name, _), Answer::Children(children)) => {
                let found = children.into_iter().find(|child| child.starts_with(&name));
                self.place = match found {
                    Some(name) => Place::Leaving(Own { name, token: 0 }, None),
                    None => Place::Out,
                };
                self.go_on();
            }
            _ => {
                self.interrupted();
                self.retries_at = Some(now.saturating_add(RETRIES_AFTER));
            }
        }
    }

    /// `LeaderSelectorListenerAdapter` cancels the election when the connection is suspended or lost.
    fn suspended(&mut self) {
        self.connected = false;
        self.interrupted();
        self.go_on();
    }

    fn lost(&mut self) {
        self.suspended();
        if self.place != Place::Ended {
            self.place = Place::Out;
        }
    }

    /// Takes in what happened, at this moment of the clock that stops in suspend. Before the first input nothing is done.
    pub(crate) fn handle(&mut self, now: Nanos, input: Input) {
        if self.place == Place::Ended {
            return;
        }
        match input {
            Input::Answered(call, answer) => self.answered(now, call, answer),
            Input::Connected => {
                self.connected = true;
                self.retries_at = None;
                self.go_on();
            }
            Input::Fired(call) => {
                if let Place::Waiting(own, watch) = self.place.clone()
                    && watch == call
                {
                    self.look(own);
                }
            }
            Input::Lost => self.lost(),
            Input::Resign => {
                if matches!(self.place, Place::Leading(_)) {
                    self.interrupted();
                    self.go_on();
                }
            }
            Input::ShutDown => {
                self.shuts_down = true;
                self.interrupted();
                self.go_on();
            }
            Input::Suspended => self.suspended(),
            Input::Tick => {
                if self.retries_at.is_some_and(|at| at <= now) {
                    self.retries_at = None;
                    self.go_on();
                }
            }
        }
    }

    /// What is to be done, in order, until nothing is left.
    pub(crate) fn poll(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// When it next wants an [`Input::Tick`]; nothing when only something else can move it.
    pub(crate) fn due(&self) -> Option<Nanos> {
        self.retries_at
    }
}

/// What Curator sorts by: what stands after the last `-lock-`; the whole name of one that has none.
fn for_sorting(name: &str) -> &str {
    name.rsplit_once(LOCK).map_or(name, |(_, number)| number)
}
