//! A renewal as text. The next one of the same leader differs from it in two places, so nothing has to be understood to write it.

use std::ops::Range;
use std::time::Duration;

use bytes::Bytes;
use tenure_core::backend::{Holder, OperatorRequest, Renewal};
use tenure_core::{FencingToken, Identity, Incarnation};

use super::echo::{Expected, RENEWED, VERSION, only};
use super::record::Lease;
use super::{annotations, time};

/// What a renewal was, and where its text has what the next one has not.
#[derive(Clone, Debug)]
pub(crate) struct Template {
    candidate: Incarnation,
    pub(crate) container: Option<Box<str>>,
    holder: Holder,
    pub(super) identity: Identity,
    lease_duration: Duration,
    pub(crate) request: Option<OperatorRequest>,
    renewed: Range<usize>,
    token: FencingToken,
    version: Range<usize>,
}

impl Template {
    /// What `lease`, whose text this is, says as of the last renewal. Nothing where others have written what makes the places doubtful.
    pub(crate) fn of(lease: &Lease, text: &[u8], renewal: &Renewal) -> Option<Self> {
        let version = only(text, VERSION)?;
        let renewed = only(text, RENEWED).filter(|renewed| version.end <= renewed.start)?;
        let container = lease.annotation(annotations::CONTAINER);
        Some(Self {
            candidate: renewal.candidate.incarnation,
            container: container.map(Box::from),
            holder: lease.holder()?,
            identity: renewal.hold.identity,
            lease_duration: renewal.lease_duration,
            request: annotations::request(lease),
            renewed,
            token: renewal.hold.token,
            version,
        })
    }

    /// The text of `renewal` over `version`, made of the text of the last one; nothing when more than the time is to be another.
    pub(crate) fn next(&self, text: &[u8], renewal: &Renewal) -> Option<(Bytes, Self)> {
        let same = renewal.candidate.incarnation == self.candidate
            && renewal.hold.identity == self.identity
            && renewal.hold.token == self.token
            && renewal.lease_duration == self.lease_duration
            && renewal.note.is_none();
        if !same {
            return None;
        }
        let version = renewal.hold.version.0.to_string();
        let renewed = time::micro_time(renewal.nonce.0)?;
        let places = self.version.len() + self.renewed.len();
        // As long as it will be, so that nothing is left over for as long as it is kept.
        let length = (text.len() + version.len() + renewed.len()).checked_sub(places)?;
        let mut next = Vec::with_capacity(length);
        next.extend_from_slice(text.get(..self.version.start)?);
        let version = append(&mut next, &version);
        next.extend_from_slice(text.get(self.version.end..self.renewed.start)?);
        let renewed = append(&mut next, &renewed);
        next.extend_from_slice(text.get(self.renewed.end..)?);
        let template = Self {
            renewed,
            version,
            ..self.clone()
        };
        Some((next.into(), template))
    }

    /// What the API server says where `text` was written as it was sent.
    pub(crate) fn expected<'a>(&'a self, text: &'a [u8]) -> Expected<'a> {
        let renewed = text.get(self.renewed.clone());
        Expected {
            holder: Some(self.holder.as_str()),
            renewed: renewed.and_then(|renewed| std::str::from_utf8(renewed).ok()),
            uid: self.identity,
        }
    }
}

fn append(text: &mut Vec<u8>, value: &str) -> Range<usize> {
    let start = text.len();
    text.extend_from_slice(value.as_bytes());
    start..text.len()
}
