//! What became of the rounds of a barrier, and the rules about that: only the checker knows.

use super::barrier::number_of;
use super::memory::Memory;
use super::state::State;

/// The rounds that the checker tells apart.
pub const MAX_ROUNDS: usize = 8;
/// What became of a round.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Round {
    /// Places that were counted, a bit each.
    came: u8,
    /// Indices of those who were told that it is completed, a bit each.
    told: u8,
    /// Somebody was told that it broke.
    broke: bool,
    /// While it went on a place named one who was dead.
    had_dead: bool,
}

/// Some place names one who is dead now.
pub fn has_dead(state: &mut State) {
    let number = number_of(state.words[0]);
    state.rounds[number].had_dead = true;
}

/// Whether a place named one who was dead while round `number` went on.
pub fn had_dead(memory: &Memory, number: usize) -> bool {
    memory.state.rounds[number].had_dead
}

/// The place of who makes the step was counted in round `number`.
pub fn has_come(memory: &mut Memory, number: usize) {
    let place = memory.state.threads[memory.me].place;
    let round = &mut memory.state.rounds[number];
    let twice = round.came >> place & 1 == 1;
    round.came |= 1 << place;
    memory.rule(!twice, "a place was counted twice in a round");
}

/// One was told that round `number` is completed, and that it came as `index`, or that it broke.
pub fn is_told(memory: &mut Memory, number: usize, index: Option<u8>) {
    let parties = u32::from(memory.config.parties());
    let round = &mut memory.state.rounds[number];
    let before = *round;
    match index {
        Some(index) => round.told |= 1 << index,
        None => round.broke = true,
    }
    let (is_mixed, all) = (round.told != 0 && round.broke, before.came.count_ones() == parties);
    let twice = index.is_some_and(|index| before.told >> index & 1 == 1);
    memory.rule(!twice, "two have the same index");
    memory.rule(!is_mixed, "a round was completed for one and broke for another");
    memory.rule(all || index.is_none(), "a round was completed before all had come");
}
