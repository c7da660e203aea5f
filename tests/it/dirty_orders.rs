//! Guards that are forgotten while their handles are dropped, in every order: nothing hangs, and others see a member that lives.

use std::any::Any;
use std::mem::forget;
use std::time::Duration;

use ringway::{Recovered, RecvTimeoutError, TryRecvError};

use crate::dirty::{contents, is_whole, queues};
use crate::util::child::{Child, hear, say};
use crate::util::{LONG, Name, within};

/// Orders that four things can be in.
const ORDERS: usize = 24;

#[test]
fn with_guards_forgotten_handles_go_in_any_order_and_all_comes_back_with_the_processs_end() {
    let names: Vec<Name> = (0..ORDERS).map(|_| Name::new("order")).collect();
    let arguments: Vec<&str> = names.iter().map(|name| &**name).collect();
    let mut child = Child::spawn("dirty_orders::every order", &arguments);
    child.expect("all dropped");
    child.tell("end");
    assert_eq!(child.code(), 0);
    for name in &names {
        let queue = queues().open(name).unwrap();
        assert_eq!(contents(&queue), [(1, 2), (3, 1)]);
        assert!(is_whole(&queue));
    }
}

/// What is left of `things` in the `number`th order.
fn in_order(mut things: Vec<Box<dyn Any>>, mut number: usize) -> Vec<Box<dyn Any>> {
    let mut ordered = Vec::new();
    while !things.is_empty() {
        ordered.push(things.remove(number % things.len()));
        number /= things.len() + 1;
    }
    ordered
}

pub fn play(role: &str, names: &[&str]) {
    assert_eq!(role, "every order");
    let brief = Duration::from_millis(1);
    for (number, name) in names.iter().enumerate() {
        let queue = queues().create(name).unwrap();
        let (sender, receiver) = (queue.sender(), queue.receiver());
        sender.send_batch(&[1, 2]).unwrap();
        forget(receiver.recv_guard().unwrap());
        forget(sender.reserve().unwrap());
        sender.send(3).unwrap();
        let more = Box::new((sender.clone(), receiver.clone()));
        let handles: Vec<Box<dyn Any>> =
            vec![Box::new(queue), Box::new(sender), Box::new(receiver), more];
        within(LONG, || in_order(handles, number).into_iter().for_each(drop));
        // Others see a member that lives, and holds what it holds.
        let other = queues().open(name).unwrap();
        let (_sender, receiver) = (other.sender(), other.receiver());
        let forgetful = other.members().unwrap()[0];
        assert!(forgetful.is_alive());
        assert_eq!(other.recover().unwrap(), Recovered::default());
        assert_eq!(receiver.try_recv(), Ok(2));
        assert_eq!(receiver.try_recv(), Err(TryRecvError::Busy(forgetful.id())));
        assert_eq!(receiver.recv_timeout(brief), Err(RecvTimeoutError::Timeout));
    }
    say("all dropped");
    hear();
}
