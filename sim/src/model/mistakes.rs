use Shown::{In, Nowhere};

use crate::planted::Bug;

/// Whether a small world shows a planted mistake.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Shown {
    /// The world of this name does.
    In(&'static str),
    /// None does, for this reason.
    Nowhere(&'static str),
}

/// Which small world shows a mistake, or why none does.
pub fn shown(bug: Bug) -> Shown {
    let known = SAFETY.iter().find(|(name, _)| *name == bug.name());
    known.map_or(Nowhere(LIVENESS), |(_, shown)| *shown)
}

const ENSEMBLE: &str = "there are no servers and sessions there";
const HINTS: &str = "nobody is told of changes there";
const KUBERNETES: &str =
    "there is a lock there, and nothing of the API server, client and pods that it is made of";
const LIVENESS: &str = "what must happen is not judged there, only what must not";
const SESSIONS: &str = "there are no session locks there";
const SIGHT: &str = "it ends no leadership too late for the next one, and whether one ends on sight is not judged there";
const ONE_CLOCK: &str = "all clocks of a candidate show the same there";

/// All mistakes that take safety away, in the order of their names.
const SAFETY: [(&str, Shown); 62] = [
    ("absence-is-death", Nowhere(KUBERNETES)),
    ("age-per-holder", In("smallest")),
    ("any-container-ended", Nowhere(KUBERNETES)),
    ("any-number-confirms", In("smallest")),
    ("blind-put", In("smallest")),
    ("cached-reads", Nowhere(KUBERNETES)),
    ("claim-is-assumed", In("smallest")),
    ("deadline-from-answer", In("smallest")),
    ("earlier-container", Nowhere(KUBERNETES)),
    ("emptied-is-free", In("emptyings")),
    ("fail-open", In("smallest")),
    ("first-answer-proves", Nowhere(SESSIONS)),
    ("follower-counts-longer", Nowhere(ONE_CLOCK)),
    ("forged-mark", In("emptyings")),
    ("forged-vacancy", Nowhere(SESSIONS)),
    ("hidden-retries", Nowhere(KUBERNETES)),
    ("hint-extends", Nowhere(HINTS)),
    ("ignores-another-holder", Nowhere(SIGHT)),
    ("ignores-missing", Nowhere(SIGHT)),
    ("kills-at-stop-timeout", In("smallest")),
    (
        "late-answer",
        Nowhere("an answer that nobody waits for any more is lost there"),
    ),
    ("mark-outlives", Nowhere(KUBERNETES)),
    ("missing-is-free", In("deletions")),
    ("monotonic-only", Nowhere("no machine is suspended there")),
    ("name-is-enough", In("smallest")),
    ("never-aborts", In("smallest")),
    ("no-drift-margin", In("smallest")),
    (
        "no-raw-clock",
        Nowhere("no time service slews a clock there"),
    ),
    ("no-stop-margin", In("smallest")),
    ("note-told-early", Nowhere("nobody leaves notes there")),
    ("one-token", In("smallest")),
    (
        "own-duration",
        Nowhere("all candidates have the same lease duration there"),
    ),
    ("own-record-is-taken", In("smallest")),
    ("read-extends", In("smallest")),
    ("release-by-name", Nowhere(KUBERNETES)),
    ("release-stomp", In("smallest")),
    ("releases-first", In("resigns")),
    ("remote-clock", Nowhere("there are no wall clocks there")),
    (
        "stopped-told-early",
        Nowhere("what is told to others is not judged there"),
    ),
    ("timer-is-trusted", In("smallest")),
    ("token-from-transitions", Nowhere(KUBERNETES)),
    ("token-reused", In("smallest")),
    ("tries-add-up", In("smallest")),
    ("truncated-duration", Nowhere(KUBERNETES)),
    ("trusted-renewal", In("emptyings")),
    ("unconditional-patch", Nowhere(KUBERNETES)),
    ("unknown-is-confirmed", In("smallest")),
    ("update-creates", Nowhere(KUBERNETES)),
    ("vanished-is-new", In("deletions")),
    ("waits-for-expiry", Nowhere(SESSIONS)),
    (
        "wakes-on-time",
        Nowhere("no time service slews a timer there"),
    ),
    ("watchdog-sleeps", In("starved")),
    ("wild-clock", In("smallest")),
    ("zookeeper-from-last-acknowledged", Nowhere(ENSEMBLE)),
    ("zookeeper-from-last-but-one", Nowhere(ENSEMBLE)),
    ("zookeeper-owner-ignored", Nowhere(ENSEMBLE)),
    ("zookeeper-ping-is-heartbeat", Nowhere(ENSEMBLE)),
    ("zookeeper-release-by-name", Nowhere(ENSEMBLE)),
    ("zookeeper-token-from-sequence", Nowhere(ENSEMBLE)),
    ("zookeeper-trusts-one-server", Nowhere(ENSEMBLE)),
    ("zookeeper-waits-for-expired", Nowhere(ENSEMBLE)),
    ("zookeeper-watches-parent", Nowhere(ENSEMBLE)),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Configuration;
    use crate::planted::Kind;

    #[test]
    fn every_mistake_that_takes_safety_away_has_a_world_or_a_reason() {
        let safety = Bug::ALL.into_iter();
        let safety = safety.filter(|bug| bug.kind() == Kind::Safety);
        let names: Vec<_> = safety.map(Bug::name).collect();
        assert_eq!(SAFETY.map(|(name, _)| name).to_vec(), names);
        for (name, shown) in SAFETY {
            if let In(world) = shown {
                assert!(Configuration::find(world).is_some(), "{name}");
            }
        }
    }
}
