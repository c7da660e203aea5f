//! The kill sweep: a victim process dies at every instruction of every operation, and who survives finds everything in
//! order.
//!
//! Real processes, real shared memory, real kills. The victim is traced: it is stopped between two instructions and
//! killed there. What it may have left is a table for each operation, from *nothing* to *done*; which entry it was may
//! only go up from instruction to instruction. Afterwards all capacity must be there, in order, and no trace of the dead.
//!
//! Where an operation is long (attaching, say) only those points are taken at which others can tell a difference: a
//! recorded run compares the segment's bytes after every single instruction, and adds both sides of each system call.

mod choice;
mod crew;
mod events;
mod kills;
mod lifecycle_scenes;
mod load;
mod pair;
mod pipe_scenes;
mod place;
mod queue;
mod queue_scenes;
mod scene;
mod spsc_scenes;
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
        };
        format!("{}: {way}", self.scene.name())
    }

    fn has_ends(&self) -> bool {
        let name = self.name();
        name.starts_with("spsc") || name.starts_with("pipe")
    }

    /// Release builds are swept completely, but for the reapers; unoptimised ones in the long form.
    fn run(&self, long: bool, seed: u64) -> Result<Report> {
        let scene = &*self.scene;
        let lots = &mut Lots::new(seed, &self.name());
        let some = |gate| if long { Choice::All } else { Choice::Some(gate) };
        let debug = cfg!(debug_assertions);
        match self.way {
            Way::Killed => kills::each(scene, if debug { some(60) } else { Choice::All }, lots),
            Way::Seen => kills::seen(scene, if debug { some(10) } else { Choice::All }, lots),
            Way::Stopped => kills::stopped(scene, some(if debug { 8 } else { 40 }), long, lots),
            Way::Twice if debug => kills::twice(scene, (Choice::Some(2), some(6)), lots),
            // A reaper is one that attaches there, a long way.
            Way::Twice if self.has_ends() => kills::twice(scene, (some(2), some(8)), lots),
            Way::Twice => kills::twice(scene, (some(4), some(12)), lots),
        }
    }
}

/// All parts.
fn parts() -> Vec<Part> {
    let mut parts = Vec::new();
    for scenes in [queue_scenes::all, spsc_scenes::all, pipe_scenes::all] {
        for way in [Way::Killed, Way::Stopped, Way::Twice] {
            parts.extend(scenes().into_iter().map(|scene| Part { scene, way }));
        }
    }
    let long: [fn() -> Vec<Box<dyn Scene>>; 4] = [
        queue_scenes::sleeping,
        spsc_scenes::sleeping,
        pipe_scenes::sleeping,
        lifecycle_scenes::all,
    ];
    for scenes in long {
        parts.extend(scenes().into_iter().map(|scene| Part { scene, way: Way::Seen }));
    }
    parts
}

/// Runs the sweep, or what was asked for of it.
pub fn run(arguments: &Arguments) -> ExitCode {
    let parts: Vec<_> =
        parts().into_iter().filter(|part| part.name().contains(&arguments.only)).collect();
    if arguments.list {
        parts.iter().for_each(|part| println!("{}", part.name()));
        return ExitCode::SUCCESS;
    }
    let seed = arguments.seed.unwrap_or_else(fresh_seed);
    let build = if cfg!(debug_assertions) { "an unoptimised" } else { "an optimised" };
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

fn fresh_seed() -> u64 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    now.map_or(0, |now| u64::from(now.subsec_nanos()))
}
