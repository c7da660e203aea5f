//! Stopped or killed in the middle of a claim: who is stopped is waited for, who is dead is passed over, and all others
//! go on.

use std::time::Duration;

use ringway::queue::Queue;
use ringway::{Options, Recovered, RecvError, TryRecvError, TrySendError, Wait};

use crate::util::child::{Child, hear, say, state_of};
use crate::util::view::View;
use crate::util::{LONG, NO_RECHECK, Name, PROMPT, eventually, within};

const RECHECK: Duration = Duration::from_millis(20);

pub fn play(role: &str, arguments: &[&str]) {
    let name = arguments[0];
    match role {
        "reserve" => {
            let mut place = queues().open(name).unwrap().sender().reserve().unwrap();
            *place = 1;
            say("holding");
            hear();
            place.commit().unwrap();
            say("done");
            hear();
        }
        "take" => {
            let delivery = queues().open(name).unwrap().receiver().recv_guard().unwrap();
            say("holding");
            hear();
            delivery.ack();
            say("done");
            hear();
        }
        _ => panic!("no role {role}"),
    }
}

fn queues() -> Options<Queue<u64>> {
    Queue::<u64>::options().capacity(4).recheck(NO_RECHECK).wait(Wait::Park)
}

fn stop(child: &Child) {
    child.signal(libc::SIGSTOP);
    assert!(eventually(LONG, || state_of(child.pid()) == Some('T')));
}

#[test]
fn a_stopped_sender_is_waited_for_and_sends_once_it_goes_on() {
    let name = Name::new("stopped");
    let queue = queues().recheck(RECHECK / 4).create(&name).unwrap();
    let (sender, receiver) = (queue.sender(), queue.receiver());
    let mut child = Child::spawn("stopped::reserve", &[&name]);
    child.expect("holding");
    stop(&child);
    sender.send_batch(&[2, 3, 4]).unwrap();
    assert_eq!(sender.try_send(5), Err(TrySendError::Full(5)), "its slot is a slot");
    let holder = queue.members().unwrap()[1].id();
    for _ in 0..3 {
        assert!(receiver.recv_timeout(RECHECK).is_err());
        assert_eq!(receiver.try_recv(), Err(TryRecvError::Busy(holder)));
        assert_eq!(queue.recover().unwrap(), Recovered::default(), "it lives");
    }
    child.signal(libc::SIGCONT);
    child.tell("go on");
    let all = [(); 4].map(|()| receiver.recv_timeout(LONG));
    assert_eq!(all, [Ok(1), Ok(2), Ok(3), Ok(4)], "in order of claims");
    child.expect("done");
}

#[test]
fn a_stopped_receiver_keeps_its_message_and_others_receive_what_comes_behind() {
    let name = Name::new("stopped");
    let queue = queues().recheck(RECHECK / 4).create(&name).unwrap();
    let (sender, receiver) = (queue.sender(), queue.receiver());
    sender.send_batch(&[1, 2, 3]).unwrap();
    let mut child = Child::spawn("stopped::take", &[&name]);
    child.expect("holding");
    stop(&child);
    assert_eq!((receiver.recv(), receiver.recv()), (Ok(2), Ok(3)));
    sender.send(4).unwrap();
    assert_eq!(receiver.recv(), Ok(4));
    assert!(receiver.recv_timeout(RECHECK).is_err(), "what it holds is not delivered to others");
    assert!(sender.send_timeout(5, RECHECK).is_err(), "a lap later its slot is the next");
    assert_eq!(queue.recover().unwrap(), Recovered::default(), "it lives");
    child.signal(libc::SIGCONT);
    child.tell("go on");
    child.expect("done");
    sender.send_timeout(5, LONG).unwrap();
    assert_eq!(receiver.recv(), Ok(5), "and 1 was acknowledged");
}

#[test]
fn of_many_who_wait_behind_the_dead_all_go_on_and_each_message_comes_once() {
    const RECEIVERS: usize = 4;
    const MESSAGES: u64 = 200;
    let name = Name::new("many");
    let options = queues().capacity(256);
    let queue = options.create(&name).unwrap();
    let (sender, _receiver) = (queue.sender(), queue.receiver());
    sender.send(0).unwrap();
    let holder = Child::spawn("stopped::take", &[&name]);
    holder.expect("holding");
    let claimers = [(); 2].map(|()| {
        let child = Child::spawn("stopped::reserve", &[&name]);
        child.expect("holding");
        child
    });
    let mut all = std::thread::scope(|scope| {
        let receive = || {
            let queue = options.open(&name).unwrap();
            let deliveries = queue.receiver();
            let take = || deliveries.recv_guard().ok();
            let facts = std::iter::from_fn(take).map(|delivery| {
                let fact = (*delivery, delivery.redelivered());
                delivery.ack();
                fact
            });
            facts.collect::<Vec<_>>()
        };
        let receivers = [(); RECEIVERS].map(|()| scope.spawn(receive));
        let view = View::open(name.path());
        assert!(eventually(LONG, || view.waiting(view.not_empty(0)).len() == RECEIVERS));
        (1..=MESSAGES).for_each(|n| sender.send(n).unwrap());
        claimers.into_iter().chain([holder]).for_each(Child::kill);
        // A minute to the next recheck: they find out, or they are told.
        assert!(eventually(PROMPT, || queue.recover().is_ok() && queue.is_empty()));
        queue.close();
        let all = receivers.map(|receiver| within(LONG, || receiver.join().unwrap()));
        all.concat()
    });
    all.sort_unstable();
    let expected: Vec<_> = (0..=MESSAGES).map(|n| (n, n == 0)).collect();
    assert_eq!(all, expected);
    assert_eq!(queue.receiver().recv(), Err(RecvError::Closed));
}
