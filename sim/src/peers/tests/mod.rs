mod camel;
mod client_go;
mod curator;
mod desk;
mod document;
mod ensembles;

use super::*;

const SEEDS: u64 = 40;

fn cell(pattern: &str, peer: Option<Peer>) -> Cell {
    Pattern::find(pattern).unwrap().cell(peer, SEEDS)
}

#[test]
fn others_fail_about_as_often_as_their_own_code_did() {
    for measured in Measured::ALL {
        let cell = cell(measured.pattern, Some(measured.peer));
        let here = Rate {
            hits: cell.failed(measured.failing),
            of: cell.runs,
        };
        let Measured { label, rate, .. } = measured;
        assert!(rate.agrees_with(here), "{label}: {here:?}, not {rate:?}");
    }
}

#[test]
fn ours_fails_in_none_of_the_ways_that_others_do() {
    for pattern in Pattern::all() {
        let name = pattern.name;
        let cell = pattern.cell(None, SEEDS);
        assert_eq!((cell.with_two, cell.with_nobody), (0, 0), "{name}");
    }
    // And it is struck by it: somebody leads when it begins.
    for name in ["cut/2", "deleted/3", "edited/3", "hung/3", "paused/2"] {
        let cell = cell(name, None);
        assert!(cell.leaderless.middle.as_millis() > 100, "{name}: {cell:?}");
    }
}

#[test]
fn camel_is_left_without_a_leader_by_one_refused_renewal() {
    for pattern in ["edited/3", "unsaid/3"] {
        let cell = cell(pattern, Some(Peer::Camel));
        assert_eq!(cell.with_nobody, SEEDS, "{pattern}: {cell:?}");
    }
}

#[test]
fn camel_never_replaces_a_dead_pod_that_is_left_ready() {
    let hung = cell("hung/3", Some(Peer::Camel));
    assert_eq!(hung.with_nobody, SEEDS, "{hung:?}");
    let crash = cell("crash/3", Some(Peer::Camel));
    assert_eq!(crash.with_nobody, 0, "{crash:?}");
}

#[test]
fn camel_leads_twice_for_moments_when_its_lease_is_deleted() {
    let deleted = cell("deleted/3", Some(Peer::Camel));
    assert!((1..SEEDS / 2).contains(&deleted.with_two), "{deleted:?}");
}

#[test]
fn a_peer_is_found_by_its_name() {
    for peer in Peer::ALL {
        assert_eq!(peer.to_string().parse(), Ok(peer));
    }
    let error = "zookeeper".parse::<Peer>().unwrap_err().to_string();
    assert!(
        error.contains("client-go-release-no-timeout, camel"),
        "{error}"
    );
}

#[test]
fn the_table_says_what_happened() {
    let mut told = Vec::new();
    let mut table = compare(3, |done, of| told.push((done, of)));
    assert_eq!(told.last().map(|(done, of)| done == of), Some(true));
    let text = table.to_string();
    assert!(text.contains("cut/5") && text.contains("B'"), "{text}");
    assert!(text.ends_with("All rows agree with what was measured.\n"));
    assert!(table.is_as_it_should_be(), "{text}");

    let row = &mut table.agreements[0];
    row.here.hits = 1;
    let text = table.to_string();
    assert!(text.ends_with("Rows that differ: A.\n"), "{text}");
    assert!(!table.is_as_it_should_be());

    let row = &mut table.agreements[0];
    (row.here.hits, row.ours) = (0, 1);
    assert!(!table.is_as_it_should_be());
}

#[test]
fn a_length_that_differs_is_told_once_there_are_runs_enough() {
    let mut table = Table {
        agreements: Vec::new(),
        lengths: MeasuredLength::ALL
            .map(|measured| LengthAgreement {
                here: Spread::default(),
                measured,
                ours: Spread::default(),
                runs: MeasuredLength::RUNS_LEAST - 1,
            })
            .to_vec(),
        rows: Vec::new(),
    };
    assert!(table.is_as_it_should_be());
    table.lengths[0].runs += 1;
    assert!(!table.is_as_it_should_be());
    let text = table.to_string();
    assert!(text.ends_with("Rows that differ: N.\n"), "{text}");
    let most = MeasuredLength::ALL[0].most;
    table.lengths[0].here.most = most;
    assert!(table.is_as_it_should_be());
}

#[test]
fn a_table_in_which_ours_led_twice_is_not_as_it_should_be() {
    let pattern = Pattern::OF_LEASES[0];
    let row = |with_two| Row {
        cells: vec![(
            None,
            Cell {
                with_two,
                ..Cell::default()
            },
        )],
        pattern,
    };
    let table = |with_two| Table {
        agreements: Vec::new(),
        lengths: Vec::new(),
        rows: vec![row(with_two)],
    };
    assert!(table(0).is_as_it_should_be());
    assert!(!table(1).is_as_it_should_be());
}
