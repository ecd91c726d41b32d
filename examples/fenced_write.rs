//! What a token is for: a write that was sent under an earlier leadership arrives late, and the resource refuses it.
//!
//! ```console
//! cargo run --example fenced_write
//! ```
#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use std::error::Error;
use std::sync::{Arc, Mutex, PoisonError};

use tenure::file::FileLock;
use tenure::{Fence, FencingToken, Leadership, Timing};

/// Something that only the newest leader may change. In the world this is a row, an object or a service; see `docs/fencing.md`.
#[derive(Debug, Default)]
struct Report {
    body: String,
    fence: Fence,
}

impl Report {
    /// Check and write are one step for everybody else: the caller holds the lock of both.
    fn write(&mut self, token: FencingToken, body: &str) -> Result<(), tenure::Stale> {
        self.fence.admit(token)?;
        body.clone_into(&mut self.body);
        Ok(())
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let directory = std::env::temp_dir().join("tenure-example");
    let report = Arc::new(Mutex::new(Report::default()));
    let mut tokens = Vec::new();
    for name in ["first", "second"] {
        let mut election = tenure::election(FileLock::open(directory.join("report"))?)?
            .timing(Timing::fast())
            .build()?;
        let written = election.run(|leadership: Leadership| {
            let report = Arc::clone(&report);
            async move {
                let mut report = report.lock().unwrap_or_else(PoisonError::into_inner);
                let body = format!("by the {name} leader");
                report
                    .write(leadership.token(), &body)
                    .map(|()| leadership.token())
            }
        });
        tokens.push(written.await??);
    }
    let mut report = report.lock().unwrap_or_else(PoisonError::into_inner);
    match report.write(tokens[0], "late, by the first leader") {
        Ok(()) => return Err("a stale write has passed".into()),
        Err(stale) => println!("refused: {stale}"),
    }
    println!("the report was written {}", report.body);
    Ok(())
}
