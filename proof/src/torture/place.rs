//! A seat as the parent sees it: the process that sits there, and how it ends.

use std::fs::File;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use std::time::{Duration, Instant};

use super::board::{Board, Lane, Seat};
use super::child::Part;
use super::ledger::{IN_DEAD_HAND, LAST_WORD, LEFT};
use super::message::Message;
use super::{Problem, os};

/// The byte of a segment's file that member 0 holds the lock of while it lives.
const LIVENESS_BYTE: u64 = 1 << 40;
/// How long the kernel may take to end a process.
const TEARDOWN: Duration = Duration::from_mins(1);

/// One kill.
#[derive(Clone, Copy, Debug)]
pub struct Kill {
    /// When the signal was sent.
    pub at: u64,
    /// When the kernel was seen to have let its lock go, if it was seen.
    pub released: Option<u64>,
    /// When its replacement was attached, if it was.
    pub replaced: Option<u64>,
}

/// What the dead may have had in hand without anybody's knowledge.
#[derive(Clone, Copy, Debug, Default)]
pub struct Remains {
    /// Messages that it may have claimed to receive, and not noted.
    pub untold: u64,
    /// Messages that may be gone with it.
    pub gone: u64,
    /// Messages that it may have claimed a place for, and that were not sent for certain.
    pub unsettled: u64,
}

/// Who sits at a seat.
#[derive(Debug)]
pub enum State {
    /// A process that goes.
    Going(Process),
    /// A process that was stopped, until when it is.
    Stopped(Process, u64),
    /// Nobody, until when.
    Empty(u64),
}

/// A process. Dropping it kills it.
#[derive(Debug)]
pub struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Process {
    fn start(part: &Part) -> Result<Self, Problem> {
        let mut command = Command::new(std::env::current_exe()?);
        command.args(["torture", "--play"]).args(part.words()).stdin(Stdio::null());
        Ok(Self(command.spawn()?))
    }

    fn signal(&self, signal: i32) -> Result<(), Problem> {
        os::signal(self.0.id(), signal)
    }
}

/// A seat.
#[derive(Debug)]
pub struct Place {
    part: Part,
    board: Board,
    /// Who sits there.
    pub state: State,
    /// The last kill at this seat, until it is replaced.
    pub killed: Option<usize>,
}

impl Place {
    /// An empty seat.
    pub fn new(part: Part, board: Board) -> Self {
        Self { part, board, state: State::Empty(0), killed: None }
    }

    fn seat(&self) -> &'static Seat {
        self.board.seat(self.part.seat)
    }

    /// Whether it is a sender's.
    pub fn is_sender(&self) -> bool {
        self.part.seat < self.part.senders
    }

    /// Lets a new process sit there, with choices of its own.
    pub fn fill(&mut self, seed: u64) -> Result<(), Problem> {
        let seat = self.seat();
        seat.seed.store(seed, Relaxed);
        seat.incarnation.fetch_add(1, Release);
        self.state = State::Going(Process::start(&self.part)?);
        Ok(())
    }

    /// When its process was first attached.
    pub fn ready_at(&self) -> Option<u64> {
        Some(self.seat().ready_at.load(Acquire)).filter(|time| *time != 0)
    }

    fn process(&mut self) -> Option<&mut Process> {
        match &mut self.state {
            State::Going(process) | State::Stopped(process, _) => Some(process),
            State::Empty(_) => None,
        }
    }

    /// Whether its process has just ended as it should.
    pub fn has_ended(&mut self) -> Result<bool, Problem> {
        let number = self.part.seat;
        let Some(process) = self.process() else { return Ok(false) };
        match process.0.try_wait()? {
            None => Ok(false),
            Some(status) if status.success() => {
                self.clear();
                Ok(true)
            }
            Some(status) => Err(Problem(format!("the process at seat {number} ended: {status}"))),
        }
    }

    /// Stops its process until `until`.
    pub fn stop(&mut self, until: u64) -> Result<(), Problem> {
        if let State::Going(process) = std::mem::replace(&mut self.state, State::Empty(0)) {
            process.signal(libc::SIGSTOP)?;
            self.state = State::Stopped(process, until);
        }
        Ok(())
    }

    /// Lets its process go on.
    pub fn go_on(&mut self) -> Result<(), Problem> {
        match std::mem::replace(&mut self.state, State::Empty(0)) {
            State::Stopped(process, _) => {
                process.signal(libc::SIGCONT)?;
                self.state = State::Going(process);
            }
            other => self.state = other,
        }
        Ok(())
    }

    /// Kills its process and sees what it was about. `segment` is the queue's file.
    pub fn kill(&mut self, segment: &File) -> Result<(Kill, Remains), Problem> {
        self.board.doom(self.part.seat);
        let seat = self.seat();
        let Some(process) = self.process() else { return Err("nobody to kill".into()) };
        let member = seat.member.load(Acquire);
        let at = os::now();
        process.signal(libc::SIGKILL)?;
        let released = member.checked_sub(1).map(|member| released(segment, member)).transpose()?;
        let began = Instant::now();
        while process.0.try_wait()?.is_none() {
            if began.elapsed() > TEARDOWN {
                return Err("the kernel does not end a process that was killed".into());
            }
            std::thread::yield_now();
        }
        // If it has changed, another member's lock was watched.
        let released = released.flatten().filter(|_| seat.member.load(Acquire) == member);
        let remains = if self.is_sender() { self.bury_sender() } else { self.bury_receiver() };
        self.clear();
        Ok((Kill { at, released, replaced: None }, remains))
    }

    /// What a dead sender was in the middle of may have been sent or not.
    fn bury_sender(&self) -> Remains {
        let mut remains = Remains::default();
        for lane in &self.seat().lanes {
            let (first, count) = (lane.first.load(Relaxed), lane.armed.load(Relaxed));
            (first..first + count).for_each(|id| self.board.ledger().note(id, LEFT));
            remains.unsettled += count;
        }
        remains
    }

    fn bury_receiver(&self) -> Remains {
        let mut remains = Remains::default();
        for lane in &self.seat().lanes {
            let (armed, blind) = (lane.armed.load(Relaxed), lane.blind.load(Relaxed) != 0);
            remains.untold += armed;
            remains.gone += match () {
                () if self.board.at_most_once() => armed,
                () => u64::from(armed > 0 && blind),
            };
            self.bury_hand(lane);
        }
        remains
    }

    fn bury_hand(&self, lane: &Lane) {
        let (ledger, key) = (self.board.ledger(), self.board.key());
        for message in lane.hand().iter().filter_map(|words| Message::read(words, key)) {
            ledger.note(message.id, IN_DEAD_HAND);
        }
        if let Some(id) = lane.acknowledging.load(Relaxed).checked_sub(1) {
            ledger.note(id, LAST_WORD);
        }
    }

    /// The seat is as if nobody had sat there. What is counted goes on.
    fn clear(&mut self) {
        self.state = State::Empty(0);
        let seat = self.seat();
        seat.member.store(0, Relaxed);
        seat.ready_at.store(0, Relaxed);
        seat.lanes.iter().for_each(Lane::clear);
        self.board.vacate(self.part.seat);
    }
}

/// When the lock of `member` was seen free; nothing if it was not for long, since another has the number by then.
fn released(segment: &File, member: u64) -> Result<Option<u64>, Problem> {
    let began = Instant::now();
    while began.elapsed() < Duration::from_millis(200) {
        if !os::is_locked(segment, LIVENESS_BYTE + member)? {
            return Ok(Some(os::now()));
        }
        // The processor is for others: they are what is watched.
        std::thread::sleep(Duration::from_micros(20));
    }
    Ok(None)
}
