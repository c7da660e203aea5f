//! The kill sweep: a victim process dies at every instruction of every operation, and who survives finds everything in
//! order.
//!
//! Real processes, real shared memory, real kills. The victim is traced: it is stopped between two instructions and
//! killed there. What it may have left is a table for each operation, from *nothing* to *done*; which entry it was may
//! only go up from instruction to instruction. Afterwards all capacity must be there, in order, and no trace of the dead.
//!
//! Where an operation is long (attaching, say) only those points are taken at which others can tell a difference: a
//! recorded run compares the segment's bytes after every single instruction, and adds both sides of each system call.

mod block_scenes;
mod choice;
mod crew;
mod events;
mod growing_scenes;
mod kills;
mod lifecycle_scenes;
mod load;
mod lock_scenes;
mod lock_sleepers;
mod manager_scenes;
mod pair;
mod pipe_scenes;
mod place;
mod queue;
mod scene;
mod sleeper_scenes;
mod spsc_scenes;
mod streaming_scenes;
mod trace;
mod victim;

use std::process::ExitCode;

use anyhow::Result;
use clap::Args;

use choice::{Choice, Lots};
use kills::Report;
use scene::Scene;

/// What is asked for.
#[derive(Args, Clone, Debug)]
pub struct Arguments {
    /// Everything that is sampled otherwise
    #[arg(long)]
    long: bool,
    /// Only parts whose name contains this
    #[arg(long, default_value = "")]
    only: String,
    /// Where samples begin; by default another each time
    #[arg(long)]
    seed: Option<u64>,
    /// Lists the parts
    #[arg(long)]
    list: bool,
}

/// What is done with a scene's victims.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    Killed,
    /// Of a long operation.
    Seen,
    Stopped,
    Twice,
    /// Of an operation that waits for another process, and so goes another way each time.
    Counted,
    /// The same, of one with many system calls.
    Called,
}

/// One part of the sweep.
struct Part {
    scene: Box<dyn Scene>,
    way: Way,
}

impl Part {
    fn name(&self) -> String {
        let way = match self.way {
            Way::Killed => "killed",
            Way::Seen => "killed at each event",
            Way::Stopped => "stopped",
            Way::Twice => "and its reaper killed",
            Way::Counted => "killed after so many instructions",
            Way::Called => "killed around system calls",
        };
        format!("{}: {way}", self.scene.name())
    }

    /// The gate kills at every instruction of an optimised build, and by lot elsewhere. The long form leaves to lot only
    /// stops and pairs of an unoptimised build.
    fn run(&self, long: bool, seed: u64) -> Result<Report> {
        let scene = &*self.scene;
        let lots = &mut Lots::new(seed, &self.name());
        let some = |gate| if long { Choice::All } else { Choice::Some(gate) };
        let debug = cfg!(debug_assertions);
        match self.way {
            Way::Killed => kills::each(scene, if debug { some(40) } else { Choice::All }, lots),
            Way::Seen => kills::seen(scene, if debug { some(8) } else { Choice::All }, lots),
            Way::Counted => {
                let gate = if debug { 4 } else { 25 };
                kills::counted(scene, Choice::Some(if long { 20 * gate } else { gate }), lots)
            }
            Way::Called => kills::called(scene, if debug { some(6) } else { Choice::All }, lots),
            Way::Stopped if debug => {
                kills::stopped(scene, Choice::Some(if long { 200 } else { 6 }), long, lots)
            }
            Way::Stopped => kills::stopped(scene, some(40), long, lots),
            Way::Twice if debug => {
                let (deaths, reapers) = if long { (3, 12) } else { (1, 3) };
                kills::twice(scene, (Choice::Some(deaths), Choice::Some(reapers)), lots)
            }
            Way::Twice => kills::twice(scene, (some(2), some(8)), lots),
        }
    }
}

/// Scenes of one kind.
type Scenes = fn() -> Vec<Box<dyn Scene>>;

/// What is swept, and how.
const SWEPT: &[(Scenes, &[Way])] = &[
    (queue::all, &[Way::Killed, Way::Stopped, Way::Twice]),
    (queue::special, &[Way::Killed, Way::Twice]),
    (spsc_scenes::all, &[Way::Killed, Way::Stopped, Way::Twice]),
    (pipe_scenes::all, &[Way::Killed, Way::Stopped, Way::Twice]),
    (streaming_scenes::all, &[Way::Seen, Way::Stopped, Way::Twice]),
    (sleeper_scenes::all, &[Way::Killed, Way::Twice]),
    (queue::sleeping, &[Way::Seen, Way::Twice]),
    (spsc_scenes::sleeping, &[Way::Seen, Way::Twice]),
    (pipe_scenes::sleeping, &[Way::Seen, Way::Twice]),
    (lifecycle_scenes::all, &[Way::Seen]),
    (growing_scenes::all, &[Way::Seen]),
    (block_scenes::all, &[Way::Seen]),
    (lock_scenes::all, &[Way::Killed]),
    (lock_sleepers::sleeping, &[Way::Seen]),
    (lock_sleepers::waking, &[Way::Killed]),
    (manager_scenes::all, &[Way::Counted]),
    (manager_scenes::connecting, &[Way::Called]),
];

/// All parts.
fn parts() -> Vec<Part> {
    let part = |(scenes, ways): &(Scenes, &'static [Way])| {
        let scenes = *scenes;
        ways.iter().flat_map(move |way| scenes().into_iter().map(|scene| Part { scene, way: *way }))
    };
    SWEPT.iter().flat_map(part).collect()
}

/// Runs the sweep, or what was asked for of it.
pub fn run(arguments: &Arguments) -> ExitCode {
    let mut parts: Vec<_> =
        parts().into_iter().filter(|part| part.name().contains(&arguments.only)).collect();
    if arguments.list {
        for part in &parts {
            println!("{}", part.name());
        }
        return ExitCode::SUCCESS;
    }
    if let Err(why) = place::tidy() {
        eprintln!("kill-sweep: {why:#}");
        return ExitCode::FAILURE;
    }
    let seed = arguments.seed.unwrap_or_else(fresh_seed);
    let build = if cfg!(debug_assertions) { "an unoptimised" } else { "an optimised" };
    if cfg!(debug_assertions) && !arguments.long {
        parts = some_with_reapers(parts, seed);
    }
    println!("{} parts of {build} build, seed {seed}", parts.len());
    match crew::share(&parts, |part| part.run(arguments.long, seed)) {
        Ok(done) => {
            println!("{} kills in {} parts, {} failed", done.kills, parts.len(), done.failed);
            if done.kills > 0 && done.failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
        Err(why) => {
            eprintln!("kill-sweep: {why:#}");
            ExitCode::FAILURE
        }
    }
}

/// Most of an unoptimised build's time would go into the ways of reapers: some of those parts, by lot, and all others.
fn some_with_reapers(parts: Vec<Part>, seed: u64) -> Vec<Part> {
    let has_reaper = |number: &usize| parts[*number].way == Way::Twice;
    let all: Vec<_> = (0..parts.len()).filter(has_reaper).collect();
    let chosen = Lots::new(seed, "parts").choose(Choice::Some(MOST_REAPERS), &all);
    let numbered = parts.into_iter().enumerate();
    let taken = numbered.filter(|(number, part)| part.way != Way::Twice || chosen.contains(number));
    taken.map(|(_, part)| part).collect()
}

/// So many parts with reapers of an unoptimised build are in the gate.
const MOST_REAPERS: usize = 20;

fn fresh_seed() -> u64 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    now.map_or(0, |now| u64::from(now.subsec_nanos()))
}
