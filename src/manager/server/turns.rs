//! When a loop gives way.
//!
//! Answers come so soon that a loop with much to do never sleeps, and who wakes up on its processor would wait until the
//! scheduler's slice is over: so it offers the processor every so many frames. That costs: those who share it and have much to do
//! ask once, and no answer comes until the loop runs again. They ask in each pause, and who runs elsewhere asks often while it
//! does: who comes back after longer than a turn, and did not ask often before, has little to do. Its answer should find it soon,
//! so the turn ends with that, and the next ones are short.

/// Frames of a turn while nobody has little to do, and after somebody had.
const LONG: u32 = 768;
const SHORT: u32 = 192;
/// So many turns are short then.
const ATTENTION: u32 = 16;

/// Who asks so often without being away for longer than a turn has much to do.
const OFTEN: u32 = 16;

/// How often somebody asks.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Habit {
    /// The number of its last frame.
    last: u32,
    /// Its frames since it was away.
    run: u32,
}

/// The turns of a loop. Frames are numbered, modulo the width.
#[derive(Debug, Default)]
pub(super) struct Turns {
    /// The last frame taken, and the last one of the turn before.
    last: u32,
    before: u32,
    /// Short turns to come.
    attention: u32,
    /// Somebody with little to do was answered in this turn.
    is_awaited: bool,
}

impl Turns {
    fn length(&self) -> u32 {
        if self.attention > 0 { SHORT } else { LONG }
    }

    /// Notes a frame of somebody.
    pub(super) fn took(&mut self, habit: &mut Habit) {
        self.last = self.last.wrapping_add(1);
        let length = self.length();
        if self.last.wrapping_sub(habit.last) > length + length / 2 {
            self.is_awaited |= habit.run < OFTEN;
            habit.run = 0;
        }
        habit.last = self.last;
        habit.run = habit.run.saturating_add(1);
    }

    /// Whether the turn is over; then the next begins.
    pub(super) fn is_over(&mut self) -> bool {
        if !self.is_awaited && self.last.wrapping_sub(self.before) < self.length() {
            return false;
        }
        self.attention = if self.is_awaited { ATTENTION } else { self.attention.saturating_sub(1) };
        self.is_awaited = false;
        self.before = self.last;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Takes so many frames of somebody. Whether a turn ended by them.
    fn flood(turns: &mut Turns, busy: &mut Habit, frames: u32) -> bool {
        let mut any = false;
        for _ in 0..frames {
            turns.took(busy);
            any |= turns.is_over();
        }
        any
    }

    #[test]
    fn turns_are_long_until_somebody_asks_who_has_little_to_do() {
        let (mut turns, mut busy) = (Turns::default(), Habit::default());
        assert!(!flood(&mut turns, &mut busy, LONG - 1));
        assert!(flood(&mut turns, &mut busy, 1));
        let mut light = Habit { last: turns.last, run: 1 };
        for turn in 1..=3 {
            assert!(!flood(&mut turns, &mut busy, LONG - 1), "{turn}");
            assert!(flood(&mut turns, &mut busy, 1), "{turn}");
        }
        turns.took(&mut light);
        assert!(turns.is_over());
        for _ in 0..ATTENTION {
            assert!(!flood(&mut turns, &mut busy, SHORT - 1));
            assert!(flood(&mut turns, &mut busy, 1));
        }
        assert!(!flood(&mut turns, &mut busy, LONG - 1));
    }

    #[test]
    fn who_asks_in_each_pause_or_often_at_a_time_has_much_to_do() {
        let (mut turns, mut busy) = (Turns::default(), Habit::default());
        let (mut shares, mut by_turns) = (Habit::default(), Habit { last: 0, run: 16 });
        for turn in 0..10 {
            let also = if turn % 5 == 4 { OFTEN } else { 0 };
            turns.took(&mut shares);
            assert!(!flood(&mut turns, &mut by_turns, also), "{turn}");
            assert!(!flood(&mut turns, &mut busy, LONG - 2 - also), "{turn}");
            assert!(flood(&mut turns, &mut busy, 1), "{turn}");
        }
    }

    #[test]
    fn numbers_go_round() {
        let last = u32::MAX - 1;
        let mut turns = Turns { last, before: last, ..Turns::default() };
        let mut busy = Habit { last, run: 1 };
        assert!(!flood(&mut turns, &mut busy, LONG - 1));
        assert!(flood(&mut turns, &mut busy, 1));
    }
}
