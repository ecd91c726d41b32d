use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use rustix::process::Signal;

use crate::ensemble::words::{self, Connection, Mode};
use crate::process::Process;
use crate::wait::until;

/// The real ports of a server.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ports {
    pub(crate) client: u16,
    pub(crate) quorum: u16,
    pub(crate) election: u16,
    /// For clients with TLS.
    pub(crate) secure: u16,
}

/// One server of an ensemble.
#[derive(Debug)]
pub struct Server {
    arguments: Vec<String>,
    directory: PathBuf,
    number: usize,
    ports: Ports,
    process: Mutex<Process>,
}

impl Server {
    /// Starts it, with what it is to be in `directory`.
    pub(crate) fn start(
        number: usize,
        directory: PathBuf,
        ports: Ports,
        arguments: &[String],
    ) -> Self {
        let process = Self::spawn(&directory, arguments);
        Self {
            arguments: arguments.to_vec(),
            directory,
            number,
            ports,
            process: Mutex::new(process),
        }
    }

    fn spawn(directory: &Path, arguments: &[String]) -> Process {
        Process::start(Path::new("java"), arguments, directory, "zookeeper")
    }

    /// Its number, from 1 on.
    pub fn number(&self) -> usize {
        self.number
    }

    /// Its own port for clients without TLS, which no proxy is before.
    pub fn port(&self) -> u16 {
        self.ports.client
    }

    /// Its own port for clients with TLS, where it has them.
    pub fn secure_port(&self) -> u16 {
        self.ports.secure
    }

    /// Where its data, configuration and log are.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// Its process.
    pub fn process_id(&self) -> u32 {
        self.process.lock().unwrap().id()
    }

    /// What it answers to a word of four letters; none if it does not answer.
    pub fn ask(&self, word: &str) -> Option<String> {
        words::ask(self.ports.client, word)
    }

    /// What it is in its ensemble; none if it serves nobody.
    pub fn mode(&self) -> Option<Mode> {
        words::mode(&self.ask("srvr")?)
    }

    /// What it tells of itself by `mntr`, such as `zk_packets_received`; nothing if it does not answer.
    pub fn figures(&self) -> BTreeMap<String, String> {
        let answer = self.ask("mntr").unwrap_or_default();
        let lines = answer.lines().filter_map(|line| line.split_once('\t'));
        let owned = lines.map(|(name, value)| (name.to_owned(), value.trim().to_owned()));
        owned.collect()
    }

    /// One of these figures that is a count.
    ///
    /// # Panics
    /// When it does not tell it.
    pub fn count(&self, name: &str) -> u64 {
        let figures = self.figures();
        let Some(value) = figures.get(name) else {
            panic!("server {} does not tell {name}: {figures:?}", self.number)
        };
        // Some are written with a fraction.
        value.split('.').next().unwrap().parse().unwrap()
    }

    /// Its connections that have a session.
    pub fn connections(&self) -> Vec<Connection> {
        words::connections(&self.ask("cons").unwrap_or_default())
    }

    /// What went wrong, if it has ended by itself.
    pub(crate) fn ended(&self) -> Option<String> {
        self.process.lock().unwrap().ended()
    }

    /// Kills it, and waits until it is gone.
    pub fn kill(&self) {
        let mut process = self.process.lock().unwrap();
        process.signal(Signal::KILL);
        until("a server's end", || process.ended());
    }

    /// Starts it again after a [`kill`](Self::kill), with the data that it has. Does not wait until it serves.
    pub fn start_again(&self) {
        *self.process.lock().unwrap() = Self::spawn(&self.directory, &self.arguments);
    }

    /// Kills it and starts it again. Does not wait until it serves.
    pub fn restart(&self) {
        self.kill();
        self.start_again();
    }

    /// Stops it, so that it answers nothing, until [`thaw`](Self::thaw).
    pub fn freeze(&self) {
        self.process.lock().unwrap().signal(Signal::STOP);
    }

    /// Lets it go on.
    pub fn thaw(&self) {
        self.process.lock().unwrap().signal(Signal::CONT);
    }

    /// Waits until it serves.
    ///
    /// # Panics
    /// When it does not, with what it said.
    pub fn wait_until_serving(&self) {
        until("a server that serves", || {
            assert_eq!(self.ended(), None, "server {} ended", self.number);
            self.mode().map(drop)
        });
    }
}
