//! What the API server's answers and the way to it mean for an election, and what to do about them.

use std::error::Error as Source;
use std::time::Duration;

use http::StatusCode;
use tenure_core::{Effect, ErrorKind};

use crate::failure::{self, Backend};

/// The name of this backend in descriptions and errors.
pub(crate) const BACKEND: &str = "kubernetes";

/// Whose failures these are.
#[derive(Debug)]
pub(crate) enum Kubernetes {}

impl Backend for Kubernetes {
    const NAME: &'static str = BACKEND;
}

/// A failure before it is known which operation of the backend it ends.
pub(crate) type Failure = failure::Failure<Kubernetes>;

/// What was asked of the API server: for messages, and for rights that are missing.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Asked<'a> {
    /// The right that it takes, such as `update`.
    pub(crate) verb: &'static str,
    /// The kind of object, such as `leases`.
    pub(crate) resource: &'static str,
    pub(crate) name: &'a str,
    pub(crate) namespace: &'a str,
}

impl Asked<'_> {
    /// Whether it may have changed something.
    pub(crate) fn writes(self) -> bool {
        matches!(self.verb, "create" | "update" | "patch")
    }

    fn group(self) -> &'static str {
        match self.resource {
            "leases" => " in coordination.k8s.io",
            _ => "",
        }
    }

    /// What is not known to have failed may have happened, if it writes.
    fn open_effect(self) -> Effect {
        if self.writes() {
            Effect::Unknown
        } else {
            Effect::NotApplied
        }
    }

    fn of(self) -> String {
        format!(
            "{} {} {}/{}",
            self.verb, self.resource, self.namespace, self.name
        )
    }
}

impl Failure {
    /// No answer came within `limit`.
    pub(crate) fn timeout(asked: Asked<'_>, limit: Duration) -> Self {
        let detail = format!("{}: no answer within {limit:?}", asked.of());
        Self::new(ErrorKind::Timeout, detail).with_effect(asked.open_effect())
    }

    /// The way to the API server failed.
    pub(crate) fn transport(asked: Asked<'_>, error: kube::Error) -> Self {
        let (kind, never_sent, advice) = meaning(&error);
        let cause = innermost(&error);
        let advice = if cause.contains("certificate") {
            "; is the certificate authority that is trusted here the API server's?"
        } else {
            advice
        };
        let effect = if never_sent {
            Effect::NotApplied
        } else {
            asked.open_effect()
        };
        let detail = format!("{}: {cause}{advice}", asked.of());
        Self::new(kind, detail)
            .with_source(error)
            .with_effect(effect)
    }

    /// The API server refused, with this status and message.
    pub(crate) fn refused(
        asked: Asked<'_>,
        status: StatusCode,
        message: &str,
        retry_after: Option<Duration>,
    ) -> Self {
        let of = asked.of();
        let said = if message.is_empty() {
            String::new()
        } else {
            format!(": {message}")
        };
        let (kind, detail) = match status {
            StatusCode::UNAUTHORIZED => (
                ErrorKind::Unauthenticated,
                format!(
                    "{of}: the API server does not accept this token or certificate{said}; it is read again for the next try"
                ),
            ),
            StatusCode::FORBIDDEN if message.contains("being terminated") => {
                (ErrorKind::Unavailable, format!("{of}{said}"))
            }
            StatusCode::FORBIDDEN => (
                ErrorKind::PermissionDenied,
                format!(
                    "{of}: this service account lacks the right: allow verb {} on {}{} in namespace {} (see deploy/kubernetes){said}",
                    asked.verb,
                    asked.resource,
                    asked.group(),
                    asked.namespace
                ),
            ),
            StatusCode::NOT_FOUND => (
                ErrorKind::InvalidInput,
                format!("{of}{said}: create the namespace, or name another one"),
            ),
            StatusCode::TOO_MANY_REQUESTS => (
                ErrorKind::Throttled { retry_after },
                format!(
                    "{of}: the API server is busy: give Leases a priority of their own (deploy/kubernetes has a FlowSchema){said}"
                ),
            ),
            status if status.is_server_error() && retry_after.is_some() => (
                ErrorKind::Throttled { retry_after },
                format!("{of}: the API server answers {status}{said}"),
            ),
            status if status.is_server_error() => (
                ErrorKind::Unavailable,
                format!("{of}: the API server answers {status}{said}"),
            ),
            StatusCode::REQUEST_TIMEOUT => (
                ErrorKind::Timeout,
                format!("{of}: the API server gave up{said}"),
            ),
            _ => (
                ErrorKind::InvalidInput,
                format!("{of}: the API server answers {status}{said}"),
            ),
        };
        let open = status.is_server_error() || status == StatusCode::REQUEST_TIMEOUT;
        let effect = if open {
            asked.open_effect()
        } else {
            Effect::NotApplied
        };
        Self::new(kind, detail).with_effect(effect)
    }

    /// The API server said yes, and something that cannot be understood.
    pub(crate) fn garbled(
        asked: Asked<'_>,
        what: impl Into<Box<dyn Source + Send + Sync>>,
    ) -> Self {
        let what = what.into();
        let detail = format!("{}: the answer cannot be understood: {what}", asked.of());
        Self::new(ErrorKind::Unavailable, detail)
            .with_source(what)
            .with_effect(asked.open_effect())
    }
}

/// The kind of a failed way, whether the request is known never to have left, and what to do, as the rest of a line.
fn meaning(error: &kube::Error) -> (ErrorKind, bool, &'static str) {
    match error {
        kube::Error::Auth(_) => (
            ErrorKind::Unauthenticated,
            true,
            "; look at the token file or the kubeconfig's user",
        ),
        kube::Error::Service(source) => {
            match source.downcast_ref::<hyper_util::client::legacy::Error>() {
                Some(error) if error.is_connect() => (
                    ErrorKind::Unavailable,
                    true,
                    "; the API server cannot be reached: is its address right, and does a network policy allow it?",
                ),
                _ => (ErrorKind::Unavailable, false, ""),
            }
        }
        _ => (ErrorKind::Unavailable, false, ""),
    }
}

/// What is behind layers that only say that something below them failed.
fn innermost(error: &(dyn Source + 'static)) -> String {
    let mut error = error;
    while let Some(source) = error.source() {
        error = source;
    }
    error.to_string()
}

#[cfg(test)]
mod tests {
    use tenure_core::Error;

    use super::*;

    const UPDATE: Asked<'static> = Asked {
        verb: "update",
        resource: "leases",
        name: "nightly",
        namespace: "jobs",
    };

    fn refused(code: u16, message: &str) -> Error {
        let status = StatusCode::from_u16(code).unwrap();
        Failure::refused(UPDATE, status, message, None).into_error("renew")
    }

    #[test]
    fn a_missing_right_is_named_with_verb_resource_and_namespace() {
        let error = refused(403, "leases is forbidden").to_string();
        for part in [
            "verb update",
            "leases in coordination.k8s.io",
            "namespace jobs",
        ] {
            assert!(error.contains(part), "{error}");
        }
    }

    #[test]
    fn only_an_answer_that_tells_nothing_leaves_a_write_unknown() {
        for (code, effect) in [
            (400, Effect::NotApplied),
            (401, Effect::NotApplied),
            (403, Effect::NotApplied),
            (404, Effect::NotApplied),
            (408, Effect::Unknown),
            (422, Effect::NotApplied),
            (429, Effect::NotApplied),
            (500, Effect::Unknown),
            (503, Effect::Unknown),
            (504, Effect::Unknown),
        ] {
            assert_eq!(refused(code, "").effect(), effect, "{code}");
        }
        let read = Asked {
            verb: "get",
            ..UPDATE
        };
        let error = Failure::timeout(read, Duration::from_secs(1)).into_error("observe");
        assert_eq!(error.effect(), Effect::NotApplied, "a read changes nothing");
    }

    #[test]
    fn a_server_that_says_when_to_come_again_is_heeded() {
        let after = Some(Duration::from_secs(3));
        for code in [429, 503] {
            let status = StatusCode::from_u16(code).unwrap();
            let failure = Failure::refused(UPDATE, status, "", after);
            assert_eq!(failure.kind(), ErrorKind::Throttled { retry_after: after });
        }
    }
}
