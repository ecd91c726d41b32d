use std::error::Error as Source;
use std::marker::PhantomData;

use tenure_core::{Effect, Error, ErrorKind};

/// Whose failures they are.
pub(crate) trait Backend {
    /// The name of the backend in descriptions and errors.
    const NAME: &'static str;
}

/// A failure of the backend `B`, before it is known which of its operations it ends.
#[derive(Debug)]
pub(crate) struct Failure<B> {
    backend: PhantomData<B>,
    detail: String,
    effect: Effect,
    kind: ErrorKind,
    source: Option<Box<dyn Source + Send + Sync>>,
}

impl<B: Backend> Failure<B> {
    /// A failure that has changed nothing.
    pub(crate) fn new(kind: ErrorKind, detail: impl Into<String>) -> Self {
        Self {
            backend: PhantomData,
            detail: detail.into(),
            effect: Effect::NotApplied,
            kind,
            source: None,
        }
    }

    #[cfg(any(feature = "file", feature = "kubernetes"))]
    pub(crate) fn with_source(self, source: impl Into<Box<dyn Source + Send + Sync>>) -> Self {
        Self {
            source: Some(source.into()),
            ..self
        }
    }

    /// The same failure, with this effect.
    pub(crate) fn with_effect(self, effect: Effect) -> Self {
        Self { effect, ..self }
    }

    /// The same failure, of something that may have happened all the same.
    pub(crate) fn unknown(self) -> Self {
        self.with_effect(Effect::Unknown)
    }

    pub(crate) fn into_error(self, operation: &'static str) -> Error {
        let error = Error::new(self.kind, self.effect, operation, B::NAME, self.detail);
        match self.source {
            Some(source) => error.with_source(source),
            None => error,
        }
    }
}

#[cfg(feature = "kubernetes")]
impl<B> Failure<B> {
    pub(crate) fn kind(&self) -> ErrorKind {
        self.kind
    }
}
