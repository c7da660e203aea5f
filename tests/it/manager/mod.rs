//! The manager: objects that a server owns and clients in other processes use.

mod bad;
mod calls;
mod counters;
mod deaths;
mod hostile;
mod leases;
mod locks;
mod locks_deaths;
mod model;
mod nested;
mod objects_bad;
mod queue;
mod queue_deaths;
mod scarce;
mod shapes;
mod shared;
mod turns;

use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering::SeqCst};

use ringway::manager::{
    Answer, Arguments, Caller, Lease, Object, Refusal, Running, Server, SessionId, Ticket, inspect,
};

use crate::util::{LONG, Name, eventually, listing};

pub fn play(role: &str, arguments: &[&str]) {
    match role.split_once("::") {
        Some(("counters", role)) => counters::play(role, arguments),
        Some(("deaths", role)) => deaths::play(role, arguments),
        Some(("leases", role)) => leases::play(role, arguments),
        Some(("locks_deaths", role)) => locks_deaths::play(role, arguments),
        Some(("queue_deaths", role)) => queue_deaths::play(role, arguments),
        Some(("scarce", role)) => scarce::play(role, arguments),
        Some(("nested", role)) => nested::play(role, arguments),
        Some(("shared", role)) => shared::play(role, arguments),
        Some(("turns", role)) => turns::play(role, arguments),
        _ => panic!("no role {role}"),
    }
}

/// A server of that name in a thread of its own, with all types of these tests.
fn serve(name: &Name) -> Running {
    let mut server = Server::bind(name).unwrap();
    register(&mut server);
    server.spawn()
}

/// How many sessions and objects there are, calls that wait, and leases, by the counters.
fn counts(name: &Name) -> (usize, usize, u64, u64) {
    let found = inspect(name).unwrap();
    let objects = &found.objects;
    let waiting = objects.iter().map(|object| object.counts.waiting).sum();
    let leases = objects.iter().map(|object| object.counts.leases).sum();
    (found.sessions.len(), objects.len(), waiting, leases)
}

/// What has a name in shared memory that begins so.
fn left(name: &str) -> Vec<String> {
    let names = listing(Path::new("/dev/shm")).into_iter();
    let names = names.filter_map(|file| Some(file.strip_prefix("ringway.default.")?.to_owned()));
    names.filter(|file| file.starts_with(name)).collect()
}

fn register(server: &mut Server) {
    server.register::<Gate>();
}

/// How many sessions there are, asked in the middle of whatever the server does; and a call that lasts until its test says so.
struct Attendance {
    server: String,
    stage: usize,
}

/// Of each test that has such a call: 1 once it has begun, 2 once it may end.
static STAGES: [AtomicU32; 5] = [const { AtomicU32::new(0) }; 5];

impl Attendance {
    fn set(stage: usize, to: u32) {
        STAGES[stage].store(to, SeqCst);
    }

    fn reach(stage: usize, at: u32) {
        assert!(eventually(LONG, || STAGES[stage].load(SeqCst) == at));
    }
}

impl Object for Attendance {
    const TYPE: &'static str = "attendance";

    fn create(mut arguments: Arguments<'_>) -> Result<Self, Refusal> {
        let (server, stage) = arguments.read()?;
        Ok(Self { server, stage })
    }

    fn call(
        &mut self,
        method: &str,
        _: Arguments<'_>,
        _: &mut Caller<'_>,
    ) -> Result<Answer, Refusal> {
        if method == "last" {
            Self::set(self.stage, 1);
            Self::reach(self.stage, 2);
        }
        Answer::value(&inspect(&self.server).unwrap().sessions.len())
    }
}

/// A turn that one has at a time, and what a test wants to see of the server's side.
#[derive(Default)]
struct Gate {
    /// Whose turn it is, once the answer was taken.
    owner: Option<SessionId>,
    /// Whose turn it is, if the answer is.
    granted: Option<Ticket>,
    waiting: Vec<(Ticket, SessionId)>,
    /// Of whose turn it is.
    lease: Option<Lease>,
    log: Vec<String>,
    count: u64,
}

impl Gate {
    fn pass_on(&mut self, caller: &mut Caller<'_>) {
        while self.owner.is_none() && self.granted.is_none() && !self.waiting.is_empty() {
            let (next, session) = self.waiting.remove(0);
            self.lease = Some(caller.lend(session));
            if caller.answer(next, Ok(Answer::nothing().needs_ack())) {
                self.granted = Some(next);
            } else {
                self.lease = None;
            }
        }
    }
}

impl Object for Gate {
    const TYPE: &'static str = "gate";

    fn create(arguments: Arguments<'_>) -> Result<Self, Refusal> {
        arguments.finish()?;
        Ok(Self::default())
    }

    fn call(
        &mut self,
        method: &str,
        mut arguments: Arguments<'_>,
        caller: &mut Caller<'_>,
    ) -> Result<Answer, Refusal> {
        match method {
            "enter" if self.owner.is_none() && self.granted.is_none() => {
                self.granted = Some(caller.ticket());
                self.lease = Some(caller.lend(caller.session()));
                Ok(Answer::nothing().needs_ack())
            }
            "enter" => {
                self.waiting.push((caller.ticket(), caller.session()));
                Ok(Answer::later())
            }
            "leave" => {
                (self.owner, self.lease) = (None, None);
                self.pass_on(caller);
                Ok(Answer::nothing())
            }
            "log" => Answer::value(&self.log),
            "waiting" => Answer::value(&self.waiting.len()),
            "add" => {
                let more: u64 = arguments.read()?;
                arguments.finish()?;
                self.count += more;
                Answer::value(&self.count)
            }
            "echo" => {
                let value = arguments.value()?;
                arguments.finish()?;
                Ok(Answer::stored(&value))
            }
            "panic" => panic!("as it was asked to"),
            "refuse" => Err(Refusal::Object(7, "it is shut".to_owned())),
            _ => Err(Refusal::UnknownMethod(method.to_owned())),
        }
    }

    fn cancel(&mut self, caller: &mut Caller<'_>) {
        self.waiting.retain(|(ticket, _)| *ticket != caller.ticket());
        self.log.push("cancelled".to_owned());
    }

    fn acknowledged(&mut self, caller: &mut Caller<'_>) {
        assert_eq!(self.granted.take(), Some(caller.ticket()));
        self.owner = Some(caller.session());
    }

    fn undo(&mut self, caller: &mut Caller<'_>) {
        assert_eq!(self.granted.take(), Some(caller.ticket()));
        self.lease = None;
        self.log.push("undone".to_owned());
        self.pass_on(caller);
    }

    fn session_ended(&mut self, died: bool, caller: &mut Caller<'_>) {
        self.log.push(if died { "died".to_owned() } else { "left".to_owned() });
        if died && self.owner == Some(caller.session()) {
            (self.owner, self.lease) = (None, None);
            self.pass_on(caller);
        }
    }
}
