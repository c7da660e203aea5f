//! Records between two connections: what each call gives, and how a pipe ends.

use std::time::Duration;

use ringway::pipe::{self, Connection, Direction, Receiver, Sender};
use ringway::{
    Fault, RecvError, RecvTimeoutError, SendError, SendTimeoutError, TryRecvError, TrySendError,
    Wait,
};

use crate::util::view::View;
use crate::util::{LONG, NO_RECHECK, Name, PROMPT, Random, eventually};

const SHORT: Duration = Duration::from_millis(20);

#[test]
fn records_keep_their_boundaries_both_ways() {
    let (mut here, mut there) = pipe::pair(1024).unwrap();
    for record in [&b"one"[..], b"", b"three", &[0; 200], b""] {
        here.send(record).unwrap();
        there.send(&[record, b"!"].concat()).unwrap();
    }
    for record in [&b"one"[..], b"", b"three", &[0; 200], b""] {
        assert_eq!(there.recv().unwrap(), record);
        assert_eq!(here.recv().unwrap(), [record, b"!"].concat());
    }
    assert_eq!(here.try_recv(), Err(TryRecvError::Empty));
    assert_eq!(there.try_recv(), Err(TryRecvError::Empty));
}

#[test]
fn records_of_all_lengths_come_whole_over_many_laps() {
    let (mut here, mut there) = pipe::pair(256).unwrap();
    let longest = here.max_whole_len();
    let mut random = Random(7);
    for _ in 0..5_000 {
        let len = random.below(longest + 1);
        let record: Vec<u8> = (0..len).map(|_| random.next().to_le_bytes()[0]).collect();
        here.try_send(&record).unwrap();
        assert_eq!(there.try_recv().unwrap(), record);
    }
}

#[test]
fn a_full_pipe_refuses_and_takes_again_after_a_read() {
    let (mut here, mut there) = pipe::pair(64).unwrap();
    let mut sent = 0u8;
    let refusal = loop {
        match here.try_send(&[sent; 3]) {
            Ok(()) => sent += 1,
            Err(refusal) => break refusal,
        }
    };
    assert_eq!((refusal, sent), (TrySendError::Full(()), 4), "16 bytes each in 64");
    assert_eq!(here.send_timeout(b"x", SHORT), Err(SendTimeoutError::Timeout(())));
    assert_eq!(here.send_timeout(b"x", Duration::ZERO), Err(SendTimeoutError::Timeout(())));
    assert!(matches!(here.try_reserve(1), Err(TrySendError::Full(()))));
    assert!(matches!(here.reserve_timeout(1, SHORT), Err(SendTimeoutError::Timeout(()))));
    assert_eq!(there.recv().unwrap(), [0; 3]);
    here.try_send(b"x").unwrap();
    for n in 1..4 {
        assert_eq!(there.recv().unwrap(), [n; 3]);
    }
    assert_eq!(there.recv().unwrap(), b"x");
}

#[test]
fn the_longest_record_passes_and_a_longer_one_says_how_long_it_may_be() {
    for capacity in [1, 64, 100, 4096] {
        let options = Connection::options().capacity(capacity).whole_records();
        let (mut here, mut there) = options.pair().unwrap();
        let max = here.max_len();
        assert_eq!(here.max_whole_len(), max);
        let room = here.sender().unwrap().capacity();
        assert_eq!((max, room), (room / 2 - 8, capacity.max(64).next_power_of_two()));
        assert_eq!(there.receiver().unwrap().capacity(), room);
        for n in 0..5 {
            here.send(&vec![n; max]).unwrap();
            assert_eq!(there.recv().unwrap(), vec![n; max]);
        }
        let long = vec![0; max + 1];
        let fault = Fault::TooLong { len: max + 1, max };
        assert_eq!(here.try_send(&long), Err(TrySendError::Failed((), fault)));
        assert_eq!(here.send(&long), Err(SendError::Failed((), fault)));
        let refused = here.send_timeout(&long, LONG);
        assert_eq!(refused, Err(SendTimeoutError::Failed((), fault)));
        assert_eq!(here.try_reserve(max + 1).unwrap_err().fault(), Some(fault));
        assert!(here.reserve(usize::MAX).unwrap_err().fault().is_some());
        assert_eq!(there.try_recv(), Err(TryRecvError::Empty));
    }
}

#[test]
fn a_buffer_that_is_too_short_leaves_the_record_where_it_is() {
    let (mut here, mut there) = pipe::pair(256).unwrap();
    here.send(b"hello").unwrap();
    here.send(b"").unwrap();
    let fault = Fault::BufferTooShort { needed: 5, len: 4 };
    let mut buffer = [0; 4];
    assert_eq!(there.try_recv_into(&mut buffer), Err(TryRecvError::Failed(fault)));
    assert_eq!(there.recv_into(&mut buffer), Err(RecvError::Failed(fault)));
    let late = there.recv_into_timeout(&mut buffer, LONG);
    assert_eq!(late, Err(RecvTimeoutError::Failed(fault)));
    assert_eq!(buffer, [0; 4]);
    let mut buffer = [0; 8];
    assert_eq!(there.recv_into(&mut buffer), Ok(5));
    assert_eq!(&buffer, b"hello\0\0\0");
    assert_eq!(there.try_recv_into(&mut []), Ok(0));
    assert_eq!(there.try_recv_into(&mut buffer), Err(TryRecvError::Empty));
    let late = there.recv_into_timeout(&mut buffer, Duration::ZERO);
    assert_eq!(late, Err(RecvTimeoutError::Timeout));
}

#[test]
fn poll_tells_of_a_record_without_taking_it_and_of_the_end() {
    let (mut here, mut there) = pipe::pair(256).unwrap();
    assert!(!there.poll(Duration::ZERO) && !there.poll(SHORT));
    here.send(b"x").unwrap();
    assert!(there.poll(Duration::ZERO) && there.poll(LONG));
    assert_eq!(there.recv().unwrap(), b"x");
    assert!(!there.poll(Duration::ZERO));
    here.close();
    assert!(there.poll(LONG));
    assert_eq!(there.recv(), Err(RecvError::Closed));
}

#[test]
fn a_one_way_pipe_goes_the_way_that_its_maker_chose() {
    for (direction, maker_sends) in [(Direction::Send, true), (Direction::Receive, false)] {
        let (maker, opener) = Connection::options().direction(direction).pair().unwrap();
        let (mut from, mut to) = if maker_sends { (maker, opener) } else { (opener, maker) };
        from.send(b"down").unwrap();
        assert_eq!(to.recv().unwrap(), b"down");
        let wrong = Fault::WrongDirection;
        assert_eq!(to.try_send(b"up"), Err(TrySendError::Failed((), wrong)));
        assert_eq!(to.send(b"up"), Err(SendError::Failed((), wrong)));
        assert_eq!(to.send_timeout(b"up", LONG), Err(SendTimeoutError::Failed((), wrong)));
        assert_eq!(to.reserve(1).unwrap_err().fault(), Some(wrong));
        assert_eq!(from.try_recv(), Err(TryRecvError::Failed(wrong)));
        assert_eq!(from.recv(), Err(RecvError::Failed(wrong)));
        assert_eq!(from.recv_timeout(LONG), Err(RecvTimeoutError::Failed(wrong)));
        assert_eq!(from.recv_into(&mut [0]), Err(RecvError::Failed(wrong)));
        assert_eq!(from.try_peek().unwrap_err().fault(), Some(wrong));
        assert!(from.poll(LONG), "an end that only sends has nothing to wait for");
        assert!(to.sender().is_none() && from.receiver().is_none());
        assert_eq!((from.max_len() > 0, to.max_len()), (true, 0));
        from.close();
        assert!(from.is_closed() && to.is_closed());
        assert_eq!(to.recv(), Err(RecvError::Closed));
    }
}

#[test]
fn a_named_one_way_pipe_tells_its_opener_which_way_it_goes() {
    let name = Name::new("oneway");
    let mut maker = Connection::options().direction(Direction::Receive).create(&name).unwrap();
    let mut opener = Connection::options().open(&name).unwrap();
    opener.send(b"x").unwrap();
    assert_eq!(maker.recv().unwrap(), b"x");
    assert!(opener.receiver().is_none());
}

#[test]
fn the_halves_of_an_end_work_in_two_threads() {
    let (here, there) = pipe::pair(128).unwrap();
    let echo = std::thread::spawn(move || {
        let (sender, receiver) = there.split();
        let (mut sender, mut receiver) = (sender.unwrap(), receiver.unwrap());
        while let Ok(record) = receiver.recv() {
            sender.send(&record).unwrap();
        }
    });
    let (sender, receiver) = here.split();
    let (mut sender, mut receiver) = (sender.unwrap(), receiver.unwrap());
    let feed = std::thread::spawn(move || {
        for n in 0..5_000u32 {
            sender.send(&n.to_le_bytes()[..n as usize % 5]).unwrap();
        }
        sender.close();
    });
    for n in 0..5_000u32 {
        assert_eq!(receiver.recv().unwrap(), n.to_le_bytes()[..n as usize % 5]);
    }
    feed.join().unwrap();
    echo.join().unwrap();
}

#[test]
fn an_end_is_left_when_its_second_half_goes() {
    let (here, mut there) = pipe::pair(128).unwrap();
    let (sender, mut receiver) = here.split();
    drop(sender);
    there.send(b"still here").unwrap();
    assert_eq!(receiver.as_mut().unwrap().recv().unwrap(), b"still here");
    drop(receiver);
    assert_eq!(there.send(b"gone"), Err(SendError::Disconnected(())));
    assert_eq!(there.recv(), Err(RecvError::Disconnected));
}

#[test]
fn a_closed_pipe_is_drained_and_then_closed_both_ways() {
    let (mut here, mut there) = pipe::pair(256).unwrap();
    here.send(b"a").unwrap();
    there.send(b"b").unwrap();
    here.close();
    for end in [&mut here, &mut there] {
        assert!(end.is_closed());
        assert_eq!(end.try_send(b"x"), Err(TrySendError::Closed(())));
        assert_eq!(end.send(b"x"), Err(SendError::Closed(())));
        assert!(matches!(end.try_reserve(1), Err(TrySendError::Closed(()))));
    }
    assert_eq!(there.recv().unwrap(), b"a");
    assert_eq!(here.recv().unwrap(), b"b");
    assert_eq!(there.recv(), Err(RecvError::Closed));
    assert_eq!(here.try_recv(), Err(TryRecvError::Closed));
    assert_eq!(here.recv_timeout(LONG), Err(RecvTimeoutError::Closed));
}

#[test]
fn one_direction_may_be_closed_while_the_other_goes_on() {
    let (mut here, mut there) = pipe::pair(256).unwrap();
    here.sender().unwrap().close();
    assert!(there.receiver().unwrap().is_closed() && !there.is_closed());
    assert_eq!(there.recv(), Err(RecvError::Closed));
    there.send(b"on").unwrap();
    assert_eq!(here.recv().unwrap(), b"on");
}

#[test]
fn records_of_a_peer_that_left_come_before_the_disconnect() {
    let (mut here, mut there) = pipe::pair(256).unwrap();
    here.send(b"last").unwrap();
    here.send(b"").unwrap();
    drop(here);
    assert_eq!(there.send(b"x"), Err(SendError::Disconnected(())));
    assert_eq!(there.recv().unwrap(), b"last");
    assert_eq!(there.recv().unwrap(), b"");
    assert_eq!(there.recv(), Err(RecvError::Disconnected));
    assert!(there.poll(LONG));
}

#[test]
fn an_end_that_was_left_is_taken_by_the_next_opener() {
    let name = Name::new("next");
    let mut maker = Connection::options().create(&name).unwrap();
    for n in 0..5u8 {
        let mut opener = Connection::options().open(&name).unwrap();
        opener.send(&[n]).unwrap();
        assert_eq!(maker.recv().unwrap(), [n]);
    }
    assert_eq!(maker.try_recv(), Err(TryRecvError::Disconnected));
    maker.try_send(b"x").unwrap_err();
    let mut opener = Connection::options().open(&name).unwrap();
    drop(maker);
    let mut second = Connection::options().open(&name).unwrap();
    second.send(b"from the maker's end").unwrap();
    assert_eq!(opener.recv().unwrap(), b"from the maker's end");
}

#[test]
fn blocked_ends_of_a_pipe_wake_at_once() {
    for close in [true, false] {
        let name = Name::new("wake");
        let options = || Connection::options().capacity(64).recheck(NO_RECHECK).wait(Wait::Park);
        let mut here = options().create(&name).unwrap();
        let there = options().open(&name).unwrap();
        while here.try_send(b"").is_ok() {}
        let view = View::open(name.path());
        let (sender, receiver) = here.split();
        let (mut sender, mut receiver) = (sender.unwrap(), receiver.unwrap());
        let blocked_sender = std::thread::spawn(move || sender.send(b"more").unwrap_err());
        let blocked_receiver = std::thread::spawn(move || receiver.recv().unwrap_err());
        assert!(eventually(LONG, || view.producer_waits(0) && view.consumer_waits(1)));
        let mut there = Some(there);
        if close {
            there.as_mut().unwrap().close();
        } else {
            drop(there.take());
        }
        assert!(
            eventually(PROMPT, || blocked_sender.is_finished() && blocked_receiver.is_finished())
        );
        let (unsent, unreceived) =
            (blocked_sender.join().unwrap(), blocked_receiver.join().unwrap());
        assert_eq!(matches!(unsent, SendError::Closed(())), close);
        assert_eq!(unreceived, if close { RecvError::Closed } else { RecvError::Disconnected });
    }
}

#[test]
fn connections_and_their_halves_go_to_other_threads() {
    fn is_send_and_sync<T: Send + Sync>() {}
    is_send_and_sync::<Connection>();
    is_send_and_sync::<Sender>();
    is_send_and_sync::<Receiver>();
    let (here, there) = pipe::pair(64).unwrap();
    std::thread::spawn(move || drop(there)).join().unwrap();
    drop(here);
}
