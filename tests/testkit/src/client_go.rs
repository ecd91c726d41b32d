use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use crate::directory::built;

/// The candidate of client-go: built now, if it is not there yet.
fn program() -> &'static Path {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    PROGRAM.get_or_init(|| built(&["client-go"]).join("candidate"))
}

/// How a candidate of client-go takes part. What is left out is its default.
#[derive(Clone, Debug)]
pub struct ClientGo {
    arguments: Vec<String>,
}

impl ClientGo {
    /// In the election of the Lease `name`, called `identity`, by the way in that the kubeconfig file says.
    pub fn new(kubeconfig: &Path, namespace: &str, name: &str, identity: &str) -> Self {
        let mut this = Self {
            arguments: Vec::new(),
        };
        this.say("kubeconfig", kubeconfig.display());
        this.say("namespace", namespace);
        this.say("name", name);
        this.say("identity", identity);
        this
    }

    fn say(&mut self, flag: &str, value: impl std::fmt::Display) {
        self.arguments.push(format!("--{flag}={value}"));
    }

    /// Sets a flag of tests/client-go.
    #[must_use]
    pub fn with(mut self, flag: &str, value: impl std::fmt::Display) -> Self {
        self.say(flag, value);
        self
    }

    /// The command that starts it.
    pub fn command(&self) -> Command {
        let mut command = Command::new(program());
        command.args(&self.arguments);
        command
    }
}
