//! The program on some lock, and what it says.

use std::process::{Command, Output, Stdio};
use std::sync::mpsc::{RecvTimeoutError, channel};

use rustix::process::Signal;
use serde_json::Value;

use super::{PATIENCE, send, wait_until};

/// Where the program finds the lock of one election.
pub(crate) trait Program {
    /// The program with this command, on this election.
    fn tenure(&self, command: &str) -> Command;

    /// What a command prints that ends by itself. One that does not is ended.
    fn output(&self, command: &str, options: &[&str]) -> Output {
        let mut tenure = self.tenure(command);
        tenure.stdout(Stdio::piped()).stderr(Stdio::piped());
        let child = tenure.args(options).spawn().unwrap();
        let pid = child.id().try_into().unwrap();
        let (ended, end) = channel::<()>();
        std::thread::spawn(move || {
            if end.recv_timeout(PATIENCE) == Err(RecvTimeoutError::Timeout) {
                send(pid, Signal::KILL);
            }
        });
        let output = child.wait_with_output().unwrap();
        drop(ended);
        output
    }

    fn succeed(&self, command: &str) {
        let output = self.output(command, &[]);
        let told = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{command}: {told}");
    }

    /// What a command that has to fail says, behind its status.
    fn fail(&self, command: &str, options: &[&str]) -> (i32, String) {
        let output = self.output(command, options);
        assert!(!output.status.success(), "{command} {options:?} succeeded");
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        (output.status.code().unwrap(), told)
    }

    /// What a command prints as JSON.
    fn json(&self, command: &str, options: &[&str]) -> Value {
        let output = self.output(command, &[&["--json"], options].concat());
        let told = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{command} {options:?}: {told}");
        serde_json::from_slice(&output.stdout).unwrap()
    }

    fn status(&self) -> Value {
        self.status_with(&[])
    }

    fn status_with(&self, options: &[&str]) -> Value {
        self.json("status", options)
    }

    fn wait_for_leader(&self, name: &str) {
        wait_until(&format!("{name} to lead"), || {
            self.status()["leader"]["name"] == name
        });
    }
}
