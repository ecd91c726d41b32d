//! What the guard decides, as plain data in and plain data out.

use tenure::time::{Nanos, Reading};

use super::deadline::{Deadline, Verdict, wake_up};
use super::protocol::{Cause, SilentProgram};
use super::tree::Children;

/// How long a program may take at the most, after the time to kill and when nothing of its job is left, to show that it is alive:
/// after that it is taken for stopped or hung.
const ANSWER_WITHIN: Nanos = Nanos::from_millis(1_000);

/// How often the kill is repeated while something of the job is left.
const KILL_AGAIN: Nanos = Nanos::from_millis(10);

/// What is to be done now.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Action {
    /// Nothing, but look again when something happens, or after this time.
    Wait(Option<Nanos>),
    /// Ask the job to stop.
    AskJob,
    /// Ask what the job has left behind to stop.
    AskLeftOver,
    /// Kill everything, and look again after this time.
    Kill(Nanos),
    /// Tell the program that nothing is left of the job.
    TellGone(Cause),
    /// Kill the program, which is stopped or hangs.
    EndProgram,
    /// Exit: there is nothing left to guard.
    Exit,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Phase {
    /// No leadership has begun.
    Idle,
    /// No job is there since this time.
    Resting(Reading),
    /// The job runs.
    Running,
    /// The job has ended; what it left behind has been asked to stop at this time.
    LeftOver(Option<Reading>),
    /// Everything is being killed.
    Killing(Cause),
}

/// The guard's decisions over one leadership.
#[derive(Clone, Debug)]
pub(super) struct Watch {
    asked_to_stop: bool,
    deadline: Option<Deadline>,
    expired: bool,
    phase: Phase,
    program: Program,
    silent_program: SilentProgram,
    /// The newest deadline of this leadership, also where it came too late for the job.
    told: Option<Deadline>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Program {
    There,
    /// Killed by this guard, but not seen dead yet.
    Condemned,
    /// Dead.
    Dead,
}

impl Watch {
    /// A guard that was told of no leadership yet.
    pub(super) const fn new() -> Self {
        Self {
            asked_to_stop: false,
            deadline: None,
            expired: false,
            phase: Phase::Idle,
            program: Program::There,
            silent_program: SilentProgram::Leave,
            told: None,
        }
    }

    /// A leadership has begun.
    pub(super) fn begin(&mut self, deadline: Deadline, silent: SilentProgram, now: Reading) {
        if self.phase == Phase::Idle {
            self.deadline = Some(deadline);
            self.told = Some(deadline);
            self.phase = Phase::Resting(now);
            self.silent_program = silent;
        }
    }

    /// Whether a job may be started now. Then [`Watch::started`] follows at once.
    pub(super) fn admits(&mut self, now: Reading) -> bool {
        matches!(self.phase, Phase::Resting(_))
            && self.program == Program::There
            && matches!(self.note_time(now), Some(Verdict::Run(_)))
            && !self.expired
    }

    /// The job was started.
    pub(super) fn started(&mut self) {
        self.asked_to_stop = false;
        self.phase = Phase::Running;
    }

    /// The program says that its hold was confirmed. For a job whose deadline has passed it comes too late: it is being stopped.
    ///
    /// Where no job runs, only this guard was late to hear of it, or the program to tell it, which looks now and then: a program whose own
    /// deadline has passed says nothing more of this leadership, and the next one has a guard of its own.
    pub(super) fn extend(&mut self, deadline: Deadline, now: Reading) {
        self.note_time(now);
        let goes_on = self
            .told
            .is_some_and(|before| deadline.from.longest_since(before.from) > Nanos::ZERO);
        if goes_on {
            self.told = Some(deadline);
        }
        if matches!(self.phase, Phase::Resting(_)) && goes_on {
            self.expired = false;
        }
        if !self.expired {
            self.deadline = Some(deadline);
        }
    }

    /// The job is asked to stop: says whether it has not been asked before.
    pub(super) fn ask_to_stop(&mut self) -> bool {
        !std::mem::replace(&mut self.asked_to_stop, true)
    }

    /// The program orders that everything be killed.
    pub(super) fn kill(&mut self) {
        if matches!(self.phase, Phase::Running | Phase::LeftOver(_)) {
            self.phase = Phase::Killing(Cause::Ordered);
        }
    }

    /// The job itself has ended.
    pub(super) fn job_ended(&mut self) {
        if self.phase == Phase::Running {
            self.phase = Phase::LeftOver(None);
        }
    }

    /// The program has died.
    pub(super) fn program_died(&mut self) {
        self.program = Program::Dead;
    }

    fn note_time(&mut self, now: Reading) -> Option<Verdict> {
        let verdict = self.deadline.map(|deadline| deadline.verdict(now));
        if matches!(verdict, Some(Verdict::Stop(_) | Verdict::Kill)) {
            self.expired = true;
        }
        verdict
    }

    /// What to do at `now`, with or without children left. To be asked again after everything but `Wait`, `Kill` and `Exit`.
    pub(super) fn decide(&mut self, now: Reading, children: Children) -> Action {
        let verdict = self.note_time(now);
        if self.program == Program::Dead {
            return match children {
                Children::Left => Action::Kill(KILL_AGAIN),
                Children::None => Action::Exit,
            };
        }
        let cause = match self.phase {
            Phase::Idle => return Action::Wait(None),
            Phase::Resting(since) => return self.when_resting(now, since),
            Phase::Killing(cause) => cause,
            Phase::Running | Phase::LeftOver(_) => Cause::Ended,
        };
        if children == Children::None {
            self.rest(now);
            return Action::TellGone(cause);
        }
        match (self.phase, verdict) {
            (Phase::Killing(_), _) => Action::Kill(KILL_AGAIN),
            (_, Some(Verdict::Kill)) => {
                self.phase = Phase::Killing(Cause::Expired);
                Action::Kill(KILL_AGAIN)
            }
            (Phase::LeftOver(asked), _) => self.when_left_over(now, asked, verdict),
            (_, Some(Verdict::Stop(_))) if self.ask_to_stop() => Action::AskJob,
            _ => Action::Wait(verdict.map(until_due)),
        }
    }

    /// Nothing is left of the job. What was told too late for it holds for the next one: the leadership went on.
    fn rest(&mut self, now: Reading) {
        self.phase = Phase::Resting(now);
        self.deadline = self.told;
        self.expired = false;
    }

    fn when_left_over(
        &mut self,
        now: Reading,
        asked: Option<Reading>,
        verdict: Option<Verdict>,
    ) -> Action {
        let Some(asked) = asked else {
            self.phase = Phase::LeftOver(Some(now));
            return Action::AskLeftOver;
        };
        let grace = self.deadline.map_or(Nanos::ZERO, |deadline| deadline.grace);
        let left = grace.saturating_sub(now.longest_since(asked));
        if left == Nanos::ZERO {
            self.phase = Phase::Killing(Cause::Ended);
            return Action::Kill(KILL_AGAIN);
        }
        let due = verdict.map_or(Nanos::MAX, until_due);
        Action::Wait(Some(wake_up(left).min(due)))
    }

    /// The lock is still the program's: one that shows no life until its deadline and a little longer is in everybody's way.
    fn when_resting(&mut self, now: Reading, since: Reading) -> Action {
        if self.program == Program::Condemned || self.silent_program == SilentProgram::Leave {
            return Action::Wait(None);
        }
        let Some(deadline) = self.deadline else {
            return Action::Wait(None);
        };
        let answer = ANSWER_WITHIN.min(deadline.grace);
        let patient = Deadline {
            grace: deadline.grace.saturating_add(answer),
            ..deadline
        };
        let until_due = match patient.verdict(now) {
            Verdict::Run(left) => left.saturating_add(patient.grace),
            Verdict::Stop(left) => left,
            Verdict::Kill => Nanos::ZERO,
        };
        let left = until_due.max(answer.saturating_sub(now.longest_since(since)));
        if left == Nanos::ZERO {
            self.program = Program::Condemned;
            return Action::EndProgram;
        }
        Action::Wait(Some(wake_up(left)))
    }
}

fn until_due(verdict: Verdict) -> Nanos {
    match verdict {
        Verdict::Run(left) | Verdict::Stop(left) => wake_up(left),
        Verdict::Kill => wake_up(Nanos::ZERO),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: u64) -> Reading {
        Reading::both(Nanos::from_millis(ms))
    }

    fn deadline(from_ms: u64) -> Deadline {
        Deadline {
            from: at(from_ms),
            validity: Nanos::from_millis(1_000),
            grace: Nanos::from_millis(500),
        }
    }

    fn running() -> Watch {
        running_for(SilentProgram::End)
    }

    fn running_for(silent: SilentProgram) -> Watch {
        let mut watch = Watch::new();
        assert!(!watch.admits(at(0)));
        watch.begin(deadline(0), silent, at(0));
        assert!(watch.admits(at(0)));
        watch.started();
        watch
    }

    #[test]
    fn a_job_is_asked_once_at_the_deadline_and_killed_after_the_grace() {
        let mut watch = running();
        assert!(matches!(
            watch.decide(at(999), Children::Left),
            Action::Wait(Some(_))
        ));
        assert_eq!(watch.decide(at(1_000), Children::Left), Action::AskJob);
        assert!(matches!(
            watch.decide(at(1_000), Children::Left),
            Action::Wait(Some(_))
        ));
        assert_eq!(
            watch.decide(at(1_500), Children::Left),
            Action::Kill(KILL_AGAIN)
        );
        assert_eq!(
            watch.decide(at(1_501), Children::None),
            Action::TellGone(Cause::Expired)
        );
    }

    #[test]
    fn a_renewal_that_comes_after_the_deadline_saves_nobody() {
        let mut watch = running();
        watch.extend(deadline(900), at(900));
        assert!(matches!(
            watch.decide(at(1_500), Children::Left),
            Action::Wait(Some(_))
        ));
        watch.extend(deadline(1_950), at(1_950));
        assert_eq!(watch.decide(at(1_950), Children::Left), Action::AskJob);
        assert_eq!(
            watch.decide(at(2_400), Children::Left),
            Action::Kill(KILL_AGAIN)
        );
    }

    #[test]
    fn a_job_whose_deadline_has_passed_is_not_started() {
        let mut watch = Watch::new();
        watch.begin(deadline(0), SilentProgram::End, at(0));
        assert!(!watch.admits(at(1_000)));
        watch.extend(deadline(0), at(1_000));
        assert!(!watch.admits(at(1_000)), "that is no news");
        watch.extend(deadline(900), at(2_000));
        assert!(!watch.admits(at(2_000)), "and this has passed as well");
    }

    #[test]
    fn a_guard_that_was_late_to_hear_of_a_renewal_starts_the_next_job_all_the_same() {
        let mut watch = Watch::new();
        watch.begin(deadline(0), SilentProgram::Leave, at(1_700));
        assert!(!watch.admits(at(1_700)));
        for from in [500, 1_000, 1_500] {
            watch.extend(deadline(from), at(1_700));
        }
        assert!(
            watch.admits(at(1_700)),
            "sent at 500, 1000 and 1500, and read just now"
        );
        watch.started();
        assert_eq!(watch.decide(at(2_500), Children::Left), Action::AskJob);
        watch.extend(deadline(2_000), at(2_600));
        watch.job_ended();
        assert_eq!(
            watch.decide(at(2_600), Children::None),
            Action::TellGone(Cause::Ended)
        );
        assert!(
            watch.admits(at(2_600)),
            "it came too late for the job that was killed, and not for the next one"
        );
        assert!(!watch.admits(at(3_000)), "until it has passed as well");
        watch.extend(deadline(2_900), at(3_000));
        assert!(watch.admits(at(3_000)));
        // A whole leadership may go on while a job is being killed.
        watch.started();
        for from in [3_800, 4_700, 5_600] {
            watch.extend(deadline(from), at(5_700));
        }
        watch.job_ended();
        watch.decide(at(5_700), Children::None);
        assert!(watch.admits(at(5_700)));
        watch.extend(deadline(6_500), at(6_600));
        assert!(watch.admits(at(6_600)));
        // A program that was late itself leaves some out.
        watch.decide(at(8_900), Children::None);
        watch.extend(deadline(9_000), at(9_000));
        assert!(watch.admits(at(9_000)));
    }

    #[test]
    fn one_job_follows_another_and_is_asked_to_stop_anew() {
        let mut watch = running();
        assert!(watch.ask_to_stop() && !watch.ask_to_stop());
        assert!(!watch.admits(at(1)), "one at a time");
        watch.job_ended();
        assert_eq!(
            watch.decide(at(1), Children::None),
            Action::TellGone(Cause::Ended)
        );
        assert!(watch.admits(at(2)));
        watch.started();
        assert!(watch.ask_to_stop());
    }

    #[test]
    fn what_a_job_leaves_behind_is_asked_then_killed_before_it_is_called_gone() {
        let mut watch = running();
        watch.job_ended();
        assert_eq!(watch.decide(at(100), Children::Left), Action::AskLeftOver);
        assert!(matches!(
            watch.decide(at(100), Children::Left),
            Action::Wait(Some(_))
        ));
        assert_eq!(
            watch.decide(at(600), Children::Left),
            Action::Kill(KILL_AGAIN)
        );
        assert_eq!(
            watch.decide(at(610), Children::None),
            Action::TellGone(Cause::Ended)
        );
    }

    #[test]
    fn the_job_dies_with_the_program_and_the_guard_goes_last() {
        let mut watch = running();
        watch.program_died();
        assert_eq!(
            watch.decide(at(1), Children::Left),
            Action::Kill(KILL_AGAIN)
        );
        assert_eq!(watch.decide(at(2), Children::None), Action::Exit);
    }

    #[test]
    fn a_silent_program_is_ended_only_after_its_deadline_and_time_to_answer() {
        let mut watch = running();
        watch.job_ended();
        assert_eq!(
            watch.decide(at(100), Children::None),
            Action::TellGone(Cause::Ended)
        );
        for ms in [100, 1_100, 1_999] {
            assert!(
                matches!(watch.decide(at(ms), Children::None), Action::Wait(Some(_))),
                "at {ms}"
            );
        }
        assert_eq!(watch.decide(at(2_000), Children::None), Action::EndProgram);
        assert_eq!(watch.decide(at(2_001), Children::None), Action::Wait(None));
        watch.program_died();
        assert_eq!(watch.decide(at(2_002), Children::None), Action::Exit);
    }

    #[test]
    fn a_silent_program_without_a_job_is_ended_too() {
        let mut watch = Watch::new();
        watch.begin(deadline(0), SilentProgram::End, at(0));
        watch.extend(deadline(500), at(500));
        assert!(matches!(
            watch.decide(at(2_400), Children::None),
            Action::Wait(Some(_))
        ));
        assert_eq!(watch.decide(at(2_500), Children::None), Action::EndProgram);
    }

    #[test]
    fn a_silent_program_is_left_alone_where_the_record_ages() {
        let mut watch = running_for(SilentProgram::Leave);
        watch.job_ended();
        watch.decide(at(100), Children::None);
        assert_eq!(watch.decide(at(9_000), Children::None), Action::Wait(None));
    }

    #[test]
    fn a_kill_goes_on_until_nothing_is_left() {
        let mut watch = running();
        watch.kill();
        for ms in [1, 2, 3] {
            assert_eq!(
                watch.decide(at(ms), Children::Left),
                Action::Kill(KILL_AGAIN)
            );
        }
        assert_eq!(
            watch.decide(at(4), Children::None),
            Action::TellGone(Cause::Ordered)
        );
    }
}
