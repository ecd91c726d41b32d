//! The simulator of tenure.
