//! Clients that send what no client sends: their connection ends, and nobody else notices.

mod raw;

use std::io::Write;

use ringway::RecvError;
use ringway::manager::{CallError, Client, Server, inspect};
use ringway::pipe::{Connection, Direction};
use ringway::queue::Queue;

use super::{Attendance, counts, serve};
use crate::util::{LONG, Name, PROMPT, Random, eventually, within};
use raw::{Raw, VERSION, Witness, say_hello};

#[test]
fn garbage_ends_the_connection_of_who_sent_it() {
    let name = Name::new("garbage");
    let server = serve(&name);
    let witness = Witness::new(&name);
    let mut frames: Vec<Vec<u8>> = vec![
        vec![],
        vec![99],
        vec![0],
        vec![0, 1, 0, 200],
        // A part of nothing, one that is longer than it says, and one that is not in parts.
        vec![5, 1, 10],
        [vec![5, 1, 2], vec![0; 9]].concat(),
        [vec![5, 1, 3], vec![5, 1, 3]].concat(),
        // An acknowledgement of nothing.
        vec![3, 77],
        [vec![0xff; 200]].concat(),
    ];
    let mut random = Random(3);
    for len in 1..40 {
        let byte = |_| u8::try_from(random.below(256)).unwrap();
        frames.push((0..len).map(byte).collect());
    }
    for frame in frames {
        let mut raw = Raw::enter(&name);
        raw.send(&frame);
        // Where it is no garbage but a call it is answered, and the next is garbage.
        let _ = raw.0.send(&[99]);
        while raw.recv().is_ok() {}
        witness.check();
    }
    assert!(eventually(LONG, || counts(&name) == (1, 2, 0, 0)), "{:?}", counts(&name));
    drop(server);
}

#[test]
fn garbage_at_the_door_is_left_alone() {
    let name = Name::new("garbage-door");
    let server = serve(&name);
    let witness = Witness::new(&name);
    let door = Queue::<[u8]>::options().open(&name).unwrap().sender();
    let foreign = Name::new("foreign");
    let _pipe = Connection::options().create(&foreign).unwrap();
    let long = |name: &str| {
        let len = u8::try_from(name.len()).unwrap();
        [&VERSION.to_le_bytes()[..], &[len], name.as_bytes(), &[0, 0]].concat()
    };
    let mut knocks = vec![vec![], vec![1], vec![1, 0, 0, 0, 200], long(&foreign), long(&name)];
    knocks.push(long(&format!("{}.c/../x", &*name)));
    knocks.push(long(&format!("{}.server", &*name)));
    for knock in knocks {
        door.send(&knock).unwrap();
    }
    witness.check();
    assert!(foreign.exists(), "a pipe that is not the server's");
    Raw::enter(&name);
    drop(server);
}

#[test]
fn another_version_is_told_which_this_is() {
    let name = Name::new("versions");
    let server = serve(&name);
    let mut raw = Raw::knock(&name, 2, b"whatever it says there");
    assert_eq!(raw.recv().unwrap()[..4], VERSION.to_le_bytes());
    assert_eq!(raw.recv(), Err(RecvError::Closed));
    server.shutdown().unwrap();

    // And the other way: a server of another version.
    let door = Queue::<[u8]>::options().remove_when_unused().create(&name).unwrap();
    let knocks = door.receiver();
    let told = std::thread::scope(|scope| {
        let client = scope.spawn(|| Client::connect(&name).map(drop));
        let knock = within(PROMPT, || knocks.recv()).unwrap();
        let pipe = std::str::from_utf8(&knock[5..5 + usize::from(knock[4])]).unwrap();
        let mut connection = Connection::options().open(pipe).unwrap();
        connection.send(b"\x09\0\0\0 of a later version").unwrap();
        client.join().unwrap()
    });
    assert!(matches!(told, Err(CallError::Version { found: 9, expected: 1 })), "{told:?}");
}

#[test]
fn an_answer_that_nobody_took_is_undone() {
    let name = Name::new("untaken");
    let server = serve(&name);
    let witness = Witness::new(&name);
    let mut raw = Raw::enter(&name);
    let gate = raw.gate();
    raw.call(10, &gate, "enter");
    assert_eq!(raw.recv().unwrap()[..3], [0, 10, 1]);
    assert_eq!(counts(&name).3, 1, "it is lent");
    drop(raw);
    assert!(eventually(LONG, || witness.log().len() == 2), "{:?}", witness.log());
    assert_eq!(witness.log(), ["undone", "died"], "not as of an owner that died");
    witness.gate.call_with::<()>("enter", |_| Ok(())).unwrap();
    assert_eq!(counts(&name), (1, 2, 0, 1));
    drop(server);
}

#[test]
fn who_waits_for_what_it_let_go_is_told_that_it_is_gone() {
    let name = Name::new("waits-for-gone");
    let server = serve(&name);
    let mut raw = Raw::enter(&name);
    let gate = raw.gate();
    raw.call(10, &gate, "enter");
    assert_eq!(raw.recv().unwrap()[..3], [0, 10, 1]);
    raw.call(11, &gate, "enter");
    raw.send(&[&[2], &gate[..]].concat());
    assert_eq!(raw.0.recv_timeout(PROMPT).unwrap()[..2], [1, 11], "refused");
    assert_eq!(counts(&name), (1, 0, 0, 0));
    drop(raw);
    server.shutdown().unwrap();
}

#[test]
fn a_place_at_a_barrier_that_nobody_took_is_free_and_nothing_breaks() {
    let name = Name::new("untaken-place");
    let server = serve(&name);
    let client = Client::connect(&name).unwrap();
    let mut mine = client.barrier("b", 2).unwrap();
    let mut raw = Raw::enter(&name);
    let barrier = raw.find("b");
    raw.call(10, &barrier, "join");
    assert_eq!(raw.recv().unwrap()[..3], [0, 10, 1]);
    assert_eq!(counts(&name).3, 2);
    drop(raw);
    assert!(eventually(LONG, || counts(&name).3 == 1), "{:?}", counts(&name));
    let mut other = client.barrier("b", 2).unwrap();
    std::thread::scope(|scope| {
        let waits = scope.spawn(|| other.wait());
        assert!(within(PROMPT, || mine.wait()).is_ok());
        waits.join().unwrap().unwrap();
    });
    drop((mine, other, client));
    server.shutdown().unwrap();
}

#[test]
fn references_that_are_made_up_harm_nobody() {
    let name = Name::new("made-up");
    let server = serve(&name);
    let witness = Witness::new(&name);
    let mut raw = Raw::enter(&name);
    let gate = raw.gate();
    for _ in 0..3 {
        raw.send(&[&[2], &gate[..]].concat());
    }
    raw.call(10, &gate, "log");
    raw.recv().unwrap();
    witness.check();
    assert_eq!(witness.gate.call::<u64>("add", &1u64).unwrap(), 1, "it has a reference of its own");
    // Values that refer to what is not there, or say so of more than they have.
    for value in
        [&[1, 0, 0, 0, 7, 1, 255, 1][..], &[1, 0, 0, 0, 7, 255, 255, 255, 255, 15], &[255; 8]]
    {
        raw.call(11, &gate, "echo");
        raw.recv().unwrap();
        let mut frame = vec![0, 12];
        frame.extend_from_slice(&gate);
        frame.extend_from_slice(b"\x04echo");
        frame.extend_from_slice(value);
        raw.send(&frame);
        assert_eq!(raw.recv().unwrap()[..2], [1, 12]);
    }
    // A second call while one waits.
    witness.gate.call_with::<()>("enter", |_| Ok(())).unwrap();
    raw.call(13, &gate, "enter");
    raw.call(14, &gate, "log");
    assert!(raw.recv().is_err());
    drop(raw);
    assert!(eventually(LONG, || counts(&name) == (1, 2, 0, 1)), "{:?}", counts(&name));
    drop(server);
}

#[test]
fn who_leaves_answers_lying_is_cut_off() {
    let name = Name::new("lying");
    let server = serve(&name);
    let witness = Witness::new(&name);
    let mut raw = Raw::enter(&name);
    let gate = raw.gate();
    // None of their answers is read: at some time there is no room for more, and the server has not waited.
    while raw.0.send(&[&[0, 10], &gate[..], b"\x03log"].concat()).is_ok() {}
    while raw.recv().is_ok() {}
    witness.check();
    drop(server);
}

#[test]
fn who_acknowledges_nothing_is_cut_off() {
    let name = Name::new("no-acks");
    let server = serve(&name);
    let witness = Witness::new(&name);
    let mut raw = Raw::enter(&name);
    let gate = raw.gate();
    let mut frame = vec![1, 9, 4];
    frame.extend_from_slice(b"gate\x01\x04gate");
    frame.extend_from_slice(&[0; 16]);
    for _ in 0..17 {
        raw.send(&frame);
        assert_eq!(raw.recv().unwrap()[4..][..gate.len()], gate);
    }
    assert!(eventually(LONG, || raw.0.send(&frame).is_err() || raw.recv().is_err()));
    witness.check();
    drop(raw);
    assert!(eventually(LONG, || counts(&name) == (1, 2, 0, 0)), "{:?}", counts(&name));
    drop(server);
}

#[test]
fn a_pipe_of_another_kind_is_not_let_in() {
    let name = Name::new("in-pieces");
    let server = serve(&name);
    let witness = Witness::new(&name);
    let (pipe, mut connection) = Raw::pipe(&name, &Connection::options());
    let mut record = connection.begin().unwrap();
    record.write_all(&[0; 3000]).unwrap();
    say_hello(&name, &pipe, VERSION, &[0, 0]);
    let written = within(PROMPT, || record.write_all(&vec![0; 1 << 20]));
    assert!(written.is_err(), "nobody takes it");
    drop(record);
    assert!(within(PROMPT, || connection.recv()).is_err(), "it is not let in");
    witness.check();
    let one_way = Connection::options().direction(Direction::Send);
    let mut raw = Raw::knock_with(&name, &one_way, VERSION, &[0, 0]);
    assert!(raw.recv().is_err());
    witness.check();
    drop(server);
}

#[test]
fn parts_that_change_their_minds_get_no_memory() {
    let name = Name::new("parts");
    let server = serve(&name);
    let witness = Witness::new(&name);
    let part =
        |request: u8, total: &[u8], len: usize| [&[5, request], total, &vec![0; len]].concat();
    // One that is refused for its length, all of which has to come, is answered; then one whose length or number changes.
    let mut raw = Raw::enter(&name);
    raw.send(&part(1, &[232, 7], 500));
    raw.send(&part(1, &[232, 7], 499));
    raw.send(&part(1, &[233, 7], 2));
    assert!(raw.recv().is_err());
    let mut raw = Raw::enter(&name);
    raw.send(&part(1, &[232, 7], 500));
    raw.send(&part(2, &[232, 7], 500));
    assert!(raw.recv().is_err());
    witness.check();
    drop(server);
}

#[test]
fn who_joins_a_session_that_is_not_there_is_refused() {
    let name = Name::new("no-session");
    let server = serve(&name);
    let witness = Witness::new(&name);
    // By a number made up, and by the one that the counters show.
    let shown = inspect(&name).unwrap().sessions[0].session;
    for session in [99, u8::try_from(shown).unwrap()] {
        let mut raw = Raw::knock(&name, VERSION, &[0, session]);
        assert_eq!(raw.recv().unwrap()[..6], [1, 0, 0, 0, 1, 0]);
        assert_eq!(raw.recv(), Err(RecvError::Closed));
    }
    witness.check();
    drop(server);
}

/// Between two rounds of those who are in, four at most are let in, however many are at the door.
#[test]
fn who_floods_the_door_waits_while_others_are_served() {
    const KNOCKS: usize = 40;
    let name = Name::new("flood-door");
    let mut server = Server::bind(&name).unwrap();
    server.register::<Attendance>();
    let server = server.spawn();
    let witness = Client::connect(&name).unwrap();
    let attendance = witness.create_object::<Attendance>(Some("a"), &(&*name, 0usize)).unwrap();
    let mut raw = Raw::enter(&name);
    let number = raw.find("a");
    let pipes = std::thread::scope(|scope| {
        scope.spawn(|| attendance.call::<usize>("last", &()).unwrap());
        Attendance::reach(0, 1);
        // All of it is there before the server looks at any.
        let knock = |_| Raw::knock(&name, VERSION, &[0, 0]);
        let pipes: Vec<Raw> = (0..KNOCKS).map(knock).collect();
        (0..100).for_each(|request| raw.call(request, &number, "count"));
        Attendance::set(0, 2);
        pipes
    });
    let counted: Vec<u8> = (0..100).map(|_| raw.recv().unwrap()[4]).collect();
    let steps = counted.windows(2).map(|two| two[1] - two[0]);
    assert!(steps.max().unwrap() <= 4, "{counted:?}");
    assert!(counted[99] > counted[0] + 4, "some came in meanwhile: {counted:?}");
    drop((pipes, attendance, witness));
    server.shutdown().unwrap();
}
