//! A reader in C, which knows of the format what `include/ringway.h` and DESIGN.md §4 say and attaches read-only: it
//! sees live channels, and what the dead left, as they are.
//!
//! Expectations are literal. What `tests/c/inspect.c` prints is what another language finds in the file.

use std::io::Write;

use ringway::pipe::Connection;
use ringway::queue::{DeliveryPolicy, Queue};
use ringway::spsc::{Consumer, Producer};
use ringway::{Barrier, Wait};

use crate::util::child::{Child, hear, say};
use crate::util::reader::Reader;
use crate::util::view::View;
use crate::util::{LONG, NO_RECHECK, Name, eventually};

pub fn play(role: &str, arguments: &[&str]) {
    let name = arguments[0];
    match role {
        "hold" => {
            let queue = Queue::<u64>::options().open(name).unwrap();
            let (sender, receiver) = (queue.sender(), queue.receiver());
            let _delivery = receiver.recv_guard().unwrap();
            let _grant = sender.reserve().unwrap();
            say("held");
            hear();
        }
        "look" => {
            let mut consumer = Consumer::<u32>::options().open(name).unwrap();
            let _grant = consumer.try_peek(1).unwrap();
            say("held");
            hear();
        }
        _ => panic!("no role {role}"),
    }
}

/// What is seen of the queue below: of member 1, of what was counted, of events, of its slots 2 to 5.
fn queue_seen(there: &str, counted: &str, epoch: u32, slots: &[&str]) -> Vec<String> {
    let here = std::process::id();
    let mut lines = vec![
        "kind: queue of values".to_owned(),
        "format: version 1, minor 0".to_owned(),
        "elements: 8 of 8 bytes, alignment 8, stride 16".to_owned(),
        "flags: none".to_owned(),
        "delivery: at least once".to_owned(),
        "dead letters: after 2 deliveries, room for 2".to_owned(),
        "opened: 1 times".to_owned(),
        format!(
            "member 0: active and alive, process {here}, senders 1, receivers 1, incarnation 1; \
             counted: {counted}"
        ),
        format!("member 1: {there}"),
        "senders: somebody, 2 came".to_owned(),
        "receivers: somebody, 2 came".to_owned(),
        format!("arrivals: epoch {epoch}, waiting: nobody"),
        "ring 0: head 4 by 0, tail 8 by 0, open, something comes again".to_owned(),
        format!("not empty: epoch {epoch}, waiting: nobody"),
        format!("not full: epoch {epoch}, waiting: nobody"),
        "ring 0, slot 1, lap 0: reading by 0, 0 tries: 1100000000000000".to_owned(),
    ];
    lines.extend(slots.iter().map(|slot| format!("ring 0, slot {slot}")));
    lines.extend([
        "ring 0, slot 6, lap 0: writing by 0".to_owned(),
        "ring 0, slot 7, lap 0: aborted".to_owned(),
        "ring 1: head 0 by 0, tail 1 by 0, open, nothing comes again".to_owned(),
        format!("not empty: epoch {epoch}, waiting: nobody"),
        format!("not full: epoch {epoch}, waiting: nobody"),
        "ring 1, slot 0, lap 0: filled: 1000000000000000".to_owned(),
    ]);
    lines
}

/// A queue in whose ring each slot is in another state; the member that holds the second and the fifth dies.
#[test]
fn a_queue_is_seen_with_each_state_that_a_slot_can_have_and_what_the_dead_left() {
    let Some(reader) = Reader::build() else { return };
    let name = Name::new("c-queue");
    let options = Queue::<u64>::options().capacity(8).max_members(4).recheck(NO_RECHECK);
    let queue = options.dead_letters(2, 2).create(&name).unwrap();
    let (sender, receiver) = (queue.sender(), queue.receiver());
    sender.send_batch(&[0x10, 0x11, 0x12, 0x13, 0x14]).unwrap();
    drop(receiver.recv_guard().unwrap());
    drop(receiver.recv_guard().unwrap());
    let in_hand = receiver.recv_guard().unwrap();
    let child = Child::spawn("c_reader::hold", &[&name]);
    child.expect("held");
    let put_back = receiver.recv_guard().unwrap();
    let grant = sender.reserve().unwrap();
    drop(sender.reserve().unwrap());
    drop(put_back);
    let there = child.pid();
    let held = [
        "2, lap 0: reading by 1, 0 tries: 1200000000000000",
        "3, lap 0: redeliver, 1 tries: 1300000000000000",
        "4, lap 0: filled: 1400000000000000",
        "5, lap 0: writing by 1",
    ];
    let counted = "redeliveries 1, dead letters 1";
    let rest = format!("process {there}, senders 1, receivers 1, incarnation 1");
    reader.prints(&name, &queue_seen(&format!("active and alive, {rest}"), counted, 0, &held));
    child.kill();
    reader.prints(&name, &queue_seen(&format!("active and dead, {rest}"), counted, 0, &held));
    let recovered = queue.recover().unwrap();
    assert_eq!((recovered.redelivered, recovered.aborted), (1, 1));
    let freed = [
        "2, lap 0: redeliver, 1 tries: 1200000000000000",
        "3, lap 0: redeliver, 1 tries: 1300000000000000",
        "4, lap 0: filled: 1400000000000000",
        "5, lap 0: aborted",
    ];
    let counted = "recoveries 1, redeliveries 1, aborted 1, dead letters 1";
    reader.prints(&name, &queue_seen("unused, incarnation 1", counted, 1, &freed));
    drop((in_hand, grant));
}

#[test]
fn a_queue_of_bytes_is_seen_with_lengths_and_laps_and_its_close() {
    let Some(reader) = Reader::build() else { return };
    let name = Name::new("c-bytes");
    let options = Queue::<[u8]>::options().capacity(4).message_len(96).max_members(2);
    let queue = options.delivery(DeliveryPolicy::AtMostOnce).create(&name).unwrap();
    let (sender, receiver) = (queue.sender(), queue.receiver());
    for message in [&b"gone"[..], b"", b"hello", &[7; 96]] {
        sender.send(message).unwrap();
    }
    assert_eq!(receiver.recv().unwrap(), b"gone");
    sender.send(b"next lap").unwrap();
    drop(receiver);
    queue.close();
    let (full, pid) = (format!("filled: {}... (96 bytes)", "07".repeat(64)), std::process::id());
    reader.prints(
        &name,
        &[
            "kind: queue of bytes",
            "format: version 1, minor 0",
            "elements: 4 of 96 bytes, alignment 8, stride 112",
            "flags: none",
            "delivery: at most once",
            "opened: 0 times",
            &format!(
                "member 0: active and alive, process {pid}, senders 1, receivers 0, incarnation 1"
            ),
            "senders: somebody, 1 came",
            "receivers: nobody, 1 came",
            "arrivals: epoch 1, waiting: nobody",
            "ring 0: head 1 by 0, tail 5 by 0, closed, nothing comes again",
            "not empty: epoch 2, waiting: nobody",
            "not full: epoch 2, waiting: nobody",
            "ring 0, slot 0, lap 1: filled: 6e657874206c6170",
            "ring 0, slot 1, lap 0: filled: ",
            "ring 0, slot 2, lap 0: filled: 68656c6c6f",
            &format!("ring 0, slot 3, lap 0: {full}"),
        ],
    );
    let view = View::open(name.path());
    view.put_u32(view.slot(0, 2) + 12, 1);
    view.put_u32(view.slot(0, 3) + 8, 97);
    let lines = reader.lines(&name);
    for slot in [2, 3] {
        let refused = format!("ring 0, slot {slot}, lap 0: filled: its length or flags cannot be");
        assert!(lines.contains(&refused), "{lines:#?}");
    }
}

#[test]
fn an_spsc_channel_is_seen_with_its_values_a_dead_consumer_and_its_seal() {
    let Some(reader) = Reader::build() else { return };
    let name = Name::new("c-spsc");
    let options = Producer::<u32>::options().capacity(4).max_members(4).barrier(Barrier::Fence);
    let mut producer = options.remove_when_unused().create(&name).unwrap();
    producer.try_send_batch(&[1, 2, 3]).unwrap();
    let mut consumer = Consumer::<u32>::options().open(&name).unwrap();
    assert_eq!((consumer.recv(), consumer.recv()), (Ok(1), Ok(2)));
    drop(consumer);
    let child = Child::spawn("c_reader::look", &[&name]);
    child.expect("held");
    producer.try_send_batch(&[0x0405_0607, 5]).unwrap();
    let (here, there) = (std::process::id(), child.pid());
    child.kill();
    let seen = |ring: &str, epoch: u32, waiting: &str| {
        [
            "kind: spsc".to_owned(),
            "format: version 1, minor 0".to_owned(),
            "elements: 4 of 4 bytes, alignment 4, stride 4".to_owned(),
            "flags: [remove when unused]".to_owned(),
            "opened: 2 times".to_owned(),
            format!(
                "member 0: active and alive, process {here}, senders 0, receivers 0, incarnation 1"
            ),
            format!(
                "member 1: active and dead, process {there}, senders 0, receivers 0, incarnation 2"
            ),
            "end 0: member 0, owner number 1".to_owned(),
            "end 1: member 1, owner number 2".to_owned(),
            "arrivals: epoch 1, waiting: nobody".to_owned(),
            format!("ring 0: head 2, tail 5, {ring}"),
            format!("not empty: epoch {epoch}, waiting: nobody{waiting}"),
            format!("not full: epoch {epoch}, waiting: nobody"),
            "ring 0, value 2: 03000000".to_owned(),
            "ring 0, value 3: 07060504".to_owned(),
            "ring 0, value 4: 05000000".to_owned(),
        ]
    };
    reader.prints(&name, &seen("open", 1, ""));
    producer.close();
    reader.prints(&name, &seen("sealed at 5", 2, ", closing"));
}

#[test]
fn a_pipe_is_seen_with_its_records_and_padding_both_ways() {
    let Some(reader) = Reader::build() else { return };
    let name = Name::new("c-pipe");
    let options = Connection::options().capacity(64).max_members(2).barrier(Barrier::Fence);
    let options = options.whole_records();
    let mut here = options.create(&name).unwrap();
    let mut there = Connection::options().open(&name).unwrap();
    here.send(&[1; 24]).unwrap();
    assert_eq!(there.recv().unwrap(), [1; 24]);
    here.send(b"abc").unwrap();
    here.send(&[9; 10]).unwrap();
    there.send(b"").unwrap();
    drop(there);
    let pid = std::process::id();
    reader.prints(
        &name,
        &[
            "kind: pipe",
            "format: version 1, minor 0",
            "elements: 8 of 8 bytes, alignment 8, stride 8",
            "flags: none",
            "opened: 1 times",
            &format!(
                "member 0: active and alive, process {pid}, senders 0, receivers 0, incarnation 1"
            ),
            "member 1: unused, incarnation 1",
            "end 0: member 0, owner number 1",
            "end 1: nobody, 1 came",
            "arrivals: epoch 1, waiting: nobody",
            "ring 0: head 4, tail 11, open",
            "not empty: epoch 1, waiting: nobody",
            "not full: epoch 1, waiting: nobody",
            "ring 0, position 4: 3 bytes, 616263",
            "ring 0, position 6: padding of 2 words",
            "ring 0, position 8: 10 bytes, 09090909090909090909",
            "ring 1: head 0, tail 1, open",
            "not empty: epoch 1, waiting: nobody",
            "not full: epoch 1, waiting: nobody",
            "ring 1, position 0: 0 bytes, ",
        ],
    );
}

#[test]
fn who_waits_is_seen_waiting() {
    let Some(reader) = Reader::build() else { return };
    let name = Name::new("c-waits");
    let options = Queue::<u64>::options().capacity(1).max_members(4).wait(Wait::Park);
    let options = options.recheck(NO_RECHECK);
    let (first, second) = (options.create(&name).unwrap(), options.open(&name).unwrap());
    let (sender, receiver) = (second.sender(), first.receiver());
    sender.send(1).unwrap();
    let view = View::open(name.path());
    std::thread::scope(|scope| {
        scope.spawn(|| sender.send(2).unwrap());
        assert!(eventually(LONG, || view.producer_waits(0)));
        let lines = reader.lines(&name);
        receiver.recv().unwrap();
        assert!(lines.contains(&"not full: epoch 0, waiting: 1".to_owned()), "{lines:#?}");
    });
    let after = reader.lines(&name);
    assert!(after.contains(&"not full: epoch 1, waiting: nobody".to_owned()), "{after:#?}");
}

#[test]
fn a_pipe_is_seen_with_the_pieces_of_a_record_that_is_not_over() {
    let Some(reader) = Reader::build() else { return };
    let name = Name::new("c-pieces");
    let mut here = Connection::options().capacity(128).create(&name).unwrap();
    let mut there = Connection::options().open(&name).unwrap();
    there.set_max_len(1000);
    let mut writer = here.begin().unwrap();
    writer.write_all(&[7; 20]).unwrap();
    writer.flush().unwrap();
    let lines = reader.lines(&name);
    let seven = "07".repeat(16);
    for line in [
        "format: version 1, minor 1",
        "features: [long records]",
        "ring 0: a record in pieces, at most 1000 bytes",
        &format!("ring 0, position 0: first piece, 16 bytes: {seven}"),
        "ring 0, position 4: piece, 4 bytes: 07070707",
        "ring 1: nothing in pieces",
    ] {
        assert!(lines.iter().any(|found| found == line), "no {line:?} in {lines:#?}");
    }
    drop(writer);
    let cut = "ring 0, position 6: cut short".to_owned();
    assert!(reader.lines(&name).contains(&cut), "{:#?}", reader.lines(&name));
}
