//! What can be said of an image without building it.

use std::path::Path;

fn text(path: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path);
    std::fs::read_to_string(path).unwrap()
}

/// The rest of the one line that begins so.
fn rest<'a>(text: &'a str, start: &str) -> &'a str {
    let mut found = text.lines().filter_map(|line| line.strip_prefix(start));
    let rest = found
        .next()
        .unwrap_or_else(|| panic!("no line begins with {start}"));
    assert_eq!(found.next(), None, "two lines begin with {start}");
    rest
}

#[test]
fn the_image_is_built_with_the_oldest_rust_that_is_supported() {
    let manifest = text("Cargo.toml");
    let version = rest(&manifest, "rust-version = \"")
        .split('"')
        .next()
        .unwrap();
    let image = text("deploy/Dockerfile");
    assert_eq!(
        rest(&image, "FROM rust:"),
        format!("{version}-slim-bookworm AS build")
    );
}

#[test]
fn the_image_has_the_program_that_it_builds_and_the_name_that_the_manifests_use() {
    let image = text("deploy/Dockerfile");
    let built = rest(&image, "RUN cargo build ");
    assert_eq!(
        built,
        "--locked --release --package tenure-cli --bin tenure"
    );
    assert_eq!(
        rest(&image, "COPY --from=build "),
        "/build/target/release/tenure /usr/local/bin/tenure"
    );
    assert_eq!(rest(&image, "ENTRYPOINT "), "[\"tenure\"]");
    let name = concat!("tenure:", env!("CARGO_PKG_VERSION"));
    assert!(image.contains(&format!("--tag {name} ")));
    let deployment = text("deploy/kubernetes/base/deployment.yaml");
    assert_eq!(rest(&deployment, "          image: "), name);
    let user = rest(&deployment, "        runAsUser: ");
    assert_eq!(rest(&image, "USER "), format!("{user}:{user}"));
}
