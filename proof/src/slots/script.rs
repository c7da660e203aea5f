//! What each operation does when it is alone: the sequence of its shared accesses.

/// A word of shared memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Word {
    /// Where the next message is claimed to be filled.
    Tail,
    /// Where the next message is claimed to be taken.
    Head,
    /// Whether anything is to be delivered again.
    Redeliver,
    /// The closed flag.
    Closed,
    /// The word of a slot, by index.
    Slot(usize),
}

/// How a word is accessed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// It is read.
    Load,
    /// It is written.
    Store,
    /// It is read and perhaps written in one.
    Rmw,
}

/// One access.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Access {
    /// What.
    pub word: Word,
    /// How.
    pub kind: Kind,
    /// What was read, or what the word was afterwards.
    pub value: u64,
}
