use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, OnceLock};

use rustix::process::Signal;

use crate::admin::Admin;
use crate::directory::{Directory, built};
use crate::namespace::Namespace;
use crate::ports::free_port;
use crate::process::Process;
use crate::wait::until;

pub(crate) const ADMIN_TOKEN: &str = "admin-of-the-tests";
const STARTS_MAX: usize = 5;

/// A store and an API server.
#[derive(Debug)]
pub struct TestCluster {
    api: ApiServer,
    etcd: Mutex<Process>,
    etcd_port: u16,
    namespaces: AtomicUsize,
    directory: Directory,
}

/// One API server.
#[derive(Debug)]
pub struct ApiServer {
    directory: PathBuf,
    etcd_port: u16,
    keys: PathBuf,
    port: u16,
    process: Mutex<Process>,
}

/// Where the servers' programs are.
fn programs() -> &'static Path {
    static PROGRAMS: OnceLock<PathBuf> = OnceLock::new();
    PROGRAMS.get_or_init(|| built(&[]))
}

/// A key pair for the tokens of service accounts.
fn make_keys(directory: &Path) {
    for arguments in [
        "genrsa -out sa.key 2048",
        "rsa -in sa.key -pubout -out sa.pub",
    ] {
        let output = Command::new("openssl")
            .args(arguments.split(' '))
            .current_dir(directory)
            .stdin(Stdio::null())
            .output();
        let output = output.unwrap_or_else(|error| panic!("openssl is missing: {error}"));
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "openssl {arguments}: {said}");
    }
    let admin = format!("{ADMIN_TOKEN},admin,1,\"system:masters\"\n");
    std::fs::write(directory.join("tokens.csv"), admin).unwrap();
}

fn start_etcd(directory: &Path, port: u16) -> Process {
    let url = format!("http://127.0.0.1:{port}");
    let arguments = [
        "--data-dir=data".to_owned(),
        format!("--listen-client-urls={url}"),
        format!("--advertise-client-urls={url}"),
        format!("--listen-peer-urls=http://127.0.0.1:{}", free_port()),
        "--unsafe-no-fsync".to_owned(),
        "--log-level=warn".to_owned(),
    ];
    Process::start(&programs().join("etcd"), &arguments, directory, "etcd")
}

impl TestCluster {
    /// Starts a store and an API server, and waits until they are ready: some seconds, and some minutes where they have to be built.
    ///
    /// # Panics
    /// When they do not start, with what they said.
    pub fn start() -> Self {
        let directory = Directory::make();
        make_keys(directory.path.as_path());
        // A port that was free may have been taken since.
        for _ in 0..STARTS_MAX {
            let etcd_port = free_port();
            let mut etcd = start_etcd(directory.path.as_path(), etcd_port);
            if let Some(api) = ApiServer::start(directory.path.as_path(), etcd_port, "api") {
                return Self {
                    api,
                    etcd: Mutex::new(etcd),
                    etcd_port,
                    namespaces: AtomicUsize::new(0),
                    directory,
                };
            }
            eprintln!("another start: {:?}", etcd.ended());
        }
        panic!("no API server could be started: see above")
    }

    /// The cluster that all tests of this process share, each in a namespace of its own.
    pub fn shared() -> &'static Self {
        static SHARED: OnceLock<TestCluster> = OnceLock::new();
        SHARED.get_or_init(Self::start)
    }

    /// The API server.
    pub fn api(&self) -> &ApiServer {
        &self.api
    }

    /// Starts another API server on the same store.
    ///
    /// # Panics
    /// When it does not start.
    pub fn another_api(&self) -> ApiServer {
        let name = format!("api-{}", free_port());
        let started = ApiServer::start(self.directory.path.as_path(), self.etcd_port, &name);
        started.unwrap_or_else(|| panic!("{name} could not be started"))
    }

    /// A namespace that nobody has used.
    pub fn namespace(&self) -> Namespace<'_> {
        let number = self.namespaces.fetch_add(1, Ordering::Relaxed);
        Namespace::make(self, format!("test-{}-{number}", std::process::id()))
    }

    /// Whoever may do everything.
    pub fn admin(&self) -> Admin {
        self.api.admin()
    }

    /// Stops the store, so that it answers nothing, until [`thaw_etcd`](Self::thaw_etcd).
    pub fn freeze_etcd(&self) {
        self.etcd.lock().unwrap().signal(Signal::STOP);
    }

    /// Lets the store go on.
    pub fn thaw_etcd(&self) {
        self.etcd.lock().unwrap().signal(Signal::CONT);
    }

    /// The directory of everything that belongs to it.
    pub fn directory(&self) -> &Path {
        self.directory.path.as_path()
    }

    /// The processes of store and API server.
    pub fn process_ids(&self) -> [u32; 2] {
        let etcd = self.etcd.lock().unwrap().id();
        [etcd, self.api.process.lock().unwrap().id()]
    }
}

impl ApiServer {
    fn start(keys: &Path, etcd_port: u16, name: &str) -> Option<Self> {
        let directory = keys.join(name);
        std::fs::create_dir_all(&directory).unwrap();
        let port = free_port();
        let process = Self::spawn(&directory, keys, etcd_port, port);
        let server = Self {
            directory,
            etcd_port,
            keys: keys.to_owned(),
            port,
            process: Mutex::new(process),
        };
        server.wait_until_ready().then_some(server)
    }

    fn spawn(directory: &Path, keys: &Path, etcd_port: u16, port: u16) -> Process {
        let keys = keys.display();
        let arguments = [
            format!("--etcd-servers=http://127.0.0.1:{etcd_port}"),
            format!("--secure-port={port}"),
            "--bind-address=127.0.0.1".to_owned(),
            "--cert-dir=certs".to_owned(),
            "--service-account-issuer=https://kubernetes.default.svc".to_owned(),
            format!("--service-account-key-file={keys}/sa.pub"),
            format!("--service-account-signing-key-file={keys}/sa.key"),
            "--authorization-mode=RBAC".to_owned(),
            format!("--token-auth-file={keys}/tokens.csv"),
            "--service-cluster-ip-range=10.0.0.0/24".to_owned(),
            "--disable-admission-plugins=ServiceAccount".to_owned(),
            "--endpoint-reconciler-type=none".to_owned(),
            // Rights that were changed count at once.
            "--authorization-webhook-cache-authorized-ttl=0s".to_owned(),
        ];
        Process::start(
            &programs().join("kube-apiserver"),
            &arguments,
            directory,
            "kube-apiserver",
        )
    }

    /// Whether it became ready; it may have ended instead.
    fn wait_until_ready(&self) -> bool {
        until("an API server that is ready", || {
            if let Some(said) = self.process.lock().unwrap().ended() {
                eprintln!("{said}");
                return Some(false);
            }
            let ready = self.certificate().exists() && self.admin().is_ready();
            ready.then_some(true)
        })
    }

    /// The certificate that it has made itself, which clients trust.
    pub fn certificate(&self) -> PathBuf {
        self.directory.join("certs/apiserver.crt")
    }

    /// Its port on the loopback interface.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Whoever may do everything, by way of this server.
    pub fn admin(&self) -> Admin {
        Admin::new(self.port, &self.certificate())
    }

    /// Kills it and starts it again, on the same port and store.
    ///
    /// # Panics
    /// When it does not start again.
    pub fn restart(&self) {
        self.kill();
        self.start_again();
    }

    /// Kills it.
    pub fn kill(&self) {
        let mut process = self.process.lock().unwrap();
        process.signal(Signal::KILL);
        until("the API server's end", || process.ended());
    }

    /// Starts it again after a [`kill`](Self::kill).
    ///
    /// # Panics
    /// When it does not start again.
    pub fn start_again(&self) {
        *self.process.lock().unwrap() =
            Self::spawn(&self.directory, &self.keys, self.etcd_port, self.port);
        assert!(self.wait_until_ready(), "the API server did not come again");
    }

    /// Stops it, so that it answers nothing, until [`thaw`](Self::thaw).
    pub fn freeze(&self) {
        self.process.lock().unwrap().signal(Signal::STOP);
    }

    /// Lets it go on.
    pub fn thaw(&self) {
        self.process.lock().unwrap().signal(Signal::CONT);
    }
}
