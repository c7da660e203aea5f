//! Hazard: the explicit-state model of the queue explores a protocol that is not the code's.
//!
//! Checked: each operation, run alone from the words that the model begins with, makes the very accesses to shared words
//! that the model's steps make, in the same order, and leaves the same words.
#![cfg(loom)]

use std::sync::{Arc, Mutex};

use loom::sync::atomic::Ordering::Relaxed;
use proof::{Access, Kind, Operation, Script, Word, Words, collapsed, scripts};
use ringway::parts::mpmc::{ConsumerSide, ProducerSide, Ring};
use ringway::parts::reap::{DeliveryPolicy, reap};
use ringway::parts::{HeapSlots, QueueHeader, Recorded, record};

fn place<T>(word: &T) -> usize {
    std::ptr::from_ref(word).addr()
}

/// A ring as a script has it.
struct Stage {
    header: QueueHeader,
    slots: HeapSlots<u64>,
}

impl Stage {
    fn new(words: &Words) -> Self {
        let stage = Self {
            header: QueueHeader::default(),
            slots: HeapSlots::vacant(words.slots.len(), size_of::<u64>()),
        };
        stage.header.initialise();
        stage.header.tail.tail.store(words.tail, Relaxed);
        stage.header.head.head.store(words.head, Relaxed);
        stage.header.head.redeliver.store(words.redeliver, Relaxed);
        stage.header.gate.closed.store(words.closed.into(), Relaxed);
        for (index, word) in words.slots.iter().enumerate() {
            stage.slots.slots().word(index).store(*word, Relaxed);
        }
        stage
    }

    fn ring(&self) -> Ring<'_, u64> {
        Ring::new(&self.header, self.slots.slots(), 8)
    }

    fn words(&self) -> Words {
        let slots = self.slots.slots();
        Words {
            tail: self.header.tail.tail.peek(),
            head: self.header.head.head.peek(),
            redeliver: self.header.head.redeliver.peek(),
            closed: self.header.gate.closed.peek() != 0,
            slots: (0..slots.len()).map(|index| slots.word(index).peek()).collect(),
        }
    }

    /// The shared words, with what the model calls them. A handle's own memory is none.
    fn name(&self, address: usize) -> Option<Word> {
        let slots = self.slots.slots();
        let slot = || (0..slots.len()).find(|index| place(slots.word(*index)) == address);
        match () {
            () if place(&self.header.tail.tail) == address => Some(Word::Tail),
            () if place(&self.header.head.head) == address => Some(Word::Head),
            () if place(&self.header.head.redeliver) == address => Some(Word::Redeliver),
            () if place(&self.header.gate.closed) == address => Some(Word::Closed),
            () => slot().map(Word::Slot),
        }
    }

    fn access(&self, (address, how, value): Recorded) -> Option<Access> {
        let kind = match how {
            'l' => Kind::Load,
            's' => Kind::Store,
            _ => Kind::Rmw,
        };
        Some(Access { word: self.name(address)?, kind, value })
    }

    /// Does what a script says, by handles that have done nothing yet.
    fn perform(&self, operation: Operation) {
        let ring = self.ring();
        match operation {
            Operation::Send { member, batch, at_once } => {
                let side = ProducerSide::new(loom_tests::member(member));
                match (at_once, batch) {
                    (true, _) => {
                        ring.fill_with(ring.reserve_at_once(&side, 0).expect("no obstacle"), 1);
                    }
                    (false, 0 | 1) => drop(ring.push(&side, 1)),
                    (false, batch) => drop(ring.push_slice(&side, &vec![1; batch.into()])),
                }
            }
            Operation::Abort { member } => {
                let side = ProducerSide::new(loom_tests::member(member));
                ring.abort(ring.reserve(&side, 0).expect("there is room"));
            }
            Operation::Receive { member, batch, at_once } => {
                let side = ConsumerSide::new(loom_tests::member(member), &Arc::default());
                match (at_once, batch) {
                    (true, _) => ring.acknowledge(ring.take_at_once(&side).expect("no obstacle")),
                    (false, 0 | 1) => drop(ring.pop(&side)),
                    (false, batch) => drop(ring.pop_slice(&side, &mut vec![0; batch.into()])),
                }
            }
            Operation::PutBack { member } => {
                let side = ConsumerSide::new(loom_tests::member(member), &Arc::default());
                ring.put_back(side.sweeper(), ring.take(&side).expect("there is a message"), true);
            }
            Operation::Close => ring.close(),
            Operation::Reap { dead, at_most_once } => {
                let once = at_most_once;
                let policy =
                    if once { DeliveryPolicy::AtMostOnce } else { DeliveryPolicy::AtLeastOnce };
                reap(&ring, loom_tests::member(dead), policy);
            }
        }
    }
}

/// What the code does where the model does `script`.
fn played(script: &Script) -> (Vec<Access>, Words) {
    let outcome = Arc::new(Mutex::new(None));
    let (result, before, operation) =
        (Arc::clone(&outcome), script.before.clone(), script.operation);
    // One thread: there is one order only, and loom is here because the facade records under it.
    loom::model(move || {
        let stage = Stage::new(&before);
        let recorded = record(|| stage.perform(operation));
        let accesses = recorded.into_iter().filter_map(|access| stage.access(access)).collect();
        *result.lock().unwrap() = Some((collapsed(accesses), stage.words()));
    });
    outcome.lock().unwrap().take().expect("the model ran")
}

#[test]
fn the_code_takes_the_steps_of_the_model() {
    let scripts = scripts();
    assert!(scripts.len() > 20, "there are scripts");
    let mut wrong = Vec::new();
    for script in &scripts {
        let (accesses, after) = played(script);
        if accesses != script.accesses || after != script.after {
            wrong.push(format!(
                "{}\n  model {:x?}\n  code  {accesses:x?}\n  model {:x?}\n  code  {after:x?}",
                script.name, script.accesses, script.after
            ));
        }
    }
    assert!(wrong.is_empty(), "{} scripts differ:\n{}", wrong.len(), wrong.join("\n"));
}
