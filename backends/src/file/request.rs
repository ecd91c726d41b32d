//! An operator's request: a small file beside the lock, changed under a lock of its own.

use tenure_core::ErrorKind;
use tenure_core::backend::{OperatorRequest, RequestKind, Submitted};

use super::candidacy::Candidacy;
use super::error::{Failure, doing};
use super::replace::read;
use super::seal::{Fields, Sealer, Unreadable};
use super::system::Open;

const REQUEST_BYTES_MAX: usize = 512;

fn to_bytes(request: &OperatorRequest) -> Vec<u8> {
    let kind = match request.kind {
        RequestKind::Pause => "pause",
        RequestKind::Resign => "resign",
        // The end of a pause is the absence of a request.
        RequestKind::Resume => return Vec::new(),
    };
    Sealer::new("request")
        .field("kind", kind)
        .optional("token", request.token)
        .seal()
}

fn parse(bytes: &[u8]) -> Result<OperatorRequest, Unreadable> {
    let fields = Fields::unseal("request", bytes)?;
    Ok(OperatorRequest {
        kind: fields.value("kind", |text| match text {
            "pause" => Some(RequestKind::Pause),
            "resign" => Some(RequestKind::Resign),
            _ => None,
        })?,
        token: fields.optional("token", |text| text.parse().ok())?,
    })
}

impl Candidacy {
    /// The request that stands. One that is torn was never confirmed to anybody.
    pub(crate) fn read_request(&self) -> Result<Option<OperatorRequest>, Failure> {
        let path = self.paths.request();
        let stored = read(self.system.as_ref(), &path, REQUEST_BYTES_MAX, parse)?;
        Ok(stored.readable())
    }

    /// Leaves a request, if the newest token is the one that it names.
    pub(crate) fn submit(&mut self, request: &OperatorRequest) -> Result<Submitted, Failure> {
        let path = self.paths.request();
        let file = self
            .system
            .open(&path, Open::OrCreate)
            .map_err(doing("cannot open the request at", &path))?;
        if !file.try_lock().map_err(doing("cannot lock", &path))? {
            let detail = format!("somebody else is changing {}: try again", path.display());
            return Err(Failure::new(ErrorKind::Unavailable, detail));
        }
        let seen = self.observe()?;
        if seen.token != request.token {
            return Ok(Submitted::Outdated(seen));
        }
        let written = file
            .overwrite(&to_bytes(request))
            .and_then(|()| file.synchronise());
        written.map_err(|error| Failure::io("cannot write", &path, error).unknown())?;
        let root = self.paths.root();
        self.system
            .synchronise_directory(root)
            .map_err(|error| Failure::io("cannot synchronise", root, error).unknown())?;
        Ok(Submitted::Accepted)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tenure_core::FencingToken;

    #[test]
    fn a_request_reads_back_what_was_written() {
        for kind in [RequestKind::Pause, RequestKind::Resign] {
            for token in [None, FencingToken::new(5)] {
                let request = OperatorRequest { kind, token };
                assert_eq!(parse(&to_bytes(&request)), Ok(request));
            }
        }
    }
}
