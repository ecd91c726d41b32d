mod conformance;
mod files;
mod power;
mod scene;
mod threads;
