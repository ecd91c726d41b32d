//! Ensembles that ask their clients who they are: who may come in does, and nobody else.

#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests are no tests to the lint, and a failed one should fail its test"
)]

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use tenure_testkit::{Authority, Ensemble, Identity, Operator, Security, Settings};
use zookeeper_client::{Acls, Client, CreateMode, Error, SaslOptions};

const SESSION: Duration = Duration::from_secs(4);

/// What a server says to `ruok` through TLS.
fn asks(ensemble: &Ensemble, authority: &Path, identity: Option<&Identity>) -> String {
    let port = ensemble.way().to(1).port();
    let mut command = Command::new("openssl");
    command
        .args(["s_client", "-quiet", "-verify_return_error", "-CAfile"])
        .arg(authority)
        .args(["-connect", &format!("127.0.0.1:{port}")]);
    if let Some(identity) = identity {
        command.arg("-cert").arg(&identity.certificate);
        command.arg("-key").arg(&identity.key);
    }
    let mut client = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    // It may have been refused already.
    drop(client.stdin.as_mut().unwrap().write_all(b"ruok"));
    let output = client.wait_with_output().unwrap();
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn tls_lets_in_who_has_a_certificate_and_trusts_the_authority() {
    let ensemble = Settings::new(1).security(Security::Tls).start();
    let authority = ensemble.authority();
    let client = authority.sign("client");
    let trusted = authority.certificate();
    assert_eq!(asks(&ensemble, &trusted, Some(&client)), "imok");
    assert_eq!(asks(&ensemble, &trusted, None), "", "without a certificate");
    let folder = tempfile::tempdir().unwrap();
    let other = Authority::make(folder.path());
    let stranger = other.sign("client");
    assert_eq!(
        asks(&ensemble, &trusted, Some(&stranger)),
        "",
        "a stranger's"
    );
    let wrong = other.certificate();
    assert_eq!(
        asks(&ensemble, &wrong, Some(&client)),
        "",
        "another authority"
    );
    let operator = ensemble.operator();
    operator.make_path("/a").unwrap();
}

#[test]
fn sasl_lets_in_who_knows_a_password() {
    let users = vec![("ada".to_owned(), "right".to_owned())];
    let ensemble = Settings::new(1).security(Security::Sasl(users)).start();
    ensemble.operator().make_path("/a").unwrap();
    let by = |options: Option<SaslOptions>| {
        let connector = Client::connector().with_session_timeout(SESSION);
        let connector = match options {
            Some(options) => connector.with_sasl(options),
            None => connector,
        };
        Operator::by(connector.with_fail_eagerly(), &ensemble.connect_string())
    };
    let ada = by(Some(SaslOptions::digest_md5("ada", "right").into())).unwrap();
    ada.create("/a/mine", b"", CreateMode::Ephemeral).unwrap();
    assert!(by(Some(SaslOptions::digest_md5("ada", "wrong").into())).is_err());
    let nobody = by(None).and_then(|nobody| nobody.make_path("/b"));
    assert!(nobody.is_err(), "{nobody:?}");
}

#[test]
fn acls_of_digest_users_hold_and_the_operator_stands_above_them() {
    let ensemble = Ensemble::start(1);
    let by = |credentials: &[u8]| {
        let connector = Client::connector()
            .with_session_timeout(SESSION)
            .with_auth("digest", credentials);
        Operator::by(connector, &ensemble.connect_string()).unwrap()
    };
    let ada = by(b"ada:right");
    let client = ada.client().clone();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime
        .block_on(async move {
            let options = CreateMode::Persistent.with_acls(Acls::creator_all());
            client.create("/adas", b"secret", &options).await
        })
        .unwrap();
    assert_eq!(by(b"ada:wrong").read("/adas").unwrap_err(), Error::NoAuth);
    assert_eq!(by(b"ada:right").read("/adas").unwrap().0, b"secret");
    assert_eq!(ensemble.operator().read("/adas").unwrap().0, b"secret");
}
