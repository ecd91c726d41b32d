//! The program `tenure-sim`.

mod arguments;
#[expect(dead_code, reason = "commands come with their engines")]
mod cli;
mod smoke_command;

use std::process::ExitCode;

fn main() -> ExitCode {
    if std::env::args().nth(1).as_deref() == Some("smoke") {
        return smoke_command::main();
    }
    cli::main()
}
