//! Threads that leave a lock behind, and what a child makes of locks that are its parent's.

use std::thread;
use std::time::Duration;

use ringway::Fault;
use ringway::block::Block;
use ringway::sync::{Condvar, Mutex, ReentrantMutex, RwLock, TryLockError};

use crate::util::Name;
use crate::util::child::Child;
use crate::util::os::in_fork;

pub fn play(role: &str, arguments: &[&str]) {
    match role {
        "mixed" => wait_with_what_is_of_the_parent(arguments[0]),
        _ => panic!("no such role"),
    }
}

fn block() -> Block {
    let block = Block::anonymous(4096).unwrap();
    block.unlink().unwrap();
    block
}

/// Of threads that come after it none is taken for it, whatever numbers they draw.
#[test]
fn a_lock_whose_guard_was_forgotten_is_no_other_threads() {
    let block = block();
    let (mutex, again) =
        (Mutex::<u64>::at(&block, 0).unwrap(), ReentrantMutex::<u64>::at(&block, 64).unwrap());
    let lock = RwLock::<u64>::at(&block, 1024).unwrap();
    on_a_thread(|| {
        std::mem::forget(mutex.lock().unwrap());
        std::mem::forget(again.lock().unwrap());
        std::mem::forget(lock.write().unwrap());
        assert!(matches!(mutex.try_lock(), Err(TryLockError::WouldDeadlock)), "it has it itself");
        assert!(again.try_lock().is_ok());
    });
    for _ in 0..4 {
        on_a_thread(|| {
            assert!(matches!(mutex.try_lock(), Err(TryLockError::Held(_))));
            assert!(matches!(again.try_lock(), Err(TryLockError::Held(_))));
            assert!(matches!(lock.try_write(), Err(TryLockError::Held(_))));
            assert!(matches!(lock.try_read(), Err(TryLockError::Held(_))));
        });
    }
}

fn on_a_thread(act: impl FnOnce() + Send) {
    thread::scope(|scope| scope.spawn(act).join().unwrap());
}

#[test]
fn a_guard_in_thread_local_storage_is_its_threads_to_the_last() {
    thread_local!(static KEPT: std::cell::RefCell<Option<Late>> = const { std::cell::RefCell::new(None) });
    /// Says whether the thread still is who has the mutex.
    struct Late(ringway::sync::ReentrantGuard<'static, u64>, &'static ReentrantMutex<u64>);
    impl Drop for Late {
        fn drop(&mut self) {
            self.0.set(u64::from(self.1.try_lock().is_ok()));
        }
    }
    let mutex: &'static ReentrantMutex<u64> =
        Box::leak(Box::new(ReentrantMutex::at(&block(), 0).unwrap()));
    for number_first in [false, true] {
        let ends = thread::spawn(move || {
            if number_first {
                drop(mutex.lock().unwrap());
            }
            KEPT.with_borrow(|kept| assert!(kept.is_none()));
            KEPT.set(Some(Late(mutex.lock().unwrap(), mutex)));
        });
        ends.join().unwrap();
        assert_eq!(mutex.try_lock().unwrap().get(), 1);
        assert!(!mutex.is_locked());
    }
}

#[test]
fn a_child_waits_with_nothing_of_its_parents() {
    let name = Name::new("mixed");
    Child::spawn("locks_threads::mixed", &[&name]).finish();
}

fn wait_with_what_is_of_the_parent(name: &str) {
    let block = Block::create(name, 4096).unwrap();
    let mutex = Mutex::<u64>::at(&block, 0).unwrap();
    let condvar = Condvar::at(&block, 128).unwrap();
    let mut held = Some(mutex.lock().unwrap());
    let code = in_fork(|| {
        let ours = Block::open(name).unwrap();
        let (fresh, bell) =
            (Mutex::<u64>::at(&ours, 256).unwrap(), Condvar::at(&ours, 384).unwrap());
        let forked = Some(Fault::Forked);
        assert_eq!(bell.wait(held.take().unwrap()).unwrap_err().fault(), forked);
        assert_eq!(condvar.wait(fresh.lock().unwrap()).unwrap_err().fault(), forked);
        let late = bell.wait_timeout(fresh.lock().unwrap(), Duration::ZERO).unwrap();
        assert!(late.1, "what is the child's own works");
        0
    });
    assert_eq!(code, 0);
    drop(held.take());
    assert!(mutex.try_lock().is_ok());
    block.unlink().unwrap();
}
