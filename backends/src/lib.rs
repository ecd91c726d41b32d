//! Lock backends of tenure, and what an elector needs of the machine that it runs on.

#[cfg(any(feature = "kubernetes", feature = "zookeeper"))]
mod cryptography;
#[cfg(any(feature = "file", feature = "kubernetes", feature = "zookeeper"))]
mod failure;
#[cfg(feature = "file")]
pub mod file;
pub mod host;
#[cfg(feature = "kubernetes")]
pub mod kubernetes;
mod locked;
#[cfg(any(feature = "file", feature = "kubernetes", feature = "zookeeper"))]
mod mailbox;
#[cfg(any(feature = "kubernetes", feature = "zookeeper"))]
mod request_text;
#[cfg(any(feature = "kubernetes", feature = "zookeeper"))]
#[cfg_attr(
    not(any(feature = "simulated-api", feature = "simulated-ensemble")),
    expect(
        unreachable_pub,
        reason = "public only where a simulator is to have it"
    )
)]
mod tasks;
#[cfg(feature = "zookeeper")]
pub mod zookeeper;
