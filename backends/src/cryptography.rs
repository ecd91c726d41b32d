use rustls::crypto::CryptoProvider;

/// Chooses the provider of cryptography for this process, where nobody has: of several in a build rustls takes none, and panics.
///
/// It is ring where there is a choice. aws-lc gathers randomness from the jitter of the processor before its first connection, which takes 22 ms
/// (version 0.47 on the machine of the benchmarks), and an election begins with a connection.
pub(crate) fn choose() {
    if CryptoProvider::get_default().is_some() {
        return;
    }
    #[cfg(feature = "kubernetes")]
    let provider = rustls::crypto::ring::default_provider();
    #[cfg(not(feature = "kubernetes"))]
    let provider = rustls::crypto::aws_lc_rs::default_provider();
    // Somebody else may have chosen in between, which is as well.
    let _ = provider.install_default();
}
