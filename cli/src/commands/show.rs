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
    pub(super) members: Vec<Member>,
    pub(super) observation: Observation,
}

/// The operator's request in the lock, if it still means something: one for an older leadership does not.
pub(super) fn request_in_force(observation: &Observation) -> Option<OperatorRequest> {
    observation
        .request
        .filter(|request| request.token >= observation.token)
}

impl Shown {
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
        let members = self.members.iter().map(|member| {
            json!({
                "name": &*member.name,
                "incarnation": member.incarnation.map(|incarnation| incarnation.to_string()),
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
        json!({
            "lock": self.lock,
            "state": self.state(),
            "leader": leader,
            "since": observation.led_since.filter(|_| observation.holder().is_some()).map(time),
            "token": observation.token.map(FencingToken::value),
            "written": observation.written.map(time),
            "members": members.collect::<Vec<_>>(),
            "request": request,
            "note": note,
            "fires": fires,
        })
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
        }
        if let Some(request) = request_in_force(&self.observation) {
            line += &format!(", {} requested", kind(request.kind));
        }
        if let Some(note) = &self.observation.note {
            for (name, value) in Contents::of(note).rows() {
                line += &format!(", {name}: {value}");
            }
        }
        if !self.members.is_empty() {
            line += &format!(", members: {}", names(&self.members));
        }
        line
    }
}

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let observation = &self.observation;
        let mut row = |name: &str, value: &dyn fmt::Display| writeln!(f, "{name:10}{value}");
        row("lock", &self.lock)?;
        row("state", &self.state())?;
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
        let members = if self.members.is_empty() {
            "none".to_owned()
        } else {
            names(&self.members)
        };
        write!(f, "{:10}{members}", "members")
    }
}

fn names(members: &[Member]) -> String {
    let names: Vec<&str> = members.iter().map(|member| &*member.name).collect();
    names.join(", ")
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
            members: vec![Member {
                name: "host-1".into(),
                incarnation: None,
            }],
            observation,
        }
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
    }

    #[test]
    fn a_heartbeat_is_no_change() {
        let mut later = shown();
        later.observation.written = Some(WallTime::from_unix_micros(9));
        assert_ne!(later, shown());
        assert_eq!(later.without_heartbeat(), shown().without_heartbeat());
    }
}
