//! Waiting for several receivers beside others: who dies, who waits for the same, who forks, who breaks the words.

use std::time::Duration;

use ringway::queue::{Queue, Receiver};
use ringway::spsc::Consumer;
use ringway::{Fault, RecvError, Selectable, Selector, TryRecvError, Wait};

use crate::select::queues;
use crate::util::child::Child;
use crate::util::view::View;
use crate::util::{LONG, NO_RECHECK, Name, PROMPT, eventually, os, within};

#[test]
fn the_death_of_a_sender_is_found_and_so_is_that_of_one_in_the_middle() {
    let (stream, busy) = (Name::new("select"), Name::new("select"));
    let recheck = Duration::from_millis(20);
    let mut consumer = Consumer::<u64>::options().recheck(recheck).create(&stream).unwrap();
    let queue = Queue::<u64>::options().recheck(recheck).create(&busy).unwrap();
    let (receiver, sender) = (queue.receiver(), queue.sender());
    let mut feeder = Child::spawn("select::send", &[&stream]);
    let holder = Child::spawn("select::send to queue", &[&busy]);
    feeder.expect("here");
    holder.expect("here");
    sender.send(4).unwrap();
    let mut selector = Selector::waiting(Wait::Park);
    feeder.tell("send");
    assert_eq!(within(PROMPT, || selector.wait(&[&consumer, &receiver])), Ok(0));
    assert_eq!(consumer.recv(), Ok(7));
    // It waits behind the claim of one that dies.
    holder.kill();
    assert_eq!(within(PROMPT, || selector.wait(&[&consumer, &receiver])), Ok(1));
    assert_eq!(receiver.recv(), Ok(4));
    feeder.kill();
    assert_eq!(within(PROMPT, || selector.wait(&[&consumer, &receiver])), Ok(0));
    assert_eq!(consumer.recv(), Err(RecvError::Disconnected));
}

#[test]
fn who_is_woken_and_takes_nothing_wakes_another() {
    let name = Name::new("select");
    let queue = Queue::<u64>::options().recheck(NO_RECHECK).create(&name).unwrap();
    let (sender, receiver) = (queue.sender(), queue.receiver());
    let (_queues, senders, receivers) = queues(1);
    for n in 0..20 {
        let child = Child::spawn("select::receive", &[&name]);
        child.expect("here");
        std::thread::scope(|scope| {
            let waiting = scope.spawn(|| {
                // It only looks, whichever it is.
                Selector::waiting(Wait::Park).wait(&[&receivers[0], &receiver]).unwrap()
            });
            assert!(eventually(LONG, || child.is_asleep()));
            sender.send(n).unwrap();
            child.expect(&n.to_string());
            if !waiting.is_finished() {
                senders[0].send(1).unwrap();
            }
            within(PROMPT, || waiting.join().unwrap());
        });
        let _ = receivers[0].try_recv();
        child.finish();
    }
}

#[test]
fn in_a_forked_child_inherited_handles_are_ready_and_say_so() {
    let (_queues, _senders, receivers) = queues(2);
    let (_producer, mut consumer) = ringway::spsc::pair::<u32>(4).unwrap();
    let code = os::in_fork(|| {
        let mut selector = Selector::waiting(Wait::Park);
        let found = selector.wait(&[&receivers[0], &receivers[1], &consumer]);
        let told = receivers[0].try_recv() == Err(TryRecvError::Failed(Fault::Forked));
        let next = selector.try_wait(&[&consumer]);
        let also = consumer.try_recv() == Err(TryRecvError::Failed(Fault::Forked));
        i32::from(!(found == Ok(0) && told && next == Ok(Some(0)) && also))
    });
    assert_eq!(code, 0);
}

#[test]
fn hostile_words_are_something_to_receive_and_hang_nobody() {
    for word in [u64::MAX, 7, 1 << 63, 0x55aa_55aa_55aa_55aa] {
        let name = Name::new("select");
        let queue = Queue::<u64>::options().capacity(4).create(&name).unwrap();
        let (_sender, receiver) = (queue.sender(), queue.receiver());
        let view = View::open(name.path());
        view.put_u64(view.slot(0, 0), word);
        let found = within(PROMPT, || Selector::waiting(Wait::Park).wait(&[&receiver]));
        assert_eq!(found, Ok(0));
        let told = receiver.try_recv().unwrap_err().fault();
        assert!(matches!(told, Some(Fault::Corrupt(_))), "{word:x}: {told:?}");
    }
}

#[test]
fn several_selectors_share_what_comes_and_nothing_is_lost() {
    let (queues, senders, receivers) = queues(3);
    let total: u64 = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..3)
            .map(|_| {
                let mine: Vec<Receiver<u64>> = receivers.iter().map(Clone::clone).collect();
                scope.spawn(move || {
                    let (mut selector, mut sum) = (Selector::new(), 0);
                    let mut open = vec![true; mine.len()];
                    while open.contains(&true) {
                        let left: Vec<usize> = (0..mine.len()).filter(|n| open[*n]).collect();
                        let sources: Vec<&dyn Selectable> =
                            left.iter().map(|n| &mine[*n] as &dyn Selectable).collect();
                        let at = left[selector.wait(&sources).unwrap()];
                        match mine[at].try_recv() {
                            Ok(value) => sum += value,
                            Err(TryRecvError::Closed) => open[at] = false,
                            Err(TryRecvError::Empty | TryRecvError::Busy(_)) => {}
                            Err(why) => panic!("{why}"),
                        }
                    }
                    sum
                })
            })
            .collect();
        for n in 0..6000u64 {
            let at = usize::try_from(n % 3).unwrap();
            senders[at].send(n).unwrap();
        }
        queues.iter().for_each(Queue::close);
        workers.into_iter().map(|worker| worker.join().unwrap()).sum()
    });
    assert_eq!(total, (0..6000).sum());
}
