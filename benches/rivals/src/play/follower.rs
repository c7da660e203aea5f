//! The other process of a sample.

use std::process::{Child, Command, Stdio};

use super::board::Board;
use super::both::Part;
use super::{Task, Unable};

/// Some contestants do not tell their users of the other side's death: the kernel does it for them.
#[allow(unsafe_code, reason = "prctl")]
pub fn end_with_parent() {
    // SAFETY: it touches nothing but an attribute of this process.
    unsafe { libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL) };
}

/// Ends this process if process `pid`, its child, fails: who waits for it would wait forever.
#[allow(unsafe_code, reason = "waitid")]
fn end_with_child(pid: u32) {
    std::thread::spawn(move || {
        // SAFETY: all zeros is a value of it.
        let mut how: libc::siginfo_t = unsafe { std::mem::zeroed() };
        // The child stays to be waited for by its owner.
        let options = libc::WEXITED | libc::WNOWAIT;
        // SAFETY: there is room for the answer.
        let answer = unsafe { libc::waitid(libc::P_PID, pid, &raw mut how, options) };
        // SAFETY: the answer is that of a child's end.
        let status = unsafe { how.si_status() };
        let exited = how.si_code == libc::CLD_EXITED;
        if answer == 0 && (!exited || status != 0) {
            if !exited {
                eprintln!("the receiving process was killed by signal {status}");
            }
            // What made it exit it has said itself.
            std::process::exit(1);
        }
    });
}

/// The other process of a sample.
pub struct Follower(Child);

impl Follower {
    pub fn start(task: &Task, board: &Board, tokens: &[String]) -> Result<Self, Unable> {
        let program = std::env::current_exe().map_err(Unable::because("find this program"))?;
        let child = Command::new(program)
            .args(["follow", task.contestant, &task.workload.to_string(), &task.count.to_string()])
            .arg(board.token())
            .args(tokens)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn();
        let child = child.map_err(Unable::because("start the other process"))?;
        end_with_child(child.id());
        Ok(Self(child))
    }

    /// What it saw.
    pub fn finish(mut self) -> Result<Part, Unable> {
        let said = std::io::read_to_string(self.0.stdout.take().expect("it is piped"));
        let status = self.0.wait();
        assert!(status.is_ok_and(|status| status.success()), "the receiving process failed");
        let said = said.map_err(Unable::because("hear from the other process"))?;
        serde_json::from_str(&said).map_err(|why| Unable(format!("understand {said:?}: {why}")))
    }
}

impl Drop for Follower {
    fn drop(&mut self) {
        let _ = (self.0.kill(), self.0.wait());
    }
}

/// Ends the process when its thread panics: the other side would wait for it.
pub struct EndTogether;

impl Drop for EndTogether {
    fn drop(&mut self) {
        if std::thread::panicking() {
            std::process::exit(1);
        }
    }
}
