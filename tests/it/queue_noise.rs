//! Words of a queue that change under those who use it, for ever or at random: nobody panics or hangs.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use ringway::queue::{Queue, WriteGrant};

use crate::queue_hostile::{AT, SHORT, Stage};
use crate::util::view::{
    ABORTED, CONTROL, ENDS, FILLED, READING, REDELIVER, ROSTER, VACANT, View, WRITING, cursor,
};
use crate::util::{LONG, Random, within};

/// Writes what `words` says, offsets and values, for ever while both sides work, and holds that all of that ends, and
/// without a panic.
fn flip(words: impl Fn(&View) -> Vec<(u64, u64)>) {
    assert!(panicked(words).is_ok(), "it panicked");
}

fn panicked(words: impl Fn(&View) -> Vec<(u64, u64)>) -> std::thread::Result<()> {
    let stage = Stage::new();
    let (over, flips, view) = (AtomicBool::new(false), AtomicU64::new(0), &stage.view);
    std::thread::scope(|scope| {
        let (words, over, flips) = (words(view), &over, &flips);
        scope.spawn(move || {
            for (offset, value) in words.iter().cycle() {
                view.put_u64(*offset, *value);
                flips.fetch_add(1, Relaxed);
                if over.load(Relaxed) {
                    return;
                }
            }
        });
        let work = || {
            let mut operations = 0;
            while operations < 100 || flips.load(Relaxed) < 20_000 {
                let sent = within(LONG, || stage.sender.send_timeout(1, SHORT / 50));
                let received = within(LONG, || stage.receiver.recv_timeout(SHORT / 50));
                let batch = within(LONG, || stage.sender.try_send_batch(&[2, 3]));
                let _ = (sent, received, batch, stage.receiver.try_recv_guard());
                operations += 1;
            }
        };
        let ended = std::panic::catch_unwind(std::panic::AssertUnwindSafe(work));
        over.store(true, Relaxed);
        ended
    })
}

#[test]
fn whoever_moves_a_cursor_for_ever_hangs_nobody() {
    for step in [1, 7919] {
        let words = |n: u64| cursor(AT + n * step, n % 4);
        flip(|view| (0..64).map(|n| (view.tail(0), words(n))).collect());
        flip(|view| (0..64).map(|n| (view.head(0), words(n))).collect());
    }
}

#[test]
fn whoever_announces_redeliveries_for_ever_hangs_nobody() {
    flip(|view| [1, 0, 3, 2, 5].map(|word| (view.redeliver(), word)).to_vec());
    let again = |view: &View| view.slot_word(AT, 1, 0, REDELIVER);
    flip(|view| vec![(view.word(AT), again(view)), (view.redeliver(), 1), (view.redeliver(), 3)]);
}

/// Builds with debug assertions hold that nobody else changes a slot between claim and stamp, and may panic here.
#[test]
fn whoever_undoes_claims_for_ever_hangs_nobody() {
    for state in [VACANT, WRITING, FILLED, ABORTED, READING] {
        let slot = |view: &View, state| {
            (view.word(AT), view.slot_word(AT, 0, u64::from(state == READING), state))
        };
        let tail = |view: &View| {
            vec![(view.tail(0), cursor(AT, 1)), slot(view, VACANT), slot(view, state)]
        };
        let head = |view: &View| {
            vec![(view.head(0), cursor(AT, 0)), slot(view, FILLED), slot(view, state)]
        };
        for ended in [panicked(tail), panicked(head)] {
            assert!(ended.is_ok(), "it panicked");
        }
    }
}

#[test]
fn random_words_anywhere_never_panic_or_hang_anybody() {
    let mut random = Random(42);
    for _ in 0..300 {
        let stage = Stage::new();
        let view = &stage.view;
        stage.sender.send_batch(&[1, 2]).unwrap();
        let places = [
            CONTROL,
            ROSTER,
            ENDS,
            ENDS + 8,
            ENDS + 16,
            ENDS + 24,
            view.record(0),
            view.record(0) + 24,
            view.record(1),
            view.tail(0),
            view.head(0),
            view.redeliver(),
            view.closed(),
            view.closed() + 8,
            view.not_empty(0) + 8,
            view.not_full(0) + 8,
            view.word(AT),
            view.word(AT + 1),
            view.word(AT + 2),
        ];
        for _ in 0..=random.below(3) {
            let small = random.next() % 60;
            let slot = view.slot_word(random.next() % 12, small % 16, small % 5, small % 8);
            let values = [random.next(), small, u64::MAX - small, cursor(small, small % 5), slot];
            view.put_u64(places[random.below(places.len())], values[random.below(5)]);
        }
        within(LONG, || {
            let brief = Duration::from_micros(300);
            let _ = (stage.sender.try_send(3), stage.sender.send_timeout(4, brief));
            let _ = (stage.receiver.try_recv(), stage.receiver.recv_timeout(brief));
            let _ =
                (stage.sender.try_send_batch(&[5; 6]), stage.receiver.try_recv_batch(&mut [0; 3]));
            let _ = stage.sender.try_reserve().map(WriteGrant::<u64>::commit);
            let _ = (stage.receiver.try_recv_guard(), format!("{stage:?}", stage = stage.sender));
            let _ = Queue::<u64>::options().open(&stage.name).map(|queue| queue.members());
            stage.sender.close();
            let _ = (stage.receiver.recv_timeout(brief), stage.sender.try_send(6));
        });
    }
}
