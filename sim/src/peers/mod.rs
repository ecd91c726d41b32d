//! Models of other elections, as candidates in the same world: what they do wrong has to show.

use crate::plan::Span;

/// Which other election the candidates of a run use.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[non_exhaustive]
pub enum Peer {
    /// client-go's leader election.
    ClientGo {
        /// `ReleaseOnCancel`.
        release_on_cancel: bool,
        /// The HTTP client's timeout; nothing when it has none.
        request_timeout: Option<Span>,
    },
    /// Apache Camel's Kubernetes cluster service.
    Camel,
}
