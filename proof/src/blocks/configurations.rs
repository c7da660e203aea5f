//! The configurations of blocks, and the mistakes that they catch.

use super::Blocks;
use super::config::{Config, Mutant, Role};
use crate::catalogue::{Configuration, Title, quick};

/// Rings of `slots`, with `blocks` for all messages; the first `mortals` of `threads` may die, `crashes` times.
fn blocks(
    name: &'static str,
    (slots, blocks): (usize, usize),
    threads: &[Role],
    (mortals, crashes): (usize, u8),
) -> Config {
    Config {
        title: Title::new(name),
        slots,
        blocks,
        sparse: false,
        at_most_once: false,
        threads: threads.to_vec(),
        mortals,
        crashes,
        respawn: false,
        invariants: true,
    }
}

fn sparse(config: Config) -> Config {
    Config { sparse: true, ..config }
}

fn reborn(config: Config) -> Config {
    Config { respawn: true, ..config }
}

fn at_most_once(config: Config) -> Config {
    Config { at_most_once: true, ..config }
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

fn mover(messages: u8) -> Role {
    Role::Mover { messages }
}

impl Configuration for Config {
    type Model = Blocks;
    type Mutant = Mutant;

    const CAUGHT_BY: &'static [(Mutant, &'static str)] = &[
        (Mutant::TakeByStore, "blocks-senders"),
        (Mutant::CommitBeforeBind, "blocks-one"),
        (Mutant::FreeOfAnother, "blocks-receivers"),
        (Mutant::MovedIsGiven, "blocks-moves"),
        (Mutant::LeaveBeforeMove, "blocks-moves"),
        (Mutant::PunchWhenFree, "blocks-holes"),
        (Mutant::ReapLeavesOwned, "blocks-one"),
        (Mutant::ReapFreesMemory, "blocks-holes-senders"),
        (Mutant::ReapLeavesBound, "blocks-receivers"),
        (Mutant::ReapIgnoresWriting, "blocks-senders"),
        (Mutant::ReapAbortsBound, "blocks-one"),
        (Mutant::CommitAfterSlots, "blocks-one"),
        (Mutant::BlocksBeforeSlots, "blocks-once"),
        (Mutant::ReapStores, "blocks-reapers"),
        (Mutant::PunchInTheirName, "blocks-reapers-holes"),
        (Mutant::NumberUnderReaper, "blocks-reborn"),
    ];

    fn all() -> Vec<Self> {
        use Role::Reaper;
        let senders = [sender(1), quitter(2), receiver(0), Reaper];
        let receivers = [receiver(1), sender(3), receiver(1), Reaper];
        let moves = [mover(2), sender(2), receiver(1), Reaper];
        let crowd = [sender(1), receiver(0), sender(2), receiver(1), Reaper];
        let two_movers = [mover(1), mover(1), sender(2), receiver(0), Reaper];
        let reapers = [sender(1), Reaper, sender(2), receiver(0), Reaper];
        let reapers_move = [mover(1), Reaper, sender(2), receiver(0), Reaper];
        let reapers_receive = [receiver(1), Reaper, sender(3), receiver(0), Reaper];
        let heirs = [sender(4), receiver(0), Reaper, Reaper];
        let heirs_beside = [sender(3), receiver(0), sender(1), Reaper, Reaper];
        vec![
            quick(blocks("blocks-senders", (2, 2), &senders, (2, 2))),
            quick(blocks("blocks-one", (1, 1), &senders, (2, 2))),
            quick(blocks("blocks-receivers", (2, 2), &receivers, (1, 1))),
            quick(at_most_once(blocks("blocks-once", (2, 1), &receivers, (1, 1)))),
            quick(blocks("blocks-moves", (2, 2), &moves, (1, 1))),
            quick(blocks("blocks-movers", (1, 2), &two_movers, (2, 2))),
            quick(sparse(blocks("blocks-holes", (2, 2), &receivers, (1, 1)))),
            quick(sparse(blocks("blocks-holes-senders", (1, 2), &senders, (2, 2)))),
            quick(sparse(blocks("blocks-holes-move", (2, 1), &moves, (1, 1)))),
            quick(blocks("blocks-reapers", (2, 2), &reapers, (2, 2))),
            quick(blocks("blocks-reapers-move", (1, 2), &reapers_move, (2, 2))),
            quick(sparse(blocks("blocks-reapers-holes", (1, 1), &reapers, (2, 2)))),
            quick(sparse(blocks("blocks-reapers-receive", (1, 1), &reapers_receive, (2, 2)))),
            quick(reborn(blocks("blocks-reborn", (1, 1), &heirs, (1, 2)))),
            quick(reborn(sparse(blocks("blocks-reborn-holes", (1, 1), &heirs, (1, 1))))),
            reborn(sparse(blocks("blocks-reborn-beside", (1, 2), &heirs_beside, (1, 2)))),
            blocks("blocks-crowd", (2, 2), &crowd, (2, 2)),
            sparse(blocks("blocks-crowd-holes", (2, 2), &crowd, (2, 2))),
            sparse(blocks("blocks-movers-holes", (2, 2), &two_movers, (2, 2))),
            at_most_once(sparse(blocks("blocks-reapers-once", (2, 2), &reapers_receive, (2, 2)))),
        ]
    }

    fn title(&mut self) -> &mut Title<Mutant> {
        &mut self.title
    }

    fn without_invariants(self) -> Self {
        Self { invariants: false, ..self }
    }

    fn model(self) -> Blocks {
        Blocks::new(self)
    }
}
