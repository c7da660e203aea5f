//! Words of a queue that no correct member writes: each operation answers, and none panics or hangs.

use std::time::Duration;

use ringway::queue::{Queue, Receiver, Sender};
use ringway::{ErrorKind, Fault, RecvTimeoutError, TryRecvError, TrySendError};

use crate::util::view::{
    ABORTED, ENDS, FILLED, READING, REDELIVER, ROSTER, VACANT, View, WRITING, cursor,
};
use crate::util::{LONG, Name, within};

pub const SHORT: Duration = Duration::from_millis(5);

/// A queue of 4 slots whose cursors stand at 14, with members 0 and 1.
pub struct Stage {
    pub sender: Sender<u64>,
    pub receiver: Receiver<u64>,
    pub view: View,
    _queues: [Queue<u64>; 2],
    pub name: Name,
}

/// Where the cursors of a fresh stage stand.
pub const AT: u64 = 14;

impl Stage {
    pub fn new() -> Self {
        let name = Name::new("hostile");
        let options = Queue::<u64>::options().capacity(4).max_members(4).recheck(SHORT);
        let queues = [options.create(&name).unwrap(), options.open(&name).unwrap()];
        let (sender, receiver) = (queues[0].sender(), queues[1].receiver());
        for n in 0..AT {
            sender.send(n).unwrap();
            receiver.recv().unwrap();
        }
        let view = View::open(name.path());
        Self { sender, receiver, view, _queues: queues, name }
    }

    /// Every way of sending, none of which may panic or hang. True if each said that memory is corrupt.
    fn all_sends_are_corrupt(&self) -> bool {
        within(LONG, || {
            let faults = [
                self.sender.try_send(1).err().and_then(|e| e.fault()),
                self.sender.send_timeout(1, SHORT).err().and_then(|e| e.fault()),
                self.sender.try_send_batch(&[1, 2]).err().and_then(|e| e.fault()),
                self.sender.try_reserve().err().and_then(|e| e.fault()),
            ];
            faults.iter().all(|fault| matches!(fault, Some(Fault::Corrupt(_))))
        })
    }

    /// Every way of receiving, likewise.
    fn all_receives_are_corrupt(&self) -> bool {
        within(LONG, || {
            let faults = [
                self.receiver.try_recv().err().and_then(|e| e.fault()),
                self.receiver.recv_timeout(SHORT).err().and_then(|e| e.fault()),
                self.receiver.try_recv_batch(&mut [0; 3]).err().and_then(|e| e.fault()),
                self.receiver.try_recv_guard().err().and_then(|e| e.fault()),
            ];
            faults.iter().all(|fault| matches!(fault, Some(Fault::Corrupt(_))))
        })
    }

    /// A value goes through.
    fn works(&self) -> bool {
        self.sender.try_send(77) == Ok(()) && self.receiver.try_recv() == Ok(77)
    }
}

#[test]
fn a_slot_that_cannot_be_is_corrupt_for_both_sides_until_it_is_healed() {
    let stage = Stage::new();
    let view = &stage.view;
    let word = |position, tries, member, state| view.slot_word(position, tries, member, state);
    let healthy = view.u64(view.word(AT));
    assert_eq!(healthy, word(AT, 0, 0, VACANT));
    let impossible = [
        word(AT, 0, 0, 6),
        word(AT, 0, 0, 7),
        word(AT, 0, 1, VACANT),
        word(AT, 1, 0, VACANT),
        word(AT, 0, 1, FILLED),
        word(AT, 3, 0, WRITING),
        word(AT, 0, 1, REDELIVER),
        word(AT, 0, 4, WRITING),
        word(AT, 0, 2047, READING),
        word(AT + 4, 0, 0, VACANT),
        word(AT + 4, 0, 0, FILLED),
        word(AT - 8, 0, 0, VACANT),
        word(AT - 8, 0, 1, READING),
        word(AT - 4, 0, 4, READING),
        word(AT + 400, 0, 0, FILLED),
        u64::MAX,
    ];
    for impossible in impossible {
        view.put_u64(view.word(AT), impossible);
        assert!(stage.all_sends_are_corrupt(), "{impossible:#x}");
        assert!(stage.all_receives_are_corrupt(), "{impossible:#x}");
        assert_eq!(view.u64(view.word(AT)), impossible, "nobody has touched it");
        view.put_u64(view.word(AT), healthy);
        assert_eq!(stage.receiver.try_recv(), Err(TryRecvError::Empty));
    }
    assert!(stage.works());
}

#[test]
fn a_tail_or_head_that_cannot_be_is_found_by_who_uses_it() {
    for far in [AT + 1, AT + 3, AT + 5, AT + 100, 1 << 40, (1 << 52) - 1] {
        let stage = Stage::new();
        let view = &stage.view;
        let (tail, head) = (view.u64(view.tail(0)), view.u64(view.head(0)));
        view.put_u64(view.tail(0), cursor(far, 0));
        if far > AT + 8 {
            assert!(stage.all_sends_are_corrupt(), "{far:#x}");
        }
        let _ = within(LONG, || stage.receiver.recv_timeout(SHORT));
        assert!(stage.sender.len() <= 4 && stage.receiver.len() <= 4);
        view.put_u64(view.tail(0), tail);
        view.put_u64(view.head(0), cursor(far, 0));
        if far > AT + 3 {
            assert!(stage.all_receives_are_corrupt(), "{far:#x}");
        }
        let _ = within(LONG, || stage.receiver.recv_timeout(SHORT));
        assert!(stage.sender.len() <= 4 && stage.receiver.len() <= 4);
        view.put_u64(view.head(0), head);
    }
}

#[test]
fn a_claim_of_a_member_that_cannot_be_is_corrupt() {
    for member in [4, 63, 64, 2047] {
        let stage = Stage::new();
        let view = &stage.view;
        // As if it had claimed the next position and not stamped it.
        view.put_u64(view.tail(0), cursor(AT + 1, member));
        assert!(stage.all_sends_are_corrupt(), "{member}");
        view.put_u64(view.tail(0), cursor(AT, 0));
        assert!(stage.works());
        stage.sender.send_batch(&[1, 2]).unwrap();
        view.put_u64(view.head(0), cursor(AT + 2, member));
        assert!(stage.all_receives_are_corrupt(), "{member}");
        view.put_u64(view.head(0), cursor(AT + 1, 1));
        assert_eq!((stage.receiver.recv(), stage.receiver.recv()), (Ok(1), Ok(2)));
    }
}

#[test]
fn a_message_behind_an_abandoned_claim_of_a_member_that_lives_is_busy_or_comes() {
    let stage = Stage::new();
    let view = &stage.view;
    view.put_u64(view.tail(0), cursor(AT + 1, 1));
    stage.sender.try_send(5).unwrap();
    let answer = stage.receiver.try_recv();
    assert!(matches!(answer, Err(TryRecvError::Busy(member)) if member.index() == 1), "{answer:?}");
    assert_eq!(stage.receiver.recv_timeout(SHORT), Err(RecvTimeoutError::Timeout));
    view.put_u64(view.word(AT), view.slot_word(AT, 0, 0, ABORTED));
    assert_eq!(stage.receiver.try_recv(), Ok(5));
}

#[test]
fn a_claim_of_the_whole_queue_that_is_not_stamped_yet_is_full_or_empty_and_not_corrupt() {
    let stage = Stage::new();
    let view = &stage.view;
    view.put_u64(view.tail(0), cursor(AT + 4, 1));
    assert_eq!(stage.sender.try_send(1), Err(TrySendError::Full(1)));
    assert_eq!(stage.sender.try_send_batch(&[1]), Err(TrySendError::Full(())));
    view.put_u64(view.tail(0), cursor(AT, 1));
    stage.sender.send_batch(&[1, 2, 3, 4]).unwrap();
    view.put_u64(view.head(0), cursor(AT + 4, 0));
    assert_eq!(stage.receiver.try_recv(), Err(TryRecvError::Empty));
    assert_eq!(stage.receiver.try_recv_batch(&mut [0; 4]), Err(TryRecvError::Empty));
    view.put_u64(view.head(0), cursor(AT, 0));
    assert_eq!(stage.receiver.try_iter().count(), 4);
}

#[test]
fn a_redelivery_that_is_pending_for_nothing_is_forgotten() {
    for word in [1, 3, u64::MAX] {
        let stage = Stage::new();
        stage.view.put_u64(stage.view.redeliver(), word);
        assert_eq!(stage.receiver.try_recv(), Err(TryRecvError::Empty));
        assert_eq!(stage.view.u64(stage.view.redeliver()), word & !1);
        assert!(stage.works());
    }
}

#[test]
fn bits_of_waiters_that_are_nobodys_cost_wake_ups_and_nothing_else() {
    let stage = Stage::new();
    for word in 0..8 {
        stage.view.put_u64(stage.view.not_empty(0) + 8 + 8 * word, u64::MAX);
        stage.view.put_u64(stage.view.not_full(0) + 8 + 8 * word, u64::MAX);
    }
    for _ in 0..100 {
        assert!(stage.works());
    }
    assert_eq!(stage.receiver.recv_timeout(SHORT), Err(RecvTimeoutError::Timeout));
}

#[test]
fn counts_of_senders_and_receivers_that_are_not_so_disconnect_or_do_not_but_harm_nobody() {
    for value in [0, 1, 2, u64::MAX - 1, u64::MAX] {
        let stage = Stage::new();
        let view = &stage.view;
        for place in [ENDS, ENDS + 8, ENDS + 16, ENDS + 24, ROSTER] {
            let before = view.u64(place);
            view.put_u64(place, value);
            let _ = within(LONG, || stage.sender.send_timeout(1, SHORT));
            let _ = within(LONG, || stage.receiver.recv_timeout(SHORT));
            drop((stage.sender.clone(), stage.receiver.clone()));
            view.put_u64(place, before);
        }
        for count in [view.record(0) + 24, view.record(0) + 28, view.record(1) + 28] {
            view.put_u32(count, u32::try_from(value & 0xffff_ffff).unwrap());
            drop((stage.sender.clone(), stage.receiver.clone()));
            let _ = within(LONG, || stage.receiver.recv_timeout(SHORT));
        }
    }
}

#[test]
fn a_length_longer_than_a_slot_or_with_a_flag_is_corrupt_for_every_way_of_receiving_until_healed() {
    let name = Name::new("length");
    let queue = Queue::<[u8]>::options().capacity(2).message_len(32).create(&name).unwrap();
    let (sender, receiver, view) = (queue.sender(), queue.receiver(), View::open(name.path()));
    sender.send(&[7; 32]).unwrap();
    let flags = (32..64).map(|flag| 1 << flag | 7);
    for len in [33, 40, 1 << 20, 1 << 32, 1 << 63, u64::MAX].into_iter().chain(flags) {
        view.put_u64(view.word(0) + 8, len);
        let faults = within(LONG, || {
            [
                receiver.try_recv().unwrap_err().fault(),
                receiver.recv().unwrap_err().fault(),
                receiver.recv_timeout(LONG).unwrap_err().fault(),
                receiver.recv_into(&mut [0; 64]).unwrap_err().fault(),
                receiver.try_recv_into(&mut []).unwrap_err().fault(),
                receiver.recv_guard().unwrap_err().fault(),
            ]
        });
        let what = if len >> 32 == 0 { "longer" } else { "flags" };
        let named = |f: &Option<Fault>| matches!(f, Some(Fault::Corrupt(w)) if w.contains(what));
        assert!(faults.iter().all(named), "{len:#x}: {faults:?}");
    }
    view.put_u64(view.word(0) + 8, 3);
    let delivery = receiver.recv_guard().unwrap();
    assert_eq!((&*delivery, delivery.redelivered()), (&[7; 3][..], false));
}

#[test]
fn a_delivery_policy_of_the_future_is_named() {
    let stage = Stage::new();
    for code in [0, 3, u32::MAX] {
        stage.view.put_u32(160, code);
        stage.view.seal_header();
        let options = Queue::<u64>::options();
        for error in [options.open(&stage.name), options.open_or_create(&stage.name)] {
            assert_eq!(error.unwrap_err().kind(), &ErrorKind::UnknownDelivery { code });
        }
    }
    assert!(stage.works(), "those who are in have read it long ago");
    drop(Queue::<u64>::options().replace(&stage.name).unwrap());
}

#[test]
fn a_closed_flag_alone_closes_for_all_once_somebody_finds_the_queue_empty() {
    let stage = Stage::new();
    stage.view.put_u64(stage.view.closed(), 7);
    stage.sender.try_send(1).unwrap();
    assert_eq!(stage.receiver.recv(), Ok(1));
    assert_eq!(stage.receiver.try_recv(), Err(TryRecvError::Closed));
    assert_eq!(stage.sender.try_send(2), Err(TrySendError::Closed(2)));
}
