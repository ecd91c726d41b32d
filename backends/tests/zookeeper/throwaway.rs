use crate::client::{session, wait};
use std::time::{Duration, Instant};
use tenure_backends::zookeeper::simulated::Mode;
use tenure_testkit::Ensemble;

#[test]
fn nodelay() {
    let ensemble = Ensemble::start(1);
    wait(async {
        let s = session(&ensemble.direct_connect_string()).await;
        s.create("/n", b"", Mode::Persistent).await.unwrap();
        let pct = |mut v: Vec<Duration>| {
            v.sort();
            (v[v.len() / 2], v[v.len() * 9 / 10], v[v.len() * 99 / 100])
        };
        let mut get = vec![];
        let mut set = vec![];
        let mut after = vec![];
        let mut back = vec![];
        for _ in 0..500 {
            let t = Instant::now();
            s.get("/n").await.unwrap();
            get.push(t.elapsed());
            let t = Instant::now();
            s.set("/n", b"x", None).await.unwrap();
            set.push(t.elapsed());
            let first = s.set("/n", b"x", None);
            let t = Instant::now();
            while t.elapsed() < Duration::from_micros(300) {
                tokio::task::yield_now().await;
            }
            let t = Instant::now();
            let second = s.get("/n");
            second.await.unwrap();
            after.push(t.elapsed());
            first.await.unwrap();
            // three small writes apart
            let t = Instant::now();
            let mut all = vec![];
            for _ in 0..3 {
                all.push(s.set("/n", b"x", None));
                let t = Instant::now();
                while t.elapsed() < Duration::from_micros(100) {
                    tokio::task::yield_now().await;
                }
            }
            for a in all {
                a.await.unwrap();
            }
            back.push(t.elapsed());
        }
        eprintln!(
            "MEASURED get {:?} set {:?} get 0.3 ms after a set {:?} three sets 0.1 ms apart {:?}",
            pct(get),
            pct(set),
            pct(after),
            pct(back)
        );
    });
}
