//! A renewal as text. The next one of the same leader differs from it in two places, so nothing has to be understood to write it, nor to see that the API
//! server has written it: the text is the server's own, so that an answer is the same but for the version and the server's book-keeping.

use std::ops::Range;
use std::time::Duration;

use bytes::Bytes;
use tenure_core::backend::{OperatorRequest, Renewal};
use tenure_core::{FencingToken, Identity, Incarnation, Version};

use super::record::Lease;
use super::{annotations, time};

/// How the server's book-keeping of who has set which field begins in an answer. It is the last of the metadata, and left out of what is written.
const MANAGED: &[u8] = b",\"managedFields\":[";

/// What a renewal was, and where its text has what the next one has not.
#[derive(Clone, Debug)]
pub(crate) struct Template {
    candidate: Incarnation,
    pub(crate) container: Option<Box<str>>,
    pub(super) identity: Identity,
    lease_duration: Duration,
    pub(crate) request: Option<OperatorRequest>,
    places: Places,
    /// The time of the last renewal, in microseconds since 1970.
    renewed: u64,
    token: FencingToken,
}

/// Places in a text, in this order.
#[derive(Clone, Debug)]
struct Places {
    version: Range<usize>,
    /// Where the answer has the server's book-keeping.
    managed: usize,
    renewed: Range<usize>,
}

impl Template {
    /// What `lease`, which the API server has `answer`ed, says as of the last renewal, with its text. Nothing where the answer says more than that, or
    /// is written in another way than the API server's.
    pub(crate) fn of(lease: &Lease, answer: &[u8], renewal: &Renewal) -> Option<(Bytes, Self)> {
        let (text, places) = Places::find(answer)?;
        let renewed = renewal.nonce.0;
        let is_renewed = text.get(places.renewed.clone())? == time::micro_time(renewed)?.as_bytes();
        if !is_renewed || Lease::answered(&text).ok()? != *lease {
            return None;
        }
        let container = lease.annotation(annotations::CONTAINER);
        let template = Self {
            candidate: renewal.candidate.incarnation,
            container: container.map(Box::from),
            identity: renewal.hold.identity,
            lease_duration: renewal.lease_duration,
            request: annotations::request(lease),
            places,
            renewed,
            token: renewal.hold.token,
        };
        Some((text, template))
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
        let Places {
            version,
            managed,
            renewed,
        } = &self.places;
        let to_version = renewal.hold.version.0.to_string();
        // As long as it will be, so that nothing is left over for as long as it is kept.
        let length = (text.len() + to_version.len()).checked_sub(version.len())?;
        let mut next = Vec::with_capacity(length);
        next.extend_from_slice(text.get(..version.start)?);
        next.extend_from_slice(to_version.as_bytes());
        let moved = next.len();
        next.extend_from_slice(text.get(version.end..)?);
        let moved = |place: usize| place - version.end + moved;
        let places = Places {
            version: version.start..moved(version.end),
            managed: moved(*managed),
            renewed: moved(renewed.start)..moved(renewed.end),
        };
        let to_renewed = next.get_mut(places.renewed.clone())?;
        time::move_on(to_renewed, self.renewed, renewal.nonce.0)?;
        let template = Self {
            places,
            renewed: renewal.nonce.0,
            container: self.container.clone(),
            ..*self
        };
        Some((next.into(), template))
    }

    /// The version that the Lease has by the write of `text` that was answered so; nothing when the answer is another than that text. Only what stands
    /// in the server's book-keeping, or behind it, is not looked at.
    pub(crate) fn version(&self, text: &[u8], answer: &[u8]) -> Option<Version> {
        let Places {
            version, managed, ..
        } = &self.places;
        let rest = answer.strip_prefix(text.get(..version.start)?)?;
        let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let (digits, rest) = rest.split_at_checked(digits)?;
        let rest = rest.strip_prefix(text.get(version.end..*managed)?)?;
        let rest = rest.trim_ascii_end();
        let kept = rest.strip_suffix(text.get(*managed..)?)?;
        let is_managed = kept.starts_with(MANAGED) && kept.ends_with(b"]");
        if !is_managed && !kept.is_empty() {
            return None;
        }
        let version = std::str::from_utf8(digits).ok()?.parse().ok()?;
        (version > 0).then_some(Version(version))
    }
}

impl Places {
    /// Where they are in an answer without the server's book-keeping, and that text.
    fn find(answer: &[u8]) -> Option<(Bytes, Self)> {
        let answer = answer.trim_ascii_end();
        let mut at = Cursor {
            text: answer,
            place: 0,
        };
        at.pass(b"{")?;
        while at.key()? != b"metadata" {
            at.skip()?;
            at.pass(b",")?;
        }
        at.pass(b"{")?;
        let mut version = None;
        let managed = loop {
            match at.key()? {
                b"resourceVersion" => version = Some(at.text()?),
                _ => at.skip()?,
            }
            let begin = at.place;
            if at.rest()?.starts_with(MANAGED) {
                at.pass(b",")?;
                at.key()?;
                at.skip()?;
                break begin..at.place;
            }
            if at.pass(b",").is_none() {
                break begin..begin;
            }
        };
        at.pass(b"},\"spec\":{")?;
        let renewed = loop {
            match at.key()? {
                b"renewTime" => break at.text()?,
                _ => at.skip()?,
            }
            at.pass(b",")?;
        };
        let text = [answer.get(..managed.start)?, answer.get(managed.end..)?].concat();
        let places = Self {
            version: version?,
            managed: managed.start,
            renewed: renewed.start - managed.len()..renewed.end - managed.len(),
        };
        Some((text.into(), places))
    }
}

/// A place in a JSON text, which is valid and has no blanks between its parts. Whatever is otherwise is not understood.
struct Cursor<'a> {
    text: &'a [u8],
    place: usize,
}

impl<'a> Cursor<'a> {
    fn rest(&self) -> Option<&'a [u8]> {
        self.text.get(self.place..)
    }

    fn pass(&mut self, expected: &[u8]) -> Option<()> {
        let passes = self.rest()?.starts_with(expected);
        passes.then(|| self.place += expected.len())
    }

    /// A text in which nothing is escaped.
    fn text(&mut self) -> Option<Range<usize>> {
        self.pass(b"\"")?;
        let start = self.place;
        let is_end = |byte: &u8| matches!(byte, b'"' | b'\\');
        let end = start + self.rest()?.iter().position(is_end)?;
        self.place = end;
        self.pass(b"\"")?;
        Some(start..end)
    }

    fn key(&mut self) -> Option<&'a [u8]> {
        let key = self.text()?;
        self.pass(b":")?;
        self.text.get(key)
    }

    /// Passes a value of any kind.
    fn skip(&mut self) -> Option<()> {
        let (mut depth, mut quoted) = (0_u32, false);
        loop {
            match self.rest()?.first()? {
                b'\\' if quoted => self.place += 1,
                b'"' => quoted = !quoted,
                _ if quoted => {}
                b',' | b'}' | b']' if depth == 0 => return Some(()),
                b'{' | b'[' => depth += 1,
                b'}' | b']' => depth -= 1,
                _ => {}
            }
            self.place += 1;
        }
    }
}
