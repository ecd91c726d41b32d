use std::fmt;

use tenure_core::TimingError;
use tenure_core::timing::Setting;

use super::place::Step;
use super::{Backend, CronPlan, Fault, Foreign, NodePlan, Plan, PlannedFault, Span, VERSION, Who};

/// More candidates than any election has, and few enough for a run to end.
const NODES_MOST: usize = 1_000;
/// Longer than any run that somebody waits for; times far beyond are mistyped units.
const SPAN_MOST: Span = Span::from_secs(100 * 366 * 24 * 3_600);
/// The last second of the year 9999: what people can read of a wall clock.
const WALL_S_MOST: u64 = 253_402_300_799;
/// At this rate a clock stands still.
const STANDSTILL_PPM: i64 = -1_000_000;
/// Ten times as fast as true time: beyond it something is mistyped.
const RATE_PPM_MOST: i64 = 9_000_000;

/// A plan asks for something that cannot be: where in the plan, and what to write instead.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PlanError {
    place: String,
    /// The way to it through a plan file.
    path: Vec<Step>,
    problem: String,
}

impl PlanError {
    /// `place` is a field, or one in a table: `server, tick`.
    fn new(place: &str, problem: impl fmt::Display) -> Self {
        let path = place.split(", ").map(Step::field).collect();
        Self::at(place, path, problem)
    }

    fn at(place: impl fmt::Display, path: Vec<Step>, problem: impl fmt::Display) -> Self {
        Self {
            place: place.to_string(),
            path,
            problem: problem.to_string(),
        }
    }

    /// The way to what is meant through a plan file.
    pub(super) fn path(&self) -> &[Step] {
        &self.path
    }

    /// Which part of the plan is meant, in words.
    pub fn place(&self) -> &str {
        &self.place
    }
}

impl fmt::Display for PlanError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.problem)
    }
}

impl std::error::Error for PlanError {}

impl Plan {
    /// Whether this plan can be run.
    ///
    /// # Errors
    /// Names the first part of the plan that cannot be, and what to write instead.
    pub fn check(&self) -> Result<(), PlanError> {
        if self.version != VERSION {
            return Err(PlanError::new("version", other_version(self.version)));
        }
        self.check_ends()?;
        if self.nodes.is_empty() || self.nodes.len() > NODES_MOST {
            let problem = format!(
                "there are {} nodes: write between 1 and {NODES_MOST}",
                self.nodes.len()
            );
            return Err(PlanError::new("nodes", problem));
        }
        for (index, node) in self.nodes.iter().enumerate() {
            self.check_node(index, node)?;
        }
        self.check_server()?;
        if let Some(cron) = &self.cron {
            check_cron(cron)?;
        }
        for (index, fault) in self.faults.iter().enumerate() {
            self.check_fault(fault).map_err(|(field, problem)| {
                PlanError::at(fault.place(index, field), fault.path(index, field), problem)
            })?;
        }
        Ok(())
    }

    fn check_ends(&self) -> Result<(), PlanError> {
        if self.end == Span::ZERO || self.end > SPAN_MOST {
            let problem = format!("a run of {} is none: write such as \"5m\"", self.end);
            return Err(PlanError::new("end", problem));
        }
        if self.quiet_from > self.end {
            let problem = format!(
                "it is {}, after the end at {}: let it come before, so that there is time to recover",
                self.quiet_from, self.end
            );
            return Err(PlanError::new("quiet-from", problem));
        }
        Ok(())
    }

    fn check_node(&self, index: usize, node: &NodePlan) -> Result<(), PlanError> {
        let wrong = |field: &str, problem: &dyn fmt::Display| {
            let path = vec![Step::field("nodes"), Step::Index(index), Step::field(field)];
            Err(PlanError::at(
                format!("node {index}, {field}"),
                path,
                problem,
            ))
        };
        if node.name.as_deref() == Some("") {
            return wrong("name", &"it is empty: write one, or leave it out");
        }
        if let Some(starts_at) = node.starts_at.filter(|starts_at| *starts_at >= self.end) {
            let problem = format!(
                "it starts at {starts_at}, after the end at {}: let it start before",
                self.end
            );
            return wrong("starts-at", &problem);
        }
        if let Some(problem) = rate_problem(node.rate_ppm) {
            return wrong("rate-ppm", &problem);
        }
        if node.uptime > SPAN_MOST {
            return wrong("uptime", &format!("{} is too long", node.uptime));
        }
        if node.wall_s > WALL_S_MOST {
            let problem = "it is after the year 9999: write seconds since 1970, not milliseconds";
            return wrong("wall-s", &problem);
        }
        match self.timing(index) {
            Ok(_) => Ok(()),
            Err(error) if node.lease.is_some() => wrong("lease", &in_fields(&error)),
            Err(error) => Err(PlanError::new("timing", in_fields(&error))),
        }
    }

    fn check_server(&self) -> Result<(), PlanError> {
        if let Some(problem) = rate_problem(self.server.rate_ppm) {
            return Err(PlanError::new("server, rate-ppm", problem));
        }
        if self.server.late_proof && self.backend.kind() != Backend::Session {
            let problem = "only a session lock has a late proof: leave it out";
            return Err(PlanError::new("server, late-proof", problem));
        }
        if self.server.sync_limit == Some(0) {
            let problem = "servers that hear nothing for no time at all follow nobody: write at least 1, or leave it out";
            return Err(PlanError::new("server, sync-limit", problem));
        }
        Ok(())
    }

    fn check_fault(&self, fault: &PlannedFault) -> Result<(), (&'static str, String)> {
        if !fault.what.fits(self.backend) {
            let kinds: Vec<_> = Backend::EVERY
                .into_iter()
                .filter(|backend| fault.what.fits(*backend))
                .map(Backend::name)
                .collect();
            let problem = format!(
                "a {} lock has no such fault: leave it out, or use backend {}",
                self.backend.name(),
                kinds.join(" or ")
            );
            return Err(("what", problem));
        }
        if fault.at >= self.quiet_from {
            let problem = format!(
                "it begins when everything is healed already, from {} on: let it begin earlier, or move quiet-from",
                self.quiet_from
            );
            return Err(("at", problem));
        }
        if let Some(lasts) = fault.lasts
            && fault.at.plus(lasts) > self.quiet_from
        {
            let problem = format!(
                "it would last until {}, and everything is healed from {} on: shorten it, or move quiet-from",
                fault.at.plus(lasts),
                self.quiet_from
            );
            return Err(("lasts", problem));
        }
        if let Some(Who::Node(index)) = fault.what.who()
            && usize::from(index) >= self.nodes.len()
        {
            let problem = format!(
                "there is no node {index}: use 0 to {}, \"leader\" or \"follower\"",
                self.nodes.len() - 1
            );
            return Err(("node", problem));
        }
        check_numbers(&fault.what)
    }
}

/// The error in the words of plans.
fn in_fields(error: &TimingError) -> String {
    let fields = [
        (Setting::LeaseDuration, "lease"),
        (Setting::RenewInterval, "renew"),
        (Setting::RequestTimeout, "request-timeout"),
        (Setting::StopTimeout, "stop-timeout"),
        (Setting::DrainTimeout, "drain-timeout"),
        (Setting::KillAllowance, "kill-allowance"),
        (Setting::RetryInterval, "retry-interval"),
        (Setting::ClockDrift, "drift-ppm"),
    ];
    let text = error.to_string();
    let replace = |text: String, (setting, field): &(Setting, &str)| {
        text.replace(&setting.to_string(), field)
    };
    fields.iter().fold(text, replace)
}

/// What a plan of another version is told.
pub(super) fn other_version(version: u32) -> String {
    format!(
        "this plan is of version {version}, and this program reads version {VERSION}: use the program that wrote it, or write it anew"
    )
}

fn rate_problem(ppm: i64) -> Option<String> {
    if ppm <= STANDSTILL_PPM {
        Some(format!(
            "{ppm} millionths would stop the clock or turn it back: write more than {STANDSTILL_PPM}"
        ))
    } else if ppm > RATE_PPM_MOST {
        Some(format!(
            "{ppm} millionths is more than ten times as fast as true time: write at most {RATE_PPM_MOST}"
        ))
    } else {
        None
    }
}

fn check_cron(cron: &CronPlan) -> Result<(), PlanError> {
    if cron.every == Span::ZERO || !cron.every.nanos().is_multiple_of(1_000_000_000) {
        let problem = format!(
            "{} is no number of whole seconds: write such as \"10s\"",
            cron.every
        );
        return Err(PlanError::new("cron, every", problem));
    }
    Ok(())
}

fn check_numbers(fault: &Fault) -> Result<(), (&'static str, String)> {
    match *fault {
        Fault::Rate { ppm, .. } | Fault::Slew { ppm, .. } => match rate_problem(ppm) {
            Some(problem) => Err(("ppm", problem)),
            None => Ok(()),
        },
        Fault::Lossy { per_mille, .. }
        | Fault::Duplicate { per_mille, .. }
        | Fault::AppliedTimeout { per_mille }
        | Fault::Fails { per_mille, .. }
        | Fault::FailsAfter { per_mille, .. }
        | Fault::RepliesDropped { per_mille }
            if per_mille > 1_000 =>
        {
            let problem = format!("{per_mille} of a thousand is too many: write at most 1000");
            Err(("per-mille", problem))
        }
        Fault::StepWall { by_s, .. } if by_s.unsigned_abs() > WALL_S_MOST => {
            Err(("by-s", format!("{by_s} s is further than the year 9999")))
        }
        _ => Ok(()),
    }
}

impl Fault {
    /// Whether a lock of this kind has it.
    pub fn fits(&self, backend: Backend) -> bool {
        if self.is_of_servers() {
            return matches!(backend, Backend::Kubernetes | Backend::Zookeeper);
        }
        if self.is_of_kubernetes() {
            return backend == Backend::Kubernetes;
        }
        if let Self::ServerCut { .. } | Self::ServerForgets { .. } = self {
            return backend == Backend::Zookeeper;
        }
        let backend = backend.kind();
        match self {
            // A lock file is no server at the end of a link.
            Self::AppliedTimeout { .. }
            | Self::Clog { .. }
            | Self::Cut { .. }
            | Self::Delay { .. }
            | Self::Hang
            | Self::Lossy { .. }
            | Self::Refuse { .. }
            | Self::Reset { .. }
            | Self::Restart
            | Self::Slow { .. }
            | Self::WatchGap => backend != Backend::File,
            Self::Duplicate { .. }
            | Self::Stale { .. }
            | Self::Foreign(Foreign::Empty | Foreign::Overwrite) => backend == Backend::Lease,
            Self::QuorumLoss | Self::LeaderChange | Self::ExpireSession { .. } => {
                backend == Backend::Session
            }
            Self::DiskFull | Self::PowerLoss { .. } => backend == Backend::File,
            Self::Foreign(Foreign::Recreate) => backend != Backend::Session,
            _ => true,
        }
    }

    /// Whether whoever has several servers has it.
    fn is_of_servers(&self) -> bool {
        matches!(
            self,
            Self::ServerAway { .. } | Self::ServerHangs { .. } | Self::ServerLags { .. }
        )
    }

    /// Whether only API servers, kubelets and pods have it.
    fn is_of_kubernetes(&self) -> bool {
        matches!(
            self,
            Self::Fails { .. }
                | Self::FailsAfter { .. }
                | Self::RepliesDropped { .. }
                | Self::SlowStore { .. }
                | Self::NoWatchRight
                | Self::Compaction
                | Self::TokenExpired { .. }
                | Self::KubeletLate { .. }
                | Self::KubeletSilent { .. }
                | Self::NodeLost { .. }
        )
    }

    /// Its name, as plans have it.
    pub fn name(&self) -> String {
        match serde_json::to_value(self) {
            Ok(serde_json::Value::Object(fields)) => {
                let mut names = fields.keys().cloned();
                let name = names.next().unwrap_or_default();
                match fields.values().next() {
                    Some(serde_json::Value::String(detail)) => format!("{name} {detail}"),
                    _ => name,
                }
            }
            Ok(serde_json::Value::String(name)) => name,
            _ => String::new(),
        }
    }
}

impl fmt::Display for Fault {
    /// The name and what is set with it, such as `cut leader, direction both`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name())?;
        if let Some(who) = self.who() {
            match who {
                Who::Node(index) => write!(f, " n{index}")?,
                named => write!(f, " {named}")?,
            }
        }
        let Ok(serde_json::Value::Object(fault)) = serde_json::to_value(self) else {
            return Ok(());
        };
        let Some(serde_json::Value::Object(fields)) = fault.values().next() else {
            return Ok(());
        };
        for (field, value) in fields.iter().filter(|(field, _)| *field != "node") {
            match value {
                serde_json::Value::String(text) => write!(f, ", {field} {text}")?,
                value => write!(f, ", {field} {value}")?,
            }
        }
        Ok(())
    }
}

impl PlannedFault {
    /// The way to a field of it, which may be one of what it is.
    fn path(&self, index: usize, field: &str) -> Vec<Step> {
        let mut path = vec![Step::field("faults"), Step::Index(index)];
        if !matches!(field, "at" | "lasts" | "what") {
            let name = self.what.name();
            let kind = name.split(' ').next().unwrap_or_default();
            path.extend([Step::field("what"), Step::field(kind)]);
        }
        path.push(Step::field(field));
        path
    }

    fn place(&self, index: usize, field: &str) -> String {
        format!(
            "fault {} ({} at {}), {field}",
            index + 1,
            self.what.name(),
            self.at
        )
    }
}
