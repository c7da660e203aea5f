//! States and steps as people read them.

use std::fmt::Write;

use super::Step;
use super::config::Config;
use super::reaper::Reap;
use super::state::{At, MAX_CLAIMS, State};
use crate::word::{CursorWord, Geometry, SlotWord, after};

/// `word` as its state, its position counted from the start of the run, its member and its tries.
pub fn slot(config: &Config, word: SlotWord) -> String {
    let ring = Geometry::new(config.slots as u64);
    let laps = MAX_CLAIMS / config.slots + 1;
    let first = after(config.start, 0);
    let lap = (0..laps).find(|&lap| {
        let position = after(first, (lap * config.slots) as u64);
        // The slot is one of a lap's; laps of a run are told apart by the first.
        (0..ring.slots()).any(|step| ring.is_current(word, after(position, step)))
    });
    let state = word.state().map_or_else(|| "?".into(), |state| format!("{state:?}"));
    let lap = lap.map_or_else(|| "?".into(), |lap| lap.to_string());
    let mut text = format!("{}({lap}", state.to_uppercase());
    if matches!(state.as_str(), "Writing" | "Reading") {
        let _ = write!(text, ", m{}", word.member());
    }
    if word.tries() > 0 {
        let _ = write!(text, ", {} tries", word.tries());
    }
    text + ")"
}

fn cursor(config: &Config, word: CursorWord) -> String {
    let position = crate::word::before(word.position(), config.start);
    let closed = if word.is_closed() { ", closed" } else { "" };
    format!("({position}, m{}{closed})", word.member())
}

/// Who is about to do what.
fn who(config: &Config, before: &State, step: Step) -> String {
    match step {
        Step::Thread { me, choice } => {
            let member = config.threads[me].member;
            let what = match before.threads[me].at {
                At::Send(send) => send.name(),
                At::Receive(receive) => receive.name(),
                At::RaiseFlag => "Close: flag",
                At::CloseTail => "Close: tail",
                At::Rest | At::Dead => "rest",
            };
            let other = if choice == 1 { " (gives it up)" } else { "" };
            format!("thread {me} of m{member}: {what}{other}")
        }
        Step::Crash { member } => format!("m{member} DIES"),
        Step::Reaper { me, begins: Some((member, attaching)) } => {
            let why = if attaching { " to attach" } else { "" };
            format!("reaper {me} begins with m{member}{why}: Reap 1: read tail")
        }
        Step::Reaper { me, .. } => match before.reapers[me] {
            Reap::Idle => format!("reaper {me}: idle"),
            Reap::Work { member, at, .. } => format!("reaper {me} of m{member}: {}", at.name()),
        },
        Step::ReaperCrash { me } => format!("reaper {me} DIES"),
        Step::Respawn { member } => format!("m{member} is there again"),
    }
}

/// A step and what it changed in shared memory.
pub fn step(config: &Config, before: &State, step: Step, after: &State) -> String {
    let mut text = who(config, before, step);
    let mut changed = |name: String, from: String, to: String| {
        if from != to {
            let _ = write!(text, "\n        {name}: {from} -> {to}");
        }
    };
    let (old, new) = (&before.shared, &after.shared);
    changed("tail".into(), cursor(config, old.tail()), cursor(config, new.tail()));
    changed("head".into(), cursor(config, old.head()), cursor(config, new.head()));
    changed("redeliver".into(), old.redeliver.to_string(), new.redeliver.to_string());
    changed("closed".into(), old.closed.to_string(), new.closed.to_string());
    for index in 0..config.slots {
        let name = format!("slot {index}");
        changed(name, slot(config, old.slot(index)), slot(config, new.slot(index)));
        let show = |halves: [u8; 2]| format!("{halves:?}");
        changed(format!("message {index}"), show(old.payload[index]), show(new.payload[index]));
    }
    text
}
