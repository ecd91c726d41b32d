//! What a resource needs in order to refuse a leader of the past.

use std::fmt;

use crate::FencingToken;

/// The highest fencing token that a resource has seen; it refuses lower ones.
///
/// A deadline ends the work of a leader that can still be told. Only the resource can refuse what was decided before a pause and
/// arrives after it, and this is the check that it makes. The check and the write that it guards have to be one step for everybody
/// else: keep the fence and the resource under one lock, in one transaction, or in one conditional write.
///
/// A fence that has to outlive its process is stored together with the resource, and restored with [`Fence::restored`].
///
/// ```
/// use tenure_core::{Fence, FencingToken};
///
/// let token = |value| FencingToken::new(value).expect("fits 63 bits");
/// let mut fence = Fence::new();
/// assert!(fence.admit(token(7)).is_ok());
/// assert!(fence.admit(token(7)).is_ok()); // the same leadership may write again
/// assert!(fence.admit(token(9)).is_ok()); // a later leader
/// let stale = fence.admit(token(7)).unwrap_err(); // the earlier one, late
/// assert_eq!(stale.seen, token(9));
/// ```
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub struct Fence {
    seen: Option<FencingToken>,
}

/// A token of a leadership that is over: a larger one was seen.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Stale {
    /// The token that was offered.
    pub offered: FencingToken,
    /// The largest token seen before.
    pub seen: FencingToken,
}

impl Fence {
    /// A fence that has seen nothing.
    pub const fn new() -> Self {
        Self { seen: None }
    }

    /// A fence that has seen `seen` before, as stored beside the resource.
    pub const fn restored(seen: FencingToken) -> Self {
        Self { seen: Some(seen) }
    }

    /// The largest token seen.
    pub const fn seen(&self) -> Option<FencingToken> {
        self.seen
    }

    /// Lets `token` pass and remembers it, unless a larger one was seen.
    ///
    /// # Errors
    /// When a larger token was seen: a later leader has been here, and what comes with this token must be refused.
    pub fn admit(&mut self, token: FencingToken) -> Result<(), Stale> {
        match self.seen {
            Some(seen) if token < seen => Err(Stale {
                offered: token,
                seen,
            }),
            _ => {
                self.seen = Some(token);
                Ok(())
            }
        }
    }
}

impl fmt::Display for Stale {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { offered, seen } = self;
        write!(
            f,
            "token {offered} is stale: a leader with token {seen} has been here since; stop, and campaign again"
        )
    }
}

impl std::error::Error for Stale {}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_is_admitted_never_goes_down(offers in proptest::collection::vec(0u64..20, 0..50)) {
            let mut fence = Fence::new();
            let mut admitted = Vec::new();
            for offer in offers {
                let offered = FencingToken::new(offer).unwrap();
                match fence.admit(offered) {
                    Ok(()) => admitted.push(offered),
                    Err(stale) => {
                        prop_assert!(stale.offered < stale.seen);
                        prop_assert_eq!(Some(&stale.seen), admitted.iter().max());
                    }
                }
            }
            prop_assert!(admitted.is_sorted());
        }
    }

    #[test]
    fn a_restored_fence_refuses_what_it_refused_before() {
        let mut fence = Fence::restored(FencingToken::MAX);
        let error = fence.admit(FencingToken::new(1).unwrap()).unwrap_err();
        assert!(error.to_string().starts_with("token 1 is stale"));
    }
}
