//! What operators do: leave requests, and make a Lease as if it had just been given back.

use tenure_core::backend::{LockState, Observation, OperatorRequest, Submitted};
use tenure_core::{ErrorKind, Incarnation};

use super::error::Failure;
use super::record::{Draft, Lease};
use super::store::{Store, Written};
use crate::host::random_bits;

/// A request of an operator meets the leader's renewals, each of which makes it start over.
const SUBMITS_MAX: usize = 5;

/// What [`LeaseLock::initialize`](super::LeaseLock::initialize) found to do.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Initialized {
    /// The Lease was made.
    Made,
    /// It was there, free at once already.
    WasThere,
}

impl Store {
    pub(crate) async fn submit(&self, request: &OperatorRequest) -> Result<Submitted, Failure> {
        for _ in 0..SUBMITS_MAX {
            let seen = self.get().await?;
            let (mut draft, makes) = match &seen {
                None if request.token.is_some() => {
                    return Ok(Submitted::Outdated(Observation::of(LockState::Missing)));
                }
                None => (Draft::new(&self.lease, &self.cluster.api.namespace), true),
                Some((lease, _)) => {
                    self.refuse_stranger(lease)?;
                    let Some(draft) = answering(lease, request) else {
                        return Ok(Submitted::Outdated(lease.observation()));
                    };
                    (draft, false)
                }
            };
            draft.belongs_to(&self.election);
            draft.request(request, self.cluster.api.clock.wall());
            if let Written::Done(_) = self.put(draft, makes).await? {
                return Ok(Submitted::Accepted);
            }
        }
        let detail = format!(
            "the Lease {} is written all the time: try again",
            self.lease
        );
        Err(Failure::new(ErrorKind::Unavailable, detail))
    }

    pub(crate) async fn initialize(&self) -> Result<Initialized, Failure> {
        let mut fresh = Draft::new(&self.lease, &self.cluster.api.namespace);
        fresh.belongs_to(&self.election);
        let lease = match self.put(fresh, true).await? {
            Written::Done(lease) => lease,
            Written::Refused => {
                let Some((lease, _)) = self.get().await? else {
                    let detail = "the Lease was there, and then it was not: try again";
                    return Err(Failure::new(ErrorKind::Unavailable, detail));
                };
                self.refuse_stranger(&lease)?;
                return self.is_free_already(&lease);
            }
        };
        let bits = random_bits().map_err(|error| {
            Failure::new(ErrorKind::Unavailable, "no random number was to be had")
                .with_source(error)
        })?;
        let nobody = Incarnation::from_bits(u128::from(bits[0]) << 64 | u128::from(bits[1]));
        let uid = lease.identity();
        let mut marked = Draft::of(lease);
        let now = self.cluster.api.clock.wall().unix_micros();
        marked.release(nobody, uid, now)?;
        match self.put(marked, false).await? {
            Written::Done(_) => Ok(Initialized::Made),
            Written::Refused => {
                let detail = "somebody wrote the Lease in between: look at it with `tenure status`";
                Err(Failure::new(ErrorKind::Unavailable, detail))
            }
        }
    }

    fn is_free_already(&self, lease: &Lease) -> Result<Initialized, Failure> {
        let (name, namespace) = (&self.lease, &self.cluster.api.namespace);
        let detail = match lease.observation().lock {
            LockState::Vacant { mark: Some(_), .. } => return Ok(Initialized::WasThere),
            LockState::Held(held) => format!(
                "the Lease {namespace}/{name} is there, held by {}: nothing was changed",
                held.holder
            ),
            _ => format!(
                "the Lease {namespace}/{name} is there without a holder and without the mark of a release, so somebody may lead without it: nothing was changed; stop all candidates, delete it, and try again"
            ),
        };
        Err(Failure::new(ErrorKind::InvalidInput, detail))
    }
}

/// An edit of `lease` for a request that names its newest token.
fn answering(lease: &Lease, request: &OperatorRequest) -> Option<Draft> {
    let mut draft = Draft::of(lease.clone());
    let Some(holder) = lease.holder() else {
        return (lease.written_token() == request.token).then_some(draft);
    };
    let Some(holder) = holder.incarnation() else {
        // A stranger has no token, and a request that was made from that knowledge names none.
        return request.token.is_none().then_some(draft);
    };
    if lease.token() == request.token && request.token.is_some() {
        return Some(draft);
    }
    // Before the first renewal the record does not tell the token: it is the version of the acquiring write, which is the present one
    // as long as nobody else has written.
    let token = request
        .token
        .filter(|token| lease.token().is_none() && token.value() == lease.version().0)?;
    draft.tell_token(holder, token);
    Some(draft)
}
