//! Everything that can be run: models as they should be, and mistakes with the model that catches
//! each.

use std::fmt::{self, Debug};

use clap::ValueEnum;

use crate::explore::{Model, Report, explore};
use crate::slots::letters;
use crate::{blocks, chain, locks, pieces, slots, wake};

/// More states than that are too many: the search gives up, and the check fails.
const MOST_STATES: usize = 30_000_000;

/// What a model is made of: which threads there are, what they do, and what may go wrong.
pub trait Configuration: Clone + Debug + 'static {
    /// The model.
    type Model: Model;
    /// A mistake that can be made in it.
    type Mutant: Copy + ValueEnum;

    /// Each mistake with the name of the configuration that catches it.
    const CAUGHT_BY: &'static [(Self::Mutant, &'static str)];

    /// All that hold.
    fn all() -> Vec<Self>;
    /// What it begins with.
    fn title(&mut self) -> &mut Title<Self::Mutant>;
    /// The same without the invariants that are about what nobody sees yet.
    fn without_invariants(self) -> Self {
        self
    }
    /// The model of it.
    fn model(self) -> Self::Model;
}

/// What every configuration begins with.
#[derive(Clone, Copy, Debug)]
pub struct Title<M> {
    /// What it is called.
    pub name: &'static str,
    /// It belongs to what every change must pass.
    pub quick: bool,
    /// The mistake that is made on purpose.
    pub mutant: Option<M>,
}

impl<M> Title<M> {
    /// Of one that holds, and takes long.
    pub fn new(name: &'static str) -> Self {
        Self { name, quick: false, mutant: None }
    }
}

/// The same as one that every change must pass.
pub fn quick<C: Configuration>(mut config: C) -> C {
    config.title().quick = true;
    config
}

/// A model that must hold.
pub struct Check {
    /// What it is called.
    pub name: &'static str,
    /// Whether every change must pass it.
    pub is_quick: bool,
    search: Box<dyn Fn(bool) -> Report>,
}

impl Debug for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Check").field("name", &self.name).finish_non_exhaustive()
    }
}

impl Check {
    fn new<C: Configuration>(mut config: C) -> Self {
        let Title { name, quick: is_quick, .. } = *config.title();
        let search = move |invariants| {
            let config = config.clone();
            let config = if invariants { config } else { config.without_invariants() };
            explore(&mut config.model(), MOST_STATES)
        };
        Self { name, is_quick, search: Box::new(search) }
    }

    /// Searches it.
    pub fn run(&self) -> Report {
        (self.search)(true)
    }

    /// Searches it without the invariants that are about what nobody sees yet: what comes of it when one does not hold.
    pub fn run_without_invariants(&self) -> Report {
        (self.search)(false)
    }
}

/// A mistake, and the model that must catch it.
#[derive(Debug)]
pub struct Trial {
    /// What the mistake is called.
    pub mutant: String,
    /// The model with the mistake in it.
    pub check: Check,
}

/// What there is of one kind of model.
struct Family {
    checks: Vec<Check>,
    trials: Vec<Trial>,
}

impl Family {
    fn of<C: Configuration>() -> Self {
        let trials = C::CAUGHT_BY.iter().map(|(mutant, by)| {
            let config = C::all().into_iter().find_map(|mut config| {
                let title = config.title();
                title.mutant = Some(*mutant);
                (title.name == *by).then_some(config)
            });
            let config = config.unwrap_or_else(|| panic!("no model is called {by}"));
            Trial { mutant: called(mutant), check: Check::new(config) }
        });
        let checks = C::all().into_iter().map(Check::new);
        Self { checks: checks.collect(), trials: trials.collect() }
    }
}

fn families() -> [Family; 7] {
    [
        Family::of::<slots::config::Config>(),
        Family::of::<letters::Config>(),
        Family::of::<blocks::Config>(),
        Family::of::<chain::Config>(),
        Family::of::<pieces::Config>(),
        Family::of::<locks::Config>(),
        Family::of::<wake::config::Config>(),
    ]
}

/// All models.
pub fn checks() -> Vec<Check> {
    families().into_iter().flat_map(|family| family.checks).collect()
}

/// All mistakes.
///
/// # Panics
///
/// When a mistake names a model that does not exist.
pub fn trials() -> Vec<Trial> {
    families().into_iter().flat_map(|family| family.trials).collect()
}

fn called(mutant: &impl ValueEnum) -> String {
    let value = mutant.to_possible_value().expect("no mutant is hidden");
    value.get_name().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::explore::Finding;

    #[test]
    fn names_are_unique() {
        let checks = checks();
        for (i, check) in checks.iter().enumerate() {
            assert!(checks[..i].iter().all(|other| other.name != check.name), "{}", check.name);
        }
    }

    #[test]
    fn every_mistake_has_its_model() {
        fn all<M: ValueEnum + 'static>() -> impl Iterator<Item = String> {
            M::value_variants().iter().map(called)
        }
        let trials = trials();
        let queues = all::<slots::mutants::Mutant>().chain(all::<blocks::Mutant>());
        let queues = queues.chain(all::<chain::Mutant>()).chain(all::<wake::config::Mutant>());
        let others = all::<pieces::Mutant>().chain(all::<locks::Mutant>());
        let all: Vec<String> = queues.chain(others).collect();
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
