use std::process::ExitCode;

use tenure_sim::plan::Format;
use tenure_sim::scenarios::{self, Claim};

use super::failure::Failure;
use super::options::{PlanOptions, ScenariosOptions};
use super::output::print;
use super::subject::Subject;

/// `tenure-sim scenarios`
pub(super) fn list(options: &ScenariosOptions) -> Result<ExitCode, Failure> {
    let width = scenarios::all().map(|scenario| scenario.name.len()).max();
    let width = width.unwrap_or_default();
    for scenario in scenarios::all() {
        let plan = scenario.plan();
        if options.json {
            print(serde_json::json!({
                "name": scenario.name,
                "backend": plan.backend,
                "sentence": scenario.sentence,
                "candidates": plan.nodes.len(),
                "claims_single_leader": scenario.claim == Claim::SingleLeader,
            }))?;
        } else {
            let backend = plan.backend.name();
            print(format_args!(
                "{:<width$}  {backend:<7}  {}",
                scenario.name, scenario.sentence
            ))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// `tenure-sim plan`
pub(super) fn plan(options: &PlanOptions) -> Result<ExitCode, Failure> {
    let subject = Subject::find(&options.subject.what, &options.world)?;
    let format = if options.json {
        Format::Json
    } else {
        Format::Toml
    };
    print(subject.plan.write(format).trim_end())?;
    Ok(ExitCode::SUCCESS)
}
