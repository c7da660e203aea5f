//! Random numbers for schedules, the same for the same seed.

use crate::manager::Ticket;

pub struct Dice(pub u64);

impl Dice {
    pub fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as usize % bound
    }

    /// One of `these`, if there is any.
    pub fn pick<T: Copy>(&mut self, these: &[T]) -> Option<T> {
        (!these.is_empty()).then(|| these[self.below(these.len())])
    }
}

/// The ticket of that number.
pub fn ticket(request: u64) -> Ticket {
    Ticket { connection: 0, request }
}
