//! ringway and other queues doing the same work, side by side in one run.
//!
//! Contestants alternate within a round; a cell's figure is the median over rounds, and a ratio is the
//! median of the ratios within each round. Both sides are pinned to processors, and the round trip of
//! a cache line between those two is measured before every round: it says in which regime the machine
//! was. Every message is checked by whoever receives it.

mod bare;
mod contest;
mod crowd;
mod probe;
mod sample;
mod sleeper;
mod vyukov;
mod wake;

use clap::Parser;

use crate::contest::Cell;
use crate::sample::Against;

/// Runs contestants side by side and prints their figures.
///
/// cargo run --release -p rivals -- [FILTER] [--rounds N], FILTER one of: stream, batch64, round-trip, queue,
/// wake, attach, or any part of a cell's name.
#[derive(Debug, Parser)]
struct Options {
    /// Rounds; each runs every contestant of a cell once.
    #[arg(long, default_value_t = 11)]
    rounds: usize,
    /// Messages in one sample of a stream, in thousands.
    #[arg(long, default_value_t = 4000)]
    thousands: u64,
    /// Runs only cells whose name contains this.
    #[arg(default_value = "")]
    filter: String,
    /// Plays the receiving side of a sample (used by the program itself).
    #[arg(long, hide = true)]
    receive: Option<String>,
    /// Plays the receivers of a queue (used by the program itself).
    #[arg(long, hide = true)]
    crowd: Option<String>,
    /// Attaches to a channel of that name, often (used by the program itself).
    #[arg(long, hide = true)]
    attach: Option<String>,
}

fn main() {
    if sleeper::play_if_asked() {
        return;
    }
    let options = Options::parse();
    if let Some(task) = &options.receive {
        return contest::receive(task);
    }
    if let Some(task) = &options.crowd {
        return crowd::receive(task);
    }
    if let Some(name) = &options.attach {
        return wake::open_often(name);
    }
    println!("{}", probe::machine());
    let wanted = |name: &str| name.contains(&options.filter);
    let cells: Vec<Cell> = Cell::all().filter(|cell| wanted(&cell.name())).collect();
    let crowds: Vec<crowd::Cell> = crowd::Cell::all().filter(|cell| wanted(&cell.name())).collect();
    if cells.len() + crowds.len() > 0 {
        Against::Rate.print_head();
    }
    for cell in cells {
        contest::run(&cell, options.rounds, options.thousands * 1000).print();
    }
    for cell in crowds {
        crowd::run(&cell, options.rounds, options.thousands * 1000).print();
    }
    let (wake, attach) = (wanted(wake::WAKE), wanted(wake::ATTACH));
    if wake || attach {
        Against::Time.print_head();
    }
    if wake {
        wake::run(options.rounds).iter().for_each(sample::Outcome::print);
    }
    if attach {
        wake::attach(options.rounds).print();
    }
}
