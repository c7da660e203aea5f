//! The configurations of chains, and the mistakes that they catch.

use super::Chain;
use super::config::{Config, Mutant, Role};
use crate::catalogue::{Configuration, Title, quick};

/// Segments of `slots`, `annexes` of them beside the anchor in all; the first `mortals` of `threads` may die, `crashes` times.
fn chain(
    name: &'static str,
    (slots, annexes): (usize, u8),
    threads: &[Role],
    (mortals, crashes): (usize, u8),
) -> Config {
    let threads = threads.to_vec();
    Config { title: Title::new(name), slots, annexes, threads, mortals, crashes }
}

fn sender(messages: u8) -> Role {
    Role::Sender { messages, aborts: false }
}

fn quitter(messages: u8) -> Role {
    Role::Sender { messages, aborts: true }
}

fn receiver(puts_back: u8) -> Role {
    Role::Receiver { puts_back }
}

impl Configuration for Config {
    type Model = Chain;
    type Mutant = Mutant;

    const CAUGHT_BY: &'static [(Mutant, &'static str)] = &[
        (Mutant::NobodyShuts, "chain-pair"),
        (Mutant::SettledAtOnce, "chain-two-each"),
        (Mutant::FillsUnsettled, "chain-two-each"),
        (Mutant::OpenBeforeShut, "chain-two-each"),
        (Mutant::PassesOpen, "chain-one-dies"),
        (Mutant::PassesHeld, "chain-two-each"),
        (Mutant::RemoveBeforeSwap, "chain-pair"),
        (Mutant::SwapBeforeMake, "chain-pair"),
        (Mutant::NothingNoted, "chain-one-dies"),
        (Mutant::RemovesTheLiving, "chain-one-dies"),
        (Mutant::LockStays, "chain-one-dies"),
        (Mutant::ReapForgetsAnnexes, "chain-one-dies"),
        (Mutant::TakesLastFirst, "chain-pair"),
        (Mutant::ClaimsUnsure, "chain-receivers"),
        (Mutant::LeavesOpen, "chain-two-each"),
        (Mutant::DrainedUnseen, "chain-closes"),
        (Mutant::SwapLosesClosed, "chain-closes"),
        (Mutant::HomeStaysShut, "chain-pair"),
    ];

    fn all() -> Vec<Self> {
        use Role::{Closer, Reaper};
        let pair = [sender(4), receiver(1)];
        let two_each = [sender(2), sender(1), receiver(0), receiver(0)];
        let put_back = [sender(3), receiver(1), receiver(0)];
        let one_dies = [sender(3), receiver(0), Reaper];
        let senders = [sender(2), sender(2), receiver(0), Reaper];
        let receivers = [receiver(0), sender(3), receiver(0), Reaper];
        let reapers = [sender(2), Reaper, receiver(0), Reaper];
        let closes = [sender(3), receiver(0), Closer];
        let closes_dead = [sender(2), Closer, receiver(0), Reaper];
        vec![
            quick(chain("chain-pair", (1, 4), &pair, (0, 0))),
            quick(chain("chain-pair-2", (2, 3), &[quitter(4), receiver(1)], (0, 0))),
            quick(chain("chain-two-each", (1, 2), &two_each, (0, 0))),
            quick(chain("chain-put-back", (1, 3), &put_back, (0, 0))),
            quick(chain("chain-one-dies", (1, 2), &one_dies, (1, 1))),
            quick(chain("chain-senders", (1, 2), &senders, (1, 1))),
            quick(chain("chain-receivers", (1, 2), &receivers, (1, 1))),
            quick(chain("chain-reapers", (1, 2), &reapers, (2, 2))),
            quick(chain("chain-closes", (1, 3), &closes, (0, 0))),
            quick(chain("chain-closes-dead", (1, 2), &closes_dead, (2, 1))),
        ]
    }

    fn title(&mut self) -> &mut Title<Mutant> {
        &mut self.title
    }

    fn model(self) -> Chain {
        Chain::new(self)
    }
}
