//! What a lock looks like, for people and for programs.

use std::fmt;

use jiff::Timestamp;
use serde_json::{Value, json};
use tenure::FencingToken;
use tenure::backend::{LockState, Member, Observation, OperatorRequest, RequestKind};
use tenure::time::WallTime;

use super::ledger::Contents;

/// A lock as it was read.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Shown {
    pub(super) lock: String,
    pub(super) members: Members,
    pub(super) observation: Observation,
    /// Who stands in line, in the order in which they will lead; nothing where the lock keeps no such order.
    pub(super) queue: Option<Members>,
}

/// Who else is there.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Members {
    Known(Vec<Member>),
    /// The lock tells no members, unless it is said which pods they are.
    NotAskedFor,
    /// They could not be read, for this reason.
    Unknown(String),
}

/// The operator's request in the lock, if it still means something. A pause always does; a wish that somebody resigns only while that
/// leadership lasts.
pub(super) fn request_in_force(observation: &Observation) -> Option<OperatorRequest> {
    let is_meant = |request: &OperatorRequest| match request.kind {
        RequestKind::Resign => {
            observation.holder().is_some()
                && !is_token_pending(observation)
                && request.token >= observation.token
        }
        RequestKind::Pause | RequestKind::Resume => true,
    };
    observation.request.filter(is_meant)
}

/// Whether somebody leads under a token that the lock does not tell yet: a Lease's is known to its leader alone until it renews.
pub(super) fn is_token_pending(observation: &Observation) -> bool {
    let ours = observation
        .holder()
        .is_some_and(|holder| holder.incarnation().is_some());
    ours && observation.token.is_none()
}

impl Shown {
    /// Whether the leader is the first in line: the two are read one after the other.
    pub(super) fn is_of_one_moment(&self) -> bool {
        let Some(Members::Known(queue)) = &self.queue else {
            return true;
        };
        let first = queue.first().map(|first| (&*first.name, first.incarnation));
        let holder = self.observation.holder();
        first == holder.map(|holder| (holder.name(), holder.incarnation()))
    }

    /// What `watch` tells a change by: everything but the heartbeat.
    pub(super) fn without_heartbeat(&self) -> Self {
        let mut shown = self.clone();
        shown.observation.written = None;
        shown.observation.server_time = None;
        shown
    }

    fn state(&self) -> &'static str {
        match self.observation.lock {
            LockState::Held(_) => "held",
            LockState::Missing => "missing",
            LockState::NeverHeld => "never held",
            LockState::Vacant { .. } => "free",
        }
    }

    pub(super) fn json(&self) -> Value {
        let observation = &self.observation;
        let leader = observation.holder().map(|holder| {
            json!({
                "name": holder.name(),
                "incarnation": holder.incarnation().map(|incarnation| incarnation.to_string()),
            })
        });
        let request = request_in_force(observation).map(|request| {
            json!({
                "kind": kind(request.kind),
                "token": request.token.map(FencingToken::value),
            })
        });
        let note = observation.note.as_ref();
        let (note, fires) = note.map_or_else(Default::default, |note| Contents::of(note).json());
        let mut shown = json!({
            "lock": self.lock,
            "state": self.state(),
            "leader": leader,
            "since": observation.led_since.filter(|_| observation.holder().is_some()).map(time),
            "token": observation.token.map(FencingToken::value),
            "token_pending": is_token_pending(observation),
            "written": observation.written.map(time),
            "members": self.members.json(),
            "request": request,
            "note": note,
            "fires": fires,
        });
        if let Some(queue) = &self.queue {
            shown["queue"] = queue.json();
        }
        shown
    }

    /// One line, for `watch`.
    pub(super) fn line(&self) -> String {
        let mut line = match self.observation.holder() {
            Some(holder) if holder.incarnation().is_some() => format!("{} leads", holder.name()),
            // A stranger, or a new leader that has not written its name yet.
            Some(holder) => format!("the lock is held, by {}", holder.name()),
            None => format!("nobody leads, the lock is {}", self.state()),
        };
        if let Some(token) = self.observation.token {
            line += &format!(", token {token}");
        } else if is_token_pending(&self.observation) {
            line += ", token pending";
        }
        if let Some(request) = request_in_force(&self.observation) {
            line += &format!(", {} requested", kind(request.kind));
        }
        if let Some(note) = &self.observation.note {
            for (name, value) in Contents::of(note).rows() {
                line += &format!(", {name}: {value}");
            }
        }
        for (name, members) in [
            ("queue", self.queue.as_ref()),
            ("members", Some(&self.members)),
        ] {
            match members {
                None | Some(Members::NotAskedFor) => {}
                Some(Members::Known(members)) if members.is_empty() => {}
                Some(members) => line += &format!(", {name}: {members}"),
            }
        }
        line
    }
}

impl Members {
    /// A list; nothing where none is known.
    fn json(&self) -> Value {
        let Self::Known(members) = self else {
            return Value::Null;
        };
        let members = members.iter().map(|member| {
            json!({
                "name": &*member.name,
                "incarnation": member.incarnation.map(|incarnation| incarnation.to_string()),
            })
        });
        members.collect()
    }
}

impl fmt::Display for Members {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Known(members) if members.is_empty() => f.write_str("none"),
            Self::Known(members) => {
                let names: Vec<&str> = members.iter().map(|member| &*member.name).collect();
                f.write_str(&names.join(", "))
            }
            Self::NotAskedFor => f.write_str("not asked for (--members says which pods they are)"),
            Self::Unknown(why) => write!(f, "unknown: {why}"),
        }
    }
}

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let observation = &self.observation;
        let mut row = |name: &str, value: &dyn fmt::Display| writeln!(f, "{name:10}{value}");
        row("lock", &self.lock)?;
        match observation.lock {
            LockState::Missing => row(
                "state",
                &"missing: nobody has led yet, it was deleted, or the URL is wrong",
            )?,
            _ => row("state", &self.state())?,
        }
        if let Some(holder) = observation.holder() {
            row("leader", &holder.name())?;
            if let Some(incarnation) = holder.incarnation() {
                row("", &format!("incarnation {incarnation}"))?;
            }
        }
        if let (Some(_), Some(since)) = (observation.holder(), observation.led_since) {
            row("since", &time(since))?;
        }
        if let Some(token) = observation.token {
            row("token", &token)?;
        } else if is_token_pending(observation) {
            row("token", &"pending until the leader's first renewal")?;
        }
        if let Some(written) = observation.written {
            row("written", &time(written))?;
        }
        if let Some(request) = request_in_force(observation) {
            row("request", &kind(request.kind))?;
        }
        if let Some(note) = &observation.note {
            for (name, value) in Contents::of(note).rows() {
                row(name, &value)?;
            }
        }
        if let Some(queue) = &self.queue {
            row("queue", queue)?;
        }
        write!(f, "{:10}{}", "members", self.members)
    }
}

fn kind(kind: RequestKind) -> &'static str {
    match kind {
        RequestKind::Pause => "pause",
        RequestKind::Resign => "resign",
        RequestKind::Resume => "resume",
    }
}

/// A wall clock's time as people write it, in UTC.
pub(super) fn time(wall: WallTime) -> String {
    i64::try_from(wall.unix_micros())
        .ok()
        .and_then(|micros| Timestamp::from_microsecond(micros).ok())
        .map_or_else(|| "at no time".to_owned(), |time| time.to_string())
}

#[cfg(test)]
mod tests {
    use tenure::backend::{Held, Holder, Note};

    use super::*;

    fn shown() -> Shown {
        let lock = LockState::Held(Held {
            duration: None,
            holder: Holder::parse("host-1_000000000000000000000000000000ab"),
            identity: tenure_core::Identity(7),
            nonce: tenure_core::Nonce(1),
        });
        let mut observation = Observation::of(lock);
        observation.led_since = Some(WallTime::from_unix_micros(1_767_139_200_000_000));
        observation.token = FencingToken::new(12);
        observation.written = Some(WallTime::from_unix_micros(1_767_225_600_123_456));
        observation.note = Some(Note::new(b"at\x01").unwrap());
        observation.request = Some(OperatorRequest {
            kind: RequestKind::Resign,
            token: FencingToken::new(12),
        });
        Shown {
            lock: "file:///a/b".to_owned(),
            members: Members::Known(vec![Member {
                name: "host-1".into(),
                incarnation: None,
            }]),
            observation,
            queue: None,
        }
    }

    /// The same, where the lock is a queue.
    fn queued() -> Shown {
        let named = |name: &str, incarnation| Member {
            name: name.into(),
            incarnation: tenure_core::Incarnation::parse(incarnation),
        };
        let queue = vec![
            named("host-1", "000000000000000000000000000000ab"),
            named("127.0.1.1", ""),
            named("host-0", "000000000000000000000000000000aa"),
        ];
        Shown {
            queue: Some(Members::Known(queue)),
            ..shown()
        }
    }

    #[test]
    fn a_queue_is_shown_in_its_order_and_not_where_there_is_none() {
        let shown = queued();
        let row = "queue     host-1, 127.0.1.1, host-0\nmembers   host-1";
        assert!(shown.to_string().ends_with(row), "{shown}");
        let line = shown.line();
        let end = ", queue: host-1, 127.0.1.1, host-0, members: host-1";
        assert!(line.ends_with(end), "{line}");
        let json = shown.json();
        assert_eq!(json["queue"][0], json["leader"]);
        assert_eq!(json["queue"][1]["name"], "127.0.1.1");
        assert_eq!(json["queue"][1]["incarnation"], Value::Null);
        assert_eq!(json["queue"][2]["name"], "host-0");
        assert_eq!(self::shown().json().get("queue"), None);
    }

    #[test]
    fn a_queue_that_cannot_be_read_or_is_empty_is_said_to_be_so() {
        let mut shown = queued();
        shown.queue = Some(Members::Unknown("no right".to_owned()));
        assert!(shown.is_of_one_moment());
        assert!(
            shown.to_string().contains("queue     unknown: no right"),
            "{shown}"
        );
        assert_eq!(shown.json()["queue"], Value::Null);
        shown.queue = Some(Members::Known(Vec::new()));
        assert_eq!(shown.json()["queue"], json!([]));
        assert!(!shown.line().contains("queue"), "{}", shown.line());
    }

    #[test]
    fn a_queue_whose_first_is_not_the_leader_is_of_another_moment() {
        let mut shown = queued();
        assert!(shown.is_of_one_moment());
        assert!(self::shown().is_of_one_moment(), "there is no queue");
        shown.observation.lock = LockState::Missing;
        assert!(!shown.is_of_one_moment());
        shown.queue = Some(Members::Known(Vec::new()));
        assert!(shown.is_of_one_moment());
    }

    #[test]
    fn people_see_who_leads_and_what_was_asked() {
        let expected = "\
lock      file:///a/b
state     held
leader    host-1
          incarnation 000000000000000000000000000000ab
since     2025-12-31T00:00:00Z
token     12
written   2026-01-01T00:00:00.123456Z
request   resign
note      at\\x01
members   host-1";
        assert_eq!(shown().to_string(), expected);
        assert_eq!(
            shown().line(),
            "host-1 leads, token 12, resign requested, note: at\\x01, members: host-1"
        );
    }

    #[test]
    fn programs_see_the_same() {
        let shown = shown().json();
        assert_eq!(shown["leader"]["name"], "host-1");
        assert_eq!(shown["token"], 12);
        assert_eq!(shown["request"]["kind"], "resign");
        assert_eq!(shown["members"][0]["name"], "host-1");
    }

    #[test]
    fn a_request_for_an_older_leadership_is_not_shown() {
        let mut shown = shown();
        shown.observation.token = FencingToken::new(13);
        assert_eq!(request_in_force(&shown.observation), None);
        let pause = OperatorRequest {
            kind: RequestKind::Pause,
            token: FencingToken::new(12),
        };
        shown.observation.request = Some(pause);
        assert_eq!(request_in_force(&shown.observation), Some(pause));
    }

    #[test]
    fn nobody_is_shown_as_asked_to_resign_who_has_done_so() {
        let mut shown = shown();
        shown.observation.lock = LockState::Missing;
        assert_eq!(request_in_force(&shown.observation), None);
    }

    #[test]
    fn a_token_that_is_not_told_yet_is_pending_and_makes_no_old_request_new() {
        let mut shown = shown();
        shown.observation.token = None;
        assert_eq!(request_in_force(&shown.observation), None);
        assert!(shown.line().contains("token pending"), "{}", shown.line());
        assert!(shown.to_string().contains("pending until"), "{shown}");
        assert_eq!(shown.json()["token_pending"], true);
    }

    #[test]
    fn members_that_are_not_known_are_not_told_as_none() {
        let mut shown = shown();
        for (members, says) in [
            (Members::Known(Vec::new()), "none"),
            (Members::NotAskedFor, "--members"),
            (Members::Unknown("no right".to_owned()), "unknown: no right"),
        ] {
            let known = matches!(members, Members::Known(_));
            shown.members = members;
            assert!(shown.to_string().contains(says), "{shown}");
            assert_eq!(shown.json()["members"].is_array(), known, "{says}");
        }
    }

    #[test]
    fn a_heartbeat_is_no_change() {
        let mut later = shown();
        later.observation.written = Some(WallTime::from_unix_micros(9));
        assert_ne!(later, shown());
        assert_eq!(later.without_heartbeat(), shown().without_heartbeat());
    }
}
