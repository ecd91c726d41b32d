//! The first claim of a session, where it can be one transaction with all that would have to come before it or after it: the first sign of life, and
//! the question whether the last leader's node is gone.
//!
//! Each of them is a write through the quorum, and each write waits for the disks of most servers. Whatever stands against one of them stands against
//! all, and then they are done one by one, by those who know what it means.

use std::sync::Arc;

use tenure_core::backend::Claim;

use super::error::Failure;
use super::live::Live;
use super::planted::Mistake;
use super::queue::{CONTENDS, Queue};
use super::record::Left;
use super::session::{Failed, Step};
use crate::locked::locked;

impl Queue {
    /// Claims in one transaction, if nobody has contended by this session yet and nothing is known of the queue. Answers with the transaction; with
    /// nothing where that cannot be.
    pub(crate) async fn open(
        &self,
        live: &Arc<Live>,
        claim: &Claim,
    ) -> Result<Option<i64>, Failure> {
        let is_new = {
            let known = locked(&self.known);
            known.place.is_none() && known.shown.is_none()
        };
        if !is_new || !live.is_first_to_contend() {
            return Ok(None);
        }
        let by = live.way();
        let trusts = self.ensemble.settings.trusts_servers
            || self.ensemble.planted.is(Mistake::TrustsOneServer);
        let (last, mut steps) = if trusts {
            Default::default()
        } else {
            let Some(question) = self.question(live).await else {
                return Ok(None);
            };
            question
        };
        let (place, path, data) = self.claiming(live, claim);
        steps.push(Step::Create {
            path,
            data,
            mode: CONTENDS,
        });
        let opening = live.open(steps);
        locked(&self.known).place = Some(place);
        self.look_ahead(live);
        match live.opened(opening).await {
            Ok(made) => {
                if !trusts {
                    self.has_confirmed(by, last);
                }
                Ok(made)
            }
            Err(failed @ (Failed::Lost | Failed::Ended(_))) => {
                Err(self.trouble(failed, "stand in the queue at", true))
            }
            Err(error) => {
                tracing::debug!(%error, "not in one transaction, so one by one");
                let mut known = locked(&self.known);
                known.place = None;
                known.ahead = None;
                Ok(None)
            }
        }
    }

    /// The last leader's node, as its note has it, and the steps that are refused if it is there or the note has changed; nothing where somebody stands
    /// in the queue, or no note can be read.
    async fn question(&self, live: &Live) -> Option<(Option<Box<str>>, Vec<Step>)> {
        let seen = self.seen(self.look(live)).await.ok()?;
        let newest = self.newest_note(seen.left_version?);
        if !seen.contenders.is_empty() {
            return None;
        }
        let last = seen.left.as_ref().and_then(Left::node).map(Box::from);
        let probes = last.iter().flat_map(|name| self.probe(name));
        let steps = probes.chain([newest]).collect();
        Some((last, steps))
    }
}
