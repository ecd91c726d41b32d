//! Servers that want to know who asks.

use std::process::Command;

use tenure_testkit::{Ensemble, Security, Settings};

use crate::common::place::Candidate;
use crate::common::program::Program;
use crate::scene::{ELECTION, Place};

/// An election on servers of its own, and what the program has to be told about them.
struct Secured {
    ensemble: Ensemble,
    /// Whose files are used.
    place: Place,
    options: Vec<String>,
}

impl Secured {
    fn new(security: Security) -> Self {
        Self {
            ensemble: Settings::new(1).security(security).start(),
            place: Place::new(),
            options: Vec::new(),
        }
    }

    fn url(&self) -> String {
        let servers = self.ensemble.connect_string();
        format!("zookeeper://{servers}/base/{ELECTION}")
    }

    /// The one line that somebody is told who looks with these options instead.
    fn refuses(&self, options: &[&str]) -> String {
        let url = self.url();
        let options = [&["--lock", &url], options].concat();
        let (status, told) = self.place.fail("status", &options);
        assert_eq!(status, 69, "{told}");
        assert_eq!(told.lines().count(), 1, "{told}");
        told
    }

    fn leads_and_hands_over(&self) {
        let job = ["--session-timeout", "10s", "--", "sleep", "600"];
        let start = |name| {
            let mut tenure = self.tenure("run");
            let log = std::fs::File::create(self.place.folder().join(name)).unwrap();
            tenure.args(["--candidate", name]).args(job).stderr(log);
            Candidate::of(&mut tenure)
        };
        let _first = start("pod-0");
        self.wait_for_leader("pod-0");
        let _second = start("pod-1");
        self.succeed("resign");
        self.wait_for_leader("pod-1");
    }
}

impl Program for Secured {
    fn tenure(&self, command: &str) -> Command {
        let mut tenure = self.place.tenure(command);
        tenure.args(["--lock", &self.url()]).args(&self.options);
        tenure
    }
}

fn words(options: &[&str]) -> Vec<String> {
    options.iter().map(|word| (*word).to_owned()).collect()
}

#[test]
fn users_are_known_by_sasl_where_it_is_enforced_and_nobody_else_is_answered() {
    let users = vec![("jobs".to_owned(), "right".to_owned())];
    let mut secured = Secured::new(Security::Sasl(users));
    let [right, wrong] = ["right", "wrong"].map(|word| secured.place.password(word));
    let by = |file| {
        [
            "--zookeeper-user",
            "jobs",
            "--zookeeper-sasl",
            "--zookeeper-password-file",
            file,
        ]
    };
    secured.options = words(&by(&right));
    secured.leads_and_hands_over();
    for options in [&by(&wrong)[..], &[]] {
        let told = secured.refuses(options);
        let says = "the servers refuse this client's credentials: look at user and password, and at what the servers ask for (SASL, a client certificate)";
        assert!(told.contains(says), "{told}");
    }
}

#[test]
fn servers_and_candidates_know_each_other_by_certificates() {
    let mut secured = Secured::new(Security::Tls);
    let authority = secured.ensemble.authority();
    let own = authority.sign("client");
    let [ca, certificate, key] = [&authority.certificate(), &own.certificate, &own.key]
        .map(|path| path.to_str().unwrap().to_owned());
    let ca = ["--zookeeper-ca-file", &ca];
    let own = [
        "--zookeeper-cert-file",
        &certificate,
        "--zookeeper-key-file",
        &key,
    ];
    secured.options = words(&[&ca[..], &own].concat());
    secured.leads_and_hands_over();
    let told = secured.refuses(&ca);
    let says = "name a client certificate, with its key, that its authority has signed";
    assert!(told.contains(says), "{told}");
    let told = secured.refuses(&[]);
    let says = "it expects TLS: name the certificate authority of its certificate";
    assert!(told.contains(says), "{told}");
}
