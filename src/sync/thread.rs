//! Numbers for the threads of this process, by which a lock tells who of a member has it.

use std::cell::Cell;
use std::sync::{Mutex, PoisonError};

use crate::lock::holder::Holder;

/// Numbers that nobody has: those that were given back, and all from the next on.
struct Numbers {
    free: Vec<u64>,
    next: u64,
}

static NUMBERS: Mutex<Numbers> = Mutex::new(Numbers { free: Vec::new(), next: 1 });

/// Gives a thread's number back when the thread ends.
struct Mine(u64);

impl Drop for Mine {
    fn drop(&mut self) {
        // What runs after this on the thread is told apart no more: another may draw the number at once.
        NUMBER.set(0);
        NUMBERS.lock().unwrap_or_else(PoisonError::into_inner).free.push(self.0);
    }
}

thread_local! {
    /// Apart from its return, so that reading it is one load.
    static NUMBER: Cell<u64> = const { Cell::new(0) };
    static MINE: Cell<Option<Mine>> = const { Cell::new(None) };
}

/// This thread's number: no other living thread of the process has it. Zero for one of more than can be told apart, and in
/// what runs while the thread ends.
#[inline(always)]
pub fn number() -> u64 {
    match NUMBER.get() {
        0 => draw(),
        number => number,
    }
}

#[cold]
fn draw() -> u64 {
    let mut numbers = NUMBERS.lock().unwrap_or_else(PoisonError::into_inner);
    let number = match numbers.free.pop() {
        Some(number) => number,
        None if numbers.next > Holder::MOST_THREADS => return 0,
        None => {
            numbers.next += 1;
            numbers.next - 1
        }
    };
    drop(numbers);
    let mut mine = Some(Mine(number));
    if MINE.try_with(|kept| kept.set(mine.take())).is_err() {
        return 0;
    }
    NUMBER.set(number);
    number
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_living_thread_has_a_number_of_its_own_and_keeps_it() {
        let mine = number();
        assert!(mine != 0 && number() == mine);
        let meet = std::sync::Barrier::new(2);
        std::thread::scope(|scope| {
            let other = || {
                let number = number();
                meet.wait();
                number
            };
            let others = [scope.spawn(other), scope.spawn(other)].map(|one| one.join().unwrap());
            assert!(others[0] != others[1] && !others.contains(&mine));
        });
    }
}
