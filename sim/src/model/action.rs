use tenure_core::Nanos;
use tenure_core::machine::{Input, Output};

use super::rules::{Rules, moment};
use super::store;
use super::world::{Call, Node, Work, World};
use crate::planted::Distortion;

/// One thing that may happen next.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) enum Action {
    /// An answer that was on its way reaches its candidate.
    AnswerArrives(usize),
    /// A candidate's process dies, and starts anew.
    Crash(usize),
    /// Somebody deletes the record.
    Delete,
    /// Somebody takes the holder out of the record.
    Empty,
    /// A write whose caller waits no longer reaches the store: which candidate's, and which of them.
    DelayedWriteLands(usize, usize),
    /// A request reaches the store.
    RequestLands(usize, Answer),
    /// A leader is asked to resign.
    Resign(usize),
    /// A tick passes on one candidate's clock.
    Tick(usize),
    /// A tick passes on all clocks.
    TickAll,
    /// A tick passes on one candidate's clock, and its machine does not notice.
    TickUnnoticed(usize),
    /// A leader's work ends.
    WorkEnds(usize),
}

/// When an answer arrives.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) enum Answer {
    /// At once.
    AtOnce,
    /// Later, if its caller waits as long.
    Later,
    /// Never.
    Lost,
}

/// All that may happen next.
pub(super) fn possible(rules: &Rules, world: &World, actions: &mut Vec<Action>) {
    if world.broken.is_some() {
        return;
    }
    let configuration = &rules.configuration;
    if configuration.deletions && world.record.is_some() {
        actions.push(Action::Delete);
    }
    if configuration.emptyings && world.is_held() {
        actions.push(Action::Empty);
    }
    if configuration.drift == 0 && (0..world.nodes.len()).all(|node| may_tick(rules, world, node)) {
        actions.push(Action::TickAll);
    }
    for node in 0..world.nodes.len() {
        possible_of(rules, world, node, actions);
    }
}

fn possible_of(rules: &Rules, world: &World, index: usize, actions: &mut Vec<Action>) {
    let configuration = &rules.configuration;
    let node = &world.nodes[index];
    if configuration.drift > 0 && may_tick(rules, world, index) {
        actions.push(Action::Tick(index));
        if node.unnoticed < configuration.starved {
            actions.push(Action::TickUnnoticed(index));
        }
    }
    match &node.call {
        Some(Call::Read | Call::Write(_)) => {
            actions.push(Action::RequestLands(index, Answer::AtOnce));
            // With a shorter timeout no later answer is in time.
            if configuration.request_timeout > 1 {
                actions.push(Action::RequestLands(index, Answer::Later));
            }
        }
        Some(Call::Answered(_)) => actions.push(Action::AnswerArrives(index)),
        Some(Call::AnswerLost) | None => {}
    }
    if let Some(Call::Write(write)) = &node.call
        && (store::fits(world, write) || rules.distorts(Distortion::ClaimIsAssumed))
    {
        // A write that changes nothing, and whose answer is lost, is as good as lost itself.
        actions.push(Action::RequestLands(index, Answer::Lost));
    }
    for (which, write) in node.delayed.iter().enumerate() {
        if store::fits(world, write) {
            actions.push(Action::DelayedWriteLands(index, which));
        }
    }
    match node.work {
        Work::None => {}
        Work::Running if !configuration.work_ends => {}
        Work::Aborted | Work::Draining | Work::Running | Work::Told => {
            actions.push(Action::WorkEnds(index))
        }
    }
    if configuration.resigns && node.work == Work::Running {
        actions.push(Action::Resign(index));
    }
    if configuration.crashes {
        actions.push(Action::Crash(index));
    }
}

/// Whether a tick may pass on this candidate's clock: no clock runs away, and work that was aborted has ended by then.
fn may_tick(rules: &Rules, world: &World, index: usize) -> bool {
    let node = &world.nodes[index];
    match node.work {
        Work::Aborted => return false,
        Work::Told if is_aborted_in_time(rules, node) => return false,
        _ => {}
    }
    if rules.configuration.drift == 0 {
        return true;
    }
    // Clocks are ordered: an earlier candidate's has never ticked less than a later one's. So no two differ by more over any span.
    let (earlier, later) = (&world.nodes[..index], &world.nodes[index + 1..]);
    let is_last = |earlier: &Node| earlier.ahead > node.ahead;
    let is_near = |later: &Node| node.ahead < later.ahead + rules.drift();
    earlier.iter().all(is_last) && later.iter().all(is_near)
}

/// Whether work that was told to stop is aborted early enough to be gone within the stop timeout. The production machine does so,
/// and then it is as if the work had ended just in time by itself.
fn is_aborted_in_time(rules: &Rules, node: &Node) -> bool {
    if rules.bug.is_none() {
        return true;
    }
    let mut machine = node.machine.clone();
    let grace = Nanos::from(machine.grace());
    machine.handle(moment(node.now.plus(grace)), Input::Tick);
    std::iter::from_fn(|| machine.poll()).any(|output| output == Output::AbortWork)
}
