use std::num::NonZeroU32;
use std::process::ExitCode;

use tenure_sim::speed;

use super::failure::Failure;
use super::options::BenchOptions;
use super::output::{print, table};
use super::progress::Progress;

const TENTH: NonZeroU32 = NonZeroU32::MIN.saturating_add(9);

/// `tenure-sim bench`
pub(super) fn bench(options: &BenchOptions) -> Result<ExitCode, Failure> {
    let part = if options.quick {
        TENTH
    } else {
        NonZeroU32::MIN
    };
    let heads = ["what", "measured", "goal", ""].map(str::to_owned);
    let progress = Progress::new(speed::COUNT, "measurements");
    let mut rows = vec![heads.to_vec()];
    speed::measure(part, |measurement| {
        let verdict = if measurement.reached {
            "reached"
        } else {
            "MISSED"
        };
        rows.push(vec![
            measurement.what,
            measurement.measured,
            measurement.goal,
            verdict.to_owned(),
        ]);
        progress.add(1);
    });
    drop(progress);
    print(table(&rows).trim_end())?;
    if cfg!(debug_assertions) {
        print("this is a debug build: build with --release to compare with the goals")?;
    }
    Ok(ExitCode::SUCCESS)
}
