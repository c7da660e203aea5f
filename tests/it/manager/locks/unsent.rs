//! What is given back, and who stops waiting, while the server cannot even be asked.

use std::thread::scope;

use ringway::manager::{CallError, Client, LockError, Refusal, Running, Server};

use super::super::Attendance;
use super::SHORT;
use crate::util::{LONG, Name, PROMPT, eventually};

/// Two clients of a server that takes no connection beyond one for each of their calls.
struct Scene {
    _name: Name,
    server: Running,
    clients: [Client; 2],
}

impl Scene {
    fn new(label: &str) -> Self {
        let name = Name::new(label);
        let server = Server::options().max_connections(4).bind(&name).unwrap().spawn();
        let clients = [(); 2].map(|()| Client::connect(&name).unwrap());
        Self { _name: name, server, clients }
    }

    fn each<T>(&self, make: impl Fn(&Client) -> Result<T, CallError>) -> [T; 2] {
        self.clients.each_ref().map(|client| make(client).unwrap())
    }

    /// What comes of `act` while a call that waits has the first client's only connection for calls.
    fn starve<R>(&self, act: impl FnOnce() -> R) -> R {
        let [flag, set] = self.each(|client| client.flag("f"));
        scope(|scope| {
            let waits = scope.spawn(|| flag.wait());
            assert!(eventually(LONG, || set.waiting().unwrap() == 1));
            let result = act();
            set.set().unwrap();
            waits.join().unwrap().unwrap();
            set.clear().unwrap();
            result
        })
    }

    fn end(self) {
        drop(self.clients);
        self.server.shutdown().unwrap();
    }
}

#[track_caller]
fn assert_refused(told: &Result<(), CallError>) {
    assert!(matches!(told, Err(CallError::Refused(Refusal::TooMany))), "{told:?}");
}

#[test]
fn what_is_unlocked_while_no_connection_is_to_be_had_comes_back() {
    let scene = Scene::new("mgr-no-unlock");
    let [mutex, theirs] = scene.each(|client| client.mutex("m"));
    let guard = mutex.lock().unwrap();
    let (told, taken) = scene.starve(|| {
        let told = guard.unlock();
        (told, theirs.lock_timeout(PROMPT).map(drop).map_err(LockError::without_guard))
    });
    assert_refused(&told);
    assert!(taken.is_ok(), "{taken:?}");
    mutex.lock().unwrap().unlock().unwrap();
    drop((mutex, theirs));
    scene.end();
}

#[test]
fn a_permit_that_is_given_back_while_no_connection_is_to_be_had_comes_back() {
    let scene = Scene::new("mgr-no-give-back");
    let [permits, theirs] = scene.each(|client| client.permits("p", 1));
    let permit = permits.acquire().unwrap();
    let (told, taken) = scene.starve(|| {
        let told = permit.give_back();
        (told, theirs.acquire_timeout(PROMPT).map(|permit| permit.is_some()))
    });
    assert_refused(&told);
    assert!(taken.unwrap());
    assert_eq!(permits.available().unwrap(), 1);
    drop((permits, theirs));
    scene.end();
}

#[test]
fn who_cannot_wait_for_a_notification_gives_the_mutex_back() {
    let scene = Scene::new("mgr-no-wait");
    let [mutex, theirs] = scene.each(|client| client.mutex("m"));
    let condvar = scene.clients[0].condvar("c").unwrap();
    let guard = mutex.lock().unwrap();
    let (told, taken) = scene.starve(|| {
        let told = condvar.wait(guard).map(drop).map_err(LockError::without_guard);
        (told, theirs.lock_timeout(PROMPT).map(drop).map_err(LockError::without_guard))
    });
    assert!(matches!(told, Err(LockError::Failed(_))), "{told:?}");
    assert!(taken.is_ok(), "{taken:?}");
    assert_eq!(condvar.waiting().unwrap(), 0);
    drop((mutex, theirs, condvar));
    scene.end();
}

/// The mutex is one server's, the condvar another's. Both are held up: the first until the waiter has its place and its unlock is on its
/// way, the second, by a call through the waiter's only connection, until its time is over.
#[test]
fn who_could_not_say_in_time_that_it_waits_has_no_place() {
    let names = ["mgr-unsaid-mutex", "mgr-unsaid-calls"].map(Name::new);
    let servers = names.each_ref().map(|name| {
        let mut server = Server::bind(name).unwrap();
        server.register::<Attendance>();
        server.spawn()
    });
    let connect = |at: usize| Client::connect(&names[at]).unwrap();
    let (of_mutex, of_calls, other) = (connect(0), connect(1), connect(1));
    let mutex = of_mutex.mutex("m").unwrap();
    let [calls, seen] = [&of_calls, &other].map(|client| client.condvar("c").unwrap());
    let busy = |client: &Client, at: usize| {
        client.create_object::<Attendance>(None, &(&*names[at], at + 3)).unwrap()
    };
    let (first, second) = (busy(&connect(0), 0), busy(&of_calls, 1));
    let guard = mutex.lock().unwrap();
    let waited = scope(|scope| {
        scope.spawn(|| first.call::<usize>("last", &()).unwrap());
        Attendance::reach(3, 1);
        scope.spawn(|| {
            assert!(eventually(LONG, || seen.waiting().unwrap() == 1));
            // In all likelihood the waiter's connection is idle now.
            (0..1000).for_each(|_| std::thread::yield_now());
            second.call::<usize>("last", &()).unwrap()
        });
        scope.spawn(|| {
            Attendance::reach(4, 1);
            Attendance::set(3, 2);
        });
        let waited = calls.wait_timeout(guard, SHORT).map(|(_, late)| late);
        Attendance::set(4, 2);
        waited.map_err(LockError::without_guard)
    });
    assert!(waited.unwrap());
    assert!(eventually(PROMPT, || seen.waiting().unwrap() == 0));
    drop((mutex, calls, seen, first, second, of_mutex, of_calls, other));
    for server in servers {
        server.shutdown().unwrap();
    }
}
