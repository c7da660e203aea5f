//! What is done about annexes that are in the chain no more, or never were.

use std::path::Path;

use super::*;
use crate::queue::{Growth, Queue};

/// A queue of one slot that grew and came home, its anchor, and the annex that was passed, still mapped.
fn passed(name: &str, act: impl FnOnce(&Segment, &Segment)) {
    let options = Queue::<u64>::options().capacity(1).growth(Growth::UntilRefused);
    let queue = options.remove_when_unused().create(name).unwrap();
    let (sender, receiver) = (queue.sender(), queue.receiver());
    (0..2).for_each(|n| sender.send(n).unwrap());
    let home = Address::new(Path::new("/dev/shm"), "default", name).unwrap();
    let (anchor, _) = Segment::open_any(home.path(), &Trust::default()).unwrap();
    let annexes = Annexes::at(&home);
    let seen = ChainWord(anchor.control().next.load(SeqCst));
    let annex = annexes.open(&anchor, seen, 1).unwrap().expect("it is there");
    (0..2).for_each(|n| assert_eq!(receiver.recv(), Ok(n)));
    act(&anchor, &annex);
}

#[test]
fn who_still_holds_an_annex_that_was_passed_finds_nothing_of_the_dead_in_it() {
    passed(&format!("unit-passed-{}", std::process::id()), |anchor, annex| {
        let seen = ChainWord(anchor.control().next.load(SeqCst));
        assert!(seen.first() > 1 && seen.ahead() == 0);
        // Its cursors name who claimed last, and its slots are blank.
        let cursors = annex.queue_header(0);
        let last = crate::ring::word::CursorWord(cursors.tail.tail.load(SeqCst));
        assert!(last.position() > 0);
        let dead = MemberId(last.member());
        let policy = DeliveryPolicy::AtLeastOnce;
        assert_eq!(reap_annex(anchor, annex, dead, policy), Reaped::default());
        // It would have found claims.
        let rings: Vec<_> = annex.rings(None).collect();
        assert_ne!(reap_all(&rings, dead, policy), Reaped::default());
    });
}

#[test]
fn a_chain_of_segments_that_are_not_there_is_an_error_however_often_it_changes() {
    passed(&format!("unit-each-{}", std::process::id()), |anchor, _| {
        let annexes = Annexes::at(&Address::new(Path::new("/dev/shm"), "default", "none").unwrap());
        let (word, before) = (&anchor.control().next, anchor.control().next.load(SeqCst));
        let over = std::sync::atomic::AtomicBool::new(false);
        let away = 2047 << 51;
        word.store(away | 3 << 40 | 8, SeqCst);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                for last in (8..).take_while(|_| !over.load(SeqCst)) {
                    word.store(away | 3 << 40 | (last % 1000 + 8), SeqCst);
                }
            });
            let looked = annexes.each(anchor, |_| panic!("there is none"));
            over.store(true, SeqCst);
            assert!(looked.is_err(), "{looked:?}");
        });
        word.store(before, SeqCst);
    });
}
