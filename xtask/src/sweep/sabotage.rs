//! Steps of recovery, each left out or done wrongly, and the parts of the sweep that must notice.

use super::Harm;

/// One way to harm recovery.
pub struct Sabotage {
    pub harm: Harm,
    /// The parts of the sweep that are run, the likeliest to notice first.
    pub parts: &'static [&'static str],
}

const REAP: &str = "src/ring/reap.rs";
const BURIAL: &str = "src/ring/slab/reap.rs";
const PIECES: &str = "src/ring/pieces.rs";
const REMAINS: &str = "src/member/remains.rs";
const RECOVERY: &str = "src/member/recovery.rs";
const FILL: &str = "src/ring/mpmc/fill.rs";
const SEVERAL: &str = "src/event/several.rs";
const TAKE: &str = "src/ring/mpmc/take.rs";
const RECEIVING: &str = "src/channel/queue/station/receiving.rs";
const MEMBER: &str = "src/member.rs";
const SHARED: &str = "src/primitive/shared.rs";
const MUTEX: &str = "src/lock/mutex.rs";
const RWLOCK: &str = "src/lock/rwlock.rs";
const PERMITS: &str = "src/lock/permits.rs";
const BARRIER: &str = "src/lock/barrier.rs";
const HUB: &str = "src/manager/server/hub.rs";
const ROUND: &str = "src/manager/server/round.rs";
const LEASED: &str = "src/manager/objects/locks/leased.rs";

const fn sabotage(
    name: &'static str,
    file: &'static str,
    edits: &'static [(&'static str, &'static str)],
    parts: &'static [&'static str],
) -> Sabotage {
    Sabotage { harm: Harm { name, file, edits }, parts }
}

/// All of them.
pub const ALL: &[Sabotage] = &[
    sabotage(
        "reap 1: a claim to fill without a stamp stays",
        REAP,
        &[("if tail.member() == dead.0 {", "if false {")],
        &["queue/send: killed"],
    ),
    sabotage(
        "reap 2: a claim to take without a stamp stays",
        REAP,
        &[("if head.member() == dead.0 {", "if false {")],
        &["queue/recv: killed"],
    ),
    sabotage(
        "reap 2: what nobody saw comes flagged",
        REAP,
        &[("Some(found.put_back_unseen())", "Some(found.put_back())")],
        &["queue/recv: killed"],
    ),
    sabotage(
        "reap 2: an aborted slot that was claimed stays",
        REAP,
        &[(
            "() if found == geometry.aborted(position) => {\n                message",
            "() if false => {\n                message",
        )],
        &["queue/try_recv of an aborted slot: killed"],
    ),
    sabotage(
        "reap 3: a slot being written stays",
        REAP,
        &[(
            "Some(State::Writing) if found.member() == dead.0 =>",
            "Some(State::Writing) if false =>",
        )],
        &["queue/send: killed"],
    ),
    sabotage(
        "reap 3: what was moved and not committed is aborted",
        REAP,
        &[("        slab.commit_for(rings, dead);\n", "        let _ = slab;\n")],
        &["bytes/recv behind a dead letter, long: killed"],
    ),
    sabotage(
        "reap 5: a block of the dead stays",
        BURIAL,
        &[(
            "(Some(BlockState::Owned), _) => word.member() == dead.0",
            "(Some(BlockState::Owned), _) => false",
        )],
        &["bytes/send, long: killed"],
    ),
    sabotage(
        "reap 5: a block of a message that is gone stays",
        BURIAL,
        &[("(_, Some(place)) => !has_message(rings, place)", "(_, Some(_)) => false")],
        &["bytes/ack, long: killed", "bytes/recv at most once, long: killed"],
    ),
    sabotage(
        "reap 3: a slot being read stays",
        REAP,
        &[(
            "Some(State::Reading) if found.member() == dead.0 =>",
            "Some(State::Reading) if false =>",
        )],
        &["queue/ack: killed"],
    ),
    sabotage(
        "reap 3: at least once drops what was seen",
        REAP,
        &[(
            "DeliveryPolicy::AtLeastOnce => found.put_back(),",
            "DeliveryPolicy::AtLeastOnce => ring.geometry.next_vacant_of(found),",
        )],
        &["queue/ack: killed"],
    ),
    sabotage(
        "reap 3: at least once forgets the flag",
        REAP,
        &[(
            "DeliveryPolicy::AtLeastOnce => found.put_back(),",
            "DeliveryPolicy::AtLeastOnce => found.put_back_unseen(),",
        )],
        &["queue/ack: killed"],
    ),
    sabotage(
        "reap 3: at most once delivers what was seen",
        REAP,
        &[(
            "DeliveryPolicy::AtMostOnce => ring.geometry.next_vacant_of(found),",
            "DeliveryPolicy::AtMostOnce => found.put_back(),",
        )],
        &["queue/ack at most once: killed"],
    ),
    sabotage(
        "reap 4: what is put back is not announced",
        REAP,
        &[("    if pending {\n", "    if false {\n")],
        &["queue/ack: killed"],
    ),
    sabotage(
        "reap 4: what another put back is not announced",
        REAP,
        &[("Some(State::Redeliver) => return true,", "Some(State::Redeliver) => return false,")],
        &["queue/recv_guard, drop: killed"],
    ),
    sabotage(
        "resolve: the last slot only",
        REAP,
        &[("(1..=ring.capacity()).take_while(unstamped)", "(1..=1).take_while(unstamped)")],
        &["queue/try_send_batch of 3: killed"],
    ),
    sabotage(
        "resolve: downwards",
        REAP,
        &[("for distance in (1..=count).rev() {", "for distance in 1..=count {")],
        &["queue/try_send_batch of 3: and its reaper killed"],
    ),
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
        "dead letter: taken out of the queue, and put nowhere",
        RECEIVING,
        &[("ring.copy_to(&claim, dead_letters.ring(), self.attachment.id()).is_ok()", "true")],
        &["queue/recv behind a dead letter: killed"],
    ),
    sabotage(
        "certify: a claim to fill is passed without a stamp",
        FILL,
        &[
            ("            || !(runs || ring.is_last_filling_stamped(position))\n", ""),
            ("            self.certify_filling(side, seen)?;\n", ""),
        ],
        &["queue/send: stopped"],
    ),
    sabotage(
        "certify: a claim to take is passed without a stamp",
        TAKE,
        &[
            ("            || !(runs || ring.is_last_taking_stamped(position))\n", ""),
            ("            self.certify_taking(side, seen)?;\n            // 5", "            // 5"),
        ],
        &["queue/recv: stopped"],
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
        "lock: what the dead left is taken for whole",
        MUTEX,
        &[("then_some(Held { inconsistent: true })", "then_some(Held { inconsistent: false })")],
        &["locks/change under a mutex: killed"],
    ),
    sabotage(
        "lock: nobody takes over from the dead",
        MUTEX,
        &[(
            "let taken = self.word.compare_exchange(found, word, SeqCst, Relaxed);\n        taken.is_ok()",
            "let _ = (found, word);\n        false",
        )],
        &["locks/lock: killed"],
    ),
    sabotage(
        "lock: a dead reader keeps writers out",
        RWLOCK,
        &[(
            "Holder::new(member, found >> 32), look, &fate, bury)",
            "Holder::new(member, found >> 32), look, |_| Fate::Lives, bury)",
        )],
        &["locks/read: killed"],
    ),
    sabotage(
        "lock: permits of the dead stay",
        PERMITS,
        &[("is_of_the_dead(found, &fate)?", "is_of_the_dead(found, |_| Fate::Lives)?")],
        &["locks/get a permit, give it back: killed"],
    ),
    sabotage(
        "lock: a dead party is waited for",
        BARRIER,
        &[
            ("is_of_the_dead(found, &fate)?", "is_of_the_dead(found, |_| Fate::Lives)?"),
            ("place.load(Acquire), &fate)?", "place.load(Acquire), |_| Fate::Lives)?"),
        ],
        &["locks/arrive at a barrier: killed"],
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
    sabotage(
        "manager: what was not taken is not undone",
        HUB,
        &[("self.undo(session, connection, &note);", "let _ = (Self::undo, connection, &note);")],
        &["manager/get from a queue: killed"],
    ),
    sabotage(
        "manager: who waited is not taken out of the line",
        HUB,
        &[("= remains.waiting {", "= remains.waiting.filter(|_| false) {")],
        &["manager/wait in vain for an item: killed"],
    ),
    sabotage(
        "manager: leases of the dead stay",
        LEASED,
        &[("self.line.bury(caller.session()) {", "None::<Party> {")],
        &["manager/lock: killed"],
    ),
    sabotage(
        "manager: pipes of the dead keep their names",
        ROUND,
        &[("place.pipe(0).sweep(&place.pipes());", "let _ = place;")],
        &["manager/connect: killed"],
    ),
];
