//! What each session has from each object, as the counters show it, and who is told that a session has ended.

use std::sync::Mutex;
use std::thread::scope;
use std::time::Duration;

use ringway::manager::{
    Answer, Arguments, Caller, Client, Lease, LockError, Object, Proxy, Refusal, Running, Server,
    SessionId, inspect,
};

use super::{Gate, serve};
use crate::util::child::{Child, hear, say, state_of};
use crate::util::{LONG, Name, eventually, within};

/// Longer than a client that is killed takes to be gone, and what it had to come back.
const GONE: Duration = Duration::from_secs(20);

pub fn play(role: &str, arguments: &[&str]) {
    let client = Client::connect(arguments[0]).unwrap();
    match role {
        "hold three" => {
            let mutex = client.mutex("m").unwrap();
            let permits = client.permits("p", 2).unwrap();
            let _guard = mutex.lock().unwrap();
            let _permits = (permits.acquire().unwrap(), permits.acquire().unwrap());
            say("ready");
            hear();
        }
        "lock" => {
            let mutex = client.mutex("m").unwrap();
            let _guard = mutex.lock();
            say("has it");
            hear();
        }
        "get" => drop(client.queue::<u64>("q", None).unwrap().get()),
        _ => panic!("no such role"),
    }
}

fn child(role: &str, name: &Name) -> Child {
    Child::spawn(&format!("manager::leases::{role}"), &[name])
}

fn start(label: &str) -> (Name, Running, Client) {
    let name = Name::new(label);
    let server = serve(&name);
    let client = Client::connect(&name).unwrap();
    (name, server, client)
}

/// How much each session has, in the order in which they came.
fn by_session(name: &Name) -> Vec<u64> {
    let mut sessions = inspect(name).unwrap().sessions;
    sessions.sort_unstable_by_key(|session| session.session);
    sessions.iter().map(|session| session.counts.leases).collect()
}

/// How much there is in all, which must be what the objects have lent, and what the sessions have.
fn lent(name: &Name) -> u64 {
    let found = inspect(name).unwrap();
    let objects: u64 = found.objects.iter().map(|object| object.counts.leases).sum();
    let sessions: u64 = found.sessions.iter().map(|session| session.counts.leases).sum();
    assert_eq!((objects, sessions), (found.total.leases, found.total.leases), "{found:?}");
    found.total.leases
}

#[test]
fn what_each_lock_and_queue_lends_is_counted_and_back_to_nothing() {
    let (name, server, client) = start("lent");
    let seen = |expected| {
        assert_eq!(lent(&name), expected);
        assert_eq!(by_session(&name)[0], expected);
    };
    let (mutex, again) = (client.mutex("m").unwrap(), client.reentrant_mutex("r").unwrap());
    let (lock, permits) = (client.rwlock("l").unwrap(), client.permits("p", 3).unwrap());
    for _ in 0..2 {
        let guard = mutex.lock().unwrap();
        seen(1);
        let guards = (again.lock().unwrap(), again.lock().unwrap());
        seen(2);
        let read = lock.read().unwrap();
        seen(3);
        let permit = [permits.acquire().unwrap(), permits.acquire().unwrap()];
        seen(5);
        let parties = [client.barrier("b", 2).unwrap(), client.barrier("b", 2).unwrap()];
        seen(7);
        client.barrier("b", 2).unwrap_err();
        mutex.try_lock().unwrap_err();
        seen(7);
        drop((guards, permit, parties));
        guard.unlock().unwrap();
        seen(1);
        read.unlock().unwrap();
        seen(0);
        lock.write().unwrap().unlock().unwrap();
        seen(0);
    }
    let semaphore = client.semaphore("s", 1, 1).unwrap();
    semaphore.acquire().unwrap();
    let queue = client.queue::<u64>("q", None).unwrap();
    queue.put(&1).unwrap();
    assert_eq!(queue.get().unwrap(), 1);
    queue.len().unwrap();
    // What is taken is nobody's but the taker's.
    seen(0);
    drop((mutex, again, lock, permits, semaphore, queue, client));
    server.shutdown().unwrap();
}

#[test]
fn a_session_that_holds_three_things_and_is_killed_has_none() {
    let (name, server, client) = start("lent-killed");
    let (mutex, permits) = (client.mutex("m").unwrap(), client.permits("p", 2).unwrap());
    let holder = child("hold three", &name);
    holder.expect("ready");
    assert_eq!(by_session(&name), [0, 3]);
    assert_eq!(lent(&name), 3);
    holder.kill();
    assert!(eventually(GONE, || by_session(&name) == [0]), "{:?}", inspect(&name));
    assert_eq!(lent(&name), 0);
    assert_eq!(permits.available().unwrap(), 2);
    drop((mutex, permits, client));
    server.shutdown().unwrap();
}

/// It moves from who gave it back, or died, to who waited, though neither calls at that moment or is told.
#[test]
fn what_moves_to_who_waits_is_counted_for_that_one() {
    let (name, server, client) = start("lent-moves");
    let mutex = client.mutex("m").unwrap();
    let guard = mutex.lock().unwrap();
    let first = child("lock", &name);
    assert!(eventually(LONG, || mutex.waiting().unwrap() == 1));
    first.signal(libc::SIGSTOP);
    assert!(eventually(LONG, || state_of(first.pid()) == Some('T')));
    let second = child("lock", &name);
    assert!(eventually(LONG, || mutex.waiting().unwrap() == 2));
    assert_eq!(by_session(&name), [1, 0, 0]);
    guard.unlock().unwrap();
    assert_eq!(by_session(&name), [0, 1, 0], "it has it and does not know");
    first.kill();
    second.expect("has it");
    assert!(eventually(GONE, || by_session(&name) == [0, 1]), "{:?}", inspect(&name));
    scope(|scope| {
        let waits = scope.spawn(|| mutex.lock().map_err(LockError::without_guard).map(drop));
        assert!(eventually(LONG, || mutex.waiting().unwrap() == 1));
        second.kill();
        let outcome = within(GONE, || waits.join().unwrap());
        assert!(matches!(outcome, Err(LockError::OwnerDied(()))), "{outcome:?}");
    });
    assert!(eventually(GONE, || by_session(&name) == [0]));
    assert_eq!(lent(&name), 0);
    drop((mutex, client));
    server.shutdown().unwrap();
}

#[test]
fn an_item_in_the_hand_of_who_dies_is_lent_to_it_until_then() {
    let (name, server, client) = start("lent-item");
    let queue = client.queue::<u64>("q", None).unwrap();
    let getter = child("get", &name);
    assert!(eventually(LONG, || queue.getters().unwrap() == 1));
    getter.signal(libc::SIGSTOP);
    assert!(eventually(LONG, || state_of(getter.pid()) == Some('T')));
    queue.put(&1).unwrap();
    assert_eq!((lent(&name), by_session(&name)), (1, vec![0, 1]));
    getter.kill();
    assert!(eventually(GONE, || by_session(&name) == [0]));
    assert_eq!((lent(&name), queue.get().unwrap()), (0, 1));
    drop((queue, client));
    server.shutdown().unwrap();
}

fn gate(client: &Client, name: &str) -> Proxy {
    client.create_object::<Gate>(Some(name), &()).unwrap()
}

#[test]
fn what_an_object_that_goes_had_lent_is_nobodys() {
    let (name, server, client) = start("lent-gone");
    let (one, other) = (gate(&client, "one"), gate(&client, "other"));
    for gate in [&one, &other] {
        gate.call_with::<()>("enter", |_| Ok(())).unwrap();
    }
    assert_eq!((lent(&name), by_session(&name)), (2, vec![2]));
    drop(one);
    assert!(eventually(LONG, || inspect(&name).unwrap().objects.len() == 1));
    assert_eq!((lent(&name), by_session(&name)), (1, vec![1]));
    other.call::<()>("leave", &()).unwrap();
    assert_eq!((lent(&name), by_session(&name)), (0, vec![0]));
    drop((other, client));
    server.shutdown().unwrap();
}

#[test]
fn each_object_that_a_session_has_called_is_told_of_its_end_and_no_other() {
    let (name, server, client) = start("told");
    let gates = ["one", "two", "three"].map(|name| gate(&client, name));
    let others = [(); 3].map(|()| Client::connect(&name).unwrap());
    for round in 0..4u64 {
        for (number, other) in (0u64..).zip(&others) {
            // In changing order; whoever called an object is not who called it last.
            for step in 0..2 {
                let name = ["one", "two"][usize::from((round + number + step).is_multiple_of(2))];
                gate(other, name).call::<u64>("add", &1u64).unwrap();
            }
        }
    }
    drop(gate(&others[0], "three"));
    drop(others);
    assert!(eventually(GONE, || by_session(&name).len() == 1));
    let logs = gates.each_ref().map(|gate| gate.call::<Vec<String>>("log", &()).unwrap());
    let expected: [&[&str]; 3] = [&["left"; 3], &["left"; 3], &[]];
    assert_eq!(logs, expected);
    drop((gates, client));
    server.shutdown().unwrap();
}

/// Who asks at one of them is lent the pen of another.
#[derive(Default)]
struct Desk {
    pen: Option<Lease>,
}

static ASKED: Mutex<Option<SessionId>> = Mutex::new(None);

impl Object for Desk {
    const TYPE: &'static str = "desk";

    fn create(_: Arguments<'_>) -> Result<Self, Refusal> {
        Ok(Self::default())
    }

    fn call(
        &mut self,
        method: &str,
        _: Arguments<'_>,
        caller: &mut Caller<'_>,
    ) -> Result<Answer, Refusal> {
        let mut asked = ASKED.lock().unwrap();
        match method {
            "ask" => *asked = Some(caller.session()),
            _ => self.pen = asked.take().map(|to| caller.lend(to)),
        }
        Ok(Answer::nothing())
    }

    fn session_ended(&mut self, _: bool, caller: &mut Caller<'_>) {
        self.pen.take_if(|pen| pen.to() == caller.session());
    }
}

#[test]
fn an_object_that_lent_to_a_session_that_never_called_it_is_told_of_its_end() {
    let name = Name::new("told-lender");
    let mut server = Server::bind(&name).unwrap();
    server.register::<Desk>();
    let server = server.spawn();
    let [one, other] = [(); 2].map(|()| Client::connect(&name).unwrap());
    let desk = |client: &Client, at| client.create_object::<Desk>(Some(at), &()).unwrap();
    let lender = desk(&one, "lends");
    desk(&other, "asks").call::<()>("ask", &()).unwrap();
    lender.call::<()>("lend", &()).unwrap();
    assert_eq!((lent(&name), by_session(&name)), (1, vec![0, 1]));
    drop(other);
    assert!(eventually(GONE, || by_session(&name) == [0]));
    assert_eq!(lent(&name), 0);
    drop((lender, one));
    server.shutdown().unwrap();
}
