//! Servers that want to know who asks, and clients that want to know the servers.

use std::path::Path;
use std::time::Duration;

use tenure_backends::zookeeper::simulated::{Ending, Failed, Mode, Session, State};
use tenure_backends::zookeeper::{self, Acl, Credentials, EnsembleBuilder, SecretSource};
use tenure_testkit::{Ensemble, Settings, until};

use crate::certificates::Certificates;
use crate::client::wait;

const SESSION: Duration = Duration::from_secs(4);
const PASSWORD: &str = "open sesame";

fn builder(connect_string: &str) -> EnsembleBuilder {
    zookeeper::Ensemble::builder().connect_string(connect_string)
}

async fn connect(builder: EnsembleBuilder) -> Result<std::sync::Arc<dyn Session>, Failed> {
    builder.real_servers().unwrap().connect(SESSION).await
}

async fn refused(builder: EnsembleBuilder) -> String {
    match connect(builder).await {
        Err(Failed::Unreachable(says)) => says,
        other => panic!("no session was to be had, and this came: {other:?}"),
    }
}

/// Lets the session lose its connection, and find it again.
async fn lose_and_find(ensemble: &Ensemble, session: &dyn Session) {
    ensemble.way().to(1).cut();
    let lost = session.state_after(State::Connected).await;
    assert_eq!(lost, State::Disconnected);
    ensemble.way().heal();
    let found = session.state_after(State::Disconnected).await;
    assert_eq!(found, State::Connected);
}

fn password(directory: &Path, password: &str) -> SecretSource {
    let path = directory.join(password);
    std::fs::write(&path, format!("{password}\n")).unwrap();
    SecretSource::file(path)
}

#[test]
fn nodes_of_who_is_known_are_his_and_a_wrong_password_shows_as_a_missing_right() {
    let ensemble = Ensemble::start(1);
    let directory = tempfile::tempdir().unwrap();
    let as_user = |text: &str| {
        let password = password(directory.path(), text);
        builder(&ensemble.connect_string()).credentials(Credentials::digest("tenure", password))
    };
    wait(async {
        let owner = connect(as_user(PASSWORD)).await.unwrap();
        owner.create("/mine", b"", Mode::Persistent).await.unwrap();
        let step = zookeeper::simulated::Step::Create {
            path: "/mine/too".to_owned(),
            data: Vec::new(),
            mode: Mode::Persistent,
        };
        owner.multi(vec![step]).await.unwrap();
        owner.set("/mine", b"1", None).await.unwrap();
        for other in [
            connect(as_user("wrong")).await.unwrap(),
            connect(builder(&ensemble.connect_string())).await.unwrap(),
        ] {
            assert_eq!(other.set("/mine", b"", None).await, Err(Failed::NoRights));
            assert_eq!(other.get("/mine").await, Err(Failed::NoRights));
            assert_eq!(other.get("/mine/too").await, Err(Failed::NoRights));
            let below = other.create("/mine/x", b"", Mode::Ephemeral).await;
            assert_eq!(below, Err(Failed::NoRights));
        }
        let again = connect(as_user(PASSWORD)).await.unwrap();
        assert_eq!(again.get("/mine").await.unwrap().0, b"1");
    });
}

#[test]
fn who_is_known_stays_known_over_a_lost_connection() {
    let ensemble = Ensemble::start(1);
    let directory = tempfile::tempdir().unwrap();
    let secret = password(directory.path(), PASSWORD);
    let builder =
        builder(&ensemble.connect_string()).credentials(Credentials::digest("tenure", secret));
    wait(async {
        let owner = connect(builder).await.unwrap();
        owner.create("/mine", b"", Mode::Persistent).await.unwrap();
        lose_and_find(&ensemble, &*owner).await;
        owner.set("/mine", b"1", None).await.unwrap();
    });
}

#[test]
fn an_acl_that_is_given_is_that_of_each_node() {
    let ensemble = Ensemble::start(1);
    let acl: Acl = "world:anyone:cr".parse().unwrap();
    let none: Acl = "x509:CN=nobody:cdrwa,digest:tenure:nothing:r"
        .parse()
        .unwrap();
    wait(async {
        let session = connect(builder(&ensemble.connect_string()).acl(acl)).await;
        let session = session.unwrap();
        session.create("/a", b"", Mode::Container).await.unwrap();
        assert_eq!(session.set("/a", b"", None).await, Err(Failed::NoRights));
        session.create("/a/b", b"", Mode::Ephemeral).await.unwrap();
        let session = connect(builder(&ensemble.connect_string()).acl(none)).await;
        let made = session.unwrap().create("/c", b"", Mode::Persistent).await;
        assert!(matches!(made, Err(Failed::Other(says)) if says.contains("ACL")));
    });
}

fn free_port() -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}

/// A server with a port for TLS, and that port.
fn secure(certificates: &Certificates, client_auth: &str) -> (Ensemble, u16) {
    let port = free_port();
    let server = certificates.path("server.both.pem");
    let authority = certificates.path("ca.pem");
    let ensemble = Settings::new(1)
        .line(format!("secureClientPort={port}"))
        .line("secureClientPortAddress=127.0.0.1")
        .line("serverCnxnFactory=org.apache.zookeeper.server.NettyServerCnxnFactory")
        .line(format!("ssl.keyStore.location={}", server.display()))
        .line("ssl.keyStore.type=PEM")
        .line(format!("ssl.trustStore.location={}", authority.display()))
        .line("ssl.trustStore.type=PEM")
        .line(format!("ssl.clientAuth={client_auth}"))
        .start();
    // It comes after the one without TLS.
    until("the port for TLS", || {
        std::net::TcpStream::connect(("127.0.0.1", port)).ok()
    });
    (ensemble, port)
}

#[test]
fn servers_and_clients_know_each_other_by_certificates() {
    let certificates = Certificates::new();
    certificates.sign("server", "DNS:localhost,IP:127.0.0.1");
    certificates.sign("client", "DNS:client");
    let strangers = Certificates::new();
    strangers.sign("client", "DNS:client");
    let (ensemble, port) = secure(&certificates, "need");
    let at = |host: &str| {
        let text = format!("{host}:{port}");
        builder(&text).certificate_authority(certificates.path("ca.pem"))
    };
    let own = |of: &Certificates| (of.path("client.pem"), of.path("client.key"));
    wait(async {
        for host in ["127.0.0.1", "localhost"] {
            let (pem, key) = own(&certificates);
            let session = connect(at(host).client_certificate(pem, key))
                .await
                .unwrap();
            // The nodes are the certificate's.
            let path = format!("/{host}");
            session.create(&path, b"", Mode::Persistent).await.unwrap();
            session.set(&path, b"1", None).await.unwrap();
            let other = connect(builder(&ensemble.connect_string())).await.unwrap();
            assert_eq!(other.get(&path).await, Err(Failed::NoRights));
        }
        let says = refused(at("localhost")).await;
        assert!(says.contains("name a client certificate"), "{says}");
        let (pem, key) = own(&strangers);
        let says = refused(at("localhost").client_certificate(pem, key)).await;
        assert!(says.contains("name a client certificate"), "{says}");
        let plain = format!("localhost:{port}");
        let says = refused(builder(&plain)).await;
        assert!(says.contains("it expects TLS"), "{says}");
    });
}

#[test]
fn a_server_that_cannot_be_trusted_is_told_from_one_without_tls() {
    let certificates = Certificates::new();
    certificates.sign("server", "DNS:elsewhere");
    let strangers = Certificates::new();
    let (ensemble, port) = secure(&certificates, "none");
    let at = |port: u16, authorities: &Certificates| {
        let text = format!("localhost:{port}");
        builder(&text).certificate_authority(authorities.directory().join("ca.pem"))
    };
    wait(async {
        let says = refused(at(port, &strangers)).await;
        assert!(says.contains("not signed by an authority in"), "{says}");
        let says = refused(at(port, &certificates)).await;
        assert!(says.contains("for another host"), "{says}");
        let says = refused(at(ensemble.server(1).port(), &certificates)).await;
        assert!(says.contains("is this the port for TLS"), "{says}");
    });
}

/// A server that asks for SASL, and lets nobody in without it if `enforced`.
fn with_sasl(directory: &Path, enforced: bool) -> Ensemble {
    let logins = directory.join("jaas.conf");
    let text = format!(
        "Server {{ org.apache.zookeeper.server.auth.DigestLoginModule required user_tenure=\"{PASSWORD}\"; }};\n"
    );
    std::fs::write(&logins, text).unwrap();
    let mut settings = Settings::new(1)
        .line("authProvider.sasl=org.apache.zookeeper.server.auth.SASLAuthenticationProvider")
        .property("java.security.auth.login.config", logins.display());
    if enforced {
        settings = settings.property("zookeeper.sessionRequireClientSASLAuth", true);
    }
    settings.start()
}

#[test]
fn users_that_the_servers_know_are_known_by_sasl() {
    let directory = tempfile::tempdir().unwrap();
    let ensemble = with_sasl(directory.path(), false);
    let secret = |text: &str| password(directory.path(), text);
    wait(async {
        let plain = || builder(&ensemble.connect_string());
        let known = Credentials::sasl_digest_md5("tenure", secret(PASSWORD));
        let session = connect(plain().credentials(known)).await.unwrap();
        session
            .create("/mine", b"", Mode::Persistent)
            .await
            .unwrap();
        let stranger = connect(plain()).await.unwrap();
        assert_eq!(stranger.get("/mine").await, Err(Failed::NoRights));
        for user in ["tenure", "nobody"] {
            let wrong = Credentials::sasl_digest_md5(user, secret("wrong"));
            let refused = connect(plain().credentials(wrong)).await;
            assert_eq!(refused.unwrap_err(), Failed::Ended(Ending::Refused));
        }
    });
}

#[test]
fn a_watch_outlives_the_connection_of_a_user_known_by_sasl() {
    let directory = tempfile::tempdir().unwrap();
    let ensemble = with_sasl(directory.path(), false);
    let known = Credentials::sasl_digest_md5("tenure", password(directory.path(), PASSWORD));
    let known = builder(&ensemble.connect_string()).credentials(known);
    wait(async {
        let session = connect(known.clone()).await.unwrap();
        session
            .create("/mine", b"", Mode::Persistent)
            .await
            .unwrap();
        let (_, _, changes) = session.get_and_watch("/mine").await.unwrap();
        lose_and_find(&ensemble, &*session).await;
        let other = connect(known).await.unwrap();
        other.set("/mine", b"1", None).await.unwrap();
        changes.await;
        session.set("/mine", b"2", None).await.unwrap();
    });
}

#[test]
fn who_is_not_known_is_refused_where_sasl_is_enforced() {
    let directory = tempfile::tempdir().unwrap();
    let ensemble = with_sasl(directory.path(), true);
    let known = Credentials::sasl_digest_md5("tenure", password(directory.path(), PASSWORD));
    wait(async {
        let plain = || builder(&ensemble.connect_string());
        let session = connect(plain().credentials(known)).await.unwrap();
        session
            .create("/mine", b"", Mode::Persistent)
            .await
            .unwrap();
        let refused = connect(plain()).await;
        assert_eq!(refused.unwrap_err(), Failed::Ended(Ending::Refused));
    });
}
