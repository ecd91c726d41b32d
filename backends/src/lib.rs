//! Lock backends of tenure, and what an elector needs of the machine that it runs on.

#[cfg(any(feature = "file", feature = "kubernetes"))]
mod failure;
#[cfg(feature = "file")]
pub mod file;
pub mod host;
#[cfg(feature = "kubernetes")]
pub mod kubernetes;
mod locked;
#[cfg(any(feature = "file", feature = "kubernetes"))]
mod mailbox;
