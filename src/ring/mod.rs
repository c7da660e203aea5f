//! The rings. They borrow their memory, never block or allocate, and know no names; a grant that is given back
//! may wake a sleeper through its event.

pub mod block;
pub mod bytes;
pub mod chain;
pub mod cursor;
pub mod grant;
pub mod mpmc;
pub mod pace;
pub mod pieces;
pub mod reap;
pub mod slab;
pub mod spsc;
pub mod word;

/// What no correct member writes. One byte, so that a look's answer stays in registers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Corruption {
    /// Head and tail that no ring of this capacity can have.
    Cursors,
    /// A record header of no known kind.
    UnknownKind,
    /// A record that ends beyond what was published.
    LongRecord,
    /// Padding that does not fill the rest of the memory.
    Padding,
    /// A piece of a record where none can be, or one without its length.
    Piece,
    /// A slot in a state, or of a lap, that its position cannot have.
    Slot,
    /// A claim by a member that cannot be.
    Member,
    /// A message longer than its slot.
    Length,
    /// A message with flags that nothing sets.
    Flags,
    /// A message in a block that is not its own.
    Block,
    /// Somebody moves a cursor without end.
    Restless,
    /// A chain of segments that cannot be, or one of them is not there.
    Chain,
    /// A lock whose word no correct member writes, or changes without end.
    Lock,
}

impl Corruption {
    /// How messages call it.
    pub fn text(self) -> &'static str {
        match self {
            Corruption::Cursors => "head and tail are further apart than the capacity",
            Corruption::UnknownKind => "a record is of no known kind",
            Corruption::LongRecord => "a record is longer than what was published",
            Corruption::Padding => "padding does not end where the memory does",
            Corruption::Piece => "a piece of a record is where none can be",
            Corruption::Slot => "a slot is in a state that its position cannot have",
            Corruption::Member => "a claim belongs to no possible member",
            Corruption::Length => "a message is longer than its slot",
            Corruption::Flags => "a message has flags that this build does not know",
            Corruption::Block => "a message is in a block that is not its own",
            Corruption::Chain => "the chain of segments is broken",
            Corruption::Lock => "a lock is in a state that it cannot have",
            Corruption::Restless => "a cursor moves without end",
        }
    }
}
