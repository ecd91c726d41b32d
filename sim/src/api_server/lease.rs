use serde_json::{Map, Value};

use super::kind::Kind;
use super::metadata::{mistyped, text};
use super::micro_time;
use super::status::{Failure, Problem};

/// Reads the `spec` of a Lease as the server does: fields that it does not know are dropped, times become UTC, types are checked.
pub(super) fn decode_spec(object: &mut Map<String, Value>) -> Result<Map<String, Value>, Failure> {
    let mut spec = match object.remove("spec") {
        None | Some(Value::Null) => return Ok(Map::new()),
        Some(Value::Object(spec)) => spec,
        Some(other) => return Err(mistyped(Kind::Lease, &other, "Lease.spec", "v1.LeaseSpec")),
    };
    let mut kept = Map::new();
    // `strategy` and `preferredHolder` are dropped unless coordinated leader election is switched on, and it is not.
    if let Some(value) = spec
        .remove("holderIdentity")
        .filter(|value| !value.is_null())
    {
        let holder = text(Kind::Lease, value, "LeaseSpec.spec.holderIdentity")?;
        kept.insert("holderIdentity".to_owned(), holder.into());
    }
    for field in ["leaseDurationSeconds", "leaseTransitions"] {
        if let Some(value) = spec.remove(field).filter(|value| !value.is_null()) {
            let number = value.as_i64().and_then(|number| i32::try_from(number).ok());
            let Some(number) = number else {
                let path = format!("LeaseSpec.spec.{field}");
                return Err(mistyped(Kind::Lease, &value, &path, "int32"));
            };
            kept.insert(field.to_owned(), number.into());
        }
    }
    for field in ["acquireTime", "renewTime"] {
        if let Some(value) = spec.remove(field).filter(|value| !value.is_null()) {
            let path = format!("LeaseSpec.spec.{field}");
            let written = text(Kind::Lease, value, &path)?;
            let micros = micro_time::parse(&written)
                .map_err(|problem| Failure::undecodable(Kind::Lease, &problem))?;
            let time = micro_time::write(micros).map_or(Value::Null, Value::String);
            kept.insert(field.to_owned(), time);
        }
    }
    Ok(kept)
}

/// What is wrong with a `spec`.
pub(super) fn problems(spec: &Map<String, Value>) -> Vec<Problem> {
    let mut problems = Vec::new();
    let number = |field: &str| spec.get(field).and_then(Value::as_i64);
    if let Some(seconds) = number("leaseDurationSeconds").filter(|seconds| *seconds <= 0) {
        let (field, why) = ("spec.leaseDurationSeconds", "must be greater than 0");
        problems.push(Problem::invalid(field, &seconds.to_string(), why));
    }
    if let Some(times) = number("leaseTransitions").filter(|times| *times < 0) {
        let (field, why) = (
            "spec.leaseTransitions",
            "must be greater than or equal to 0",
        );
        problems.push(Problem::invalid(field, &times.to_string(), why));
    }
    problems
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn decode(spec: Value) -> Result<Value, Failure> {
        let mut object = Map::new();
        object.insert("spec".to_owned(), spec);
        decode_spec(&mut object).map(Value::Object)
    }

    #[test]
    fn an_empty_holder_is_kept_and_a_null_is_dropped() {
        assert_eq!(
            decode(json!({ "holderIdentity": "" })).unwrap(),
            json!({ "holderIdentity": "" })
        );
        assert_eq!(
            decode(json!({ "holderIdentity": null, "bogus": 1 })).unwrap(),
            json!({})
        );
        assert_eq!(decode(Value::Null).unwrap(), json!({}));
    }

    #[test]
    fn times_are_shown_in_utc_and_the_first_of_all_is_null() {
        let spec = json!({ "renewTime": "2026-01-02T03:04:05.123456+02:00" });
        let shown = json!({ "renewTime": "2026-01-02T01:04:05.123456Z" });
        assert_eq!(decode(spec).unwrap(), shown);
        let first = json!({ "renewTime": "0001-01-01T00:00:00.000000Z" });
        assert_eq!(decode(first).unwrap(), json!({ "renewTime": null }));
    }

    #[test]
    fn what_is_of_another_type_is_refused() {
        for spec in [
            json!({ "holderIdentity": 5 }),
            json!({ "leaseDurationSeconds": "15" }),
            json!({ "leaseDurationSeconds": 1.5 }),
            json!({ "leaseDurationSeconds": 99_999_999_999_i64 }),
            json!({ "renewTime": "2026-01-02T03:04:05Z" }),
            json!([]),
        ] {
            let refused = decode(spec.clone()).unwrap_err();
            assert_eq!(refused.code.as_u16(), 400, "{spec}");
        }
    }

    #[test]
    fn durations_are_positive_and_transitions_are_not_negative() {
        let count = |spec: Value| problems(spec.as_object().unwrap()).len();
        assert_eq!(
            count(json!({ "leaseDurationSeconds": 1, "leaseTransitions": 0 })),
            0
        );
        assert_eq!(
            count(json!({ "leaseDurationSeconds": 0, "leaseTransitions": -1 })),
            2
        );
    }
}
