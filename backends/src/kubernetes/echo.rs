//! What the API server answers to a write, looked at for one thing: whether it is what was written.

use std::borrow::Cow;

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
        // Looked at once as a whole, and not once for each key.
        let answer = std::str::from_utf8(answer).ok()?;
        let Echo { metadata, spec } = serde_json::from_str(answer).ok()?;
        let version = metadata.resource_version.parse().ok()?;
        let same = self.holder == spec.holder_identity.as_deref()
            && self.renewed == spec.renew_time.as_deref()
            && Some(self.uid) == identity(&metadata.uid);
        (same && version > 0).then_some(Version(version))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn an_answer_that_says_something_else_tells_no_version() {
        let uid = "3f1c9f60-5f0d-4d8e-9a51-0c7f4ad1b2c3";
        let expected = Expected {
            holder: Some("report \"0\""),
            renewed: Some("2026-11-30T08:00:05.000000Z"),
            uid: identity(uid).unwrap(),
        };
        let answer = json!({
            "metadata": { "uid": uid, "resourceVersion": "242", "annotations": { "renewTime": expected.renewed } },
            "spec": { "holderIdentity": expected.holder, "renewTime": expected.renewed, "leaseTransitions": 1 },
        });
        let version = |answer: &Value| expected.version(answer.to_string().as_bytes());
        assert_eq!(version(&answer), Some(Version(242)));
        for (pointer, other) in [
            ("/metadata/uid", json!("another")),
            ("/metadata/resourceVersion", json!("0")),
            ("/metadata/resourceVersion", json!("x")),
            ("/spec/holderIdentity", json!("somebody")),
            ("/spec/renewTime", Value::Null),
        ] {
            let mut answer = answer.clone();
            *answer.pointer_mut(pointer).unwrap() = other;
            assert_eq!(version(&answer), None, "{pointer}");
        }
        assert_eq!(expected.version(b"{}"), None);
    }
}
