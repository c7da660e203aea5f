//! Blocks for long messages, as users ask for them and see them.

use super::super::options::Options;
use super::Queue;
use super::message::Message;

/// How the blocks of one length were when somebody looked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct BlockUsage {
    /// Bytes in each.
    pub len: usize,
    /// Blocks in all.
    pub count: usize,
    /// Nobody's.
    pub free: usize,
    /// Being filled by a sender, or given back by a receiver.
    pub owned: usize,
    /// With a message that was committed, or is being committed.
    pub bound: usize,
    /// In no state that there is: shared memory is corrupt.
    pub corrupt: usize,
    /// Whether they are attachments: without memory until a message needs it.
    pub attachments: bool,
    /// Bytes of memory that attachments have now; of others all.
    pub memory: u64,
}

/// What every message that is carried as bytes shares.
impl<M: Message<Carried = [u8]> + ?Sized> Queue<M> {
    /// The blocks for messages that are longer than a slot, by length. Others take and free them meanwhile.
    ///
    /// ```
    /// use ringway::queue::Queue;
    ///
    /// let queue = Queue::<[u8]>::options().blocks(4096, 8).unnamed()?;
    /// let grant = queue.sender().reserve(1000)?;
    /// let usage = queue.blocks()[0];
    /// assert_eq!((usage.len, usage.free, usage.owned), (4096, 7, 1));
    /// drop(grant);
    /// assert_eq!(queue.blocks()[0].free, 8);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn blocks(&self) -> Vec<BlockUsage> {
        let Some(slab) = self.anchored.ring().slab() else { return Vec::new() };
        if self.anchored.is_inherited() {
            return Vec::new();
        }
        let number = |count: u64| usize::try_from(count).unwrap_or(usize::MAX);
        slab.classes()
            .map(|class| {
                let usage = slab.usage(&class);
                BlockUsage {
                    len: number(class.len),
                    count: number(class.count),
                    free: number(usage.free),
                    owned: number(usage.owned),
                    bound: number(usage.bound),
                    corrupt: number(usage.corrupt),
                    attachments: class.sparse,
                    memory: if class.sparse { usage.backed } else { class.len * class.count },
                }
            })
            .collect()
    }

    /// Gives the memory back of attachments that are free, which a place that was reserved and given up leaves to the next
    /// message. Says how many bytes that were.
    pub fn trim(&self) -> u64 {
        let slab = self.anchored.ring().slab().filter(|_| !self.anchored.is_inherited());
        let trimmed = slab.map_or(0, |slab| slab.trim(self.attachment.id()));
        if trimmed > 0 {
            // Who looked for a block meanwhile did not find what was being trimmed.
            self.anchored.not_full().notify_all();
        }
        trimmed
    }
}

impl<M: Message<Carried = [u8]> + ?Sized> Options<Queue<M>> {
    /// Gives a new queue `count` blocks of `len` bytes, rounded up to a multiple of 64, for messages that are longer than
    /// [`message_len`](Self::message_len). Up to four lengths, attachments included; openers take them from the queue.
    ///
    /// A message takes one block of the shortest length that holds it, from when it is reserved until it is acknowledged. While
    /// none of that length is free the queue is full for it.
    pub fn blocks(mut self, len: usize, count: usize) -> Self {
        self.blocks.add(len, count);
        self
    }

    /// The longest message of a new queue in bytes, below 4 GiB; by default that of the longest block. Those beyond it are
    /// [attachments](Self::attachments).
    pub fn max_message(mut self, len: usize) -> Self {
        self.blocks.limit(len);
        self
    }

    /// How many messages beyond the longest block a new queue has room for at a time; 16 where only
    /// [`max_message`](Self::max_message) is given.
    ///
    /// Their blocks are holes at the end of the queue's file: memory is taken when a message is reserved, as much as it needs,
    /// and given back when it was received; a place that was given up [keeps](Queue::trim) it. If the system refuses it, sending fails with
    /// [`Fault::NoMemory`](crate::Fault::NoMemory), and nothing else happens.
    pub fn attachments(mut self, count: usize) -> Self {
        self.blocks.attach(count);
        self
    }
}
