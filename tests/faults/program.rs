use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use serde_json::Value;

static PROGRAM: OnceLock<PathBuf> = OnceLock::new();

/// The program `tenure`: what `TENURE_PROGRAM` names, or built now from this workspace.
pub(crate) fn program() -> &'static Path {
    PROGRAM.get_or_init(|| std::env::var_os("TENURE_PROGRAM").map_or_else(build, PathBuf::from))
}

/// Builds the program; cargo does nothing when it is up to date.
fn build() -> PathBuf {
    let mut command = Command::new(env!("CARGO"));
    command
        .args([
            "build",
            "--locked",
            "--package",
            "tenure-cli",
            "--bin",
            "tenure",
        ])
        .args(["--message-format", "json-render-diagnostics"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .stdin(Stdio::null())
        .stderr(Stdio::inherit());
    if !cfg!(debug_assertions) {
        command.arg("--release");
    }
    let output = command
        .output()
        .expect("cargo runs, since it runs this test");
    assert!(output.status.success(), "the program could not be built");
    String::from_utf8_lossy(&output.stdout)
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .find_map(|message| message["executable"].as_str().map(PathBuf::from))
        .expect("cargo says where the program is")
}
