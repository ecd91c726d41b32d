//! The guard and its job, with real processes: a parent that this test stops and kills, its guard, and a job with a descendant in a
//! session of its own.

#![expect(clippy::unwrap_used, reason = "a test fails where it stands")]

mod common;

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::Write;
use std::os::fd::OwnedFd;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use common::{
    children, is_alive, send, state, wait_for, wait_for_number, wait_until, wait_until_dead,
};
use nix::fcntl::{FcntlArg, fcntl};
use rustix::process::Signal;
use tenure::host::SystemClock;
use tenure::time::{Clock, Nanos};
use tenure_cli::guard::protocol::SilentProgram;
use tenure_cli::guard::{Deadline, now};
use tenure_cli::job::{Guard, GuardSpec, JobSpec};

/// Names the folder of the parent that this executable shall be.
const PARENT: &str = "GUARD_TEST_PARENT";

/// A parent's folder, and what it was started with.
struct Parent {
    folder: tempfile::TempDir,
    process: Child,
}

/// A job that notes its number, starts a descendant that leaves its session and notes its own, and waits.
const FAMILY: &str = "setsid sh -c 'echo $$ > far; exec sleep 1000' & echo $$ > job; wait";

/// The same, deaf to the request to stop.
const DEAF: &str = "trap '' TERM; setsid sh -c 'echo $$ > far; while :; do sleep 1; done' & \
                    echo $$ > job; while :; do sleep 1; done";

/// No job at all.
const NO_JOB: &str = "no job";

impl Parent {
    /// Starts a parent whose job is `script`. Its deadlines are far away until [`Parent::order`] says otherwise.
    fn start(script: &str, silent: SilentProgram) -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("script"), script).unwrap();
        fs::write(folder.path().join("lock"), "").unwrap();
        fs::write(folder.path().join("input"), "from far away").unwrap();
        if silent == SilentProgram::End {
            fs::write(folder.path().join("ends_silent_program"), "").unwrap();
        }
        let process = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "the_parent_that_the_tests_start", "--nocapture"])
            .env(PARENT, folder.path())
            .current_dir(folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        Self { folder, process }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn pid(&self) -> i32 {
        self.process.id().try_into().unwrap()
    }

    fn job(&self) -> i32 {
        wait_for_number(&self.path("job"))
    }

    fn far_descendant(&self) -> i32 {
        wait_for_number(&self.path("far"))
    }

    fn guard(&self) -> i32 {
        wait_for("the guard", || {
            let children = children(self.pid());
            children
                .into_iter()
                .find(|(_, name)| name == "jobguard")
                .map(|(pid, _)| pid)
        })
    }

    fn wait_until_ready(&self) {
        let ready = self.path("ready");
        wait_until("a guard without a job", || ready.exists());
    }

    /// Tells the parent what to do next.
    fn order(&self, order: &str) {
        fs::write(self.path("order.new"), order).unwrap();
        fs::rename(self.path("order.new"), self.path("order")).unwrap();
    }

    /// What the parent says of the job's end.
    fn end(&mut self) -> String {
        let end = self.path("end");
        let end = wait_for("the job's end", || fs::read_to_string(&end).ok());
        self.process.wait().unwrap();
        end
    }

    /// Whether somebody who is not the parent could lock now.
    fn lock_is_free(&self) -> bool {
        try_lock(&self.path("lock")).is_some()
    }
}

impl Drop for Parent {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn try_lock(path: &Path) -> Option<File> {
    let file = File::options().read(true).write(true).open(path).unwrap();
    let whole = nix::libc::flock {
        l_type: i16::try_from(nix::libc::F_WRLCK).unwrap(),
        l_whence: i16::try_from(nix::libc::SEEK_SET).unwrap(),
        l_start: 0,
        l_len: 0,
        l_pid: 0,
    };
    fcntl(&file, FcntlArg::F_OFD_SETLK(&whole)).ok()?;
    Some(file)
}

/// Not a test by itself: it does nothing unless another test runs this executable as a parent.
#[test]
fn the_parent_that_the_tests_start() {
    let Some(folder) = std::env::var_os(PARENT).map(PathBuf::from) else {
        return;
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let end = runtime.block_on(supervise(&folder));
    fs::write(folder.join("end.new"), end).unwrap();
    fs::rename(folder.join("end.new"), folder.join("end")).unwrap();
}

/// What becomes of the time that a parent gives its job.
#[derive(Clone, Copy)]
enum Lease {
    Kept,
    Lost,
}

async fn supervise(folder: &Path) -> String {
    let lock = try_lock(&folder.join("lock")).unwrap();
    let guard = GuardSpec {
        executable: env!("CARGO_BIN_EXE_tenure").into(),
        lock: Some(OwnedFd::from(lock.try_clone().unwrap())),
        silent_program: if folder.join("ends_silent_program").exists() {
            SilentProgram::End
        } else {
            SilentProgram::Leave
        },
    };
    let guard = match Guard::start(guard, deadline()).await {
        Ok(guard) => Arc::new(guard),
        Err(error) => return error.to_string(),
    };
    let script = fs::read_to_string(folder.join("script")).unwrap();
    if script == NO_JOB {
        fs::write(folder.join("ready"), "").unwrap();
        return rest(&guard).await;
    }
    let spec = JobSpec {
        command: vec!["sh".into(), "-c".into(), script.into()],
        environment: vec![(OsString::from("TENURE_TOKEN"), OsString::from("7"))],
        stdin: File::open(folder.join("input")).unwrap().into(),
    };
    let job = match guard.start_job(spec).await {
        Ok(job) => job,
        Err(error) => return error.to_string(),
    };
    let mut lease = Lease::Kept;
    loop {
        if matches!(lease, Lease::Kept) {
            guard.extend(deadline());
        }
        if let Some(end) = within_a_tick(job.wait()).await {
            return end.to_string();
        }
        let Ok(order) = fs::read_to_string(folder.join("order")) else {
            continue;
        };
        fs::remove_file(folder.join("order")).unwrap();
        match order.as_str() {
            "lose the lease" => lease = Lease::Lost,
            "stop" => job.stop(Signal::TERM.as_raw()),
            "signal" => job.signal(Signal::USR1.as_raw()),
            "kill" => return job.kill_and_wait().await.to_string(),
            "drop" => {
                drop(job);
                drop(guard);
                return "dropped".to_owned();
            }
            "drop the job" => {
                drop(job);
                return next_job(&guard).await;
            }
            order => panic!("unknown order {order}"),
        }
    }
}

/// Keeps a guard without a job until it dies.
async fn rest(guard: &Guard) -> String {
    loop {
        guard.extend(deadline());
        if within_a_tick(guard.died()).await.is_some() {
            return "the guard died".to_owned();
        }
    }
}

/// Runs a second job under the same guard.
async fn next_job(guard: &Arc<Guard>) -> String {
    let spec = JobSpec {
        command: vec!["sh".into(), "-c".into(), "exit 4".into()],
        environment: Vec::new(),
        stdin: File::open("/dev/null").unwrap().into(),
    };
    match guard.start_job(spec).await {
        Ok(job) => job.wait().await.to_string(),
        Err(error) => error.to_string(),
    }
}

/// Two seconds: longer than the parent may be kept from running by a busy machine, or else the job ends too early.
fn deadline() -> Deadline {
    Deadline {
        from: now(),
        validity: Nanos::from_millis(2_000),
        grace: Nanos::from_millis(300),
    }
}

async fn within_a_tick<T>(wait: impl Future<Output = T>) -> Option<T> {
    let mut tick = SystemClock::new().sleep(Duration::from_millis(20));
    let mut wait = std::pin::pin!(wait);
    std::future::poll_fn(|context| {
        if let Poll::Ready(value) = wait.as_mut().poll(context) {
            return Poll::Ready(Some(value));
        }
        tick.as_mut().poll(context).map(|()| None)
    })
    .await
}

#[test]
fn a_job_and_its_far_descendants_die_with_the_program() {
    let mut parent = Parent::start(FAMILY, SilentProgram::Leave);
    let (job, far, guard) = (parent.job(), parent.far_descendant(), parent.guard());
    parent.process.kill().unwrap();
    parent.process.wait().unwrap();
    wait_until_dead("job", job);
    wait_until_dead("far descendant", far);
    wait_until_dead("guard", guard);
    assert!(parent.lock_is_free());
}

#[test]
fn a_deaf_job_dies_with_the_program_too() {
    let mut parent = Parent::start(DEAF, SilentProgram::Leave);
    let (job, far) = (parent.job(), parent.far_descendant());
    parent.process.kill().unwrap();
    wait_until_dead("job", job);
    wait_until_dead("far descendant", far);
}

#[test]
fn the_job_of_a_stopped_program_dies_at_the_deadline_and_the_program_hears_of_it() {
    let mut parent = Parent::start(DEAF, SilentProgram::Leave);
    let (job, far) = (parent.job(), parent.far_descendant());
    send(parent.pid(), Signal::STOP);
    wait_until_dead("job", job);
    wait_until_dead("far descendant", far);
    assert_eq!(state(parent.pid()), Some('T'));
    send(parent.pid(), Signal::CONT);
    assert!(parent.end().contains("its deadline had passed"));
}

#[test]
fn a_stopped_program_that_has_a_kernel_lock_is_ended_after_its_job() {
    let mut parent = Parent::start(FAMILY, SilentProgram::End);
    let (job, far, guard) = (parent.job(), parent.far_descendant(), parent.guard());
    send(parent.pid(), Signal::STOP);
    wait_until("the lock to be free", || parent.lock_is_free());
    for (who, pid) in [("job", job), ("far descendant", far), ("guard", guard)] {
        assert!(!is_alive(pid) || who == "guard", "the {who} has the lock");
    }
    let status = parent.process.wait().unwrap();
    assert_eq!(ExitStatusExt::signal(&status), Some(9));
}

#[test]
fn a_program_that_lives_through_its_lost_lease_is_left_alive() {
    let mut parent = Parent::start(DEAF, SilentProgram::End);
    parent.job();
    parent.order("lose the lease");
    let end = parent.end();
    assert!(
        end.contains("signal 9") && end.contains("its deadline had passed"),
        "{end}"
    );
}

#[test]
fn the_whole_job_dies_when_its_guard_does() {
    let mut parent = Parent::start(DEAF, SilentProgram::Leave);
    let (job, far) = (parent.job(), parent.far_descendant());
    send(parent.guard(), Signal::KILL);
    assert!(parent.end().contains("its guard had died"));
    assert!(!is_alive(job));
    assert!(!is_alive(far));
}

#[test]
fn dropping_a_job_leaves_nothing_even_when_its_guard_is_stopped() {
    let mut parent = Parent::start(DEAF, SilentProgram::Leave);
    let (job, far, guard) = (parent.job(), parent.far_descendant(), parent.guard());
    send(guard, Signal::STOP);
    parent.order("drop");
    assert_eq!(parent.end(), "dropped");
    assert!(!is_alive(job) && !is_alive(far) && !is_alive(guard));
}

#[test]
fn a_job_that_somebody_stopped_is_woken_to_stop_and_can_be_killed() {
    let gentle = "trap 'exit 5' TERM; echo $$ > job; while :; do sleep 0.1; done";
    let mut parent = Parent::start(gentle, SilentProgram::Leave);
    send(parent.job(), Signal::STOP);
    parent.order("stop");
    assert_eq!(parent.end(), "exited with status 5");

    let mut parent = Parent::start(FAMILY, SilentProgram::Leave);
    let (job, far) = (parent.job(), parent.far_descendant());
    send(job, Signal::STOP);
    send(far, Signal::STOP);
    parent.order("kill");
    assert!(parent.end().contains("killed with all its descendants"));
    assert!(!is_alive(job) && !is_alive(far));
}

#[test]
fn signals_that_ask_nobody_to_end_the_guard_do_not_end_it() {
    let mut parent = Parent::start(FAMILY, SilentProgram::Leave);
    let (job, guard) = (parent.job(), parent.guard());
    for signal in [
        Signal::TERM,
        Signal::INT,
        Signal::HUP,
        Signal::QUIT,
        Signal::USR1,
    ] {
        send(guard, signal);
    }
    assert!(is_alive(guard) && is_alive(job));
    parent.order("kill");
    assert!(parent.end().contains("killed with all its descendants"));
}

#[test]
fn what_a_job_leaves_behind_ends_before_the_job_counts_as_gone() {
    let script = "setsid sh -c 'trap \"\" TERM; echo $$ > far; while :; do sleep 1; done' & \
                  while ! [ -s far ]; do sleep 0.05; done; exit 3";
    let mut parent = Parent::start(script, SilentProgram::Leave);
    let far = parent.far_descendant();
    assert_eq!(parent.end(), "exited with status 3");
    assert!(!is_alive(far));
}

#[test]
fn the_lock_stays_taken_until_the_last_process_of_the_job_is_gone() {
    let mut parent = Parent::start(FAMILY, SilentProgram::Leave);
    let (job, far, guard) = (parent.job(), parent.far_descendant(), parent.guard());
    assert!(!parent.lock_is_free());
    send(guard, Signal::STOP);
    parent.process.kill().unwrap();
    parent.process.wait().unwrap();
    assert!(!parent.lock_is_free(), "guard and job still have it");
    send(guard, Signal::KILL);
    wait_until_dead("job, which its guard's death ends", job);
    assert!(!parent.lock_is_free(), "the far descendant still has it");
    send(far, Signal::KILL);
    wait_until("the lock to be free", || parent.lock_is_free());
}

#[test]
fn a_job_gets_its_input_its_variables_a_group_of_its_own_and_no_blocked_signals() {
    // The shell itself blocks signals for a moment whenever it starts a process, so the mask is shown by what it becomes.
    let script = "read line; { echo \"$line|$TENURE_TOKEN\"; cut -d' ' -f1,5 /proc/$$/stat; } > out; \
                  exec grep SigBlk /proc/self/status >> out";
    let mut parent = Parent::start(script, SilentProgram::Leave);
    assert_eq!(parent.end(), "exited with status 0");
    let out = fs::read_to_string(parent.path("out")).unwrap();
    let lines: Vec<&str> = out.lines().collect();
    assert_eq!(lines[0], "from far away|7");
    let (pid, group) = lines[1].split_once(' ').unwrap();
    assert_eq!(pid, group);
    assert!(lines[2].ends_with("0000000000000000"), "{out}");
}

#[test]
fn a_command_that_does_not_exist_ends_like_in_a_shell() {
    let mut parent = Parent::start("exec /no/such/command 2>&-", SilentProgram::Leave);
    assert_eq!(parent.end(), "exited with status 127");
}

#[test]
fn a_guard_is_not_found_by_the_programs_name() {
    let parent = Parent::start(FAMILY, SilentProgram::Leave);
    parent.job();
    let guard = parent.guard();
    let command_line = fs::read(format!("/proc/{guard}/cmdline")).unwrap();
    let mut shown = Vec::new();
    shown.write_all(&command_line).unwrap();
    assert!(!String::from_utf8_lossy(&shown).contains("tenure"));
    let stat = fs::read_to_string(format!("/proc/{guard}/stat")).unwrap();
    let session = stat.rsplit_once(") ").unwrap().1.split(' ').nth(3).unwrap();
    assert_eq!(session, guard.to_string(), "a session of its own");
}

#[test]
fn a_signal_that_is_passed_on_reaches_the_job() {
    // Not `HUP`, which a shell cannot trap where the tests were started by `nohup`.
    let script = "trap 'exit 6' USR1; echo $$ > job; while :; do sleep 0.1; done";
    let mut parent = Parent::start(script, SilentProgram::Leave);
    parent.job();
    parent.order("signal");
    assert_eq!(parent.end(), "exited with status 6");
}

#[test]
fn a_stopped_program_that_has_a_kernel_lock_but_no_job_is_ended_too() {
    let mut parent = Parent::start(NO_JOB, SilentProgram::End);
    parent.wait_until_ready();
    send(parent.pid(), Signal::STOP);
    wait_until("the lock to be free", || parent.lock_is_free());
    let status = parent.process.wait().unwrap();
    assert_eq!(ExitStatusExt::signal(&status), Some(9));
}

#[test]
fn a_guard_that_dies_without_a_job_is_missed() {
    let mut parent = Parent::start(NO_JOB, SilentProgram::End);
    parent.wait_until_ready();
    send(parent.guard(), Signal::KILL);
    assert_eq!(parent.end(), "the guard died");
}

#[test]
fn a_job_that_is_dropped_is_gone_before_the_next_one_starts() {
    let mut parent = Parent::start(DEAF, SilentProgram::Leave);
    let (job, far) = (parent.job(), parent.far_descendant());
    parent.order("drop the job");
    assert_eq!(parent.end(), "exited with status 4");
    assert!(!is_alive(job) && !is_alive(far));
}
