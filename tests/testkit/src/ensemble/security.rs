//! How clients have to prove who they are.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// What the servers ask of their clients.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Security {
    /// Nothing. A client may name users with digest authentication, to which ACLs refer.
    Open,
    /// TLS on ports of their own, with a certificate of the ensemble's [`Authority`].
    Tls,
    /// SASL's DIGEST-MD5, by one of these users with their passwords, before anything else is answered.
    Sasl(Vec<(String, String)>),
}

/// A private authority, and what it has signed, as files in PEM.
#[derive(Debug)]
pub struct Authority {
    directory: PathBuf,
}

/// Files of one side.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Identity {
    /// The certificate.
    pub certificate: PathBuf,
    /// Its key.
    pub key: PathBuf,
}

fn openssl(directory: &Path, arguments: &[&str]) {
    let output = Command::new("openssl")
        .args(arguments)
        .current_dir(directory)
        .stdin(Stdio::null())
        .output();
    let output = output.unwrap_or_else(|error| panic!("openssl is missing: {error}"));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "openssl {arguments:?}: {said}");
}

impl Authority {
    /// Makes one in `directory`, which it is kept in.
    ///
    /// # Panics
    /// When openssl does not.
    pub fn make(directory: &Path) -> Self {
        std::fs::create_dir_all(directory).unwrap();
        let request =
            "req -x509 -newkey rsa:2048 -nodes -days 2 -keyout authority.key -out authority.pem";
        let mut arguments: Vec<&str> = request.split(' ').collect();
        arguments.extend(["-subj", "/CN=an authority of tests"]);
        openssl(directory, &arguments);
        Self {
            directory: directory.to_owned(),
        }
    }

    /// The certificate that the other side has to trust.
    pub fn certificate(&self) -> PathBuf {
        self.directory.join("authority.pem")
    }

    /// A certificate for `name`, good for a server on the loopback interface and for a client.
    ///
    /// # Panics
    /// When openssl makes none.
    pub fn sign(&self, name: &str) -> Identity {
        let file = |ending: &str| format!("{name}.{ending}");
        let (key, request, certificate) = (file("key"), file("csr"), file("pem"));
        let extensions = file("cnf");
        let text =
            "subjectAltName=IP:127.0.0.1,DNS:localhost\nextendedKeyUsage=serverAuth,clientAuth\n";
        std::fs::write(self.directory.join(&extensions), text).unwrap();
        let subject = format!("/CN={name}");
        let asks = ["req", "-new", "-newkey", "rsa:2048", "-nodes"];
        let makes = ["-keyout", &key, "-out", &request, "-subj", &subject];
        openssl(&self.directory, &[&asks[..], &makes[..]].concat());
        let signs = "x509 -req -days 2 -CA authority.pem -CAkey authority.key -CAcreateserial -in";
        let mut arguments: Vec<&str> = signs.split(' ').collect();
        arguments.extend([&request, "-out", &certificate, "-extfile", &extensions]);
        openssl(&self.directory, &arguments);
        Identity {
            certificate: self.directory.join(certificate),
            key: self.directory.join(key),
        }
    }
}

/// What a server's configuration says for TLS beside the port.
fn tls_lines(authority: &Authority) -> [String; 6] {
    let server = authority.sign("server");
    // ZooKeeper wants both in one file.
    let both = authority.directory.join("server-and-key.pem");
    let read = |path: &Path| std::fs::read_to_string(path).unwrap();
    std::fs::write(&both, read(&server.key) + &read(&server.certificate)).unwrap();
    let factory = "org.apache.zookeeper.server.NettyServerCnxnFactory";
    [
        format!("serverCnxnFactory={factory}"),
        format!("ssl.keyStore.location={}", both.display()),
        "ssl.keyStore.type=PEM".to_owned(),
        format!(
            "ssl.trustStore.location={}",
            authority.certificate().display()
        ),
        "ssl.trustStore.type=PEM".to_owned(),
        "ssl.clientAuth=need".to_owned(),
    ]
}

/// What a server's configuration says for SASL.
const SASL_LINES: [&str; 3] = [
    "authProvider.1=org.apache.zookeeper.server.auth.SASLAuthenticationProvider",
    "enforce.auth.enabled=true",
    "enforce.auth.schemes=sasl",
];

/// The file of users for Java's login.
fn login(users: &[(String, String)]) -> String {
    let line = |(user, password): &(String, String)| format!("  user_{user}=\"{password}\"\n");
    let users: String = users.iter().map(line).collect();
    format!(
        "Server {{\n  org.apache.zookeeper.server.auth.DigestLoginModule required\n{users}  ;\n}};\n"
    )
}

/// What the servers have to be told.
pub(crate) struct Demands {
    pub(crate) arguments: Vec<String>,
    pub(crate) authority: Option<Authority>,
    pub(crate) lines: Vec<String>,
}

impl Demands {
    /// Makes what is needed for it in `directory`.
    pub(crate) fn of(security: &Security, directory: &Path) -> Self {
        let mut this = Self {
            arguments: Vec::new(),
            authority: None,
            lines: Vec::new(),
        };
        match security {
            Security::Open => {}
            Security::Tls => {
                let authority = Authority::make(&directory.join("authority"));
                this.lines.extend(tls_lines(&authority));
                this.authority = Some(authority);
            }
            Security::Sasl(users) => {
                let file = directory.join("users.conf");
                std::fs::write(&file, login(users)).unwrap();
                let property = "java.security.auth.login.config";
                this.arguments
                    .push(format!("-D{property}={}", file.display()));
                this.lines.extend(SASL_LINES.map(str::to_owned));
            }
        }
        this
    }
}
