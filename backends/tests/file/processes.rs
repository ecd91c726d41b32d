//! Other processes: those that die, those that lock as Camel does, and one with too few descriptors.
//!
//! The other process is this test binary, which runs the one test that plays the part named in its environment.

use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};

use nix::fcntl::{FcntlArg, fcntl};
use nix::libc;
use rustix::process::{Resource, Rlimit};
use tenure_backends::file::FileRoot;
use tenure_core::ErrorKind;
use tenure_core::backend::{Acquired, LockBackend, LockState, Renewed, Vacancy};

use crate::scene::{
    Scene, acquire, acquire_with_hints, candidate, claim, election, is_refused, renewal, wait,
};

const PART: &str = "TENURE_TEST_PART";
const DIRECTORY: &str = "TENURE_TEST_DIRECTORY";

/// A process that plays a part until it is killed or its standard input ends.
struct Other {
    child: Child,
    says: BufReader<ChildStdout>,
}

impl Other {
    fn plays(part: &str, directory: &Path) -> Self {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args([
                "--exact",
                "processes::plays_a_part",
                "--nocapture",
                "--quiet",
            ])
            .env(PART, part)
            .env(DIRECTORY, directory)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let says = BufReader::new(child.stdout.take().unwrap());
        Self { child, says }
    }

    /// What it says next, passing over what the test harness says.
    fn says(&mut self) -> String {
        let mut line = String::new();
        while self.says.read_line(&mut line).unwrap() > 0 {
            if let Some((_, said)) = line.split_once("says: ") {
                return said.trim_end().to_owned();
            }
            line.clear();
        }
        panic!("the other process ended without a word");
    }

    fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    fn end(mut self) {
        drop(self.child.stdin.take());
        self.child.wait().unwrap();
    }
}

fn say(what: &str) {
    let mut out = std::io::stdout();
    writeln!(out, "says: {what}")
        .and_then(|()| out.flush())
        .unwrap();
}

fn until_told_to_end() {
    let _ = std::io::stdin().read_to_end(&mut Vec::new());
}

/// Does nothing in the test run itself.
#[test]
fn plays_a_part() {
    let Ok(part) = std::env::var(PART) else {
        return;
    };
    let directory = std::env::var_os(DIRECTORY).unwrap();
    let directory = Path::new(&directory);
    match part.as_str() {
        "leader" => lead(directory),
        "old camel" => lock_like_java(directory, 0),
        "new camel" => lock_like_java(directory, 1),
        "poor" => acquire_without_descriptors(directory),
        "busy" => wait_for_a_thousand(directory),
        _ => panic!("no such part: {part}"),
    }
}

fn lead(directory: &Path) {
    let root = FileRoot::open(directory).unwrap();
    let lock = root.lock(election()).unwrap();
    let candidate = candidate(9);
    wait(lock.enlist(&candidate)).unwrap();
    let grant = acquire_with_hints(&lock, &candidate);
    wait(lock.renew(&renewal(&candidate, &grant, Some(b"note")))).unwrap();
    say(&grant.hold.token.to_string());
    until_told_to_end();
}

/// `FileChannel.tryLock`: a lock of the process, on all bytes (`length` 0, Camel up to 4.14.0) or on the first (later ones).
fn lock_like_java(directory: &Path, length: i64) {
    let file = std::fs::OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(directory.join(crate::scene::NAME))
        .unwrap();
    let lock = libc::flock {
        l_type: i16::try_from(libc::F_WRLCK).unwrap(),
        l_whence: i16::try_from(libc::SEEK_SET).unwrap(),
        l_start: 0,
        l_len: length,
        l_pid: 0,
    };
    match fcntl(&file, FcntlArg::F_SETLK(&lock)) {
        Ok(_) => say("locked"),
        Err(nix::Error::EAGAIN | nix::Error::EACCES) => say("refused"),
        Err(error) => panic!("{error}"),
    }
    until_told_to_end();
}

fn acquire_without_descriptors(directory: &Path) {
    let root = FileRoot::open(directory).unwrap();
    let (lock, other) = (root.lock(election()).unwrap(), candidate(2));
    let limit = Rlimit {
        current: Some(64),
        maximum: Some(64),
    };
    rustix::process::setrlimit(Resource::Nofile, limit).unwrap();
    let mut open = Vec::new();
    while let Ok(file) = std::fs::File::open("/dev/null") {
        open.push(file);
    }
    let error = wait(lock.observe()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Exhausted, "{error}");
    // One for the lock file, none for the record.
    open.pop();
    let refused = wait(lock.acquire(&claim(&other)));
    open.clear();
    let grant = acquire(&lock, &other);
    while let Ok(file) = std::fs::File::open("/dev/null") {
        open.push(file);
    }
    // A leader needs no more of them.
    let renewed = wait(lock.renew(&renewal(&other, &grant, None))).unwrap();
    assert!(matches!(renewed, Renewed::Confirmed(_)), "{renewed:?}");
    open.clear();
    let elections = (0..100).map(|number| {
        let name = tenure_core::ElectionName::new(&format!("more-{number}")).unwrap();
        root.lock(name)
    });
    let too_many = elections.collect::<Result<Vec<_>, _>>().unwrap_err();
    say(&format!("{} | {too_many}", refused.unwrap_err()));
}

/// Takes part in 1000 elections, though its limit of open files is that of most systems.
fn wait_for_a_thousand(directory: &Path) {
    let limit = Rlimit {
        current: Some(1024),
        ..rustix::process::getrlimit(Resource::Nofile)
    };
    rustix::process::setrlimit(Resource::Nofile, limit).unwrap();
    let threads = || std::fs::read_dir("/proc/self/task").unwrap().count();
    let root = FileRoot::open(directory).unwrap();
    let (before, one) = (threads(), candidate(1));
    let locks = (0..1000).map(|number| {
        let name = tenure_core::ElectionName::new(&format!("job-{number}")).unwrap();
        let lock = root.lock(name).unwrap();
        wait(lock.enlist(&one)).unwrap();
        assert!(matches!(
            wait(lock.acquire(&claim(&one))),
            Ok(Acquired::Granted(_))
        ));
        lock
    });
    let locks: Vec<_> = locks.collect();
    assert_eq!(threads(), before, "no thread for any election");
    let held = locks
        .iter()
        .filter(|lock| lock.descriptor().unwrap().is_some());
    say(&format!("{} held", held.count()));
}

#[test]
fn a_thousand_elections_need_no_thread_of_their_own_and_no_higher_limit_from_the_user() {
    let temporary = tempfile::tempdir().unwrap();
    let memory = crate::machine::disk_in_memory(temporary.path());
    let mut busy = Other::plays("busy", temporary.path());
    assert_eq!(busy.says(), "1000 held");
    busy.end();
    drop(memory);
}

#[test]
fn a_killed_leaders_lock_is_granted_to_the_next_at_once_with_a_larger_token() {
    let scene = Scene::new();
    let mut leader = Other::plays("leader", &scene.directory);
    let token: u64 = leader.says().parse().unwrap();
    let (lock, two) = (scene.lock(), candidate(2));
    is_refused(&lock, &two);
    let members = wait(lock.members()).unwrap();
    assert_eq!(members.len(), 1, "{members:?}");
    leader.kill();
    let grant = acquire_with_hints(&lock, &two);
    assert_eq!(grant.vacancy, Vacancy::Proven);
    assert!(grant.hold.token.value() > token);
    assert_eq!(grant.note.unwrap().as_bytes(), b"note");
    assert_eq!(wait(lock.members()).unwrap(), []);
    // The dead one's file goes when somebody enlists.
    wait(lock.enlist(&two)).unwrap();
    assert_eq!(
        std::fs::read_dir(scene.path(".members")).unwrap().count(),
        1
    );
}

#[test]
fn many_leaders_killed_in_a_row_are_each_followed_by_one_with_a_larger_token() {
    let scene = Scene::new();
    let mut leader = Other::plays("leader", &scene.directory);
    let mut last: u64 = leader.says().parse().unwrap();
    for _ in 0..10 {
        let mut next = Other::plays("leader", &scene.directory);
        leader.kill();
        let token = next.says().parse().unwrap();
        assert!(token > last, "{token} follows {last}");
        (leader, last) = (next, token);
    }
    leader.kill();
}

#[test]
fn camel_and_we_exclude_each_other() {
    for camel in ["old camel", "new camel"] {
        let scene = Scene::new();
        let mut java = Other::plays(camel, &scene.directory);
        assert_eq!(java.says(), "locked");
        let (lock, one) = (scene.lock(), candidate(1));
        // Camel made the lock file: beside its own record, that is no loss of a token.
        let member = b"01234567-89ab-cdef-0123-456789abcdef";
        let mut record = member.to_vec();
        record.extend_from_slice(&[0; 16]);
        std::fs::write(scene.path(".dat"), record).unwrap();
        is_refused(&lock, &one);
        let LockState::Held(held) = scene.observe().lock else {
            panic!("{:?}", scene.observe());
        };
        assert_eq!(
            held.holder.as_str(),
            "camel 01234567-89ab-cdef-0123-456789abcdef"
        );
        java.kill();
        let grant = acquire_with_hints(&lock, &one);
        assert_eq!(grant.vacancy, Vacancy::Proven);
        let mut java = Other::plays(camel, &scene.directory);
        assert_eq!(java.says(), "refused");
        java.end();
        // Java's closed descriptor has taken nothing from us.
        let renewed = wait(lock.renew(&renewal(&one, &grant, None))).unwrap();
        assert!(matches!(renewed, Renewed::Confirmed(_)), "{renewed:?}");
        assert_eq!(std::fs::metadata(scene.path("")).unwrap().len(), 0);
    }
}

#[test]
fn without_descriptors_nobody_new_starts_and_the_advice_names_the_limit() {
    let scene = Scene::new();
    drop(wait(scene.lock().acquire(&claim(&candidate(1)))));
    let mut poor = Other::plays("poor", &scene.directory);
    let said = poor.says();
    assert!(
        said.contains("acquire on the file backend: limit reached"),
        "{said}"
    );
    assert!(said.contains("ulimit -n"), "{said}");
    assert!(said.contains("ulimit -Hn"), "{said}");
    poor.end();
}

#[test]
fn a_lock_file_of_ours_is_never_taken_for_camels() {
    let scene = Scene::new();
    let (lock, one) = (scene.lock(), candidate(1));
    let Acquired::Granted(grant) = wait(lock.acquire(&claim(&one))).unwrap() else {
        panic!("nobody holds it");
    };
    drop(lock);
    std::fs::write(scene.path(".dat"), b"").unwrap();
    std::fs::remove_file(scene.path(".token")).unwrap();
    let next = acquire_with_hints(&scene.lock(), &candidate(2));
    assert!(next.hold.token > grant.hold.token);
}
