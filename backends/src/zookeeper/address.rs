//! Where the servers are, and below which node.

use std::fmt;

/// The port of a server that is named without one.
const PORT: u16 = 2181;

/// A server.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct Address {
    pub(crate) host: String,
    pub(crate) port: u16,
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}

/// Reads ZooKeeper's connect string: `host:port,host:port/chroot`. The second part is the chroot, or empty.
///
/// # Errors
/// What to write instead.
pub(crate) fn parse_connect_string(text: &str) -> Result<(Vec<Address>, String), String> {
    if text.contains("://") {
        return Err(format!(
            "{text:?} has a scheme: write servers as `host:2181,host:2181`, and ask for TLS by a certificate authority"
        ));
    }
    let (servers, chroot) = match text.find('/') {
        Some(at) => text.split_at(at),
        None => (text, ""),
    };
    let servers: Result<Vec<_>, _> = servers.split(',').map(address).collect();
    Ok((servers?, path("chroot", chroot)?))
}

fn address(text: &str) -> Result<Address, String> {
    let text = text.trim();
    let bad = |why: &str| format!("{text:?} is no server: {why}: write `host:2181`");
    let (host, port) = match text.strip_prefix('[') {
        Some(rest) => {
            let (host, port) = rest
                .split_once(']')
                .ok_or_else(|| bad("a bracket is not closed"))?;
            if host.parse::<std::net::Ipv6Addr>().is_err() {
                return Err(bad("no IPv6 address is in the brackets"));
            }
            (host, port)
        }
        None if text.matches(':').count() > 1 => {
            return Err(bad("an IPv6 address needs brackets"));
        }
        None => match text.find(':') {
            Some(at) => text.split_at(at),
            None => (text, ""),
        },
    };
    let strange = |c: char| c.is_whitespace() || c.is_control() || "@?#\\\"'".contains(c);
    if host.is_empty() {
        return Err(bad("it has no host"));
    }
    if host.contains(strange) {
        return Err(bad("its host has characters that no name has"));
    }
    let port = match port.strip_prefix(':') {
        None if port.is_empty() => PORT,
        Some(digits) if digits.bytes().all(|digit| digit.is_ascii_digit()) => digits
            .parse()
            .ok()
            .filter(|port| *port != 0)
            .ok_or_else(|| bad("its port is not from 1 to 65535"))?,
        _ => return Err(bad("its port is not a number")),
    };
    Ok(Address {
        host: host.to_owned(),
        port,
    })
}

/// Reads the path of a node, in the form that others can be appended to: empty for the root.
///
/// # Errors
/// What to write instead.
pub(crate) fn path(what: &str, text: &str) -> Result<String, String> {
    if text.is_empty() || text == "/" {
        return Ok(String::new());
    }
    let bad = |why: &str| format!("the {what} {text:?} {why}");
    let Some(segments) = text.strip_prefix('/') else {
        return Err(bad("is not absolute: begin it with `/`"));
    };
    if text.ends_with('/') {
        return Err(bad("ends in `/`: leave that out"));
    }
    for segment in segments.split('/') {
        match segment {
            "" => return Err(bad("has an empty part: write one `/` between two names")),
            "." | ".." => return Err(bad("has a relative part: write it out")),
            _ => {}
        }
    }
    if text.chars().any(unusable) {
        return Err(bad(
            "has characters that ZooKeeper does not allow: use printable ones",
        ));
    }
    if text == "/zookeeper" || text.starts_with("/zookeeper/") {
        return Err(bad("is ZooKeeper's own: name another one"));
    }
    Ok(text.to_owned())
}

/// What `PathUtils.validatePath` of the servers refuses.
fn unusable(c: char) -> bool {
    matches!(c, '\0'..='\u{1f}' | '\u{7f}'..='\u{9f}' | '\u{e000}'..='\u{f8ff}' | '\u{fff0}'..='\u{ffff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_connect_string_is_servers_and_perhaps_a_chroot() {
        for (text, servers, chroot) in [
            ("zk", "zk:2181", ""),
            ("zk1:2182,zk2", "zk1:2182 zk2:2181", ""),
            ("zk1, zk2 ,10.0.0.1:1/", "zk1:2181 zk2:2181 10.0.0.1:1", ""),
            (
                "[::1]:2182,[fe80::1]/a/b",
                "[::1]:2182 [fe80::1]:2181",
                "/a/b",
            ),
        ] {
            let (read, root) = parse_connect_string(text).unwrap();
            let read: Vec<_> = read.iter().map(Address::to_string).collect();
            assert_eq!(read.join(" "), servers, "{text}");
            assert_eq!(root, chroot, "{text}");
        }
    }

    #[test]
    fn what_is_no_connect_string_says_why() {
        for (text, says) in [
            ("", "no host"),
            ("zk1,,zk2", "no host"),
            (":2181", "no host"),
            ("zk:", "1 to 65535"),
            ("zk:0", "1 to 65535"),
            ("zk:65536", "1 to 65535"),
            ("zk:+1", "not a number"),
            ("zk:x", "not a number"),
            ("fe80::1", "needs brackets"),
            ("::1", "needs brackets"),
            ("[::1", "not closed"),
            ("[zk]:2181", "no IPv6 address"),
            ("[::1]2181", "not a number"),
            ("user@zk", "characters"),
            ("z k", "characters"),
            ("tcp://zk:2181", "has a scheme"),
            ("zk/a//b", "empty part"),
            ("zk/a/", "ends in `/`"),
            ("zk/a/../b", "relative part"),
            ("zk/zookeeper", "ZooKeeper's own"),
            ("zk/a\u{1}", "does not allow"),
        ] {
            let error = parse_connect_string(text).unwrap_err();
            assert!(error.contains(says), "{text}: {error}");
        }
    }

    #[test]
    fn a_path_has_no_slash_at_its_end_so_that_others_can_follow() {
        assert_eq!(path("base path", "/"), Ok(String::new()));
        assert_eq!(path("base path", "/tenure"), Ok("/tenure".to_owned()));
        let error = path("base path", "tenure").unwrap_err();
        assert!(error.contains("base path") && error.contains("begin it with `/`"));
    }
}
