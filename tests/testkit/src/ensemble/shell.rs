//! ZooKeeper's own client, as operators use it.

use std::io::Write as _;
use std::process::{Command, Stdio};

use crate::ensemble::Server;
use crate::ensemble::settings::classes;

/// What it says beside its answers.
const NOISE: &[&str] = &[
    "Connecting to ",
    "JLine support is ",
    "WATCHER::",
    "WatchedEvent ",
    "Welcome to ZooKeeper!",
];

impl Server {
    /// What ZooKeeper's own client answers to these lines, such as `ls /`, when it is connected to this server alone.
    ///
    /// # Panics
    /// When it does not start.
    pub fn shell(&self, lines: &[String]) -> Vec<String> {
        let mut shell = Command::new("java");
        shell
            .args(["-Xmx64m", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC"])
            .args(["-Dorg.slf4j.simpleLogger.defaultLogLevel=warn", "-cp"])
            .args([&classes(), "org.apache.zookeeper.ZooKeeperMain", "-server"])
            .arg(format!("127.0.0.1:{}", self.port()))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        let mut shell = shell.spawn().unwrap();
        let mut input = shell.stdin.take().unwrap();
        for line in lines.iter().map(String::as_str).chain(["quit"]) {
            writeln!(input, "{line}").unwrap();
        }
        drop(input);
        let output = shell.wait_with_output().unwrap();
        let is_answer =
            |line: &&str| !line.is_empty() && !NOISE.iter().any(|noise| line.starts_with(noise));
        let said = String::from_utf8(output.stdout).unwrap();
        said.lines().filter(is_answer).map(str::to_owned).collect()
    }

    /// The children of a node, as ZooKeeper's own client lists them.
    ///
    /// # Panics
    /// When there is no such node.
    pub fn shell_children(&self, path: &str) -> Vec<String> {
        let said = self.shell(&[format!("ls {path}")]);
        let list = said
            .iter()
            .find_map(|line| line.strip_prefix('[')?.strip_suffix(']'));
        let list = list.unwrap_or_else(|| panic!("{path}: {said:?}"));
        let names = list.split(", ").filter(|name| !name.is_empty());
        names.map(str::to_owned).collect()
    }
}
