use std::fmt;

use serde::Serialize;

use super::words;
use crate::TrueTime;

/// What kind of thing a [`Step`] is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum StepKind {
    /// An invariant did not hold.
    Violation,
    /// A fault begins or ends.
    Fault,
    /// Somebody begins or ends to believe that it leads.
    Lead,
    /// Work begins, is told to stop, or ends.
    Work,
    /// The lock's record changes hands.
    Lock,
    /// A process or a clock.
    Node,
    /// What an election tells, is asked for, or runs.
    Told,
}

/// One transition of a run.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Step {
    /// When.
    pub at: TrueTime,
    /// On which node, by its place in the plan; nothing for the world.
    pub node: Option<u16>,
    /// What kind of thing it is.
    pub kind: StepKind,
    /// What happened, in words.
    pub text: String,
    /// What all nodes do since, a letter each: see [`Step::LEGEND`].
    pub lanes: String,
}

impl Step {
    /// What the letters mean.
    pub const LEGEND: &str = "lanes: W leads and works, L leads, w works and does not lead (it is stopping), . is up, z is frozen, Z is frozen while it works, blank is down; ! marks what was found";

    /// The heading of lines about so many nodes.
    pub fn header(nodes: usize) -> String {
        let lanes: Vec<String> = (0..nodes).map(|node| (node % 10).to_string()).collect();
        format!("{:>12}    {}", "seconds", lanes.concat())
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mark = match self.kind {
            StepKind::Violation => '!',
            StepKind::Fault => '*',
            _ => ' ',
        };
        write!(f, "{:>12} {mark}  {}   ", words::clock(self.at), self.lanes)?;
        if let Some(node) = self.node {
            write!(f, "n{node} ")?;
        }
        f.write_str(&self.text)
    }
}
