//! The demo's picture: a lane for each candidate over time, and the last things that happened below.

use std::collections::VecDeque;
use std::fmt::Write as _;
use std::io::{self, Write};
use std::time::Duration;

use super::cast::Condition;

/// How much time a column stands for.
pub(super) const COLUMN: Duration = Duration::from_millis(250);
const COLUMNS_MIN: usize = 20;
const EVENTS_SHOWN: usize = 8;
const NAME_WIDTH: usize = 8;

/// What a column of a lane shows. The later ones matter more.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Mark {
    Gone,
    Follows,
    Leads,
    Fires,
    Stopped,
    Asked,
    Continued,
    Killed,
}

impl Mark {
    fn glyph(self) -> &'static str {
        match self {
            Self::Gone => " ",
            Self::Follows => "\x1b[2m·\x1b[0m",
            Self::Leads => "\x1b[32m━\x1b[0m",
            Self::Fires => "\x1b[1;32m●\x1b[0m",
            Self::Stopped => "\x1b[33m‖\x1b[0m",
            Self::Asked => "\x1b[1;36m↓\x1b[0m",
            Self::Continued => "\x1b[1;33m▶\x1b[0m",
            Self::Killed => "\x1b[1;31m✗\x1b[0m",
        }
    }

    pub(super) fn of(condition: Condition, leads: bool) -> Self {
        match condition {
            Condition::Gone => Self::Gone,
            Condition::Stopped => Self::Stopped,
            Condition::Running if leads => Self::Leads,
            Condition::Running => Self::Follows,
        }
    }
}

/// Where the demo shows what happens.
#[derive(Debug)]
pub(super) enum View {
    /// Lines, for a pipe.
    Plain,
    /// A picture that is drawn over itself.
    Live(Picture),
}

#[derive(Debug)]
pub(super) struct Picture {
    events: VecDeque<String>,
    lanes: Vec<(String, VecDeque<Mark>)>,
    /// How many lines the last drawing had.
    lines: usize,
    width: usize,
}

impl View {
    pub(super) fn live(names: &[String]) -> Self {
        let lanes = names
            .iter()
            .map(|name| (name.clone(), VecDeque::new()))
            .collect();
        Self::Live(Picture {
            events: VecDeque::new(),
            lanes,
            lines: 0,
            width: width(),
        })
    }

    /// Tells something that happened.
    pub(super) fn tell(&mut self, at: Duration, what: &str) -> io::Result<()> {
        let line = format!("{:>6.2} s  {what}", at.as_secs_f64());
        match self {
            Self::Plain => crate::output::print(line),
            Self::Live(picture) => {
                picture.events.push_back(line);
                if picture.events.len() > EVENTS_SHOWN {
                    picture.events.pop_front();
                }
                Ok(())
            }
        }
    }

    /// Puts a mark on a candidate's present column, unless one that matters more is there.
    pub(super) fn mark(&mut self, candidate: &str, mark: Mark) {
        let Self::Live(picture) = self else { return };
        for (name, marks) in &mut picture.lanes {
            if name == candidate
                && let Some(last) = marks.back_mut()
            {
                *last = mark.max(*last);
            }
        }
    }

    /// Begins a new column.
    pub(super) fn advance(&mut self) {
        let Self::Live(picture) = self else { return };
        let columns = picture
            .width
            .saturating_sub(NAME_WIDTH + 4)
            .max(COLUMNS_MIN);
        for (_, marks) in &mut picture.lanes {
            marks.push_back(Mark::Gone);
            if marks.len() > columns {
                marks.pop_front();
            }
        }
    }

    /// Draws the picture over the last one.
    pub(super) fn draw(&mut self) -> io::Result<()> {
        let Self::Live(picture) = self else {
            return Ok(());
        };
        let frame = picture.frame();
        let mut out = io::stdout().lock();
        if picture.lines > 0 {
            write!(out, "\x1b[{}A", picture.lines)?;
        }
        picture.lines = frame.len();
        for line in frame {
            // Clears what the last drawing had to the right.
            writeln!(out, "{line}\x1b[K")?;
        }
        out.flush()
    }
}

impl Picture {
    fn frame(&self) -> Vec<String> {
        let mut frame = vec![
            "five processes, one lock, a job every second".to_owned(),
            legend(),
            String::new(),
        ];
        for (name, marks) in &self.lanes {
            let mut line = format!("  {name:<NAME_WIDTH$}");
            for mark in marks {
                let _ = write!(line, "{}", mark.glyph());
            }
            frame.push(line);
        }
        frame.push(String::new());
        for index in 0..EVENTS_SHOWN {
            let event = self.events.get(index).map_or("", String::as_str);
            frame.push(event.chars().take(self.width.saturating_sub(1)).collect());
        }
        frame
    }
}

fn legend() -> String {
    let marks = [
        (Mark::Leads, "leads"),
        (Mark::Fires, "runs the job"),
        (Mark::Follows, "waits"),
        (Mark::Killed, "killed"),
        (Mark::Stopped, "stopped"),
        (Mark::Continued, "continued"),
        (Mark::Asked, "asked to leave"),
    ];
    marks
        .map(|(mark, word)| format!("{} {word}", mark.glyph()))
        .join("   ")
}

fn width() -> usize {
    rustix::termios::tcgetwinsize(rustix::stdio::stdout()).map_or(80, |size| size.ws_col.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_column_shows_what_matters_most() {
        let mut view = View::live(&["pod-1".to_owned()]);
        view.advance();
        for mark in [Mark::Leads, Mark::Killed, Mark::Fires, Mark::Gone] {
            view.mark("pod-1", mark);
        }
        let View::Live(picture) = &view else {
            panic!("a live view is live")
        };
        assert_eq!(picture.lanes[0].1, [Mark::Killed]);
    }

    #[test]
    fn a_frame_always_has_the_same_number_of_lines() {
        let mut view = View::live(&["pod-1".to_owned(), "pod-2".to_owned()]);
        let View::Live(picture) = &view else {
            panic!("a live view is live")
        };
        let before = picture.frame().len();
        for second in 0..20 {
            view.advance();
            view.tell(Duration::from_secs(second), "something").unwrap();
        }
        let View::Live(picture) = &view else {
            panic!("a live view is live")
        };
        assert_eq!(picture.frame().len(), before);
    }
}
