use std::fmt;

use super::transaction::{Origin, Transaction};
use super::tree::{Outcome, Tree};

/// Who is told what happens to the ensemble.
pub(crate) trait Witness: fmt::Debug + Send + Sync {
    /// A majority has this transaction, which came to this; the nodes since then.
    fn committed(&self, transaction: &Transaction, outcome: &Outcome, tree: &Tree, zombie: bool);

    /// A server answers a read.
    fn read(&self, origin: Origin, zombie: bool);
}
