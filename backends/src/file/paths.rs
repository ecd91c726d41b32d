//! Which files belong to an election, and which names would collide.

use std::path::{Path, PathBuf};

use tenure_core::{CandidateId, ElectionName, NameError};

/// What we put behind an election's name, and what Camel does (`.dat`).
const SUFFIXES: [&str; 8] = [
    ".dat",
    ".members",
    ".new",
    ".released",
    ".request",
    ".tenure",
    ".token",
    ".token2",
];

/// What a file that is being written is called until it is complete.
const NEW: &str = ".new";

/// The files of one election.
#[derive(Clone, Debug)]
pub(crate) struct Paths {
    root: PathBuf,
    election: ElectionName,
}

/// What a name in a root's directory is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Entry<'a> {
    Lock(&'a str),
    Record(&'a str),
    Request(&'a str),
}

impl Paths {
    /// The files of `election` under `root`.
    ///
    /// # Errors
    /// When one of them could be mistaken for a file of another election.
    pub(crate) fn new(root: &Path, election: ElectionName) -> Result<Self, NameError> {
        let name = election.as_str();
        let refuse = |problem: String| Err(NameError::new("election name", name, problem));
        if name.starts_with('.') {
            return refuse(
                "begins with a dot: leave the dot out, so that the lock is not hidden".into(),
            );
        }
        if let Some(suffix) = SUFFIXES.into_iter().find(|suffix| name.ends_with(suffix)) {
            let shorter = name.trim_end_matches(suffix);
            return refuse(format!(
                "ends in {suffix}, as a file beside the lock {shorter:?} does: choose another ending"
            ));
        }
        Ok(Self {
            root: root.to_owned(),
            election,
        })
    }

    pub(crate) fn election(&self) -> &ElectionName {
        &self.election
    }

    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// The lock file: always empty, never deleted, and exactly Camel's.
    pub(crate) fn lock(&self) -> PathBuf {
        self.root.join(self.election.as_str())
    }

    /// Camel's own record, where Camel takes part.
    pub(crate) fn camel(&self) -> PathBuf {
        self.beside(".dat")
    }

    pub(crate) fn record(&self) -> PathBuf {
        self.beside(".tenure")
    }

    pub(crate) fn token(&self) -> PathBuf {
        self.beside(".token")
    }

    /// Where a candidate writes the token that the first one follows, before it is made the token's file.
    pub(crate) fn start_of(&self, candidate: &CandidateId) -> PathBuf {
        self.beside(&format!(".token.{}", candidate.incarnation))
    }

    /// The second copy of the token where the file system keeps no extended attributes.
    pub(crate) fn second_token(&self) -> PathBuf {
        self.beside(".token2")
    }

    pub(crate) fn released(&self) -> PathBuf {
        self.beside(".released")
    }

    pub(crate) fn request(&self) -> PathBuf {
        self.beside(".request")
    }

    pub(crate) fn members(&self) -> PathBuf {
        self.beside(".members")
    }

    pub(crate) fn member(&self, candidate: &CandidateId) -> PathBuf {
        self.members().join(candidate.to_string())
    }

    fn beside(&self, suffix: &str) -> PathBuf {
        self.root.join(format!("{}{suffix}", self.election))
    }
}

/// Where the content of `path` is written before it takes its place.
pub(crate) fn new_of(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(NEW);
    PathBuf::from(name)
}

/// Whether `name` is that of a file under construction.
pub(crate) fn is_new(name: &str) -> bool {
    name.ends_with(NEW)
}

/// What `name` in a root's directory is, if a change of it can matter to a candidate.
pub(crate) fn entry_of(name: &str) -> Option<Entry<'_>> {
    match SUFFIXES
        .into_iter()
        .find_map(|s| Some((s, name.strip_suffix(s)?)))
    {
        None => Some(Entry::Lock(name)),
        Some((".tenure", election)) => Some(Entry::Record(election)),
        Some((".request", election)) => Some(Entry::Request(election)),
        Some(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_could_be_mistaken_for_another_elections_file_is_refused() {
        for (name, says) in [
            (".hidden", "begins with a dot"),
            ("nightly.dat", "ends in .dat"),
            ("nightly.tenure", "the lock \"nightly\""),
            ("nightly.token2", "ends in .token2"),
            ("nightly.new", "choose another ending"),
        ] {
            let election = ElectionName::new(name).unwrap();
            let error = Paths::new(Path::new("/r"), election)
                .unwrap_err()
                .to_string();
            assert!(error.contains(says), "{error}");
        }
        let election = ElectionName::new("nightly.d").unwrap();
        let paths = Paths::new(Path::new("/r"), election).unwrap();
        assert_eq!(paths.lock(), Path::new("/r/nightly.d"));
    }

    #[test]
    fn a_heartbeat_a_token_or_a_file_under_construction_is_nobodys_change() {
        assert_eq!(entry_of("a"), Some(Entry::Lock("a")));
        assert_eq!(entry_of("a.tenure"), Some(Entry::Record("a")));
        assert_eq!(entry_of("a.request"), Some(Entry::Request("a")));
        for name in ["a.token", "a.token2", "a.tenure.new", "a.released", "a.dat"] {
            assert_eq!(entry_of(name), None, "{name}");
        }
    }
}
