//! What planted mistakes break: the rules that make an election safe, and pitfalls that have bitten others.

/// A rule or a pitfall: how [`Bug::breaks`](super::Bug::breaks) calls it, and what it says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Broken {
    /// Its name.
    pub name: &'static str,
    /// What it says, in a sentence.
    pub sentence: &'static str,
}

const fn broken(name: &'static str, sentence: &'static str) -> Broken {
    Broken { name, sentence }
}

impl Broken {
    /// All that some planted mistake breaks.
    pub const ALL: &[Self] = &[
        broken(
            "rule 1",
            "Time counts from the send of the last confirmed write, to one deadline that leaves time to stop.",
        ),
        broken(
            "rule 2",
            "Clocks of two machines are never compared: a follower ages what it has itself seen, for the record's own duration.",
        ),
        broken(
            "rule 3",
            "Of two clocks the leader believes the one that has gone further, the follower the other; timers are not trusted.",
        ),
        broken("rule 4", "Every write is a compare-and-swap."),
        broken(
            "rule 5",
            "An unknown outcome extends no leadership, and is settled only by what this candidate itself wrote.",
        ),
        broken(
            "rule 6",
            "A watch shortens belief or triggers a look, and never extends a leadership.",
        ),
        broken(
            "rule 7",
            "Another holder, an emptied or a missing record that is seen ends the leadership now.",
        ),
        broken(
            "rule 8",
            "Stop, wait until stopped, then release; what does not stop is aborted, and somebody watches over that.",
        ),
        broken(
            "rule 9",
            "A missing lock is not a free lock, and neither is an emptied one: it is waited out.",
        ),
        broken(
            "rule 10",
            "A candidate that was restarted is a stranger to its former self.",
        ),
        broken("rule 11", "Every leadership has a token of its own."),
        broken("rule 12", "A store that cannot be reached gives no leader."),
        broken(
            "pitfall 1",
            "A write whose answer is lost is taken for failed, or for done.",
        ),
        broken(
            "pitfall 2",
            "A write that timed out lands after its candidate has stepped down.",
        ),
        broken(
            "pitfall 3",
            "A client repeats requests that nobody asked it to repeat.",
        ),
        broken("pitfall 4", "A read has no timeout."),
        broken("pitfall 5", "Validity counts from the answer."),
        broken("pitfall 6", "Nested timeouts add up."),
        broken("pitfall 7", "Clocks of two machines are set apart."),
        broken(
            "pitfall 8",
            "Clocks run at different rates, and time services slew them by up to 8.3 %.",
        ),
        broken(
            "pitfall 10",
            "Suspension stops the clock that counts the lease.",
        ),
        broken("pitfall 12", "A stale watch or cache extends belief."),
        broken("pitfall 13", "A watch dies in silence, and nobody looks."),
        broken(
            "pitfall 14",
            "A leader goes on after it has seen another holder.",
        ),
        broken(
            "pitfall 15",
            "The lock is released before the work has stopped.",
        ),
        broken("pitfall 16", "A release overwrites a newer holder."),
        broken("pitfall 17", "A release that hangs holds up the end."),
        broken("pitfall 18", "A process exits before its release is done."),
        broken("pitfall 19", "Two candidates have one name."),
        broken(
            "pitfall 20",
            "A candidate that was restarted adopts its old lock.",
        ),
        broken(
            "pitfall 21",
            "A counter that does not always grow is used as a token.",
        ),
        broken("pitfall 23", "A lock that was deleted counts as free."),
        broken("pitfall 24", "A record that was emptied counts as free."),
        broken("pitfall 25", "A write goes out without a version."),
        broken(
            "pitfall 26",
            "Candidates are configured with different durations.",
        ),
        broken("pitfall 27", "A duration of less than a second is cut off."),
        broken(
            "pitfall 28",
            "A session whose connection is lost is believed to be alive.",
        ),
        broken(
            "pitfall 29",
            "A client learns that its session has expired only when it is connected again.",
        ),
        broken(
            "pitfall 31",
            "What belongs to a session or a candidate that is gone is left behind.",
        ),
        broken("pitfall 33", "Everybody who waits looks at each change."),
        broken("pitfall 36", "All watchers try at once after a release."),
        broken("pitfall 37", "All candidates try again at the same moment."),
        broken(
            "pitfall 38",
            "A store that throttles is asked again at once.",
        ),
        broken(
            "pitfall 46",
            "A blocking call holds up the task that should end the leadership.",
        ),
        broken(
            "pitfall 47",
            "The election's task dies, and nobody notices.",
        ),
        broken("pitfall 49", "A store that is not there gives a leader."),
        broken(
            "pitfall 51",
            "A stop is told without a start, or too early.",
        ),
        broken(
            "proof of death",
            "Only the kubelet's word that this very container has ended proves a death.",
        ),
    ];
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::planted::Bug;

    #[test]
    fn all_that_mistakes_break_is_told_and_nothing_else() {
        let told: BTreeSet<&str> = Broken::ALL.iter().map(|broken| broken.name).collect();
        assert_eq!(told.len(), Broken::ALL.len());
        let breaks = Bug::ALL.map(Bug::breaks);
        let broken: BTreeSet<&str> = breaks
            .iter()
            .flat_map(|breaks| breaks.split(", "))
            // An issue of somebody else's speaks for itself.
            .filter(|name| !name.contains('#'))
            .collect();
        assert_eq!(told, broken);
    }
}
