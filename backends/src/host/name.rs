use tenure_core::{CandidateName, NAME_BYTES_MAX};

/// The name of a candidate that was not given one: this machine's host name, which in Kubernetes is the pod's.
///
/// Characters that a name cannot have become `-`, and what is too long is cut. Without a host name it is `candidate`: names
/// need not be unique.
pub fn candidate_name() -> CandidateName {
    let cleaned = clean(&host_name().unwrap_or_default());
    CandidateName::new(&cleaned)
        .unwrap_or_else(|_| CandidateName::new("candidate").expect("a plain word is a name"))
}

fn clean(host: &str) -> String {
    let mut name = String::new();
    for c in host.trim().chars() {
        if name.len() + c.len_utf8() > NAME_BYTES_MAX {
            break;
        }
        name.push(if c.is_control() || c == '/' { '-' } else { c });
    }
    name
}

#[cfg(target_os = "linux")]
fn host_name() -> Option<String> {
    let name = rustix::system::uname();
    Some(name.nodename().to_string_lossy().into_owned())
}

#[cfg(not(target_os = "linux"))]
fn host_name() -> Option<String> {
    std::env::var("HOSTNAME")
        .or_else(|_| std::env::var("COMPUTERNAME"))
        .ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_name_that_is_no_name_is_made_one() {
        assert_eq!(clean(" a/b\n"), "a-b");
        assert_eq!(clean(&"é".repeat(200)).len(), NAME_BYTES_MAX);
        assert!(!candidate_name().as_str().is_empty());
    }
}
