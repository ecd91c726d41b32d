//! Contenders of ours in this process, each with a session of its own.

use std::sync::Arc;
use std::thread;
use std::time::Duration;

use tenure::elector::Backoff;
use tenure::zookeeper::{Ensemble, EnsembleBuilder};
use tenure::{CandidateName, Control, ElectionName, Leadership};
use tokio::sync::mpsc::UnboundedSender;
use tokio::sync::{Notify, oneshot};
use tokio::task::{JoinHandle, LocalSet};

use crate::harness;
use crate::scene::{SESSION, election};

/// That a contender's work runs since then.
pub(crate) struct Led {
    pub(crate) at: Duration,
    pub(crate) by: usize,
}

/// One contender.
pub(crate) struct Contender {
    control: Control,
    ensemble: Ensemble,
    released: Arc<Notify>,
    runs: JoinHandle<()>,
}

impl Contender {
    /// The ensemble that contenders stand in, below `base`.
    pub(crate) fn builder(servers: &str, base: &str) -> EnsembleBuilder {
        Ensemble::builder()
            .connect_string(servers)
            .base_path(base)
            .session_timeout(SESSION)
    }

    /// Opens the ensemble, and stands in its first election again and again.
    pub(crate) async fn stand(
        builder: EnsembleBuilder,
        number: usize,
        leads: UnboundedSender<Led>,
    ) -> Self {
        let ensemble = builder.open().await.expect("the servers serve");
        let name = ElectionName::new(&election(0)).expect("a plain word is a name");
        let lock = ensemble.lock(name).expect("a plain name");
        let builder = tenure::election(lock).expect("the machine has what an election needs");
        let candidate = CandidateName::new(&format!("c{number}")).expect("a plain word is a name");
        let built = builder.candidate(candidate).build();
        let mut elector = built.expect("the timing of the session");
        let control = elector.control();
        let released = Arc::new(Notify::new());
        let release = Arc::clone(&released);
        let runs = tokio::task::spawn_local(async move {
            let at_once = Backoff {
                first: Duration::from_millis(1),
                longest: Duration::from_millis(1),
            };
            let work = |_: Leadership| {
                let at = harness::now();
                // Whoever measures may have ended.
                drop(leads.send(Led { at, by: number }));
                let release = Arc::clone(&release);
                async move {
                    release.notified().await;
                    Ok::<(), String>(())
                }
            };
            drop(elector.run_forever(at_once, work).await);
        });
        Self {
            control,
            ensemble,
            released,
            runs,
        }
    }

    /// Has its work end, which gives the leadership to the next.
    pub(crate) fn release(&self) {
        self.released.notify_one();
    }

    /// Ends it, and its session.
    pub(crate) async fn close(self) {
        self.control.shut_down();
        self.release();
        self.runs.await.expect("an election does not panic");
        self.ensemble.close().await;
    }
}

/// A contender on a thread of its own: as between processes, what the last leader does after its release does not hold up the next one.
pub(crate) struct Apart {
    close: oneshot::Sender<()>,
    released: Arc<Notify>,
    thread: thread::JoinHandle<()>,
}

impl Apart {
    /// As [`Contender::stand`].
    pub(crate) async fn stand(
        servers: &str,
        base: &str,
        number: usize,
        leads: UnboundedSender<Led>,
    ) -> Self {
        let (servers, base) = (servers.to_owned(), base.to_owned());
        let (tell, stands) = oneshot::channel();
        let (close, asked) = oneshot::channel();
        let thread = thread::spawn(move || {
            let runtime = harness::runtime();
            LocalSet::new().block_on(&runtime, async move {
                let contender =
                    Contender::stand(Contender::builder(&servers, &base), number, leads).await;
                // Whoever asks may have ended.
                drop(tell.send(Arc::clone(&contender.released)));
                drop(asked.await);
                contender.close().await;
            });
        });
        Self {
            close,
            released: stands.await.expect("a contender does not panic"),
            thread,
        }
    }

    /// As [`Contender::release`].
    pub(crate) fn release(&self) {
        self.released.notify_one();
    }

    /// As [`Contender::close`].
    pub(crate) fn close(self) {
        drop(self.close);
        self.thread.join().expect("a contender does not panic");
    }
}
