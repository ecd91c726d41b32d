use std::fmt;

/// One run of the job: its token and the process that it began with.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct Run {
    pub(crate) token: u128,
    pub(crate) first_pid: i32,
}

/// What a line of the log tells.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Kind {
    /// A process of the run lives.
    Beat,
    /// The run ends by itself.
    End,
    /// A process of the run has seen a living process of another run.
    Overlap(Run),
    /// The run begins.
    Start,
}

/// One line of the log that all runs append to. A line is one write to a file opened for appending, so the order of lines is the order of writes,
/// whoever writes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Line {
    /// When it was written, in milliseconds since 1970.
    pub(crate) at_ms: i64,
    pub(crate) candidate: usize,
    /// The scheduled time, in seconds since 1970, of a fire.
    pub(crate) fire_s: Option<i64>,
    pub(crate) kind: Kind,
    pub(crate) pid: i32,
    pub(crate) run: Run,
}

impl fmt::Display for Run {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.token, self.first_pid)
    }
}

impl Run {
    /// Reads what [`fmt::Display`] wrote.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (token, first_pid) = text.split_once('.')?;
        Some(Self {
            token: token.parse().ok()?,
            first_pid: first_pid.parse().ok()?,
        })
    }
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            at_ms,
            candidate,
            pid,
            run,
            ..
        } = self;
        let fire = self
            .fire_s
            .map_or_else(|| "-".to_owned(), |fire| fire.to_string());
        let kind = match self.kind {
            Kind::Beat => "beat",
            Kind::End => "end",
            Kind::Overlap(_) => "overlap",
            Kind::Start => "start",
        };
        write!(f, "{kind} {run} {pid} {candidate} {fire} {at_ms}")?;
        match self.kind {
            Kind::Overlap(other) => write!(f, " {other}"),
            Kind::Beat | Kind::End | Kind::Start => Ok(()),
        }
    }
}

impl Line {
    /// Reads what [`fmt::Display`] wrote.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let mut words = text.split(' ');
        let kind = words.next()?;
        let run = Run::parse(words.next()?)?;
        let pid = words.next()?.parse().ok()?;
        let candidate = words.next()?.parse().ok()?;
        let fire_s = match words.next()? {
            "-" => None,
            seconds => Some(seconds.parse().ok()?),
        };
        let at_ms = words.next()?.parse().ok()?;
        let kind = match kind {
            "beat" => Kind::Beat,
            "end" => Kind::End,
            "overlap" => Kind::Overlap(Run::parse(words.next()?)?),
            "start" => Kind::Start,
            _ => return None,
        };
        Some(Self {
            at_ms,
            candidate,
            fire_s,
            kind,
            pid,
            run,
        })
    }
}

#[test]
fn a_line_is_read_as_it_was_written() {
    let run = Run {
        token: 17,
        first_pid: 4711,
    };
    let other = Run {
        token: 16,
        first_pid: 4700,
    };
    for kind in [Kind::Beat, Kind::End, Kind::Overlap(other), Kind::Start] {
        for fire_s in [None, Some(1_763_934_000)] {
            let line = Line {
                at_ms: 1_763_934_000_123,
                candidate: 3,
                fire_s,
                kind,
                pid: 4712,
                run,
            };
            assert_eq!(Line::parse(&line.to_string()), Some(line));
        }
    }
    assert_eq!(Line::parse("start 17.4711 4711 3 -"), None);
}
