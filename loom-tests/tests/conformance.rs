//! Hazard: the explicit-state model of the queue explores a protocol that is not the code's.
//!
//! Checked: each operation, run alone from the words that the model begins with, makes the very accesses to shared words
//! that the model's steps make, in the same order, and leaves the same words. So does a hand-over to another ring, which there is
//! a send. And if the operation's owner dies before any of its accesses, the words that it leaves, the accesses of its
//! reaper and what comes of them are the model's too.
#![cfg(loom)]

use std::sync::{Arc, Mutex};

use loom::sync::atomic::Ordering::Relaxed;
use proof::{Access, Fall, Kind, Operation, Script, Word, Words, collapsed, scripts};
use ringway::parts::mpmc::{ConsumerSide, ProducerSide, Ring};
use ringway::parts::reap::{DeliveryPolicy, reap};
use ringway::parts::{HeapSlots, QueueHeader, Recorded, killed_after, record};

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
                        ring.fill_with(ring.reserve_at_once(&side, 0).expect("no obstacle"), &1);
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
            Operation::Reap { dead, at_most_once } => self.reap(dead, at_most_once),
        }
    }

    fn reap(&self, dead: u16, at_most_once: bool) {
        let policy =
            if at_most_once { DeliveryPolicy::AtMostOnce } else { DeliveryPolicy::AtLeastOnce };
        reap(&self.ring(), loom_tests::member(dead), policy);
    }

    /// Sends a message that `member` claimed in another ring, without a look at that.
    fn forward(&self, member: u16) -> Vec<Recorded> {
        let slots = vec![0; self.slots.slots().len()];
        let new = Words { tail: 0, head: 0, redeliver: 0, closed: false, slots };
        let (first, member) = (Self::new(&new), loom_tests::member(member));
        first.ring().push(&ProducerSide::new(member), 1).unwrap();
        let side = ConsumerSide::new(member, &Arc::default());
        let claim = first.ring().take(&side).unwrap();
        let recorded = record(|| {
            // Where there is no room it says so.
            let _ = first.ring().copy_to(&claim, &self.ring(), member);
        });
        assert!(recorded.iter().all(|(address, ..)| first.name(*address).is_none()));
        recorded
    }

    /// What the model would call all that was recorded.
    fn accesses(&self, recorded: Vec<Recorded>) -> Vec<Access> {
        collapsed(recorded.into_iter().filter_map(|access| self.access(access)).collect())
    }
}

/// What `act` gives in the ring that `words` are of.
///
/// One thread: there is one order only, and loom is here because the facade records under it.
fn staged<R: Send + 'static>(
    words: &Words,
    act: impl Fn(&Stage) -> R + Send + Sync + 'static,
) -> R {
    let outcome = Arc::new(Mutex::new(None));
    let (result, words) = (Arc::clone(&outcome), words.clone());
    loom::model(move || *result.lock().unwrap() = Some(act(&Stage::new(&words))));
    outcome.lock().unwrap().take().expect("the model ran")
}

/// What the code does where the model does `script`.
fn played(script: &Script) -> (Vec<Access>, Words) {
    let operation = script.operation;
    staged(&script.before, move |stage| {
        let recorded = record(|| stage.perform(operation));
        (stage.accesses(recorded), stage.words())
    })
}

/// What the code leaves where `member` dies before each of its accesses in `script`, and what its reaper makes of that.
fn fallen(script: &Script, member: u16, at_most_once: bool) -> Vec<Fall> {
    let operation = script.operation;
    let mut falls = Vec::new();
    for after in 0.. {
        let (lived, fall) = staged(&script.before, move |stage| {
            let lived = killed_after(after, || stage.perform(operation)).is_some();
            let left = stage.words();
            let accesses = stage.accesses(record(|| stage.reap(member, at_most_once)));
            (lived, Fall { at_most_once, left, accesses, after: stage.words() })
        });
        falls.push(fall);
        if lived {
            break;
        }
    }
    falls.dedup();
    falls
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

#[test]
fn a_message_handed_over_takes_the_steps_of_one_that_is_sent() {
    let mut count = 0;
    for script in scripts() {
        let Operation::Send { member, batch: 1, at_once: false } = script.operation else {
            continue;
        };
        let did = staged(&script.before, move |stage| {
            let recorded = stage.forward(member);
            (stage.accesses(recorded), stage.words())
        });
        assert_eq!(did, (script.accesses, script.after), "{}", script.name);
        count += 1;
    }
    assert!(count >= 5, "there are sends");
}

#[test]
fn the_dead_leave_and_their_reapers_find_what_they_do_in_the_model() {
    let (mut falls, mut wrong) = (0, Vec::new());
    for script in scripts() {
        let Some(member) = script.operation.member() else { continue };
        for at_most_once in [false, true] {
            let expected = script.falls.iter().filter(|fall| fall.at_most_once == at_most_once);
            let expected: Vec<Fall> = expected.cloned().collect();
            if expected.is_empty() {
                continue;
            }
            let found = fallen(&script, member, at_most_once);
            falls += found.len();
            if found != expected {
                let name = script.name;
                wrong.push(format!("{name}\n  model {expected:x?}\n  code  {found:x?}"));
            }
        }
    }
    assert!(falls > 100, "{falls} deaths");
    assert!(wrong.is_empty(), "{} scripts differ:\n{}", wrong.len(), wrong.join("\n"));
}
