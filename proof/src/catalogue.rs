//! Everything that can be run: models as they should be, and mistakes with the model that catches
//! each.

use clap::ValueEnum;

use crate::blocks::{self, Blocks};
use crate::chain::{self, Chain};
use crate::explore::{Report, explore};
use crate::locks::{self, Locks};
use crate::pieces::{self, Pieces};
use crate::slots::letters::{self, Letters};
use crate::slots::{self, Slots};
use crate::wake::{self, Waiting};

/// More states than that are too many: the search gives up, and the check fails.
const MOST_STATES: usize = 20_000_000;

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
    Letters(letters::Config),
    Blocks(blocks::Config),
    Chain(chain::Config),
    Locks(locks::Config),
    Pieces(pieces::Config),
    Waiting(wake::config::Config),
}

impl Check {
    /// The same without the invariants that are about what nobody sees yet: what comes of it when
    /// one does not hold.
    #[must_use]
    pub fn without_invariants(&self) -> Self {
        let mut check = self.clone();
        match &mut check.model {
            Kind::Slots(config) => config.invariants = false,
            Kind::Blocks(config) => config.invariants = false,
            Kind::Letters(config) => {
                config.rings.iter_mut().for_each(|ring| ring.invariants = false);
            }
            Kind::Chain(_) | Kind::Locks(_) | Kind::Pieces(_) | Kind::Waiting(_) => {}
        }
        check
    }

    /// Searches it.
    pub fn run(&self) -> Report {
        match &self.model {
            Kind::Slots(config) => explore(&mut Slots::new(config.clone()), MOST_STATES),
            Kind::Letters(config) => explore(&mut Letters::new(config.clone()), MOST_STATES),
            Kind::Blocks(config) => explore(&mut Blocks::new(config.clone()), MOST_STATES),
            Kind::Chain(config) => explore(&mut Chain::new(config.clone()), MOST_STATES),
            Kind::Locks(config) => explore(&mut Locks::new(config.clone()), MOST_STATES),
            Kind::Pieces(config) => explore(&mut Pieces::new(config.clone()), MOST_STATES),
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
    let letters = letters::all().into_iter().map(|config| Check {
        name: config.name(),
        is_quick: config.rings[0].quick,
        model: Kind::Letters(config),
    });
    let waiting = wake::configurations::all().into_iter().map(|config| Check {
        name: config.name,
        is_quick: config.quick,
        model: Kind::Waiting(config),
    });
    let blocks = blocks::all().into_iter().map(|config| Check {
        name: config.name,
        is_quick: config.quick,
        model: Kind::Blocks(config),
    });
    let chains = chain::all().into_iter().map(|config| Check {
        name: config.name,
        is_quick: config.quick,
        model: Kind::Chain(config),
    });
    let locks = locks::all().into_iter().map(|config| Check {
        name: config.name,
        is_quick: config.quick,
        model: Kind::Locks(config),
    });
    let pieces = pieces::all().into_iter().map(|config| Check {
        name: config.name,
        is_quick: config.quick,
        model: Kind::Pieces(config),
    });
    let between_many = slots.chain(letters).chain(blocks).chain(chains);
    between_many.chain(pieces).chain(locks).chain(waiting).collect()
}

/// All mistakes.
///
/// # Panics
///
/// When a mistake names a model that does not exist.
pub fn trials() -> Vec<Trial> {
    let checks = checks();
    let slots = slots::configurations::CAUGHT_BY.into_iter().chain(letters::CAUGHT_BY);
    let slots = slots.map(|(mutant, by)| {
        let mut check = find(&checks, by);
        match &mut check.model {
            Kind::Slots(config) => config.mutant = Some(mutant),
            Kind::Letters(config) => {
                config.rings.iter_mut().for_each(|ring| ring.mutant = Some(mutant));
            }
            Kind::Blocks(_)
            | Kind::Chain(_)
            | Kind::Locks(_)
            | Kind::Pieces(_)
            | Kind::Waiting(_) => {}
        }
        Trial { mutant: called(&mutant), check }
    });
    let waiting = wake::configurations::CAUGHT_BY.into_iter().map(|(mutant, by)| {
        let mut check = find(&checks, by);
        if let Kind::Waiting(config) = &mut check.model {
            config.mutant = Some(mutant);
        }
        Trial { mutant: called(&mutant), check }
    });
    let blocks = blocks::CAUGHT_BY.into_iter().map(|(mutant, by)| {
        let mut check = find(&checks, by);
        if let Kind::Blocks(config) = &mut check.model {
            config.mutant = Some(mutant);
        }
        Trial { mutant: called(&mutant), check }
    });
    let chains = chain::CAUGHT_BY.into_iter().map(|(mutant, by)| {
        let mut check = find(&checks, by);
        if let Kind::Chain(config) = &mut check.model {
            config.mutant = Some(mutant);
        }
        Trial { mutant: called(&mutant), check }
    });
    let locks = locks::CAUGHT_BY.into_iter().map(|(mutant, by)| {
        let mut check = find(&checks, by);
        if let Kind::Locks(config) = &mut check.model {
            config.mutant = Some(mutant);
        }
        Trial { mutant: called(&mutant), check }
    });
    let pieces = pieces::CAUGHT_BY.into_iter().map(|(mutant, by)| {
        let mut check = find(&checks, by);
        if let Kind::Pieces(config) = &mut check.model {
            config.mutant = Some(mutant);
        }
        Trial { mutant: called(&mutant), check }
    });
    slots.chain(blocks).chain(chains).chain(pieces).chain(locks).chain(waiting).collect()
}

fn find(checks: &[Check], name: &str) -> Check {
    let found = checks.iter().find(|check| check.name == name);
    found.unwrap_or_else(|| panic!("no model is called {name}")).clone()
}

fn called(mutant: &impl ValueEnum) -> String {
    let value = mutant.to_possible_value().expect("no mutant is hidden");
    value.get_name().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::explore::Finding;
    use crate::slots::mutants::Mutant;

    #[test]
    fn names_are_unique() {
        let checks = checks();
        for (i, check) in checks.iter().enumerate() {
            assert!(checks[..i].iter().all(|other| other.name != check.name), "{}", check.name);
        }
    }

    #[test]
    fn every_mistake_has_its_model() {
        let trials = trials();
        let slots = Mutant::value_variants().iter().map(called);
        let waiting = wake::config::Mutant::value_variants().iter().map(called);
        let blocks = blocks::Mutant::value_variants().iter().map(called);
        let chains = chain::Mutant::value_variants().iter().map(called);
        let locks = locks::Mutant::value_variants().iter().map(called);
        let pieces = pieces::Mutant::value_variants().iter().map(called);
        let queues = slots.chain(blocks).chain(chains).chain(pieces).chain(waiting);
        let all: Vec<String> = queues.chain(locks).collect();
        assert_eq!(trials.len(), all.len());
        for mutant in all {
            assert!(trials.iter().any(|trial| trial.mutant == mutant), "{mutant}");
        }
    }

    #[test]
    fn every_mistake_is_caught() {
        for trial in trials() {
            let finding = trial.check.run().finding;
            let caught = matches!(finding, Finding::Broken { .. } | Finding::Stuck { .. });
            assert!(caught, "{} by {}: {finding:?}", trial.mutant, trial.check.name);
        }
    }

    #[test]
    fn small_models_hold() {
        let small = ["wrap-1", "quit-1", "batch-fill-2", "put-back-2", "wake-pair-1", "wake-quit"];
        for check in checks().into_iter().filter(|check| small.contains(&check.name)) {
            let finding = check.run().finding;
            assert!(finding.holds(), "{}: {finding:?}", check.name);
        }
    }
}
