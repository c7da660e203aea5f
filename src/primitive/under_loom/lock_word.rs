//! The word of a lock under loom.

use std::ops::Deref;

use loom::sync::{self, Condvar};

use super::ContestedU64;
use crate::primitive::crash::access;

/// A word of 64 bits whose lower half processes can sleep on.
#[derive(Debug, Default)]
pub struct LockWord {
    word: ContestedU64,
    /// How many sleep and have not been woken.
    bucket: sync::Mutex<u32>,
    sleepers: Condvar,
}

impl LockWord {
    /// Sleeps if the lower half is still that of `expected`, as [`FutexWord::wait`] does.
    pub fn wait(&self, expected: u64, until_ns: u64) {
        if until_ns < u64::MAX {
            return loom::thread::yield_now();
        }
        if !access() {
            return;
        }
        let mut asleep = self.bucket.lock().unwrap();
        #[allow(clippy::cast_possible_truncation, reason = "the half that the kernel looks at")]
        if self.word.peek() as u32 == expected as u32 {
            *asleep += 1;
            drop(self.sleepers.wait(asleep).unwrap());
        }
    }

    /// Wakes up to `count` sleepers. Says how many there were.
    pub fn wake(&self, count: u32) -> u32 {
        if !access() {
            return 0;
        }
        let mut asleep = self.bucket.lock().unwrap();
        let woken = count.min(*asleep);
        (0..woken).for_each(|_| self.sleepers.notify_one());
        *asleep -= woken;
        woken
    }
}

impl Deref for LockWord {
    type Target = ContestedU64;
    fn deref(&self) -> &ContestedU64 {
        &self.word
    }
}
