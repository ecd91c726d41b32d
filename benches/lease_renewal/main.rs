//! What a renewal costs, and what an acquisition with its release costs, beside the bare system calls.

#![expect(clippy::print_stdout, reason = "a benchmark prints what it measures")]

#[path = "../harness/mod.rs"]
mod harness;

use std::fs::{File, OpenOptions};
use std::os::fd::AsFd;
use std::path::Path;

use harness::{Cost, Table, cost, cost_line};
use nix::fcntl::{FcntlArg, fcntl};
use rustix::fs::{AtFlags, CWD, Timestamps, UTIME_NOW};
use rustix::time::Timespec;
use tenure::backend::{Basis, Released, Renewed};
use tenure::file::FileRoot;
use tenure::memory::{LeasedStore, SessionMode, SessionStore};
use tenure::{ElectionName, LockBackend};

const IN_MEMORY: u32 = 200_000;
const ON_DISK: u32 = 5_000;
const DURABLE: u32 = 500;

fn main() {
    let mut table = Table::default();
    if harness::wanted("lease_renewal") {
        renewals(&mut table);
    }
    if harness::wanted("acquire_release") {
        acquisitions(&mut table);
    }
    table.print();
}

fn election() -> ElectionName {
    ElectionName::new("bench").expect("a plain word is a name")
}

fn renewals(table: &mut Table) {
    println!("\nlease_renewal: one renewal of one election");
    let leased = LeasedStore::new(election()).handle();
    let leased = renewal("memory, leased", &leased, IN_MEMORY);
    let session = SessionStore::new(election(), SessionMode::EndsWithHandle).handle();
    let session = renewal("memory, session", &session, IN_MEMORY);
    let directory = harness::directory();
    let root = FileRoot::open(directory.path()).expect("a new directory");
    let lock = root.lock(election()).expect("a plain name");
    let file = renewal("file", &lock, ON_DISK);
    drop(lock);
    let bare = bare_renewal(directory.path());
    println!("{}", cost_line("file: the bare system calls", bare));
    table.row(
        "renewal in memory, leased",
        harness::shown(leased.time),
        None,
    );
    table.row(
        "renewal in memory, session",
        harness::shown(session.time),
        None,
    );
    table.row(
        "renewal of a file / its bare system calls, time",
        ratio(file, bare),
        None,
    );
    let processor = file.processor.as_secs_f64() / bare.processor.as_secs_f64();
    table.row("the same, processor", format!("{processor:.1}×"), None);
}

fn ratio(ours: Cost, bare: Cost) -> String {
    format!("{:.1}×", ours.time.as_secs_f64() / bare.time.as_secs_f64())
}

fn renewal(what: &str, lock: &dyn LockBackend, times: u32) -> Cost {
    let runtime = harness::runtime();
    let candidate = harness::candidate();
    let grant = runtime.block_on(harness::acquire(lock, &candidate, Basis::Missing));
    let mut renewal = harness::renewal(&candidate, &grant);
    let cost = cost(times, || {
        let renewed = runtime.block_on(lock.renew(&renewal));
        match renewed {
            Ok(Renewed::Confirmed(receipt)) => renewal.hold.version = receipt.version,
            other => panic!("the lock is held: {other:?}"),
        }
    });
    println!("{}", cost_line(what, cost));
    runtime
        .block_on(lock.release(&harness::release(&candidate, &grant)))
        .map(drop)
        .unwrap_or_default();
    cost
}

/// The system calls that prove a hold on a file and stamp its record: the lock's inode, the lock once more, the record's state, its
/// time, and whether somebody asks for something.
fn bare_renewal(directory: &Path) -> Cost {
    let (lock, record) = (directory.join("bench"), directory.join("bench.tenure"));
    let request = directory.join("bench.request");
    let file = open(&lock);
    let now = Timespec {
        tv_sec: 0,
        tv_nsec: UTIME_NOW,
    };
    let times = Timestamps {
        last_access: now,
        last_modification: now,
    };
    cost(ON_DISK, || {
        std::fs::metadata(&lock).expect("the lock is there");
        lock_whole(&file);
        std::fs::metadata(&record).expect("the record is there");
        rustix::fs::utimensat(CWD, &record, &times, AtFlags::empty()).expect("the record is ours");
        drop(std::fs::metadata(&request));
    })
}

fn open(path: &Path) -> File {
    OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(path)
        .expect("the directory can be written")
}

fn lock_whole(file: &File) {
    let whole = nix::libc::flock {
        l_type: i16::try_from(nix::libc::F_WRLCK).expect("a small number"),
        l_whence: i16::try_from(nix::libc::SEEK_SET).expect("a small number"),
        l_start: 0,
        l_len: 0,
        l_pid: 0,
    };
    fcntl(file.as_fd(), FcntlArg::F_OFD_SETLK(&whole)).expect("the lock is free");
}

fn acquisitions(table: &mut Table) {
    println!("\nacquire_release: acquire a free file lock and give it back");
    let directory = harness::directory();
    let path = directory.path().join("bare");
    drop(open(&path));
    let record = vec![b'x'; 300];
    std::fs::write(directory.path().join("token"), &record).expect("room for a small file");
    let root = FileRoot::open(directory.path()).expect("a new directory");
    let lock = root.lock(election()).expect("a plain name");
    let runtime = harness::runtime();
    let candidate = harness::candidate();
    let [bare, records, file] = harness::costs(
        DURABLE,
        || (),
        [
            &mut || {
                let file = open(&path);
                lock_whole(&file);
            },
            &mut || bare_records(directory.path(), &record),
            &mut || {
                let grant = runtime.block_on(harness::acquire(&lock, &candidate, Basis::Missing));
                let released =
                    runtime.block_on(lock.release(&harness::release(&candidate, &grant)));
                assert!(matches!(released, Ok(Released::Vacated)), "{released:?}");
            },
        ],
    );
    println!("{}", cost_line("bare: open, fcntl, close", bare));
    println!("{}", cost_line("the records, without a lock", records));
    println!("{}", cost_line("file: acquire, release", file));
    let rest = file.minus(records);
    println!("{}", cost_line("file: without its records", rest));
    let factor = rest.time.as_secs_f64() / bare.time.as_secs_f64();
    table.row(
        "acquire + release without its records / bare",
        format!("{factor:.1}×"),
        Some(("≤ 3×", factor <= 3.0)),
    );
    let processor = rest.processor.as_secs_f64() / bare.processor.as_secs_f64();
    table.row("the same, processor", format!("{processor:.1}×"), None);
    table.row("the records' own cost", harness::shown(records.time), None);
    table.row(
        "acquire + release / its records",
        ratio(file, records),
        None,
    );
}

/// What an acquisition and a release do to records, without any lock and on one thread: read record, mark and token, replace the
/// record durably, and write the mark without waiting for the disk.
fn bare_records(directory: &Path, record: &[u8]) {
    use std::os::unix::fs::FileExt as _;

    for name in ["record", "mark", "token"] {
        // The first time there is nothing to read.
        drop(std::fs::read(directory.join(name)));
    }
    harness::replace_durably(directory, record);
    let mark = open(&directory.join("mark"));
    mark.write_all_at(record, 0).expect("room for a small file");
    let length = u64::try_from(record.len()).expect("a small file");
    mark.set_len(length).expect("the file is ours");
}
