use std::ffi::OsStr;
use std::fmt;
use std::marker::PhantomData;
use std::str::FromStr;

use clap::builder::TypedValueParser;
use clap::error::ErrorKind;

/// Reads a value that may have a secret in it: what is wrong with one is told without the value, where clap's own parsers repeat it.
pub(super) struct Confidential<T>(PhantomData<fn() -> T>);

impl<T> Confidential<T> {
    pub(super) const fn new() -> Self {
        Self(PhantomData)
    }
}

impl<T> Clone for Confidential<T> {
    fn clone(&self) -> Self {
        Self::new()
    }
}

impl<T> TypedValueParser for Confidential<T>
where
    T: Clone + FromStr<Err: fmt::Display> + Send + Sync + 'static,
{
    type Value = T;

    fn parse_ref(
        &self,
        command: &clap::Command,
        argument: Option<&clap::Arg>,
        value: &OsStr,
    ) -> Result<T, clap::Error> {
        let text = value.to_str().ok_or_else(|| "it is not UTF-8".to_owned());
        let parsed = text.and_then(|text| text.parse().map_err(|error: T::Err| error.to_string()));
        parsed.map_err(|problem| {
            let option = argument.and_then(clap::Arg::get_long).unwrap_or_default();
            let problem = format!("--{option}: {problem}\n");
            clap::Error::raw(ErrorKind::ValueValidation, problem).with_cmd(command)
        })
    }
}

#[cfg(test)]
mod tests {
    use clap::{CommandFactory, Parser};

    use super::super::Options;

    const LOCK: &str = "zookeeper://zk/nightly";

    fn refused(line: &[&str]) -> String {
        Options::try_parse_from(line).unwrap_err().to_string()
    }

    #[test]
    fn what_may_have_a_secret_in_it_is_refused_without_being_printed() {
        for (options, says) in [
            (
                [
                    "--lock",
                    "zookeeper://jobs:secret@zk1/base/nightly",
                    "--zookeeper-acl",
                    "auth::r",
                ],
                "--lock: credentials do not belong in a URL",
            ),
            (
                ["--lock", LOCK, "--zookeeper-acl", "digest:jobs:secret"],
                "--zookeeper-acl: ",
            ),
            (
                ["--lock", LOCK, "--zookeeper-acl", "digest:jobs:secret:x"],
                "none of `cdrwa`",
            ),
            (
                ["--lock", LOCK, "--zookeeper-acl", "secret"],
                "scheme:id:permissions",
            ),
        ] {
            let text = refused(&[&["tenure", "status"], &options[..]].concat());
            assert!(text.contains(says), "{text}");
            assert!(!text.contains("secret"), "{text}");
        }
    }

    #[test]
    fn what_the_environment_has_of_it_is_not_shown_in_the_help() {
        for command in Options::command().get_subcommands() {
            for option in command.get_arguments() {
                if matches!(option.get_long(), Some("lock" | "zookeeper-acl")) {
                    assert!(option.is_hide_env_values_set(), "{option}");
                }
            }
        }
    }
}
