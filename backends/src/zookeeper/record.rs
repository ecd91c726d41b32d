//! What leaders and operators leave in nodes that outlive them.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use tenure_core::FencingToken;
use tenure_core::backend::{Note, OperatorRequest, RequestKind};

use super::names;
use crate::request_text;

/// What leaders leave, as JSON that people can read.
#[derive(Clone, PartialEq, Eq, Default, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Left {
    /// The newest token that a leader has written here.
    #[serde(skip_serializing_if = "Option::is_none")]
    token: Option<u64>,
    /// The node by which it led.
    #[serde(skip_serializing_if = "Option::is_none")]
    node: Option<String>,
    /// The note, when it is text.
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<String>,
    /// The note, when it is not.
    #[serde(skip_serializing_if = "Option::is_none")]
    note_base64: Option<String>,
}

impl Left {
    /// Of a leader with this token, by the node at `path`.
    pub(crate) fn new(token: FencingToken, path: &str, note: Option<&Note>) -> Self {
        let text = note.map(|note| std::str::from_utf8(note.as_bytes()));
        let encoded = |note: &Note| STANDARD.encode(note.as_bytes());
        Self {
            token: Some(token.value()),
            node: Some(names::name(path).to_owned()),
            note: text.and_then(Result::ok).map(str::to_owned),
            note_base64: match text {
                Some(Err(_)) => note.map(encoded),
                _ => None,
            },
        }
    }

    /// What the node says. One that nobody can read says nothing: it decides nothing.
    pub(crate) fn parse(data: &[u8]) -> Self {
        serde_json::from_slice(data).unwrap_or_default()
    }

    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        serde_json::to_vec(self).unwrap_or_default()
    }

    pub(crate) fn token(&self) -> Option<FencingToken> {
        self.token.and_then(FencingToken::new)
    }

    /// The name of the node by which its writer led.
    pub(crate) fn node(&self) -> Option<&str> {
        self.node.as_deref().filter(|name| names::is_ours(name))
    }

    pub(crate) fn note(&self) -> Option<Note> {
        if let Some(text) = &self.note {
            return Note::new(text.as_bytes()).ok();
        }
        let bytes = STANDARD.decode(self.note_base64.as_ref()?).ok()?;
        Note::new(&bytes).ok()
    }
}

/// An operator's request, as its node has it; nothing after a resumption.
pub(crate) fn request(data: &[u8]) -> Option<OperatorRequest> {
    request_text::parse(std::str::from_utf8(data).ok()?)
}

pub(crate) fn encode_request(request: &OperatorRequest) -> Vec<u8> {
    match request.kind {
        RequestKind::Pause | RequestKind::Resign => request_text::encode(request).into_bytes(),
        RequestKind::Resume => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NODE: &str = "_c_00000000-9423-4e0c-a7b5-9f819e3ec2e1-lock-0000000012";

    #[test]
    fn what_a_leader_leaves_is_read_back() {
        let token = FencingToken::new(12).unwrap();
        for bytes in [&b"plain \"text\""[..], b"", b"\xff\x00"] {
            let note = Note::new(bytes).unwrap();
            let left = Left::new(token, &format!("/jobs/nightly/{NODE}"), Some(&note));
            let read = Left::parse(&left.to_bytes());
            assert_eq!(read.note(), Some(note));
            assert_eq!(read.token(), Some(token));
            assert_eq!(read.node(), Some(NODE));
        }
        assert_eq!(Left::parse(b"").note(), None);
        assert_eq!(Left::parse(b"{\"token\":-1,\"more\":[]}").token(), None);
        let without = Left::parse(b"{\"token\":12}");
        assert_eq!((without.token(), without.node()), (Some(token), None));
    }

    #[test]
    fn a_node_that_is_no_contender_of_ours_is_none() {
        for node in [
            "x",
            "",
            "..",
            "lock-0000000001",
            &format!("../other/{NODE}"),
        ] {
            let left = Left::parse(format!("{{\"node\":{node:?}}}").as_bytes());
            assert_eq!(left.node(), None, "{node}");
        }
    }

    #[test]
    fn a_request_is_read_back_and_anything_else_is_none() {
        let token = FencingToken::new(7);
        for kind in [RequestKind::Pause, RequestKind::Resign] {
            for token in [token, None] {
                let asked = OperatorRequest { kind, token };
                assert_eq!(request(&encode_request(&asked)), Some(asked));
            }
        }
        let kind = RequestKind::Resume;
        assert_eq!(
            request(&encode_request(&OperatorRequest { kind, token })),
            None
        );
        for data in [&b""[..], b"pause", b"pause x", b"dance 1", b"\xff"] {
            assert_eq!(request(data), None);
        }
    }
}
