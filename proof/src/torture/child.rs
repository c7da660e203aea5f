//! A process that is there to be killed: it attaches, sends or receives in many ways, detaches, and attaches again.

use std::sync::atomic::Ordering::{Relaxed, Release};
use std::time::Duration;

use ringway::Wait;
use ringway::queue::Queue;

use super::board::{Board, Carries, LANES, Seat};
use super::load::Load;
use super::message::{Random, Words};
use super::receiving::Receiving;
use super::sending::Sending;
use super::{Problem, locks, os};

/// What a process is told when it is started.
#[derive(Clone, Debug)]
pub struct Part {
    /// Where the board is.
    pub board: String,
    /// Who started it.
    pub parent: u32,
    /// Where it sits.
    pub seat: usize,
    /// How many seats are of senders; receivers come after them.
    pub senders: usize,
    /// How many seats are of receivers.
    pub receivers: usize,
    /// The queue.
    pub queue: String,
}

/// How a thread goes about its work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// As fast as it can.
    Eager,
    /// With a pause now and then.
    Paced,
    /// With a pause in the middle of each claim.
    Slow,
}

impl Style {
    /// Time passes, if this is the way to let it pass. It is work, not a wait for anything.
    pub fn work(self, random: &mut Random, in_claim: bool) {
        let pauses = match self {
            Style::Eager => false,
            Style::Paced => !in_claim && random.one_in(64),
            Style::Slow => in_claim || random.one_in(8),
        };
        if pauses {
            std::thread::sleep(Duration::from_micros(20 + random.below(100)));
        }
    }
}

impl Part {
    /// The words of a command line that say it.
    pub fn words(&self) -> [String; 6] {
        let Self { board, parent, seat, senders, receivers, queue } = self;
        let numbers = [parent.to_string(), seat.to_string()];
        let [parent, seat] = numbers;
        [board.clone(), parent, seat, senders.to_string(), receivers.to_string(), queue.clone()]
    }

    /// The part that `words` say.
    pub fn of(words: &[String]) -> Option<Self> {
        let [board, parent, seat, senders, receivers, queue] = words else { return None };
        Some(Self {
            board: board.clone(),
            parent: parent.parse().ok()?,
            seat: seat.parse().ok()?,
            senders: senders.parse().ok()?,
            receivers: receivers.parse().ok()?,
            queue: queue.clone(),
        })
    }

    /// Plays it until it has done enough, or everybody is to leave.
    pub fn play(&self) -> Result<(), Problem> {
        if !os::die_with(self.parent) {
            return Ok(());
        }
        if self.board == locks::BOARD {
            return locks::play(self);
        }
        let board = Board::open(&self.board)?;
        match board.carries() {
            Carries::Words => self.play_of::<Words>(board),
            Carries::Lengths => self.play_of::<[u8]>(board),
            Carries::Pipe => super::pipes::play(self, board),
        }
    }

    fn play_of<L>(&self, board: Board) -> Result<(), Problem>
    where
        L: Load + ?Sized,
        Queue<L>: Sync,
    {
        let seat = board.seat(self.seat);
        let mut random = Random::new(seat.seed.load(Relaxed));
        let stays = 1 + random.below(4);
        let first = seat.incarnation.load(Relaxed) << 16;
        for stay in 1..=stays {
            if board.is_leaving() {
                break;
            }
            self.stay::<L>(board, seat, first + stay, &mut random)?;
        }
        Ok(())
    }

    /// One attachment, with one thread or more.
    fn stay<L>(
        &self,
        board: Board,
        seat: &'static Seat,
        stay: u64,
        random: &mut Random,
    ) -> Result<(), Problem>
    where
        L: Load + ?Sized,
        Queue<L>: Sync,
    {
        let queue = attach::<L>(&self.queue, board.some_watch(), random)?;
        let own = queue
            .members()?
            .into_iter()
            .find(|member| member.is_alive() && member.pid() == std::process::id());
        let own = own.ok_or("this process is attached and not among the members")?;
        seat.member.store(own.id().index() as u64 + 1, Release);
        if seat.ready_at.load(Relaxed) == 0 {
            seat.ready_at.store(os::now(), Release);
        }
        let threads = if random.one_in(2) { 1 } else { LANES };
        // Most end by being killed.
        let operations =
            if random.one_in(4) { 1 << random.below(8) } else { 1 << random.below(22) };
        let seeds: Vec<u64> = (0..threads).map(|_| random.any()).collect();
        let is_sender = self.seat < self.senders;
        let role = (is_sender.then(|| queue.sender()), (!is_sender).then(|| queue.receiver()));
        board.arrive(self.seat, stay);
        let results = std::thread::scope(|scope| {
            let threads = seeds.into_iter().enumerate().map(|(lane, seed)| {
                let (queue, random) = (&queue, Random::new(seed));
                scope.spawn(move || {
                    if is_sender {
                        Sending::new(self, board, lane, stay, random).run(queue, operations)
                    } else {
                        Receiving::new(self, board, lane, random).run(queue, operations)
                    }
                })
            });
            let threads: Vec<_> = threads.collect();
            threads.into_iter().map(std::thread::ScopedJoinHandle::join).collect::<Vec<_>>()
        });
        board.depart(self.seat, stay);
        seat.member.store(0, Release);
        drop(role);
        results.into_iter().try_for_each(|done| done.unwrap_or(Err("a thread panicked".into())))
    }

    /// Which seats are of those that this one's operations wait for.
    pub fn others(&self) -> std::ops::Range<usize> {
        if self.seat < self.senders {
            self.senders..self.senders + self.receivers
        } else {
            0..self.senders
        }
    }
}

/// Gives the processor away after an operation that could not be: it is tried again, whatever happens meanwhile.
pub fn pause() {
    std::thread::sleep(Duration::from_micros(50));
}

/// An attachment with ways of its own.
fn attach<L: Load + ?Sized>(
    name: &str,
    some_watch: bool,
    random: &mut Random,
) -> Result<Queue<L>, Problem> {
    let wait = random.of(&[Wait::Park, Wait::SpinThenPark, Wait::SpinThenPark, Wait::Spin]);
    let recheck = random.of(&[1, 5, 20, 100, 100]);
    let options = L::options().wait(wait);
    let options = options.recheck(Duration::from_millis(recheck));
    let options = if some_watch && random.one_in(3) { options.watch() } else { options };
    Ok(options.open(name)?)
}
