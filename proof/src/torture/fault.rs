//! What must never happen, as the processes of a torture tell it.

use std::fmt;

/// A promise that was broken.
#[repr(u64)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// A message whose checks are wrong.
    Torn = 1,
    /// A message that nobody had meant to send.
    NeverMeant,
    /// A message that was aborted or refused.
    Withdrawn,
    /// A message that was acknowledged before.
    AfterAcknowledgement,
    /// A message that somebody had, not flagged.
    Unflagged,
    /// A message flagged by a queue that delivers at most once, or delivered twice.
    AtMostOnce,
    /// Told that the other side has gone while one of it was there all the time.
    FalseDisconnect,
    /// An operation answered what it may not; the number says which.
    Answer,
    /// A message that was sent and that nobody got, nor had in hand when it died.
    Lost,
    /// A message that a dead receiver had not acknowledged, and that nobody got again.
    NotRedelivered,
    /// A living sender's message that was neither sent nor withdrawn.
    Unsettled,
    /// A record twice, or behind its successors.
    OutOfOrder,
    /// Text that no process writes here.
    Unknown,
}

const KINDS: [Fault; 12] = [
    Fault::Torn,
    Fault::NeverMeant,
    Fault::Withdrawn,
    Fault::AfterAcknowledgement,
    Fault::Unflagged,
    Fault::AtMostOnce,
    Fault::FalseDisconnect,
    Fault::Answer,
    Fault::Lost,
    Fault::NotRedelivered,
    Fault::Unsettled,
    Fault::OutOfOrder,
];

impl Fault {
    fn text(self) -> &'static str {
        match self {
            Fault::Torn => "a message is torn",
            Fault::NeverMeant => "received what nobody meant to send",
            Fault::Withdrawn => "received what was aborted or refused",
            Fault::AfterAcknowledgement => "received what was acknowledged before",
            Fault::Unflagged => "received again without a flag",
            Fault::AtMostOnce => "received twice, or flagged, under the at-most-once policy",
            Fault::FalseDisconnect => "told that nobody is there while somebody was",
            Fault::Answer => "an operation answered what it may not",
            Fault::Lost => "sent, and nobody got it",
            Fault::NotRedelivered => "not acknowledged by the dead, and nobody got it again",
            Fault::Unsettled => "neither sent nor withdrawn by a sender that was not killed",
            Fault::OutOfOrder => "received twice, or behind its successors",
            Fault::Unknown => "a fault that cannot be read",
        }
    }
}

/// One fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Told {
    /// Which.
    pub kind: Fault,
    /// Who saw it.
    pub seat: usize,
    /// The message that it is about.
    pub id: u64,
    /// What the ledger said of it.
    pub entry: u32,
}

impl Told {
    /// As words in shared memory.
    pub fn words(self) -> [u64; 4] {
        [self.kind as u64, self.seat as u64, self.id, self.entry.into()]
    }

    /// From words in shared memory.
    pub fn of(words: [u64; 4]) -> Self {
        let kind = KINDS.into_iter().find(|kind| *kind as u64 == words[0]);
        Self {
            kind: kind.unwrap_or(Fault::Unknown),
            seat: usize::try_from(words[1]).unwrap_or(usize::MAX),
            id: words[2],
            entry: u32::try_from(words[3]).unwrap_or(u32::MAX),
        }
    }
}

impl fmt::Display for Told {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kind, seat, id, entry } = self;
        write!(f, "{}: message {id}, ledger {entry:#010x}, seen at seat {seat}", kind.text())
    }
}

#[cfg(test)]
mod tests {
    use super::{KINDS, Told};

    #[test]
    fn every_fault_is_read_back() {
        for kind in KINDS {
            let told = Told { kind, seat: 3, id: 77, entry: 5 };
            assert_eq!(Told::of(told.words()), told);
        }
    }
}
