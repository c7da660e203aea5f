//! Clients are killed while they put into a queue of the server, or get from it.

use std::collections::{BTreeMap, BTreeSet};
use std::thread::scope;
use std::time::Duration;

use ringway::manager::{Client, Queue, QueueError, Running, Server};

use crate::util::child::{Child, hear, say, state_of};
use crate::util::{LONG, Name, Random, eventually, within};

const GONE: Duration = Duration::from_secs(20);

fn serve(label: &str) -> (Name, Running, Client) {
    let name = Name::new(label);
    let server = Server::bind(&name).unwrap().spawn();
    let client = Client::connect(&name).unwrap();
    (name, server, client)
}

pub fn play(role: &str, arguments: &[&str]) {
    let client = Client::connect(arguments[0]).unwrap();
    let queue = client.queue::<u64>("q", arguments[1].parse().ok()).unwrap();
    match role {
        "get" => drop(queue.get()),
        "put" => queue.put(&1000).unwrap(),
        "get and idle" => {
            assert_eq!(queue.get().unwrap(), 1);
            say("got");
            hear();
        }
        "put all" => {
            let first: u64 = arguments[2].parse().unwrap();
            for number in first.. {
                queue.put(&number).unwrap();
                say(&format!("{number}"));
            }
        }
        "get all" => loop {
            let delivery = queue.get_delivery().unwrap();
            say(&format!("{} {}", delivery.value, delivery.redelivered));
        },
        _ => panic!("no such role"),
    }
}

fn child(role: &str, arguments: &[&str]) -> Child {
    Child::spawn(&format!("manager::queue_deaths::{role}"), arguments)
}

#[test]
fn an_item_on_its_way_to_who_dies_comes_back_in_front_and_flagged() {
    let (name, server, client) = serve("mgr-queue-back");
    let queue = client.queue::<u64>("q", Some(8)).unwrap();
    let getters = [(); 2].map(|()| child("get", &[&name, "8"]));
    assert!(eventually(LONG, || queue.getters().unwrap() == 2));
    for getter in &getters {
        getter.signal(libc::SIGSTOP);
        assert!(eventually(LONG, || state_of(getter.pid()) == Some('T')));
    }
    for number in 1..=4 {
        queue.put(&number).unwrap();
    }
    assert_eq!((queue.len().unwrap(), queue.getters().unwrap()), (2, 0));
    assert_eq!(queue.unfinished().unwrap(), 4);
    let [one, other] = getters;
    other.kill();
    assert!(eventually(GONE, || queue.len().unwrap() == 3));
    one.kill();
    assert!(eventually(GONE, || queue.len().unwrap() == 4));
    let got = [(); 4].map(|()| queue.get_delivery().unwrap());
    let expected = [(1, true), (2, true), (3, false), (4, false)];
    assert_eq!(got.map(|got| (got.value, got.redelivered)), expected);
    drop((queue, client));
    server.shutdown().unwrap();
}

#[test]
fn who_is_killed_while_it_waits_puts_and_gets_nothing() {
    let (name, server, client) = serve("mgr-queue-waiters");
    let queue = client.queue::<u64>("q", Some(1)).unwrap();
    let getter = child("get", &[&name, "1"]);
    assert!(eventually(LONG, || queue.getters().unwrap() == 1));
    getter.kill();
    assert!(eventually(GONE, || queue.getters().unwrap() == 0));
    queue.put(&1).unwrap();
    let putter = child("put", &[&name, "1"]);
    assert!(eventually(LONG, || queue.putters().unwrap() == 1));
    putter.kill();
    assert!(eventually(GONE, || queue.putters().unwrap() == 0));
    assert_eq!(queue.get().unwrap(), 1);
    assert!(matches!(queue.try_get(), Err(QueueError::Empty)));
    drop((queue, client));
    server.shutdown().unwrap();
}

#[test]
fn what_a_dead_client_had_to_do_is_lost_and_nobody_waits_for_it() {
    let (name, server, client) = serve("mgr-queue-lost");
    let queue = client.queue::<u64>("q", None).unwrap();
    queue.put(&1).unwrap();
    let worker = child("get and idle", &[&name, ""]);
    worker.expect("got");
    assert_eq!(queue.unfinished().unwrap(), 1);
    scope(|scope| {
        let joins = scope.spawn(|| queue.join());
        within(GONE, || {
            worker.kill();
            assert_eq!(joins.join().unwrap().unwrap(), 1);
        });
    });
    assert_eq!((queue.unfinished().unwrap(), queue.lost().unwrap()), (0, 1));
    drop((queue, client));
    server.shutdown().unwrap();
}

/// What children said until they were killed.
#[derive(Default)]
struct Account {
    put: BTreeSet<u64>,
    got: BTreeMap<u64, bool>,
    killed_getters: usize,
    killed_putters: usize,
}

impl Account {
    fn got(&mut self, number: u64, redelivered: bool) {
        assert!(self.got.insert(number, redelivered).is_none(), "{number} came twice");
    }

    fn hear(&mut self, role: &str, line: &str) {
        if role == "put all" {
            self.put.insert(line.parse().unwrap());
        } else {
            let (number, redelivered) = line.split_once(' ').unwrap();
            self.got(number.parse().unwrap(), redelivered == "true");
        }
    }

    /// Kills it, and hears all that it has said.
    fn kill(&mut self, (role, child): (&str, Child)) {
        child.strike();
        self.killed_getters += usize::from(role == "get all");
        self.killed_putters += usize::from(role == "put all");
        while let Some(line) = child.last_line() {
            self.hear(role, &line);
        }
        child.kill();
    }

    /// What a getter took and could not say any more is one item for each that was killed; what a putter put and could not say is too.
    fn settle(&self, in_queue: &BTreeSet<u64>) {
        assert!(in_queue.iter().all(|number| !self.got.contains_key(number)), "there and taken");
        let known = |number: &u64| self.got.contains_key(number) || in_queue.contains(number);
        let lost = self.put.iter().filter(|number| !known(number)).count();
        assert!(lost <= self.killed_getters, "{lost} lost, {} killed", self.killed_getters);
        let all = self.got.keys().chain(in_queue);
        let unsaid = all.filter(|number| !self.put.contains(number)).count();
        assert!(unsaid <= self.killed_putters, "{unsaid} unsaid, {} killed", self.killed_putters);
    }
}

/// All that is in the queue.
fn drain(queue: &Queue<u64>) -> BTreeSet<u64> {
    let mut left = BTreeSet::new();
    while let Ok(number) = queue.try_get() {
        assert!(left.insert(number), "{number} is there twice");
    }
    left
}

/// Each item is delivered once, or once more and flagged, wherever putters and getters are killed.
#[test]
fn putters_and_getters_killed_anywhere_lose_and_double_nothing() {
    const KILLS: usize = 24;
    let (name, server, client) = serve("mgr-queue-kills");
    let queue = client.queue::<u64>("q", Some(4)).unwrap();
    let (mut random, mut account) = (Random(0x5eed), Account::default());
    let mut next = 0;
    let mut start = |role: &'static str| {
        next += 1;
        let first = (next * 1_000_000u64).to_string();
        (role, child(role, &[&name, "4", &first]))
    };
    let roles = ["put all", "put all", "get all", "get all"];
    let mut children = Vec::from(roles.map(&mut start));
    for _ in 0..KILLS {
        let place = random.below(children.len());
        for _ in 0..random.below(12) {
            let (role, child) = &children[place];
            account.hear(role, &child.line());
        }
        let killed = children.swap_remove(place);
        let role = killed.0;
        account.kill(killed);
        children.push(start(role));
    }
    for last in children {
        account.kill(last);
    }
    assert!(eventually(GONE, || queue.getters().unwrap() + queue.putters().unwrap() == 0));
    assert!(eventually(GONE, || queue.unfinished().unwrap() == queue.len().unwrap()));
    account.settle(&drain(&queue));
    assert!(account.got.len() > 20, "{} were got", account.got.len());
    drop((queue, client));
    server.shutdown().unwrap();
}
