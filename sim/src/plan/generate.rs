use super::{
    Backend, CronPlan, DeliveryPlan, Direction, Fault, Foreign, NodePlan, OnMissingPlan, Plan,
    PlannedFault, Refusal, ServerPlan, Span, TimingPlan, VERSION, Who,
};
use crate::api_server::Fails;
use crate::random::{Purpose, Stream};

/// How fast and how slow an oscillator may be: ρ is 1 %, and 1/(1+ρ) is 9900 millionths slower.
const RATE_PPM_MOST: i64 = 10_000;
const RATE_PPM_LEAST: i64 = -9_900;
/// How much a time service slews at the most: chrony's `maxslewrate` is 83 333.
const SLEW_PPM_MOST: u32 = 83_333;
/// How far an oscillator may be off where that is beyond the claim.
const WILD_RATE_PPM_MOST: u32 = 150_000;
const LEASE_MS: u64 = 6_000;

/// The kinds of fault, each switched on or off for a whole run: runs with few kinds find what runs with all of them hide.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Kind {
    AppliedTimeout,
    Clog,
    Crash,
    Cut,
    Deaf,
    Delay,
    DiskFull,
    Duplicate,
    EditLabel,
    Ensemble,
    Foreign,
    Freeze,
    Hang,
    Ineligible,
    Lossy,
    NoHints,
    Operator,
    Panic,
    Pause,
    PowerLoss,
    Rate,
    Refuse,
    Reset,
    Resign,
    Restart,
    ShutDown,
    Slew,
    Slow,
    Stale,
    Starve,
    StepWall,
    Suspend,
    WatchGap,
    WildRate,
}

const KINDS: [Kind; 34] = [
    Kind::AppliedTimeout,
    Kind::Clog,
    Kind::Crash,
    Kind::Cut,
    Kind::Deaf,
    Kind::Delay,
    Kind::DiskFull,
    Kind::Duplicate,
    Kind::EditLabel,
    Kind::Ensemble,
    Kind::Foreign,
    Kind::Freeze,
    Kind::Hang,
    Kind::Ineligible,
    Kind::Lossy,
    Kind::NoHints,
    Kind::Operator,
    Kind::Panic,
    Kind::Pause,
    Kind::PowerLoss,
    Kind::Rate,
    Kind::Refuse,
    Kind::Reset,
    Kind::Resign,
    Kind::Restart,
    Kind::ShutDown,
    Kind::Slew,
    Kind::Slow,
    Kind::Stale,
    Kind::Starve,
    Kind::StepWall,
    Kind::Suspend,
    Kind::WatchGap,
    Kind::WildRate,
];

impl Kind {
    /// Whether a lock of this kind has it.
    fn fits(self, backend: Backend) -> bool {
        match self {
            // A lock file is no server at the end of a link.
            Self::AppliedTimeout
            | Self::Clog
            | Self::Cut
            | Self::Delay
            | Self::Lossy
            | Self::Refuse
            | Self::Reset
            | Self::Restart
            | Self::Slow
            | Self::Hang
            | Self::WatchGap => backend != Backend::File,
            Self::Duplicate | Self::Stale => backend == Backend::Lease,
            Self::Ensemble => backend == Backend::Session,
            Self::DiskFull | Self::PowerLoss => backend == Backend::File,
            _ => true,
        }
    }

    /// In how many of a thousand runs it is switched on. What takes a run out of the claim is rare.
    fn per_mille(self) -> u64 {
        match self {
            Self::WildRate => 30,
            _ => 250,
        }
    }
}

impl Plan {
    /// The plan of `seed` for a lock of this kind.
    pub fn generate(seed: u64, backend: Backend) -> Self {
        let mut draw = Stream::new(seed, backend as u64, Purpose::Plan);
        let mut plan = Self::draw(&mut draw, seed, backend.kind());
        plan.backend = backend;
        if backend == Backend::Kubernetes {
            kubernetes(&mut draw, &mut plan);
        }
        if backend == Backend::Zookeeper {
            zookeeper(&mut draw, &mut plan);
        }
        plan
    }

    fn draw(draw: &mut Stream, seed: u64, backend: Backend) -> Self {
        let mut kinds: Vec<Kind> = KINDS
            .into_iter()
            .filter(|kind| draw.happens(kind.per_mille()) && kind.fits(backend))
            .collect();
        if kinds.contains(&Kind::Suspend) {
            // Slewing and suspend within one lease add up to more than either clock shows: outside the claim.
            kinds.retain(|kind| *kind != Kind::Slew);
        }
        let count = draw.within(2..=5);
        // A deletion is waited out for the longest duration that a candidate knows of; a server's sessions all time out alike.
        let same_lease = kinds.contains(&Kind::Foreign) || backend == Backend::Session;
        let nodes: Vec<NodePlan> = (0..count).map(|_| node(draw, same_lease)).collect();
        let quiet_from = Span::from_secs(draw.within(30..=80));
        let faults = faults(draw, &kinds, nodes.len(), backend, quiet_from);
        let foreign = kinds.contains(&Kind::Foreign);
        let cron = draw.happens(300).then(|| cron(draw));
        let nodes = if cron.is_some() && draw.happens(800) {
            with_near_walls(draw, nodes)
        } else {
            nodes
        };
        let server = ServerPlan {
            rate_ppm: rate(draw),
            tick: Span::from_millis(draw.within(1..=1_000)),
            late_proof: backend == Backend::Session && draw.happens(500),
            silent: draw.happens(50),
            ..ServerPlan::default()
        };
        let mut plan = Self {
            version: VERSION,
            name: String::new(),
            seed,
            backend,
            quiet_from,
            end: quiet_from.plus(Span::from_secs(60)),
            timing: TimingPlan {
                lease: Span::from_millis(LEASE_MS),
                ..TimingPlan::default()
            },
            server,
            on_missing: if !foreign && draw.happens(200) {
                OnMissingPlan::AcquireAtOnce
            } else {
                OnMissingPlan::Wait
            },
            cron,
            nodes,
            faults,
        };
        if draw.happens(300) {
            // Next to nothing of the lease is kept for stopping, so that clocks alone decide whether the rest of it is enough.
            plan.timing.stop_timeout = Some(Span::from_millis(20));
        }
        // An unreadable record is as young as its last edit, so that nobody ever leads where somebody goes on editing it.
        if backend == Backend::Lease && !foreign && draw.happens(50) {
            let every = Span::from_millis(draw.within(1_000..=5_000));
            plan.server.edited_every = Some(every);
        }
        plan
    }
}

/// How many of a thousand plans have each of the faults that only API servers and kubelets have.
const KUBERNETES_PER_MILLE: u64 = 250;
/// How many of a thousand plans have candidates of one name, by a mistake in their configuration.
const NAMESAKES_PER_MILLE: u64 = 100;

/// What only API servers, kubelets and pods have.
fn kubernetes(draw: &mut Stream, plan: &mut Plan) {
    let servers = draw.within(1..=3);
    plan.server.api_servers = u8::try_from(servers).ok();
    plan.server.death_proof = draw.happens(600);
    let nodes = plan.nodes.len();
    let kinds: Vec<usize> = (0..KUBERNETES_KINDS)
        .filter(|_| draw.happens(KUBERNETES_PER_MILLE))
        .collect();
    let count = if kinds.is_empty() {
        0
    } else {
        draw.within(1..=8)
    };
    for _ in 0..count {
        let kind = kinds[draw.index(kinds.len())];
        let at = Span::from_nanos(draw.below(plan.quiet_from.nanos()));
        let most = plan.quiet_from.minus(at);
        let lasts = Span::from_millis(draw.within(100..=20_000)).min(most);
        let what = kubernetes_fault(draw, kind, nodes);
        plan.faults.push(PlannedFault {
            at,
            lasts: Some(lasts),
            what,
        });
    }
    plan.faults.sort_by_key(|fault| fault.at);
    if draw.happens(NAMESAKES_PER_MILLE) {
        for node in &mut plan.nodes {
            node.name = Some("namesake".to_owned());
        }
    }
}

/// How many of a thousand plans have each of the faults that only an ensemble has.
const ENSEMBLE_PER_MILLE: u64 = 400;
const ENSEMBLE_KINDS: usize = 7;

/// What only an ensemble has. What strangers do to its nodes is beyond the claim.
fn zookeeper(draw: &mut Stream, plan: &mut Plan) {
    plan.server.late_proof = true;
    plan.server.tick = Span::from_millis(draw.within(300..=3_000));
    plan.faults.retain(|fault| match fault.what {
        Fault::Foreign(foreign) => foreign == Foreign::EditLabel,
        // Rights are a node's, and nobody takes them away for a while.
        Fault::Refuse { with } => with != Refusal::Forbidden,
        _ => true,
    });
    if draw.happens(NAMESAKES_PER_MILLE) {
        for node in &mut plan.nodes {
            node.name = Some("namesake".to_owned());
        }
    }
    let kinds: Vec<usize> = (0..ENSEMBLE_KINDS)
        .filter(|_| draw.happens(ENSEMBLE_PER_MILLE))
        .collect();
    if kinds.is_empty() {
        return;
    }
    for _ in 0..draw.within(1..=8) {
        let kind = kinds[draw.index(kinds.len())];
        let at = Span::from_nanos(draw.below(plan.quiet_from.nanos()));
        let most = plan.quiet_from.minus(at);
        let lasts = Span::from_millis(draw.within(100..=25_000)).min(most);
        let what = ensemble_fault(draw, kind);
        plan.faults.push(PlannedFault {
            at,
            lasts: Some(lasts),
            what,
        });
    }
    plan.faults.sort_by_key(|fault| fault.at);
}

fn ensemble_fault(draw: &mut Stream, kind: usize) -> Fault {
    let server = u8::try_from(draw.below(3)).expect("below 3");
    let by = Span::from_millis(draw.within(100..=4_000));
    match kind {
        0 => Fault::ServerAway { server },
        1 => Fault::ServerHangs { server },
        2 => Fault::ServerLags { by, server },
        3 => Fault::LeaderChange,
        4 => Fault::QuorumLoss,
        5 => Fault::ServerForgets { server },
        _ => Fault::ServerCut { server },
    }
}

const KUBERNETES_KINDS: usize = 13;

fn kubernetes_fault(draw: &mut Stream, kind: usize, nodes: usize) -> Fault {
    let server = u8::try_from(draw.below(3)).expect("below 3");
    let node = who(draw, nodes);
    let per_mille = per_mille(draw);
    let long = Span::from_millis(draw.within(200..=12_000));
    let with = match draw.below(4) {
        0 => Fails::Internal,
        1 => Fails::Throttled,
        2 => Fails::Unavailable,
        _ => Fails::TimedOut,
    };
    match kind {
        0 => Fault::ServerAway { server },
        1 => Fault::ServerHangs { server },
        2 => Fault::ServerLags { by: long, server },
        3 => Fault::Fails { per_mille, with },
        4 => Fault::FailsAfter { per_mille, with },
        5 => Fault::RepliesDropped { per_mille },
        6 => Fault::SlowStore { most: long },
        7 => Fault::NoWatchRight,
        8 => Fault::Compaction,
        9 => Fault::TokenExpired { node },
        10 => Fault::KubeletLate { by: long, node },
        11 => Fault::KubeletSilent { node },
        _ => Fault::NodeLost { node },
    }
}

fn rate(draw: &mut Stream) -> i64 {
    match draw.below(4) {
        0 => RATE_PPM_MOST,
        1 => RATE_PPM_LEAST,
        2 => draw.around_zero(9_900),
        _ => draw.around_zero(100),
    }
}

fn wild_rate(draw: &mut Stream) -> i64 {
    match draw.below(3) {
        0 => i64::from(WILD_RATE_PPM_MOST),
        1 => -i64::from(WILD_RATE_PPM_MOST),
        _ => draw.around_zero(WILD_RATE_PPM_MOST),
    }
}

fn slew(draw: &mut Stream) -> i64 {
    match draw.below(4) {
        0 => i64::from(SLEW_PPM_MOST),
        1 => -i64::from(SLEW_PPM_MOST),
        _ => draw.around_zero(SLEW_PPM_MOST),
    }
}

fn cron(draw: &mut Stream) -> CronPlan {
    CronPlan {
        every: Span::from_secs(draw.within(1..=10)),
        takes: Span::from_millis(draw.below(3_000)),
        delivery: if draw.happens(500) {
            DeliveryPlan::AtLeastOnce
        } else {
            DeliveryPlan::AtMostOnce
        },
    }
}

/// Nobody fires by a wall clock that is years from the last leader's: mostly they are some seconds apart.
fn with_near_walls(draw: &mut Stream, mut nodes: Vec<NodePlan>) -> Vec<NodePlan> {
    let wall_s = nodes.first().map_or(0, |node| node.wall_s);
    for node in &mut nodes {
        node.wall_s = wall_s + draw.below(4);
    }
    nodes
}

fn node(draw: &mut Stream, same_lease: bool) -> NodePlan {
    let longer = if same_lease { 0 } else { draw.below(3) * 1_500 };
    let stops_at_once = draw.happens(500);
    NodePlan {
        name: None,
        starts_at: Some(Span::from_nanos(draw.below(3_000_000) * 1_000)),
        lease: (longer > 0).then(|| Span::from_millis(LEASE_MS + longer)),
        server: None,
        rate_ppm: rate(draw),
        uptime: Span::from_millis(draw.below(10_000_000_000)),
        wall_s: 1_000_000_000 + draw.below(1_000_000_000),
        stop_takes: Span::from_millis(if stops_at_once { 0 } else { draw.below(1_500) }),
        work_lasts: draw
            .happens(200)
            .then(|| Span::from_millis(draw.within(500..=20_000))),
        drain_takes: Span::from_millis(if draw.happens(500) {
            0
        } else {
            draw.below(5_000)
        }),
    }
}

fn faults(
    draw: &mut Stream,
    kinds: &[Kind],
    nodes: usize,
    backend: Backend,
    quiet_from: Span,
) -> Vec<PlannedFault> {
    if kinds.is_empty() {
        return Vec::new();
    }
    let count = draw.within(1..=24);
    let mut faults: Vec<PlannedFault> = (0..count)
        .map(|_| {
            let kind = kinds[draw.index(kinds.len())];
            let at = Span::from_nanos(draw.below(quiet_from.nanos()));
            let most = quiet_from.minus(at);
            PlannedFault {
                at,
                lasts: Some(lasts(draw, kind).min(most)),
                what: fault(draw, kind, nodes, backend),
            }
        })
        .collect();
    faults.sort_by_key(|fault| fault.at);
    faults
}

/// Most faults last about as long as a lease, give or take; that is where it gets close. A time service slews for longer.
fn lasts(draw: &mut Stream, kind: Kind) -> Span {
    Span::from_millis(match draw.below(3) {
        _ if kind == Kind::Slew => draw.within(5_000..=60_000),
        0 => draw.within(1..=1_500),
        1 => draw.within(1_000..=8_000),
        _ => draw.within(5_000..=20_000),
    })
}

fn per_mille(draw: &mut Stream) -> u16 {
    u16::try_from(draw.within(50..=600)).expect("at most a thousand")
}

/// Mostly any node; sometimes whoever leads then, which is where it hurts.
fn who(draw: &mut Stream, nodes: usize) -> Who {
    let node = draw.index(nodes);
    match draw.below(4) {
        0 => Who::Leader,
        _ => Who::Node(u16::try_from(node).expect("a plan has a handful of nodes")),
    }
}

fn fault(draw: &mut Stream, kind: Kind, nodes: usize, backend: Backend) -> Fault {
    let node = who(draw, nodes);
    let direction = direction(draw);
    let slow = Span::from_millis(draw.within(200..=12_000));
    let per_mille = per_mille(draw);
    match kind {
        Kind::AppliedTimeout => Fault::AppliedTimeout { per_mille },
        Kind::Clog => Fault::Clog { node },
        Kind::Crash if draw.happens(300) => Fault::CrashCut { node },
        Kind::Crash => Fault::Crash { node },
        Kind::Cut => Fault::Cut { direction, node },
        Kind::Deaf => Fault::Deaf { node },
        Kind::Delay => Fault::Delay {
            by: slow,
            direction,
            node,
        },
        Kind::DiskFull => Fault::DiskFull,
        Kind::Duplicate => Fault::Duplicate { node, per_mille },
        Kind::EditLabel => Fault::Foreign(Foreign::EditLabel),
        Kind::Ensemble if draw.happens(500) => Fault::QuorumLoss,
        Kind::Ensemble => Fault::LeaderChange,
        Kind::Foreign => Fault::Foreign(foreign(draw, backend)),
        Kind::Freeze => Fault::Freeze { node },
        Kind::Hang => Fault::Hang,
        Kind::Ineligible => Fault::Ineligible { node },
        Kind::Lossy => Fault::Lossy {
            direction,
            node,
            per_mille,
        },
        Kind::NoHints => Fault::NoHints,
        Kind::Operator if draw.happens(500) => Fault::OperatorPause,
        Kind::Operator => Fault::OperatorResign,
        Kind::Panic => Fault::Panic { node },
        Kind::Pause => Fault::Pause { node },
        Kind::PowerLoss => Fault::PowerLoss { node },
        Kind::Rate => runs_at(node, rate(draw)),
        Kind::Refuse => Fault::Refuse {
            with: refusal(draw),
        },
        Kind::Reset => Fault::Reset { node },
        Kind::Resign => Fault::Resign { node },
        Kind::Restart => Fault::Restart,
        Kind::ShutDown => Fault::ShutDown { node },
        Kind::Slew => Fault::Slew {
            node,
            ppm: slew(draw),
        },
        Kind::Slow => Fault::Slow {
            direction,
            most: slow,
            node,
        },
        Kind::Stale => Fault::Stale { by: slow },
        Kind::Starve => Fault::Starve {
            most: slow.minus(Span::from_millis(100)),
            node,
        },
        Kind::StepWall => Fault::StepWall {
            by_s: draw.around_zero(40_000_000),
            node,
        },
        Kind::Suspend => Fault::Suspend { node },
        Kind::WatchGap => Fault::WatchGap,
        Kind::WildRate => runs_at(node, wild_rate(draw)),
    }
}

fn runs_at(node: Who, ppm: i64) -> Fault {
    Fault::Rate { node, ppm }
}

fn direction(draw: &mut Stream) -> Direction {
    match draw.below(3) {
        0 => Direction::Both,
        1 => Direction::Replies,
        _ => Direction::Requests,
    }
}

fn refusal(draw: &mut Stream) -> Refusal {
    match draw.below(3) {
        0 => Refusal::Forbidden,
        1 => Refusal::Throttled,
        _ => Refusal::Unavailable,
    }
}

/// What the claim covers: of a session lock and a file the deletion and a torn record, of a leased one everything.
fn foreign(draw: &mut Stream, backend: Backend) -> Foreign {
    let all = [
        Foreign::Delete,
        Foreign::Corrupt,
        Foreign::Empty,
        Foreign::Recreate,
        Foreign::Overwrite,
    ];
    match backend {
        Backend::Lease | Backend::Kubernetes => all[draw.index(all.len())],
        Backend::Session | Backend::File | Backend::Zookeeper => all[draw.index(2)],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plan_follows_from_its_seed_and_ends_before_the_quiet_time() {
        for seed in 0..500 {
            for backend in Backend::ALL {
                let plan = Plan::generate(seed, backend);
                assert_eq!(plan, Plan::generate(seed, backend));
                for fault in &plan.faults {
                    assert!(fault.at.plus(fault.lasts.unwrap_or_default()) <= plan.quiet_from);
                }
                let slews = |fault: &PlannedFault| matches!(fault.what, Fault::Slew { .. });
                let suspends = |fault: &PlannedFault| matches!(fault.what, Fault::Suspend { .. });
                assert!(!(plan.faults.iter().any(slews) && plan.faults.iter().any(suspends)));
            }
        }
    }

    #[test]
    fn a_plan_is_read_back_as_it_was_written() {
        for seed in 0..200 {
            for backend in Backend::ALL {
                let plan = Plan::generate(seed, backend);
                let json = serde_json::to_string(&plan).unwrap();
                assert_eq!(serde_json::from_str::<Plan>(&json).unwrap(), plan);
                let toml = toml::to_string(&plan).unwrap();
                assert_eq!(toml::from_str::<Plan>(&toml).unwrap(), plan, "{toml}");
            }
        }
    }
}
