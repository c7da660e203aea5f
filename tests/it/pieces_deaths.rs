//! Either side is killed in the middle of a record in pieces: an error on the other side, and the next record is unharmed.

use std::io::{Read, Write};
use std::thread;

use ringway::pipe::{Connection, Direction};
use ringway::{Fault, Options, RecvError, SendError};

use crate::util::child::{Child, hear, say};
use crate::util::view::View;
use crate::util::{LONG, NO_RECHECK, Name, PROMPT, within};

pub fn play(role: &str, arguments: &[&str]) {
    let mut end = pipes().open(arguments[0]).unwrap();
    match role {
        "write" => {
            let mut writer = end.begin().unwrap();
            writer.write_all(&[1; 100]).unwrap();
            writer.flush().unwrap();
            say("begun");
            hear();
        }
        "send" => {
            say("sending");
            end.send(&vec![1; 1 << 20]).unwrap();
        }
        "read" => {
            let mut reader = end.reader().unwrap();
            reader.read_exact(&mut [0; 150]).unwrap();
            say("begun");
            hear();
        }
        "receive in part" => {
            say(&format!("{:?}", end.try_recv()));
            hear();
        }
        _ => panic!("no role {role}"),
    }
}

/// A pipe in which deaths are found by asking.
fn pipes() -> Options<Connection> {
    Connection::options().capacity(256).recheck(NO_RECHECK)
}

fn child(role: &str, name: &Name, says: &str) -> Child {
    let child = Child::spawn(&format!("pieces_deaths::{role}"), &[name]);
    child.expect(says);
    child
}

const CUT_SHORT: Result<Vec<u8>, RecvError> = Err(RecvError::Failed(Fault::CutShort));

#[test]
fn a_sender_killed_in_the_middle_cuts_its_record_short_and_no_more() {
    for direction in [Direction::Both, Direction::Receive] {
        let name = Name::new("cut");
        let mut here = pipes().direction(direction).create(&name).unwrap();
        child("write", &name, "begun").kill();
        here.recover().unwrap();
        assert_eq!(within(PROMPT, || here.recv()), CUT_SHORT);
        assert_eq!(within(PROMPT, || here.recv()), Err(RecvError::Disconnected));
        let mut heir = pipes().open(&name).unwrap();
        heir.send(b"from its heir").unwrap();
        assert_eq!(within(PROMPT, || here.recv()).unwrap(), b"from its heir");
        heir.send(b"and more").unwrap();
        assert_eq!(within(PROMPT, || here.recv()).unwrap(), b"and more");
    }
}

#[test]
fn an_heir_of_a_killed_sender_says_that_the_record_is_cut_short() {
    let name = Name::new("heir");
    let mut here = pipes().create(&name).unwrap();
    child("write", &name, "begun").kill();
    here.recover().unwrap();
    // Before anybody has looked: who waits is told by the heir, although that sends nothing.
    let heir = pipes().open(&name).unwrap();
    assert_eq!(within(PROMPT, || here.recv()), CUT_SHORT);
    drop(heir);
    assert_eq!(within(PROMPT, || here.recv()), Err(RecvError::Disconnected));
}

#[test]
fn a_receiver_that_reads_is_told_of_the_death_of_its_sender() {
    let name = Name::new("reader");
    let mut here = pipes().watch().create(&name).unwrap();
    let child = child("write", &name, "begun");
    let mut reader = here.reader().unwrap();
    reader.read_exact(&mut [0; 40]).unwrap();
    let killer = thread::spawn(move || child.kill());
    reader.set_timeout(LONG);
    let error = within(LONG, || reader.read_to_end(&mut Vec::new())).unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::UnexpectedEof);
    killer.join().unwrap();
    drop(reader);
    assert_eq!(within(PROMPT, || here.recv()), Err(RecvError::Disconnected));
}

#[test]
fn a_sender_killed_anywhere_in_a_long_record_leaves_the_pipe_in_order() {
    for pause in 0..20 {
        let name = Name::new("anywhere");
        let mut here = pipes().watch().create(&name).unwrap();
        let child = child("send", &name, "sending");
        let mut reader = here.reader_timeout(LONG).unwrap();
        reader.read_exact(&mut vec![0; 1 + 777 * pause]).unwrap();
        child.kill();
        let error = reader.read_to_end(&mut Vec::new()).unwrap_err();
        assert_eq!(error.kind(), std::io::ErrorKind::UnexpectedEof);
        drop(reader);
        let mut heir = pipes().open(&name).unwrap();
        heir.send(b"next").unwrap();
        assert_eq!(within(PROMPT, || here.recv()).unwrap(), b"next");
        heir.send(b"and next").unwrap();
        assert_eq!(within(PROMPT, || here.recv()).unwrap(), b"and next");
    }
}

#[test]
fn a_receiver_killed_in_the_middle_is_an_error_for_the_sender_and_its_heir_gets_the_next_record() {
    let name = Name::new("receiver");
    let mut here = pipes().watch().create(&name).unwrap();
    let child = Child::spawn("pieces_deaths::read", &[&name]);
    let sender = thread::spawn(move || {
        let lost = here.send(&[1; 10_000]);
        assert_eq!(lost, Err(SendError::Disconnected(())));
        here
    });
    child.expect("begun");
    child.kill();
    let mut here = sender.join().unwrap();
    let mut heir = pipes().open(&name).unwrap();
    here.send(b"next").unwrap();
    assert_eq!(heir.recv(), Err(RecvError::Failed(Fault::LostInPart)));
    assert_eq!(heir.recv().unwrap(), b"next");
    here.send(b"and next").unwrap();
    assert_eq!(heir.recv().unwrap(), b"and next");
}

#[test]
fn a_sender_that_does_not_notice_a_new_receiver_is_told_that_its_record_is_lost() {
    let name = Name::new("unnoticed");
    let mut here = pipes().create(&name).unwrap();
    let mut writer = here.begin().unwrap();
    writer.write_all(&[1; 100]).unwrap();
    writer.flush().unwrap();
    child("receive in part", &name, "Err(Empty)").kill();
    let mut heir = pipes().open(&name).unwrap();
    writer.write_all(&[1; 20]).unwrap();
    writer.flush().unwrap();
    assert_eq!(within(PROMPT, || heir.recv()), Err(RecvError::Failed(Fault::LostInPart)));
    assert_eq!(writer.commit(), Err(SendError::Failed((), Fault::CutShort)));
    here.send(b"next").unwrap();
    assert_eq!(within(PROMPT, || heir.recv()).unwrap(), b"next");
}

#[test]
fn a_record_whose_beginning_nobody_took_goes_to_the_heir_whole_and_flagged() {
    let name = Name::new("whole");
    let mut here = pipes().create(&name).unwrap();
    let mut writer = here.begin().unwrap();
    writer.write_all(&[1; 100]).unwrap();
    writer.flush().unwrap();
    let idle = pipes().open(&name).unwrap();
    drop(idle);
    let mut heir = pipes().open(&name).unwrap();
    writer.write_all(&[2; 50]).unwrap();
    writer.commit().unwrap();
    assert_eq!(heir.recv().unwrap(), [[1; 50], [1; 50], [2; 50]].concat());
}

#[test]
fn words_of_the_dead_say_where_a_record_was_and_a_new_owner_clears_them() {
    let name = Name::new("words");
    let mut here = pipes().create(&name).unwrap();
    child("write", &name, "begun").kill();
    here.recover().unwrap();
    let view = View::open(name.path());
    // The pipe goes both ways: what the child sends is on the second ring.
    let outgoing = view.tail(1) + 8;
    assert_eq!(view.u64(outgoing) & 1, 1, "begun");
    drop(pipes().open(&name).unwrap());
    assert_eq!(view.u64(outgoing), view.u64(view.tail(1)) << 1, "ended");
    // As if it had died just before its first piece became visible.
    view.put_u64(outgoing, view.u64(view.tail(1)) << 1 | 1);
    assert_eq!(within(PROMPT, || here.recv()), CUT_SHORT);
    let mut heir = pipes().open(&name).unwrap();
    assert_eq!(view.u64(outgoing), 0);
    heir.send(b"next").unwrap();
    assert_eq!(within(PROMPT, || here.recv()).unwrap(), b"next");
}
