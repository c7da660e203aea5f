//! The configurations of waiting, and the mistakes that they catch.

use super::Waiting;
use super::config::{Begin, Config, Mutant, Role, ThreadSpec};
use crate::catalogue::{Configuration, Title, quick};

/// A ring of `slots`, each thread a member of its own, with store buffers and caps.
fn waiting(name: &'static str, slots: u8, begins: &'static [Begin], roles: &[Role]) -> Config {
    let threads = (0..).zip(roles).map(|(member, &role)| ThreadSpec { member, role }).collect();
    Config { title: Title::new(name), slots, begins, threads, buffered: true, capped: true }
}

/// Without store buffers, and without any cap: the baton alone leaves nobody behind.
fn uncapped(config: Config) -> Config {
    Config { buffered: false, capped: false, ..config }
}

/// All threads but the first are threads of one member.
fn siblings(mut config: Config) -> Config {
    config.threads.iter_mut().skip(1).for_each(|thread| thread.member = 1);
    config
}

impl Configuration for Config {
    type Model = Waiting;
    type Mutant = Mutant;

    const CAUGHT_BY: &'static [(Mutant, &'static str)] = &[
        (Mutant::SkipTellsNobody, "wake-skip-held"),
        (Mutant::QuitTellsNobody, "wake-uncapped-quit"),
        (Mutant::PutBackTellsNobody, "wake-put-back"),
        (Mutant::CloseTellsNobody, "wake-close"),
        (Mutant::NoBaton, "wake-two-each-full"),
        (Mutant::NobodyIsAtWork, "wake-pair-2"),
        (Mutant::EpochAfterTry, "wake-pair-1"),
        (Mutant::EpochStays, "wake-pair-1"),
        (Mutant::NoBits, "wake-pair-1"),
        (Mutant::HeldSleepsOn, "wake-dead"),
        (Mutant::SettledForEver, "wake-pair-1"),
        (Mutant::SleepBeforeEpoch, "wake-two-receivers"),
        (Mutant::SleepAfterTry, "wake-pair-1"),
        (Mutant::SleepsAfterWake, "wake-pair-1"),
    ];

    fn all() -> Vec<Self> {
        use Begin::{Aborted, Filled};
        use Role::{
            Closer, Holder, PairReceiver, PairSender, PutsBack, Quitter, Receiver, Sender, Victim,
        };
        let full: &[Begin] = &[Filled, Filled];
        let pair = [Sender(3), Receiver(3)];
        let two_and_one = [Sender(1), Sender(1), Receiver(2)];
        let one_and_two = [Sender(2), Receiver(1), Receiver(1)];
        let two_each = [Sender(1), Sender(1), Receiver(1), Receiver(1)];
        let quits = [Quitter(1), Receiver(1), Receiver(1)];
        let quits_beside = [Quitter(1), Sender(1), Receiver(1), Receiver(1)];
        let closes = [Sender(1), Receiver(2), Receiver(1), Closer];
        let closes_late = [Sender(1), Receiver(2), Receiver(2), Closer];
        let five = [Sender(2), Sender(1), Receiver(1), Receiver(1), Receiver(1)];
        let pairs = [PairSender(2), Receiver(1), Receiver(1), Receiver(1)];
        let pairs_back = [PairReceiver(2), Sender(1), Sender(1), PairReceiver(2)];
        vec![
            quick(waiting("wake-pair-1", 1, &[], &pair)),
            quick(waiting("wake-pair-2", 2, &[], &pair)),
            quick(waiting("wake-two-receivers", 2, &[], &one_and_two)),
            quick(waiting("wake-two-senders", 2, full, &two_and_one)),
            quick(siblings(waiting("wake-siblings", 1, &[], &one_and_two))),
            quick(waiting("wake-two-each", 1, &[], &two_each)),
            quick(waiting("wake-two-each-full", 2, full, &two_each)),
            quick(waiting("wake-skip-held", 2, &[Aborted, Filled], &[Sender(1), Holder])),
            quick(waiting("wake-quit", 2, &[], &quits)),
            waiting("wake-quit-beside", 1, &[], &quits_beside),
            quick(waiting("wake-put-back", 2, &[Filled], &[PutsBack(0), Receiver(1)])),
            quick(waiting("wake-put-back-send", 1, &[], &[Sender(2), PutsBack(1), Receiver(1)])),
            quick(waiting("wake-close", 1, &[Filled], &closes)),
            quick(waiting("wake-close-late", 2, &[], &closes_late)),
            quick(waiting("wake-dead", 2, &[], &[Victim, Receiver(1), Sender(1)])),
            waiting("wake-dead-two", 2, &[], &[Victim, Receiver(1), Receiver(1), Sender(2)]),
            waiting("wake-batch", 2, &[], &pairs),
            waiting("wake-batch-full", 2, full, &pairs_back),
            quick(uncapped(waiting("wake-uncapped-full", 2, full, &two_each))),
            quick(uncapped(waiting("wake-uncapped-quit", 1, &[], &quits))),
            uncapped(waiting("wake-uncapped-batch", 2, full, &pairs_back)),
            uncapped(waiting("wake-uncapped-five", 2, &[], &five)),
        ]
    }

    fn title(&mut self) -> &mut Title<Mutant> {
        &mut self.title
    }

    fn model(self) -> Waiting {
        Waiting::new(self)
    }
}
