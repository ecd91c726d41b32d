//! The trait that a lock implements, and its vocabulary.
//!
//! A backend reports facts: what the record says, what a write did, whether that is known, what just moved. It owns no time, makes
//! one attempt a call, keeps no cache that could pass for the store, and decides nothing about leadership: the core does.
//!
//! Two kinds of lock fit the trait ([`LockKind`]): a *leased* record, which anybody may take when it has aged, and a *session*
//! lock, which the store itself frees when its holder's session (or process) has ended.

mod description;
mod hold;
mod lock;
mod note;
mod observation;
mod request;
mod signs;

pub use description::{Description, LockKind, Proof};
pub use hold::{
    Acquired, Basis, Claim, Grant, Hold, Release, Released, Renewal, RenewalReceipt, Renewed,
    Standing, Vacancy,
};
pub use lock::{Hint, LockBackend};
pub use note::{Note, NoteTooLarge};
pub use observation::{Held, Holder, LockState, Member, Observation, ReleaseMark};
pub use request::{OperatorRequest, RequestKind, Submitted};
pub use signs::Signs;
pub(crate) use signs::{Acknowledged, is_later, later};
