//! An operator's request as a word and a token: `pause 17`, `resign -`.

use tenure_core::backend::{OperatorRequest, RequestKind};

/// The request that `text` is; nothing where it is none, such as after a resumption.
pub(crate) fn parse(text: &str) -> Option<OperatorRequest> {
    let (kind, token) = text.split_once(' ')?;
    let kind = match kind {
        "pause" => RequestKind::Pause,
        "resign" => RequestKind::Resign,
        _ => return None,
    };
    let token = match token {
        "-" => None,
        number => Some(number.parse().ok()?),
    };
    Some(OperatorRequest { kind, token })
}

/// The request as text. That of a resumption is none that [`parse`] takes for a request.
pub(crate) fn encode(request: &OperatorRequest) -> String {
    let kind = match request.kind {
        RequestKind::Pause => "pause",
        RequestKind::Resign => "resign",
        RequestKind::Resume => "resume",
    };
    match request.token {
        Some(token) => format!("{kind} {token}"),
        None => format!("{kind} -"),
    }
}
