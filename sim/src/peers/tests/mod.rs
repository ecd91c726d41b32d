mod camel;
mod client_go;
mod desk;

use super::*;

const SEEDS: u64 = 40;

fn cell(measured: &Measured) -> Cell {
    let pattern = Pattern::find(measured.pattern).unwrap();
    pattern.cell(Some(measured.peer), SEEDS)
}

#[test]
fn client_go_has_two_leaders_about_as_often_as_its_own_code_had() {
    for measured in Measured::ALL {
        let Cell { runs, with_two, .. } = cell(&measured);
        let expected = measured.rate.hits * runs / measured.rate.of;
        let label = measured.label;
        assert!(
            with_two.abs_diff(expected) <= 10,
            "{label}: {with_two} of {runs}"
        );
    }
}

#[test]
fn ours_never_has_two_leaders_under_what_others_fail_under() {
    for pattern in Pattern::ALL {
        let name = pattern.name;
        assert_eq!(pattern.cell(None, SEEDS).with_two, 0, "{name}");
    }
    // And it is struck by it: somebody leads when it begins.
    for name in ["cut/2", "hung/3", "crash/3", "paused/2"] {
        let cell = Pattern::find(name).unwrap().cell(None, SEEDS);
        assert!(cell.leaderless_median.as_millis() > 100, "{name}: {cell:?}");
    }
}

#[test]
fn camel_fails_where_it_was_seen_to_fail() {
    let cell = |name| {
        let pattern = Pattern::find(name).unwrap();
        pattern.cell(Some(Peer::Camel), SEEDS)
    };
    let nobody_for = |name| cell(name).leaderless_median.as_secs();
    assert!(nobody_for("unsaid/3") > 100, "{:?}", cell("unsaid/3"));
    assert!(nobody_for("hung/3") > 100, "{:?}", cell("hung/3"));
    assert!(nobody_for("crash/3") < 20, "{:?}", cell("crash/3"));
    assert!(cell("deleted/3").with_two > 0);
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
    let table = compare(3, |done, of| told.push((done, of)));
    assert_eq!(told.last().map(|(done, of)| done == of), Some(true));
    let text = table.to_string();
    assert!(text.contains("cut/5") && text.contains("B'"), "{text}");
}
