//! The program `tenure-sim`.

#[expect(dead_code, reason = "commands come with their engines")]
mod cli;

use std::process::ExitCode;

fn main() -> ExitCode {
    cli::main()
}
