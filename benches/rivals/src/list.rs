//! What there is to be run.

use serde::Serialize;

use crate::conductor::{fixed, guess};
use crate::contestant::{Between, Kind};
use crate::contestants;
use crate::workload::Workload;

/// All that there is, for a program that takes samples of its own.
#[derive(Debug, Serialize)]
struct List {
    workloads: Vec<Work>,
    contestants: Vec<Contestant>,
}

#[derive(Debug, Serialize)]
struct Work {
    name: String,
    is_quick: bool,
    /// How many messages, trips or calls take about a second.
    per_second: u64,
}

#[derive(Debug, Serialize)]
struct Contestant {
    name: &'static str,
    kind: Kind,
    between: Between,
}

fn list() -> List {
    let work = |workload: &Workload| Work {
        name: workload.to_string(),
        is_quick: workload.is_quick(),
        per_second: fixed(workload, 1000).unwrap_or_else(|| 1_000_000_000 / guess(workload)),
    };
    let contestants = contestants::all().iter();
    let contestants =
        contestants.map(|e| Contestant { name: e.name, kind: e.kind, between: e.between });
    List {
        workloads: Workload::all().iter().map(work).collect(),
        contestants: contestants.collect(),
    }
}

pub fn for_programs() {
    println!("{}", serde_json::to_string_pretty(&list()).expect("names and numbers"));
}

pub fn for_people() {
    let List { workloads, contestants } = list();
    println!("works (* those of --quick):");
    for work in workloads {
        println!("{} {}", if work.is_quick { " *" } else { "  " }, work.name);
    }
    println!("\ncontestants:");
    for one in contestants {
        let kind = match one.kind {
            Kind::Ringway => "ringway",
            Kind::Rival => "rival",
            Kind::Limit => "physical limit",
        };
        let between = match one.between {
            Between::Threads => "threads",
            Between::Processes => "processes",
        };
        println!("   {:24} {kind}, between {between}", one.name);
    }
}
