//! ringway and other queues doing the same work, side by side in one run.
//!
//! Contestants alternate within a round; a cell's figure is the median over rounds, and a ratio is the
//! median of the ratios within each round. Both sides are pinned to processors, and the round trip of
//! a cache line between those two is measured before every round: it says in which regime the machine
//! was. Every message is checked by whoever receives it.

mod contest;
mod probe;
mod sample;
mod wake;

use clap::Parser;

use crate::contest::Cell;

/// Runs contestants side by side and prints one table.
#[derive(Debug, Parser)]
struct Options {
    /// Rounds; each runs every contestant of a cell once.
    #[arg(long, default_value_t = 11)]
    rounds: usize,
    /// Messages in one sample, in thousands.
    #[arg(long, default_value_t = 4000)]
    thousands: u64,
    /// Runs only cells whose name contains this.
    #[arg(default_value = "")]
    filter: String,
    /// Plays the receiving side of a sample (used by the program itself).
    #[arg(long, hide = true)]
    receive: Option<String>,
}

fn main() {
    let options = Options::parse();
    if let Some(task) = &options.receive {
        return contest::receive(task);
    }
    println!("{}", probe::machine());
    println!("| cell | contestant | median | min | max | rate to first |");
    println!("|---|---|---|---|---|---|");
    for cell in Cell::all().filter(|cell| cell.name().contains(&options.filter)) {
        contest::run(&cell, options.rounds, options.thousands * 1000).print();
    }
    if "wake".contains(&options.filter) {
        wake::run(options.rounds).print();
    }
    if "attach".contains(&options.filter) {
        wake::attach(options.rounds);
    }
}
