//! What the API server answers to a write, looked at for one thing: whether it is what was written.

use std::borrow::Cow;
use std::ops::Range;

use memchr::{memchr, memmem};
use serde::Deserialize;
use tenure_core::{Identity, Version};

use super::record::identity;

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

    /// Without reading all of it, most of which is the server's own book-keeping: where each key is there once, and where it has to be. Quotes
    /// in the texts of JSON are escaped, so that nothing but a key looks like one, and a Lease's spec has no objects in it.
    pub(super) fn at_sight(self, answer: &[u8]) -> Option<Version> {
        let spec = only(answer, b"\"spec\":{")?;
        let (meta, spec) = (0..spec, spec..answer.len());
        let text = |within: &Range<usize>, key: &[u8]| {
            let start = only(answer, key).filter(|at| within.contains(at))? + key.len();
            let rest = answer.get(start..)?;
            std::str::from_utf8(rest.get(..memchr(b'"', rest)?)?).ok()
        };
        let same = self.holder? == text(&spec, b"\"holderIdentity\":\"")?
            && self.renewed? == text(&spec, b"\"renewTime\":\"")?
            && Some(self.uid) == identity(text(&meta, b"\"uid\":\"")?);
        let version = text(&meta, b"\"resourceVersion\":\"")?.parse().ok()?;
        (same && version > 0).then_some(Version(version))
    }

    fn by_reading(self, answer: &[u8]) -> Option<Version> {
        // Looked at once as a whole, and not once for each key.
        let answer = std::str::from_utf8(answer).ok()?;
        let echo: Echo<'_> = serde_json::from_str(answer).ok()?;
        let version = echo.metadata.resource_version.parse().ok()?;
        let same = self.holder == echo.spec.holder_identity.as_deref()
            && self.renewed == echo.spec.renew_time.as_deref()
            && Some(self.uid) == identity(&echo.metadata.uid);
        (same && version > 0).then_some(Version(version))
    }
}

/// Where the only such key is.
fn only(answer: &[u8], key: &[u8]) -> Option<usize> {
    let at = memmem::find(answer, key)?;
    let rest = answer.get(at + key.len()..)?;
    memmem::find(rest, key).is_none().then_some(at)
}
