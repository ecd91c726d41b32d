//! Where the nodes of an election are, and the order of its queue: Curator's.

use std::sync::Arc;

use tenure_core::backend::Holder;
use tenure_core::{ElectionName, ErrorKind, Incarnation, Nonce};

use super::error::Failure;

/// Beside the elections of a base: what tenure keeps that is no contender. Curator and Camel do not look here.
pub(crate) const OWN: &str = "_tenure_";
/// What a contender's name has before its digits. Curator sorts by what comes after the last one.
const LOCK: &str = "lock-";
const DIGITS: usize = 10;
/// So many more contenders, and the numbers of a path begin to be negative, which sort before all others as text.
const RESERVE: u32 = 1_000_000;

/// The paths of one election.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Paths {
    /// The election: a container whose children contend.
    pub(crate) election: Arc<str>,
    /// Members of their own, which need not contend.
    pub(crate) members: Arc<str>,
    /// What leaders leave: the note and the newest token.
    pub(crate) note: Arc<str>,
    /// An operator's request.
    pub(crate) request: Arc<str>,
}

impl Paths {
    /// Below `base`, which has no slash at its end.
    pub(crate) fn new(base: &str, election: &ElectionName) -> Self {
        let own = format!("{base}/{OWN}");
        Self {
            election: format!("{base}/{election}").into(),
            members: format!("{own}/members/{election}").into(),
            note: format!("{own}/notes/{election}").into(),
            request: format!("{}/{election}", requests_path(base)).into(),
        }
    }
}

/// The node of a session, where its heartbeats go.
pub(crate) fn session_path(base: &str, session: i64) -> String {
    format!("{base}/{OWN}/sessions/{session:016x}")
}

/// The node above all requests. Its data is the election that was asked something of last.
pub(crate) fn requests_path(base: &str) -> String {
    format!("{base}/{OWN}/requests")
}

/// The name of the node at `path`.
pub(crate) fn name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// The parents of `path`, from the top.
pub(crate) fn parents(path: &str) -> impl Iterator<Item = &str> {
    let slashes = path.match_indices('/').map(|(at, _)| at);
    slashes.filter(|at| *at > 0).map(|at| &path[..at])
}

/// Whose node it is and by which claim: the `<uuid>` of its name.
///
/// Its bits are those of the incarnation and of the claim's number, so that whoever knows the candidate reads the number.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(crate) struct Uuid(u128);

impl Uuid {
    pub(crate) fn of(incarnation: Incarnation, nonce: Nonce) -> Self {
        Self(incarnation.to_bits() ^ u128::from(nonce.0))
    }

    /// The number of the claim, if the node is this incarnation's.
    pub(crate) fn nonce(self, incarnation: Incarnation) -> Option<Nonce> {
        u64::try_from(self.0 ^ incarnation.to_bits())
            .ok()
            .map(Nonce)
    }

    /// A queue may be long, and all of it is read with each look.
    fn parse(text: &str) -> Option<Self> {
        const LENGTH: usize = 36;
        const DASHES: [usize; 4] = [8, 13, 18, 23];
        if text.len() != LENGTH {
            return None;
        }
        let mut number = 0;
        for (at, character) in text.bytes().map(char::from).enumerate() {
            if DASHES.contains(&at) {
                (character == '-').then_some(())?;
            } else {
                number = number << 4 | u128::from(character.to_digit(16)?);
            }
        }
        Some(Self(number))
    }

    /// What the servers complete to a node's name.
    pub(crate) fn prefix(self) -> String {
        let digits = format!("{:032x}", self.0);
        let [a, b, c, d, e] = [0..8, 8..12, 12..16, 16..20, 20..32].map(|range| &digits[range]);
        format!("_c_{a}-{b}-{c}-{d}-{e}-{LOCK}")
    }
}

/// A contender, as its node's name says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Contender {
    /// Its place in the order.
    pub(crate) sequence: u32,
    /// The name of the node.
    pub(crate) name: String,
    /// Nothing where another recipe made it, without a `_c_<uuid>-`.
    pub(crate) uuid: Option<Uuid>,
}

/// What other recipes leave on a path, which do not wait for ours.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Strangers {
    /// They are an error.
    Refused,
    /// They are left out of the order. Whoever made them may lead beside ours.
    Ignored,
}

/// The contenders among the children of the election at `path`, first come first.
pub(crate) fn queue(
    path: &str,
    children: Vec<String>,
    strangers: Strangers,
) -> Result<Vec<Contender>, Failure> {
    let mut contenders = Vec::with_capacity(children.len());
    for name in children {
        match (contender(name), strangers) {
            (Ok(contender), _) => contenders.push(contender),
            (Err(Odd::Overflowed(name)), _) => return Err(overflowed(path, &name)),
            (Err(Odd::Stranger(_)), Strangers::Ignored) => {}
            (Err(Odd::Stranger(name)), Strangers::Refused) => return Err(stranger(path, &name)),
        }
    }
    contenders.sort_unstable_by(|a, b| (a.sequence, &a.name).cmp(&(b.sequence, &b.name)));
    Ok(contenders)
}

enum Odd {
    Overflowed(String),
    Stranger(String),
}

fn contender(name: String) -> Result<Contender, Odd> {
    let Some((before, order)) = name.rsplit_once(LOCK) else {
        return Err(Odd::Stranger(name));
    };
    if order.starts_with('-') {
        return Err(Odd::Overflowed(name));
    }
    let plain = order.len() == DIGITS && order.bytes().all(|byte| byte.is_ascii_digit());
    let Some(sequence) = plain.then(|| order.parse::<u32>().ok()).flatten() else {
        return Err(Odd::Stranger(name));
    };
    let uuid = before
        .strip_prefix("_c_")
        .and_then(|rest| rest.strip_suffix('-'))
        .and_then(Uuid::parse);
    Ok(Contender {
        sequence,
        name,
        uuid,
    })
}

/// Whether a node of this name is one of a contender like ours.
pub(crate) fn is_ours(name: &str) -> bool {
    contender(name.to_owned()).is_ok_and(|contender| contender.uuid.is_some())
}

/// Who contends by a node: whom its data names. Other recipes may leave it empty, and then the node's name is all there is.
pub(crate) fn holder(node: &str, data: &[u8]) -> Holder {
    if data.is_empty() {
        return Holder::parse(node);
    }
    Holder::parse(&String::from_utf8_lossy(data))
}

/// Refuses a place whose number is so high that those after it may soon be negative.
pub(crate) fn check_sequence(path: &str, contender: &Contender) -> Result<(), Failure> {
    if contender.sequence < i32::MAX.unsigned_abs() - RESERVE {
        return Ok(());
    }
    Err(overflowed(path, &contender.name))
}

fn overflowed(path: &str, name: &str) -> Failure {
    let detail = format!(
        "the sequence numbers of {path} are used up ({name}): those that follow would be taken for older ones. Stop all candidates, delete {path}, and start them again"
    );
    Failure::new(ErrorKind::Exhausted, detail)
}

fn stranger(path: &str, name: &str) -> Failure {
    let whose = if name.contains("-latch-") {
        "Curator's LeaderLatch"
    } else if name.contains("__lock__") || name.contains("__rlock__") || name.contains("__wlock__")
    {
        "kazoo's Lock or Election"
    } else {
        "something that is no contender of this election"
    };
    let detail = format!(
        "{path} has a node of {whose} ({name}), which does not wait for ours, nor ours for it: use another name or base path, or move all of them to one recipe. If it never leads, foreign_nodes_ignored() takes the risk"
    );
    Failure::new(ErrorKind::InvalidInput, detail)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATH: &str = "/jobs/nightly";

    fn names(children: &[&str]) -> Vec<String> {
        children.iter().map(|child| (*child).to_owned()).collect()
    }

    fn refused(children: &[&str]) -> String {
        let refused = queue(PATH, names(children), Strangers::Refused).unwrap_err();
        refused.into_error("acquire").to_string()
    }

    #[test]
    fn contenders_are_in_the_order_of_their_numbers_whatever_their_uuids() {
        let children = [
            "_c_ffffffff-9423-4e0c-a7b5-9f819e3ec2e1-lock-0000000003",
            "_c_00000000-9423-4e0c-a7b5-9f819e3ec2e1-lock-0000000012",
            "lock-0000000007",
        ];
        let queue = queue(PATH, names(&children), Strangers::Refused).unwrap();
        let order: Vec<_> = queue.iter().map(|one| one.sequence).collect();
        assert_eq!(order, [3, 7, 12]);
        assert_eq!(queue[1].uuid, None);
    }

    #[test]
    fn a_uuid_is_read_back_from_the_name_it_makes() {
        let incarnation = Incarnation::from_bits(0x5334_5f98_9423_4e0c_a7b5_9f81_9e3e_c2e1);
        let uuid = Uuid::of(incarnation, Nonce(77));
        let name = format!("{}0000000001", uuid.prefix());
        assert_eq!(
            name.len(),
            "_c_53345f98-9423-4e0c-a7b5-9f819e3ec2e1-lock-0000000007".len()
        );
        let queue = queue(PATH, vec![name], Strangers::Refused).unwrap();
        assert_eq!(queue[0].uuid, Some(uuid));
        assert_eq!(uuid.nonce(incarnation), Some(Nonce(77)));
        assert_eq!(uuid.nonce(Incarnation::from_bits(5)), None);
    }

    #[test]
    fn a_contender_is_whom_its_node_names_and_one_that_names_nobody_is_the_node() {
        let node = "_c_53345f98-9423-4e0c-a7b5-9f819e3ec2e1-lock-0000000007";
        let ours = holder(node, b"pod-0_000000000000000000000000000000ab");
        assert_eq!(ours.name(), "pod-0");
        assert_eq!(ours.incarnation(), Some(Incarnation::from_bits(0xab)));
        for (data, name) in [
            (&b"127.0.1.1"[..], "127.0.1.1"),
            (b"\xff", "\u{fffd}"),
            (b"", node),
        ] {
            let theirs = holder(node, data);
            assert_eq!((theirs.name(), theirs.incarnation()), (name, None));
        }
    }

    #[test]
    fn a_negative_number_is_refused_since_it_would_sort_before_the_leader() {
        let says = refused(&["lock--2147483648", "lock-0000000001"]);
        assert!(
            says.contains("used up") && says.contains("delete /jobs/nightly"),
            "{says}"
        );
    }

    #[test]
    fn a_number_that_is_nearly_the_last_is_refused() {
        let at = |sequence| Contender {
            sequence,
            name: String::new(),
            uuid: None,
        };
        assert!(check_sequence(PATH, &at(2_146_483_646)).is_ok());
        assert!(check_sequence(PATH, &at(2_146_483_647)).is_err());
    }

    #[test]
    fn nodes_of_recipes_that_exclude_nobody_are_named_and_refused_unless_ignored() {
        let latch = "_c_53345f98-9423-4e0c-a7b5-9f819e3ec2e1-latch-0000000002";
        assert!(refused(&[latch]).contains("LeaderLatch"));
        assert!(refused(&["a8b1__lock__0000000002"]).contains("kazoo"));
        assert!(refused(&["config"]).contains("no contender"));
        let left = queue(PATH, names(&[latch, "config"]), Strangers::Ignored).unwrap();
        assert_eq!(left, []);
    }

    #[test]
    fn the_parents_of_a_path_come_from_the_top() {
        let all: Vec<_> = parents("/a/b/c").collect();
        assert_eq!(all, ["/a", "/a/b"]);
    }
}
