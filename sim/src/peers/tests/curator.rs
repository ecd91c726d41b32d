use tenure_core::Nanos;

use crate::peers::{Call, Curator, NodeAnswer, NodeAsk, NodeInput, NodeOutput};

/// One candidate, and a test in the place of the world.
struct Desk {
    calls: u64,
    curator: Curator,
    now: u64,
}

const OWN: &str = "_c_00000007-0000-4000-8000-000000000001-lock-";

impl Desk {
    fn new() -> Self {
        Self {
            calls: 0,
            curator: Curator::new(7),
            now: 100_000,
        }
    }

    fn input(&mut self, input: NodeInput) -> Vec<NodeOutput> {
        self.curator.handle(Nanos::from_millis(self.now), input);
        let outputs: Vec<_> = std::iter::from_fn(|| self.curator.poll()).collect();
        for output in &outputs {
            if let NodeOutput::Send(Call(call), _) = output {
                self.calls = *call;
            }
        }
        outputs
    }

    fn answer(&mut self, answer: NodeAnswer) -> Vec<NodeOutput> {
        let call = Call(self.calls);
        self.input(NodeInput::Answered(call, answer))
    }

    /// Says that the node was made, with this number.
    fn made(&mut self, number: u64) -> Vec<NodeOutput> {
        let name = numbered(OWN, number);
        self.answer(NodeAnswer::Created { name, token: 40 })
    }

    /// One that leads with a node of number 5.
    fn leader() -> Self {
        let mut desk = Self::new();
        assert_eq!(asks(&desk.input(NodeInput::Connected)), Some(&create(OWN)));
        assert_eq!(asks(&desk.made(5)), Some(&NodeAsk::Children));
        let outputs = desk.answer(children(&[numbered(OWN, 5)]));
        assert_eq!(outputs, [NodeOutput::Start(40)]);
        desk
    }
}

fn numbered(name: &str, number: u64) -> String {
    format!("{name}{number:010}")
}

fn create(name: &str) -> NodeAsk {
    NodeAsk::Create(name.to_owned())
}

fn delete(name: String) -> NodeAsk {
    NodeAsk::Delete(name)
}

fn children(names: &[String]) -> NodeAnswer {
    NodeAnswer::Children(names.to_vec())
}

/// What is asked for, of the last of the outputs.
fn asks(outputs: &[NodeOutput]) -> Option<&NodeAsk> {
    match outputs.last() {
        Some(NodeOutput::Send(_, ask)) => Some(ask),
        _ => None,
    }
}

/// What the second node of a candidate is called before its number.
fn second() -> String {
    OWN.replace("1-lock-", "2-lock-")
}

#[test]
fn waits_for_the_one_before_it_by_the_numbers_and_looks_again_when_that_is_gone() {
    let mut desk = Desk::new();
    desk.input(NodeInput::Connected);
    desk.made(5);
    // By their whole names these would be in another order.
    let (first, before) = (numbered("_c_z-lock-", 3), numbered("_c_a-lock-", 4));
    let all = [before.clone(), numbered(OWN, 5), first.clone()];
    assert_eq!(
        asks(&desk.answer(children(&all))),
        Some(&NodeAsk::Watch(before))
    );
    assert_eq!(desk.answer(NodeAnswer::Done), []);
    let watch = Call(desk.calls);
    let outputs = desk.input(NodeInput::Fired(watch));
    assert_eq!(asks(&outputs), Some(&NodeAsk::Children));
    let outputs = desk.answer(children(&[first.clone(), numbered(OWN, 5)]));
    assert_eq!(asks(&outputs), Some(&NodeAsk::Watch(first)));
    // It went before it could be watched.
    let outputs = desk.answer(NodeAnswer::Missing);
    assert_eq!(asks(&outputs), Some(&NodeAsk::Children));
    let outputs = desk.answer(children(&[numbered(OWN, 5)]));
    assert_eq!(outputs, [NodeOutput::Start(40)]);
}

#[test]
fn asks_for_nothing_while_it_leads() {
    let mut desk = Desk::leader();
    desk.now += 1_000_000;
    assert_eq!(desk.curator.due(), None);
    assert_eq!(desk.input(NodeInput::Tick), []);
}

#[test]
fn stops_when_the_connection_is_suspended_and_stands_anew_though_the_session_lives() {
    let mut desk = Desk::leader();
    assert_eq!(desk.input(NodeInput::Suspended), [NodeOutput::Stop]);
    let outputs = desk.input(NodeInput::Connected);
    assert_eq!(asks(&outputs), Some(&delete(numbered(OWN, 5))));
    let outputs = desk.answer(NodeAnswer::Done);
    assert_eq!(asks(&outputs), Some(&create(&second())));
}

#[test]
fn a_new_session_finds_nothing_left_of_the_one_before() {
    let mut desk = Desk::leader();
    assert_eq!(desk.input(NodeInput::Lost), [NodeOutput::Stop]);
    let outputs = desk.input(NodeInput::Connected);
    assert_eq!(asks(&outputs), Some(&create(&second())));
}

#[test]
fn takes_away_a_node_of_which_it_never_heard_that_it_was_made() {
    let mut desk = Desk::new();
    desk.input(NodeInput::Connected);
    assert_eq!(desk.answer(NodeAnswer::Failed), []);
    assert_eq!(desk.input(NodeInput::Suspended), []);
    let outputs = desk.input(NodeInput::Connected);
    assert_eq!(asks(&outputs), Some(&NodeAsk::Children));
    let other = numbered("_c_other-lock-", 4);
    let outputs = desk.answer(children(&[other, numbered(OWN, 5)]));
    assert_eq!(asks(&outputs), Some(&delete(numbered(OWN, 5))));
    let outputs = desk.answer(NodeAnswer::Done);
    assert_eq!(asks(&outputs), Some(&create(&second())));
}

#[test]
fn tries_again_after_a_second_what_was_refused() {
    let mut desk = Desk::new();
    desk.input(NodeInput::Connected);
    desk.answer(NodeAnswer::Failed);
    desk.now += 999;
    assert_eq!(desk.input(NodeInput::Tick), []);
    desk.now += 1;
    assert_eq!(asks(&desk.input(NodeInput::Tick)), Some(&NodeAsk::Children));
    assert_eq!(asks(&desk.answer(children(&[]))), Some(&create(&second())));
}

#[test]
fn whoever_has_led_stands_last() {
    let mut desk = Desk::leader();
    let outputs = desk.input(NodeInput::Resign);
    assert_eq!(outputs.first(), Some(&NodeOutput::Stop));
    assert_eq!(asks(&outputs), Some(&delete(numbered(OWN, 5))));
    let outputs = desk.answer(NodeAnswer::Done);
    assert_eq!(asks(&outputs), Some(&create(&second())));
}

#[test]
fn takes_its_node_away_before_it_ends_unless_it_is_cut_off() {
    let mut desk = Desk::leader();
    let outputs = desk.input(NodeInput::ShutDown);
    assert_eq!(outputs.first(), Some(&NodeOutput::Stop));
    assert_eq!(desk.answer(NodeAnswer::Done), [NodeOutput::Ended]);
    assert_eq!(desk.input(NodeInput::Connected), []);

    let mut desk = Desk::leader();
    desk.input(NodeInput::ShutDown);
    assert_eq!(desk.input(NodeInput::Suspended), [NodeOutput::Ended]);
}
