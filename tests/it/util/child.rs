//! Other processes: this program again, with a role to play.
//!
//! A child says lines on its standard output and hears lines on its standard input. Lines of the test
//! harness go the same way, so a line counts only from its mark on.

use std::io::{BufRead, BufReader, Write};
use std::os::unix::process::ExitStatusExt;
use std::process::{Child as Process, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};

use super::{LONG, eventually, os};

const ROLE: &str = "RINGWAY_TEST_ROLE";
const ARGUMENTS: &str = "RINGWAY_TEST_ARGUMENTS";
const MARK: &str = "@@";

/// The role that the environment gives this process, with its arguments.
pub fn assigned() -> Option<(String, Vec<String>)> {
    let role = std::env::var(ROLE).ok()?;
    let arguments = std::env::var(ARGUMENTS).unwrap_or_default();
    os::die_with_parent();
    Some((role, arguments.split('\n').map(str::to_owned).collect()))
}

/// In a child: says `line` to the parent.
pub fn say(line: &str) {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{MARK}{line}").and_then(|()| out.flush()).expect("the parent listens");
}

/// In a child: waits for the parent's next line. An end of input ends the process.
pub fn hear() -> String {
    let mut line = String::new();
    match std::io::stdin().lock().read_line(&mut line) {
        Ok(0) | Err(_) => std::process::exit(0),
        Ok(_) => line.trim_end().to_owned(),
    }
}

/// A process that plays a role. Dropping it kills it.
#[derive(Debug)]
pub struct Child {
    process: Process,
    input: Option<ChildStdin>,
    lines: Receiver<String>,
}

impl Child {
    pub fn spawn(role: &str, arguments: &[&str]) -> Self {
        let program = std::env::current_exe().expect("this program");
        let mut process = Command::new(program)
            .args(["child", "--exact", "--nocapture", "--test-threads=1"])
            .env(ROLE, role)
            .env(ARGUMENTS, arguments.join("\n"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("a child process");
        let output = process.stdout.take().expect("piped");
        let input = process.stdin.take();
        let (sender, lines) = channel();
        std::thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                if let Some((_, said)) = line.split_once(MARK)
                    && sender.send(said.to_owned()).is_err()
                {
                    return;
                }
            }
        });
        Self { process, input, lines }
    }

    pub fn pid(&self) -> i32 {
        self.process.id().try_into().expect("process ids are positive")
    }

    /// The child's next line.
    #[track_caller]
    pub fn line(&self) -> String {
        self.lines.recv_timeout(LONG).expect("the child says something")
    }

    /// The next line of a child that ends, or has ended; none if there is no more.
    #[track_caller]
    pub fn last_line(&self) -> Option<String> {
        match self.lines.recv_timeout(LONG) {
            Err(RecvTimeoutError::Timeout) => panic!("the child does not end"),
            outcome => outcome.ok(),
        }
    }

    /// Waits for the line `expected`.
    #[track_caller]
    pub fn expect(&self, expected: &str) {
        assert_eq!(self.line(), expected);
    }

    pub fn tell(&mut self, line: &str) {
        let input = self.input.as_mut().expect("open until hushed");
        writeln!(input, "{line}").expect("the child listens");
    }

    /// Sends SIGKILL and does not wait.
    pub fn strike(&self) {
        os::kill(self.pid(), libc::SIGKILL);
    }

    /// Sends SIGKILL and waits until the process is gone.
    pub fn kill(mut self) {
        self.strike();
        self.process.wait().expect("a child to wait for");
    }

    pub fn signal(&self, signal: i32) {
        os::kill(self.pid(), signal);
    }

    /// The exit code, or 1000 and the signal that killed it.
    #[track_caller]
    pub fn code(&mut self) -> i32 {
        self.input = None;
        let mut status = None;
        let ended = eventually(LONG, || {
            status = self.process.try_wait().expect("a child to wait for");
            status.is_some()
        });
        assert!(ended, "the child does not end");
        let status = status.expect("it ended");
        status.code().unwrap_or_else(|| 1000 + status.signal().expect("killed if not exited"))
    }

    /// Waits for the child's end, which must be a good one.
    #[track_caller]
    pub fn finish(mut self) {
        assert_eq!(self.code(), 0, "the child failed");
    }

    /// Whether the process sleeps in the kernel now.
    pub fn is_asleep(&self) -> bool {
        state_of(self.pid()) == Some('S')
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The one-letter state of a process: `S` sleeps, `T` is stopped, `Z` is dead and not waited for.
pub fn state_of(pid: i32) -> Option<char> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    stat.rsplit_once(')')?.1.trim_start().chars().next()
}
