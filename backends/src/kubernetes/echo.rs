//! What the API server answers to a write, looked at for one thing: whether it is what was written.

use std::borrow::Cow;
use std::ops::Range;

use memchr::{memchr, memmem};
use serde::Deserialize;
use tenure_core::{Identity, Version};

use super::record::identity;

pub(super) const RENEWED: &[u8] = b"\"renewTime\":\"";
pub(super) const VERSION: &[u8] = b"\"resourceVersion\":\"";

/// What an answer to a write has to say for the draft to be what is there now. All else of it is not looked at.
#[derive(Deserialize)]
struct Echo<'a> {
    #[serde(borrow)]
    metadata: EchoedMeta<'a>,
    #[serde(borrow)]
    spec: EchoedSpec<'a>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct EchoedMeta<'a> {
    #[serde(borrow)]
    resource_version: Cow<'a, str>,
    #[serde(borrow)]
    uid: Cow<'a, str>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct EchoedSpec<'a> {
    #[serde(borrow)]
    holder_identity: Option<Cow<'a, str>>,
    #[serde(borrow)]
    renew_time: Option<Cow<'a, str>>,
}

impl<'a> Echo<'a> {
    /// Without reading all of it, most of which is the server's own book-keeping: where each key is there once, and where it has to be. Quotes
    /// in the texts of JSON are escaped, so that nothing but a key looks like one, and a Lease's spec has no objects in it.
    fn at_sight(answer: &'a [u8]) -> Option<Self> {
        let spec = only(answer, b"\"spec\":{")?.start;
        let (meta, spec) = (0..spec, spec..answer.len());
        let text = |within: &Range<usize>, key| {
            let value = only(answer, key).filter(|value| within.contains(&value.start))?;
            std::str::from_utf8(&answer[value]).ok().map(Cow::from)
        };
        Some(Self {
            metadata: EchoedMeta {
                resource_version: text(&meta, VERSION)?,
                uid: text(&meta, b"\"uid\":\"")?,
            },
            spec: EchoedSpec {
                holder_identity: Some(text(&spec, b"\"holderIdentity\":\"")?),
                renew_time: Some(text(&spec, RENEWED)?),
            },
        })
    }
}

/// What the API server says that a Lease has become by a write.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Expected<'a> {
    pub(crate) holder: Option<&'a str>,
    pub(crate) renewed: Option<&'a str>,
    pub(crate) uid: Identity,
}

impl Expected<'_> {
    /// The version that the Lease has by the write that was answered so; nothing when the server says something else than expected.
    pub(crate) fn version(self, answer: &[u8]) -> Option<Version> {
        self.at_sight(answer).or_else(|| self.by_reading(answer))
    }

    pub(super) fn at_sight(self, answer: &[u8]) -> Option<Version> {
        self.confirmed(&Echo::at_sight(answer)?)
    }

    fn by_reading(self, answer: &[u8]) -> Option<Version> {
        // Looked at once as a whole, and not once for each key.
        let answer = std::str::from_utf8(answer).ok()?;
        self.confirmed(&serde_json::from_str(answer).ok()?)
    }

    fn confirmed(self, echo: &Echo<'_>) -> Option<Version> {
        let version = echo.metadata.resource_version.parse().ok()?;
        let same = self.holder == echo.spec.holder_identity.as_deref()
            && self.renewed == echo.spec.renew_time.as_deref()
            && Some(self.uid) == identity(&echo.metadata.uid);
        (same && version > 0).then_some(Version(version))
    }
}

/// Where the value of the only such key is; nothing when others have written something else that looks like it.
pub(super) fn only(text: &[u8], key: &[u8]) -> Option<Range<usize>> {
    let start = memmem::find(text, key)? + key.len();
    let rest = text.get(start..)?;
    if memmem::find(rest, key).is_some() {
        return None;
    }
    Some(start..start + memchr(b'"', rest)?)
}
