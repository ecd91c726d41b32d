//! Names of what happens, for people.

use crate::TrueTime;
use crate::plan::Foreign;
use crate::trace::{Answer, Ask, Deed, Down, FireDeed, Frozen, Operation, Told, WorkEnd};

/// A moment of a run, in seconds: `61.204 s`.
pub(super) fn seconds(at: TrueTime) -> String {
    format!("{} s", clock(at))
}

/// A moment of a run, in seconds without their unit.
pub(super) fn clock(at: TrueTime) -> String {
    let ms = at.nanos() / 1_000_000;
    format!("{}.{:03}", ms / 1_000, ms % 1_000)
}

/// A rate in millionths as per cent: `+1 %`, `-0.99 %`.
pub(super) fn rate(ppm: i64) -> String {
    let sign = if ppm < 0 { '-' } else { '+' };
    let ppm = ppm.unsigned_abs();
    let fraction = format!("{:04}", ppm % 10_000);
    match fraction.trim_end_matches('0') {
        "" => format!("{sign}{} %", ppm / 10_000),
        fraction => format!("{sign}{}.{fraction} %", ppm / 10_000),
    }
}

pub(super) fn operation(operation: Operation) -> &'static str {
    match operation {
        Operation::Acquire => "acquire",
        Operation::Enlist => "enlist",
        Operation::Members => "members",
        Operation::Observe => "observe",
        Operation::Release => "release",
        Operation::Renew => "renew",
        Operation::Withdraw => "withdraw",
        Operation::Submit => "submit",
        Operation::Beat => "beat",
    }
}

pub(super) fn answer(answer: Answer) -> &'static str {
    match answer {
        Answer::Done => "done",
        Answer::Conflict => "conflict: somebody was first",
        Answer::Failed => "failed, not done",
        Answer::Unknown => "failed, outcome unknown",
    }
}

pub(super) fn down(how: Down) -> &'static str {
    match how {
        Down::Crashed => "is killed",
        Down::Ended => "ends in good order",
    }
}

pub(super) fn frozen(by: Frozen) -> &'static str {
    match by {
        Frozen::Stopped => "is stopped by a signal",
        Frozen::Suspended => "sleeps with its machine",
        Frozen::VirtualMachine => "is frozen with its virtual machine",
    }
}

pub(super) fn deed(deed: Deed) -> &'static str {
    match deed {
        Deed::Acquired => "is acquired",
        Deed::Renewed => "is renewed",
        Deed::Released => "is released",
        Deed::Expired => "is freed by the store",
        Deed::Requested => "carries an operator's request, or no longer",
        Deed::Foreign(Foreign::Corrupt) => "is made unreadable by somebody else",
        Deed::Foreign(Foreign::Delete) => "is deleted by somebody else",
        Deed::Foreign(Foreign::EditLabel) => "gets a label from somebody else",
        Deed::Foreign(Foreign::Empty) => "is emptied by somebody else",
        Deed::Foreign(Foreign::Overwrite) => "gets a stranger's name",
        Deed::Foreign(Foreign::Recreate) => "is deleted and created anew by somebody else",
    }
}

pub(super) fn told(event: Told) -> &'static str {
    match event {
        Told::Started => "announces that it leads",
        Told::JeopardyBegan => "is in jeopardy: a renewal is late",
        Told::JeopardyEnded => "is out of jeopardy",
        Told::Draining => "announces that its work is to finish",
        Told::Stopping => "announces that its work is to stop at once",
        Told::Stopped => "announces that nothing of its work runs",
        Told::Overrun => "sees its work outlast its stop timeout",
        Told::ReleaseFailed => "could not give the lock back",
        Told::Waiting => "waits though nobody is known to hold the lock",
        Told::WatchdogFired => "is ended by its watchdog",
    }
}

pub(super) fn ask(ask: Ask) -> &'static str {
    match ask {
        Ask::Resign => "is asked to resign",
        Ask::ShutDown => "is asked to shut down",
        Ask::Ineligible => "is made ineligible",
        Ask::Eligible => "is made eligible again",
    }
}

pub(super) fn work_end(how: WorkEnd) -> &'static str {
    match how {
        WorkEnd::Returned => "returned",
        WorkEnd::Aborted => "was aborted",
        WorkEnd::Panicked => "panicked",
        WorkEnd::Died => "died with its process",
    }
}

pub(super) fn fire(deed: FireDeed) -> &'static str {
    match deed {
        FireDeed::Began => "begins",
        FireDeed::Ended => "has run",
        FireDeed::Broken => "is broken off",
        FireDeed::Missed => "is reported missed",
    }
}
