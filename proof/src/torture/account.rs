//! What became of all messages of a round, and the sums of all rounds.

use std::fmt;
use std::ops::{Index, IndexMut};
use std::sync::atomic::Ordering::Relaxed;

use ringway::Statistics;

use super::Problem;
use super::board::{Board, LAST};
use super::fault::Fault;
use super::ledger::{ABORTED, DEAD_LETTER, Entry, IN_DEAD_HAND, LEFT, MEANT, REFUSED, SENT};

/// What is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Count {
    /// Rounds.
    Rounds,
    /// Processes killed while they were senders.
    SenderKills,
    /// Processes killed while they were receivers.
    ReceiverKills,
    /// Of both, those that were stopped at the time.
    StoppedKills,
    /// Processes stopped for a while.
    Stops,
    /// Processes that ended as they had meant to.
    Ends,
    /// Messages whose send returned.
    Sent,
    /// Messages whose reservation was dropped.
    Aborted,
    /// Messages that found no room in time, or nobody to receive.
    Refused,
    /// Messages in doubt, since their sender was killed, that were received.
    LeftReceived,
    /// Messages in doubt that were not.
    LeftUnseen,
    /// How many messages the dead were in the middle of sending.
    Unsettled,
    /// Messages received once or more.
    Received,
    /// Receipts with a flag.
    Flagged,
    /// Messages gone with a dead receiver that had acknowledged them, found in its hand.
    GoneInHand,
    /// The same, found nowhere.
    Gone,
    /// How many of those there may be.
    MayBeGone,
    /// Messages received whose acknowledgement is not known of: under the at-most-once policy those that were dropped.
    Dropped,
    /// Receipts out of order, or flagged though nobody had noted the message.
    Surprises,
    /// Messages that came among the dead letters.
    Letters,
    /// Those of them that came again, there or in the queue, without a flag.
    LettersTwice,
    /// How many messages the dead may have claimed to receive and not noted: as many surprises there may be.
    Untold,
    /// Operations that were told that the other side has gone.
    Disconnects,
    /// What the library counted: dead members cleaned up after.
    Recoveries,
    /// Claims of dead senders taken back.
    Reclaimed,
    /// Receipts of messages that somebody may have had.
    Redeliveries,
    /// Messages of the dead dropped by policy.
    DroppedByPolicy,
    /// Messages moved to the dead letters.
    Moved,
}

const COUNTS: usize = Count::Moved as usize + 1;

/// Counts of a round, or of several.
#[derive(Clone, Copy, Debug, Default)]
pub struct Tally([u64; COUNTS]);

impl Index<Count> for Tally {
    type Output = u64;
    fn index(&self, count: Count) -> &u64 {
        &self.0[count as usize]
    }
}

impl IndexMut<Count> for Tally {
    fn index_mut(&mut self, count: Count) -> &mut u64 {
        &mut self.0[count as usize]
    }
}

impl Tally {
    /// Adds the counts of a round.
    pub fn add(&mut self, round: &Self) {
        for (sum, count) in self.0.iter_mut().zip(round.0) {
            *sum += count;
        }
    }

    /// Notes what the library counted.
    pub fn hear(&mut self, library: &Statistics) {
        self[Count::Recoveries] += library.recoveries;
        self[Count::Reclaimed] += library.aborted;
        self[Count::Redeliveries] += library.redeliveries;
        self[Count::DroppedByPolicy] += library.dropped;
        self[Count::Moved] += library.dead_letters;
    }

    fn kills(&self) -> u64 {
        self[Count::SenderKills] + self[Count::ReceiverKills]
    }

    fn count(&mut self, entry: Entry) {
        let was_received = entry.receipts() > 0;
        let fate = match () {
            () if entry.is(ABORTED) => Count::Aborted,
            () if entry.is(REFUSED) => Count::Refused,
            () if entry.is(SENT) => Count::Sent,
            () if was_received => Count::LeftReceived,
            () => Count::LeftUnseen,
        };
        self[fate] += 1;
        self[Count::Received] += u64::from(was_received);
        self[Count::Flagged] += u64::from(entry.flagged());
        self[Count::GoneInHand] += u64::from(entry.is(SENT | IN_DEAD_HAND) && !was_received);
        let letter = entry.is(DEAD_LETTER);
        self[Count::Letters] += u64::from(letter);
        self[Count::LettersTwice] += u64::from(letter && entry.is_finished());
        self[Count::Dropped] += u64::from(was_received && !entry.is_finished() && !letter);
    }

    /// What cannot be, if anything.
    fn contradiction(&self, at_most_once: bool) -> Option<String> {
        let (none, policy) =
            (0, if at_most_once { Count::Redeliveries } else { Count::DroppedByPolicy });
        // Who died after moving one may not have counted it.
        let moved = self[Count::Moved] + self[Count::ReceiverKills];
        let most = [
            (Count::Surprises, self[Count::Untold], "messages of the dead that were not noted"),
            (Count::Recoveries, self.kills(), "kills"),
            (Count::Reclaimed, self[Count::Unsettled], "messages that the dead were sending"),
            (Count::Flagged, self[Count::Redeliveries], "redeliveries"),
            (policy, none, "by the policy"),
            (Count::LettersTwice, self[Count::ReceiverKills], "kills of receivers"),
            (Count::Letters, moved, "messages moved"),
        ];
        let more = most.into_iter().find(|(count, most, _)| self[*count] > *most);
        let text = |(count, most, of)| format!("{count:?} {} for {most} {of}", self[count]);
        more.map(text)
            .or_else(|| (self[Count::Received] == 0).then(|| "nothing was received".into()))
    }
}

/// Accounts for every message of a round that is over.
pub fn check(board: Board, tally: &mut Tally) -> Result<(), Problem> {
    let at_most_once = board.at_most_once();
    for id in 0..board.numbers() {
        let entry = board.ledger().entry(id);
        if !entry.is(MEANT) {
            if entry.0 & !LEFT != 0 {
                board.complain(Fault::NeverMeant, LAST, id, entry.0);
            }
            continue;
        }
        tally.count(entry);
        match entry.verdict(at_most_once) {
            // Not wrong yet: so many may be gone with the dead, at their first delivery or at a later one.
            Some(fault @ (Fault::Lost | Fault::NotRedelivered)) => {
                tally[Count::Gone] += 1;
                if tally[Count::Gone] > tally[Count::MayBeGone] {
                    board.complain(fault, LAST, id, entry.0);
                }
            }
            Some(fault) => board.complain(fault, LAST, id, entry.0),
            None => {}
        }
    }
    for seat in board.seats() {
        tally[Count::Surprises] += seat.surprises.load(Relaxed);
        tally[Count::LettersTwice] += seat.letters_again.load(Relaxed);
        // A message that was put back may come to another behind its successors.
        tally[Count::Untold] += seat.put_back.load(Relaxed);
        tally[Count::Disconnects] += seat.disconnects.load(Relaxed);
    }
    tally[Count::Rounds] += 1;
    match tally.contradiction(at_most_once) {
        _ if board.faults().1 > 0 => Err("not all is accounted for".into()),
        Some(what) => Err(Problem(what)),
        None => Ok(()),
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        use Count as C;
        let n = |count| self[count];
        let mut row = |name: &str, count: u64, more: &[(&str, C)]| {
            write!(f, "{name:<14}{count:>10}  ")?;
            more.iter().try_for_each(|(text, count)| write!(f, "{text}{}", n(*count)))?;
            writeln!(f)
        };
        row("rounds", n(C::Rounds), &[])?;
        let stopped = ("; of both, stopped at the time ", C::StoppedKills);
        let roles = [("senders ", C::SenderKills), (", receivers ", C::ReceiverKills), stopped];
        row("kills", self.kills(), &roles)?;
        row("stops", n(C::Stops), &[("ended by themselves ", C::Ends)])?;
        row("sent", n(C::Sent), &[("aborted ", C::Aborted), (", refused ", C::Refused)])?;
        let fates = [("of the killed: received ", C::LeftReceived), (", not ", C::LeftUnseen)];
        row("in doubt", n(C::LeftReceived) + n(C::LeftUnseen), &fates)?;
        row("received", n(C::Received), &[("flagged receipts ", C::Flagged)])?;
        let hand = ("with its receiver, which had acknowledged: in its hand ", C::GoneInHand);
        let gone = [hand, (", else ", C::Gone), (" of at most ", C::MayBeGone)];
        row("lost", n(C::GoneInHand) + n(C::Gone), &gone)?;
        let letters = [("again, by deaths ", C::LettersTwice), ("; moved ", C::Moved)];
        row("dead letters", n(C::Letters), &letters)?;
        let why =
            "dropped by policy, or killed before the note; by policy at the death of its receiver ";
        row("not seen done", n(C::Dropped), &[(why, C::DroppedByPolicy)])?;
        let why =
            "out of order, or flagged and not noted before; by deaths and short buffers, at most ";
        row("surprises", n(C::Surprises), &[(why, C::Untold)])?;
        row("told gone", n(C::Disconnects), &[])?;
        let again = [("claims aborted ", C::Reclaimed), (", redeliveries ", C::Redeliveries)];
        row("recoveries", n(C::Recoveries), &again)?;
        row("unaccounted", 0, &[])
    }
}
