//! What one handle is told of changes.

use tenure_core::backend::Hint;

use crate::mailbox::Mailbox;

#[derive(Default, Debug)]
struct Pending {
    changed: bool,
    disconnected: bool,
    members: bool,
    watching: Option<bool>,
}

/// The hints for one handle.
#[derive(Default, Debug)]
pub(crate) struct Hints(Mailbox<Pending>);

impl Hints {
    pub(crate) fn changed(&self) {
        self.0.tell(|pending| pending.changed = true);
    }

    pub(crate) fn disconnected(&self) {
        self.0.tell(|pending| pending.disconnected = true);
    }

    pub(crate) fn members_changed(&self) {
        self.0.tell(|pending| pending.members = true);
    }

    pub(crate) fn watching(&self, works: bool) {
        self.0.tell(|pending| pending.watching = Some(works));
    }

    /// Waits for the next hint.
    pub(crate) async fn next(&self) -> Hint {
        let take = |pending: &mut Pending| {
            if std::mem::take(&mut pending.disconnected) {
                return Some(Hint::Disconnected);
            }
            if let Some(works) = pending.watching.take() {
                return Some(Hint::Watching(works));
            }
            if std::mem::take(&mut pending.changed) {
                return Some(Hint::Changed);
            }
            std::mem::take(&mut pending.members).then_some(Hint::MembersChanged)
        };
        self.0.next(take).await
    }
}
