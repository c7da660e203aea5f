//! Everything that can be run: models as they should be, and mistakes with the model that catches each.

use clap::ValueEnum;

use crate::explore::{Report, explore};
use crate::slots::{self, Slots};
use crate::wake::{self, Waiting};

/// More states than that are too many: the search gives up, and the check fails.
const MOST_STATES: usize = 12_000_000;

/// A model that must hold.
#[derive(Clone, Debug)]
pub struct Check {
    /// What it is called.
    pub name: &'static str,
    /// Whether every change must pass it.
    pub is_quick: bool,
    model: Kind,
}

#[derive(Clone, Debug)]
enum Kind {
    Slots(slots::config::Config),
    Waiting(wake::config::Config),
}

impl Check {
    /// Searches it.
    pub fn run(&self) -> Report {
        match &self.model {
            Kind::Slots(config) => explore(&mut Slots::new(config.clone()), MOST_STATES),
            Kind::Waiting(config) => explore(&mut Waiting::new(config.clone()), MOST_STATES),
        }
    }
}

/// A mistake, and the model that must catch it.
#[derive(Clone, Debug)]
pub struct Trial {
    /// What the mistake is called.
    pub mutant: String,
    /// The model with the mistake in it.
    pub check: Check,
}

/// All models.
pub fn checks() -> Vec<Check> {
    let slots = slots::configurations::all().into_iter().map(|config| Check {
        name: config.name,
        is_quick: config.quick,
        model: Kind::Slots(config),
    });
    let waiting = wake::configurations::all().into_iter().map(|config| Check {
        name: config.name,
        is_quick: config.quick,
        model: Kind::Waiting(config),
    });
    slots.chain(waiting).collect()
}

/// All mistakes.
///
/// # Panics
///
/// When a mistake names a model that does not exist.
pub fn trials() -> Vec<Trial> {
    let checks = checks();
    let slots = slots::configurations::CAUGHT_BY.into_iter().map(|(mutant, by)| {
        let mut check = find(&checks, by);
        if let Kind::Slots(config) = &mut check.model {
            config.mutant = Some(mutant);
        }
        Trial { mutant: called(mutant), check }
    });
    let waiting = wake::configurations::CAUGHT_BY.into_iter().map(|(mutant, by)| {
        let mut check = find(&checks, by);
        if let Kind::Waiting(config) = &mut check.model {
            config.mutant = Some(mutant);
        }
        Trial { mutant: called(mutant), check }
    });
    slots.chain(waiting).collect()
}

fn find(checks: &[Check], name: &str) -> Check {
    let found = checks.iter().find(|check| check.name == name);
    found.unwrap_or_else(|| panic!("no model is called {name}")).clone()
}

fn called(mutant: impl ValueEnum) -> String {
    let value = mutant.to_possible_value().expect("no mutant is hidden");
    value.get_name().to_owned()
}
