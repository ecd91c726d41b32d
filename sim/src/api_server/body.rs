use std::collections::VecDeque;
use std::fmt;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use http_body::{Body, Frame};

const ONE_THREAD: &str = "one thread, and nothing panics under the lock";

/// The body of an answer: all there at once, or coming line by line as a watch's does.
#[derive(Debug)]
pub struct SimBody(Kind);

#[derive(Debug)]
enum Kind {
    Full(Option<Bytes>),
    Stream(Pipe),
}

/// A connection broke: what the client knows of it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Broken;

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the connection broke")
    }
}

impl std::error::Error for Broken {}

/// What a watch is told through. Clones are the same pipe.
#[derive(Clone, Default, Debug)]
pub(super) struct Pipe(Arc<Mutex<State>>);

#[derive(Default, Debug)]
struct State {
    chunks: VecDeque<Bytes>,
    /// Whether the reader has gone.
    closed: bool,
    end: Option<End>,
    reader: Option<Waker>,
    writer: Option<Waker>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum End {
    Broken,
    Over,
}

impl Pipe {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().expect(ONE_THREAD)
    }

    /// Gives the reader more to read.
    pub(super) fn send(&self, chunk: Bytes) {
        self.change(|state| state.chunks.push_back(chunk));
    }

    /// Nothing more comes. What was sent before is still read, unless the connection broke.
    pub(super) fn end(&self, end: End) {
        self.change(|state| {
            if end == End::Broken {
                state.chunks.clear();
            }
            state.end.get_or_insert(end);
        });
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        let wakers = {
            let mut state = self.state();
            change(&mut state);
            [state.reader.take(), state.writer.take()]
        };
        wakers.into_iter().flatten().for_each(Waker::wake);
    }

    /// Whether nobody reads any more, or nothing more may be sent.
    pub(super) fn is_closed(&self) -> bool {
        let state = self.state();
        state.closed || state.end.is_some()
    }

    /// Has the writer woken when the reader goes.
    pub(super) fn wake_writer(&self, waker: &Waker) {
        self.state().writer = Some(waker.clone());
    }

    fn poll_chunk(&self, context: &Context<'_>) -> Poll<Option<Result<Bytes, Broken>>> {
        let mut state = self.state();
        if let Some(chunk) = state.chunks.pop_front() {
            return Poll::Ready(Some(Ok(chunk)));
        }
        match state.end {
            Some(End::Over) => Poll::Ready(None),
            Some(End::Broken) => {
                state.end = Some(End::Over);
                Poll::Ready(Some(Err(Broken)))
            }
            None => {
                state.reader = Some(context.waker().clone());
                Poll::Pending
            }
        }
    }
}

impl SimBody {
    pub(super) fn full(bytes: Bytes) -> Self {
        Self(Kind::Full(Some(bytes)))
    }

    pub(super) fn stream(pipe: &Pipe) -> Self {
        Self(Kind::Stream(pipe.clone()))
    }
}

impl Body for SimBody {
    type Data = Bytes;
    type Error = Broken;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Broken>>> {
        match &mut self.0 {
            Kind::Full(bytes) => Poll::Ready(bytes.take().map(|bytes| Ok(Frame::data(bytes)))),
            Kind::Stream(pipe) => pipe
                .poll_chunk(context)
                .map(|chunk| chunk.map(|chunk| chunk.map(Frame::data))),
        }
    }
}

impl Drop for SimBody {
    fn drop(&mut self) {
        if let Kind::Stream(pipe) = &self.0 {
            pipe.change(|state| {
                state.closed = true;
                state.chunks.clear();
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(body: &mut SimBody) -> Poll<Option<Result<Bytes, Broken>>> {
        let mut context = Context::from_waker(Waker::noop());
        Pin::new(body)
            .poll_frame(&mut context)
            .map(|frame| frame.map(|frame| frame.map(|frame| frame.into_data().unwrap())))
    }

    #[test]
    fn a_stream_is_read_in_order_until_its_end() {
        let pipe = Pipe::default();
        let mut body = SimBody::stream(&pipe);
        assert!(read(&mut body).is_pending());
        pipe.send(Bytes::from_static(b"a"));
        pipe.send(Bytes::from_static(b"b"));
        pipe.end(End::Over);
        assert_eq!(
            read(&mut body),
            Poll::Ready(Some(Ok(Bytes::from_static(b"a"))))
        );
        assert_eq!(
            read(&mut body),
            Poll::Ready(Some(Ok(Bytes::from_static(b"b"))))
        );
        assert_eq!(read(&mut body), Poll::Ready(None));
    }

    #[test]
    fn a_broken_stream_says_so_once() {
        let pipe = Pipe::default();
        let mut body = SimBody::stream(&pipe);
        pipe.send(Bytes::from_static(b"a"));
        pipe.end(End::Broken);
        assert_eq!(read(&mut body), Poll::Ready(Some(Err(Broken))));
        assert_eq!(read(&mut body), Poll::Ready(None));
    }

    #[test]
    fn whoever_sends_learns_that_nobody_reads() {
        let pipe = Pipe::default();
        drop(SimBody::stream(&pipe));
        assert!(pipe.is_closed());
    }
}
