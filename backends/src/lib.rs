//! Lock backends of tenure.
