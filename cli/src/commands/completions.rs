use std::io::Write;

use clap::CommandFactory;
use clap_complete::Shell;

use crate::exit::{Exit, Failure};
use crate::options::Options;

pub(super) fn completions(shell: Shell) -> Result<u8, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Options::command(), "tenure", &mut script);
    std::io::stdout().write_all(&script)?;
    Ok(Exit::Success.status())
}
