//! What became of all messages of a round, and the sums of all rounds.

use std::fmt;
use std::ops::{Index, IndexMut};
use std::sync::atomic::Ordering::Relaxed;

use ringway::Statistics;

use super::Problem;
use super::board::{Board, LAST};
use super::fault::Fault;
use super::ledger::{ABORTED, Entry, IN_DEAD_HAND, LEFT, MEANT, REFUSED, SENT};

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
}

const COUNTS: usize = Count::DroppedByPolicy as usize + 1;

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
        self[Count::Dropped] += u64::from(was_received && !entry.is_finished());
    }

    /// What cannot be, if anything.
    fn contradiction(&self, at_most_once: bool) -> Option<String> {
        let (none, policy) =
            (0, if at_most_once { Count::Redeliveries } else { Count::DroppedByPolicy });
        let most = [
            (Count::Surprises, self[Count::Untold], "messages of the dead that were not noted"),
            (Count::Recoveries, self.kills(), "kills"),
            (Count::Reclaimed, self[Count::Unsettled], "messages that the dead were sending"),
            (Count::Flagged, self[Count::Redeliveries], "redeliveries"),
            (policy, none, "by the policy"),
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
        let n = |count| self[count];
        let lines = [
            ("rounds", n(Count::Rounds), String::new()),
            ("kills", self.kills(), {
                let of = (n(Count::SenderKills), n(Count::ReceiverKills), n(Count::StoppedKills));
                format!(
                    "senders {}, receivers {}; of both, stopped at the time {}",
                    of.0, of.1, of.2
                )
            }),
            (
                "stops",
                n(Count::Stops),
                format!("and {} processes ended by themselves", n(Count::Ends)),
            ),
            (
                "sent",
                n(Count::Sent),
                format!("aborted {}, refused {}", n(Count::Aborted), n(Count::Refused)),
            ),
            ("in doubt", n(Count::LeftReceived) + n(Count::LeftUnseen), {
                format!(
                    "of killed senders: received {}, not {}",
                    n(Count::LeftReceived),
                    n(Count::LeftUnseen)
                )
            }),
            (
                "received",
                n(Count::Received),
                format!("flagged receipts of them {}", n(Count::Flagged)),
            ),
            ("gone", n(Count::GoneInHand) + n(Count::Gone), {
                let of = (n(Count::GoneInHand), n(Count::Gone), n(Count::MayBeGone));
                format!(
                    "with a receiver that had acknowledged: in its hand {}, else {} of at most {}",
                    of.0, of.1, of.2
                )
            }),
            (
                "not seen done",
                n(Count::Dropped),
                "received, their acknowledgement not noted".into(),
            ),
            (
                "surprises",
                n(Count::Surprises),
                format!("out of order or flagged by deaths; at most {}", n(Count::Untold)),
            ),
            (
                "told gone",
                n(Count::Disconnects),
                "that the other side has gone, and rightly".into(),
            ),
            ("recoveries", n(Count::Recoveries), {
                let of = (n(Count::Reclaimed), n(Count::Redeliveries), n(Count::DroppedByPolicy));
                format!("claims aborted {}, redeliveries {}, dropped {}", of.0, of.1, of.2)
            }),
            ("unaccounted", 0, String::new()),
        ];
        lines
            .iter()
            .try_for_each(|(name, count, more)| writeln!(f, "{name:<14}{count:>10}  {more}"))
    }
}
