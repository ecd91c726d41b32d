use serde::{Deserialize, Serialize};

use super::TraceHash;
use crate::TrueTime;
use crate::executor::NodeId;
use crate::plan::Foreign;

/// One thing that happened, in true time.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Record {
    /// When, in nanoseconds since the start of the run.
    pub at: TrueTime,
    /// On which node; nothing for the world: the store, operators, the plan.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub node: Option<NodeId>,
    /// What.
    #[serde(flatten)]
    pub what: What,
}

/// One start of a candidate, numbered from 1 over a whole run: what an incarnation is to the election.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Life(pub u32);

/// A number of a request, counted from 1 over a whole run.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RequestId(pub u32);

/// What can happen. The same vocabulary on all tiers: invariants, traces and reports are made of nothing else.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(
    tag = "what",
    rename_all = "kebab-case",
    rename_all_fields = "kebab-case"
)]
#[non_exhaustive]
pub enum What {
    // The plan.
    /// The fault with this index in the plan begins.
    FaultBegan {
        /// Its index.
        fault: u32,
    },
    /// It ends.
    FaultEnded {
        /// Its index.
        fault: u32,
    },
    /// Everything is healed; nothing goes wrong from now on.
    Quiet,
    /// The run is over.
    End,

    // A node.
    /// A candidate's process starts.
    Up {
        /// Which start of a candidate it is.
        life: Life,
    },
    /// The process is gone.
    Down {
        /// How it went.
        how: Down,
    },
    /// Nothing of the process runs any more, for now.
    Frozen {
        /// What froze it.
        by: Frozen,
    },
    /// It runs again.
    Thawed,
    /// The rate of the node's clocks changes. The first record of each node tells its rate at the start.
    Clock {
        /// How much faster than true time the oscillator runs, in millionths.
        rate_ppm: i64,
        /// How much a time service slews on top of it.
        slew_ppm: i64,
    },
    /// The wall clock is set.
    WallStepped {
        /// By so many seconds.
        by_s: i64,
    },

    // Requests.
    /// The candidate makes a call of its backend.
    Sent {
        /// Its number.
        request: RequestId,
        /// Which call.
        operation: Operation,
        /// The version that the write was computed from; nothing for reads and where there is no record.
        basis: Option<u64>,
    },
    /// The request reached the store, and the store did what it does. May come twice, and long after the caller is gone.
    Landed {
        /// Its number.
        request: RequestId,
        /// Whether the caller no longer waits for it.
        zombie: bool,
    },
    /// The caller has its answer.
    Answered {
        /// Its number.
        request: RequestId,
        /// What it says.
        answer: Answer,
    },
    /// The caller waits no longer; the effect is unknown to it.
    Abandoned {
        /// Its number.
        request: RequestId,
    },
    /// An authoritative read, or a hint that carries what was read, has reached the candidate.
    Observed {
        /// The newest token that the record knows.
        token: Option<u64>,
        /// The record's version.
        version: Option<u64>,
        /// Whether it came by a way that may be behind: a watch, a cache, a follower.
        maybe_stale: bool,
    },

    // The lock.
    /// The lock's record changed.
    Wrote {
        /// What changed it.
        deed: Deed,
        /// The version that the write was made against; nothing where there was no record, or nobody compared.
        basis: Option<u64>,
        /// The record's version since.
        version: Option<u64>,
        /// Who holds the lock since; nothing for nobody, and for a stranger.
        holder: Option<Life>,
        /// The token in the record since.
        token: Option<u64>,
    },
    /// A session has ended at the server.
    SessionEnded {
        /// Whose.
        life: Life,
    },

    // Leadership.
    /// By its own clock the candidate leads, until this moment of true time if nothing else happens. Told again whenever that moment
    /// moves: at a confirmed renewal, at a change of the clock's rate, over a suspend.
    Leads {
        /// The leadership's token.
        token: u64,
        /// The send of the request that the deadline is counted from.
        sent: TrueTime,
        /// Until when.
        until: TrueTime,
    },
    /// The candidate says itself that it leads no longer, before or at the moment that was told.
    LeadsNot {
        /// The leadership's token.
        token: u64,
    },
    /// What the election told its users.
    Told {
        /// What.
        event: Told,
        /// Of which leadership; 0 where it is about none.
        token: u64,
    },
    /// The candidate's control was asked for something.
    Asked {
        /// For what.
        ask: Ask,
    },
    /// What was asked is done: the elector has ended.
    ShutDown,

    // The work.
    /// The leader's work begins.
    WorkBegan {
        /// Under which token.
        token: u64,
    },
    /// The work is told to stop.
    WorkTold {
        /// Under which token.
        token: u64,
    },
    /// Nothing of the work runs any more.
    WorkEnded {
        /// How it ended.
        how: WorkEnd,
        /// Under which token it ran.
        token: u64,
    },
    /// The work wrote to a resource that checks tokens.
    Touched {
        /// Whether the resource took it.
        accepted: bool,
        /// The token that was shown.
        token: u64,
    },

    // Notes.
    /// The leader wants this note in the lock.
    NoteWanted {
        /// A number for its content.
        note: u64,
        /// The leadership's token.
        token: u64,
    },
    /// The leader was told that the note is in the lock.
    NoteConfirmed {
        /// A number for its content.
        note: u64,
        /// The leadership's token.
        token: u64,
    },
    /// A new leader was handed this note.
    NoteFound {
        /// A number for its content; nothing when there was none.
        note: Option<u64>,
        /// The leadership's token.
        token: u64,
    },

    // Cron.
    /// Something happened to one fire of the cron job.
    Fire {
        /// What.
        deed: FireDeed,
        /// When it was due, in seconds since 1970.
        due_s: u64,
        /// The leadership's token.
        token: u64,
    },
    /// The ledger of fires was lost, and this was reported.
    LedgerLost {
        /// To which leadership.
        token: u64,
    },

    /// Something rare was seen.
    Seen {
        /// What.
        mark: Mark,
    },
    /// Something panicked that must not.
    Panicked,
}

/// How a process went.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[repr(u8)]
pub enum Down {
    /// Without a word.
    Crashed = 0,
    /// In good order.
    Ended = 1,
}

/// What froze a process.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[repr(u8)]
pub enum Frozen {
    /// A signal; its clocks run on.
    Stopped = 0,
    /// Its machine sleeps; one clock runs on.
    Suspended = 1,
    /// Its virtual machine is frozen; no clock runs on.
    VirtualMachine = 2,
}

/// A call of the backend.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[repr(u8)]
pub enum Operation {
    /// Takes the lock.
    Acquire = 0,
    /// Makes the candidate a member.
    Enlist = 1,
    /// Reads the members.
    Members = 2,
    /// Reads the lock.
    Observe = 3,
    /// Gives the lock back.
    Release = 4,
    /// Proves and extends the hold.
    Renew = 5,
    /// Ends the membership.
    Withdraw = 6,
    /// Leaves an operator's request.
    Submit = 7,
    /// Gives a sign of life of its session, beside all calls.
    Beat = 8,
}

/// What an answer says.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[repr(u8)]
pub enum Answer {
    /// It was done.
    Done = 0,
    /// It was not done: somebody else was there first (409).
    Conflict = 1,
    /// It failed and was not done.
    Failed = 2,
    /// It failed, and may have been done or be done later.
    Unknown = 3,
}

/// What changed the lock's record.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Deed {
    /// A candidate took it.
    Acquired,
    /// Its holder renewed.
    Renewed,
    /// Its holder gave it back.
    Released,
    /// Its holder's session ended, or a queue moved.
    Expired,
    /// An operator's request was left or taken out.
    Requested,
    /// Somebody who is no candidate.
    Foreign(Foreign),
}

/// What the election told, as far as the order of it matters.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[repr(u8)]
pub enum Told {
    /// It leads.
    Started = 0,
    /// A renewal is late.
    JeopardyBegan = 1,
    /// A renewal was confirmed again.
    JeopardyEnded = 2,
    /// The work is to finish.
    Draining = 3,
    /// The work is to stop at once.
    Stopping = 4,
    /// Nothing of it runs.
    Stopped = 5,
    /// The work did not stop in time.
    Overrun = 6,
    /// The lock could not be given back.
    ReleaseFailed = 7,
    /// It waits though nobody is known to hold the lock.
    Waiting = 8,
    /// The watchdog ended the leadership.
    WatchdogFired = 9,
}

/// What a candidate's control can be asked for.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[repr(u8)]
pub enum Ask {
    /// To resign.
    Resign = 0,
    /// To end.
    ShutDown = 1,
    /// Not to try.
    Ineligible = 2,
    /// To try again.
    Eligible = 3,
}

/// How work came to its end.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[repr(u8)]
pub enum WorkEnd {
    /// It returned.
    Returned = 0,
    /// It was dropped after it had been told to stop.
    Aborted = 1,
    /// It panicked.
    Panicked = 2,
    /// Its process is gone.
    Died = 3,
}

/// What happened to one fire.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[repr(u8)]
pub enum FireDeed {
    /// It began to run.
    Began = 0,
    /// It ran to its end.
    Ended = 1,
    /// It was broken off.
    Broken = 2,
    /// It was missed, and this was reported.
    Missed = 3,
}

/// Rare things that a campaign must have seen, or it proves little.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[repr(u8)]
#[non_exhaustive]
pub enum Mark {
    /// Another candidate led after a leader.
    LeaderMoved = 0,
    /// A compare-and-swap failed.
    Conflict = 1,
    /// A write of unknown outcome, and it turned out that it had happened.
    UnknownThenWon = 2,
    /// A write of unknown outcome, and it turned out that it had not happened.
    UnknownThenLost = 3,
    /// A write took effect after its caller had given up or died.
    ZombieWrite = 4,
    /// A leadership's deadline passed while its process was frozen.
    LostWhileFrozen = 5,
    /// An observation was older than one that the candidate had.
    StaleRead = 6,
    /// A clock ran ten per cent and more from true time.
    WildClock = 7,
    /// A session ended while its candidate was cut off.
    ExpiredWhileCut = 8,
    /// Two candidates tried to take the lock within one round trip.
    TakeoverRace = 9,
    /// A release and a renewal of the same holder were under way together.
    ReleaseRacedRenewal = 10,
    /// A leadership ended because its deadline passed.
    LostByDeadline = 11,
    /// A leadership ended because another holder, or no lock, was seen.
    LostBySight = 12,
    /// Work was aborted because it did not stop in time.
    WorkAborted = 13,
    /// A candidate waited out an unexplained vacancy.
    WaitedVacancy = 14,
    /// Leadership went over within one round trip and a stop, after a release.
    FastHandover = 15,
    /// A fire was run by the leader after the one that had begun it.
    FireTakenUp = 16,
    /// The watchdog ended a leadership.
    WatchdogFired = 17,
}

impl Mark {
    /// All of them, in the order of their numbers.
    pub const ALL: [Self; 18] = [
        Self::LeaderMoved,
        Self::Conflict,
        Self::UnknownThenWon,
        Self::UnknownThenLost,
        Self::ZombieWrite,
        Self::LostWhileFrozen,
        Self::StaleRead,
        Self::WildClock,
        Self::ExpiredWhileCut,
        Self::TakeoverRace,
        Self::ReleaseRacedRenewal,
        Self::LostByDeadline,
        Self::LostBySight,
        Self::WorkAborted,
        Self::WaitedVacancy,
        Self::FastHandover,
        Self::FireTakenUp,
        Self::WatchdogFired,
    ];
}

impl Record {
    /// Adds it to `hash`, in an encoding that never changes: a number for what happened, and its fields.
    pub fn digest(&self, hash: &mut TraceHash) {
        let node = self.node.map_or(0, |node| u64::from(node.0) + 1);
        let [kind, a, b, c, d] = self.what.words();
        hash.mix(self.at.nanos());
        hash.mix(node << 32 | kind);
        hash.mix(a);
        hash.mix(b);
        if c != 0 || d != 0 {
            hash.mix(c);
            hash.mix(d);
        }
    }
}

/// A number for an optional one: 0 for nothing, which no version and no token is.
fn number(optional: Option<u64>) -> u64 {
    optional.unwrap_or(0)
}

impl What {
    /// A number for the kind, and its fields.
    fn words(&self) -> [u64; 5] {
        match *self {
            Self::FaultBegan { fault } => [1, fault.into(), 0, 0, 0],
            Self::FaultEnded { fault } => [2, fault.into(), 0, 0, 0],
            Self::Quiet => [3, 0, 0, 0, 0],
            Self::End => [4, 0, 0, 0, 0],
            Self::Up { life } => [5, life.0.into(), 0, 0, 0],
            Self::Down { how } => [6, how as u64, 0, 0, 0],
            Self::Frozen { by } => [7, by as u64, 0, 0, 0],
            Self::Thawed => [8, 0, 0, 0, 0],
            Self::Clock { rate_ppm, slew_ppm } => {
                [9, rate_ppm.cast_unsigned(), slew_ppm.cast_unsigned(), 0, 0]
            }
            Self::WallStepped { by_s } => [10, by_s.cast_unsigned(), 0, 0, 0],
            Self::Sent {
                request,
                operation,
                basis,
            } => [11, request.0.into(), operation as u64, number(basis), 0],
            Self::Landed { request, zombie } => [12, request.0.into(), zombie.into(), 0, 0],
            Self::Answered { request, answer } => [13, request.0.into(), answer as u64, 0, 0],
            Self::Abandoned { request } => [14, request.0.into(), 0, 0, 0],
            Self::Observed {
                token,
                version,
                maybe_stale,
            } => [15, number(token), number(version), maybe_stale.into(), 0],
            Self::Wrote {
                deed,
                basis,
                version,
                holder,
                token,
            } => {
                let holder = holder.map_or(0, |life| u64::from(life.0));
                let deed = deed.number() << 32 | holder;
                [16, deed, number(basis), number(version), number(token)]
            }
            Self::SessionEnded { life } => [17, life.0.into(), 0, 0, 0],
            Self::Leads { token, sent, until } => [18, token, sent.nanos(), until.nanos(), 0],
            Self::LeadsNot { token } => [19, token, 0, 0, 0],
            Self::Told { event, token } => [20, event as u64, token, 0, 0],
            Self::Asked { ask } => [21, ask as u64, 0, 0, 0],
            Self::ShutDown => [22, 0, 0, 0, 0],
            Self::WorkBegan { token } => [23, token, 0, 0, 0],
            Self::WorkTold { token } => [24, token, 0, 0, 0],
            Self::WorkEnded { how, token } => [25, how as u64, token, 0, 0],
            Self::Touched { accepted, token } => [26, accepted.into(), token, 0, 0],
            Self::NoteWanted { note, token } => [27, note, token, 0, 0],
            Self::NoteConfirmed { note, token } => [28, note, token, 0, 0],
            Self::NoteFound { note, token } => [29, number(note), token, 0, 0],
            Self::Fire { deed, due_s, token } => [30, deed as u64, due_s, token, 0],
            Self::LedgerLost { token } => [31, token, 0, 0, 0],
            Self::Seen { mark } => [32, mark as u64, 0, 0, 0],
            Self::Panicked => [33, 0, 0, 0, 0],
        }
    }
}

impl Deed {
    fn number(self) -> u64 {
        match self {
            Self::Acquired => 1,
            Self::Renewed => 2,
            Self::Released => 3,
            Self::Expired => 4,
            Self::Requested => 5,
            Self::Foreign(foreign) => 16 + foreign as u64,
        }
    }
}
