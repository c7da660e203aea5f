//! The reap of a queue, and what tells whose a claim is.

use super::{Sabotage, sabotage};

const REAP: &str = "src/ring/reap.rs";
const BURIAL: &str = "src/ring/slab/reap.rs";
const FILL: &str = "src/ring/mpmc/fill.rs";
const TAKE: &str = "src/ring/mpmc/take.rs";
const RECEIVING: &str = "src/channel/queue/station/receiving.rs";

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
];
