//! The program `tenure`.

use std::process::ExitCode;

fn main() -> ExitCode {
    if let Some(status) = tenure_cli::guard::run_if_guard() {
        return status;
    }
    ExitCode::SUCCESS
}
