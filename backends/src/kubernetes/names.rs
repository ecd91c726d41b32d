//! Names of Kubernetes objects.

use tenure_core::{ElectionName, NameError};

/// The most characters that a Lease's name may have.
const LEASE_NAME_MAX: usize = 253;

/// Whether `name` is a DNS subdomain, as names of Leases and Pods have to be.
pub(crate) fn check(what: &'static str, name: &str) -> Result<(), NameError> {
    let refused = |problem: &str| Err(NameError::new(what, name, problem));
    if name.is_empty() {
        return refused("is empty: give it at least one character");
    }
    if name.len() > LEASE_NAME_MAX {
        return refused("is too long: shorten it to at most 253 characters");
    }
    for part in name.split('.') {
        let ends = part.bytes().next().into_iter().chain(part.bytes().last());
        let well = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
        if part.is_empty()
            || !part.bytes().all(|b| well(b) || b == b'-')
            || !ends.into_iter().all(well)
        {
            return refused(
                "is no name for an object of Kubernetes: use lower-case letters, digits, `-` and `.`, and a letter or digit at both ends of each part",
            );
        }
    }
    Ok(())
}

/// Whether `name` can be a namespace: one DNS label.
pub(crate) fn check_namespace(name: &str) -> Result<(), NameError> {
    check("namespace", name)?;
    if name.len() > 63 || name.contains('.') {
        let problem = "is no name for a namespace: use at most 63 characters, and no `.`";
        return Err(NameError::new("namespace", name, problem));
    }
    Ok(())
}

/// The name of an election's Lease: prefix and election joined by `-`, in what letters Kubernetes allows, as Camel makes it.
///
/// Two elections may get one name: the Lease says which election it is of, and the other one is refused.
///
/// # Errors
/// When nothing is left of the name, or it is too long.
pub(crate) fn lease_name(
    prefix: Option<&str>,
    election: &ElectionName,
) -> Result<String, NameError> {
    let whole = match prefix {
        Some(prefix) => format!("{prefix}-{election}"),
        None => election.as_str().to_owned(),
    };
    let allowed: String = whole
        .chars()
        .map(|c| match c.to_ascii_lowercase() {
            c @ ('a'..='z' | '0'..='9' | '-' | '.') => c,
            _ => '-',
        })
        .collect();
    let joined: Vec<&str> = allowed
        .split('.')
        .map(|part| part.trim_matches('-'))
        .filter(|part| !part.is_empty())
        .collect();
    let name = joined.join(".");
    check("lease name", &name)?;
    Ok(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lease(prefix: Option<&str>, election: &str) -> Result<String, NameError> {
        lease_name(prefix, &ElectionName::new(election).unwrap())
    }

    #[test]
    fn a_lease_is_named_as_camel_names_it() {
        for (election, name) in [
            ("orders", "leaders-orders"),
            ("Orders EU", "leaders-orders-eu"),
            ("a.b", "leaders-a.b"),
            ("my_ns", "leaders-my-ns"),
            ("trailing_", "leaders-trailing"),
        ] {
            assert_eq!(lease(Some("leaders"), election).unwrap(), name);
        }
        assert_eq!(lease(None, "nightly").unwrap(), "nightly");
    }

    #[test]
    fn what_can_be_no_name_says_what_to_write() {
        assert!(lease(None, "___").is_err());
        let long = lease(Some(&"x".repeat(100)), &"y".repeat(200)).unwrap_err();
        assert!(long.to_string().contains("at most 253"), "{long}");
        for bad in ["", "A", "a_b", "-a", "a-", "a..b", ".a"] {
            assert!(check("pod", bad).is_err(), "{bad}");
        }
        assert!(check_namespace("a.b").is_err());
        assert!(check_namespace(&"a".repeat(64)).is_err());
        assert!(check_namespace("kube-system").is_ok());
    }
}
