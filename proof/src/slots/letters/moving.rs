//! The steps of a thread in two rings, and what has to be true of what it moved.

use super::super::again::Again;
use super::super::consumer::{Batch, Receive};
use super::super::edges::small;
use super::super::memory::Memory;
use super::super::mutants::Mutant;
use super::super::producer::Send;
use super::super::state::{At, Fate, Thread};
use super::super::{Step as RingStep, choices, step_thread};
use super::{Both, Letters, Moving, Scene, Step, begin_to_move};
use crate::explore::Move;

const QUEUE: usize = 0;
const LETTERS: usize = 1;

impl Letters {
    /// What thread `me` may do next: in both rings, unless it moves something.
    pub(super) fn thread_moves(&self, both: &Both, me: usize, moves: &mut Vec<Move<Self>>) {
        if both.moves.under_way[me] == Some(Moving::Acknowledges) {
            let mut scene = self.scene(both);
            scene.leave_queue(me);
            scene.both.moves.under_way[me] = None;
            moves.push(scene.done(Step::Acknowledge { me }, false));
            return;
        }
        let moves_something = both.moves.under_way[me].is_some();
        for ring in [QUEUE, LETTERS] {
            let memory = Memory::new(&self.config.rings[ring], &both.rings[ring]);
            let all = if moves_something && ring == QUEUE { 0 } else { choices(&memory, me) };
            for choice in 0..all {
                let mut scene = self.scene(both);
                match ring {
                    QUEUE => scene.step_in_queue(me, choice),
                    _ => scene.step_in_letters(me, choice),
                }
                let step = RingStep::Thread { me, choice };
                moves.push(scene.done(Step::In(ring, step), false));
            }
        }
    }

    /// What has left the queue is complete among the dead letters, and there once for each time that somebody may have
    /// moved it.
    pub(super) fn check_moves(&self, both: &Both) -> Result<(), String> {
        let [queue, letters] = &both.rings;
        let deaths = self.config.rings[QUEUE].crashes - queue.ghost.crashes;
        for offset in 0..both.moves.letters.len() {
            let of_it = |(claim, letter): (usize, &Option<u8>)| {
                let fate = letters.ghost.fates[claim];
                let complete = !matches!(fate, Fate::Writing(_) | Fate::Aborted | Fate::GivenBack);
                let complete = complete && !matches!(fate, Fate::Skipped(_));
                *letter == Some(small(offset)) && complete
            };
            let complete = both.moves.letters.iter().enumerate().filter(|one| of_it(*one)).count();
            if both.moves.gone & 1 << offset != 0 && complete == 0 {
                return Err("a message left the queue and is no dead letter".into());
            }
            if complete > 1 + usize::from(deaths) {
                return Err("a message is a dead letter more often than somebody died".into());
            }
        }
        Ok(())
    }
}

impl Scene<'_> {
    /// A step in the queue. Whoever took a message again that was delivered often enough is about to move it.
    fn step_in_queue(&mut self, me: usize, choice: u8) {
        let before = self.both.rings[QUEUE].threads[me].at;
        self.within(QUEUE, |memory| step_thread(memory, me, choice));
        let At::Receive(Receive::Again(Again::Take { .. })) = before else { return };
        let Some(batch) = self.in_hand(me) else { return };
        if batch.word.tries() < self.config.limit {
            return;
        }
        self.both.moves.under_way[me] = Some(Moving::Copies(batch.first));
        let handle = self.config.rings[LETTERS].threads[me].handle;
        begin_to_move(&mut self.both.rings[LETTERS], handle, me);
        if self.config.is(Mutant::AcknowledgeFirst) {
            self.leave_queue(me);
        }
    }

    /// What thread `me` has just taken.
    fn in_hand(&self, me: usize) -> Option<Batch> {
        match self.both.rings[QUEUE].threads[me].at {
            At::Receive(Receive::Read { batch }) => Some(batch),
            _ => None,
        }
    }

    /// The message that `me` moved is acknowledged.
    fn leave_queue(&mut self, me: usize) {
        let Some(batch) = self.in_hand(me) else { return };
        let offset = self.within(QUEUE, |memory| {
            memory.state.threads[me].at = At::Receive(Receive::Finish { batch });
            step_thread(memory, me, 0);
            memory.offset(batch.first)
        });
        self.both.moves.gone |= 1 << offset;
    }

    /// A step among the dead letters, which may be one of moving.
    fn step_in_letters(&mut self, me: usize, choice: u8) {
        let before = self.both.rings[LETTERS].threads[me].at;
        let tail = self.both.rings[LETTERS].shared.tail().position();
        self.within(LETTERS, |memory| step_thread(memory, me, choice));
        let Some(Moving::Copies(position)) = self.both.moves.under_way[me] else { return };
        if self.both.rings[LETTERS].shared.tail().position() != tail {
            let offset = self.within(QUEUE, |memory| memory.offset(position));
            let claim = self.within(LETTERS, |memory| memory.offset(tail));
            self.both.moves.letters[claim] = Some(small(offset));
        }
        let now = self.both.rings[LETTERS].threads[me].at;
        match (before, now) {
            // The copy of one half.
            (At::Send(Send::Write { half, .. }), _) => self.read_again(me, position, half),
            (At::Send(Send::ReadTailAgain { .. }), At::Send(Send::Begin)) => self.has_no_room(me),
            (_, At::Rest) => self.both.moves.under_way[me] = self.after_copy(me),
            _ => {}
        }
    }

    /// What is copied is the message that the slot of the queue holds, which is still in these hands.
    fn read_again(&mut self, me: usize, position: u64, half: u8) {
        if self.in_hand(me).is_some() {
            self.within(QUEUE, |memory| {
                let (read, offset) =
                    (memory.read(position, half.into(), me), memory.offset(position));
                memory.rule(read == small(offset) + 1, "what is moved is not the message");
            });
        }
    }

    /// The message is delivered once more instead.
    fn has_no_room(&mut self, me: usize) {
        self.both.rings[LETTERS].threads[me] = Thread { left: 0, at: At::Rest };
        let drops = self.config.is(Mutant::LetterDropped);
        self.both.moves.under_way[me] = drops.then_some(Moving::Acknowledges);
    }

    fn after_copy(&self, me: usize) -> Option<Moving> {
        self.in_hand(me).map(|_| Moving::Acknowledges)
    }
}
