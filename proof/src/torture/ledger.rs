//! What became of each message: one word each, written before and after by whoever does something to it.

use std::sync::atomic::AtomicU32;
use std::sync::atomic::Ordering::{AcqRel, Acquire};

use super::fault::Fault;

/// Somebody means to send it.
pub const MEANT: u32 = 1;
/// The send returned.
pub const SENT: u32 = 1 << 1;
/// It was reserved, filled, and the reservation dropped.
pub const ABORTED: u32 = 1 << 2;
/// The send was refused.
pub const REFUSED: u32 = 1 << 3;
/// Its sender was killed in the middle of sending it.
pub const LEFT: u32 = 1 << 4;
/// Its receiver was killed with it in hand, between the acknowledgement and the note of it perhaps.
pub const IN_DEAD_HAND: u32 = 1 << 5;
/// Its receiver was killed in the middle of acknowledging it.
pub const LAST_WORD: u32 = 1 << 6;
/// It came among the dead letters.
pub const DEAD_LETTER: u32 = 1 << 7;
/// Receipts by guard without a flag: a count of four bits, and so on.
const PLAIN: u32 = 1 << 8;
const FLAGGED: u32 = 1 << 12;
/// Receipts that are acknowledged by the library and carry no flag.
const BLIND: u32 = 1 << 20;
/// Acknowledgements of guards.
const ACKNOWLEDGED: u32 = 1 << 24;

/// How a message was received.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Receipt {
    /// By a guard that said it is new.
    Plain,
    /// By a guard that said somebody may have had it.
    Flagged,
    /// By a call that acknowledges it before it returns, and does not say.
    Blind,
}

/// What the ledger says of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry(pub u32);

impl Entry {
    /// Whether all of `bits` are set.
    pub fn is(self, bits: u32) -> bool {
        self.0 & bits == bits
    }

    /// How often it was received.
    pub fn receipts(self) -> u32 {
        self.plain() + self.flagged() + self.blind()
    }

    fn plain(self) -> u32 {
        self.0 / PLAIN % 16
    }

    /// Receipts with a flag, modulo 256.
    pub fn flagged(self) -> u32 {
        self.0 / FLAGGED % 256
    }

    fn blind(self) -> u32 {
        self.0 / BLIND % 16
    }

    fn acknowledgements(self) -> u32 {
        self.0 / ACKNOWLEDGED % 16
    }

    /// Whether its receiver is known to have finished with it.
    pub fn is_finished(self) -> bool {
        self.blind() > 0 || self.acknowledgements() > 0
    }

    /// What is wrong with one more receipt, if anything is.
    fn objection(self, receipt: Receipt, at_most_once: bool) -> Option<Fault> {
        match () {
            () if !self.is(MEANT) => Some(Fault::NeverMeant),
            () if self.0 & (ABORTED | REFUSED) != 0 => Some(Fault::Withdrawn),
            () if self.is_finished() => Some(Fault::AfterAcknowledgement),
            () if at_most_once && (self.receipts() > 0 || receipt == Receipt::Flagged) => {
                Some(Fault::AtMostOnce)
            }
            () if receipt == Receipt::Plain && self.receipts() > 0 => Some(Fault::Unflagged),
            () => None,
        }
    }

    /// What is wrong with how it ended, if anything is.
    pub fn verdict(self, at_most_once: bool) -> Option<Fault> {
        let settled = self.0 & (SENT | ABORTED | REFUSED | LEFT) != 0;
        match () {
            () if self.is(MEANT) && !settled => Some(Fault::Unsettled),
            () if self.is(DEAD_LETTER) => None,
            () if self.receipts() == 0 && self.is(SENT) && !self.is(IN_DEAD_HAND) => {
                Some(Fault::Lost)
            }
            () if self.receipts() == 0 || self.is_finished() || at_most_once => None,
            () if self.is(LAST_WORD) || self.is(IN_DEAD_HAND) => None,
            () => Some(Fault::NotRedelivered),
        }
    }
}

/// The ledger.
#[derive(Clone, Copy, Debug)]
pub struct Ledger(&'static [AtomicU32]);

impl Ledger {
    /// Of these words.
    pub fn new(entries: &'static [AtomicU32]) -> Self {
        Self(entries)
    }

    fn word(&self, id: u64) -> Option<&'static AtomicU32> {
        usize::try_from(id).ok().and_then(|id| self.0.get(id))
    }

    /// What it says of message `id`.
    pub fn entry(&self, id: u64) -> Entry {
        Entry(self.word(id).map_or(0, |word| word.load(Acquire)))
    }

    /// Notes `bits` of message `id`.
    pub fn note(&self, id: u64, bits: u32) {
        if let Some(word) = self.word(id) {
            word.fetch_or(bits, AcqRel);
        }
    }

    /// Notes a receipt of message `id`. Gives what it said before, and what is wrong with it.
    pub fn receive(&self, id: u64, how: Receipt, at_most_once: bool) -> (Entry, Option<Fault>) {
        let Some(word) = self.word(id) else { return (Entry(0), Some(Fault::NeverMeant)) };
        let one = match how {
            Receipt::Plain => PLAIN,
            Receipt::Flagged => FLAGGED,
            Receipt::Blind => BLIND,
        };
        let before = Entry(word.fetch_add(one, AcqRel));
        (before, before.objection(how, at_most_once))
    }

    /// Notes that message `id` came among the dead letters. Gives what it said before, and what is wrong with that.
    pub fn bury(&self, id: u64) -> (Entry, Option<Fault>) {
        let Some(word) = self.word(id) else { return (Entry(0), Some(Fault::NeverMeant)) };
        let before = Entry(word.fetch_or(DEAD_LETTER, AcqRel));
        (before, before.objection(Receipt::Flagged, false).filter(|_| !before.is_finished()))
    }

    /// Notes that message `id` was acknowledged.
    pub fn acknowledge(&self, id: u64) {
        if let Some(word) = self.word(id) {
            word.fetch_add(ACKNOWLEDGED, AcqRel);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(receipts: &[Receipt], first: u32) -> Option<Fault> {
        let ledger = Ledger::new(Box::leak(Box::new([AtomicU32::new(first)])));
        receipts.iter().fold(None, |_, receipt| ledger.receive(0, *receipt, false).1)
    }

    #[test]
    fn a_receipt_is_objected_to_when_it_breaks_a_promise() {
        use Receipt::{Blind, Flagged, Plain};
        assert_eq!(after(&[Plain], 0), Some(Fault::NeverMeant));
        assert_eq!(after(&[Plain], MEANT | ABORTED), Some(Fault::Withdrawn));
        assert_eq!(after(&[Plain], MEANT), None);
        assert_eq!(after(&[Plain, Plain], MEANT), Some(Fault::Unflagged));
        assert_eq!(after(&[Flagged, Plain], MEANT), Some(Fault::Unflagged));
        assert_eq!(after(&[Plain, Flagged, Flagged, Blind], MEANT), None);
        assert_eq!(after(&[Blind, Flagged], MEANT), Some(Fault::AfterAcknowledgement));
        let ledger = Ledger::new(Box::leak(Box::new([AtomicU32::new(MEANT)])));
        assert_eq!(ledger.receive(0, Plain, true).1, None);
        assert_eq!(ledger.receive(0, Plain, true).1, Some(Fault::AtMostOnce));
        assert_eq!(ledger.receive(1, Plain, true).1, Some(Fault::NeverMeant));
    }

    #[test]
    fn an_end_is_objected_to_when_it_breaks_a_promise() {
        let verdict = |word| Entry(word).verdict(false);
        assert_eq!(verdict(0), None);
        assert_eq!(verdict(MEANT), Some(Fault::Unsettled));
        assert_eq!(verdict(MEANT | LEFT), None);
        assert_eq!(verdict(MEANT | REFUSED), None);
        assert_eq!(verdict(MEANT | SENT), Some(Fault::Lost));
        assert_eq!(verdict(MEANT | SENT | IN_DEAD_HAND), None);
        assert_eq!(verdict(MEANT | SENT | PLAIN | DEAD_LETTER), None);
        assert_eq!(verdict(MEANT | SENT | BLIND), None);
        assert_eq!(verdict(MEANT | SENT | PLAIN), Some(Fault::NotRedelivered));
        assert_eq!(verdict(MEANT | SENT | PLAIN | LAST_WORD), None);
        assert_eq!(verdict(MEANT | SENT | PLAIN | IN_DEAD_HAND), None, "again, and blindly");
        assert_eq!(verdict(MEANT | SENT | PLAIN | FLAGGED | ACKNOWLEDGED), None);
        assert_eq!(Entry(MEANT | SENT | PLAIN).verdict(true), None);
    }
}
