use std::ops::Range;

use tenure_sim::smoke::{Sabotage, StoreKind};

pub(crate) const USAGE: &str = "\
usage: tenure-sim smoke [--seeds FROM..TO] [--backend leased|session] [--sabotage NAME] [--trace LINES]

  --seeds     which seeds to run, without the last; 0..1000 unless given
  --backend   leased: a record that followers age; session: a process's lock and a server's session; both unless given
  --sabotage  plant a mistake that the oracle has to find, such as blind-put
  --trace     how many lines of what happened to print for each violation";

/// Which locks are contended for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Backend {
    All,
    Leased,
    Session,
}

impl Backend {
    pub(crate) fn stores(self) -> &'static [StoreKind] {
        match self {
            Self::All => &[StoreKind::Leased, StoreKind::Process, StoreKind::Session],
            Self::Leased => &[StoreKind::Leased],
            Self::Session => &[StoreKind::Process, StoreKind::Session],
        }
    }
}

/// What the command line asks for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Arguments {
    pub(crate) backend: Backend,
    pub(crate) sabotage: Option<Sabotage>,
    pub(crate) seeds: Range<u64>,
    pub(crate) trace: usize,
}

impl Arguments {
    pub(crate) fn parse(words: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut words = words;
        match words.next().as_deref() {
            Some("smoke") => {}
            Some(other) => return Err(format!("there is no command {other:?}")),
            None => return Err("no command was given".to_owned()),
        }
        let mut arguments = Self {
            backend: Backend::All,
            sabotage: None,
            seeds: 0..1000,
            trace: 0,
        };
        while let Some(option) = words.next() {
            let value = words
                .next()
                .ok_or_else(|| format!("{option} needs a value"))?;
            arguments.set(&option, &value)?;
        }
        Ok(arguments)
    }

    fn set(&mut self, option: &str, value: &str) -> Result<(), String> {
        let wrong = || format!("{option} cannot be {value:?}");
        match option {
            "--backend" => {
                self.backend = match value {
                    "leased" => Backend::Leased,
                    "session" => Backend::Session,
                    _ => return Err(wrong()),
                };
            }
            "--sabotage" => self.sabotage = Some(Sabotage::named(value).ok_or_else(wrong)?),
            "--seeds" => self.seeds = range(value).ok_or_else(wrong)?,
            "--trace" => self.trace = value.parse().map_err(|_| wrong())?,
            _ => return Err(format!("there is no option {option:?}")),
        }
        Ok(())
    }
}

fn range(text: &str) -> Option<Range<u64>> {
    let (from, to) = text.split_once("..")?;
    Some(from.parse().ok()?..to.parse().ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Arguments, String> {
        Arguments::parse(line.split_whitespace().map(str::to_owned))
    }

    #[test]
    fn a_command_line_says_what_to_run() {
        let line = "smoke --seeds 3..9 --backend leased --sabotage blind-put --trace 20";
        let expected = Arguments {
            backend: Backend::Leased,
            sabotage: Some(Sabotage::BlindPut),
            seeds: 3..9,
            trace: 20,
        };
        assert_eq!(parse(line), Ok(expected));
    }

    #[test]
    fn what_cannot_be_understood_is_named() {
        for (line, says) in [
            ("", "no command"),
            ("run", "\"run\""),
            ("smoke --seeds 9", "\"9\""),
            ("smoke --trace", "needs a value"),
            ("smoke --sabotage nothing", "\"nothing\""),
        ] {
            let problem = parse(line).unwrap_err();
            assert!(problem.contains(says), "{problem}");
        }
    }
}
