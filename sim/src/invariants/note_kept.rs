use super::Invariant;
use super::findings::Findings;
use super::scene::Scene;
use crate::TrueTime;
use crate::trace::{Record, What};

/// A note is never lost, and never written by somebody who does not lead.
///
/// A new leader is handed the last note that was confirmed, or one that was wanted after it: what a leader was not told about may
/// have been written all the same. A note that was wanted by who did not lead then is never handed to anybody. After a stranger has
/// destroyed the record there may be none, and none from before counts as lost. Who begins with an old token, since its clocks stood
/// still, was handed its note before the newer leadership's were written.
#[derive(Clone, Debug)]
pub(super) struct NoteKept {
    /// The last notes that were wanted, in a ring.
    wanted: [Option<Wanted>; REMEMBERED],
    next: usize,
    /// The place in time of the last confirmed note.
    confirmed: Option<u64>,
    /// The newest token under which a note was confirmed.
    confirmed_by: Option<u64>,
    count: u64,
}

#[derive(Clone, Copy, Debug)]
struct Wanted {
    note: u64,
    /// Its place in the order of wanting.
    place: u64,
    by_leader: bool,
    at: TrueTime,
}

const REMEMBERED: usize = 64;

impl NoteKept {
    pub(super) fn new() -> Self {
        Self {
            wanted: [None; REMEMBERED],
            next: 0,
            confirmed: None,
            confirmed_by: None,
            count: 0,
        }
    }

    fn find(&self, note: u64) -> Option<Wanted> {
        let mut wanted = self.wanted.iter().flatten();
        wanted.find(|wanted| wanted.note == note).copied()
    }

    pub(super) fn see(&mut self, scene: &Scene, record: &Record, findings: &mut Findings) {
        let Some(index) = scene.index(record) else {
            return;
        };
        match record.what {
            What::NoteWanted { note, token } => {
                let belief = scene.nodes[index].belief;
                let leads = belief.is_some_and(|belief| belief.token == token);
                self.count += 1;
                self.wanted[self.next] = Some(Wanted {
                    note,
                    place: self.count,
                    by_leader: leads && scene.nodes[index].believes(record.at),
                    at: record.at,
                });
                self.next = (self.next + 1) % REMEMBERED;
            }
            What::NoteConfirmed { note, token } => {
                self.confirmed_by = self.confirmed_by.max(Some(token));
                let place = self.find(note).map(|wanted| wanted.place);
                self.confirmed = self.confirmed.max(place);
            }
            What::NoteFound { token, .. } if Some(token) < self.confirmed_by => {}
            What::NoteFound { note, token } => self.found(scene, record, note, token, findings),
            _ => {}
        }
    }

    fn found(
        &self,
        scene: &Scene,
        record: &Record,
        note: Option<u64>,
        token: u64,
        findings: &mut Findings,
    ) {
        let confirmed_at = self.confirmed.and_then(|place| {
            let mut wanted = self.wanted.iter().flatten();
            wanted
                .find(|wanted| wanted.place == place)
                .map(|wanted| wanted.at)
        });
        // Who wants a note has it confirmed later; a stranger between the two has destroyed it as well.
        let destroyed = scene
            .disturbed_at
            .is_some_and(|disturbed| confirmed_at.is_none_or(|at| disturbed >= at));
        let Some(note) = note else {
            if self.confirmed.is_some() && !destroyed {
                findings.accuse(record.at, Invariant::NoteKept, || {
                    format!("token {token} is handed no note, and one was confirmed")
                });
            }
            return;
        };
        match self.find(note) {
            Some(wanted) if !wanted.by_leader => {
                findings.accuse(record.at, Invariant::NoteKept, || {
                    format!("token {token} is handed note {note}, which no leader wanted")
                });
            }
            Some(wanted) if Some(wanted.place) < self.confirmed && !destroyed => {
                findings.accuse(record.at, Invariant::NoteKept, || {
                    format!("token {token} is handed note {note}, and a later one was confirmed")
                });
            }
            Some(_) => {}
            None if self.count <= REMEMBERED as u64 => {
                findings.accuse(record.at, Invariant::NoteKept, || {
                    format!("token {token} is handed note {note}, which nobody wanted")
                });
            }
            None => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::invariants::history::History;
    use crate::plan::{Backend, Foreign};
    use crate::trace::Deed;

    fn breaks(history: &History) -> bool {
        history.broken().contains(&Invariant::NoteKept)
    }

    /// A leader wants two notes, of which the first is confirmed.
    fn noted() -> History {
        let mut history = History::of(Backend::Lease);
        history.elects(1_000, 0);
        let token = history.token();
        history.at(2_000, 0, What::NoteWanted { note: 7, token });
        history.at(2_100, 0, What::NoteConfirmed { note: 7, token });
        history.at(3_000, 0, What::NoteWanted { note: 8, token });
        history.stops(4_000, 0).elects(11_000, 1);
        history
    }

    fn finds(mut history: History, note: Option<u64>) -> bool {
        let token = history.token();
        history.at(12_000, 1, What::NoteFound { note, token });
        breaks(&history)
    }

    #[test]
    fn the_confirmed_note_and_a_later_one_pass() {
        assert!(!finds(noted(), Some(7)));
        assert!(!finds(noted(), Some(8)));
    }

    #[test]
    fn no_note_passes_where_a_stranger_destroyed_it_and_is_found_otherwise() {
        assert!(finds(noted(), None));
        let mut history = noted();
        history.write(11_500, None, Deed::Foreign(Foreign::Corrupt));
        assert!(!finds(history, None));
    }

    #[test]
    fn a_note_from_before_the_confirmed_one_is_found() {
        let mut history = noted();
        let token = history.token();
        history.at(11_100, 1, What::NoteWanted { note: 9, token });
        history.at(11_200, 1, What::NoteConfirmed { note: 9, token });
        assert!(finds(history, Some(7)));
    }

    #[test]
    fn who_begins_late_with_an_old_token_may_know_nothing_of_newer_notes() {
        let mut history = noted();
        let token = history.token() - 1;
        let newer = token + 1;
        history.at(
            11_100,
            1,
            What::NoteWanted {
                note: 9,
                token: newer,
            },
        );
        history.at(
            11_200,
            1,
            What::NoteConfirmed {
                note: 9,
                token: newer,
            },
        );
        history.at(12_000, 0, What::NoteFound { note: None, token });
        assert!(!breaks(&history));
    }

    #[test]
    fn a_note_of_who_led_no_longer_is_found() {
        let mut history = noted();
        history.at(11_100, 0, What::NoteWanted { note: 9, token: 1 });
        assert!(finds(history, Some(9)));
    }
}
