//! Models with a victim: one thread is killed before each access to shared memory in turn, and the others go on.
//!
//! The search is made anew for each access that the victim may not come to make: the first time before its very first, and so
//! on until it lives through every interleaving. Only who has joined the victim's thread may reap it: that is the
//! proof of a death here, as the kernel's release of a lock is in reality.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Instant;

use ringway::parts::killed_after;

use super::{bound, search};

/// When the victim of a model dies.
#[derive(Clone, Debug)]
pub struct Death {
    after: usize,
    struck: Arc<AtomicBool>,
}

impl Death {
    /// Runs `act` as the victim. Nothing if it was killed.
    pub fn within<R>(&self, act: impl FnOnce() -> R) -> Option<R> {
        let outcome = killed_after(self.after, act);
        if outcome.is_none() {
            self.struck.store(true, Relaxed);
        }
        outcome
    }
}

/// Checks `model` as [`crowded`](crate::crowded) does, once for each access that its victim is killed before, and
/// a last time with a victim that lives.
///
/// # Panics
///
/// As [`model`](crate::model) does, and when nobody is ever killed.
pub fn at_each_access(fewer: usize, model: impl Fn(&Death) + Send + Sync + 'static) {
    let (model, started) = (Arc::new(model), Instant::now());
    let bound = bound().map(|bound| bound.saturating_sub(fewer));
    let mut runs = 0;
    for after in 0.. {
        let death = Death { after, struck: Arc::default() };
        let struck = Arc::clone(&death.struck);
        let model = Arc::clone(&model);
        runs += search(bound, move || model(&death));
        if !struck.load(Relaxed) {
            let seconds = started.elapsed().as_secs_f64();
            println!("{after} deaths, {runs} interleavings in {seconds:.2} s");
            assert!(after > 0 && runs > after, "nobody was killed beside anybody");
            return;
        }
    }
}
