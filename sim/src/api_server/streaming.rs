use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use serde_json::Value;

use super::body::{End, Pipe};
use super::condition::Watching;
use super::link::{Letter, Link};
use super::managed;
use super::request::Asked;
use super::servers::ApiServers;
use super::status::Failure;
use super::watch::{Watch, error_event};
use crate::TrueTime;

/// How often a watch is told up to where it has been told everything.
const BOOKMARK_EVERY: Duration = Duration::from_secs(60);
/// How long before its end it is told so as well.
const BOOKMARK_BEFORE_END: Duration = Duration::from_secs(2);
/// How long a watch lasts that does not say.
const LASTS: Duration = Duration::from_secs(1_800);
/// How often what could not be sent is sent again.
const SENT_AGAIN_AFTER: Duration = Duration::from_secs(1);

/// A watch that is being served.
pub(super) struct Session {
    api: ApiServers,
    bookmarks: bool,
    ends: TrueTime,
    link: Link,
    next_bookmark: TrueTime,
    pipe: Pipe,
    server: usize,
}

impl Session {
    pub(super) fn new(api: &ApiServers, letter: &Letter, asked: &Asked, pipe: Pipe) -> Self {
        let now = api.handle().now();
        let lasts = asked.options.timeout_s.map_or(LASTS, Duration::from_secs);
        let ends = now.plus(lasts);
        let before_end = match lasts.checked_sub(BOOKMARK_BEFORE_END) {
            Some(most) if !most.is_zero() => now.plus(most),
            _ => ends.plus(BOOKMARK_EVERY),
        };
        Self {
            api: api.clone(),
            bookmarks: asked.options.bookmarks,
            ends,
            link: letter.link.clone(),
            next_bookmark: now.plus(BOOKMARK_EVERY).min(before_end),
            pipe,
            server: letter.server,
        }
    }

    /// Serves the watch to its end.
    pub(super) async fn run(mut self, begun: Result<(Watch, Vec<Value>), Failure>) {
        let (mut watch, first) = match begun {
            Ok(begun) => begun,
            Err(gone) => {
                self.tell(&[error_event(&gone)]).await;
                return self.pipe.end(End::Over);
            }
        };
        if !first.is_empty() && !self.tell(&first).await {
            return;
        }
        loop {
            let moment = self.api.state().moment(self.server);
            let Some(until) = self.tell_news(&mut watch).await else {
                return;
            };
            if self.api.handle().now() >= self.ends {
                return self.pipe.end(End::Over);
            }
            self.wait(until, moment).await;
            if self.pipe.is_closed() {
                return;
            }
        }
    }

    /// Tells what has happened. When to look again at the latest; nothing when the watch has ended.
    async fn tell_news(&mut self, watch: &mut Watch) -> Option<TrueTime> {
        self.api.pass(self.server).await;
        let now = self.api.handle().now();
        let (watching, visible, news) = {
            let mut state = self.api.state();
            let visible = state.visible(self.server, now);
            let news = watch.next(&state.store, visible);
            (state.watching(self.server), visible, news)
        };
        let mut news = match (watching, news) {
            (Watching::Ended, _) => {
                self.pipe.end(End::Over);
                return None;
            }
            (Watching::Silent, _) => {
                self.fall_silent().await;
                return None;
            }
            (Watching::Works, Ok(news)) => news,
            (Watching::Works, Err(gone)) => {
                self.tell(&[error_event(&gone)]).await;
                self.pipe.end(End::Over);
                return None;
            }
        };
        if self.bookmarks && now >= self.next_bookmark {
            news.push(watch.bookmark(visible));
            self.next_bookmark = if self.ends.since(now) > BOOKMARK_EVERY + BOOKMARK_BEFORE_END {
                now.plus(BOOKMARK_EVERY)
            } else if self.ends.since(now) > BOOKMARK_BEFORE_END {
                TrueTime::from_nanos(self.ends.nanos().saturating_sub(2_000_000_000))
            } else {
                self.ends.plus(BOOKMARK_EVERY)
            };
        }
        if !news.is_empty() && !self.tell(&news).await {
            return None;
        }
        let next = self.api.state().next_visible(self.server);
        let bookmark = if self.bookmarks {
            self.next_bookmark
        } else {
            self.ends
        };
        Some(next.unwrap_or(self.ends).min(bookmark).min(self.ends))
    }

    /// Waits for something to happen, or for a time.
    async fn wait(&self, until: TrueTime, moment: (u64, u64)) {
        let mut sleep = pin!(self.api.handle().sleep_until(until));
        poll_fn(|context| {
            if self.pipe.is_closed() || sleep.as_mut().poll(context).is_ready() {
                return Poll::Ready(());
            }
            let mut state = self.api.state();
            // What is there but cannot be seen yet is waited for by time.
            if state.moment(self.server) != moment {
                return Poll::Ready(());
            }
            state.sleep(context.waker());
            self.pipe.wake_writer(context.waker());
            Poll::Pending
        })
        .await;
    }

    /// Sends lines over the link, after those that were sent before. Whether the watch goes on.
    async fn tell(&self, events: &[Value]) -> bool {
        let mut lines = Vec::new();
        for event in events {
            managed::write(event, &mut lines);
            lines.push(b'\n');
        }
        let route = self.link.route();
        let Some(takes) = route.reply else {
            if route.told.is_some() {
                self.pipe.end(End::Broken);
            } else {
                self.fall_silent().await;
            }
            return false;
        };
        self.api.handle().sleep(takes).await;
        self.link.pass().await;
        while !self.link.lets_replies() {
            // Sent again and again, until the link is healed or a middlebox has forgotten the connection.
            if route.told.is_none() || self.pipe.is_closed() {
                self.fall_silent().await;
                return false;
            }
            self.api.handle().sleep(SENT_AGAIN_AFTER).await;
        }
        self.pipe.send(lines.into());
        !self.pipe.is_closed()
    }

    /// Nothing more comes, and nobody is told: not even that the time is over.
    async fn fall_silent(&self) {
        poll_fn(|context| {
            if self.pipe.is_closed() {
                return Poll::Ready(());
            }
            self.pipe.wake_writer(context.waker());
            Poll::Pending
        })
        .await;
    }
}
