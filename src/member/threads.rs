//! Numbers for the threads of this process, by which a lock tells who of a member has it.
//!
//! A lock goes on naming a thread for as long as it has a guard of it: also one that is forgotten, or kept where it outlives
//! the thread. So a thread counts its guards, and its number is another's only once it has ended and has none.

use std::cell::Cell;
use std::marker::PhantomData;
use std::sync::{Mutex, PoisonError};

use crate::lock::holder::Holder;
use crate::sys::fork;

/// Numbers that nobody has: those that were given back, and all from the next on.
struct Numbers {
    free: Vec<u64>,
    next: u64,
}

/// Touched only while forks are kept out: a child has no thread that would let go of it.
static NUMBERS: Mutex<Numbers> = Mutex::new(Numbers { free: Vec::new(), next: 1 });

const NUMBER: u64 = GUARD - 1;
/// One guard.
const GUARD: u64 = 1 << 20;
/// The thread ends: what is given back now is nobody's.
const OVER: u64 = 1 << 63;

const _: () = assert!(Holder::MOST_THREADS <= NUMBER);

/// Ends with the thread.
struct End;

impl Drop for End {
    fn drop(&mut self) {
        STANDING.set(STANDING.get() | OVER);
        if STANDING.get() & !NUMBER == OVER {
            give_back();
        }
    }
}

thread_local! {
    /// `[over:1 | guards:43 | number:20]`. Without a destructor, so that it is there to the last.
    static STANDING: Cell<u64> = const { Cell::new(0) };
    static END: End = const { End };
}

/// This thread's number: no other that lives, or has ended with a guard, has it. Zero for one of more than can be told apart,
/// and in what runs without a guard while the thread ends.
#[inline(always)]
pub fn number() -> u64 {
    match STANDING.get() & NUMBER {
        0 => draw(),
        number => number,
    }
}

#[cold]
fn draw() -> u64 {
    if STANDING.get() & OVER != 0 || END.try_with(|_| ()).is_err() {
        return 0;
    }
    let number = with_numbers(|numbers| match numbers.free.pop() {
        Some(number) => number,
        None if numbers.next > Holder::MOST_THREADS => 0,
        None => {
            numbers.next += 1;
            numbers.next - 1
        }
    });
    STANDING.set(STANDING.get() | number);
    number
}

/// Nothing names the thread any more.
#[cold]
fn give_back() {
    let number = STANDING.replace(OVER) & NUMBER;
    if number != 0 {
        with_numbers(|numbers| numbers.free.push(number));
    }
}

fn with_numbers<R>(act: impl FnOnce(&mut Numbers) -> R) -> R {
    let _guard = fork::guard();
    act(&mut NUMBERS.lock().unwrap_or_else(PoisonError::into_inner))
}

/// Part of a guard of a lock that names this thread. Like that it stays with the thread.
#[derive(Debug)]
pub struct Named(PhantomData<std::sync::MutexGuard<'static, ()>>);

impl Named {
    /// Counts a guard.
    #[inline(always)]
    pub fn new() -> Self {
        STANDING.set(STANDING.get().wrapping_add(GUARD));
        Self(PhantomData)
    }
}

impl Drop for Named {
    #[inline(always)]
    fn drop(&mut self) {
        let left = STANDING.get().wrapping_sub(GUARD);
        STANDING.set(left);
        if left & !NUMBER == OVER {
            give_back();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    /// Whether anybody may draw `number`.
    fn is_free(number: u64) -> bool {
        with_numbers(|numbers| numbers.free.contains(&number) || numbers.next <= number)
    }

    #[test]
    fn each_living_thread_has_a_number_of_its_own_and_keeps_it() {
        let mine = number();
        assert!(mine != 0 && number() == mine);
        let meet = std::sync::Barrier::new(2);
        thread::scope(|scope| {
            let other = || {
                let number = number();
                meet.wait();
                number
            };
            let others = [scope.spawn(other), scope.spawn(other)].map(|one| one.join().unwrap());
            assert!(others[0] != others[1] && !others.contains(&mine));
        });
    }

    #[test]
    fn a_number_that_a_forgotten_guard_names_is_nobodys() {
        let leaves = thread::spawn(|| {
            std::mem::forget(Named::new());
            drop(Named::new());
            number()
        });
        let left = leaves.join().unwrap();
        assert!(left != 0 && !is_free(left));
        for _ in 0..4 {
            assert_ne!(thread::spawn(number).join().unwrap(), left);
        }
    }

    #[test]
    fn a_child_draws_a_number_whoever_was_at_it_as_it_forked() {
        use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
        let (at_it, long) = (AtomicBool::new(false), std::time::Duration::from_millis(300));
        thread::scope(|scope| {
            scope.spawn(|| {
                with_numbers(|_| {
                    at_it.store(true, Relaxed);
                    // A fork waits. The child of one that did not would have numbers that nobody lets go of.
                    let start = std::time::Instant::now();
                    while start.elapsed() < long {
                        thread::yield_now();
                    }
                });
            });
            while !at_it.load(Relaxed) {
                thread::yield_now();
            }
            // Of a thread that has none yet.
            let forks = scope.spawn(|| fork::child_says(|| number() != 0));
            assert!(forks.join().unwrap());
        });
    }

    /// A guard in thread-local storage; as it goes it tells whether the thread was over, and had its number to itself.
    struct Late(Option<Named>, u64, std::sync::mpsc::Sender<(bool, bool)>);

    impl Drop for Late {
        fn drop(&mut self) {
            let over = STANDING.get() & OVER != 0;
            let kept = number() == self.1 && !is_free(self.1);
            drop(self.0.take());
            let gone = !over || number() == 0;
            self.2.send((over, kept && gone)).unwrap();
        }
    }

    thread_local!(static KEPT: Cell<Option<Late>> = const { Cell::new(None) });

    #[test]
    fn a_guard_that_outlives_its_thread_keeps_the_number_until_it_is_dropped() {
        let (told, hear) = std::sync::mpsc::channel();
        // Which of the two goes first is the standard library's to say.
        for number_first in [false, true] {
            let told = told.clone();
            let ends = thread::spawn(move || {
                let drawn = number_first.then(number);
                KEPT.set(None);
                KEPT.set(Some(Late(Some(Named::new()), drawn.unwrap_or_else(number), told)));
            });
            ends.join().unwrap();
        }
        drop(told);
        let went: Vec<(bool, bool)> = hear.iter().collect();
        assert!(went.iter().all(|(_, right)| *right) && went.iter().any(|(over, _)| *over));
    }
}
