//! The servers in the world, under the real client.

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::task::Poll;
use std::time::Duration;

use http::{Method, Request, Response};
use http_body::Body as _;
use kube::client::Body;
use serde_json::{Value, json};

use super::*;
use crate::plan::Span;

const LEASES: &str = "/apis/coordination.k8s.io/v1/namespaces/default/leases";

async fn send(
    client: &kube::Client,
    method: Method,
    path: &str,
    body: Value,
) -> Result<Response<Body>, kube::Error> {
    let body = if body.is_null() {
        Vec::new()
    } else {
        body.to_string().into_bytes()
    };
    let request = Request::builder()
        .method(method)
        .uri(path)
        .body(Body::from(body));
    client.send(request.unwrap()).await
}

async fn ask(client: &kube::Client, method: Method, path: &str, body: Value) -> (u16, Value) {
    let response = send(client, method, path, body).await.unwrap();
    let code = response.status().as_u16();
    let bytes = response.into_body().collect_bytes().await.unwrap();
    (code, serde_json::from_slice(&bytes).unwrap())
}

fn lease(holder: &str) -> Value {
    json!({ "metadata": { "name": "x" }, "spec": { "holderIdentity": holder } })
}

async fn hold(client: &kube::Client, holder: &str) -> Value {
    let path = format!("{LEASES}/x");
    let (_, mut live) = ask(client, Method::GET, &path, Value::Null).await;
    live["spec"]["holderIdentity"] = holder.into();
    ask(client, Method::PUT, &path, live).await.1
}

/// The next event of a watch; nothing when none comes for so long, or ever.
async fn next_event(world: &Alone, body: &mut Body, within: Duration) -> Option<Value> {
    let mut wait = pin!(world.handle().sleep(within));
    let frame = poll_fn(|context| match Pin::new(&mut *body).poll_frame(context) {
        Poll::Ready(frame) => Poll::Ready(frame),
        Poll::Pending => wait.as_mut().poll(context).map(|()| None),
    });
    let data = frame.await?.ok()?.into_data().ok()?;
    Some(serde_json::from_slice(&data).unwrap())
}

const SOON: Duration = Duration::from_secs(10);

#[test]
fn the_real_client_reads_what_it_wrote_and_the_same_seed_does_the_same() {
    let run = || {
        Alone::run(7, 2, |world| async move {
            let client = world.client(ADMINISTRATOR);
            let (code, made) = ask(&client, Method::POST, LEASES, lease("a")).await;
            assert_eq!(code, 201);
            let (code, read) = ask(&client, Method::GET, &format!("{LEASES}/x"), Value::Null).await;
            assert_eq!((code, &read), (200, &made));
            (made, world.handle().now())
        })
    };
    assert_eq!(run(), run());
}

#[test]
fn of_two_updates_with_one_version_one_is_refused() {
    Alone::run(1, 1, |world| async move {
        let client = world.client(ADMINISTRATOR);
        let (_, made) = ask(&client, Method::POST, LEASES, lease("a")).await;
        let path = format!("{LEASES}/x");
        let one = ask(&client, Method::PUT, &path, made.clone());
        let mut held = made;
        held["spec"]["holderIdentity"] = "b".into();
        let other = ask(&client, Method::PUT, &path, held.clone());
        assert_eq!(one.await.0, 200);
        assert_eq!(other.await.0, 200);
        assert_eq!(ask(&client, Method::PUT, &path, held).await.0, 409);
    });
}

#[test]
fn a_watch_tells_each_change_once_and_in_order() {
    Alone::run(3, 1, |world| async move {
        let client = world.client(ADMINISTRATOR);
        ask(&client, Method::POST, LEASES, lease("a")).await;
        let path = format!("{LEASES}?watch=1&fieldSelector=metadata.name%3Dx");
        let watch = send(&client, Method::GET, &path, Value::Null)
            .await
            .unwrap();
        let mut body = watch.into_body();
        let mut told = Vec::new();
        for holder in ["b", "c", "d"] {
            hold(&client, holder).await;
        }
        while let Some(event) = next_event(&world, &mut body, SOON).await {
            told.push(
                event["object"]["spec"]["holderIdentity"]
                    .as_str()
                    .unwrap()
                    .to_owned(),
            );
            if told.len() == 4 {
                break;
            }
        }
        assert_eq!(told, ["a", "b", "c", "d"]);
    });
}

#[test]
fn a_server_that_lags_has_an_old_cache_and_a_new_store() {
    Alone::run(4, 2, |world| async move {
        let quick = world.client(ADMINISTRATOR);
        let lagging = world
            .link(1, ADMINISTRATOR, 1)
            .client(world.host(), "default");
        ask(&quick, Method::POST, LEASES, lease("a")).await;
        world.handle().sleep(Duration::from_secs(1)).await;
        let lag = Condition {
            lag: Span::from_secs(60),
            ..Condition::default()
        };
        ask(
            &lagging,
            Method::GET,
            &format!("{LEASES}/x?resourceVersion=0"),
            Value::Null,
        )
        .await;
        world.api().set_condition(1, lag);
        hold(&quick, "b").await;
        let holder = |answer: Value| answer["spec"]["holderIdentity"].clone();
        let path = format!("{LEASES}/x");
        let (_, new) = ask(&lagging, Method::GET, &path, Value::Null).await;
        let (_, old) = ask(
            &lagging,
            Method::GET,
            &format!("{path}?resourceVersion=0"),
            Value::Null,
        )
        .await;
        assert_eq!((holder(new), holder(old)), (json!("b"), json!("a")));
        let path = format!("{LEASES}?watch=1");
        let watch = send(&lagging, Method::GET, &path, Value::Null)
            .await
            .unwrap();
        let mut body = watch.into_body();
        let first = next_event(&world, &mut body, SOON).await.unwrap();
        assert_eq!(holder(first["object"].clone()), "a");
        assert_eq!(next_event(&world, &mut body, SOON).await, None);
        let late = next_event(&world, &mut body, Duration::from_secs(60))
            .await
            .unwrap();
        assert_eq!(holder(late["object"].clone()), "b");
    });
}

#[test]
fn a_watch_from_before_what_is_known_is_told_that_it_is_gone() {
    for at_once in [false, true] {
        Alone::run(5, 1, move |world| async move {
            let client = world.client(ADMINISTRATOR);
            let (_, made) = ask(&client, Method::POST, LEASES, lease("a")).await;
            hold(&client, "b").await;
            hold(&client, "c").await;
            world.api().compact();
            let condition = Condition {
                gone_at_once: at_once,
                ..Condition::default()
            };
            world.api().set_condition(0, condition);
            let version = made["metadata"]["resourceVersion"].as_str().unwrap();
            let path = format!("{LEASES}?watch=1&resourceVersion={version}");
            let (code, answer) = ask(&client, Method::GET, &path, Value::Null).await;
            let status = if at_once { &answer } else { &answer["object"] };
            assert_eq!(code, if at_once { 410 } else { 200 });
            assert_eq!(
                (&status["code"], &status["reason"]),
                (&json!(410), &json!("Expired"))
            );
        });
    }
}

#[test]
fn a_write_takes_effect_though_its_caller_has_gone_or_is_not_answered() {
    Alone::run(6, 1, |world| async move {
        let client = world.client(ADMINISTRATOR);
        ask(&client, Method::POST, LEASES, lease("a")).await;
        let path = format!("{LEASES}/x");
        let (_, mut held) = ask(&client, Method::GET, &path, Value::Null).await;
        held["spec"]["holderIdentity"] = "late".into();
        let slow = Condition {
            slow: Span::from_secs(20),
            ..Condition::default()
        };
        world.api().set_condition(0, slow);
        {
            // Polled until it is sent, and then given up.
            let mut put = pin!(send(&client, Method::PUT, &path, held));
            let mut wait = pin!(world.handle().sleep(Duration::from_micros(50)));
            poll_fn(|context| {
                assert!(put.as_mut().poll(context).is_pending());
                wait.as_mut().poll(context)
            })
            .await;
        }
        world.handle().sleep(Duration::from_secs(30)).await;
        world.api().set_condition(0, Condition::default());
        let key = Key::new(Kind::Lease, "default", "x");
        assert_eq!(
            world.api().object(&key).unwrap()["spec"]["holderIdentity"],
            "late"
        );
    });
}

#[test]
fn a_failure_after_the_effect_is_one_and_a_failure_before_it_is_none() {
    Alone::run(8, 1, |world| async move {
        let client = world.client(ADMINISTRATOR);
        ask(&client, Method::POST, LEASES, lease("a")).await;
        let key = Key::new(Kind::Lease, "default", "x");
        let path = format!("{LEASES}/x");
        for (fails, effect) in [
            (Fails::TimedOut, true),
            (Fails::Unavailable, true),
            (Fails::Internal, false),
            (Fails::Throttled, false),
        ] {
            let (_, mut held) = ask(&client, Method::GET, &path, Value::Null).await;
            let holder = format!("{fails:?}");
            held["spec"]["holderIdentity"] = holder.clone().into();
            let always = Some((1_000, fails));
            let condition = if effect {
                Condition {
                    fails_after: always,
                    ..Condition::default()
                }
            } else {
                Condition {
                    fails: always,
                    ..Condition::default()
                }
            };
            world.api().set_condition(0, condition);
            let (code, _) = ask(&client, Method::PUT, &path, held).await;
            assert!(matches!(code, 429 | 500 | 503 | 504), "{code}");
            world.api().set_condition(0, Condition::default());
            let found = world.api().object(&key).unwrap();
            assert_eq!(
                found["spec"]["holderIdentity"] == *holder,
                effect,
                "{fails:?}"
            );
        }
    });
}

#[test]
fn a_server_that_goes_breaks_its_connections_and_the_next_is_asked() {
    Alone::run(9, 2, |world| async move {
        let link = world.link(0, ADMINISTRATOR, 0);
        let client = link.client(world.host(), "default");
        ask(&client, Method::POST, LEASES, lease("a")).await;
        let path = format!("{LEASES}?watch=1");
        let watch = send(&client, Method::GET, &path, Value::Null)
            .await
            .unwrap();
        let mut body = watch.into_body();
        assert!(next_event(&world, &mut body, SOON).await.is_some());
        world.api().set_condition(
            0,
            Condition {
                away: true,
                ..Condition::default()
            },
        );
        link.server_went(0);
        let end = poll_fn(|context| Pin::new(&mut body).poll_frame(context)).await;
        assert!(end.unwrap().is_err());
        let (code, _) = ask(&client, Method::GET, &format!("{LEASES}/x"), Value::Null).await;
        assert_eq!(code, 200);
    });
}

#[test]
fn rights_are_withdrawn_and_granted_and_a_token_expires_and_is_renewed() {
    Alone::run(10, 1, |world| async move {
        let link = world.link(0, ADMINISTRATOR, 0);
        let client = link.client(world.host(), "default");
        let path = format!("{LEASES}/x");
        let get =
            async |client: &kube::Client| ask(client, Method::GET, &path, Value::Null).await.0;
        assert_eq!(get(&client).await, 404);
        world
            .api()
            .change_rights(|rights| rights.withdraw(ADMINISTRATOR, Verb::Get, Kind::Lease));
        assert_eq!(get(&client).await, 403);
        link.set_token_expired(true);
        assert_eq!(get(&client).await, 401);
        link.set_token_expired(false);
        world.api().change_rights(|rights| {
            rights.grant(Rule {
                subject: ADMINISTRATOR.to_owned(),
                verbs: vec![Verb::Get],
                kind: Kind::Lease,
                names: vec!["x".to_owned()],
            });
        });
        assert_eq!(get(&client).await, 404);
    });
}

#[test]
fn the_script_of_the_differential_test_is_answered_to_its_end() {
    let exchanges = differential::simulated(1).unwrap();
    assert!(exchanges.len() > 100, "{}", exchanges.len());
    assert_eq!(
        differential::compare(&exchanges, &differential::simulated(2).unwrap()),
        []
    );
}
