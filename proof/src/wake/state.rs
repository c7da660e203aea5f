//! What the model of waiting is a state of: words in memory, and for each thread where it is and
//! which of its stores nobody else can see yet.

/// The most threads.
pub const MAX_THREADS: usize = 5;
/// The largest ring.
pub const MAX_SLOTS: usize = 2;
/// The most stores of one thread that are under way.
pub const MAX_STORES: usize = 3;
/// The most things that are still to be done after an operation.
pub const MAX_TODO: usize = 4;

/// One state of everything.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct State {
    /// Memory.
    pub memory: [u8; Word::COUNT],
    /// The threads.
    pub threads: [Thread; MAX_THREADS],
    /// How many threads of each member wait at each event; memory of its process, behind a lock.
    pub enrolled: [[u8; 2]; MAX_THREADS],
    /// Whether each member has woken nobody at each event, and no sleep was counted there since before.
    ///
    /// That is all that matters of the count of sleeps, which itself is not in the state.
    pub settled: [[bool; 2]; MAX_THREADS],
}

/// A word in memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Word {
    /// Position, and [`CLOSED`].
    Tail,
    /// Position.
    Head,
    /// Generation and pending bit.
    Redeliver,
    /// The closed flag.
    Closed,
    /// A bit for each member with a waiter.
    Waiters(Event),
    /// A slot's word.
    Slot(u8),
}

/// In the tail.
pub const CLOSED: u8 = 0x80;

impl Word {
    /// How many there are.
    pub const COUNT: usize = 6 + MAX_SLOTS;

    /// Where it is.
    pub fn place(self) -> usize {
        match self {
            Word::Tail => 0,
            Word::Head => 1,
            Word::Redeliver => 2,
            Word::Closed => 3,
            Word::Waiters(event) => 4 + event as usize,
            Word::Slot(index) => 6 + usize::from(index),
        }
    }
}

/// What is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Event {
    /// By consumers.
    NotEmpty,
    /// By producers.
    NotFull,
}

/// A thread.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Thread {
    /// Where it is.
    pub at: At,
    /// Operations that it has completed.
    pub done: u8,
    /// It is enrolled as a waiter; true: it has read the epoch, which has not changed since.
    ///
    /// That is all that matters of the epoch, which itself is not in the state.
    pub enrolled: Option<bool>,
    /// It notifies, and has read the count of sleeps; true: none was counted since.
    pub noted: Option<bool>,
    /// What is to be done next, in order.
    pub todo: [Todo; MAX_TODO],
    /// Its stores under way, the oldest first.
    pub stores: [Option<(Word, u8)>; MAX_STORES],
}

/// Where a thread is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum At {
    /// What is to be done next is in `todo`.
    Next,
    /// All operations are done.
    Done,
    /// Send 1.
    ReadTail,
    /// Send 2. `count` slots in a row were found vacant.
    ReadRoom { tail: u8, count: u8 },
    /// Send 2.
    ReadTailAgain { tail: u8 },
    /// Send 4.
    ClaimTail { tail: u8, count: u8 },
    /// Send 7, or the reservation is given up. There are `left` from this one on, of `count`.
    Commit { position: u8, left: u8, count: u8 },
    /// Receive 1.
    ReadRedeliver,
    /// Receive 1.
    Look { word: u8, index: u8 },
    /// Receive 1.
    TakeAgain { word: u8, index: u8, slot: u8 },
    /// Receive 1.
    ClearPending { word: u8 },
    /// Receive 2.
    ReadHead,
    /// Receive 3. `count` slots in a row were found filled.
    ReadSlot { head: u8, count: u8 },
    /// Receive 3.
    ReadHeadAgain { head: u8 },
    /// Receive 3.
    ReadClosed { head: u8 },
    /// Receive 3.
    HelpClose { head: u8 },
    /// Receive 3.
    ReadPending,
    /// Receive 5. Of no slot: of one that was aborted.
    ClaimHead { head: u8, count: u8 },
    /// Receive 6.
    GiveBack { head: u8 },
    /// Receive 8, or put back. There are `left` from this position on, of `count`.
    Finish { position: u8, left: u8, count: u8 },
    /// Put back: the new generation.
    Announce { word: u8 },
    /// Close: the flag.
    RaiseFlag,
    /// Close: the bit.
    CloseTail,
    /// The waiter's bit is set.
    Enrol,
    /// The epoch is read, before the try.
    ReadEpoch,
    /// A sleep is counted, between that and the try.
    CountSleep,
    /// The first cursor is read: whether anybody is at work.
    QuietFirst,
    /// The second cursor is read.
    QuietSecond { first: u8 },
    /// A consumer's third look.
    QuietRedeliver,
    /// The kernel compares the epoch.
    FallAsleep { capped: bool },
    /// Asleep.
    Asleep { capped: bool },
    /// Who is at work is dead: it is reaped.
    Reap,
    /// The waiter's bit is taken away.
    Leave,
    /// Whether there is more, for others.
    MoreHead,
    /// Whether there is more, for others.
    MoreTail { head: u8 },
    /// Whether there is more, for others.
    MoreRedeliver,
    /// Whether anybody waits.
    ReadWaiters { event: Event, count: u8 },
    /// Somebody does: whether any has been about to sleep since nobody was woken.
    ReadSleeps { event: Event, count: u8 },
    /// Somebody does: the epoch changes.
    ChangeEpoch { event: Event, count: u8 },
    /// So many sleepers are woken.
    Wake { event: Event, count: u8 },
    /// A message is held for ever.
    Holding,
    /// It was killed with this position claimed.
    Dead { position: u8 },
}

/// What remains to be done after an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Todo {
    /// Nothing: the next operation.
    Nothing,
    /// Wake so many, if any wait.
    Tell(Event, u8),
    /// Wake everybody, whether any wait or not.
    TellAll(Event),
    /// Take the waiter's bit away, and pass the baton.
    Leave,
    /// Commit or give up what was reserved.
    Commit { position: u8 },
    /// Acknowledge or put back.
    Finish { position: u8 },
    /// Once more from the beginning.
    Retry,
    /// Count so many messages.
    Count(u8),
    /// Do nothing for ever, with a message in hand.
    Hold,
}

impl Thread {
    /// A thread that begins at `at`.
    pub fn new(at: At) -> Self {
        let todo = [Todo::Nothing; MAX_TODO];
        Self { at, done: 0, enrolled: None, noted: None, todo, stores: [None; MAX_STORES] }
    }

    /// Takes what is to be done next.
    pub fn next_todo(&mut self) -> Todo {
        let next = self.todo[0];
        self.todo.rotate_left(1);
        self.todo[MAX_TODO - 1] = Todo::Nothing;
        next
    }
}
