use super::model::Call;

/// A request of a candidate that stands in a queue of nodes. Names are those of children of the queue's node.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Ask {
    /// The names of all that stand in the queue.
    Children,
    /// An ephemeral node with this name and a number after it.
    Create(String),
    /// This node is to go.
    Delete(String),
    /// The data of this node, to be told once when that or the node changes.
    Watch(String),
}

/// An answer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Answer {
    /// Their names.
    Children(Vec<String>),
    /// The node has this name.
    Created {
        /// With its number.
        name: String,
        /// The number of the transaction that made it.
        token: u64,
    },
    /// It is so.
    Done,
    /// No answer came, or one that says that it could not be done: it may have been done.
    Failed,
    /// There is no such node.
    Missing,
}

/// What happened.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Input {
    /// A request was answered.
    Answered(Call, Answer),
    /// There is a connection: of a new session, or again of the one before.
    Connected,
    /// What this request has asked to be told of has changed.
    Fired(Call),
    /// The session is over, and its nodes are gone or will be.
    Lost,
    /// The candidate is asked to give its leadership up, and to stand again.
    Resign,
    /// The process is asked to end.
    ShutDown,
    /// The connection is lost, as the client has noticed.
    Suspended,
    /// Time has passed.
    Tick,
}

/// What is to be done.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Output {
    /// The candidate has ended and does nothing any more.
    Ended,
    /// Make this request.
    Send(Call, Ask),
    /// Start the work, under this token.
    Start(u64),
    /// Stop the work.
    Stop,
}
