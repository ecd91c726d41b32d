//! The way to the API server: our own stack of kube's layers, with two pools of connections.
//!
//! Beside kube's own stack it leaves out what would repeat a request, and keeps `TCP_NODELAY` on: with kube's connector, which switches it
//! off, the first request on every new connection waits some 40 ms for a delayed acknowledgement.

use std::path::{Path, PathBuf};
use std::time::Duration;

use hyper_rustls::HttpsConnector;
use hyper_util::client::legacy::Client as Pool;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use kube::client::{Body, ClientBuilder, ConfigExt};
use kube::config::{KubeConfigOptions, Kubeconfig, KubeconfigError};
use kube::{Client, Config};
use tenure_core::ErrorKind;
use tower::{BoxError, ServiceBuilder};

use super::error::Failure;
use crate::cryptography;

/// Idle connections beyond these are closed. A process has one request for each of its elections under way at most.
const IDLE_MAX: usize = 32;

/// Clients of one API server, which share no connection: a bulky watch must not stand before a renewal.
#[derive(Clone)]
pub(crate) struct Clients {
    pub(crate) requests: Client,
    pub(crate) watches: Client,
}

impl std::fmt::Debug for Clients {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Clients").finish_non_exhaustive()
    }
}

/// Where the way in is described, so that it can be read again when a token was rotated.
#[derive(Clone)]
pub(crate) enum Source {
    /// A configuration that was handed in. Its token file is read again.
    Given(Box<Config>),
    /// A service account's files.
    InCluster,
    /// A kubeconfig file, the usual one unless named, and perhaps one of its contexts.
    Kubeconfig(KubeConfigOptions, Option<PathBuf>),
    /// Ready clients, which nothing here can make again.
    Ready,
}

impl std::fmt::Debug for Source {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Given(_) => "Given",
            Self::InCluster => "InCluster",
            Self::Kubeconfig(..) => "Kubeconfig",
            Self::Ready => "Ready",
        })
    }
}

impl Source {
    /// What a process that says nothing gets: a kubeconfig where there is one, else the service account.
    pub(crate) async fn infer(
        context: Option<String>,
        file: Option<PathBuf>,
    ) -> Result<(Self, Config), Failure> {
        let options = KubeConfigOptions {
            context,
            ..KubeConfigOptions::default()
        };
        let named =
            options.context.is_some() || file.is_some() || std::env::var_os("KUBECONFIG").is_some();
        if !named && let Ok(config) = Config::incluster() {
            return Ok((Self::InCluster, config));
        }
        match from_kubeconfig(&options, file.as_deref()).await {
            Ok(config) => Ok((Self::Kubeconfig(options, file), config)),
            Err(error) if named => {
                let detail = format!("the kubeconfig cannot be used: {error}");
                Err(Failure::new(ErrorKind::InvalidInput, detail).with_source(error))
            }
            Err(error) => {
                let detail = format!(
                    "no cluster is configured: run in a pod, or name a kubeconfig in KUBECONFIG: {error}"
                );
                Err(Failure::new(ErrorKind::InvalidInput, detail).with_source(error))
            }
        }
    }

    /// Reads the configuration again; nothing where there is none to read.
    pub(crate) async fn read_again(&self) -> Result<Option<Config>, Failure> {
        let unreadable = |error: BoxError| {
            let detail = format!("the way in cannot be read again: {error}");
            Failure::new(ErrorKind::Unauthenticated, detail).with_source(error)
        };
        match self {
            Self::Given(config) => Ok(Some(Config::clone(config))),
            Self::InCluster => Config::incluster()
                .map(Some)
                .map_err(|error| unreadable(error.into())),
            Self::Kubeconfig(options, file) => {
                let config = from_kubeconfig(options, file.as_deref()).await;
                config.map(Some).map_err(|error| unreadable(error.into()))
            }
            Self::Ready => Ok(None),
        }
    }
}

async fn from_kubeconfig(
    options: &KubeConfigOptions,
    file: Option<&Path>,
) -> Result<Config, KubeconfigError> {
    match file {
        None => Config::from_kubeconfig(options).await,
        Some(file) => Config::from_custom_kubeconfig(Kubeconfig::read_from(file)?, options).await,
    }
}

/// Makes the clients of `config`.
///
/// # Errors
/// When certificates, token or headers cannot be used.
pub(crate) fn connect(config: &Config, connect_timeout: Duration) -> Result<Clients, Failure> {
    let unusable = |error: kube::Error| {
        let detail = format!("the way in cannot be used: {error}");
        Failure::new(ErrorKind::InvalidInput, detail).with_source(error)
    };
    cryptography::choose();
    if config.proxy_url.is_some() {
        // Only kube's own stack knows proxies.
        let mut config = config.clone();
        config.default_retry = false;
        let client = || ClientBuilder::try_from(config.clone()).map(ClientBuilder::build);
        return Ok(Clients {
            requests: client().map_err(unusable)?,
            watches: client().map_err(unusable)?,
        });
    }
    let mut http = HttpConnector::new();
    http.enforce_http(false);
    http.set_nodelay(true);
    http.set_connect_timeout(Some(connect_timeout));
    http.set_keepalive(Some(Duration::from_secs(30)));
    // Both pools share the certificates, which take milliseconds to read.
    let https = config
        .rustls_https_connector_with_connector(http)
        .map_err(unusable)?;
    let client = || -> Result<Client, kube::Error> { stack(config, https.clone()) };
    Ok(Clients {
        requests: client().map_err(unusable)?,
        watches: client().map_err(unusable)?,
    })
}

fn stack(config: &Config, https: HttpsConnector<HttpConnector>) -> Result<Client, kube::Error> {
    let pool: Pool<_, Body> = Pool::builder(TokioExecutor::new())
        .pool_max_idle_per_host(IDLE_MAX)
        .build(https);
    let service = ServiceBuilder::new()
        .layer(config.base_uri_layer())
        .option_layer(config.auth_layer()?)
        .layer(config.extra_headers_layer()?)
        .map_err(BoxError::from)
        .service(pool);
    Ok(Client::new(service, config.default_namespace.clone()))
}
