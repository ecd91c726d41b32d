//! A Kubernetes API server in the world: as much of one as an election talks to, with the semantics of kube-apiserver 1.37.
//!
//! The real `kube::Client` sends its requests through a [`Link`], over the simulated network, to one of several [`ApiServers`] on one
//! store. What a request does belongs to the world from the moment of its sending.
//!
//! | file | what is in it |
//! | --- | --- |
//! | `store` | all objects, one revision for all of them, what happened |
//! | `operations`, `watch` | what a request does, and what a watch tells, whatever time it is |
//! | `request`, `sent`, `selector`, `metadata`, `lease`, `micro_time`, `managed`, `status` | how all this is written |
//! | `rights`, `condition` | who may do what, and what is wrong with a server |
//! | `kubelet` | pods, and what kubelets say of their containers |
//! | `servers`, `landing`, `streaming`, `link`, `body` | the servers and their clients in the world |
//! | `careless` | clients that make a planted mistake |
//!
//! What is read without a version asks the store; with one, it comes from the server's cache, which may lag, as watches do.

mod alone;
mod body;
mod careless;
mod condition;
#[cfg(test)]
mod conformance;
pub mod differential;
mod kind;
mod kubelet;
mod landing;
mod lease;
mod link;
mod managed;
mod metadata;
mod micro_time;
mod operations;
mod request;
mod rights;
mod selector;
mod sent;
mod servers;
mod status;
mod store;
mod streaming;
#[cfg(test)]
mod tests;
mod watch;

pub use alone::{ADMINISTRATOR, Alone};
pub use body::{Broken, SimBody};
pub use careless::Carelessness;
pub use condition::{Condition, Fails, Watching};
pub use kind::{Key, Kind};
pub use kubelet::{CONTAINER, Kubelet, LABEL};
pub use link::{Client, Link};
pub use request::Verb;
pub use rights::{Rights, Rule};
pub use servers::{ApiServers, Sender, Witness};
pub use status::Failure;
pub use store::Change;
