//! Runs the code of the documents in `docs/` as documentation tests.

#[cfg(all(feature = "file", feature = "kubernetes"))]
#[doc = include_str!("../docs/backends.md")]
mod backends {}

#[doc = include_str!("../docs/fencing.md")]
mod fencing {}

#[doc = include_str!("../docs/guarantees.md")]
mod guarantees {}

#[doc = include_str!("../README.md")]
mod readme {}

#[cfg(all(feature = "cron", feature = "file"))]
#[doc = include_str!("../docs/cron.md")]
mod cron {}
