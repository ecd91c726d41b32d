//! What the servers' answers and the way to them mean for an election, and what to do about them.

use tenure_core::ErrorKind;

use super::session::{Ending, Failed};
use crate::failure::{self, Backend};

/// Whose failures these are.
#[derive(Debug)]
pub(crate) enum Zookeeper {}

impl Backend for Zookeeper {
    const NAME: &'static str = "zookeeper";
}

/// A failure before it is known which operation of the backend it ends.
pub(crate) type Failure = failure::Failure<Zookeeper>;

/// What `failed` means for a request: `what` was asked for at `path`, and whether that writes.
pub(crate) fn failure(failed: Failed, what: &str, path: &str, writes: bool) -> Failure {
    let of = of(what, path);
    let (kind, advice) = meaning(&failed);
    let detail = match &failed {
        // They name the servers, and there was no request.
        Failed::Unreachable(says) => says.clone(),
        _ => format!("{of}: {failed}{advice}"),
    };
    let open = match failed {
        Failed::Lost | Failed::Ended(_) => writes,
        _ => false,
    };
    let failure = Failure::new(kind, detail);
    if open { failure.unknown() } else { failure }
}

fn of(what: &str, path: &str) -> String {
    if path.is_empty() {
        what.to_owned()
    } else {
        format!("{what} {path}")
    }
}

/// The kind of a failure, and what there is to do, as the rest of a line.
fn meaning(failed: &Failed) -> (ErrorKind, &'static str) {
    match failed {
        Failed::BadVersion | Failed::NodeExists | Failed::NotEmpty => (
            ErrorKind::Unavailable,
            "; somebody else was there in between: try again",
        ),
        Failed::Ended(Ending::Closed) => (ErrorKind::Unavailable, ""),
        Failed::Ended(Ending::Expired) => (
            ErrorKind::Unavailable,
            "; another one is begun for the next try",
        ),
        Failed::Ended(Ending::Refused) => (
            ErrorKind::Unauthenticated,
            ": look at user and password, and at what the servers ask for (SASL, a client certificate)",
        ),
        Failed::Lost => (
            ErrorKind::Unavailable,
            " before the answer; another server is being sought",
        ),
        Failed::NoNode => (
            ErrorKind::Unavailable,
            "; it, or the one above it, has vanished: try again",
        ),
        Failed::NoRights => (
            ErrorKind::PermissionDenied,
            ": look at user and password first, since of a wrong digest password ZooKeeper says nothing but this; then at the ACL (`getAcl`)",
        ),
        Failed::Other(says) if says.contains("quota") => (
            ErrorKind::Exhausted,
            "; raise it (`setquota`), or make room",
        ),
        Failed::Other(_) => (ErrorKind::InvalidInput, ""),
        Failed::Throttled => (ErrorKind::Throttled { retry_after: None }, ""),
        Failed::Unreachable(_) => (ErrorKind::Unavailable, ""),
        Failed::Unsupported => (
            ErrorKind::Unsupported,
            ": ZooKeeper 3.5.3 or newer is needed",
        ),
    }
}

impl Failure {
    /// The node that all elections are below is missing, and these credentials may not make it.
    pub(crate) fn no_base(path: &str) -> Self {
        let detail = format!(
            "{path} is missing and these credentials may not make it: let somebody who may create it, with the right to create in it (`create {path}`, `setAcl`), or name another base path"
        );
        Self::new(ErrorKind::PermissionDenied, detail)
    }
}

#[cfg(test)]
mod tests {
    use tenure_core::{Effect, Error};

    use super::*;

    const NODE: &str = "/tenure/nightly";

    fn error(failed: Failed, writes: bool) -> Error {
        failure(failed, "set", NODE, writes).into_error("renew")
    }

    #[test]
    fn only_a_write_whose_answer_is_missing_may_have_happened() {
        let ends = [Ending::Closed, Ending::Expired, Ending::Refused].map(Failed::Ended);
        for failed in ends.into_iter().chain([Failed::Lost]) {
            assert_eq!(
                error(failed.clone(), true).effect(),
                Effect::Unknown,
                "{failed:?}"
            );
            assert_eq!(
                error(failed.clone(), false).effect(),
                Effect::NotApplied,
                "{failed:?}"
            );
        }
        for failed in [
            Failed::BadVersion,
            Failed::NoNode,
            Failed::NoRights,
            Failed::NodeExists,
            Failed::NotEmpty,
            Failed::Other("invalid".to_owned()),
            Failed::Throttled,
            Failed::Unreachable("nobody".to_owned()),
            Failed::Unsupported,
        ] {
            assert_eq!(
                error(failed.clone(), true).effect(),
                Effect::NotApplied,
                "{failed:?}"
            );
        }
    }

    #[test]
    fn each_failure_is_one_line_that_names_the_node_and_what_to_do() {
        for (failed, kind, says) in [
            (
                Failed::NoRights,
                ErrorKind::PermissionDenied,
                "wrong digest password",
            ),
            (
                Failed::Ended(Ending::Refused),
                ErrorKind::Unauthenticated,
                "user and password",
            ),
            (
                Failed::Ended(Ending::Expired),
                ErrorKind::Unavailable,
                "another one",
            ),
            (Failed::Unsupported, ErrorKind::Unsupported, "3.5.3"),
            (
                Failed::Other("the quota is exceeded".to_owned()),
                ErrorKind::Exhausted,
                "setquota",
            ),
            (
                Failed::Throttled,
                ErrorKind::Throttled { retry_after: None },
                "fewer requests",
            ),
        ] {
            let error = error(failed, true);
            assert_eq!(error.kind(), kind);
            let text = error.to_string();
            assert!(text.contains(NODE) && text.contains(says), "{text}");
            assert!(!text.contains('\n'), "{text}");
        }
    }

    #[test]
    fn a_base_that_may_not_be_made_is_named() {
        let error = Failure::no_base("/tenure").into_error("open");
        assert_eq!(error.kind(), ErrorKind::PermissionDenied);
        assert!(error.to_string().contains("`create /tenure`"), "{error}");
    }

    #[test]
    fn servers_that_do_not_answer_are_all_that_an_unreachable_ensemble_says() {
        let failed = Failed::Unreachable("no session from a:2181: refused".to_owned());
        let text = failure(failed, "connect", "", true)
            .into_error("open")
            .to_string();
        assert!(
            text.ends_with("unavailable: no session from a:2181: refused"),
            "{text}"
        );
    }
}
