use super::timer::Timer;
use super::{Machine, Moment, Operation, Purpose};
use crate::Reading;
use crate::backend::Member;
use crate::event::Event;

/// Who is there: whether this candidate is shown as a member, and what it knows of the others.
///
/// All of it is a courtesy: no decision about leadership waits for it.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub(super) struct Company {
    /// When to read the members without a hint.
    again: Option<Timer>,
    enlisted: Enlisted,
    /// The members may have changed.
    pub(super) look: bool,
    pub(super) members: Vec<Member>,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
enum Enlisted {
    #[default]
    No,
    /// It could not be done, or nobody knows whether it was; to be tried again.
    Perhaps(Timer),
    Yes,
}

impl Company {
    /// Whether this candidate may be shown as a member.
    pub(super) fn may_be_enlisted(&self) -> bool {
        self.enlisted != Enlisted::No
    }

    pub(super) fn withdrew(&mut self) {
        self.enlisted = Enlisted::No;
    }

    #[cfg(feature = "testing")]
    pub(super) fn normalise(&mut self, normal: &super::normal::Normal<'_>) {
        self.again = self.again.map(|again| normal.timer(again));
        if let Enlisted::Perhaps(again) = self.enlisted {
            self.enlisted = Enlisted::Perhaps(normal.timer(again));
        }
    }

    /// The call that is due, if any.
    pub(super) fn due(&self, now: Reading) -> Option<(Purpose, Operation)> {
        if self.enlisting_is_due(now) {
            Some((Purpose::Enlist, Operation::Enlist))
        } else if self.look || self.again.is_some_and(|again| again.due(now)) {
            Some((Purpose::Members, Operation::Members))
        } else {
            None
        }
    }

    fn enlisting_is_due(&self, now: Reading) -> bool {
        match self.enlisted {
            Enlisted::No => true,
            Enlisted::Perhaps(again) => again.due(now),
            Enlisted::Yes => false,
        }
    }
}

impl Machine {
    pub(super) fn enlisted(&mut self) {
        self.company.enlisted = Enlisted::Yes;
        self.company.look = self.settings.follows_members();
    }

    pub(super) fn enlisting_failed(&mut self, now: Moment) {
        self.company.enlisted = Enlisted::Perhaps(Timer::new(now.reading, self.spans.lease));
    }

    /// Members that change are told while there is a watch; otherwise they are read now and then.
    pub(super) fn members_read(&mut self, now: Moment, members: Vec<Member>) {
        self.company.again =
            (!self.knowledge.watching).then(|| Timer::new(now.reading, self.spans.lease));
        if self.company.members != members {
            self.company.members.clone_from(&members);
            self.tell(Event::MembersChanged { members });
        }
    }

    pub(super) fn members_failed(&mut self, now: Moment) {
        self.company.again = Some(Timer::new(now.reading, self.spans.lease));
    }
}
