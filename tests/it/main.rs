//! What the library promises, seen through its public names: real processes, real files, real signals.
//!
//! A test that needs another process runs this program again with [`child`] as its only test and a role in
//! the environment (`util::child`). Roles live beside the tests that use them.

mod util;

mod absences;
mod barriers;
mod block;
mod block_bad;
mod block_locked;
mod block_pages;
mod block_raw;
mod c_reader;
mod c_reader_hostile;
mod c_reader_live;
mod dead_letters;
mod dirty;
mod dirty_orders;
mod fingerprints;
mod fork;
mod forked;
mod golden;
mod growth;
mod growth_held;
mod growth_hostile;
mod growth_members;
mod handover;
mod hostile;
mod hostile_later;
mod hostile_pieces;
mod hostile_words;
mod layout;
mod lifecycle;
mod limits;
mod liveness;
mod liveness_places;
mod locks;
mod locks_bad;
mod locks_deaths;
mod locks_edges;
mod locks_threads;
mod locks_torture;
mod locks_waits;
mod manager;
mod names;
mod pieces;
mod pieces_cut;
mod pieces_deaths;
mod pipe;
mod pipe_grants;
mod postcard;
mod postcard_bad;
mod queue;
mod queue_bytes;
mod queue_delivery;
mod queue_ends;
mod queue_fork;
mod queue_hostile;
mod queue_layout;
mod queue_load;
mod queue_long;
mod queue_long_deaths;
mod queue_long_hostile;
mod queue_long_room;
mod queue_members;
mod queue_names;
mod queue_noise;
mod queue_races;
mod queue_streams;
mod queue_wrap;
mod races;
mod recovery;
mod select;
mod select_others;
mod signals;
mod spsc;
mod spsc_ends;
mod streams;
mod streams_stopped;
mod syscalls;
mod takeover;
mod threats;
mod threats_deaths;
mod threats_flips;
mod threats_stopped;

/// Not a test by itself: plays a role when the environment names one.
#[test]
fn child() {
    let Some((role, arguments)) = util::child::assigned() else { return };
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match role.split_once("::") {
        Some(("block", role)) => block::play(role, &arguments),
        Some(("block_locked", role)) => block_locked::play(role, &arguments),
        Some(("block_pages", role)) => block_pages::play(role, &arguments),
        Some(("block_raw", role)) => block_raw::play(role, &arguments),
        Some(("block_bad", role)) => block_bad::play(role, &arguments),
        Some(("barriers", role)) => barriers::play(role, &arguments),
        Some(("c_reader", role)) => c_reader::play(role, &arguments),
        Some(("deaths", role)) => threats_deaths::play(role, &arguments),
        Some(("dirty", role)) => dirty::play(role, &arguments),
        Some(("dirty_orders", role)) => dirty_orders::play(role, &arguments),
        Some(("flips", role)) => threats_flips::play(role, &arguments),
        Some(("dead_letters", role)) => dead_letters::play(role, &arguments),
        Some(("fork", role)) => fork::play(role, &arguments),
        Some(("forked", role)) => forked::play(role, &arguments),
        Some(("golden", role)) => golden::play(role, &arguments),
        Some(("growth_held", role)) => growth_held::play(role, &arguments),
        Some(("growth", role)) => growth::play(role, &arguments),
        Some(("growth_hostile", role)) => growth_hostile::play(role, &arguments),
        Some(("handover", role)) => handover::play(role, &arguments),
        Some(("hostile", role)) => hostile::play(role, &arguments),
        Some(("lifecycle", role)) => lifecycle::play(role, &arguments),
        Some(("limits", role)) => limits::play(role, &arguments),
        Some(("liveness", role)) => liveness::play(role, &arguments),
        Some(("locks", role)) => locks::play(role, &arguments),
        Some(("locks_bad", role)) => locks_bad::play(role, &arguments),
        Some(("locks_edges", role)) => locks_edges::play(role, &arguments),
        Some(("locks_threads", role)) => locks_threads::play(role, &arguments),
        Some(("locks_torture", role)) => locks_torture::play(role, &arguments),
        Some(("locks_waits", role)) => locks_waits::play(role, &arguments),
        Some(("locks_deaths", role)) => locks_deaths::play(role, &arguments),
        Some(("manager", role)) => manager::play(role, &arguments),
        Some(("postcard", role)) => postcard::play(role, &arguments),
        Some(("pieces_deaths", role)) => pieces_deaths::play(role, &arguments),
        Some(("places", role)) => liveness_places::play(role, &arguments),
        Some(("queue_fork", role)) => queue_fork::play(role, &arguments),
        Some(("queue_long", role)) => queue_long::play(role, &arguments),
        Some(("queue_long_deaths", role)) => queue_long_deaths::play(role, &arguments),
        Some(("queue_long_hostile", role)) => queue_long_hostile::play(role, &arguments),
        Some(("queue_members", role)) => queue_members::play(role, &arguments),
        Some(("queue_races", role)) => queue_races::play(role, &arguments),
        Some(("queue_streams", role)) => queue_streams::play(role, &arguments),
        Some(("queue_wrap", role)) => queue_wrap::play(role, &arguments),
        Some(("races", role)) => races::play(role, &arguments),
        Some(("recovery", role)) => recovery::play(role, &arguments),
        Some(("select", role)) => select::play(role, &arguments),
        Some(("signals", role)) => signals::play(role, &arguments),
        Some(("stopped", role)) => threats_stopped::play(role, &arguments),
        Some(("streams", role)) => streams::play(role, &arguments),
        Some(("streams_stopped", role)) => streams_stopped::play(role, &arguments),
        Some(("syscalls", role)) => syscalls::play(role, &arguments),
        Some(("threats", role)) => threats::play(role, &arguments),
        Some(("takeover", role)) => takeover::play(role, &arguments),
        _ => panic!("no module plays {role}"),
    }
    std::process::exit(0);
}
