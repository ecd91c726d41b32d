//! Tokens never go back, whatever is lost; where that cannot be known, nobody leads.

use tenure_backends::file::FileRoot;
use tenure_core::ErrorKind;
use tenure_core::backend::{Acquired, LockBackend, Vacancy};

use crate::scene::{
    Scene, acquire, candidate, claim, election, led, refusal, release, token, wait,
};

#[test]
fn one_lost_copy_of_the_token_is_made_up_for_by_the_other() {
    let copies: [fn(&Scene); 2] = [
        |scene| std::fs::remove_file(scene.path(".token")).unwrap(),
        |scene| {
            let lock = std::fs::File::open(scene.path("")).unwrap();
            rustix::fs::fremovexattr(&lock, "user.tenure.token").unwrap();
        },
    ];
    for lose in copies {
        let led = led();
        wait(led.lock.release(&release(&led.candidate, &led.grant))).unwrap();
        lose(&led.scene);
        let next = acquire(&led.scene.lock(), &candidate(2));
        assert!(next.hold.token > led.grant.hold.token);
        assert_eq!(next.vacancy, Vacancy::Proven);
    }
}

#[test]
fn both_copies_of_the_token_lost_is_refused_until_a_floor_is_given() {
    for record_lost_too in [false, true] {
        let led = led();
        wait(led.lock.release(&release(&led.candidate, &led.grant))).unwrap();
        std::fs::remove_file(led.scene.path(".token")).unwrap();
        let lock = std::fs::File::open(led.scene.path("")).unwrap();
        rustix::fs::fremovexattr(&lock, "user.tenure.token").unwrap();
        if record_lost_too {
            std::fs::remove_file(led.scene.path(".tenure")).unwrap();
        }
        let error = refusal(&led.scene.lock(), &candidate(2));
        assert_eq!(error.kind(), ErrorKind::Corrupt, "{error}");
        assert!(error.to_string().contains("--token-floor N"), "{error}");
        let said = format!("the record beside it says {}", led.grant.hold.token);
        assert_eq!(
            error.to_string().contains(&said),
            !record_lost_too,
            "{error}"
        );
        let floor = token(led.grant.hold.token.value() + 1000);
        let root = FileRoot::builder(&led.scene.directory).token_floor(floor);
        let lock = root.open().unwrap().lock(election()).unwrap();
        assert!(acquire(&lock, &candidate(3)).hold.token > floor);
    }
}

#[test]
fn a_damaged_copy_of_the_token_counts_as_lost() {
    let led = led();
    wait(led.lock.release(&release(&led.candidate, &led.grant))).unwrap();
    std::fs::write(led.scene.path(".token"), b"tenure-token 1\ntoken 9\n").unwrap();
    let next = acquire(&led.scene.lock(), &candidate(2));
    assert_eq!(next.hold.token.value(), led.grant.hold.token.value() + 1);
}

#[test]
fn a_wiped_directory_starts_above_every_token_of_before() {
    let led = led();
    wait(led.lock.release(&release(&led.candidate, &led.grant))).unwrap();
    for entry in std::fs::read_dir(&led.scene.directory).unwrap() {
        std::fs::remove_file(entry.unwrap().path()).unwrap();
    }
    let mut later = claim(&candidate(2));
    later.wall = later.wall.saturating_add(std::time::Duration::from_secs(1));
    // A process that has not seen the old ones.
    let lock = FileRoot::open(&led.scene.directory)
        .unwrap()
        .lock(election())
        .unwrap();
    let Acquired::Granted(next) = wait(lock.acquire(&later)).unwrap() else {
        panic!("nobody holds it");
    };
    assert!(next.hold.token > led.grant.hold.token);
}
