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

/// The chain of an anchor that is away and the annexes from `first` to `last`.
fn away(first: u64, last: u64) -> ChainWord {
    let word = ChainWord(2047 << 51 | (last - first) << 40 | last);
    assert!(word.is_possible() && (word.first(), word.last()) == (first, last));
    word
}

/// What is found of a chain that is `words` one after the other, where `found` says what of each: the answer, and as
/// what the chain was looked through.
fn search<const N: usize>(
    words: [ChainWord; N],
    found: impl Fn(ChainWord) -> Result<u64, Failure>,
) -> (Result<u64, Failure>, Vec<u64>) {
    let (mut seen, next) = (Vec::new(), std::cell::Cell::new(0));
    let word = || words[next.replace((next.get() + 1).min(N - 1))];
    let answer = of_one_moment(word, |chain| {
        seen.push(chain.0);
        found(chain)
    });
    (answer, seen)
}

fn not_found<R>() -> Result<R, Failure> {
    Err(ErrorKind::NotFound.into())
}

#[test]
fn segments_that_are_not_there_are_looked_for_again_only_if_the_chain_has_changed() {
    let [one, two] = [away(3, 5), away(4, 5)];
    // There at once, although the chain is another by now.
    let (answer, seen) = search([one, two], |chain| Ok(chain.first()));
    assert_eq!((answer.ok(), seen), (Some(3), vec![one.0]));
    // Gone meanwhile; then all there.
    let there = |chain: ChainWord| if chain == two { Ok(chain.first()) } else { not_found() };
    let (answer, seen) = search([one, two], there);
    assert_eq!((answer.ok(), seen), (Some(4), vec![one.0, two.0]));
    // In the chain, and not there.
    let (answer, seen) = search([one, two], |_| not_found());
    assert!(matches!(answer, Err(Failure { kind: ErrorKind::NotFound, .. })), "{answer:?}");
    assert_eq!(seen, [one.0, two.0]);
}

#[test]
fn a_chain_that_cannot_be_is_not_looked_through() {
    let broken = ChainWord(away(3, 5).0 & !((1 << 40) - 1));
    assert!(!broken.is_possible());
    for (words, looks) in [([broken, broken], 0), ([away(3, 5), broken], 1)] {
        let (answer, seen) = search(words, |_| not_found());
        assert!(matches!(answer, Err(Failure { kind: ErrorKind::NotASegment(_), .. })));
        assert_eq!(seen.len(), looks);
    }
}

#[test]
fn a_chain_of_segments_that_are_not_there_is_an_error_however_often_it_changes() {
    let finds = std::cell::Cell::new(0);
    let word = || away(8, 8 + finds.get() % 2);
    let answer = of_one_moment(word, |_| {
        finds.set(finds.get() + 1);
        not_found::<()>()
    });
    assert!(matches!(answer, Err(Failure { kind: ErrorKind::NotASegment(_), .. })), "{answer:?}");
    assert_eq!(finds.get(), TURNS as u64);
}

#[test]
fn each_annex_in_the_chain_is_shown_once_and_the_anchor_is_not() {
    let name = format!("unit-each-{}", std::process::id());
    let options = Queue::<u64>::options().capacity(1).growth(Growth::UntilRefused);
    let queue = options.remove_when_unused().create(&name).unwrap();
    let (sender, receiver) = (queue.sender(), queue.receiver());
    let home = Address::new(Path::new("/dev/shm"), "default", &name).unwrap();
    let (anchor, _) = Segment::open_any(home.path(), &Trust::default()).unwrap();
    let annexes = Annexes::at(&home);
    let shown = || {
        let mut shown = Vec::new();
        annexes.each(&anchor, |annex| shown.push(annex.shape().growth.chain)).unwrap();
        shown
    };
    assert!(shown().is_empty());
    // Of 1, 2, 4 slots.
    (0..7).for_each(|n| sender.send(n).unwrap());
    assert_eq!(shown(), [1, 2]);
    assert_eq!(receiver.recv(), Ok(0));
    assert_eq!(shown(), [1, 2], "the anchor is away");
    (1..3).for_each(|n| assert_eq!(receiver.recv(), Ok(n)));
    assert_eq!(shown(), [2]);
    (3..7).for_each(|n| assert_eq!(receiver.recv(), Ok(n)));
    assert!(shown().is_empty(), "it is the only one");
    // A name that the chain has and no file.
    (0..2).for_each(|n| sender.send(n).unwrap());
    let elsewhere = Annexes::at(&Address::new(Path::new("/dev/shm"), "default", "none").unwrap());
    let looked = elsewhere.each(&anchor, |_| panic!("there is none"));
    assert!(matches!(looked, Err(Failure { kind: ErrorKind::NotFound, .. })), "{looked:?}");
}
