use super::*;
use crate::TrueTime;
use crate::executor::NodeId;
use crate::invariants::Invariant;
use crate::plan::{Backend, Direction, Fault, NodePlan, PlannedFault, Span, Who};
use crate::trace::{Answer, Deed, Down, Life, Operation, RequestId, What, WorkEnd};

fn plan() -> Plan {
    let mut plan = Plan::generate(1, Backend::Lease);
    plan.nodes = vec![NodePlan::default(); 2];
    plan.nodes[1].name = Some("<b>pod</b>".to_owned());
    plan.quiet_from = Span::from_secs(80);
    plan.end = Span::from_secs(100);
    plan.faults = vec![PlannedFault {
        at: Span::from_secs(10),
        lasts: Some(Span::from_secs(5)),
        what: Fault::Cut {
            direction: Direction::Both,
            node: Who::Leader,
        },
    }];
    plan
}

fn at(seconds: u64) -> TrueTime {
    Span::from_secs(seconds).from_start()
}

fn record(seconds: u64, node: Option<u16>, what: What) -> Record {
    Record {
        at: at(seconds),
        node: node.map(NodeId),
        what,
    }
}

fn leads(token: u64, until: u64) -> What {
    What::Leads {
        token,
        sent: at(0),
        until: at(until),
    }
}

/// One leads, is cut off and lets its deadline pass; another leads while the first still works.
fn history() -> Vec<Record> {
    let request = RequestId(1);
    let acquired = What::Wrote {
        deed: Deed::Acquired,
        basis: None,
        version: Some(1),
        holder: Some(Life(1)),
        token: Some(1),
    };
    let sent = What::Sent {
        request,
        operation: Operation::Acquire,
        basis: None,
    };
    let answered = What::Answered {
        request,
        answer: Answer::Conflict,
    };
    let ended = What::WorkEnded {
        how: WorkEnd::Aborted,
        token: 1,
    };
    vec![
        record(0, Some(0), What::Up { life: Life(1) }),
        record(1, Some(1), What::Up { life: Life(2) }),
        record(2, None, acquired),
        record(2, Some(0), leads(1, 20)),
        record(2, Some(0), What::WorkBegan { token: 1 }),
        record(5, Some(0), leads(1, 25)),
        record(10, None, What::FaultBegan { fault: 0 }),
        record(11, Some(1), sent),
        record(12, Some(1), answered),
        record(15, None, What::FaultEnded { fault: 0 }),
        record(26, Some(1), leads(2, 90)),
        record(26, Some(1), What::WorkBegan { token: 2 }),
        record(28, Some(0), ended),
        record(60, Some(1), What::Down { how: Down::Crashed }),
        record(100, None, What::End),
    ]
}

fn breaches() -> Vec<Breach> {
    vec![Breach {
        at: at(26),
        invariant: Invariant::SingleLeader,
        what: "n1 and </script><script>alert(1)</script> lead".to_owned(),
    }]
}

fn heading() -> Heading {
    Heading {
        title: "<img src=x onerror=alert(1)>".to_owned(),
        sentence: "A & B.".to_owned(),
        ..Heading::default()
    }
}

#[test]
fn the_text_tells_each_transition_with_the_lanes_of_all_nodes() {
    let plan = plan();
    let (history, breaches) = (history(), breaches());
    let text = Report::of(&plan, &history, &breaches, heading()).text();
    for line in [
        "       2.000    W.   n0 begins to work (token 1)",
        "      10.000 *  W.   fault 1, cut leader, direction both, begins",
        "      25.000    w.   n0 leads no longer by its own clock (token 1)",
        "      26.000    wW   n1 begins to work (token 2)",
        "      28.000    .W   n0 works no longer: it was aborted (token 1)",
        "      60.000    .    n1 is killed",
    ] {
        assert!(text.contains(line), "{line}\n{text}");
    }
    assert!(
        text.contains(" !  wW   VIOLATION of single-leader: n1"),
        "{text}"
    );
    assert!(text.contains("TWO worked for 2.00 s"), "{text}");
    assert!(!text.contains("renewed"), "{text}");
}

#[test]
fn a_page_carries_all_lanes_and_needs_nothing_from_anywhere() {
    let plan = plan();
    let (history, breaches) = (history(), breaches());
    let page = Report::of(&plan, &history, &breaches, heading()).html();
    let data = data(&page);
    let node = &data["nodes"][0];
    assert_eq!(
        node["belief"][0],
        serde_json::json!([2_000_000, 25_000_000, "token 1"])
    );
    assert_eq!(
        node["work"][0],
        serde_json::json!([2_000_000, 28_000_000, "token 1"])
    );
    assert_eq!(data["nodes"][1]["up"][0][1], 60_000_000);
    assert_eq!(data["faults"][0]["node"], 0);
    assert_eq!(data["faults"][0]["to"], 15_000_000);
    assert_eq!(data["lock"][0]["what"], "n0");
    assert_eq!(
        data["requests"][0]["answer"],
        "conflict: somebody was first"
    );
    for outside in ["http://", "https://", "src=\"", "@import", "url(h"] {
        let allowed = page.replace("http://www.w3.org/2000/svg", "");
        assert!(!allowed.contains(outside), "{outside}");
    }
}

#[test]
fn what_others_wrote_is_text_in_a_page_and_nothing_else() {
    let plan = plan();
    let (history, breaches) = (history(), breaches());
    let page = Report::of(&plan, &history, &breaches, heading()).html();
    assert!(page.contains("&lt;img src=x onerror=alert(1)&gt;"));
    for raw in ["<img", "<b>pod", "<script>alert"] {
        assert!(!page.contains(raw), "{raw}");
    }
    assert_eq!(page.matches("</script>").count(), 2);
    assert_eq!(data(&page)["nodes"][1]["name"], "n1 <b>pod</b>");
}

#[test]
fn a_long_run_makes_no_heavy_page() {
    let plan = plan();
    let mut history = history();
    let end = history.pop();
    for n in 0..30_000_u32 {
        let request = RequestId(n + 10);
        let sent = What::Sent {
            request,
            operation: Operation::Observe,
            basis: None,
        };
        let answer = Answer::Done;
        history.push(record(61 + u64::from(n) / 1_000, Some(0), sent));
        let answered = What::Answered { request, answer };
        history.push(record(61 + u64::from(n) / 1_000, Some(0), answered));
    }
    history.extend(end);
    let page = Report::of(&plan, &history, &[], heading()).html();
    assert!(page.len() < 100_000, "{}", page.len());
    let counts = data(&page)["counts"].clone();
    let sum: u64 = counts
        .as_array()
        .unwrap()
        .iter()
        .filter_map(serde_json::Value::as_u64)
        .sum();
    assert_eq!(sum, 30_001);
}

fn data(page: &str) -> serde_json::Value {
    let start = "<script type=\"application/json\" id=\"run\">";
    let begin = page.find(start).unwrap() + start.len();
    let length = page[begin..].find("</script>").unwrap();
    serde_json::from_str(&page[begin..begin + length]).unwrap()
}
