//! Places where liveness is seen differently: other namespaces, other file systems, another boot.

use std::fs;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use ringway::spsc::{self, Consumer, Producer};
use ringway::{Error, ErrorKind, RecvTimeoutError, SendTimeoutError};

use crate::util::child::{Child, hear, say};
use crate::util::{Directory, LONG, Name, not_run, os};

const RECHECK: Duration = Duration::from_millis(20);
const A_WHILE: Duration = Duration::from_millis(200);

pub fn play(role: &str, arguments: &[&str]) {
    match role {
        "inside" => {
            os::unshare(libc::CLONE_NEWPID | libc::CLONE_NEWNS).unwrap();
            assert_eq!(os::in_fork(|| inside(arguments[0], arguments[1] == "own proc")), 0);
        }
        "consume" => {
            let mut consumer = Consumer::<u64>::options().open(arguments[0]).unwrap();
            say(&consumer.recv().unwrap().to_string());
            hear();
        }
        "overlay" => on_overlayfs(Path::new(arguments[0])),
        "no proc" => without_proc(arguments[0]),
        _ => panic!("no role {role}"),
    }
}

#[test]
fn members_in_another_pid_namespace_are_seen_alive_and_dead() {
    if !os::is_root() {
        return not_run("namespaces take root");
    }
    for proc in ["own proc", "outer proc"] {
        let name = Name::new("pidns");
        let mut inside = Child::spawn("places::inside", &[&name, proc]);
        inside.expect("1");
        let outside = Child::spawn("places::consume", &[&name]);
        outside.expect("7");
        inside.tell("look");
        inside.expect("alive");
        outside.kill();
        inside.tell("look");
        inside.expect("dead");
        let options = Consumer::<u64>::options().recheck(RECHECK);
        let mut consumer = options.open(&name).unwrap();
        while consumer.try_recv().is_ok() {}
        assert_eq!(consumer.recv_timeout(A_WHILE), Err(RecvTimeoutError::Timeout), "{proc}");
        let error = Producer::<u64>::options().open(&name).unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::EndTaken(_)), "{proc}: {error}");
        inside.kill();
        assert_eq!(consumer.recv_timeout(LONG), Err(RecvTimeoutError::Disconnected), "{proc}");
        drop(Producer::<u64>::options().open(&name).unwrap());
    }
}

fn inside(name: &str, own_proc: bool) -> i32 {
    if own_proc {
        os::mount("none", Path::new("/"), None, libc::MS_REC | libc::MS_PRIVATE, "").unwrap();
        os::mount("proc", Path::new("/proc"), Some("proc"), 0, "").unwrap();
    }
    let options = Producer::<u64>::options().capacity(2).recheck(RECHECK);
    let mut producer = options.create(name).unwrap();
    producer.send(7).unwrap();
    say(&std::process::id().to_string());
    hear();
    while producer.try_send(8).is_ok() {}
    let alive = producer.send_timeout(9, A_WHILE) == Err(SendTimeoutError::Timeout(9));
    say(if alive { "alive" } else { "dead" });
    hear();
    let dead = producer.send_timeout(9, LONG) == Err(SendTimeoutError::Disconnected(9));
    say(if dead { "dead" } else { "alive" });
    hear();
    0
}

fn is_unsupported(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::LivenessUnsupported(_))
}

#[test]
fn a_file_system_that_drops_the_locks_of_mappings_is_refused() {
    if !os::is_root() {
        return not_run("mounting takes root");
    }
    let directory = Directory::in_memory("overlay");
    let path = directory.path().to_str().unwrap().to_owned();
    Child::spawn("places::overlay", &[&path]).finish();
    let upper = directory.path().join("upper");
    assert_eq!(crate::util::listing(&upper), ["ringway.default.below"], "nothing left behind");
}

fn on_overlayfs(base: &Path) {
    os::private_mounts().unwrap();
    let make = |part: &str| -> PathBuf {
        let path = base.join(part);
        fs::create_dir(&path).unwrap();
        path
    };
    let [lower, upper, work, merged] = ["lower", "upper", "work", "merged"].map(make);
    let mut below = Producer::<u64>::options().directory(&upper).create("below").unwrap();
    below.send(3).unwrap();
    let (lower, upper, work) = (lower.display(), upper.display(), work.display());
    let data = format!("lowerdir={lower},upperdir={upper},workdir={work}");
    os::mount("overlay", &merged, Some("overlay"), 0, &data).unwrap();
    let careful = Producer::<u64>::options().directory(&merged);
    assert!(is_unsupported(&careful.create("above").unwrap_err()));
    let options = Producer::<u64>::options().directory(&merged).any_file_system();
    for error in [
        options.create("above").unwrap_err(),
        options.open_or_create("above").unwrap_err(),
        options.replace("above").unwrap_err(),
        options.pair().unwrap_err(),
    ] {
        assert!(is_unsupported(&error), "{error}");
    }
    let consumer = Consumer::<u64>::options().directory(&merged).any_file_system();
    let error = consumer.open("below").unwrap_err();
    assert!(is_unsupported(&error), "{error}");
    let upper = base.join("upper");
    let mut consumer = Consumer::<u64>::options().directory(upper).open("below").unwrap();
    assert_eq!(consumer.recv(), Ok(3));
}

#[test]
fn a_directory_that_is_not_in_memory_takes_a_word_to_be_used() {
    let directory = Directory::within(&std::env::temp_dir(), "disk");
    let mut stat = Command::new("stat");
    let output = stat.args(["-f", "-c", "%T"]).arg(directory.path()).output().unwrap();
    let kind = String::from_utf8(output.stdout).unwrap();
    if !["ext2/ext3", "xfs", "btrfs"].contains(&kind.trim()) {
        return not_run("the directory for temporary files is not on a disk's file system");
    }
    let plain = Producer::<u64>::options().directory(directory.path());
    for error in [
        plain.create("x").unwrap_err(),
        plain.open_or_create("x").unwrap_err(),
        plain.pair().unwrap_err(),
    ] {
        assert!(is_unsupported(&error), "{error}");
    }
    assert_eq!(directory.listing(), [""; 0]);
    let options = Producer::<u64>::options().directory(directory.path()).any_file_system();
    let mut producer = options.create("x").unwrap();
    let careful = Consumer::<u64>::options().directory(directory.path());
    assert!(is_unsupported(&careful.open("x").unwrap_err()));
    let mut consumer = careful.any_file_system().open("x").unwrap();
    producer.send(1).unwrap();
    assert_eq!(consumer.recv(), Ok(1));
    drop(producer);
    assert_eq!(consumer.recv_timeout(LONG), Err(RecvTimeoutError::Disconnected));
}

#[test]
fn where_proc_is_missing_nobody_attaches() {
    if !os::is_root() {
        return not_run("mounting takes root");
    }
    let name = Name::new("noproc");
    let _held = Producer::<u64>::options().create(&name).unwrap();
    Child::spawn("places::no proc", &[&name]).finish();
}

fn without_proc(name: &str) {
    os::private_mounts().unwrap();
    os::mount("tmpfs", Path::new("/proc"), Some("tmpfs"), 0, "").unwrap();
    let made = spsc::pair::<u64>(2).unwrap_err();
    let opened = Consumer::<u64>::options().open(name).unwrap_err();
    for error in [made, opened] {
        assert!(is_unsupported(&error) && error.to_string().contains("/proc"), "{error}");
    }
}

#[test]
fn a_segment_of_an_earlier_start_of_the_system_is_not_joined() {
    let name = Name::new("boot");
    drop(Producer::<u64>::options().create(&name).unwrap());
    let file = fs::OpenOptions::new().read(true).write(true).open(name.path()).unwrap();
    let mut header = [0; 256];
    file.read_exact_at(&mut header, 0).unwrap();
    header[40] ^= 1;
    header[24..32].fill(0);
    let step = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
    let sum = header.iter().fold(0xcbf2_9ce4_8422_2325, step);
    header[24..32].copy_from_slice(&sum.to_le_bytes());
    file.write_all_at(&header, 0).unwrap();
    let error = Producer::<u64>::options().open(&name).unwrap_err();
    assert!(is_unsupported(&error), "{error}");
    drop(Producer::<u64>::options().replace(&name).expect("it can be replaced"));
}
