//! How long it takes until the others know, or go on, after a process was killed.
//!
//! Each row is 200 kills of real processes. Times count from the kernel's release of the dead process's lock, which a thread
//! of its own waits for: what comes before is the kernel's work and depends on what the process had mapped.
//!
//! `cargo bench --bench recovery` prints the table. Every answer is checked; figures are not.

mod os;
mod scenes;
mod victim;

use victim::Role;

/// Kills of each row.
const KILLS: usize = 200;

fn main() {
    if victim::play_if_asked() {
        return;
    }
    println!("{:<66}{:>9}{:>9}{:>9}   ms, {KILLS} kills each", "", "median", "p99", "max");
    for watch in [true, false] {
        let how = if watch { "watcher" } else { "recheck 100 ms" };
        let show = |what, times| show(&format!("{what} ({how})"), times);
        show("parked receiver told that the only sender died", scenes::receiver_is_told(watch));
        show("parked sender told that the only receiver died", scenes::sender_is_told(watch));
        show("parked pipe end told that its peer died", scenes::peer_is_told(watch));
        show("receiver goes on past a place reserved by the dead", scenes::head_moves(watch));
        show("receiver gets the message that the dead had", scenes::message_returns(watch));
        show("sender gets the room that the dead had", scenes::room_returns(watch));
    }
    show("recover(), one dead of 65,536 slots that held 8 of them", scenes::reap());
    show("detaching a handle that watches", scenes::detach());
    show("kill to release, the kernel's own time", scenes::teardown(Role::Sender));
    show("the same of a process that watches others", scenes::teardown(Role::WatchingSender));
}

/// Prints a row of the table.
fn show(what: &str, mut nanos: Vec<u64>) {
    nanos.sort_unstable();
    let last = nanos.len() - 1;
    #[allow(clippy::cast_precision_loss, reason = "shown with three digits")]
    let at = |hundredths: usize| nanos[(nanos.len() * hundredths / 100).min(last)] as f64 / 1e6;
    println!("{what:<62}{:>9.3}{:>9.3}{:>9.3}", at(50), at(99), at(100));
}
