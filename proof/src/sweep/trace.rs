//! The way of an operation: which instructions it executes, and how to bring another victim to any one of them.
//!
//! The way is recorded by single steps. A victim is then brought to instruction *k* by a hardware breakpoint, which
//! costs a stop for each time that it comes to the same place instead of one for each instruction. That it has come
//! where the recorded one was is checked each time.

use std::collections::{HashMap, HashSet};
use std::fmt;

use anyhow::{Result, ensure};

use super::victim::{Next, Victim};

/// What an operation executed, from mark to mark.
#[derive(Debug, PartialEq, Eq)]
pub struct Trace {
    /// Where it was after so many instructions; the last is its end mark.
    addresses: Vec<u64>,
    /// How often it had come to that address by then, this time included; zero while a repeated instruction repeats,
    /// because a breakpoint stops before the first time only.
    visits: Vec<usize>,
}

/// An operation that has not ended by then will not.
pub const MOST_STEPS: usize = 2_000_000;
/// A breakpoint so many instructions before is as good.
const NEAR: usize = 4096;

/// A victim went another way than the recorded one: an allocator in another state, a race for a lock that went otherwise.
#[derive(Debug)]
pub struct Astray;

impl fmt::Display for Astray {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("it goes another way each time")
    }
}

impl std::error::Error for Astray {}

impl Trace {
    /// Takes `victim` from its first mark to the second.
    pub fn record(victim: &Victim) -> Result<Self> {
        let mut addresses = vec![victim.address()?];
        while victim.next(addresses[addresses.len() - 1])? != Next::Mark {
            addresses.push(victim.step()?);
            ensure!(addresses.len() < MOST_STEPS, "the operation does not end");
        }
        let mut seen = HashMap::new();
        let mut visits = Vec::with_capacity(addresses.len());
        for (step, address) in addresses.iter().enumerate() {
            let repeats = step > 0 && addresses[step - 1] == *address;
            let count: &mut usize = seen.entry(*address).or_default();
            *count += usize::from(!repeats);
            visits.push(if repeats { 0 } else { *count });
        }
        Ok(Self { addresses, visits })
    }

    /// How many instructions it is from mark to mark.
    pub fn steps(&self) -> usize {
        self.addresses.len() - 1
    }

    /// How many different ones.
    pub fn places(&self) -> usize {
        self.addresses[..self.steps()].iter().collect::<HashSet<_>>().len()
    }

    /// Brings `victim`, which is at its first mark, to where `step` instructions are executed.
    pub fn bring(&self, victim: &Victim, step: usize) -> Result<()> {
        let cost = |from: &usize| self.visits[*from] + step - from;
        let near = (step.saturating_sub(NEAR)..=step).filter(|at| self.visits[*at] > 0);
        let from = near.min_by_key(cost).filter(|from| cost(from) < step);
        if let Some(from) = from {
            victim.run_to(self.addresses[from], self.visits[from])?;
        }
        for _ in from.unwrap_or(0)..step {
            victim.step()?;
        }
        if victim.address()? == self.addresses[step] { Ok(()) } else { Err(Astray.into()) }
    }
}
