//! Mistakes that can be planted, each of which the invariants have to catch.

/// A planted mistake.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[non_exhaustive]
pub enum Bug {
    /// An unknown outcome of a renewal counts as confirmed.
    UnknownIsConfirmed,
}
