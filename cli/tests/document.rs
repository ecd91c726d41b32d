//! The examples of the program's document work as they stand.

use std::path::Path;
use std::process::{Command, Stdio};

/// Where the document's locks are; a folder for the test stands in for it.
const DOCUMENTED: &str = "file:///var/lib/tenure/";

/// The commands of all `console` blocks, in order.
fn commands(document: &str) -> Vec<String> {
    let mut inside = false;
    let mut commands = Vec::new();
    for line in document.lines() {
        if let Some(kind) = line.strip_prefix("```") {
            inside = kind == "console";
        } else if inside && let Some(command) = line.strip_prefix("$ ") {
            commands.push(command.to_owned());
        }
    }
    commands
}

#[test]
fn every_command_in_the_document_works() {
    let document = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/program.md");
    let document = std::fs::read_to_string(document).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let locks = format!("file://{}/", folder.path().display());
    let program = Path::new(env!("CARGO_BIN_EXE_tenure")).parent().unwrap();
    let path = format!("{}:{}", program.display(), std::env::var("PATH").unwrap());
    let commands = commands(&document);
    assert!(commands.len() > 10, "the examples were found");
    for command in commands {
        let output = Command::new("sh")
            .args(["-c", &command.replace(DOCUMENTED, &locks)])
            .env("PATH", &path)
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let told = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{command}\n{told}");
    }
}

#[test]
fn every_option_is_in_the_document() {
    let document = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/program.md");
    let document = std::fs::read_to_string(document).unwrap();
    for command in [
        "run",
        "cron",
        "status",
        "watch",
        "resign",
        "init",
        "guarantees",
    ] {
        let help = Command::new(env!("CARGO_BIN_EXE_tenure"))
            .args([command, "--help"])
            .output()
            .unwrap();
        let help = String::from_utf8(help.stdout).unwrap();
        let options = help
            .lines()
            .filter_map(|line| line.trim_start().strip_prefix("--"))
            .filter_map(|line| line.split_ascii_whitespace().next())
            // A line of an explanation may begin with another option's name.
            .map(|option| option.trim_end_matches([',', '.', ':', ';']));
        for option in options {
            let known = option == "help" || document.contains(&format!("`--{option}"));
            assert!(known, "--{option} of {command} is not in docs/program.md");
        }
    }
}
