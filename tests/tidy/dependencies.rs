use std::process::Command;

use serde_json::Value;

use super::{expect_none, root, texts};

/// What `cargo` says for `arguments`, at the project's root.
fn cargo(arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO"))
        .args(arguments)
        .current_dir(root())
        .output()
        .expect("cargo runs, since it runs this test");
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "cargo {arguments:?}: {complaint}");
    String::from_utf8(output.stdout).expect("cargo writes UTF-8")
}

fn packages() -> Vec<Value> {
    let metadata = cargo(&[
        "metadata",
        "--format-version",
        "1",
        "--locked",
        "--all-features",
    ]);
    let metadata: Value = serde_json::from_str(&metadata).expect("cargo writes JSON");
    metadata["packages"]
        .as_array()
        .expect("a list of packages")
        .clone()
}

fn text<'a>(package: &'a Value, field: &str) -> &'a str {
    package[field].as_str().unwrap_or_default()
}

/// A version such as `1.89` as numbers that can be compared: the same as `1.89.0`.
fn numbers(version: &str) -> [u32; 3] {
    let mut parts = version.split('.');
    [(); 3].map(|()| {
        parts
            .next()
            .map_or(0, |part| part.parse().unwrap_or(u32::MAX))
    })
}

#[test]
fn no_dependency_needs_a_newer_rust_than_we_say() {
    let packages = packages();
    let ours = packages
        .iter()
        .find(|package| text(package, "name") == "tenure")
        .expect("the root package is there");
    let ours = text(ours, "rust_version");
    let complaints = packages
        .iter()
        .filter(|package| numbers(text(package, "rust_version")) > numbers(ours))
        .filter(|package| !text(package, "rust_version").is_empty())
        .map(|package| {
            format!(
                "{} needs Rust {}",
                text(package, "name"),
                text(package, "rust_version")
            )
        })
        .collect();
    expect_none(complaints);
}

#[test]
fn the_core_depends_on_nothing_that_does_input_or_output() {
    let tree = |features: &[&str]| {
        let common = [
            "tree",
            "--locked",
            "--package",
            "tenure-core",
            "--edges",
            "normal",
        ];
        let format = ["--prefix", "none", "--format", "{lib}"];
        cargo(&[&common[..], &format[..], features].concat())
    };
    let mut complaints = Vec::new();
    for (features, banned) in [
        (
            &["--no-default-features"][..],
            &[
                "tokio",
                "mio",
                "libc",
                "getrandom",
                "nix",
                "rustix",
                "rand",
                "jiff",
            ][..],
        ),
        (
            &["--all-features"][..],
            &["tokio", "mio", "libc", "getrandom", "nix", "rustix", "rand"][..],
        ),
    ] {
        let found = tree(features);
        let bad = found.lines().filter(|name| banned.contains(name));
        complaints
            .extend(bad.map(|name| format!("tenure-core with {features:?} depends on {name}")));
    }
    expect_none(complaints);
}

#[test]
fn every_package_takes_the_common_lints_and_version() {
    let texts = texts();
    let manifests = texts
        .iter()
        .filter(|text| text.path.ends_with("Cargo.toml"));
    let mut complaints = Vec::new();
    for manifest in manifests {
        for line in [
            "[lints]\nworkspace = true",
            "version.workspace = true",
            "rust-version.workspace = true",
        ] {
            if !manifest.content.contains(line) {
                complaints.push(format!("{}: misses {line:?}", manifest.path.display()));
            }
        }
    }
    expect_none(complaints);
}
