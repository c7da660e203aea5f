//! A queue of bytes on the heap whose messages all lie in blocks, with a ring for dead letters, and what is left in it.

use std::sync::Arc;

use loom::sync::atomic::Ordering::{Acquire, Relaxed};
use loom::thread::JoinHandle;
use ringway::parts::block::{BlockState, BlockWord};
use ringway::parts::mpmc::{ConsumerSide, Dry, ProducerSide, Ring, Taken};
use ringway::parts::reap::{DeliveryPolicy, Reaped, reap_all, reap_blocks};
use ringway::parts::slab::{Astray, Found, Pager, Slab};
use ringway::parts::{BlockLine, CLASSES, ClassWord, HeapCells, HeapSlots, QueueHeader, SlabPlan};

use super::member;
use super::queue::{MEMBERS, receiver};

/// Bytes of a message: one word.
const LEN: usize = size_of::<u64>();
/// Words of a block.
const WORDS: usize = 8;

/// Blocks on the heap have memory. `held` is what the only one has as far as the kernel knows: a word like those of shared memory,
/// so that a victim may die before each call of the kernel.
#[derive(Debug, Default)]
struct Heap {
    held: BlockLine,
}

impl Pager for Heap {
    fn back(&self, _: u64, _: u64) -> bool {
        self.held.backed.store(1, Relaxed);
        true
    }

    fn punch(&self, _: u64, _: u64) {
        self.held.backed.store(0, Relaxed);
    }
}

/// The two rings of a queue.
pub type Rings<'a> = [Ring<'a, [u8]>; 2];

/// A queue that every member has attached.
#[derive(Debug)]
pub struct LongQueue {
    rings: [(QueueHeader, HeapSlots<[u8]>); 2],
    lines: Vec<BlockLine>,
    memory: HeapCells<u64>,
    plan: SlabPlan,
    heap: Heap,
}

impl LongQueue {
    /// An empty queue of `capacity` slots and as many for dead letters.
    ///
    /// # Panics
    ///
    /// When there can be no such queue.
    pub fn new(capacity: usize, blocks: usize) -> Arc<Self> {
        let class = ClassWord::new((WORDS * LEN) as u64, blocks as u64, false);
        Self::of(capacity, blocks, class.expect("a class"))
    }

    /// The same with one block, which is a hole.
    ///
    /// # Panics
    ///
    /// When there can be no such queue.
    pub fn with_a_hole(capacity: usize) -> Arc<Self> {
        Self::of(capacity, 1, ClassWord::new(4096, 1, true).expect("a class"))
    }

    fn of(capacity: usize, blocks: usize, class: ClassWord) -> Arc<Self> {
        let mut words = [ClassWord::default(); CLASSES];
        words[0] = class;
        let ring = || {
            let header = QueueHeader::default();
            header.initialise();
            (header, HeapSlots::vacant(capacity, 2 * LEN))
        };
        Arc::new(Self {
            rings: [ring(), ring()],
            lines: (0..blocks).map(|_| BlockLine::default()).collect(),
            memory: HeapCells::zeroed(blocks * WORDS),
            plan: SlabPlan::of(words).expect("a plan"),
            heap: Heap::default(),
        })
    }

    /// Runs `act` on a thread of its own.
    pub fn beside<R: 'static>(
        self: &Arc<Self>,
        act: impl FnOnce(&LongQueue) -> R + 'static,
    ) -> JoinHandle<R> {
        let queue = Arc::clone(self);
        loom::thread::spawn(move || act(&queue))
    }

    /// Does something with the rings and the blocks.
    pub fn with<R>(&self, act: impl FnOnce(&Rings<'_>, &Slab<'_>) -> R) -> R {
        let slab = Slab::new((self.plan, LEN as u64), &self.lines, self.memory.cells(), &self.heap);
        let ring = |number: usize| {
            let (header, slots) = &self.rings[number];
            Ring::new(header, slots.slots(), MEMBERS.into()).with_slab(Some(&slab), number == 1)
        };
        let rings = [ring(0), ring(1)];
        act(&rings, &slab)
    }

    /// Sends `value` as the member `number`. False if there is no block, or no room.
    pub fn send(&self, number: u16, side: &ProducerSide, value: u64) -> bool {
        self.with(|[ring, _], slab| {
            let Some(mut block) = slab.allocate(member(number), LEN, &Found::default()) else {
                return false;
            };
            assert!(slab.back(&block, LEN), "it is never refused");
            slab.bytes_mut(&mut block, LEN).copy_from_slice(&value.to_le_bytes());
            let Ok(claim) = ring.reserve(side, 0) else {
                slab.free(block, member(number));
                return false;
            };
            ring.commit(claim.with_block(block, LEN));
            true
        })
    }

    /// Reserves a place and gives it up.
    pub fn give_up(&self, number: u16, side: &ProducerSide) {
        self.with(|[ring, _], slab| {
            if let Some(block) = slab.allocate(member(number), LEN, &Found::default())
                && let Ok(claim) = ring.reserve(side, 0)
            {
                ring.abort(claim.with_block(block, LEN));
            }
        });
    }

    /// Claims the next message of a ring and finds it.
    ///
    /// # Panics
    ///
    /// When shared memory is corrupt.
    pub fn take(ring: &Ring<'_, [u8]>, side: &ConsumerSide) -> Result<Taken, Dry> {
        loop {
            let mut claim = match ring.take(side) {
                Ok(claim) => claim,
                Err(Dry::Skipped) => continue,
                Err(Dry::Corrupt(what)) => panic!("{what:?}"),
                Err(why) => return Err(why),
            };
            match ring.measure(&mut claim) {
                Ok(len) => {
                    assert_eq!(len, LEN);
                    return Ok(claim);
                }
                Err(Astray::Moved) => ring.pass_over(claim),
                Err(Astray::Corrupt(what)) => panic!("{what:?}"),
            }
        }
    }

    /// Which message it is.
    ///
    /// # Panics
    ///
    /// When it has another length.
    pub fn value(ring: &Ring<'_, [u8]>, claim: &Taken) -> u64 {
        u64::from_le_bytes(whole(ring.bytes(claim)))
    }

    /// Receives at most `limit` messages of ring `number`, and stops at the first time that there is none.
    pub fn recv_some(&self, number: usize, side: &ConsumerSide, limit: usize) -> Vec<u64> {
        let mut received = Vec::new();
        self.with(|rings, _| {
            while received.len() < limit {
                let Ok(mut claim) = Self::take(&rings[number], side) else { break };
                let mut take = |bytes: &[u8]| received.push(u64::from_le_bytes(whole(bytes)));
                rings[number].read_out(&mut claim, &mut take);
                rings[number].acknowledge(claim);
            }
        });
        received
    }

    /// Puts the first message back, as one that was seen.
    ///
    /// # Panics
    ///
    /// When there is none.
    pub fn put_back(&self, side: &ConsumerSide) {
        self.with(|[ring, _], _| {
            let claim = Self::take(ring, side).expect("a message");
            ring.put_back(side.sweeper(), claim, true);
        });
    }

    /// Moves the first message to the dead letters as member `number`. Whether there was one, and room.
    pub fn move_on(&self, number: u16) -> bool {
        self.with(|[ring, letters], _| {
            let Ok(claim) = Self::take(ring, &receiver(number)) else { return false };
            let moved = ring.copy_to(&claim, letters, member(number)).is_ok();
            if moved {
                ring.acknowledge(claim);
            }
            moved
        })
    }

    /// Takes back what member `number` left.
    pub fn reap(&self, number: u16, policy: DeliveryPolicy) -> Reaped {
        self.with(|rings, _| {
            let reaped = reap_all(rings, member(number), policy);
            reap_blocks(rings, member(number), member(0));
            reaped
        })
    }

    /// Whether a hole has memory, whatever its line says, once what it says was trimmed.
    pub fn has_memory(&self) -> bool {
        self.with(|_, slab| slab.trim(member(0)));
        self.heap.held.backed.load(Relaxed) > 0
    }

    /// Checks that nobody owns any block, and gives what is left, once everybody has gone: in the queue, and among the dead
    /// letters.
    ///
    /// # Panics
    ///
    /// When that is not so.
    pub fn rest(&self) -> [Vec<u64>; 2] {
        let rest = [0, 1].map(|ring| self.recv_some(ring, &receiver(0), 100));
        for line in &self.lines {
            let word = BlockWord(line.word.load(Acquire));
            assert_eq!(word.state(), Some(BlockState::Free), "{word:x?} is left");
        }
        rest
    }
}

fn whole(bytes: &[u8]) -> [u8; LEN] {
    bytes.try_into().expect("a word")
}
