//! The program `tenure`.

use std::process::ExitCode;

fn main() -> ExitCode {
    // Before anything else: this process may be a guard, which must not spend its time on what a program does.
    tenure_cli::guard::run_if_guard().unwrap_or_else(tenure_cli::main)
}
