//! What a Lease's annotations say, and how it is written.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use tenure_core::backend::{Note, OperatorRequest};
use tenure_core::{FencingToken, Identity, Incarnation, WallTime};

use super::record::Lease;
use crate::request_text;

/// Which election the Lease is of.
pub(crate) const ELECTION: &str = "tenure/election";
/// The note, when it is text.
pub(crate) const NOTE: &str = "tenure/note";
/// The note, when it is not.
pub(crate) const NOTE_BASE64: &str = "tenure/note-base64";
/// Which container the holder's process is in: `<incarnation> <pod uid> <pod> <container> <container id>`.
pub(crate) const CONTAINER: &str = "tenure/container";
/// The mark of a release: `<incarnation> <lease uid> <renewTime in microseconds>`.
pub(crate) const RELEASED: &str = "tenure/released";
/// An operator's request: `<pause or resign> <token or ->`, or `resumed at <time>` once there is none any more.
pub(crate) const REQUEST: &str = "tenure/request";
/// The newest fencing token.
pub(crate) const TOKEN: &str = "tenure/token";
/// The incarnation that the token was granted to.
pub(crate) const TOKEN_HOLDER: &str = "tenure/token-holder";
/// The label of all Leases that were ever held by a candidate of ours, so that one watch can see them all.
pub(crate) const LABEL: &str = "tenure/lock";

/// What a release has left.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Released {
    pub(crate) by: Incarnation,
    pub(crate) identity: Identity,
    /// The `renewTime` that the emptying write set. Whoever has led since has set another one, also where it kept this annotation.
    pub(crate) written: u64,
}

/// The newest token that a leader has written.
pub(crate) fn token(lease: &Lease) -> Option<FencingToken> {
    lease.annotation(TOKEN)?.parse().ok()
}

/// Whose it is.
pub(crate) fn token_holder(lease: &Lease) -> Option<Incarnation> {
    Incarnation::parse(lease.annotation(TOKEN_HOLDER)?)
}

pub(crate) fn note(lease: &Lease) -> Option<Note> {
    if let Some(text) = lease.annotation(NOTE) {
        return Note::new(text.as_bytes()).ok();
    }
    let bytes = STANDARD.decode(lease.annotation(NOTE_BASE64)?).ok()?;
    Note::new(&bytes).ok()
}

/// The note as text that people can read, or else encoded: one of the two.
pub(crate) fn encode_note(note: &Note) -> (Option<String>, Option<String>) {
    let legible = |text: &&str| !text.contains(|c: char| c.is_control() && c != '\n' && c != '\t');
    match std::str::from_utf8(note.as_bytes()).ok().filter(legible) {
        Some(text) => (Some(text.to_owned()), None),
        None => (None, Some(STANDARD.encode(note.as_bytes()))),
    }
}

pub(crate) fn request(lease: &Lease) -> Option<OperatorRequest> {
    request_text::parse(lease.annotation(REQUEST)?)
}

/// That there is no request any more, in words that no earlier write has used.
pub(crate) fn encode_resumed(wall: WallTime) -> String {
    format!("resumed at {wall}")
}

pub(crate) fn released(lease: &Lease) -> Option<Released> {
    let mut parts = lease.annotation(RELEASED)?.split(' ');
    let by = Incarnation::parse(parts.next()?)?;
    let identity = u128::from_str_radix(parts.next()?, 16).ok().map(Identity)?;
    let written = parts.next()?.parse().ok()?;
    parts.next().is_none().then_some(Released {
        by,
        identity,
        written,
    })
}

pub(crate) fn encode_released(by: Incarnation, identity: Identity, written: u64) -> String {
    format!("{by} {:032x} {written}", identity.0)
}
