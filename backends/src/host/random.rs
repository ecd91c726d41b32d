use tenure_core::{Effect, Error, ErrorKind};

/// 128 bits from the operating system: enough that no two electors ever start with the same.
///
/// # Errors
/// When the operating system gives none, which a working Linux does not do after boot.
pub fn random_bits() -> Result<[u64; 2], Error> {
    let draw = || {
        getrandom::u64().map_err(|source| {
            Error::new(
                ErrorKind::Unavailable,
                Effect::NotApplied,
                "random",
                "host",
                "the operating system gives no random bits",
            )
            .with_source(source)
        })
    };
    Ok([draw()?, draw()?])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_draws_differ() {
        assert_ne!(random_bits().unwrap(), random_bits().unwrap());
    }
}
