//! Enrolling, sleeping, leaving, waking: what `event.rs` does.

use super::config::{Config, Mutant, Slot};
use super::machine::Machine;
use super::state::{At, CLOSED, Event, Todo, Word};

impl Machine<'_> {
    /// A try came to nothing: enrol and try again, or see whether anybody is at work.
    pub fn found_nothing(&self) -> At {
        match self.is_enrolled() {
            false => At::Enrol,
            true if self.config.is(Mutant::NobodyIsAtWork) => At::FallAsleep { capped: false },
            true => At::QuietFirst,
        }
    }

    /// A try found somebody at work.
    pub fn found_work(&self) -> At {
        if !self.is_enrolled() {
            return At::Enrol;
        }
        let is_dead = self.dead().is_some();
        let sleeps_on = self.config.is(Mutant::HeldSleepsOn);
        if is_dead { At::Reap } else { At::FallAsleep { capped: self.config.capped && !sleeps_on } }
    }

    /// What somebody had claimed who is dead, until it is taken back.
    fn dead(&self) -> Option<u8> {
        self.state.threads.iter().find_map(|thread| match thread.at {
            At::Dead { position } => {
                let claimed = self.config.word(position, Slot::Vacant);
                let word = self.state.memory[self.config.slot(position).place()];
                (word == claimed).then_some(position)
            }
            _ => None,
        })
    }

    /// A swap that fails if another was first, and everybody is told; then it tries again.
    fn reap(&mut self) -> At {
        if let Some(position) = self.dead() {
            let aborted = self.config.word(position, Slot::Aborted);
            let vacant = self.config.word(position, Slot::Vacant);
            self.swap(self.config.slot(position), vacant, aborted);
        }
        let both = [Event::NotEmpty, Event::NotFull].map(Todo::TellAll);
        self.then(&[both[0], both[1], Todo::Retry])
    }

    pub fn wait(&mut self, at: At, choice: usize) -> At {
        let event = self.event();
        match at {
            At::Enrol => {
                self.enrol(event);
                At::ReadEpoch
            }
            At::ReadEpoch if self.config.is(Mutant::SleepBeforeEpoch) => {
                self.count_sleep(event);
                At::CountSleep
            }
            At::ReadEpoch => {
                self.state.threads[self.me].enrolled = Some(true);
                At::CountSleep
            }
            At::CountSleep => {
                match self.config.title.mutant {
                    Some(Mutant::SleepAfterTry) => {}
                    Some(Mutant::SleepBeforeEpoch) => {
                        self.state.threads[self.me].enrolled = Some(true);
                    }
                    _ => self.count_sleep(event),
                }
                Config::begin(self.config.threads[self.me].role)
            }
            // A consumer reads the tail first, a producer the head.
            At::QuietFirst if event == Event::NotEmpty => {
                At::QuietSecond { first: self.load(Word::Tail) & !CLOSED }
            }
            At::QuietFirst => At::QuietSecond { first: self.load(Word::Head) },
            At::QuietSecond { first } if event == Event::NotEmpty => {
                if self.load(Word::Head) == first { At::QuietRedeliver } else { self.found_work() }
            }
            At::QuietSecond { first } => {
                let tail = self.load(Word::Tail) & !CLOSED;
                if tail.wrapping_sub(first).min(self.config.slots) < self.config.slots {
                    return self.found_work();
                }
                At::FallAsleep { capped: false }
            }
            At::QuietRedeliver if self.load(Word::Redeliver) & 1 != 0 => self.found_work(),
            At::QuietRedeliver => At::FallAsleep { capped: false },
            At::FallAsleep { capped } => {
                if self.config.is(Mutant::SleepAfterTry) {
                    self.count_sleep(event);
                }
                let as_read = self.state.threads[self.me].enrolled.replace(false) == Some(true);
                if as_read || self.config.is(Mutant::EpochAfterTry) {
                    return At::Asleep { capped };
                }
                At::ReadEpoch
            }
            // Whoever is awake tries once without a barrier.
            At::Asleep { .. } => Config::begin(self.config.threads[self.me].role),
            At::Reap => self.reap(),
            At::Leave | At::MoreHead | At::MoreTail { .. } | At::MoreRedeliver => {
                self.leave(at, event)
            }
            _ => self.notify(at, choice),
        }
    }

    fn enrol(&mut self, event: Event) {
        let member = self.config.threads[self.me].member;
        let threads = &mut self.state.enrolled[usize::from(member)][event as usize];
        *threads += 1;
        if *threads == 1 && !self.config.is(Mutant::NoBits) {
            self.change(Word::Waiters(event), |bits| bits | 1 << member);
        }
        self.state.threads[self.me].enrolled = Some(false);
    }

    /// All who have read the count of sleeps at `event` find that it has changed.
    fn count_sleep(&mut self, event: Event) {
        if !self.config.is(Mutant::SettledForEver) {
            self.state.settled.iter_mut().for_each(|events| events[event as usize] = false);
            // Of another event too, at worst: then somebody is woken in vain.
            for thread in &mut self.state.threads {
                thread.noted = thread.noted.map(|_| false);
            }
        }
    }

    fn leave(&mut self, at: At, event: Event) -> At {
        match at {
            At::Leave => {
                let member = self.config.threads[self.me].member;
                let threads = &mut self.state.enrolled[usize::from(member)][event as usize];
                *threads -= 1;
                if *threads == 0 {
                    self.change(Word::Waiters(event), |bits| bits & !(1 << member));
                }
                self.state.threads[self.me].enrolled = None;
                if self.config.is(Mutant::NoBaton) { At::Next } else { At::MoreHead }
            }
            At::MoreHead => At::MoreTail { head: self.load(Word::Head) },
            At::MoreTail { head } => {
                let slots = self.config.slots;
                let len = (self.load(Word::Tail) & !CLOSED).wrapping_sub(head).min(slots);
                match event {
                    Event::NotEmpty if len == 0 => At::MoreRedeliver,
                    Event::NotFull if len == slots => At::Next,
                    _ => At::ReadWaiters { event, count: 1 },
                }
            }
            At::MoreRedeliver if self.load(Word::Redeliver) & 1 == 0 => At::Next,
            _ => At::ReadWaiters { event, count: 1 },
        }
    }

    fn notify(&mut self, at: At, choice: usize) -> At {
        match at {
            At::ReadWaiters { event, .. } if self.load(Word::Waiters(event)) == 0 => At::Next,
            At::ReadWaiters { event, count } => At::ReadSleeps { event, count },
            At::ReadSleeps { event, count } => {
                let member = usize::from(self.config.threads[self.me].member);
                if self.state.settled[member][event as usize] {
                    return At::Next;
                }
                self.state.threads[self.me].noted = Some(true);
                At::ChangeEpoch { event, count }
            }
            At::ChangeEpoch { event, count } => {
                if !self.config.is(Mutant::EpochStays) {
                    self.change_epoch(event);
                }
                At::Wake { event, count }
            }
            At::Wake { event, count } => {
                let chosen = self.wakings(event, count)[choice];
                for sleeper in 0..self.config.threads.len() {
                    if chosen >> sleeper & 1 != 0 {
                        let role = self.config.threads[sleeper].role;
                        self.state.threads[sleeper].at = Config::begin(role);
                    }
                }
                let noted = self.state.threads[self.me].noted.take();
                let late = noted.is_some() && self.config.is(Mutant::SleepsAfterWake);
                if chosen == 0 && (noted == Some(true) || late) {
                    let member = usize::from(self.config.threads[self.me].member);
                    self.state.settled[member][event as usize] = true;
                }
                At::Next
            }
            _ => unreachable!("every place has its step"),
        }
    }

    /// All who wait at `event` and have read the epoch find that it has changed.
    fn change_epoch(&mut self, event: Event) {
        for me in 0..self.config.threads.len() {
            let theirs = Machine { config: self.config, state: self.state, me }.event();
            let read = &mut self.state.threads[me].enrolled;
            if theirs == event && read.is_some() {
                *read = Some(false);
            }
        }
    }

    /// The sets of threads, a bit each, that a wake-up of `count` of those asleep at `event` may
    /// choose.
    pub fn wakings(&self, event: Event, count: u8) -> Vec<u8> {
        let is_asleep = |thread: usize| {
            let theirs = Machine { config: self.config, state: self.state, me: thread }.event();
            matches!(self.state.threads[thread].at, At::Asleep { .. }) && theirs == event
        };
        let threads = 0..self.config.threads.len();
        let asleep = threads.filter(|&one| is_asleep(one)).fold(0, |set: u8, one| set | 1 << one);
        let woken = asleep.count_ones().min(count.into());
        let all = 0..=u8::MAX;
        all.filter(|set| set & !asleep == 0 && set.count_ones() == woken).collect()
    }
}
