//! Who starts the processes of a torture, kills, stops and replaces them, and ends a round.

use std::fs::{File, OpenOptions};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use ringway::queue::{DeliveryPolicy, Growth, Queue};

use super::account::{self, Count, Tally};
use super::board::{Board, MESSAGES};
use super::child::Part;
use super::ending::{self, Name};
use super::figures::Figures;
use super::load::Load;
use super::message::{Random, Words, mixed};
use super::place::{Kill, Place, State};
use super::{Options, Problem, os};

const MS: u64 = 1_000_000;
/// So long nothing at all is received only if something is wrong; and so long those may take who were asked to leave.
const HANG: Duration = Duration::from_nanos(HANG_NS);
const HANG_NS: u64 = 20_000 * MS;
/// A round at most.
const ROUND: Duration = Duration::from_secs(6);
/// Capacities of the rounds, where none is asked for.
const SLOTS: [usize; 6] = [64, 4, 1024, 1, 16, 2];
/// What rounds are like, in turn.
const MODES: [Mode; 3] = [Mode::Prompt, Mode::Late, Mode::Watched];

/// How the dead are found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    /// They are replaced at once: by the replacement, at the latest.
    Prompt,
    /// Often they are not for a while: by those who wait for them.
    Late,
    /// The same, and somebody watches.
    Watched,
}

impl Mode {
    fn text(self) -> &'static str {
        match self {
            Mode::Prompt => "The dead are replaced at once",
            Mode::Late => "The dead are replaced late",
            Mode::Watched => "The dead are replaced late, and somebody watches",
        }
    }
}

/// Tortures for as long as `options` say, and reports.
pub fn run(options: &Options) -> Result<(), Problem> {
    if options.large { run_of::<[u8]>(options) } else { run_of::<Words>(options) }
}

fn run_of<L: Load + ?Sized>(options: &Options) -> Result<(), Problem> {
    os::catch_interrupts();
    let seed = options.seed.unwrap_or_else(|| mixed(os::now() ^ u64::from(std::process::id())));
    println!("torture: seed {seed}");
    ending::remove_stale_names::<L>()?;
    let (board, file) = Board::create()?;
    let mut random = Random::new(seed);
    let mut tally = Tally::default();
    let mut figures = MODES.map(|_| Figures::default());
    let (length, end) = (options.length(), Instant::now() + options.length());
    for number in 0.. {
        let left = end.saturating_duration_since(Instant::now());
        if left.is_zero() {
            break;
        }
        // Each kind once at least, and no stub of a round at the end.
        let length = ROUND.min(length / 3);
        let length = if left < length * 3 / 2 { left } else { length };
        let key = random.any() | 1;
        board.clear(&file, key, options.at_most_once, options.watch, L::CARRIES)?;
        let mut round = Round::<L>::new(options, board, &file, number, random.any())?;
        let outcome = round.run(length).and_then(|()| round.finish());
        outcome.and_then(|()| account::check(board, &mut round.tally)).map_err(|problem| {
            Problem(format!(
                "round {number}, {} slots: {}{}",
                round.slots,
                problem.0,
                faults(board)
            ))
        })?;
        figures[number % MODES.len()].add(&round.kills, &board.stalls().0);
        tally.add(&round.tally);
    }
    println!("{tally}");
    for (mode, figures) in MODES.iter().zip(figures) {
        println!(
            "{}:
{figures}",
            mode.text()
        );
    }
    Ok(())
}

/// The faults that were told, one a line.
pub fn faults(board: Board) -> String {
    let (faults, count) = board.faults();
    let lines =
        faults.iter().take(16).fold(String::new(), |lines, told| lines + &format!("\n  {told}"));
    if count == 0 { lines } else { format!("{lines}\n  {count} faults in all") }
}

/// One queue, its processes, and what was done to them.
struct Round<'o, L: Load + ?Sized> {
    /// First, so that they are gone when the name goes.
    places: Vec<Place>,
    options: &'o Options,
    board: Board,
    name: Name<L>,
    mode: Mode,
    slots: usize,
    queue: Queue<L>,
    /// Messages that it may hold, as large as it may be.
    room: u64,
    segment: File,
    random: Random,
    kills: Vec<Kill>,
    tally: Tally,
}

impl<'o, L: Load + ?Sized> Round<'o, L> {
    fn new(
        options: &'o Options,
        board: Board,
        file: &File,
        number: usize,
        seed: u64,
    ) -> Result<Self, Problem> {
        let mut random = Random::new(seed);
        let mode = MODES[number % MODES.len()];
        let slots =
            options.slots.unwrap_or_else(|| if number == 0 { SLOTS[0] } else { random.of(&SLOTS) });
        let policy = if options.at_most_once {
            DeliveryPolicy::AtMostOnce
        } else {
            DeliveryPolicy::AtLeastOnce
        };
        let name = Name::new(format!("{}-{number}", std::process::id()));
        let making = L::made(L::options().capacity(slots), &mut random);
        let making = if mode == Mode::Watched { making.watch() } else { making };
        // Messages that are dropped once too often go elsewhere.
        let letters = !options.at_most_once && mode != Mode::Prompt;
        let making = if letters { making.dead_letters(2, L::LETTERS) } else { making };
        // Often more than it grows to while all are there, and often less.
        let limit = (slots as u64) * (2 + random.below(64));
        let making = if options.growing { making.growth(Growth::Messages(limit)) } else { making };
        let queue = making.delivery(policy).create(&name.0)?;
        let room = if options.growing { limit } else { queue.capacity() as u64 };
        let path = PathBuf::from(format!("/dev/shm/ringway.{}.{}", L::NAMESPACE, name.0));
        let segment = OpenOptions::new().read(true).write(true).open(path)?;
        let (senders, receivers) = (options.producers.into(), options.consumers.into());
        let part = |seat| Part {
            board: Board::path(file),
            parent: std::process::id(),
            seat,
            senders,
            receivers,
            queue: name.0.clone(),
        };
        let places = (0..senders + receivers).map(|seat| Place::new(part(seat), board)).collect();
        let (kills, tally) = (Vec::new(), Tally::default());
        Ok(Self {
            places,
            options,
            board,
            name,
            mode,
            slots,
            queue,
            room,
            segment,
            random,
            kills,
            tally,
        })
    }

    /// Kills, stops and replaces for `length`, or until the ledger is nearly full.
    fn run(&mut self, length: Duration) -> Result<(), Problem> {
        let began = Instant::now();
        let (mut kill_at, mut stop_at) = (os::now() + 100 * MS, os::now() + 150 * MS);
        while began.elapsed() < length && self.board.numbers() < MESSAGES / 16 * 15 {
            self.look()?;
            self.replace()?;
            let now = os::now();
            if now >= kill_at {
                kill_at = now + self.random.below(24 * MS);
                self.kill_somebody()?;
            }
            if now >= stop_at && !self.options.no_stop {
                stop_at = now + self.random.below(100 * MS);
                self.stop_somebody()?;
            }
            // How often it looks, not what it waits for.
            std::thread::sleep(Duration::from_micros(500));
        }
        Ok(())
    }

    /// Whether all is well so far.
    fn look(&mut self) -> Result<(), Problem> {
        if os::was_interrupted() {
            return Err("interrupted".into());
        }
        if self.board.faults().1 > 0 {
            return Err("a promise was broken".into());
        }
        let last = self.board.last_receipt();
        if last != 0 && os::now().saturating_sub(last) > HANG_NS {
            return Err(Problem(format!("nothing is received any more: {}", self.scene())));
        }
        Ok(())
    }

    /// Ends and new beginnings that are due.
    fn replace(&mut self) -> Result<(), Problem> {
        for place in &mut self.places {
            if place.has_ended()? {
                self.tally[Count::Ends] += 1;
            }
            if let (Some(kill), Some(ready_at)) = (place.killed, place.ready_at()) {
                self.kills[kill].replaced = Some(ready_at);
                place.killed = None;
            }
            match place.state {
                State::Empty(until) if os::now() >= until => place.fill(self.random.any())?,
                State::Stopped(_, until) if os::now() >= until => place.go_on()?,
                _ => {}
            }
        }
        Ok(())
    }

    /// One of those that there are.
    fn somebody(&mut self) -> Option<usize> {
        let occupied = |place: &Place| !matches!(place.state, State::Empty(_));
        let all: Vec<usize> =
            (0..self.places.len()).filter(|seat| occupied(&self.places[*seat])).collect();
        (!all.is_empty()).then(|| self.random.of(&all))
    }

    fn kill_somebody(&mut self) -> Result<(), Problem> {
        let Some(seat) = self.somebody() else { return Ok(()) };
        let pause = match self.random.below(8) {
            _ if self.mode == Mode::Prompt => 0,
            0..4 => 0,
            4..7 => self.random.below(20 * MS),
            _ => self.random.below(200 * MS),
        };
        self.kill(seat, pause)
    }

    /// Kills who sits at `seat`, which stays empty for `pause`.
    fn kill(&mut self, seat: usize, pause: u64) -> Result<(), Problem> {
        let place = &mut self.places[seat];
        self.tally[Count::StoppedKills] += u64::from(matches!(place.state, State::Stopped(..)));
        let (kill, remains) = place.kill(&self.segment)?;
        place.state = State::Empty(os::now() + pause);
        place.killed = Some(self.kills.len());
        let role = if place.is_sender() { Count::SenderKills } else { Count::ReceiverKills };
        self.tally[role] += 1;
        self.tally[Count::Untold] += remains.untold;
        self.tally[Count::MayBeGone] += remains.gone;
        self.tally[Count::Unsettled] += remains.unsettled;
        self.kills.push(kill);
        Ok(())
    }

    fn stop_somebody(&mut self) -> Result<(), Problem> {
        let Some(seat) = self.somebody() else { return Ok(()) };
        if matches!(self.places[seat].state, State::Going(_)) {
            self.tally[Count::Stops] += 1;
            let until = os::now() + 1 + self.random.below(150 * MS);
            self.places[seat].stop(until)?;
        }
        Ok(())
    }

    /// Everybody goes; what is left is received; everything is as new.
    fn finish(&mut self) -> Result<(), Problem> {
        for place in &mut self.places {
            place.go_on()?;
        }
        match self.random.below(3) {
            // Receivers have to find out that no sender is left, without being told by one that leaves.
            0 => {
                self.board.ask_to_leave();
                self.kill_all(Place::is_sender)?;
                self.wait_until_empty(0)?;
            }
            1 => {
                self.board.ask_to_leave();
                let victims = self.random.below(3);
                self.wait_until_empty(victims)?;
            }
            _ => self.kill_all(|_| true)?,
        }
        let (queue, name) = (&self.queue, &self.name.0);
        let library = ending::settle(queue, name, &self.segment, self.room, self.board)?;
        self.tally.hear(&library);
        self.look()
    }

    fn kill_all(&mut self, is_one: impl Fn(&Place) -> bool) -> Result<(), Problem> {
        for seat in 0..self.places.len() {
            let place = &self.places[seat];
            if is_one(place) && !matches!(place.state, State::Empty(_)) {
                self.kill(seat, 0)?;
            }
        }
        Ok(())
    }

    /// Waits until everybody who was asked to leave has; so many `victims` are killed on their way.
    fn wait_until_empty(&mut self, mut victims: u64) -> Result<(), Problem> {
        let began = Instant::now();
        while self.places.iter().any(|place| !matches!(place.state, State::Empty(_))) {
            self.look()?;
            for place in &mut self.places {
                self.tally[Count::Ends] += u64::from(place.has_ended()?);
            }
            if let (1.., Some(seat)) = (victims, self.somebody()) {
                victims -= 1;
                self.kill(seat, 0)?;
            }
            if began.elapsed() > HANG {
                return Err(Problem(format!("somebody cannot leave: {}", self.scene())));
            }
            std::thread::sleep(Duration::from_micros(500));
        }
        Ok(())
    }

    /// What a hang looks like.
    fn scene(&self) -> String {
        let states = self.places.iter().map(|place| match place.state {
            State::Going(_) => 'g',
            State::Stopped(..) => 's',
            State::Empty(_) => '-',
        });
        let states: String = states.collect();
        format!("{:?}, seats {states}, members {:?}", self.queue, self.queue.members())
    }
}
