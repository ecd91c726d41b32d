use std::sync::Arc;
use std::time::Duration;

use http::header::{CONTENT_TYPE, DATE, RETRY_AFTER};
use http::{HeaderValue, Response, StatusCode};
use serde_json::Value;

use super::body::{Pipe, SimBody};
use super::condition::Watching;
use super::link::Letter;
use super::micro_time;
use super::request::{Asked, Verb};
use super::servers::{ApiServers, Sender};
use super::status::Failure;
use super::streaming::Session;
use super::watch::Watch;

/// What comes of a request at a server.
#[derive(Debug)]
pub(super) enum Landed {
    Answered(Response<SimBody>),
    /// Nobody is there: the connection is refused, or breaks.
    Refused,
    /// It was done, if it was, and nothing is said about it.
    Unanswered,
}

impl ApiServers {
    /// A request arrives.
    pub(super) async fn land(&self, letter: &Letter, sender: Sender) -> Landed {
        let server = letter.server;
        if self.condition(server).away {
            return Landed::Refused;
        }
        self.pass(server).await;
        let slow = self.drawn_slowness(server);
        if !slow.is_zero() {
            self.handle().sleep(slow).await;
        }
        if self.condition(server).away {
            return Landed::Refused;
        }
        let asked = Asked::read(&letter.method, &letter.path);
        if let (Some(witness), Ok(asked)) = (self.witness(), &asked) {
            witness.landed(&sender, asked.verb, asked.kind);
        }
        let asked = match asked.and_then(|asked| self.admit(letter, &sender, asked)) {
            Ok(asked) => asked,
            Err(refusal) => return self.refused(&refusal),
        };
        if asked.verb == Verb::Watch {
            return self.begin_watch(letter, &asked);
        }
        let from = (&sender, letter.manager.as_str());
        let answer = self.serve(server, &asked, &letter.body, from);
        if asked.verb.writes()
            && let Some(instead) = self.spoilt(server)
        {
            return instead.map_or(Landed::Unanswered, |failure| self.refused(&failure));
        }
        match answer {
            Ok(served) => self.answered(served.code, &served.body, None),
            Err(failure) => self.refused(&failure),
        }
    }

    fn drawn_slowness(&self, server: usize) -> Duration {
        let mut state = self.state();
        let most = state.condition(server).slow.nanos();
        let nanos = if most == 0 { 0 } else { state.draw.below(most) };
        Duration::from_nanos(nanos)
    }

    /// Lets a request in, or says why not.
    fn admit(&self, letter: &Letter, sender: &Sender, asked: Asked) -> Result<Asked, Failure> {
        let mut state = self.state();
        if letter.token_expired {
            return Err(Failure::unauthorized());
        }
        let condition = state.condition(letter.server);
        if let Some(failure) = condition.fails_now(&mut state.draw) {
            return Err(failure);
        }
        let name = asked.authorised_name();
        if state
            .rights
            .allow(&sender.subject, asked.verb, asked.kind, name)
        {
            return Ok(asked);
        }
        let at = (asked.namespace.as_str(), name);
        Err(Failure::forbidden(
            &sender.subject,
            asked.verb.name(),
            asked.kind,
            at,
        ))
    }

    /// Whether what was done is answered with something else, or not at all.
    fn spoilt(&self, server: usize) -> Option<Option<Failure>> {
        let mut state = self.state();
        let condition = state.condition(server);
        if let Some(failure) = condition.fails_afterwards(&mut state.draw) {
            return Some(Some(failure));
        }
        let dropped = condition.drops_replies.into();
        (dropped > 0 && state.draw.happens(dropped)).then_some(None)
    }

    fn begin_watch(&self, letter: &Letter, asked: &Asked) -> Landed {
        let now = self.handle().now();
        let begun = {
            let mut state = self.state();
            if state.watching(letter.server) == Watching::Ended {
                Err(Failure::unavailable())
            } else {
                let visible = state.visible(letter.server, now);
                match Watch::begin(&state.store, asked, visible) {
                    Ok(begun) => Ok(Ok(begun)),
                    Err(gone) if gone.code != StatusCode::GONE => Err(gone),
                    Err(gone) if state.condition(letter.server).gone_at_once => Err(gone),
                    Err(gone) => Ok(Err(gone)),
                }
            }
        };
        let begun = match begun {
            Ok(begun) => begun,
            Err(failure) => return self.refused(&failure),
        };
        let pipe = Pipe::default();
        letter.link.add_stream(letter.server, &pipe);
        let session = Session::new(self, letter, asked, pipe.clone());
        self.handle().spawn_in_world(session.run(begun));
        Landed::Answered(self.response(StatusCode::OK, SimBody::stream(&pipe), None))
    }

    fn refused(&self, failure: &Failure) -> Landed {
        let body = Arc::new(failure.body());
        self.answered(failure.code, &body, failure.retry_after_s)
    }

    fn answered(&self, code: StatusCode, body: &Arc<Value>, retry_after_s: Option<u64>) -> Landed {
        let bytes = self.state().written(body);
        Landed::Answered(self.response(code, SimBody::full(bytes), retry_after_s))
    }

    fn response(
        &self,
        code: StatusCode,
        body: SimBody,
        retry_after_s: Option<u64>,
    ) -> Response<SimBody> {
        let mut response = Response::new(body);
        *response.status_mut() = code;
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        if let Ok(date) = HeaderValue::from_str(&micro_time::write_date(self.unix_s())) {
            headers.insert(DATE, date);
        }
        if let Some(seconds) = retry_after_s {
            headers.insert(RETRY_AFTER, seconds.into());
        }
        response
    }
}
