use std::path::Path;
use std::sync::OnceLock;
use std::time::Duration;

use crate::directory::built;
use crate::ensemble::{Ensemble, Security};

/// Where Debian's package `zookeeper` has its classes. The first names in its manifest the rest of what it needs, but not all of it.
const DEBIANS: &[&str] = &[
    "/usr/share/java/zookeeper.jar",
    "/usr/share/java/netty-codec.jar",
    "/usr/share/java/netty-resolver.jar",
    "/usr/share/java/slf4j-simple.jar",
];

/// A class path to use instead of Debian's.
const CLASSES: &str = "TENURE_ZOOKEEPER_CLASSPATH";

/// What an ensemble is like.
#[derive(Clone, Debug)]
pub struct Settings {
    pub(crate) count: usize,
    pub(crate) init_limit: u32,
    pub(crate) lines: Vec<String>,
    pub(crate) memory_mb: u32,
    pub(crate) properties: Vec<(String, String)>,
    pub(crate) security: Security,
    pub(crate) sync_limit: u32,
    pub(crate) tick_ms: u128,
}

impl Settings {
    /// Of `count` servers, 1 or 3 or more: ticks of half a second, 5 of them until a server that hears nothing of the others gives up.
    pub fn new(count: usize) -> Self {
        Self {
            count,
            init_limit: 10,
            lines: Vec::new(),
            memory_mb: 128,
            properties: Vec::new(),
            security: Security::Open,
            sync_limit: 5,
            tick_ms: 500,
        }
    }

    /// `tickTime`. Session timeouts are from 2 to 20 of them, unless said otherwise.
    #[must_use]
    pub fn tick_time(mut self, tick_time: Duration) -> Self {
        self.tick_ms = tick_time.as_millis();
        self
    }

    /// `initLimit`, in ticks: how long a server may take to join.
    #[must_use]
    pub fn init_limit(mut self, ticks: u32) -> Self {
        self.init_limit = ticks;
        self
    }

    /// `syncLimit`, in ticks: how long a server that is cut off from the others goes on answering its clients.
    #[must_use]
    pub fn sync_limit(mut self, ticks: u32) -> Self {
        self.sync_limit = ticks;
        self
    }

    /// `minSessionTimeout`.
    #[must_use]
    pub fn min_session_timeout(self, timeout: Duration) -> Self {
        self.line(format!("minSessionTimeout={}", timeout.as_millis()))
    }

    /// `maxSessionTimeout`.
    #[must_use]
    pub fn max_session_timeout(self, timeout: Duration) -> Self {
        self.line(format!("maxSessionTimeout={}", timeout.as_millis()))
    }

    /// A line more in each server's configuration.
    #[must_use]
    pub fn line(mut self, line: impl Into<String>) -> Self {
        self.lines.push(line.into());
        self
    }

    /// A system property of each server's JVM.
    #[must_use]
    pub fn property(mut self, name: &str, value: impl std::fmt::Display) -> Self {
        self.properties.push((name.to_owned(), value.to_string()));
        self
    }

    /// What the servers ask of their clients.
    #[must_use]
    pub fn security(mut self, security: Security) -> Self {
        self.security = security;
        self
    }

    /// How large a server's heap may grow.
    #[must_use]
    pub fn memory_mb(mut self, megabytes: u32) -> Self {
        self.memory_mb = megabytes;
        self
    }

    /// Starts the servers, and waits until all of them serve.
    ///
    /// # Panics
    /// When they do not start, with what they said.
    pub fn start(self) -> Ensemble {
        Ensemble::with(self)
    }

    /// What `java` is told.
    pub(crate) fn arguments(&self) -> Vec<String> {
        let mut arguments = vec![
            format!("-Xmx{}m", self.memory_mb),
            // A server that lives for a minute is not worth compiling well.
            "-XX:TieredStopAtLevel=1".to_owned(),
            "-XX:+UseSerialGC".to_owned(),
            "-Xshare:auto".to_owned(),
            format!("-XX:SharedArchiveFile={}", archive()),
        ];
        let ours = [
            // Who has missed the others' votes asks for them again soon; else the pause grows to a minute.
            ("zookeeper.fastleader.maxNotificationInterval", "200"),
            ("zookeeper.leaderConnectDelayDuringRetryMs", "20"),
            // The same user for all of them: super, with the password "super".
            (
                "zookeeper.DigestAuthenticationProvider.superDigest",
                "super:gG7s8t3oDEtIqF6DM9LlI/R+9Ss=",
            ),
            ("org.slf4j.simpleLogger.defaultLogLevel", "warn"),
            ("org.slf4j.simpleLogger.showDateTime", "true"),
        ];
        let ours = ours.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let property = |(name, value): &(String, String)| format!("-D{name}={value}");
        arguments.extend(ours.iter().chain(&self.properties).map(property));
        let main = "org.apache.zookeeper.server.quorum.QuorumPeerMain";
        arguments.extend(["-cp", &classes(), main, "./zoo.cfg"].map(str::to_owned));
        arguments
    }
}

/// The class path of servers and of ZooKeeper's own client.
pub(crate) fn classes() -> String {
    if let Ok(classes) = std::env::var(CLASSES) {
        return classes;
    }
    for place in DEBIANS {
        assert!(
            Path::new(place).exists(),
            "{place} is missing: tools/prepare tests installs Debian's package zookeeper; elsewhere say the class path of a server in {CLASSES}"
        );
    }
    DEBIANS.join(":")
}

/// Where the archive of classes is, which makes starts faster. A JVM that cannot use it starts without.
fn archive() -> &'static str {
    static ARCHIVE: OnceLock<String> = OnceLock::new();
    ARCHIVE.get_or_init(|| {
        let directory = built(&["zookeeper", &classes()]);
        format!("{}/classes.jsa", directory.display())
    })
}
