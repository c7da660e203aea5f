//! The configurations of locks, and the mistakes that they catch.

use super::Locks;
use super::config::{Config, Mutant, Role};
use crate::catalogue::{Configuration, Title};
use Role::{Giver, Notifier, Party, Reader, Setter, Taker, User, Waiter, Watcher, Writer};

/// `threads`, of which somebody may die so many times, and so many numbers may be used again.
fn lock(name: &'static str, threads: &[Role], crashes: u8, heirs: u8) -> Config {
    let threads = threads.to_vec();
    Config {
        title: Title { quick: true, ..Title::new(name) },
        threads,
        twins: false,
        spare: 0,
        crashes,
        heirs,
        impatient: false,
    }
}

fn twins(config: Config) -> Config {
    Config { twins: true, ..config }
}

/// One more party than places.
fn crowd(config: Config) -> Config {
    Config { spare: 1, ..config }
}

fn long(config: Config) -> Config {
    Config { title: Title { quick: false, ..config.title }, ..config }
}

fn impatient(config: Config) -> Config {
    Config { impatient: true, ..config }
}

impl Configuration for Config {
    type Model = Locks;
    type Mutant = Mutant;

    const CAUGHT_BY: &'static [(Mutant, &'static str)] = &[
        (Mutant::LookBeforeCount, "rwlock-pair"),
        (Mutant::ClaimWithoutLook, "rwlock-pair"),
        (Mutant::UnlockWakesNobody, "rwlock-pair"),
        (Mutant::LeaveWakesNobody, "rwlock-pair"),
        (Mutant::WakeByStore, "rwlock-twins"),
        (Mutant::SleepUnmarked, "rwlock-pair"),
        (Mutant::TakeOverWhole, "rwlock-die-writers"),
        (Mutant::BuryWhole, "rwlock-die-writers"),
        (Mutant::TakeOverByStore, "rwlock-die-claims"),
        (Mutant::GiveUpWhole, "rwlock-give-up"),
        (Mutant::ReadersUnasked, "rwlock-die-readers"),
        (Mutant::WriterUnasked, "rwlock-die-writers"),
        (Mutant::HeirIsTaken, "rwlock-heir"),
        (Mutant::EnrollKeeps, "rwlock-heir"),
        (Mutant::CountByStore, "barrier-pair"),
        (Mutant::LastWakesNobody, "barrier-pair"),
        (Mutant::BreakWakesNobody, "barrier-give-up-three"),
        (Mutant::RoundUncompared, "barrier-give-up"),
        (Mutant::ResetsUncounted, "barrier-give-up-three"),
        (Mutant::JoinBreaksNothing, "barrier-heir"),
        (Mutant::JoinBreaksFirst, "barrier-crowd"),
        (Mutant::HeirLooksLate, "barrier-heir"),
        (Mutant::PlacesUnasked, "barrier-die"),
        (Mutant::SleptLocksUnmarked, "condvar-waiters"),
        (Mutant::CountAfterUnlock, "condvar-pair"),
        (Mutant::CallUncounted, "condvar-pair"),
        (Mutant::SleptTakesUnmarked, "semaphore-takers"),
        (Mutant::RestIsNobodys, "semaphore-takers"),
        (Mutant::GivingWakesNobody, "semaphore-pair"),
        (Mutant::TurnsUncounted, "flag-pair"),
        (Mutant::SettingWakesNobody, "flag-pair"),
        (Mutant::NoLookAfterCount, "permit-pair"),
        (Mutant::PermitsUnasked, "permit-die"),
        (Mutant::SettledThoughWoken, "condvar-waiters"),
    ];

    fn all() -> Vec<Self> {
        vec![
            lock("rwlock-pair", &[Reader(2), Writer(2)], 0, 0),
            lock("rwlock-readers", &[Reader(2), Reader(1), Writer(2)], 0, 0),
            lock("rwlock-writers", &[Reader(2), Writer(2), Writer(1)], 0, 0),
            lock("rwlock-die-readers", &[Reader(1), Reader(1), Writer(2)], 2, 0),
            lock("rwlock-die-writers", &[Reader(1), Writer(1), Writer(1)], 2, 0),
            lock("rwlock-die-claims", &[Writer(1), Writer(1), Writer(1)], 2, 0),
            twins(lock("rwlock-twins", &[Reader(2), Reader(1), Writer(1)], 0, 0)),
            twins(lock("rwlock-die-twins", &[Reader(1), Writer(1), Writer(1)], 2, 0)),
            lock("rwlock-heir", &[Reader(2), Writer(2)], 2, 2),
            lock("rwlock-heirs", &[Reader(1), Writer(1), Writer(1)], 1, 1),
            impatient(lock("rwlock-give-up", &[Reader(1), Writer(1), Writer(1)], 2, 0)),
            lock("barrier-pair", &[Party(3), Party(3)], 0, 0),
            lock("barrier-three", &[Party(2), Party(2), Party(2)], 0, 0),
            impatient(lock("barrier-give-up", &[Party(3), Party(3)], 0, 0)),
            impatient(lock("barrier-give-up-three", &[Party(1), Party(1), Party(1)], 0, 0)),
            lock("barrier-die", &[Party(2), Party(2)], 2, 0),
            lock("barrier-die-three", &[Party(1), Party(1), Party(1)], 1, 0),
            lock("barrier-heir", &[Party(2), Party(2)], 1, 1),
            lock("condvar-pair", &[Waiter(3), Notifier(3)], 0, 0),
            lock("condvar-waiters", &[Waiter(1), Waiter(1), Notifier(2)], 0, 0),
            lock("condvar-notifiers", &[Waiter(2), Notifier(1), Notifier(1)], 0, 0),
            lock("condvar-die", &[Waiter(2), Waiter(1), Notifier(3)], 1, 0),
            lock("condvar-die-notifier", &[Waiter(2), Notifier(1), Notifier(1)], 2, 0),
            lock("semaphore-pair", &[Taker(3), Giver(3)], 0, 0),
            lock("semaphore-takers", &[Taker(1), Taker(1), Giver(2)], 0, 0),
            lock("semaphore-givers", &[Taker(2), Giver(1), Giver(1)], 0, 0),
            lock("semaphore-die", &[Taker(2), Taker(1), Giver(3)], 1, 0),
            lock("semaphore-die-giver", &[Taker(2), Giver(1), Giver(1)], 2, 0),
            lock("flag-pair", &[Watcher(2), Setter(2)], 0, 0),
            lock("flag-watchers", &[Watcher(1), Watcher(1), Setter(2)], 0, 0),
            lock("flag-setters", &[Watcher(2), Setter(1), Setter(1)], 0, 0),
            lock("flag-die", &[Watcher(1), Watcher(1), Setter(2)], 2, 0),
            lock("permit-pair", &[User(3), User(3)], 0, 0),
            lock("permit-three", &[User(2), User(1), User(1)], 0, 0),
            lock("permit-die", &[User(2), User(1)], 1, 0),
            lock("permit-heir", &[User(1), User(1)], 1, 1),
            long(lock("permit-die-three", &[User(1), User(1), User(1)], 1, 0)),
            long(crowd(lock("barrier-crowd", &[Party(1), Party(2), Party(1)], 1, 1))),
            long(lock("barrier-heir-three", &[Party(1), Party(1), Party(1)], 1, 1)),
        ]
    }

    fn title(&mut self) -> &mut Title<Mutant> {
        &mut self.title
    }

    fn model(self) -> Locks {
        Locks::new(self)
    }
}
