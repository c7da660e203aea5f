//! A process that takes something into its hands and is killed: this program again, with a role.

use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::channel;
use std::time::Duration;

use ringway::pipe::Connection;
use ringway::queue::Queue;

use super::os;

/// Says in a child process what it plays.
const ROLE: &str = "RINGWAY_VICTIM";

/// What a victim has when it dies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Only the role of a sender.
    Sender,
    /// The same, in a process that watches for the death of others itself.
    WatchingSender,
    /// Only the role of a receiver.
    Receiver,
    /// The other end of a pipe.
    PipeEnd,
    /// The next place, reserved and not committed.
    Grant,
    /// The first message, taken and not acknowledged.
    Delivery,
    /// [`HELD`] messages and as many places.
    Hoard,
}

/// How many messages, and places, a hoarding victim has.
pub const HELD: usize = 4;

const ROLES: [Role; 7] = [
    Role::Sender,
    Role::WatchingSender,
    Role::Receiver,
    Role::PipeEnd,
    Role::Grant,
    Role::Delivery,
    Role::Hoard,
];

/// A process that has its role and waits to be killed. Dropping it kills it.
#[derive(Debug)]
pub struct Victim {
    process: Child,
    /// Its number in the channel.
    pub member: u64,
}

impl Victim {
    /// Starts a process of `role` in the channel `name` and waits until it has what it is to have.
    pub fn start(role: Role, name: &str) -> Self {
        let mut command = Command::new(std::env::current_exe().expect("this program"));
        command.env(ROLE, format!("{} {name}", role as usize));
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut victim = Self { process: command.spawn().expect("a child process"), member: 0 };
        let output = victim.process.stdout.take().expect("piped");
        let (said, line) = channel();
        std::thread::spawn(move || said.send(BufReader::new(output).lines().next()));
        let line = line.recv_timeout(Duration::from_secs(10)).expect("the victim says something");
        let line = line.expect("the victim lives").expect("text");
        victim.member = line.parse().expect("the victim's number");
        victim
    }

    /// Sends SIGKILL and does not wait.
    pub fn strike(&mut self) {
        self.process.kill().expect("a child of ours");
    }
}

impl Drop for Victim {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Plays the victim, if this process was started for that. To be called first in `main`.
pub fn play_if_asked() -> bool {
    let Ok(text) = std::env::var(ROLE) else { return false };
    os::die_with_parent();
    let (number, name) = text.split_once(' ').expect("a role and a name");
    let role = ROLES[number.parse::<usize>().expect("a role's number")];
    if role == Role::PipeEnd {
        let connection = Connection::options().open(name).expect("the pipe");
        wait_for_death(own_number(&connection.members().expect("the locks are seen")));
        return true;
    }
    let options = Queue::<u64>::options();
    let options = if role == Role::WatchingSender { options.watch() } else { options };
    let queue = options.open(name).expect("the queue");
    let own = own_number(&queue.members().expect("the locks are seen"));
    let (sender, receiver) = match role {
        Role::Sender | Role::WatchingSender | Role::Grant => (Some(queue.sender()), None),
        Role::Receiver | Role::Delivery => (None, Some(queue.receiver())),
        Role::PipeEnd | Role::Hoard => (Some(queue.sender()), Some(queue.receiver())),
    };
    let count = match role {
        Role::Grant | Role::Delivery => 1,
        Role::Hoard => HELD,
        _ => 0,
    };
    let reserve = |_| sender.as_ref().map(|sender| sender.try_reserve().expect("room"));
    let take = |_| receiver.as_ref().map(|receiver| receiver.try_recv_guard().expect("a message"));
    let _places: Vec<_> = (0..count).filter_map(reserve).collect();
    let _messages: Vec<_> = (0..count).filter_map(take).collect();
    wait_for_death(own);
    true
}

fn own_number(members: &[ringway::Member]) -> usize {
    let own = |member: &&ringway::Member| member.is_alive() && member.pid() == std::process::id();
    members.iter().find(own).expect("attached").id().index()
}

fn wait_for_death(number: usize) {
    println!("{number}");
    std::io::stdout().flush().expect("somebody listens");
    // Nobody ever says anything: it ends with whoever holds the other end.
    let _ = std::io::stdin().read(&mut [0]);
}
