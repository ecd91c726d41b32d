use super::*;

const MINUTE: Duration = Duration::from_secs(60);
const YEAR: Duration = Duration::from_secs(365 * 86_400);

/// A true time, as a wall clock and as readings.
fn at(seconds: u64) -> (WallTime, Reading) {
    let wall = WallTime::from_unix_seconds(1_000_000_000 + seconds);
    (wall, Reading::both(Nanos::from_millis(seconds * 1000)))
}

fn witness(source: WitnessSource, seconds: u64, ahead: Duration) -> Witness {
    let (wall, reading) = at(seconds);
    Witness {
        source,
        not_before: reading,
        not_after: reading,
        wall: wall.saturating_add(ahead),
    }
}

fn store(seconds: u64) -> Witness {
    witness(WitnessSource::Store, seconds, Duration::ZERO)
}

fn leader(seconds: u64, ahead: Duration) -> Witness {
    witness(WitnessSource::LastLeader, seconds, ahead)
}

/// What a clock that is `ahead` thinks of itself.
fn judge(ahead: Duration, ledger: Option<WallTime>, witnesses: &[Witness]) -> Verdict {
    let (wall, now) = at(500);
    ClockGuard::new(MINUTE).judge(wall.saturating_add(ahead), now, ledger, witnesses)
}

#[test]
fn a_clock_that_nothing_speaks_against_is_trusted() {
    assert_eq!(judge(Duration::ZERO, None, &[]), Verdict::Trusted);
    assert_eq!(judge(Duration::ZERO, Some(at(0).0), &[]), Verdict::Trusted);
    assert_eq!(judge(MINUTE, None, &[store(500)]), Verdict::Trusted);
    assert_eq!(
        judge(Duration::ZERO, Some(at(560).0), &[]),
        Verdict::Trusted
    );
}

#[test]
fn a_clock_a_year_ahead_of_any_other_fires_nothing() {
    let apart = |from| Verdict::Doubtful(Doubt::Apart { from, by: YEAR });
    assert_eq!(
        judge(YEAR, None, &[store(500)]),
        apart(WitnessSource::Store)
    );
    let last = leader(500, Duration::ZERO);
    assert_eq!(judge(YEAR, None, &[last]), apart(WitnessSource::LastLeader));
}

#[test]
fn a_clock_behind_the_ledger_fires_nothing() {
    let verdict = judge(Duration::ZERO, Some(at(561).0), &[]);
    let by = Duration::from_secs(61);
    assert_eq!(verdict, Verdict::Doubtful(Doubt::BehindLedger { by }));
}

#[test]
fn a_ledger_from_the_future_is_overruled_only_by_two_clocks() {
    let future = Some(at(500).0.saturating_add(YEAR));
    assert_eq!(
        judge(Duration::ZERO, future, &[store(500)]),
        Verdict::LedgerFromFuture
    );
    let sane = leader(500, Duration::ZERO);
    assert_eq!(
        judge(Duration::ZERO, future, &[sane]),
        Verdict::LedgerFromFuture
    );
    assert!(matches!(
        judge(Duration::ZERO, future, &[]),
        Verdict::Doubtful(_)
    ));
    let who_wrote_it = leader(500, YEAR);
    assert!(matches!(
        judge(Duration::ZERO, future, &[who_wrote_it]),
        Verdict::Doubtful(_)
    ));
}

#[test]
fn the_store_outweighs_the_last_leader() {
    let insane = leader(500, YEAR);
    assert_eq!(
        judge(Duration::ZERO, None, &[insane, store(500)]),
        Verdict::Trusted
    );
    assert!(matches!(
        judge(YEAR, None, &[insane, store(500)]),
        Verdict::Doubtful(_)
    ));
}

#[test]
fn a_witness_counts_until_it_is_too_old_to_tell() {
    let mut guard = ClockGuard::new(MINUTE);
    let (wall, now) = at(5000);
    let ahead = wall.saturating_add(YEAR);
    assert!(matches!(
        guard.judge(ahead, now, None, &[store(0)]),
        Verdict::Doubtful(_)
    ));
    let (wall, now) = at(6100);
    let ahead = wall.saturating_add(YEAR);
    assert_eq!(guard.judge(ahead, now, None, &[store(0)]), Verdict::Trusted);
}

#[test]
fn a_jump_is_not_believed_before_it_has_stayed_ten_minutes() {
    let mut guard = ClockGuard::new(MINUTE);
    let mut judge = |seconds: u64, ahead: Duration| {
        let (wall, now) = at(seconds);
        guard.judge(wall.saturating_add(ahead), now, None, &[])
    };
    assert_eq!(judge(0, Duration::ZERO), Verdict::Trusted);
    let stepped = Verdict::Doubtful(Doubt::Stepped {
        by: YEAR.saturating_sub(Duration::from_millis(300)),
    });
    assert_eq!(judge(30, YEAR), stepped);
    assert_eq!(judge(60, Duration::ZERO), Verdict::Trusted); // it was a glitch
    assert!(matches!(judge(90, YEAR), Verdict::Doubtful(_)));
    assert!(matches!(judge(689, YEAR), Verdict::Doubtful(_)));
    assert_eq!(judge(690, YEAR), Verdict::Trusted);
    assert_eq!(judge(700, YEAR), Verdict::Trusted);
}

#[test]
fn a_jump_that_another_clock_confirms_is_believed_at_once() {
    let mut guard = ClockGuard::new(MINUTE);
    let (wall, now) = at(0);
    let behind = WallTime::from_unix_seconds(1000);
    assert_eq!(guard.judge(behind, now, None, &[]), Verdict::Trusted);
    assert_eq!(guard.judge(wall, now, None, &[store(0)]), Verdict::Trusted);
}

#[test]
fn suspended_time_is_no_jump() {
    let mut guard = ClockGuard::new(MINUTE);
    let (wall, now) = at(0);
    assert_eq!(guard.judge(wall, now, None, &[]), Verdict::Trusted);
    let slept = Reading {
        boottime: now.boottime.saturating_add(Nanos::from_millis(3_600_000)),
        raw: now.raw,
    };
    let later = wall.saturating_add(Duration::from_secs(3600));
    assert_eq!(guard.judge(later, slept, None, &[]), Verdict::Trusted);
}
