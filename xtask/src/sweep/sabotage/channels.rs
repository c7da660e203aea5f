//! What every member leaves behind, records in pieces, names, blocks, and those who sleep.

use super::{Sabotage, sabotage};

const PIECES: &str = "src/ring/pieces.rs";
const REMAINS: &str = "src/member/remains.rs";
const RECOVERY: &str = "src/member/recovery.rs";
const SEVERAL: &str = "src/event/several.rs";
const TAKE: &str = "src/ring/mpmc/take.rs";
const MEMBER: &str = "src/member.rs";
const SHARED: &str = "src/primitive/shared.rs";

pub const ALL: &[Sabotage] = &[
    sabotage(
        "take back: waiter bits stay",
        REMAINS,
        &[("fetch_and(!(1 << (member.index() % 64)), SeqCst)", "fetch_and(u64::MAX, SeqCst)")],
        &["queue/recv, asleep", "spsc/send, asleep"],
    ),
    sabotage(
        "select: who waits at several places tells nobody",
        SEVERAL,
        &[(
            "let places = events.iter().enumerate();",
            "let places = events.iter().enumerate().take(0);",
        )],
        &["queue/send to a sleeper that selects: killed"],
    ),
    sabotage(
        "take back: roles stay",
        REMAINS,
        &[("            self.forget_roles(member);\n", "")],
        &["queue/send: killed"],
    ),
    sabotage(
        "take back: ends stay",
        REMAINS,
        &[("self.vacate(number, member, true)", "_ = number")],
        &["spsc/send: killed", "pipe/recv: killed"],
    ),
    sabotage(
        "take back: ends do not say that their owner died",
        REMAINS,
        &[("self.vacate(number, member, true)", "self.vacate(number, member, false)")],
        &["spsc/recv: killed"],
    ),
    sabotage(
        "take back: nobody is woken",
        REMAINS,
        &[("        self.wake_everybody();\n        reaped", "        reaped")],
        &["queue/send to a sleeper"],
    ),
    sabotage(
        "take back: the record stays",
        RECOVERY,
        &[(
            "compare_exchange(MEMBER_REAPING, MEMBER_UNUSED,",
            "compare_exchange(MEMBER_REAPING, MEMBER_REAPING,",
        )],
        &["queue/abort: killed"],
    ),
    sabotage(
        "heir: what the number's last owner left stays",
        MEMBER,
        &[(
            "            reaped.add(segment.take_back(id, id));",
            "            reaped.add(Default::default());",
        )],
        &["queue/send, an heir: killed"],
    ),
    sabotage(
        "close: nobody finishes what a closer began",
        TAKE,
        &[(".fetch_or(CursorWord::CLOSED, SeqCst)", ".load(SeqCst)")],
        &["queue/close: killed"],
    ),
    sabotage(
        "open: a name whose last user was killed stays",
        MEMBER,
        &[("        if segment.is_abandoned(segment.probe())? {", "        if false {")],
        &["queue/leave as the last", "block/leave as the last"],
    ),
    sabotage(
        "block: a word is written byte by byte",
        SHARED,
        &[(
            "8 => unsafe { moves::put8(bytes.as_ptr(), into) },",
            "8 => (0..8).for_each(|at| self.copy_in(offset + at, &bytes[at..=at])),",
        )],
        &["block/set"],
    ),
    sabotage(
        "pieces: a producer's heir does not cut short",
        PIECES,
        &[("if word.is_unfinished(side.tail()) {", "if false {")],
        &["streaming/send, an heir sends at once: killed"],
    ),
    sabotage(
        "pieces: a beginning is not said",
        PIECES,
        &[("        ring.header().producer.outgoing.store(begun.bits(), Relaxed);\n", "")],
        &["streaming/send, an heir sends at once: killed"],
    ),
    sabotage(
        "pieces: an end is not said",
        PIECES,
        &[("        ring.header().producer.outgoing.store(ended.bits(), Relaxed);\n", "")],
        &["streaming/send: killed"],
    ),
    sabotage(
        "pieces: a consumer's heir takes the rest for a record",
        PIECES,
        &[("Ok(Next::LostInPart(self.give_up(ring, side)))", "Ok(Next::Last(place))")],
        &["streaming/recv: killed"],
    ),
];
