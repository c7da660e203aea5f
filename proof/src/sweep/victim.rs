//! A process under trace: run to a mark, taken on by single instructions, killed between any two.
//!
//! A victim marks where its operation begins and where it ends with a breakpoint instruction, so all else runs at full
//! speed. The kernel kills it should its tracer end. Whoever traces has one thread: a fork of it may do anything.
#![allow(unsafe_code, reason = "forks, and marks places with a breakpoint instruction")]

use std::arch::asm;
use std::hint::black_box;
use std::mem::offset_of;
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::OnceLock;

use anyhow::{Context, Result, bail, ensure};
use nix::libc;
use nix::sys::ptrace::{self, AddressType, Options};
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::{ForkResult, Pid, fork};

use super::place::state_of;
use super::trace::{Astray, MOST_STEPS};

/// Runs `act` between two marks.
#[inline(never)]
pub fn marked<R>(act: impl FnOnce() -> R) -> R {
    mark();
    let result = act();
    mark();
    result
}

/// Gives the allocator a stock of small pieces: an operation that takes one then goes the same way in every victim.
pub fn warm_up() {
    drop(black_box([(); 8].map(|()| Vec::<u8>::with_capacity(16))));
}

/// A breakpoint instruction. The compiler keeps what touches memory on its side of it.
#[inline(always)]
fn mark() {
    // SAFETY: it stops the process for its tracer and changes nothing.
    unsafe { asm!("int3") };
}

/// What the instruction that comes next is, as far as it matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    Mark,
    SystemCall,
    Other,
}

/// A process under trace. Dropping it kills it.
#[derive(Debug)]
pub struct Victim {
    pid: Pid,
    gone: bool,
}

impl Victim {
    /// Forks a process that runs `act`, and lets it come to its first mark.
    pub fn start(act: impl FnOnce()) -> Result<Self> {
        // SAFETY: this process has one thread, so its child may do anything.
        match unsafe { fork() }.context("fork a victim")? {
            ForkResult::Child => {
                let traced = nix::sys::prctl::set_pdeathsig(Signal::SIGKILL)
                    .and_then(|()| ptrace::traceme());
                let ran = traced.is_ok() && catch_unwind(AssertUnwindSafe(act)).is_ok();
                exit(if ran { 0 } else { FAILED });
            }
            ForkResult::Parent { child } => {
                let victim = Self { pid: child, gone: false };
                victim.expect_stop().context(
                    "no victim under trace came to its first mark: is ptrace, or a breakpoint \
                     instruction, refused here?",
                )?;
                ptrace::setoptions(
                    child,
                    Options::PTRACE_O_EXITKILL | Options::PTRACE_O_TRACESYSGOOD,
                )?;
                Ok(victim)
            }
        }
    }

    /// Its process id.
    pub fn pid(&self) -> Pid {
        self.pid
    }

    fn expect_stop(&self) -> Result<()> {
        match waitpid(self.pid, None)? {
            WaitStatus::Stopped(_, Signal::SIGTRAP) => Ok(()),
            other => bail!("the victim did not stop at an instruction: {other:?}"),
        }
    }

    /// Executes one instruction, and says where it is then.
    ///
    /// The code that the kernel maps for reading the clock counts as one with its call: it touches nothing that is shared,
    /// and how often it goes round depends on when the clock ticks.
    pub fn step(&self) -> Result<u64> {
        ptrace::step(self.pid, None)?;
        self.expect_stop()?;
        let registers = ptrace::getregs(self.pid)?;
        if clock_code().contains(&registers.rip) {
            self.run_to(self.word(registers.rsp)?, 1)?;
            return self.address();
        }
        Ok(registers.rip)
    }

    /// Executes so many instructions, but none behind its next mark. Says how many.
    pub fn steps(&self, most: usize) -> Result<usize> {
        let mut address = self.address()?;
        for count in 0..most {
            if self.next(address)? == Next::Mark {
                return Ok(count);
            }
            ensure!(count < MOST_STEPS, "the operation does not end");
            address = self.step()?;
        }
        Ok(most)
    }

    /// Runs over so many beginnings and ends of system calls, but not behind its next mark. Says how many.
    pub fn ends_of_calls(&self, most: usize) -> Result<usize> {
        for count in 0..most {
            let begins = count.is_multiple_of(2);
            match if begins { self.begin_call() } else { self.end_whole_call() } {
                Err(why) if why.is::<Astray>() => {
                    self.back_to_mark()?;
                    return Ok(count);
                }
                outcome => outcome?,
            }
        }
        Ok(most)
    }

    /// Has it execute the mark again that it was stopped by.
    fn back_to_mark(&self) -> Result<()> {
        let mut registers = ptrace::getregs(self.pid)?;
        registers.rip -= 1;
        Ok(ptrace::setregs(self.pid, registers)?)
    }

    /// Executes the system call that it is at, however long that sleeps.
    fn end_whole_call(&self) -> Result<()> {
        if self.end_call_or_sleep()? { Ok(()) } else { self.end_call() }
    }

    /// Executes one system call, unless it puts the victim to sleep. True if it came back.
    pub fn step_or_sleep(&self) -> Result<bool> {
        ptrace::step(self.pid, None)?;
        self.stop_or_sleep()
    }

    fn stop_or_sleep(&self) -> Result<bool> {
        loop {
            match waitpid(self.pid, Some(WaitPidFlag::WNOHANG))? {
                WaitStatus::StillAlive if state_of(self.pid) == Some('S') => return Ok(false),
                WaitStatus::StillAlive => std::thread::yield_now(),
                WaitStatus::Stopped(_, Signal::SIGTRAP) | WaitStatus::PtraceSyscall(_) => {
                    return Ok(true);
                }
                other => bail!("the victim did not come back from a call: {other:?}"),
            }
        }
    }

    /// Runs to where its next system call begins.
    pub fn begin_call(&self) -> Result<()> {
        ptrace::syscall(self.pid, None)?;
        match waitpid(self.pid, None)? {
            WaitStatus::PtraceSyscall(_) => Ok(()),
            WaitStatus::Stopped(_, Signal::SIGTRAP) => Err(Astray.into()),
            other => bail!("the victim did not come to a call: {other:?}"),
        }
    }

    /// Executes the system call that it is at, unless that puts it to sleep. True if it came back.
    pub fn end_call_or_sleep(&self) -> Result<bool> {
        ptrace::syscall(self.pid, None)?;
        self.stop_or_sleep()
    }

    /// Waits until the system call that put it to sleep is over.
    pub fn end_call(&self) -> Result<()> {
        match waitpid(self.pid, None)? {
            WaitStatus::PtraceSyscall(_) => Ok(()),
            other => bail!("the victim did not come back from a call: {other:?}"),
        }
    }

    /// Waits until the system call that put it to sleep is over.
    pub fn wake(&self) -> Result<()> {
        self.expect_stop()
    }

    /// Runs until it has come to `address` so many times.
    pub fn run_to(&self, address: u64, times: usize) -> Result<()> {
        self.debug_register(0, address.cast_signed())?;
        self.debug_register(7, ENABLE_FIRST)?;
        for _ in 0..times {
            self.go_on()?;
        }
        self.debug_register(7, 0)
    }

    fn debug_register(&self, number: usize, value: i64) -> Result<()> {
        let offset = offset_of!(libc::user, u_debugreg) + number * size_of::<u64>();
        let register = std::ptr::without_provenance_mut(offset);
        ptrace::write_user(self.pid, register, value).context("set a hardware breakpoint")
    }

    /// Runs to its next mark.
    pub fn go_on(&self) -> Result<()> {
        ptrace::cont(self.pid, None)?;
        self.expect_stop()
    }

    /// Lets it run over its second mark to its end, which must be a good one.
    pub fn finish(mut self) -> Result<()> {
        self.go_on()?;
        ptrace::cont(self.pid, None)?;
        let ended = waitpid(self.pid, None)?;
        self.gone = true;
        ensure!(
            matches!(ended, WaitStatus::Exited(_, 0)),
            "the victim did not end well: {ended:?}"
        );
        Ok(())
    }

    /// Where it is.
    pub fn address(&self) -> Result<u64> {
        Ok(ptrace::getregs(self.pid)?.rip)
    }

    /// A word of its memory.
    fn word(&self, address: u64) -> Result<u64> {
        let place: AddressType = std::ptr::without_provenance_mut(usize::try_from(address)?);
        Ok(ptrace::read(self.pid, place)?.cast_unsigned())
    }

    /// What it executes next.
    pub fn next(&self, address: u64) -> Result<Next> {
        let [first, second, ..] = self.word(address)?.to_le_bytes();
        Ok(match (first, second) {
            (0xcc, _) => Next::Mark,
            (0x0f, 0x05) => Next::SystemCall,
            _ => Next::Other,
        })
    }

    /// Kills it and waits until it has gone.
    pub fn kill(mut self) -> Result<()> {
        kill(self.pid, Signal::SIGKILL)?;
        let ended = waitpid(self.pid, None)?;
        self.gone = true;
        let killed = matches!(ended, WaitStatus::Signaled(_, Signal::SIGKILL, _));
        ensure!(killed, "the victim was not killed: {ended:?}");
        Ok(())
    }
}

impl Drop for Victim {
    fn drop(&mut self) {
        if !self.gone {
            let _ = kill(self.pid, Signal::SIGKILL);
            let _ = waitpid(self.pid, None);
        }
    }
}

/// Another process with a part in a scene, not traced. Dropping it kills it.
#[derive(Debug)]
pub struct Companion {
    pid: Pid,
    gone: bool,
}

impl Companion {
    /// Forks a process that runs `act`.
    pub fn start(act: impl FnOnce()) -> Result<Self> {
        // SAFETY: this process has one thread, so its child may do anything.
        match unsafe { fork() }.context("fork a companion")? {
            ForkResult::Child => {
                let bound = nix::sys::prctl::set_pdeathsig(Signal::SIGKILL);
                let ran = bound.is_ok() && catch_unwind(AssertUnwindSafe(act)).is_ok();
                exit(if ran { 0 } else { FAILED });
            }
            ForkResult::Parent { child } => Ok(Self { pid: child, gone: false }),
        }
    }

    pub fn is_asleep(&self) -> bool {
        state_of(self.pid) == Some('S')
    }

    /// Whether it has ended, which must be well.
    pub fn has_ended(&mut self) -> Result<bool> {
        if !self.gone {
            match waitpid(self.pid, Some(WaitPidFlag::WNOHANG))? {
                WaitStatus::StillAlive => return Ok(false),
                WaitStatus::Exited(_, 0) => self.gone = true,
                other => {
                    self.gone = true;
                    bail!("a companion did not end well: {other:?}");
                }
            }
        }
        Ok(true)
    }
}

impl Drop for Companion {
    fn drop(&mut self) {
        if !self.gone {
            let _ = kill(self.pid, Signal::SIGKILL);
            let _ = waitpid(self.pid, None);
        }
    }
}

/// Where the kernel has mapped the code that reads the clock: the same in this process and its forks.
fn clock_code() -> &'static Range<u64> {
    static RANGE: OnceLock<Range<u64>> = OnceLock::new();
    RANGE.get_or_init(|| {
        let maps = std::fs::read_to_string("/proc/self/maps").unwrap_or_default();
        let range = maps.lines().find(|line| line.ends_with("[vdso]")).and_then(|line| {
            let (start, rest) = line.split_once('-')?;
            let end = rest.split_whitespace().next()?;
            Some(u64::from_str_radix(start, 16).ok()?..u64::from_str_radix(end, 16).ok()?)
        });
        range.unwrap_or(0..0)
    })
}

/// What a victim ends with that panicked.
const FAILED: i32 = 101;
/// Debug register 7: stop before the instruction at the address in register 0.
const ENABLE_FIRST: i64 = 1;

/// Ends this process without running anything of its parent's.
pub fn exit(code: i32) -> ! {
    // SAFETY: it takes a number and does not return.
    unsafe { libc::_exit(code) }
}
