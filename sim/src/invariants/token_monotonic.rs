use super::Invariant;
use super::assumptions::Assumptions;
use super::findings::Findings;
use super::scene::Scene;
use crate::trace::{Record, What};

/// S2: each leadership has a token larger than that of every leadership before it, on whatever node, and work runs under no other.
///
/// A leadership begins with the first `Leads` of a token after whatever came before has ended: its `LeadsNot`, its deadline, its process.
/// So a token that is led on again after its end is a token used twice. Claimed whatever else is broken, but of a virtual machine that
/// was frozen between its claim and its start: it cannot know that its token has grown old meanwhile, and a fenced resource refuses it.
#[derive(Debug)]
pub(super) enum TokenMonotonic {}

impl TokenMonotonic {
    pub(super) fn see(
        scene: &Scene,
        assumptions: &Assumptions,
        record: &Record,
        findings: &mut Findings,
    ) {
        let Some(index) = scene.index(record) else {
            return;
        };
        match record.what {
            What::Leads { token, sent, .. } if scene.begins && !assumptions.doubts(index, sent) => {
                if let Some(newest) = scene.newest_token.filter(|newest| *newest >= token) {
                    findings.accuse(record.at, Invariant::TokenMonotonic, || {
                        format!("n{index} begins to lead with token {token} after token {newest}")
                    });
                }
            }
            What::WorkBegan { token } => {
                let led = scene.nodes[index].belief.map(|belief| belief.token);
                if let Some(led) = led.filter(|led| *led != token) {
                    findings.accuse(record.at, Invariant::TokenMonotonic, || {
                        format!("n{index} begins work with token {token} while it leads with {led}")
                    });
                }
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::invariants::history::History;
    use crate::plan::Backend;

    fn breaks(history: &History) -> bool {
        history.broken().contains(&Invariant::TokenMonotonic)
    }

    #[test]
    fn growing_tokens_pass() {
        let mut history = History::of(Backend::Lease);
        history.elects(1_000, 0).stops(3_000, 0).elects(9_000, 1);
        assert!(!breaks(&history));
    }

    #[test]
    fn a_token_that_is_led_on_twice_is_found() {
        let mut history = History::of(Backend::Lease);
        history.elects(1_000, 0).stops(3_000, 0);
        history.leads(4_000, 0, 3_900, 8_900);
        assert!(breaks(&history));
    }

    #[test]
    fn a_deadline_that_is_moved_after_it_has_passed_is_found() {
        let mut history = History::of(Backend::Lease);
        history.elects(1_000, 0);
        history.leads(6_500, 0, 3_900, 8_900);
        assert!(breaks(&history));
    }

    #[test]
    fn work_under_another_token_is_found() {
        let mut history = History::of(Backend::Lease);
        history.elects(1_000, 0);
        let token = history.token() + 1;
        history.at(2_000, 0, What::WorkBegan { token });
        assert!(breaks(&history));
    }
}
