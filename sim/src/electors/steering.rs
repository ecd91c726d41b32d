use tenure_core::Control;
use tenure_core::machine::Eligibility;

use super::rival::Mailbox;
use crate::peers::NodeInput;

/// By what a candidate's process is asked for things.
#[derive(Clone, Debug)]
pub(super) enum Steering {
    /// Our own election's control.
    Election(Control),
    /// What one of another make is told.
    Rival(Mailbox),
}

impl Steering {
    pub(super) fn shut_down(&self) {
        match self {
            Self::Election(control) => control.shut_down(),
            Self::Rival(mailbox) => mailbox.tell(NodeInput::ShutDown),
        }
    }

    pub(super) fn resign(&self) {
        match self {
            Self::Election(control) => control.resign(),
            Self::Rival(mailbox) => mailbox.tell(NodeInput::Resign),
        }
    }

    /// Others know nothing of it.
    pub(super) fn set_eligibility(&self, eligibility: Eligibility) {
        if let Self::Election(control) = self {
            control.set_eligibility(eligibility);
        }
    }
}
