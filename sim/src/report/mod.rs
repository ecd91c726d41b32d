//! A run, drawn: lanes of all nodes over true time, the lock's record, the faults and what was found. As a page of HTML that needs
//! nothing else, and as lines of text.

mod lanes;
mod page;
mod step;
mod story;
#[cfg(test)]
mod tests;
mod words;

use crate::Outcome;
use crate::figures::{Figures, Observer, human_ns};
use crate::invariants::Breach;
use crate::plan::Plan;
use crate::trace::Record;

pub use step::{Step, StepKind};

/// A run and what is said about it.
#[derive(Debug)]
pub struct Report<'a> {
    plan: &'a Plan,
    records: &'a [Record],
    breaches: &'a [Breach],
    heading: Heading,
    figures: Figures,
}

/// What stands above a report.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Heading {
    /// What it is a report of.
    pub title: String,
    /// What happens in it, in a sentence.
    pub sentence: String,
    /// Whose election it is, and how it was run.
    pub made_by: String,
    /// The command that makes this run again.
    pub command: String,
    /// What else there is to say, such as what is not claimed.
    pub remarks: Vec<String>,
}

impl<'a> Report<'a> {
    /// A report of a run whose records were all kept.
    pub fn new(plan: &'a Plan, outcome: &'a Outcome, heading: Heading) -> Self {
        Self::of(plan, &outcome.records, outcome.jury.breaches(), heading)
    }

    /// A report of these records.
    pub fn of(
        plan: &'a Plan,
        records: &'a [Record],
        breaches: &'a [Breach],
        heading: Heading,
    ) -> Self {
        let mut observer = Observer::new(plan);
        for record in records {
            observer.see(record);
        }
        Self {
            plan,
            records,
            breaches,
            heading,
            figures: observer.finish(),
        }
    }

    /// One self-contained page of HTML.
    pub fn html(&self) -> String {
        page::html(self)
    }

    /// The same as text: a heading, and one line for each transition.
    pub fn text(&self) -> String {
        let mut text = format!("{}\n{}\n", self.heading.title, self.heading.sentence);
        for line in self.summary() {
            text.push_str(&line);
            text.push('\n');
        }
        text.push_str(&format!(
            "\n{}\n{}\n",
            Step::LEGEND,
            Step::header(self.plan.nodes.len())
        ));
        for step in self.steps() {
            text.push_str(&format!("{step}\n"));
        }
        text
    }

    /// The transitions of the run, in their order.
    pub fn steps(&self) -> Vec<Step> {
        story::steps(self.plan, self.records, self.breaches)
    }

    /// What is to be said before all else, a line each.
    fn summary(&self) -> Vec<String> {
        let mut lines = vec![format!("{}, {}", self.setting(), self.heading.made_by)];
        lines.extend(self.heading.remarks.iter().cloned());
        lines.push(self.numbers());
        for breach in self.breaches {
            lines.push(format!(
                "VIOLATION {} at {}: {}",
                breach.invariant.name(),
                words::seconds(breach.at),
                breach.what
            ));
        }
        if !self.heading.command.is_empty() {
            lines.push(format!("again: {}", self.heading.command));
        }
        lines
    }

    fn setting(&self) -> String {
        let Plan {
            backend,
            nodes,
            timing,
            end,
            ..
        } = self.plan;
        let candidates = match nodes.len() {
            1 => "1 candidate".to_owned(),
            count => format!("{count} candidates"),
        };
        let backend = backend.name();
        format!(
            "{backend} lock, {candidates}, lease {}, {end} long",
            timing.lease
        )
    }

    fn numbers(&self) -> String {
        let figures = &self.figures;
        let leaderships = match figures.leaderships {
            1 => "1 leadership".to_owned(),
            count => format!("{count} leaderships"),
        };
        let mut parts = vec![leaderships];
        for (name, histogram) in [
            ("failover", &figures.failovers),
            ("planned handover", &figures.handovers),
        ] {
            if histogram.count() > 0 {
                let longest = crate::figures::human(histogram.most());
                parts.push(format!("{} × {name}, at most {longest}", histogram.count()));
            }
        }
        parts.push(format!("nobody worked for {}", human_ns(figures.vacant_ns)));
        if figures.overlap_ns > 0 {
            parts.push(format!("TWO worked for {}", human_ns(figures.overlap_ns)));
        }
        parts.push(format!("{} requests", figures.requests_total()));
        parts.join("; ")
    }
}
