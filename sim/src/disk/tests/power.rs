use std::collections::BTreeSet;
use std::time::Duration;

use tenure_backends::file::FileRoot;
use tenure_backends::file::system::Open;
use tenure_core::backend::{Acquired, Basis, Claim, Grant, Note, Renewal, Renewed};
use tenure_core::{
    CandidateId, CandidateName, ElectionName, FencingToken, Incarnation, LockBackend, Nonce,
    WallTime,
};

use super::scene::{Program, Scene, path};
use crate::executor::NodeId;
use crate::random::{Purpose, Stream};

#[test]
fn what_was_synchronised_survives_a_power_cut() {
    for seed in 0..100 {
        let mut scene = Scene::new(seed);
        let program = scene.program(0);
        program.keep("a.new", b"kept");
        program.system.rename(&path("a.new"), &path("a")).unwrap();
        program.system.synchronise_directory(&path("")).unwrap();
        scene.disk.lose_power(NodeId(0));
        assert_eq!(scene.disk.read(&path("a")).unwrap(), b"kept", "seed {seed}");
        assert!(scene.disk.read(&path("a.new")).is_err());
    }
}

#[test]
fn what_was_not_synchronised_is_kept_lost_or_torn() {
    let mut seen = BTreeSet::new();
    for seed in 0..300 {
        let mut scene = Scene::new(seed);
        let (program, other) = (scene.program(0), scene.program(1));
        program.keep("a", b"old");
        let file = program.open("a", Open::Existing);
        file.overwrite(b"new").unwrap();
        let neighbour = other.open("b", Open::New);
        neighbour.overwrite(b"another machine's").unwrap();
        scene.disk.lose_power(NodeId(0));
        seen.insert(scene.disk.read(&path("a")).unwrap());
        assert_eq!(scene.disk.read(&path("b")).unwrap(), b"another machine's");
    }
    for outcome in [b"old".as_slice(), b"new", b"", b"ne", b"n\0\0"] {
        assert!(seen.contains(outcome), "{outcome:?} of {seen:?}");
    }
}

#[test]
fn a_rename_without_its_directory_may_be_undone_and_only_as_a_whole() {
    let mut undone = 0;
    for seed in 0..200 {
        let mut scene = Scene::new(seed);
        let program = scene.program(0);
        program.keep("a", b"old");
        program.keep("a.new", b"new");
        program.system.rename(&path("a.new"), &path("a")).unwrap();
        scene.disk.lose_power(NodeId(0));
        let content = scene.disk.read(&path("a")).unwrap();
        let left = scene.disk.read(&path("a.new"));
        match (content.as_slice(), left) {
            (b"old", Ok(new)) if new == b"new" => undone += 1,
            (b"new", Err(_)) => {}
            other => panic!("seed {seed}: {other:?}"),
        }
    }
    assert!((50..150).contains(&undone), "{undone} of 200");
}

fn candidate(number: u128) -> CandidateId {
    CandidateId {
        name: CandidateName::new("pod").unwrap(),
        incarnation: Incarnation::from_bits(number),
    }
}

const LEASE: Duration = Duration::from_secs(15);
const WALL: WallTime = WallTime::from_unix_seconds(1_800_000_000);

/// Takes the lock and writes a note; tells what was confirmed, as soon as it was.
async fn lead(program: Program, number: u128, told: impl Fn(FencingToken, Option<u8>) + Send) {
    let root = FileRoot::builder(path("")).open_on(program.system).unwrap();
    let lock = root.lock(ElectionName::new("a").unwrap()).unwrap();
    let claim = Claim {
        basis: Basis::Missing,
        candidate: candidate(number),
        lease_duration: LEASE,
        nonce: Nonce(1),
        wall: WALL,
    };
    let grant: Grant = loop {
        if let Acquired::Granted(grant) = lock.acquire(&claim).await.unwrap() {
            break grant;
        }
        lock.changed().await;
    };
    let found = grant.note.as_ref().map(|note| note.as_bytes()[0]);
    told(grant.hold.token, found);
    let note = u8::try_from(number).unwrap();
    let renewal = Renewal {
        candidate: candidate(number),
        hold: grant.hold,
        lease_duration: LEASE,
        nonce: Nonce(2),
        note: Some(Note::new(&[note]).unwrap()),
        wall: WALL,
    };
    let renewed = lock.renew(&renewal).await.unwrap();
    assert!(matches!(renewed, Renewed::Confirmed(_)), "{renewed:?}");
    told(grant.hold.token, Some(note));
    // A heartbeat changes nothing that a power cut could tear.
    let heartbeat = Renewal {
        note: None,
        ..renewal
    };
    let renewed = lock.renew(&heartbeat).await.unwrap();
    assert!(matches!(renewed, Renewed::Confirmed(_)), "{renewed:?}");
    std::future::pending::<()>().await;
}

#[test]
fn no_power_cut_takes_back_a_token_or_a_note_that_was_confirmed() {
    let mut grants = 0;
    for seed in 0..400 {
        let mut scene = Scene::new(seed);
        let mut draw = Stream::new(seed, 0, Purpose::Plan);
        let mut last = (None, None);
        for life in 1..=8 {
            let program = scene.program(u16::try_from(draw.below(2)).unwrap());
            let told = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
            let teller = std::sync::Arc::clone(&told);
            let tell = move |token, note| teller.lock().unwrap().push((token, note));
            scene
                .executor
                .spawn(&program.process, lead(program.clone(), life, tell));
            scene.settle(Duration::from_micros(draw.below(60_000)));
            scene.executor.kill(&program.process);
            scene.disk.lose_power(program.process.node().unwrap());
            scene.settle(Duration::from_millis(50));
            let told = told.lock().unwrap();
            if let Some((token, note)) = told.first() {
                assert!(
                    Some(*token) > last.0,
                    "seed {seed}: {told:?} after {last:?}"
                );
                // What was not confirmed may be there all the same, but nothing older.
                assert!(*note >= last.1, "seed {seed}: {told:?} after {last:?}");
                grants += 1;
            }
            if let Some((token, note)) = told.last() {
                last = (Some(*token), *note);
            }
        }
    }
    assert!(grants > 400, "{grants}");
}
