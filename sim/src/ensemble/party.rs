use std::sync::Arc;

use tenure_core::Clock;

use super::habits::Habits;
use super::transaction::Change;
use crate::executor::{NodeId, Process};

/// What a client sends, for whoever gives it a number.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Sent<'a> {
    /// It asks for a session.
    Open,
    /// It asks for a change.
    Change(&'a Change),
    /// It reads a node; of none in particular where it waits for its server to catch up.
    Read(&'a str),
}

/// Gives a number to each request of a client, at the moment of its sending.
pub(crate) type Tagger = Arc<dyn Fn(Sent<'_>) -> u32 + Send + Sync>;

/// Whose client it is.
#[derive(Clone)]
pub(crate) struct Party {
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) habits: Habits,
    pub(crate) node: NodeId,
    /// What the process is called in what it asks for.
    pub(crate) number: u32,
    pub(crate) process: Process,
    /// The server that it tries first; any, unless given.
    pub(crate) server: Option<usize>,
    pub(crate) tagger: Tagger,
}
