//! The Lease as the lock's record: what of it is ours, and what is carried along untouched.

use std::time::Duration;

use bytes::Bytes;
use serde_json::{Map, Value, json};
use tenure_core::backend::{
    Claim, Held, Holder, LockState, Note, Observation, OperatorRequest, ReleaseMark, Renewal,
    RequestKind,
};
use tenure_core::{
    CandidateId, ElectionName, ErrorKind, FencingToken, Identity, Incarnation, Nonce, Version,
    WallTime,
};

use super::echo::Expected;
use super::error::Failure;
use super::template::Template;
use super::{annotations, time};
use crate::request_text;

/// A Lease as the API server has it, but for `managedFields`, which the server keeps by itself when they are left out.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Lease {
    object: Map<String, Value>,
    uid: Identity,
    version: Version,
}

/// Whom a record names that cannot be understood.
const UNREADABLE: &str = "unreadable record";

/// What a Lease turned out to be, where it cannot be this election's lock.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Stranger {
    /// Camel's cluster service writes it.
    Camel,
    /// Another election has the same Lease.
    Election(String),
}

impl Lease {
    /// Takes an object of the API server.
    ///
    /// # Errors
    /// When it has no uid or no numeric version: then nothing can be compared.
    pub(crate) fn parse(object: Value) -> Result<Self, Failure> {
        let Value::Object(mut object) = object else {
            let detail = "the API server's Lease is no JSON object";
            return Err(Failure::new(ErrorKind::Corrupt, detail));
        };
        let meta = object.get_mut("metadata").and_then(Value::as_object_mut);
        let Some(meta) = meta else {
            let detail = "the API server's Lease has no metadata";
            return Err(Failure::new(ErrorKind::Corrupt, detail));
        };
        meta.remove("managedFields");
        let text = |key| meta.get(key).and_then(Value::as_str).unwrap_or_default();
        let version = text("resourceVersion").parse().ok().filter(|v| *v > 0);
        let (Some(version), Some(uid)) = (version, identity(text("uid"))) else {
            let detail = format!(
                "resourceVersion {:?} and uid {:?} of the Lease cannot be compared: this API server is not supported",
                text("resourceVersion"),
                text("uid"),
            );
            return Err(Failure::new(ErrorKind::Corrupt, detail));
        };
        let version = Version(version);
        Ok(Self {
            object,
            uid,
            version,
        })
    }

    /// Takes an answer of the API server.
    pub(crate) fn answered(answer: &[u8]) -> Result<Self, Failure> {
        let object = serde_json::from_slice(answer);
        Self::parse(object.unwrap_or_default())
    }

    pub(crate) fn identity(&self) -> Identity {
        self.uid
    }

    pub(crate) fn version(&self) -> Version {
        self.version
    }

    fn spec(&self, key: &str) -> Option<&Value> {
        self.object.get("spec")?.get(key)
    }

    fn meta(&self, map: &str, key: &str) -> Option<&str> {
        self.object.get("metadata")?.get(map)?.get(key)?.as_str()
    }

    pub(crate) fn annotation(&self, key: &str) -> Option<&str> {
        self.meta("annotations", key)
    }

    /// The holder's text; nothing when nobody is named. What is no text counts as somebody.
    fn holder_text(&self) -> Option<&str> {
        let spec = self.object.get("spec").filter(|spec| !spec.is_null())?;
        if !spec.is_object() {
            return Some(UNREADABLE);
        }
        match spec.get("holderIdentity")? {
            Value::Null => None,
            Value::String(text) if text.is_empty() => None,
            Value::String(text) => Some(text),
            _ => Some(UNREADABLE),
        }
    }

    pub(crate) fn holder(&self) -> Option<Holder> {
        self.holder_text().map(Holder::parse)
    }

    pub(crate) fn renew_micros(&self) -> Option<u64> {
        time::micros_of(self.spec("renewTime")?.as_str()?)
    }

    /// When the present leadership began, by its leader's wall clock.
    pub(crate) fn led_since(&self) -> Option<WallTime> {
        self.wall("acquireTime")
            .filter(|_| self.holder_text().is_some())
    }

    fn wall(&self, key: &str) -> Option<WallTime> {
        let micros = time::micros_of(self.spec(key)?.as_str()?)?;
        Some(WallTime::from_unix_micros(micros))
    }

    pub(crate) fn duration(&self) -> Option<Duration> {
        let seconds = self.spec("leaseDurationSeconds")?.as_u64()?;
        (seconds > 0).then(|| Duration::from_secs(seconds))
    }

    /// How often the holder has changed, for people.
    pub(crate) fn transitions(&self) -> Option<u64> {
        self.spec("leaseTransitions")?.as_u64()
    }

    /// The newest token in the record: the holder's, once its first renewal has written it, or the last one's when nobody holds.
    pub(crate) fn token(&self) -> Option<FencingToken> {
        let token = annotations::token(self)?;
        match self.holder_text() {
            None => Some(token),
            Some(text) => {
                let holder = Holder::parse(text).incarnation()?;
                (annotations::token_holder(self) == Some(holder)).then_some(token)
            }
        }
    }

    /// The newest token that any leader has written, whoever holds now.
    pub(crate) fn written_token(&self) -> Option<FencingToken> {
        annotations::token(self)
    }

    /// Whether `candidate` holds it.
    pub(crate) fn is_held_by(&self, candidate: &CandidateId) -> bool {
        self.holder().is_some_and(|holder| holder.is(candidate))
    }

    /// The mark of a proper release, if the record is still exactly what that release wrote.
    fn mark(&self) -> Option<ReleaseMark> {
        let mark = annotations::released(self)?;
        let same = mark.identity == self.uid && Some(mark.written) == self.renew_micros();
        same.then_some(ReleaseMark {
            by: mark.by,
            identity: mark.identity,
        })
    }

    /// What the record says.
    pub(crate) fn observation(&self) -> Observation {
        let lock = match self.holder_text() {
            None => LockState::Vacant {
                identity: self.uid,
                mark: self.mark(),
            },
            Some(text) => {
                let renewed = self.renew_micros();
                LockState::Held(Held {
                    duration: self.duration().filter(|_| renewed.is_some()),
                    holder: Holder::parse(text),
                    identity: self.uid,
                    nonce: Nonce(renewed.unwrap_or(self.version.0)),
                })
            }
        };
        Observation {
            led_since: self.led_since(),
            lock,
            note: annotations::note(self),
            request: annotations::request(self),
            server_time: None,
            token: self.token(),
            version: Some(self.version),
            written: self.wall("renewTime"),
        }
    }

    /// Whether a watch of what carries our label tells of it.
    pub(crate) fn is_labelled(&self) -> bool {
        self.meta("labels", annotations::LABEL) == Some("true")
    }

    /// Whose it is, when it is not the lock of `election`.
    pub(crate) fn stranger(&self, election: &ElectionName) -> Option<Stranger> {
        let ours = self
            .holder()
            .is_some_and(|holder| holder.incarnation().is_some());
        if self.meta("labels", "provider") == Some("camel") && !ours {
            return Some(Stranger::Camel);
        }
        let other = self.annotation(annotations::ELECTION)?;
        (other != election.as_str()).then(|| Stranger::Election(other.to_owned()))
    }
}

/// A Lease as text: a quarter of the memory, for as long as nobody asks what it says.
#[derive(Clone, Debug)]
pub(crate) struct Kept {
    /// How the next renewal is written, where this is a renewal of ours.
    pub(crate) template: Option<Box<Template>>,
    /// The text may name the version before this one.
    text: Bytes,
    uid: Identity,
    version: Version,
}

impl Kept {
    pub(crate) fn of(lease: &Lease) -> Self {
        Self {
            template: None,
            text: to_bytes(&lease.object).into_boxed_slice().into(),
            uid: lease.uid,
            version: lease.version,
        }
    }

    /// The Lease that `text` has become by a renewal that was written as this template says.
    pub(crate) fn renewed(text: Bytes, template: Template, version: Version) -> Self {
        Self {
            uid: template.identity,
            template: Some(Box::new(template)),
            text,
            version,
        }
    }

    pub(crate) fn text(&self) -> &[u8] {
        &self.text
    }

    pub(crate) fn version(&self) -> Version {
        self.version
    }

    pub(crate) fn open(&self) -> Lease {
        let object = serde_json::from_slice(&self.text);
        let mut object: Map<String, Value> =
            object.expect("it was written from a map of JSON values, or read as one");
        tell_version(&mut object, self.version);
        Lease {
            object,
            uid: self.uid,
            version: self.version,
        }
    }
}

fn tell_version(object: &mut Map<String, Value>, version: Version) {
    let meta = self::object(object.entry("metadata").or_insert_with(|| json!({})));
    let version = Value::String(version.0.to_string());
    meta.insert("resourceVersion".to_owned(), version);
}

fn to_bytes(object: &Map<String, Value>) -> Vec<u8> {
    serde_json::to_vec(object).expect("a map of JSON values is JSON")
}

/// A uid as a number: the UUID's own, or a hash of a text that is none.
pub(super) fn identity(uid: &str) -> Option<Identity> {
    if uid.is_empty() {
        return None;
    }
    let mut number = 0_u128;
    let mut digits = 0;
    for byte in uid.bytes().filter(|byte| *byte != b'-') {
        match char::from(byte).to_digit(16) {
            Some(digit) if digits < 32 => number = number << 4 | u128::from(digit),
            _ => return Some(Identity(fnv(uid.as_bytes()))),
        }
        digits += 1;
    }
    if digits < 32 {
        number = fnv(uid.as_bytes());
    }
    Some(Identity(number))
}

/// The 128-bit FNV-1a hash (RFC 9923).
fn fnv(bytes: &[u8]) -> u128 {
    bytes
        .iter()
        .fold(0x6c62_272e_07bb_0142_62b8_2175_6295_c58d, |hash, byte| {
            (hash ^ u128::from(*byte)).wrapping_mul(0x0100_0000_0000_0000_0000_013b)
        })
}

/// A record that is to be written.
#[derive(Clone, Debug)]
pub(crate) struct Draft {
    object: Map<String, Value>,
}

impl Draft {
    /// A Lease that is not there yet.
    pub(crate) fn new(name: &str, namespace: &str) -> Self {
        let object = json!({
            "apiVersion": "coordination.k8s.io/v1",
            "kind": "Lease",
            "metadata": { "name": name, "namespace": namespace },
            "spec": {},
        });
        let Value::Object(object) = object else {
            unreachable!("an object was written here")
        };
        Self { object }
    }

    /// An edit of `lease`, which fails when it is not that version any more.
    pub(crate) fn of(lease: Lease) -> Self {
        Self {
            object: lease.object,
        }
    }

    /// The Lease that the API server says it has made of this draft by `answer`.
    ///
    /// Nobody else has written between the version that it is an edit of and this one, so it is the draft at another version, unless the
    /// server says otherwise.
    pub(crate) fn written(mut self, answer: &[u8]) -> Result<Lease, Failure> {
        let of = |map: &str, key: &str| self.object.get(map)?.get(key)?.as_str();
        let uid = of("metadata", "uid").and_then(identity);
        let version = uid.and_then(|uid| {
            let expected = Expected {
                holder: of("spec", "holderIdentity"),
                renewed: of("spec", "renewTime"),
                uid,
            };
            expected.version(answer)
        });
        if let Some(version) = version {
            tell_version(&mut self.object, version);
            return Lease::parse(Value::Object(self.object));
        }
        Lease::answered(answer)
    }

    /// The bytes to send.
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        to_bytes(&self.object)
    }

    fn map(&mut self, key: &str) -> &mut Map<String, Value> {
        let value = self.object.entry(key).or_insert_with(|| json!({}));
        object(value)
    }

    pub(crate) fn annotate(&mut self, key: &str, text: Option<String>) {
        let meta = self.map("metadata");
        let annotations = object(meta.entry("annotations").or_insert_with(|| json!({})));
        match text {
            Some(text) => annotations.insert(key.to_owned(), Value::String(text)),
            None => annotations.remove(key),
        };
    }

    fn label(&mut self) {
        let meta = self.map("metadata");
        let labels = object(meta.entry("labels").or_insert_with(|| json!({})));
        labels.insert(annotations::LABEL.to_owned(), json!("true"));
    }

    pub(crate) fn set(&mut self, key: &str, value: Value) {
        self.map("spec").insert(key.to_owned(), value);
    }

    fn set_micros(&mut self, key: &str, micros: u64) -> Result<(), Failure> {
        let text = time::micro_time(micros).ok_or_else(|| {
            let detail = "the wall clock is past the year 9999, which a Lease cannot say: set it";
            Failure::new(ErrorKind::InvalidInput, detail)
        })?;
        self.set(key, Value::String(text));
        Ok(())
    }

    fn set_duration(&mut self, duration: Duration) -> Result<(), Failure> {
        let whole = duration.as_secs() + u64::from(duration.subsec_nanos() > 0);
        let seconds = i32::try_from(whole).map_err(|_| {
            let detail =
                format!("a lease duration of {whole} s is more than a Lease can say: shorten it");
            Failure::new(ErrorKind::InvalidInput, detail)
        })?;
        self.set("leaseDurationSeconds", json!(seconds.max(1)));
        Ok(())
    }

    /// Makes `claim`'s candidate the holder.
    pub(crate) fn claim(&mut self, election: &ElectionName, claim: &Claim) -> Result<(), Failure> {
        let transitions = self
            .map("spec")
            .get("leaseTransitions")
            .and_then(Value::as_i64)
            .and_then(|n| i32::try_from(n).ok());
        let next = transitions.map_or(0, |n| n.saturating_add(1).max(0));
        self.set("holderIdentity", json!(claim.candidate.to_string()));
        self.set("leaseTransitions", json!(next));
        self.set_micros("acquireTime", claim.wall.unix_micros().min(time::LAST))?;
        self.set_micros("renewTime", claim.nonce.0)?;
        self.set_duration(claim.lease_duration)?;
        self.annotate(annotations::ELECTION, Some(election.to_string()));
        self.annotate(annotations::RELEASED, None);
        self.annotate(annotations::CONTAINER, None);
        // The token there is that of an earlier leadership, perhaps of the same candidate's.
        self.annotate(annotations::TOKEN_HOLDER, None);
        self.label();
        Ok(())
    }

    /// Renews, with the note where there is one.
    pub(crate) fn renew(&mut self, renewal: &Renewal) -> Result<(), Failure> {
        self.set_micros("renewTime", renewal.nonce.0)?;
        self.set_duration(renewal.lease_duration)?;
        self.tell_token(renewal.candidate.incarnation, renewal.hold.token);
        if let Some(note) = &renewal.note {
            self.write_note(note);
        }
        Ok(())
    }

    pub(crate) fn tell_token(&mut self, holder: Incarnation, token: FencingToken) {
        self.annotate(annotations::TOKEN, Some(token.to_string()));
        self.annotate(annotations::TOKEN_HOLDER, Some(holder.to_string()));
    }

    fn write_note(&mut self, note: &Note) {
        let (text, encoded) = annotations::encode_note(note);
        self.annotate(annotations::NOTE, text);
        self.annotate(annotations::NOTE_BASE64, encoded);
    }

    /// Takes the holder out, with the mark that says who did it on which object and with which write.
    pub(crate) fn release(
        &mut self,
        by: Incarnation,
        uid: Identity,
        written: u64,
    ) -> Result<(), Failure> {
        self.map("spec").remove("holderIdentity");
        self.set_micros("renewTime", written)?;
        self.annotate(
            annotations::RELEASED,
            Some(annotations::encode_released(by, uid, written)),
        );
        self.annotate(annotations::CONTAINER, None);
        Ok(())
    }

    /// Leaves an operator's request, or takes it out.
    ///
    /// What takes it out is a change too, also where there is none: a write that changes nothing keeps the version, and a request that was
    /// sent earlier could still land.
    pub(crate) fn request(&mut self, request: &OperatorRequest, wall: WallTime) {
        let text = match request.kind {
            RequestKind::Resume => annotations::encode_resumed(wall),
            _ => request_text::encode(request),
        };
        self.annotate(annotations::REQUEST, Some(text));
    }

    /// Says which election it is of, before anybody has held it.
    pub(crate) fn belongs_to(&mut self, election: &ElectionName) {
        self.annotate(annotations::ELECTION, Some(election.to_string()));
        self.label();
    }
}

/// The map in `value`, which is made one when somebody has made it something else.
fn object(value: &mut Value) -> &mut Map<String, Value> {
    if !value.is_object() {
        *value = json!({});
    }
    value.as_object_mut().expect("it was just made an object")
}
