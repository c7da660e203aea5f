//! The configurations of waiting, and the mistakes that they catch.

use super::config::{Begin, Config, Mutant, Role, ThreadSpec};

/// A ring of `slots`, each thread a member of its own, with store buffers and caps.
fn waiting(name: &'static str, slots: u8, begins: &'static [Begin], roles: &[Role]) -> Config {
    let threads = (0..).zip(roles).map(|(member, &role)| ThreadSpec { member, role }).collect();
    Config {
        name,
        quick: false,
        slots,
        begins,
        threads,
        buffered: true,
        capped: true,
        mutant: None,
    }
}

fn quick(config: Config) -> Config {
    Config { quick: true, ..config }
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

/// All of them.
pub fn all() -> Vec<Config> {
    use Begin::{Aborted, Filled};
    use Role::{Closer, Holder, PutsBack, Quitter, Receiver, Sender};
    vec![
        quick(waiting("wake-pair-1", 1, &[], &[Sender(3), Receiver(3)])),
        quick(waiting("wake-pair-2", 2, &[], &[Sender(3), Receiver(3)])),
        quick(waiting("wake-two-receivers", 2, &[], &[Sender(2), Receiver(1), Receiver(1)])),
        quick(waiting(
            "wake-two-senders",
            2,
            &[Filled, Filled],
            &[Sender(1), Sender(1), Receiver(2)],
        )),
        quick(siblings(waiting("wake-siblings", 1, &[], &[Sender(2), Receiver(1), Receiver(1)]))),
        waiting("wake-two-each", 1, &[], &[Sender(1), Sender(1), Receiver(1), Receiver(1)]),
        waiting(
            "wake-two-each-full",
            2,
            &[Filled, Filled],
            &[Sender(1), Sender(1), Receiver(1), Receiver(1)],
        ),
        waiting(
            "wake-five",
            1,
            &[],
            &[Sender(2), Receiver(1), Receiver(1), Sender(1), Receiver(1)],
        ),
        quick(waiting("wake-skip-held", 2, &[Aborted, Filled], &[Sender(1), Holder])),
        quick(waiting("wake-quit", 2, &[], &[Quitter(1), Receiver(1), Receiver(1)])),
        waiting("wake-quit-two", 1, &[], &[Quitter(1), Sender(1), Receiver(1), Receiver(1)]),
        quick(waiting("wake-put-back", 2, &[Filled], &[PutsBack(0), Receiver(1)])),
        waiting("wake-put-back-send", 1, &[], &[Sender(2), PutsBack(1), Receiver(1)]),
        quick(waiting("wake-close", 1, &[Filled], &[Sender(1), Receiver(2), Receiver(1), Closer])),
        waiting("wake-close-late", 2, &[], &[Sender(1), Receiver(2), Receiver(2), Closer]),
        uncapped(waiting(
            "wake-uncapped-full",
            2,
            &[Filled, Filled],
            &[Sender(1), Sender(1), Receiver(1), Receiver(1)],
        )),
        uncapped(waiting(
            "wake-uncapped-five",
            2,
            &[],
            &[Sender(2), Sender(1), Receiver(1), Receiver(1), Receiver(1)],
        )),
    ]
}

/// Each mistake with the name of the configuration that catches it.
pub const CAUGHT_BY: [(Mutant, &str); 9] = [
    (Mutant::SkipTellsNobody, "wake-skip-held"),
    (Mutant::QuitTellsNobody, "wake-uncapped-quit"),
    (Mutant::PutBackTellsNobody, "wake-put-back"),
    (Mutant::CloseTellsNobody, "wake-close"),
    (Mutant::NoBaton, "wake-two-each-full"),
    (Mutant::NobodyIsAtWork, "wake-pair-2"),
    (Mutant::EpochAfterTry, "wake-pair-1"),
    (Mutant::EpochStays, "wake-pair-1"),
    (Mutant::NoBits, "wake-pair-1"),
];
