//! The same requests to two servers, and what they answer differently: how the simulated server is held against the real one.

mod compare;
mod exchange;
mod order;
mod script;

pub use compare::{Difference, compare};
pub use exchange::{Exchange, Trouble};
pub use script::{Clients, run};

use super::alone::{ADMINISTRATOR, Alone};
use super::kind::Kind;
use super::request::Verb;
use super::rights::Rule;

/// What the simulated server answers to the script.
///
/// # Errors
/// When it does not answer.
pub fn simulated(seed: u64) -> Result<Vec<Exchange>, Trouble> {
    Alone::run(seed, 1, |world| async move {
        let restricted = "restricted";
        world.api().change_rights(|rights| {
            rights.grant(Rule {
                subject: restricted.to_owned(),
                verbs: vec![Verb::Get, Verb::Update],
                kind: Kind::Lease,
                names: vec!["owned".to_owned(), "absent".to_owned()],
            });
        });
        let stranger = world.link(0, "stranger", 0);
        stranger.set_token_expired(true);
        let clients = Clients {
            administrator: world.client(ADMINISTRATOR),
            restricted: world.client(restricted),
            stranger: stranger.client(world.host(), "default"),
        };
        run(&clients).await
    })
}
