//! What an ensemble may be opened with, and what it says of what it may not.

use std::time::Duration;

use super::{Acl, Credentials, EnsembleBuilder, SecretSource};

fn builder() -> EnsembleBuilder {
    EnsembleBuilder::new().connect_string("zk1,zk2:2182")
}

fn refusal(builder: &EnsembleBuilder) -> String {
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    let runtime = runtime.unwrap();
    let _inside = runtime.enter();
    let failure = match builder.settings() {
        Err(failure) => failure,
        Ok(_) => builder.servers_by_client().unwrap_err(),
    };
    failure.into_error("open").to_string()
}

#[test]
fn nothing_but_servers_has_to_be_said() {
    let settings = builder().settings().unwrap();
    assert_eq!(settings.base, "/tenure");
    assert_eq!(settings.session_timeout, Duration::from_secs(15));
    assert_eq!(settings.connection_timeout, Duration::from_secs(15));
    assert_eq!(settings.max_close_wait, Duration::from_secs(1));
    assert_eq!(settings.jitter, Duration::from_millis(100));
    assert_eq!(settings.clock_drift_ppm, 100_000);
    assert_eq!(settings.tick_time, None);
    assert_eq!(settings.url, "zookeeper://zk1:2181,zk2:2182/tenure");
}

#[test]
fn the_base_is_below_chroot_and_namespace_as_curator_has_it() {
    for (servers, namespace, path, base) in [
        ("zk", None, "/", ""),
        ("zk/chroot", None, "/", "/chroot"),
        (
            "zk/chroot",
            Some("app"),
            "/camel/cluster",
            "/chroot/app/camel/cluster",
        ),
        ("zk", Some("a/b"), "/c", "/a/b/c"),
        (
            "zk/chroot",
            Some("zookeeper"),
            "/zookeeper",
            "/chroot/zookeeper/zookeeper",
        ),
    ] {
        let mut builder = EnsembleBuilder::new()
            .connect_string(servers)
            .base_path(path);
        if let Some(namespace) = namespace {
            builder = builder.namespace(namespace);
        }
        assert_eq!(builder.settings().unwrap().base, base);
    }
}

#[test]
fn what_cannot_be_used_says_what_to_change() {
    let second = Duration::from_secs(1);
    for (builder, says) in [
        (EnsembleBuilder::new(), "give connect_string"),
        (builder().connect_string("zk:x"), "write `host:2181`"),
        (builder().servers(["zk/a", "zk2"]), "behind that one"),
        (builder().servers(["zk", "zk:2181"]), "name each once"),
        (builder().base_path(""), "`/` for none"),
        (builder().base_path("a"), "begin it with `/`"),
        (builder().base_path("/a/"), "leave that out"),
        (builder().base_path("/zookeeper/a"), "ZooKeeper's own"),
        (builder().namespace(""), "leave it out"),
        (builder().namespace("/a"), "leave that out"),
        (builder().namespace("zookeeper"), "ZooKeeper's own"),
        (builder().namespace("a//b"), "write one `/`"),
        (
            builder().session_timeout(Duration::ZERO),
            "lengthen session_timeout",
        ),
        (builder().session_timeout(second * 3_000_000), "shorten it"),
        (
            builder().connection_timeout(Duration::ZERO),
            "lengthen connection_timeout",
        ),
        (builder().clock_drift_ppm(1_000_000), "lower it"),
        (builder().tick_time(Duration::ZERO), "servers' tickTime"),
        (
            builder().client_certificate("/cert", "/key"),
            "set certificate_authority too",
        ),
        (
            builder().certificate_authority("/no/such/file"),
            "/no/such/file",
        ),
        (
            builder().credentials(Credentials::digest(
                "u",
                SecretSource::file("/no/such/file"),
            )),
            "/no/such/file",
        ),
        (
            builder().acl(Acl::creator_all()),
            "set credentials or client_certificate",
        ),
    ] {
        let error = refusal(&builder);
        assert!(error.contains(says), "{error}");
        assert!(!error.contains('\n'), "{error}");
    }
}

#[test]
fn a_host_that_no_certificate_is_for_is_refused_only_with_tls() {
    let strange = || EnsembleBuilder::new().connect_string("zk$");
    let secure = strange().certificate_authority("/no/such/file");
    let error = refusal(&secure);
    assert!(error.contains("no certificate can be for"), "{error}");
    assert!(strange().settings().is_ok());
}

#[test]
fn without_a_runtime_it_says_where_to_open() {
    let error = builder().servers_by_client().unwrap_err();
    let error = error.into_error("open").to_string();
    assert!(error.contains("no tokio runtime"), "{error}");
}

#[test]
fn nothing_that_is_printed_shows_a_password() {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "hunter2").unwrap();
    let secret = || SecretSource::file(file.path());
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    let runtime = runtime.unwrap();
    let _inside = runtime.enter();
    for credentials in [
        Credentials::digest("tenure", secret()),
        Credentials::sasl_digest_md5("tenure", secret()),
    ] {
        let builder = builder().credentials(credentials);
        let servers = builder.servers_by_client().unwrap();
        let printed = format!("{builder:?} {servers:?}");
        assert!(!printed.contains("hunter2"), "{printed}");
    }
}
