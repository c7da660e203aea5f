//! Python's multiprocessing: `Queue`, `SimpleQueue`, a manager's `Queue`, and `Pipe`, once by `send`, which is usual,
//! and once by `send_bytes`, which pickles nothing. A script does the works, with processes of its own.
//!
//! What is sent are `bytes` objects. `SimpleQueue` and `Pipe` have the room that the kernel's pipe has.

use std::io::ErrorKind;
use std::process::{Command, Stdio};

use super::prelude::*;
use crate::contestant::Entry;
use crate::machine::{self, unpin};
use crate::play::{Sample, Task};
use crate::workload::Shape;

const SCRIPT: &str = include_str!("../../python/works.py");
/// What a contestant's name has before multiprocessing's own.
const PREFIX: &str = "python-";

pub const QUEUE: Entry = entry("python-Queue", refuses);
pub const SIMPLE_QUEUE: Entry = entry("python-SimpleQueue", refuses);
pub const MANAGER: Entry = entry("python-Manager", refuses);
pub const PIPE: Entry = entry("python-Pipe", pipe_refuses);
pub const PIPE_BYTES: Entry = entry("python-Pipe-bytes", pipe_refuses);

const fn entry(name: &'static str, refuses: fn(&Workload) -> Option<String>) -> Entry {
    Entry { name, kind: Kind::Rival, between: Between::Processes, refuses, play, follow }
}

/// The work as the script calls it, and how many messages make a burst.
fn work(shape: Shape) -> Result<(&'static str, u64), &'static str> {
    match shape {
        Shape::Stream => Ok(("stream", 1)),
        Shape::ParkedTrip => Ok(("trips", 1)),
        Shape::Crowd { .. } => Ok(("crowd", 1)),
        Shape::Wake => Ok(("wake", 1)),
        Shape::Burst(size) => Ok(("wake", size)),
        Shape::Batch => Err("not supported: batches"),
        Shape::Attach => Err("nothing to attach to by name"),
        Shape::Memory => Err("not measured: an interpreter's memory is not the queue's"),
        Shape::SpinningTrip | Shape::Paced(_) | Shape::Pair | Shape::Duel => {
            Err("not supported: polling")
        }
    }
}

fn refuses(workload: &Workload) -> Option<String> {
    work(workload.shape).err().map(str::to_owned)
}

fn pipe_refuses(workload: &Workload) -> Option<String> {
    if workload.parties() != (1, 1) && matches!(workload.shape, Shape::Crowd { .. }) {
        return Some("not supported: several at one end".to_owned());
    }
    refuses(workload)
}

/// Has the script do `task`. A missing interpreter is a reason; a script that fails is a failure.
fn play(task: &Task) -> Result<Sample, Unable> {
    unpin();
    let workload = &task.workload;
    let (work, burst) = work(workload.shape).map_err(|why| Unable(why.to_owned()))?;
    let (senders, receivers) = workload.parties();
    let processors: Vec<_> = machine::usable().iter().map(usize::to_string).collect();
    let channel = task.contestant.strip_prefix(PREFIX).expect("a contestant of this file");
    let output = Command::new("python3")
        // Nothing of the user's own: no site-packages, no variables.
        .args(["-I", "-S", "-c", SCRIPT, channel, work])
        .args([senders, receivers, workload.bytes, workload.capacity].map(|n| n.to_string()))
        .args([task.count, burst].map(|n| n.to_string()))
        .arg(processors.join(","))
        .arg(std::process::id().to_string())
        .stdin(Stdio::null())
        .output();
    let output = output.map_err(|why| match why.kind() {
        ErrorKind::NotFound => Unable("no python3 on this machine".to_owned()),
        _ => Unable(format!("start python3: {why}")),
    })?;
    let said = String::from_utf8_lossy(&output.stdout);
    let complaint = String::from_utf8_lossy(&output.stderr);
    let (name, status) = (task.contestant, output.status);
    assert!(status.success(), "{name}, {workload}: python3 failed ({status}): {complaint}");
    let answer: Result<Sample, String> = serde_json::from_str(&said)
        .unwrap_or_else(|why| panic!("understand what python3 said, {said:?}: {why}"));
    answer.map_err(Unable)
}

fn follow(_: &Task, _: &[String]) -> Result<(), Unable> {
    Err(Unable("the script starts its own processes".to_owned()))
}
