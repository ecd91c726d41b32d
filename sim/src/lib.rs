//! A deterministic simulator for elections: the production elector, on clocks and a network that can go wrong in every way, in one
//! thread and on virtual time.
//!
//! - [`random`]: streams of random numbers, one for each use.
//! - [`executor`]: tasks of processes that live, pause and die; true time.
//! - [`clock`]: each node's clocks.
//! - [`disk`]: a file system, under the real file backend.
//! - [`api_server`]: a Kubernetes API server, under the real client.
//! - `ensemble`: a ZooKeeper ensemble, under the real backend.
//! - [`plan`]: what a run does, as plain data; [`scenarios`]: failovers that people know, by name.
//! - [`trace`]: what happened, and a hash of it.
//! - [`invariants`]: what must hold; [`figures`]: how it went, in numbers; [`report`]: how it went, drawn.
//! - [`shrink`]: small plans out of large ones.
//! - [`run`](run()): runs a plan on a tier, of which there are [`machines`], the decisions alone and fast, and [`electors`], with all that is
//!   around them; [`model`]: every order of events of a small world.
//! - [`campaign`]: many runs, [`parallel`] ones; [`peers`]: other elections in the same world.
//! - [`planted`]: mistakes that have to be found.
//! - [`document`]: the tables of the document for users; [`speed`]: how fast all this is.
//!
//! A run is decided by its seed alone: the same seed gives the same trace, in the same process and in another.

pub mod api_server;
pub mod campaign;
pub mod clock;
pub mod disk;
pub mod document;
pub mod electors;
mod ensemble;
pub mod executor;
pub mod figures;
pub mod invariants;
pub mod machines;
pub mod model;
pub mod parallel;
pub mod peers;
pub mod plan;
pub mod planted;
pub mod random;
pub mod report;
mod run;
pub mod scenarios;
pub mod shrink;
pub mod speed;
pub mod trace;
mod true_time;
mod world;

pub use run::{Options, Outcome, Tier, run};
pub use true_time::TrueTime;
