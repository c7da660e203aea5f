//! The search: every state that a model can reach, the shortest way into a wrong one, and whether
//! all can still end well.
//!
//! Breadth first, so a counterexample is a shortest one. States are kept exactly, not as
//! fingerprints, in the model's packed form. Moves between them are kept too, because the second
//! half of the check goes backwards: from the states in which everything has come to its end, along
//! moves that are not faults, to all states that can get there. A state left over is one that
//! nothing short of another fault can mend. In the language of temporal logic: each state satisfies
//! the invariants, and `AG EF end` holds.
//!
//! Nothing here knows what a ring is.

use std::hash::{BuildHasher, Hash};
use std::time::{Duration, Instant};

use hashbrown::HashTable;
use rustc_hash::FxBuildHasher;

/// Something that moves from state to state in steps.
pub trait Model {
    /// All there is: shared memory, where each thread is, and what only the checker knows.
    type State: Clone;
    /// A state in little room, equal for equal states.
    type Key: Copy + Eq + Hash;
    /// What names a step in a trace.
    type Step: Copy;

    /// Where it begins.
    fn initial(&self) -> Self::State;
    /// Adds what may come after `state` to `moves`.
    fn moves(&self, state: &Self::State, moves: &mut Vec<Move<Self>>);
    /// Says what is wrong with `state` as it stands.
    fn check(&self, state: &Self::State) -> Result<(), String>;
    /// Whether everything has come to its end in `state`.
    fn is_end(&self, state: &Self::State) -> bool;
    /// The key of `state`.
    fn pack(&mut self, state: &Self::State) -> Self::Key;
    /// The state of a key that [`pack`](Self::pack) gave.
    fn unpack(&self, key: &Self::Key) -> Self::State;
    /// A step as a line of a trace.
    fn explain(&self, before: &Self::State, step: Self::Step, after: &Self::State) -> String;
}

/// One step from a state.
#[derive(Debug)]
pub struct Move<M: Model + ?Sized> {
    /// Who does what.
    pub step: M::Step,
    /// What comes of it.
    pub state: M::State,
    /// It is a fault: it may happen at any time, and no recovery can count on it.
    pub is_fault: bool,
    /// A rule that the step itself breaks.
    pub broken: Option<String>,
}

/// What was found.
#[derive(Debug)]
pub struct Report {
    /// Different states.
    pub states: usize,
    /// Moves between them.
    pub moves: usize,
    /// The longest of the shortest ways from the first state.
    pub depth: usize,
    /// How long it took.
    pub took: Duration,
    /// The verdict.
    pub finding: Finding,
}

/// What a search came to.
#[derive(Debug)]
pub enum Finding {
    /// Every state was seen, each is right, and each can end well.
    Holds,
    /// There are more states than were allowed. This counts as a failure.
    Truncated,
    /// A rule is broken at the end of the trace.
    Broken {
        /// The rule.
        rule: String,
        /// A shortest way there, a line for each step.
        trace: Vec<String>,
    },
    /// From the end of the trace on, nothing but another fault can lead to an end.
    Stuck {
        /// A shortest way there, a line for each step.
        trace: Vec<String>,
    },
}

impl Finding {
    /// Whether the search was complete and found nothing.
    pub fn holds(&self) -> bool {
        matches!(self, Finding::Holds)
    }

    /// Whether it was caught by an invariant about who owns what, before anything came of it.
    pub fn is_of_invariant(&self) -> bool {
        let Finding::Broken { rule, .. } = self else { return false };
        ["(I1)", "(I3)", "(B1)", "(B3)"].iter().any(|name| rule.ends_with(name))
    }
}

/// Searches `model` completely, or gives up once it has `limit` states.
pub fn explore<M: Model>(model: &mut M, limit: usize) -> Report {
    let started = Instant::now();
    let mut search = Search::<M>::new();
    let finding = search.run(model, limit);
    Report {
        states: search.keys.len(),
        moves: search.targets.len(),
        depth: search.depth(),
        took: started.elapsed(),
        finding,
    }
}

/// In [`Search::targets`]: the move is a fault.
const FAULT: u32 = 1 << 31;
/// The first state's parent.
const NOBODY: u32 = u32::MAX;

/// States are numbered in the order in which they are found.
struct Search<M: Model> {
    index: HashTable<u32>,
    keys: Vec<M::Key>,
    parents: Vec<u32>,
    ends: Vec<bool>,
    /// Moves of state `i` lead to `targets[first[i]..first[i + 1]]`.
    first: Vec<usize>,
    targets: Vec<u32>,
}

impl<M: Model> Search<M> {
    fn new() -> Self {
        Self {
            index: HashTable::new(),
            keys: Vec::new(),
            parents: Vec::new(),
            ends: Vec::new(),
            first: vec![0],
            targets: Vec::new(),
        }
    }

    fn run(&mut self, model: &mut M, limit: usize) -> Finding {
        let initial = model.initial();
        if let Err(rule) = model.check(&initial) {
            return Finding::Broken { rule, trace: Vec::new() };
        }
        self.add(model, &initial, NOBODY);
        let mut moves = Vec::new();
        let mut next = 0;
        while next < self.keys.len() {
            if self.keys.len() > limit {
                return Finding::Truncated;
            }
            let state = model.unpack(&self.keys[next]);
            model.moves(&state, &mut moves);
            for step in moves.drain(..) {
                if let Some(rule) = step.broken {
                    let mut trace = self.trace(model, next);
                    trace.push(model.explain(&state, step.step, &step.state));
                    return Finding::Broken { rule, trace };
                }
                let known = self.keys.len();
                let target = self.add(model, &step.state, narrow(next));
                if target as usize == known
                    && let Err(rule) = model.check(&step.state)
                {
                    return Finding::Broken { rule, trace: self.trace(model, known) };
                }
                self.targets.push(if step.is_fault { target | FAULT } else { target });
            }
            self.first.push(self.targets.len());
            next += 1;
        }
        match self.first_without_end() {
            Some(stuck) => Finding::Stuck { trace: self.trace(model, stuck) },
            None => Finding::Holds,
        }
    }

    /// The number of `state`, which is new if it is the highest.
    fn add(&mut self, model: &mut M, state: &M::State, parent: u32) -> u32 {
        let key = model.pack(state);
        let hash = |key: &M::Key| FxBuildHasher.hash_one(key);
        let keys = &self.keys;
        let is_it = |&number: &u32| keys[number as usize] == key;
        let rehash = |&number: &u32| hash(&keys[number as usize]);
        match self.index.entry(hash(&key), is_it, rehash) {
            hashbrown::hash_table::Entry::Occupied(found) => *found.get(),
            hashbrown::hash_table::Entry::Vacant(room) => {
                let number = narrow(self.keys.len());
                room.insert(number);
                self.keys.push(key);
                self.parents.push(parent);
                self.ends.push(model.is_end(state));
                number
            }
        }
    }

    /// The earliest state from which no end can be reached without a fault.
    fn first_without_end(&self) -> Option<usize> {
        let sources = self.sources();
        let mut can_end = self.ends.clone();
        let mut to_do: Vec<usize> = (0..can_end.len()).filter(|&state| can_end[state]).collect();
        while let Some(state) = to_do.pop() {
            for &source in sources.of(state) {
                let source = source as usize;
                if !can_end[source] {
                    can_end[source] = true;
                    to_do.push(source);
                }
            }
        }
        can_end.iter().position(|&can| !can)
    }

    /// All moves that are not faults, backwards.
    fn sources(&self) -> Sources {
        let sound = || self.targets.iter().filter(|&&target| target & FAULT == 0);
        let mut first = vec![0_usize; self.keys.len() + 1];
        sound().for_each(|&target| first[target as usize + 1] += 1);
        for state in 0..self.keys.len() {
            first[state + 1] += first[state];
        }
        let mut free = first.clone();
        let mut sources = vec![0; first[self.keys.len()]];
        for source in 0..self.keys.len() {
            for &target in &self.targets[self.first[source]..self.first[source + 1]] {
                if target & FAULT == 0 {
                    sources[free[target as usize]] = narrow(source);
                    free[target as usize] += 1;
                }
            }
        }
        Sources { first, sources }
    }

    /// The way from the first state to `number`.
    fn trace(&self, model: &mut M, number: usize) -> Vec<String> {
        let mut way = vec![number];
        while self.parents[way[way.len() - 1]] != NOBODY {
            way.push(self.parents[way[way.len() - 1]] as usize);
        }
        way.reverse();
        let mut moves = Vec::new();
        let mut lines = Vec::new();
        for pair in way.windows(2) {
            let before = model.unpack(&self.keys[pair[0]]);
            model.moves(&before, &mut moves);
            let taken = moves.drain(..).find(|step| model.pack(&step.state) == self.keys[pair[1]]);
            let taken = taken.expect("a parent has a move to its child");
            lines.push(model.explain(&before, taken.step, &taken.state));
        }
        lines
    }

    fn depth(&self) -> usize {
        let mut depths = vec![0_usize; self.parents.len()];
        for state in 1..depths.len() {
            depths[state] = depths[self.parents[state] as usize] + 1;
        }
        depths.last().copied().unwrap_or(0)
    }
}

/// Where each state is reached from.
struct Sources {
    first: Vec<usize>,
    sources: Vec<u32>,
}

impl Sources {
    fn of(&self, state: usize) -> &[u32] {
        &self.sources[self.first[state]..self.first[state + 1]]
    }
}

/// Numbers of states keep their top bit free.
fn narrow(number: usize) -> u32 {
    u32::try_from(number).ok().filter(|number| number & FAULT == 0).expect("below 2^31 states")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A number that moves as a table says; a fault where the table has a minus.
    struct Table {
        moves: &'static [(i8, i8)],
        end: i8,
        forbidden: i8,
    }

    impl Model for Table {
        type State = i8;
        type Key = i8;
        type Step = ();

        fn initial(&self) -> i8 {
            0
        }

        fn moves(&self, state: &i8, moves: &mut Vec<Move<Self>>) {
            let from_here = self.moves.iter().filter(|(from, _)| from == state);
            moves.extend(from_here.map(|&(_, to)| Move {
                step: (),
                state: to.abs(),
                is_fault: to < 0,
                broken: None,
            }));
        }

        fn check(&self, state: &i8) -> Result<(), String> {
            if *state == self.forbidden { Err("forbidden".into()) } else { Ok(()) }
        }

        fn is_end(&self, state: &i8) -> bool {
            *state == self.end
        }

        fn pack(&mut self, state: &i8) -> i8 {
            *state
        }

        fn unpack(&self, key: &i8) -> i8 {
            *key
        }

        fn explain(&self, before: &i8, (): (), after: &i8) -> String {
            format!("{before} to {after}")
        }
    }

    const NONE: i8 = 100;

    fn finding(moves: &'static [(i8, i8)], end: i8, forbidden: i8) -> Finding {
        explore(&mut Table { moves, end, forbidden }, 10).finding
    }

    #[test]
    fn the_shortest_way_into_a_wrong_state_is_shown() {
        let Finding::Broken { rule, trace } = finding(&[(0, 1), (1, 2), (2, 3), (0, 2)], 3, 3)
        else {
            panic!("it is wrong")
        };
        assert_eq!((rule.as_str(), trace), ("forbidden", vec!["0 to 2".into(), "2 to 3".into()]));
    }

    #[test]
    fn a_state_from_which_only_a_fault_leads_on_is_stuck() {
        let Finding::Stuck { trace } = finding(&[(0, 3), (0, 1), (1, 1), (1, -3)], 3, NONE) else {
            panic!("it is stuck")
        };
        assert_eq!(trace, ["0 to 1"]);
        assert!(finding(&[(0, 3), (0, -1), (1, 1), (1, 3)], 3, NONE).holds());
    }

    #[test]
    fn what_is_not_searched_to_the_end_does_not_hold() {
        let mut table = Table { moves: &[(0, 1), (1, 2)], end: 2, forbidden: NONE };
        assert!(matches!(explore(&mut table, 1).finding, Finding::Truncated));
        let report = explore(&mut table, 10);
        assert_eq!((report.states, report.moves, report.depth), (3, 2, 2));
        assert!(report.finding.holds());
    }
}
