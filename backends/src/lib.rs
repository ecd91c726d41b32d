//! Lock backends of tenure, and what an elector needs of the machine that it runs on.

pub mod host;
