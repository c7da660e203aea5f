//! What a server does for clients that die.

use super::{Sabotage, sabotage};

const HUB: &str = "src/manager/server/hub.rs";
const ROUND: &str = "src/manager/server/round.rs";
const LEASED: &str = "src/manager/objects/locks/leased.rs";

pub const ALL: &[Sabotage] = &[
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
