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
        let never_or_always = measured.rate.hits == 0 || measured.rate.hits == measured.rate.of;
        assert!(
            !never_or_always || with_two == expected,
            "{label}: {with_two} of {runs}"
        );
    }
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
