//! Queues that a server keeps.

use std::collections::BTreeSet;
use std::thread::scope;
use std::time::{Duration, Instant};

use ringway::manager::{CallError, Client, Queue, QueueError, Refusal, Running, Server};

use crate::util::{LONG, Name, eventually};

const SHORT: Duration = Duration::from_millis(5);

fn serve(label: &str) -> (Name, Running, Client) {
    let name = Name::new(label);
    let server = Server::bind(&name).unwrap().spawn();
    let client = Client::connect(&name).unwrap();
    (name, server, client)
}

#[test]
fn items_come_out_once_in_the_order_of_coming() {
    let (_name, server, client) = serve("mgr-queue");
    let queue = client.queue::<(u64, String)>("q", None).unwrap();
    let item = |number: u64| (number, "x".repeat((number % 50).try_into().unwrap()));
    for number in 0..300 {
        queue.put(&item(number)).unwrap();
    }
    assert_eq!(queue.len().unwrap(), 300);
    for number in 0..300 {
        let delivery = queue.get_delivery().unwrap();
        assert_eq!((delivery.value, delivery.redelivered), (item(number), false));
    }
    assert!(queue.is_empty().unwrap());
    assert!(matches!(queue.try_get(), Err(QueueError::Empty)));
    drop((queue, client));
    server.shutdown().unwrap();
}

#[test]
fn many_put_and_many_get_and_nothing_is_lost_or_twice() {
    let (name, server, client) = serve("mgr-queue-many");
    let other = Client::connect(&name).unwrap();
    let queue = |client: &Client| client.queue::<u64>("q", Some(3)).unwrap();
    let put = |client: &Client, first: u64| {
        let queue = queue(client);
        (first..first + 200).for_each(|number| queue.put(&number).unwrap());
    };
    let get = |client: &Client| queue(client).iter().map(Result::unwrap).collect::<Vec<u64>>();
    let kept = queue(&client);
    let got = scope(|scope| {
        let (client, other, put, get) = (&client, &other, &put, &get);
        let puts = [(client, 0), (other, 1000), (client, 2000)]
            .map(|(client, first)| scope.spawn(move || put(client, first)));
        let gets = [client, other, other].map(|client| scope.spawn(move || get(client)));
        for one in puts {
            one.join().unwrap();
        }
        kept.close().unwrap();
        gets.map(|one| one.join().unwrap())
    });
    drop(kept);
    for one in &got {
        for first in [0, 1000, 2000] {
            let of_one: Vec<_> = one.iter().filter(|n| (first..first + 200).contains(*n)).collect();
            assert!(of_one.is_sorted(), "each putter's items are in order for each getter");
        }
    }
    let all: Vec<u64> = got.into_iter().flatten().collect();
    assert_eq!((all.len(), all.iter().collect::<BTreeSet<_>>().len()), (600, 600));
    drop((client, other));
    server.shutdown().unwrap();
}

#[test]
fn a_bounded_queue_is_full_and_waits_for_room() {
    let (_name, server, client) = serve("mgr-queue-full");
    let queue = client.queue::<u64>("q", Some(2)).unwrap();
    queue.put(&1).unwrap();
    queue.try_put(&2).unwrap();
    assert!(matches!(queue.try_put(&3), Err(QueueError::Full)));
    let start = Instant::now();
    assert!(matches!(queue.put_timeout(&3, SHORT), Err(QueueError::Timeout)));
    assert!(start.elapsed() >= SHORT);
    scope(|scope| {
        let waits = scope.spawn(|| queue.put(&4));
        assert!(eventually(LONG, || queue.putters().unwrap() == 1));
        assert_eq!(queue.get().unwrap(), 1);
        waits.join().unwrap().unwrap();
    });
    assert_eq!([queue.get().unwrap(), queue.get().unwrap()], [2, 4], "what timed out is not there");
    assert!(matches!(queue.get_timeout(SHORT), Err(QueueError::Timeout)));
    assert_eq!((queue.getters().unwrap(), queue.putters().unwrap()), (0, 0));
    drop((queue, client));
    server.shutdown().unwrap();
}

#[test]
fn closing_ends_putting_at_once_and_getting_when_nothing_is_left() {
    let (_name, server, client) = serve("mgr-queue-closed");
    let queue = client.queue::<u64>("q", Some(1)).unwrap();
    queue.put(&1).unwrap();
    scope(|scope| {
        let puts = scope.spawn(|| queue.put(&2));
        assert!(eventually(LONG, || queue.putters().unwrap() == 1));
        queue.close().unwrap();
        assert!(matches!(puts.join().unwrap(), Err(QueueError::Closed)));
    });
    assert!(matches!(queue.put(&3), Err(QueueError::Closed)));
    assert!(queue.is_closed().unwrap());
    assert_eq!(queue.get().unwrap(), 1);
    assert!(matches!(queue.get(), Err(QueueError::Closed)));
    assert!(matches!(queue.try_get(), Err(QueueError::Closed)));
    let empty = client.new_queue::<u64>(None).unwrap();
    scope(|scope| {
        let gets = scope.spawn(|| empty.get());
        assert!(eventually(LONG, || empty.getters().unwrap() == 1));
        empty.close().unwrap();
        assert!(matches!(gets.join().unwrap(), Err(QueueError::Closed)));
    });
    drop((queue, empty, client));
    server.shutdown().unwrap();
}

#[test]
fn joining_waits_until_all_is_done() {
    let (_name, server, client) = serve("mgr-queue-tasks");
    let queue = client.queue::<u64>("q", None).unwrap();
    assert_eq!(queue.join().unwrap(), 0);
    assert!(matches!(queue.task_done(), Err(QueueError::NotOwed)));
    queue.put(&1).unwrap();
    queue.put(&2).unwrap();
    assert!(matches!(queue.task_done(), Err(QueueError::NotOwed)), "before it is taken");
    assert!(matches!(queue.join_timeout(SHORT), Err(QueueError::Timeout)));
    scope(|scope| {
        let joins = scope.spawn(|| queue.join());
        for left in [2, 1] {
            assert_eq!(queue.unfinished().unwrap(), left);
            queue.get().unwrap();
            queue.task_done().unwrap();
        }
        assert_eq!(joins.join().unwrap().unwrap(), 0);
    });
    assert!(matches!(queue.task_done(), Err(QueueError::NotOwed)));
    drop((queue, client));
    server.shutdown().unwrap();
}

fn wrong<T>(made: &Result<T, CallError>) -> bool {
    matches!(made, Err(CallError::Refused(Refusal::WrongType { .. })))
}

#[test]
fn other_items_and_other_bounds_are_refused() {
    let (_name, server, client) = serve("mgr-queue-wrong");
    let kept = client.queue::<u64>("q", Some(2)).unwrap();
    assert!(wrong(&client.queue::<u32>("q", Some(2))) && wrong(&client.queue::<u64>("q", None)));
    assert!(wrong(&client.mutex("q")));
    let none = client.queue::<u64>("r", Some(0));
    assert!(matches!(none, Err(CallError::Refused(Refusal::Undecodable(_)))));
    drop((kept, client));
    server.shutdown().unwrap();
}

/// The queue that goes is the only holder of the other.
#[test]
fn a_queue_within_a_queue_lives_while_it_is_there() {
    let (_name, server, client) = serve("mgr-queue-nested");
    let outer = client.queue::<Queue<u64>>("outer", None).unwrap();
    let inner = client.new_queue::<u64>(None).unwrap();
    inner.put(&7).unwrap();
    outer.put(&inner).unwrap();
    drop(inner);
    let inner = outer.get().unwrap();
    assert_eq!(inner.get().unwrap(), 7);
    drop((inner, outer, client));
    server.shutdown().unwrap();
}

/// Each item is got by one whose time was not over, or is there still.
#[test]
fn a_wait_that_ends_as_an_item_comes_is_one_or_the_other() {
    const ITEMS: u64 = 120;
    let (_name, server, client) = serve("mgr-queue-limits");
    let queue = client.queue::<u64>("q", None).unwrap();
    let mut all = scope(|scope| {
        let queue = &queue;
        let get = |seed: u64| {
            let limit = |round: u64| Duration::from_micros((seed * 37 + round * 11) % 90);
            (0..80).filter_map(|round| queue.get_timeout(limit(round)).ok()).collect::<Vec<_>>()
        };
        let gets = [1, 2, 3].map(|seed| scope.spawn(move || get(seed)));
        (0..ITEMS).for_each(|number| queue.put(&number).unwrap());
        gets.map(|one| one.join().unwrap()).concat()
    });
    queue.close().unwrap();
    all.extend(queue.iter().map(Result::unwrap));
    all.sort_unstable();
    assert_eq!(all, (0..ITEMS).collect::<Vec<_>>());
    assert_eq!(queue.getters().unwrap(), 0);
    drop((queue, client));
    server.shutdown().unwrap();
}
