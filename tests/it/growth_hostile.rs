//! Chains that no correct member leaves behind, and systems that refuse another segment: errors, nothing lost.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::time::Duration;

use ringway::pipe::Connection;
use ringway::queue::{Growth, Queue, Receiver, Sender};
use ringway::{ErrorKind, Fault, Options, SendError, TryRecvError, TrySendError};

use crate::growth::assert_home;
use crate::util::child::Child;
use crate::util::view::{HEADER, View};
use crate::util::{Directory, LONG, NO_RECHECK, Name, Random, not_run, os, within};

/// Where the chain's word is, and the generation that is being removed.
const CHAIN: u64 = 256 + 16;
const LEAVING: u64 = 256 + 24;
const AWAY: u64 = 2047 << 51;

pub fn play(role: &str, arguments: &[&str]) {
    let place = Path::new(arguments[0]);
    match role {
        "no memory" => without_memory(place),
        "file size" => under_a_file_size_limit(place),
        _ => panic!("no role {role}"),
    }
}

fn options(place: &Path) -> Options<Queue<u64>> {
    let options = Queue::<u64>::options().directory(place).capacity(2).recheck(NO_RECHECK);
    options.growth(Growth::UntilRefused)
}

/// A queue `q` in which 0 to 29 are, in several segments, and what was seen of its chain.
fn grown(place: &Directory) -> (Queue<u64>, View) {
    let queue = options(place.path()).create("q").unwrap();
    (0..30).for_each(|n| queue.sender().send(n).unwrap());
    (queue, View::open(&place.path().join("ringway.default.q")))
}

/// The file of the segment `generation` of the queue `q`.
fn annex(place: &Directory, generation: u64) -> PathBuf {
    let ends = format!(".{generation}");
    let annexes = place.listing().into_iter().filter(|name| name.contains('@'));
    place.path().join(annexes.into_iter().find(|name| name.ends_with(&ends)).unwrap())
}

/// A sender and a receiver of an attachment that has seen no other segment yet.
fn newcomers(place: &Directory) -> (Sender<u64>, Receiver<u64>) {
    let queue = Queue::<u64>::options().directory(place.path()).recheck(NO_RECHECK);
    let queue = queue.open("q").unwrap();
    (queue.sender(), queue.receiver())
}

#[track_caller]
fn assert_corrupt<T: std::fmt::Debug>(outcome: Result<T, Option<Fault>>) {
    let fault = outcome.unwrap_err();
    assert!(matches!(fault, Some(Fault::Corrupt(_))), "{fault:?}");
}

/// All that an attachment can do with a broken chain is an error, and none of it hangs.
#[track_caller]
fn assert_broken((sender, receiver): &(Sender<u64>, Receiver<u64>), also_sends: bool) {
    within(LONG, || {
        let soon = Duration::from_millis(1);
        if also_sends {
            assert_corrupt(sender.try_send(99).map_err(|why| why.fault()));
            assert_corrupt(sender.send(99).map_err(|why| why.fault()));
            assert_corrupt(sender.send_timeout(99, soon).map_err(|why| why.fault()));
            assert_corrupt(sender.try_reserve().map_err(|why| why.fault()));
            assert_corrupt(sender.try_send_batch(&[1, 2]).map_err(|why| why.fault()));
        }
        assert_corrupt(receiver.try_recv().map_err(|why| why.fault()));
        assert_corrupt(receiver.recv().map_err(|why| why.fault()));
        assert_corrupt(receiver.recv_timeout(soon).map_err(|why| why.fault()));
        assert_corrupt(receiver.try_recv_guard().map(drop).map_err(|why| why.fault()));
        assert_corrupt(receiver.try_recv_batch(&mut [0; 2]).map_err(|why| why.fault()));
        let _ = (sender.len(), receiver.capacity(), sender.is_closed(), format!("{receiver:?}"));
    });
}

#[test]
fn a_header_that_contradicts_itself_about_growth_is_refused() {
    let forged = |name: &Name, words: &[(u64, u64)]| {
        let view = View::open(name.path());
        let original = view.bytes(0, HEADER);
        for (offset, word) in words {
            view.put_u64(*offset, *word);
        }
        view.seal_header();
        let opened = Queue::<u64>::options().open(name).map(drop);
        view.put_bytes(0, &original);
        opened.map_err(|error| error.kind().clone())
    };
    let (name, feature) = (Name::new("growth-header"), 2 << 32 | 1);
    drop(Queue::<u64>::options().create(&name).unwrap());
    assert_eq!(forged(&name, &[(176, feature), (216, 5)]), Ok(()));
    assert_eq!(forged(&name, &[(176, feature), (216, 5), (192, 1 << 30), (200, 9)]), Ok(()));
    for words in [
        &[(176, feature)][..],
        &[(216, 5)],
        &[(192, 1)],
        &[(200, 1)],
        &[(208, 1)],
        &[(176, feature), (216, 5), (224, 1)],
    ] {
        let refusal = forged(&name, words).unwrap_err();
        assert!(matches!(refusal, ErrorKind::NotASegment(_)), "{words:?}: {refusal:?}");
    }
    let pipe = Name::new("growth-pipe");
    drop(Connection::options().create(&pipe).unwrap());
    let view = View::open(pipe.path());
    view.put_u64(176, feature);
    view.seal_header();
    let refusal = Connection::options().open(&pipe).unwrap_err().kind().clone();
    assert_eq!(refusal, ErrorKind::UnknownFeatures { bits: 2 });
}

#[test]
fn a_word_that_no_chain_has_is_an_error() {
    let place = Directory::in_memory("growth-word");
    let (queue, view) = grown(&place);
    let chain = view.u64(CHAIN);
    let users = [newcomers(&place), (queue.sender(), queue.receiver())];
    for word in [
        1 << 40,
        1 << 62,
        AWAY,
        2 << 51 | 1 << 40 | 0x9,
        1024 << 40 | 0x1388,
        // Of segments that are not there.
        AWAY | 0x2bc,
        AWAY | 2 << 40 | 0x2bc,
        1 << 62 | AWAY | 2 << 40 | 0x2bc,
    ] {
        view.put_u64(CHAIN, word);
        for users in &users {
            assert_broken(users, true);
        }
        assert!(queue.statistics().recoveries == 0 && queue.members().is_err() || word & AWAY == 0);
    }
    view.put_u64(CHAIN, chain);
    assert_eq!(queue.receiver().try_iter().collect::<Vec<_>>(), (0..30).collect::<Vec<_>>());
    assert_home(&place);
}

#[test]
fn a_segment_that_is_missing_or_another_is_an_error() {
    let place = Directory::in_memory("growth-segment");
    let (queue, view) = grown(&place);
    let last = view.u64(CHAIN) & 0xff;
    assert!(last > 2);
    let (first, second) = (annex(&place, 1), annex(&place, 2));
    let aside = place.path().join("aside");
    for _ in 0..2 {
        assert_eq!(queue.receiver().try_recv().map(|n| n < 2), Ok(true));
    }
    let broken = |forge: &dyn Fn(&Path)| {
        fs::rename(&first, &aside).unwrap();
        forge(&first);
        // Its messages are the first in line; senders are elsewhere.
        let users = newcomers(&place);
        assert_broken(&users, false);
        let _ = fs::remove_file(&first);
        let _ = fs::remove_dir(&first);
        fs::rename(&aside, &first).unwrap();
    };
    broken(&|_| {});
    broken(&|path| fs::write(path, b"").unwrap());
    broken(&|path| fs::write(path, [0; 5000]).unwrap());
    broken(&|path| fs::create_dir(path).unwrap());
    broken(&|path| symlink(&aside, path).unwrap());
    broken(&|path| {
        fs::copy(&second, path).unwrap();
    });
    broken(&|path| {
        fs::copy(&aside, path).unwrap();
        fs::OpenOptions::new().write(true).open(path).unwrap().set_len(4096).unwrap();
    });
    broken(&|path| {
        fs::copy(&aside, path).unwrap();
        fs::set_permissions(path, fs::Permissions::from_mode(0o666)).unwrap();
    });
    broken(&|path| {
        fs::copy(&aside, path).unwrap();
        let forged = View::open(path);
        forged.put_u64(216, forged.u64(216) ^ 1);
        forged.seal_header();
    });
    broken(&|path| {
        // Another queue's first segment.
        let other = Queue::<u64>::options().directory(place.path()).create("other").unwrap();
        fs::rename(place.path().join("ringway.default.other"), path).unwrap();
        drop(other);
    });
    let (_, receiver) = newcomers(&place);
    assert_eq!(receiver.try_iter().collect::<Vec<_>>(), (2..30).collect::<Vec<_>>());
    assert_home(&place);
}

#[test]
fn what_is_said_to_be_leaving_is_removed_only_outside_of_the_chain() {
    let place = Directory::in_memory("growth-leaving");
    let (queue, view) = grown(&place);
    for generation in [1, 2, 77, u64::MAX] {
        view.put_u64(LEAVING, generation);
        (0..100).for_each(|n| queue.sender().send(n).unwrap());
    }
    assert_eq!(queue.receiver().try_iter().count(), 430);
    assert_home(&place);
}

#[test]
fn noise_in_the_words_of_a_chain_neither_hangs_nor_kills() {
    let place = Directory::in_memory("growth-noise");
    let (queue, view) = grown(&place);
    let (sender, receiver) = newcomers(&place);
    let mut random = Random(17);
    for _ in 0..300 {
        let bits = [random.next(), random.next() & random.next() & 0xffff_ff01_ff00_0007];
        let words = [view.u64(CHAIN) ^ 1 << random.below(64), bits[0], bits[1]];
        view.put_u64(CHAIN, words[random.below(3)]);
        view.put_u64(LEAVING, random.next() % 8);
        within(LONG, || {
            let _ = (sender.try_send(1), receiver.try_recv(), queue.sender().try_send(2));
            let _ = (receiver.len(), queue.recover(), queue.members());
        });
    }
}

#[test]
fn a_queue_whose_name_has_gone_does_not_begin_to_grow() {
    let place = Directory::in_memory("growth-nameless");
    let queue = options(place.path()).create("q").unwrap();
    let (sender, receiver) = (queue.sender(), queue.receiver());
    options(place.path()).unlink("q").unwrap();
    (0..2).for_each(|n| sender.send(n).unwrap());
    assert!(matches!(sender.send(2), Err(SendError::Failed(2, Fault::CannotGrow(_)))));
    assert_eq!(receiver.try_iter().collect::<Vec<_>>(), [0, 1]);
    assert!(place.listing().is_empty());
}

/// Plays `role` with a directory of its own.
fn act(role: &str) {
    let directory = Directory::within(&std::env::temp_dir(), "growth");
    let path = directory.path().to_str().unwrap().to_owned();
    Child::spawn(&format!("growth_hostile::{role}"), &[&path]).finish();
}

#[test]
fn refused_memory_is_an_error_and_nothing_is_lost() {
    if !os::is_root() {
        return not_run("mounting takes root");
    }
    act("no memory");
}

fn without_memory(place: &Path) {
    os::private_mounts().unwrap();
    os::mount("tmpfs", place, Some("tmpfs"), 0, "size=1m").unwrap();
    let queue = options(place).create("q").unwrap();
    let (sender, receiver) = (queue.sender(), queue.receiver());
    for _ in 0..3 {
        let mut sent = 0;
        let why = loop {
            match sender.try_send(sent) {
                Ok(()) => sent += 1,
                Err(why) => break why,
            }
        };
        assert!(matches!(why, TrySendError::Failed(_, Fault::CannotGrow(_))), "{why:?}");
        assert!(sent > 10_000, "{sent}");
        let why = sender.send(sent).unwrap_err();
        assert_eq!(
            why.to_string(),
            "cannot send: the queue cannot grow: there is no memory for another segment"
        );
        let half = sent / 2;
        assert_eq!(
            receiver.try_iter().take(usize::try_from(half).unwrap()).collect::<Vec<_>>(),
            (0..half).collect::<Vec<_>>()
        );
        // What was drained is there for new ones.
        sender.try_send(sent).unwrap();
        assert_eq!(receiver.try_iter().collect::<Vec<_>>(), (half..=sent).collect::<Vec<_>>());
        assert_eq!(receiver.try_recv(), Err(TryRecvError::Empty));
        assert_eq!(crate::util::listing(place), ["ringway.default.q"]);
    }
}

#[test]
fn a_limit_of_file_sizes_is_an_error_too() {
    act("file size");
}

fn under_a_file_size_limit(place: &Path) {
    let shm = Directory::in_memory("growth-size");
    let _ = place;
    let queue = options(shm.path()).create("q").unwrap();
    os::limit_file_size(30_000);
    let (sender, receiver) = (queue.sender(), queue.receiver());
    let mut sent = 0;
    let why = loop {
        match sender.try_send(sent) {
            Ok(()) => sent += 1,
            Err(why) => break why,
        }
    };
    assert!(matches!(why, TrySendError::Failed(_, Fault::CannotGrow(_))), "{why:?}");
    assert_eq!(receiver.try_iter().collect::<Vec<_>>(), (0..sent).collect::<Vec<_>>());
    assert_home(&shm);
}
