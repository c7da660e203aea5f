//! Calls of the operating system that the standard library does not have.
#![allow(unsafe_code, reason = "what tests do to processes and files has no safe interface")]

use std::ffi::CString;
use std::fs::File;
use std::io;
use std::os::fd::{AsRawFd, RawFd};
use std::path::Path;

fn check(result: i32) -> io::Result<i32> {
    if result == -1 { Err(io::Error::last_os_error()) } else { Ok(result) }
}

fn text(path: &Path) -> CString {
    CString::new(path.as_os_str().as_encoded_bytes()).expect("no zero byte")
}

pub fn kill(pid: i32, signal: i32) {
    // SAFETY: kill takes no pointers.
    let _ = check(unsafe { libc::kill(pid, signal) });
}

pub fn is_root() -> bool {
    // SAFETY: it takes nothing.
    unsafe { libc::geteuid() == 0 }
}

/// Has the kernel kill this process when its parent ends.
pub fn die_with_parent() {
    // SAFETY: prctl with this option takes a number.
    check(unsafe { libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL) }).expect("a known option");
}

/// Forks a process whose other threads only wait. The child is 0.
pub fn fork() -> i32 {
    // SAFETY: only roles call it, whose other thread waits and holds no lock, so the child may
    // do anything.
    check(unsafe { libc::fork() }).expect("room for a process")
}

/// Ends a forked child without running anything of its parent's.
pub fn exit_now(code: i32) -> ! {
    // SAFETY: _exit takes no pointers and does not return.
    unsafe { libc::_exit(code) }
}

/// Waits for a forked child: its exit code, or 1000 and the signal.
pub fn wait_for(pid: i32) -> i32 {
    let mut status = 0;
    let ended = super::eventually(super::LONG, || {
        // SAFETY: `status` is a place to write to.
        check(unsafe { libc::waitpid(pid, &raw mut status, libc::WNOHANG) }).expect("a child")
            == pid
    });
    if !ended {
        kill(pid, libc::SIGKILL);
        return 2000;
    }
    if libc::WIFSIGNALED(status) {
        1000 + libc::WTERMSIG(status)
    } else {
        libc::WEXITSTATUS(status)
    }
}

/// The code that `act` returns in a forked child; 101 if it panics, 1000 and more if a signal ends it.
pub fn in_fork(act: impl FnOnce() -> i32) -> i32 {
    match fork() {
        0 => {
            die_with_parent();
            let act = std::panic::AssertUnwindSafe(act);
            exit_now(std::panic::catch_unwind(act).unwrap_or(101))
        }
        pid => wait_for(pid),
    }
}

pub fn unshare(flags: i32) -> io::Result<()> {
    // SAFETY: unshare takes a number.
    check(unsafe { libc::unshare(flags) }).map(drop)
}

/// A mount namespace of its own, whose mounts nobody else sees.
pub fn private_mounts() -> io::Result<()> {
    unshare(libc::CLONE_NEWNS)?;
    mount("none", Path::new("/"), None, libc::MS_REC | libc::MS_PRIVATE, "")
}

pub fn mount(
    source: &str,
    target: &Path,
    kind: Option<&str>,
    flags: libc::c_ulong,
    data: &str,
) -> io::Result<()> {
    let string = |text: &str| CString::new(text).expect("no zero byte");
    let (source, target, data) = (string(source), text(target), string(data));
    let kind = kind.map(string);
    let kind = kind.as_ref().map_or(std::ptr::null(), |kind| kind.as_ptr());
    // SAFETY: all strings end in a zero byte and outlive the call.
    let result =
        unsafe { libc::mount(source.as_ptr(), target.as_ptr(), kind, flags, data.as_ptr().cast()) };
    check(result).map(drop)
}

/// Becomes another user for good.
pub fn become_user(uid: u32) {
    // SAFETY: setresuid takes numbers.
    check(unsafe { libc::setresuid(uid, uid, uid) }).expect("root may become anybody");
}

pub fn limit_file_size(bytes: u64) {
    let limit = libc::rlimit { rlim_cur: bytes, rlim_max: bytes };
    // SAFETY: `limit` is a valid rlimit.
    check(unsafe { libc::setrlimit(libc::RLIMIT_FSIZE, &raw const limit) }).expect("a lower limit");
}

/// Lets this process lock so much memory and no more, once it is not root any longer.
pub fn limit_locked_memory(bytes: u64) {
    let limit = libc::rlimit { rlim_cur: bytes, rlim_max: bytes };
    // SAFETY: `limit` is a valid rlimit.
    check(unsafe { libc::setrlimit(libc::RLIMIT_MEMLOCK, &raw const limit) })
        .expect("a lower limit");
}

fn soft_limit(of: libc::__rlimit_resource_t, limit: u64) -> u64 {
    let mut limits = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: there is room for the answer.
    check(unsafe { libc::getrlimit(of, &raw mut limits) }).expect("a known limit");
    let before = std::mem::replace(&mut limits.rlim_cur, limit);
    // SAFETY: `limits` is a valid rlimit.
    check(unsafe { libc::setrlimit(of, &raw const limits) }).expect("a limit below the hard one");
    before
}

/// Lets this process have so many bytes of addresses and no more; as many as it might before.
pub fn limit_memory(bytes: u64) -> u64 {
    soft_limit(libc::RLIMIT_AS, bytes)
}

/// How many bytes of addresses this process has.
pub fn memory() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("the kernel knows it");
    let line = status.lines().find_map(|line| line.strip_prefix("VmSize:")).expect("its size");
    1024 * line.split_whitespace().next().and_then(|kib| kib.parse::<u64>().ok()).expect("a number")
}

/// Lets this process have descriptors below that number and no others; as many as it might before.
pub fn limit_descriptors(count: u64) -> u64 {
    soft_limit(libc::RLIMIT_NOFILE, count)
}

/// Page faults of this thread so far.
pub fn faults() -> i64 {
    // SAFETY: all zeros is a value of it.
    let mut usage: libc::rusage = unsafe { std::mem::zeroed() };
    // SAFETY: there is room for the answer.
    assert_eq!(unsafe { libc::getrusage(libc::RUSAGE_THREAD, &raw mut usage) }, 0);
    usage.ru_minflt
}

/// Takes `len` bytes from `start` out of a file, which keeps its length.
pub fn punch(file: &File, start: u64, len: u64) {
    let how = libc::FALLOC_FL_PUNCH_HOLE | libc::FALLOC_FL_KEEP_SIZE;
    let (start, len) = (start.cast_signed(), len.cast_signed());
    // SAFETY: the descriptor is open; fallocate takes no pointers.
    check(unsafe { libc::fallocate(file.as_raw_fd(), how, start, len) }).expect("tmpfs has holes");
}

/// Gives a file memory behind its end: `len` bytes from `start`.
pub fn allocate_behind(file: &File, start: u64, len: u64) {
    let (start, len) = (start.cast_signed(), len.cast_signed());
    let how = libc::FALLOC_FL_KEEP_SIZE;
    // SAFETY: the descriptor is open; fallocate takes no pointers.
    check(unsafe { libc::fallocate(file.as_raw_fd(), how, start, len) }).expect("there is room");
}

/// Has a signal that kills this process write no file of its memory.
pub fn leave_no_core() {
    let limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: `limit` is a valid rlimit.
    check(unsafe { libc::setrlimit(libc::RLIMIT_CORE, &raw const limit) }).expect("a lower limit");
}

pub fn set_umask(mask: u32) {
    // SAFETY: umask takes a number.
    unsafe { libc::umask(mask) };
}

pub fn make_fifo(path: &Path) {
    let path = text(path);
    // SAFETY: the string ends in a zero byte.
    check(unsafe { libc::mkfifo(path.as_ptr(), 0o600) }).expect("a FIFO");
}

/// Has `handler` run on `signal`, interrupting system calls.
pub fn on_signal(signal: i32, handler: extern "C" fn(i32)) {
    // SAFETY: zeros are a valid sigaction.
    let mut action: libc::sigaction = unsafe { std::mem::zeroed() };
    action.sa_sigaction = handler as *const () as usize;
    // SAFETY: `action` is valid and the handler lives for ever.
    check(unsafe { libc::sigaction(signal, &raw const action, std::ptr::null_mut()) })
        .expect("a signal that can be caught");
}

/// Has SIGALRM come every `micros` microseconds.
pub fn alarm_every(micros: i64) {
    let time = libc::timeval { tv_sec: micros / 1_000_000, tv_usec: micros % 1_000_000 };
    let timer = libc::itimerval { it_interval: time, it_value: time };
    // SAFETY: `timer` is valid; the old one is not asked for.
    let result =
        unsafe { libc::setitimer(libc::ITIMER_REAL, &raw const timer, std::ptr::null_mut()) };
    check(result).expect("a timer");
}

/// From now on this thread may only end; any other system call kills the process.
///
/// A filter rather than the strict mode, which also takes away the clock that is read without a call.
pub fn allow_no_calls() {
    filter_calls(libc::SYS_exit, libc::SECCOMP_RET_ALLOW, libc::SECCOMP_RET_KILL_PROCESS);
}

/// From now on this thread is refused barriers over all processors.
pub fn refuse_membarrier() {
    let refuse = libc::SECCOMP_RET_ERRNO | libc::EPERM.cast_unsigned();
    filter_calls(libc::SYS_membarrier, refuse, libc::SECCOMP_RET_ALLOW);
}

/// From now on this thread's waits on several words are refused with `error`.
pub fn refuse_futex_waitv(error: i32) {
    let refuse = libc::SECCOMP_RET_ERRNO | error.cast_unsigned();
    filter_calls(libc::SYS_futex_waitv, refuse, libc::SECCOMP_RET_ALLOW);
}

/// From now on this thread's files are not put on huge pages.
pub fn refuse_huge_pages() {
    let refuse = libc::SECCOMP_RET_ERRNO | libc::EINVAL.cast_unsigned();
    let advice = 25; // MADV_COLLAPSE
    let [load, compare, then, otherwise] =
        one_call(libc::SYS_madvise, refuse, libc::SECCOMP_RET_ALLOW);
    // The third argument's lower half lies behind two words of what the call is and three of eight bytes.
    let argument = libc::sock_filter { k: 32, ..load };
    let to_the_end = libc::sock_filter { jf: 3, ..compare };
    let is_that = libc::sock_filter { k: advice, ..compare };
    set_filter(&mut [load, to_the_end, argument, is_that, then, otherwise]);
}

/// From now on the kernel does `then` when this thread makes system call `number`, and `otherwise` for others.
fn filter_calls(number: i64, then: u32, otherwise: u32) {
    set_filter(&mut one_call(number, then, otherwise));
}

/// A filter that tells one call from others.
fn one_call(number: i64, then: u32, otherwise: u32) -> [libc::sock_filter; 4] {
    let statement = |code: u32, k: u32, jf: u8| libc::sock_filter {
        code: u16::try_from(code).expect("codes are small"),
        jt: 0,
        jf,
        k,
    };
    let number = u32::try_from(number).expect("numbers are small");
    // Load the call's number; if it is another, skip to the last statement.
    [
        statement(libc::BPF_LD | libc::BPF_W | libc::BPF_ABS, 0, 0),
        statement(libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K, number, 1),
        statement(libc::BPF_RET | libc::BPF_K, then, 0),
        statement(libc::BPF_RET | libc::BPF_K, otherwise, 0),
    ]
}

fn set_filter(program: &mut [libc::sock_filter]) {
    let len = u16::try_from(program.len()).expect("it is short");
    let filter = libc::sock_fprog { len, filter: program.as_mut_ptr() };
    // SAFETY: prctl with this option takes numbers.
    check(unsafe { libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) }).expect("a plain request");
    // SAFETY: the filter points to a program of the length that it says.
    let set =
        unsafe { libc::prctl(libc::PR_SET_SECCOMP, libc::SECCOMP_MODE_FILTER, &raw const filter) };
    check(set).expect("the kernel has seccomp filters");
}

/// Ends this thread by the one call that [`allow_no_calls`] leaves for it.
pub fn exit_thread(code: i32) -> ! {
    // SAFETY: exit takes a number and does not return.
    unsafe { libc::syscall(libc::SYS_exit, code) };
    unreachable!("exit does not return")
}

pub fn close(descriptor: RawFd) {
    // SAFETY: the test closes it behind its owner's back on purpose.
    check(unsafe { libc::close(descriptor) }).expect("an open descriptor");
}

/// Makes `number` another descriptor of what `file` has open.
pub fn duplicate_to(file: &File, number: RawFd) {
    // SAFETY: the test puts a file where another was on purpose.
    check(unsafe { libc::dup2(file.as_raw_fd(), number) }).expect("an open descriptor");
}

/// Another process's clean end: runs this program's `path` with `arguments` in place of this process.
pub fn execute(path: &Path, arguments: &[&str]) -> ! {
    let own = |text: &&str| CString::new(*text).expect("no zero byte");
    let arguments: Vec<CString> = arguments.iter().map(own).collect();
    let mut pointers: Vec<*const libc::c_char> = arguments.iter().map(|a| a.as_ptr()).collect();
    pointers.push(std::ptr::null());
    let path = text(path);
    // SAFETY: strings end in zero bytes, the list in a null pointer.
    unsafe { libc::execv(path.as_ptr(), pointers.as_ptr()) };
    exit_now(127)
}

fn one_byte(byte: u64) -> libc::flock {
    libc::flock {
        l_type: libc::c_short::try_from(libc::F_WRLCK).expect("a small constant"),
        l_whence: libc::c_short::try_from(libc::SEEK_SET).expect("a small constant"),
        l_start: byte.cast_signed(),
        l_len: 1,
        l_pid: 0,
    }
}

/// Takes `byte` of `file` for this description alone.
pub fn lock_byte(file: &File, byte: u64) {
    let lock = one_byte(byte);
    // SAFETY: the descriptor is open and `lock` is valid.
    check(unsafe { libc::fcntl(file.as_raw_fd(), libc::F_OFD_SETLK, &raw const lock) })
        .expect("nobody has the byte");
}

/// Whether another description than `file`'s has `byte`.
pub fn is_locked(file: &File, byte: u64) -> bool {
    let mut lock = one_byte(byte);
    // SAFETY: the descriptor is open and `lock` is a place to write to.
    check(unsafe { libc::fcntl(file.as_raw_fd(), libc::F_OFD_GETLK, &raw mut lock) })
        .expect("an open file");
    i32::from(lock.l_type) != libc::F_UNLCK
}
