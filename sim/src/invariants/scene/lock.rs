use crate::TrueTime;
use crate::plan::Foreign;
use crate::trace::Life;

/// The lock's record.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::invariants) struct Lock {
    /// Who holds it; nothing for nobody, and for a stranger.
    pub(in crate::invariants) holder: Option<Life>,
    /// Its version; nothing where there is no record.
    pub(in crate::invariants) version: Option<u64>,
    /// The newest token in it.
    pub(in crate::invariants) token: Option<u64>,
    /// When it was last written.
    pub(in crate::invariants) since: TrueTime,
}

impl Default for Lock {
    fn default() -> Self {
        Self {
            holder: None,
            version: None,
            token: None,
            since: TrueTime::START,
        }
    }
}

impl Lock {
    /// Whether this takes the lock from its holder, or leaves in doubt whose it is.
    pub(in crate::invariants) fn is_disturbed_by(foreign: Foreign) -> bool {
        foreign != Foreign::EditLabel
    }
}
