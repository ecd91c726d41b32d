//! What operators ask.

use tenure_core::backend::{OperatorRequest, Submitted};

use super::error::{Failure, failure};
use super::live;
use super::names;
use super::queue::{LOOKS, Queue};
use super::record;
use super::session::{Failed, Mode, Step};

impl Queue {
    pub(crate) async fn submit(&self, request: &OperatorRequest) -> Result<Submitted, Failure> {
        let live = self.ensemble.live().await?;
        for _ in 0..LOOKS {
            let (seen, first, version) = self.observed(&live).await?;
            if seen.token != request.token {
                return Ok(Submitted::Outdated(seen));
            }
            let (path, data) = (
                self.paths.request.to_string(),
                record::encode_request(request),
            );
            let guard = first.map(|path| Step::Check {
                path,
                version: None,
            });
            let write = match version {
                Some(_) => Step::Set {
                    path,
                    data,
                    version,
                },
                None => Step::Create {
                    path,
                    data,
                    mode: Mode::Persistent,
                },
            };
            // Whoever watches is told of all elections by one node.
            let ring = Step::Set {
                path: names::requests_path(&self.ensemble.settings.base),
                data: self.election.as_str().as_bytes().to_vec(),
                version: None,
            };
            let steps = guard.into_iter().chain([write, ring]).collect();
            match live.session.multi(steps).await {
                Ok(()) => return Ok(Submitted::Accepted),
                Err(Failed::NoNode) if version.is_none() => {
                    let path = &self.paths.request;
                    let made = live::make_parents(&*live.session, path, Mode::Persistent).await;
                    if let Err(failed) = made {
                        let why = |failed| failure(failed, "make", path, false);
                        return Err(self.not_made(&live, failed, why).await);
                    }
                }
                Err(Failed::NoNode | Failed::BadVersion | Failed::NodeExists) => {}
                Err(failed) => {
                    let path = &self.paths.request;
                    return Err(failure(failed, "leave a request at", path, true));
                }
            }
        }
        Err(self.busy())
    }
}
