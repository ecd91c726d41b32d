//! Mechanical checks of the whole repository: what reviewers should not have to look for.

mod changelog;
mod dependencies;
mod files;
mod links;

use std::path::{Path, PathBuf};

/// A text file of the project, with its path from the project's root.
struct Text {
    content: String,
    path: PathBuf,
}

impl Text {
    fn has_extension(&self, extension: &str) -> bool {
        self.path
            .extension()
            .is_some_and(|found| found == extension)
    }
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// All text files of the project, without what building leaves.
fn texts() -> Vec<Text> {
    let mut texts = Vec::new();
    let mut folders = vec![root().to_path_buf()];
    while let Some(folder) = folders.pop() {
        let entries = std::fs::read_dir(&folder).expect("a folder of the project can be read");
        for entry in entries {
            let path = entry.expect("an entry can be read").path();
            let name = path.file_name().and_then(|name| name.to_str());
            match name {
                Some("target" | ".git" | "proptest-regressions") => {}
                _ if path.is_dir() => folders.push(path),
                _ => texts.extend(text(&path)),
            }
        }
    }
    texts.sort_by(|one, other| one.path.cmp(&other.path));
    assert!(texts.len() > 30, "the walk must have found the project");
    texts
}

/// The file at `path`, unless it is not text.
fn text(path: &Path) -> Option<Text> {
    let content = std::fs::read_to_string(path).ok()?;
    let path = path
        .strip_prefix(root())
        .expect("the walk began at the root");
    Some(Text {
        content,
        path: path.to_path_buf(),
    })
}

/// Fails with all of `complaints` at once, so that one run shows all there is to mend.
fn expect_none(complaints: Vec<String>) {
    assert!(complaints.is_empty(), "\n{}\n", complaints.join("\n"));
}
