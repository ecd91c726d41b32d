//! What the machine promises, one file for each theme. Time is moved by hand.

mod bench;
mod deadline;
mod following;
mod losing;
mod notes;
mod pace;
mod requests;
mod session;
mod stopping;
mod store;
mod two;
mod vacancy;
mod walk;
