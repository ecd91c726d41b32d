use http::StatusCode;
use serde_json::{Map, Value, json};

use super::kind::{Key, Kind};

/// A request that the server refuses: the `Status` object that it answers with.
///
/// Words and codes are those of kube-apiserver 1.37.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Failure {
    /// The status of the answer.
    pub code: StatusCode,
    message: String,
    reason: Option<&'static str>,
    details: Option<Value>,
    /// In so many seconds the client may try again.
    pub retry_after_s: Option<u64>,
}

impl Failure {
    pub(super) fn new(code: StatusCode, reason: &'static str, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            reason: Some(reason),
            details: None,
            retry_after_s: None,
        }
    }

    fn with(self, details: Value) -> Self {
        Self {
            details: Some(details),
            ..self
        }
    }

    pub(super) fn bad_request(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "BadRequest", message)
    }

    /// The object in the body is none of this kind.
    pub(super) fn undecodable(kind: Kind, problem: &str) -> Self {
        let name = kind.name();
        Self::bad_request(format!(
            "{name} in version \"v1\" cannot be handled as a {name}: {problem}"
        ))
    }

    /// An error of the server's own that has no reason.
    pub(super) fn internal(message: impl Into<String>) -> Self {
        let code = StatusCode::INTERNAL_SERVER_ERROR;
        Self {
            reason: None,
            ..Self::new(code, "", message)
        }
    }

    pub(super) fn not_found(key: &Key) -> Self {
        let resource = key.kind.qualified_plural();
        let message = format!("{resource} \"{}\" not found", key.name);
        Self::new(StatusCode::NOT_FOUND, "NotFound", message).with(details(key))
    }

    pub(super) fn no_namespace(namespace: &str) -> Self {
        let message = format!("namespaces \"{namespace}\" not found");
        let details = json!({ "name": namespace, "kind": "namespaces" });
        Self::new(StatusCode::NOT_FOUND, "NotFound", message).with(details)
    }

    pub(super) fn no_resource() -> Self {
        let message = "the server could not find the requested resource";
        Self::new(StatusCode::NOT_FOUND, "NotFound", message).with(json!({}))
    }

    pub(super) fn no_method() -> Self {
        let message = "the server does not allow this method on the requested resource";
        let code = StatusCode::METHOD_NOT_ALLOWED;
        Self::new(code, "MethodNotAllowed", message).with(json!({}))
    }

    pub(super) fn already_exists(key: &Key) -> Self {
        let resource = key.kind.qualified_plural();
        let message = format!("{resource} \"{}\" already exists", key.name);
        Self::new(StatusCode::CONFLICT, "AlreadyExists", message).with(details(key))
    }

    fn conflict(key: &Key, problem: &str) -> Self {
        let resource = key.kind.qualified_plural();
        let message = format!(
            "Operation cannot be fulfilled on {resource} \"{}\": {problem}",
            key.name
        );
        Self::new(StatusCode::CONFLICT, "Conflict", message).with(details(key))
    }

    /// The object has another version than the write was made against.
    pub(super) fn modified(key: &Key) -> Self {
        let problem = "the object has been modified; please apply your changes to the latest version and try again";
        Self::conflict(key, problem)
    }

    /// The object is another one than the write was made against, or none.
    pub(super) fn other_uid(key: &Key, wanted: &str, found: &str) -> Self {
        let Key {
            kind,
            namespace,
            name,
        } = key;
        let problem = format!(
            "StorageError: invalid object, Code: 4, Key: /registry/{}/{namespace}/{name}, ResourceVersion: 0, AdditionalErrorMsg: Precondition failed: UID in precondition: {wanted}, UID in object meta: {found}",
            kind.plural()
        );
        Self::conflict(key, &problem)
    }

    /// An update that names no version of what it is to update.
    pub(super) fn unconditional(key: &Key) -> Self {
        let problem = Problem::invalid(
            "metadata.resourceVersion",
            "0",
            "must be specified for an update",
        );
        let resource = key.kind.qualified_plural();
        Self::invalid_as(resource, key.kind.plural(), key.kind, &key.name, &[problem])
    }

    pub(super) fn invalid(kind: Kind, name: &str, problems: &[Problem]) -> Self {
        Self::invalid_as(kind.qualified_name(), kind.name(), kind, name, problems)
    }

    fn invalid_as(
        subject: &str,
        kind_name: &str,
        kind: Kind,
        name: &str,
        problems: &[Problem],
    ) -> Self {
        let told: Vec<String> = problems.iter().map(Problem::told).collect();
        let told = match told.as_slice() {
            [one] => one.clone(),
            several => format!("[{}]", several.join(", ")),
        };
        let message = format!("{subject} \"{name}\" is invalid: {told}");
        let causes: Vec<Value> = problems.iter().map(Problem::cause).collect();
        let mut details = Map::new();
        if !name.is_empty() {
            details.insert("name".to_owned(), name.into());
        }
        if !kind.group().is_empty() {
            details.insert("group".to_owned(), kind.group().into());
        }
        details.insert("kind".to_owned(), kind_name.into());
        details.insert("causes".to_owned(), causes.into());
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, "Invalid", message).with(Value::Object(details))
    }

    pub(super) fn too_large_request(limit: usize) -> Self {
        let message = format!("Request entity too large: limit is {limit}");
        let code = StatusCode::PAYLOAD_TOO_LARGE;
        Self::new(code, "RequestEntityTooLarge", message)
    }

    pub(super) fn unauthorized() -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "Unauthorized", "Unauthorized")
    }

    /// The subject may not do this.
    pub(super) fn forbidden(subject: &str, verb: &str, kind: Kind, at: (&str, &str)) -> Self {
        let (namespace, name) = at;
        let resource = kind.qualified_plural();
        let named = if name.is_empty() {
            resource.to_owned()
        } else {
            format!("{resource} \"{name}\"")
        };
        let message = format!(
            "{named} is forbidden: User \"{subject}\" cannot {verb} resource \"{}\" in API group \"{}\" in the namespace \"{namespace}\"",
            kind.plural(),
            kind.group()
        );
        let key = Key::new(kind, namespace, name);
        Self::new(StatusCode::FORBIDDEN, "Forbidden", message).with(details(&key))
    }

    pub(super) fn throttled(retry_after_s: u64) -> Self {
        let message = "Too many requests, please try again later.";
        let code = StatusCode::TOO_MANY_REQUESTS;
        Self {
            retry_after_s: Some(retry_after_s),
            ..Self::new(code, "TooManyRequests", message)
                .with(json!({ "retryAfterSeconds": retry_after_s }))
        }
    }

    pub(super) fn unavailable() -> Self {
        let message = "the server is currently unable to handle the request";
        Self::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "ServiceUnavailable",
            message,
        )
        .with(json!({}))
    }

    pub(super) fn timeout() -> Self {
        let message = "Timeout: request did not complete within the allotted timeout";
        Self::new(StatusCode::GATEWAY_TIMEOUT, "Timeout", message).with(json!({}))
    }

    /// What is read is not to be older than something that this server has not seen yet.
    pub(super) fn too_new(wanted: u64, current: u64) -> Self {
        let message = format!("Timeout: Too large resource version: {wanted}, current: {current}");
        let cause = json!({
            "reason": "ResourceVersionTooLarge",
            "message": "Too large resource version",
        });
        let details = json!({ "causes": [cause], "retryAfterSeconds": 1 });
        Self {
            retry_after_s: Some(1),
            ..Self::new(StatusCode::GATEWAY_TIMEOUT, "Timeout", message).with(details)
        }
    }

    /// What happened since then is not known any more.
    pub(super) fn expired(wanted: u64, oldest: u64) -> Self {
        let message = format!("too old resource version: {wanted} ({oldest})");
        Self::new(StatusCode::GONE, "Expired", message)
    }

    /// The object that the answer carries.
    pub fn body(&self) -> Value {
        let mut body = json!({
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": {},
            "status": "Failure",
            "message": self.message,
            "code": self.code.as_u16(),
        });
        if let Some(reason) = self.reason {
            body["reason"] = reason.into();
        }
        if let Some(details) = &self.details {
            body["details"] = details.clone();
        }
        body
    }
}

fn details(key: &Key) -> Value {
    let mut details = Map::new();
    if !key.name.is_empty() {
        details.insert("name".to_owned(), key.name.clone().into());
    }
    if !key.kind.group().is_empty() {
        details.insert("group".to_owned(), key.kind.group().into());
    }
    details.insert("kind".to_owned(), key.kind.plural().into());
    Value::Object(details)
}

/// What is wrong with a field.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Problem {
    field: &'static str,
    reason: &'static str,
    message: String,
}

impl Problem {
    /// The value is none that the field may have.
    pub(super) fn invalid(field: &'static str, value: &str, why: &str) -> Self {
        Self {
            field,
            reason: "FieldValueInvalid",
            message: format!("Invalid value: {value}: {why}"),
        }
    }

    pub(super) fn required(field: &'static str, why: &str) -> Self {
        Self {
            field,
            reason: "FieldValueRequired",
            message: format!("Required value: {why}"),
        }
    }

    pub(super) fn too_long(field: &'static str, most: usize) -> Self {
        Self {
            field,
            reason: "FieldValueTooLong",
            message: format!("Too long: may not be more than {most} bytes"),
        }
    }

    fn told(&self) -> String {
        format!("{}: {}", self.field, self.message)
    }

    fn cause(&self) -> Value {
        json!({ "reason": self.reason, "message": self.message, "field": self.field })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_names_the_object_as_the_real_server_does() {
        let key = Key::new(Kind::Lease, "default", "x");
        let body = Failure::not_found(&key).body();
        assert_eq!(
            body["message"],
            "leases.coordination.k8s.io \"x\" not found"
        );
        let details = json!({ "name": "x", "group": "coordination.k8s.io", "kind": "leases" });
        assert_eq!(body["details"], details);
        let pod = Failure::not_found(&Key::new(Kind::Pod, "default", "q")).body();
        assert_eq!(pod["details"], json!({ "name": "q", "kind": "pods" }));
    }

    #[test]
    fn several_problems_are_told_in_brackets() {
        let problems = [
            Problem::invalid("spec.leaseDurationSeconds", "0", "must be greater than 0"),
            Problem::required("metadata.name", "name or generateName is required"),
        ];
        let body = Failure::invalid(Kind::Lease, "x", &problems).body();
        let message = "Lease.coordination.k8s.io \"x\" is invalid: [spec.leaseDurationSeconds: Invalid value: 0: must be greater than 0, metadata.name: Required value: name or generateName is required]";
        assert_eq!(body["message"], message);
        assert_eq!(body["details"]["causes"].as_array().unwrap().len(), 2);
    }
}
