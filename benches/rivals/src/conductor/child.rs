//! One sample, taken by another process: whatever becomes of it, nothing of it is left.
#![allow(unsafe_code, reason = "waitid, wait4, kill, prctl")]

use std::io::Read;
use std::os::unix::process::CommandExt;
use std::process::{Command, ExitStatus, Stdio};
use std::sync::atomic::AtomicBool;
use std::sync::atomic::AtomicI32;
use std::sync::atomic::Ordering::SeqCst;
use std::sync::mpsc;
use std::time::Duration;

use crate::play::Sample;

/// What is to be done, by name.
#[derive(Clone, Copy, Debug)]
pub struct Job<'a> {
    pub contestant: &'a str,
    pub workload: &'a str,
    pub count: u64,
}

/// What came of it.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    Took(Sample),
    /// It cannot be done here, for this reason.
    Skipped(String),
    /// It went wrong.
    Failed(String),
    /// It had not ended in time: it hangs, or has become slow since its count was found.
    Late(String),
}

/// What the operating system says of a process that has ended.
struct Ended {
    status: ExitStatus,
    /// The processors' time that it and its children used.
    used: Duration,
}

/// The group of the process that runs now, for who interrupts the run; 0 if none does.
static GROUP: AtomicI32 = AtomicI32::new(0);
static IS_INTERRUPTED: AtomicBool = AtomicBool::new(false);

/// From now on an interruption ends the sample at once, and the run in good order.
pub fn catch_interruptions() -> Result<(), String> {
    let caught = ctrlc::set_handler(|| {
        IS_INTERRUPTED.store(true, SeqCst);
        kill_group(GROUP.load(SeqCst));
    });
    caught.map_err(|why| format!("catch interruptions: {why}"))
}

pub fn is_interrupted() -> bool {
    IS_INTERRUPTED.load(SeqCst)
}

/// This process is killed when the one that started it ends: nobody would want its result.
pub fn end_with_parent() {
    // SAFETY: it changes nothing but what happens at the parent's end.
    unsafe { libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL) };
}

/// Does `job` in another process, and says how much of the processors' time it used.
///
/// The process leads a group of its own. When it has ended, or `patience` has, all of the group is killed, and what a
/// process that was killed left in shared memory is removed.
pub fn take(job: &Job, patience: Duration) -> Result<(Outcome, Duration), String> {
    let program = std::env::current_exe().map_err(|why| format!("find this program: {why}"))?;
    let mut child = Command::new(program)
        .args(["play", job.contestant, job.workload, &job.count.to_string()])
        .env("RUST_BACKTRACE", "0")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0)
        .spawn()
        .map_err(|why| format!("start a sample: {why}"))?;
    let group = libc::pid_t::try_from(child.id()).expect("the kernel's own type");
    GROUP.store(group, SeqCst);
    let said = listen(child.stdout.take().expect("it is piped"));
    let complained = listen(child.stderr.take().expect("it is piped"));
    let (tell, told) = mpsc::channel();
    let waiting = std::thread::spawn(move || {
        wait_without_reaping(group);
        let _ = tell.send(());
    });
    let is_late = told.recv_timeout(patience).is_err();
    // The leader is not reaped yet: its number, and so the group's, is nobody else's.
    kill_group(group);
    waiting.join().expect("it only waits");
    GROUP.store(0, SeqCst);
    let Ended { status, used } = reap(group);
    let hear = |thread: std::thread::JoinHandle<String>| thread.join().expect("it only reads");
    let (said, complained) = (hear(said), hear(complained));
    let outcome = if is_late {
        let why = format!("no end within {} s", patience.as_secs());
        let cause = reason(&complained).map_or(String::new(), |cause| format!(" ({cause})"));
        Outcome::Late(why + &cause)
    } else {
        understand(status, &said, &complained)
    };
    if !matches!(outcome, Outcome::Took(_)) {
        remove_leftovers(child.id());
    }
    Ok((outcome, used))
}

/// Reads to the end, on a thread: neither pipe may fill up.
fn listen(mut from: impl Read + Send + 'static) -> std::thread::JoinHandle<String> {
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        let _ = from.read_to_end(&mut bytes);
        String::from_utf8_lossy(&bytes).into_owned()
    })
}

fn wait_without_reaping(pid: libc::pid_t) {
    // SAFETY: all zeros is a value of it.
    let mut info: libc::siginfo_t = unsafe { std::mem::zeroed() };
    let (id, how) = (pid.cast_unsigned(), libc::WEXITED | libc::WNOWAIT);
    // SAFETY: `info` is there to be written to.
    while unsafe { libc::waitid(libc::P_PID, id, &raw mut info, how) } != 0 {}
}

fn kill_group(group: libc::pid_t) {
    if group > 1 {
        // SAFETY: it has no preconditions. The group is our child's own.
        unsafe { libc::kill(-group, libc::SIGKILL) };
    }
}

fn reap(pid: libc::pid_t) -> Ended {
    use std::os::unix::process::ExitStatusExt;
    let mut status = 0;
    // SAFETY: all zeros is a value of it.
    let mut usage: libc::rusage = unsafe { std::mem::zeroed() };
    // SAFETY: both are there to be written to.
    while unsafe { libc::wait4(pid, &raw mut status, 0, &raw mut usage) } < 0 {}
    let time = |time: libc::timeval| {
        let (seconds, micros) = (time.tv_sec.cast_unsigned(), time.tv_usec.cast_unsigned());
        Duration::from_secs(seconds) + Duration::from_micros(micros)
    };
    let used = time(usage.ru_utime) + time(usage.ru_stime);
    Ended { status: ExitStatus::from_raw(status), used }
}

fn understand(status: ExitStatus, said: &str, complained: &str) -> Outcome {
    if !status.success() {
        return Outcome::Failed(reason(complained).unwrap_or_else(|| status.to_string()));
    }
    match serde_json::from_str::<Result<Sample, String>>(said) {
        Ok(Ok(sample)) if sample.value.is_finite() => Outcome::Took(sample),
        Ok(Ok(sample)) => Outcome::Failed(format!("no figure: {}", sample.value)),
        Ok(Err(why)) => Outcome::Skipped(why),
        Err(why) => Outcome::Failed(format!("said {said:?}: {why}")),
    }
}

/// The cause among what a process and its children complained of: the first panic's message, as the others follow
/// from it; else the last line.
fn reason(complained: &str) -> Option<String> {
    let lines = || complained.lines().filter(|line| !line.trim().is_empty());
    let panic = lines().skip_while(|line| !line.contains("panicked at")).skip(1);
    let message =
        panic.take_while(|line| !line.starts_with("note: ") && !line.starts_with("thread '"));
    let message = message.map(str::trim).collect::<Vec<_>>().join(" ");
    let reason = if message.is_empty() { lines().next_back()?.trim().to_owned() } else { message };
    Some(reason)
}

/// Removes what process `pid` left in shared memory under its name.
fn remove_leftovers(pid: u32) {
    let name = format!("rivals-{pid}");
    let entries = std::fs::read_dir("/dev/shm").into_iter().flatten().flatten();
    for entry in entries.filter(|entry| is_of(&entry.file_name().to_string_lossy(), &name)) {
        let _ = std::fs::remove_file(entry.path());
    }
}

/// Whether a file's name has `name` in it, whole: 12 is not 123.
fn is_of(file: &str, name: &str) -> bool {
    let rest = file.split_once(name).map(|(_, rest)| rest);
    rest.is_some_and(|rest| !rest.starts_with(|next: char| next.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_complaint_gives_its_cause() {
        let panics = "thread 'main' (7) panicked at src/x.rs:1:2:\nassertion failed: a message is \
            torn\n  left: 1\n right: 2\nnote: run with `RUST_BACKTRACE=1`\n\nthread 'main' (8) panicked at \
            src/y.rs:1:2:\nthe receiving process failed\n";
        let cause = "assertion failed: a message is torn left: 1 right: 2";
        assert_eq!(reason(panics).as_deref(), Some(cause));
        assert_eq!(reason("one\nmap the board: no\n\n").as_deref(), Some("map the board: no"));
        assert_eq!(reason("\n"), None);
    }

    #[test]
    fn answers_are_understood() {
        use std::os::unix::process::ExitStatusExt;
        let (good, bad) = (ExitStatus::from_raw(0), ExitStatus::from_raw(101 << 8));
        let sample = Sample { value: 2.5, quantiles: None };
        let said = r#"{"Ok":{"value":2.5,"quantiles":null}}"#;
        assert_eq!(understand(good, said, ""), Outcome::Took(sample));
        let skipped = Outcome::Skipped("not supported: batches".to_owned());
        assert_eq!(understand(good, r#"{"Err":"not supported: batches"}"#, "noise"), skipped);
        assert!(matches!(understand(good, "", ""), Outcome::Failed(_)));
        let failed = Outcome::Failed("it is torn".to_owned());
        assert_eq!(understand(bad, said, "thread 'main' panicked at x:\nit is torn\n"), failed);
    }

    #[test]
    fn only_the_process_own_files_are_leftovers() {
        let is_left = |file| is_of(file, "rivals-12");
        assert!(is_left("rivals-12") && is_left("ringway.default.rivals-12-back"));
        assert!(!is_left("rivals-123") && !is_left("rivals-1") && !is_left("else"));
    }
}
