//! A reader in C of files that no library wrote, or not this one: refused with a reason, and never a crash.

use std::fs;

use ringway::pipe::Connection;
use ringway::queue::Queue;
use ringway::spsc::Producer;
use ringway::{ErrorKind, Options};

use crate::util::reader::Reader;
use crate::util::view::View;
use crate::util::{Name, Random};

/// Does something to a file.
type Change<'a> = &'a dyn Fn();

#[test]
fn files_that_a_reader_cannot_read_are_refused_with_a_reason() {
    let Some(reader) = Reader::build() else { return };
    let name = Name::new("c-hostile");
    let path = name.path();
    let (code, why) = reader.refuses(path);
    assert_eq!((code, why.as_str()), (2, "No such file or directory"));
    let refused = |why: &str| assert_eq!(reader.refuses(path), (1, why.to_owned()));
    fs::write(path, b"").unwrap();
    refused("not a ringway segment: the file is shorter than a header");
    fs::write(path, [b'x'; 4096]).unwrap();
    refused("not a ringway segment: it does not begin as one");
    fs::remove_file(path).unwrap();
    drop(Queue::<u64>::options().capacity(4).max_members(4).create(&name).unwrap());
    let view = View::open(path);
    let original = view.bytes(0, 0x980);
    let cut = |len: u64| view.file().set_len(len).unwrap();
    for len in [0x97f, 0x981, 4096, 256] {
        cut(len);
        refused(&format!("the file has {len} bytes, its header says 2432"));
    }
    cut(255);
    refused("not a ringway segment: the file is shorter than a header");
    cut(0x980);
    let restore = || fs::write(path, &original).unwrap();
    let changes: [(Change<'_>, &str); 7] = [
        (&|| view.put_u32(8, 2), "layout version 2, this program reads 1"),
        (&|| view.put_u64(16, 7), "its build lays the same version out differently"),
        (&|| view.put_u32(12, 1), "not a ringway segment: its header does not match its checksum"),
        (&|| sealed(&view, 180, 0x46), "it has features 0x44, which this program does not know"),
        (&|| sealed(&view, 12, 9), "kind 9, which this program does not know"),
        (&|| sealed(&view, 88, 1 << 20), "not a ringway segment: its header contradicts itself"),
        (&|| sealed(&view, 104, 0), "not a ringway segment: its header contradicts itself"),
    ];
    for (change, why) in changes {
        restore();
        change();
        refused(why);
    }
    restore();
    sealed(&view, 176, 3);
    let lines = reader.lines(&name);
    assert_eq!(lines[1], "format: version 1, minor 3", "a later minor version can be read");
}

/// Puts a number into the header and makes the checksum right.
fn sealed(view: &View, offset: u64, value: u32) {
    view.put_u32(offset, value);
    view.seal_header();
}

#[test]
fn words_that_no_member_writes_crash_no_reader() {
    let Some(reader) = Reader::build() else { return };
    let mut random = Random(5);
    let names = [(); 5].map(|()| Name::new("c-noise"));
    drop(Producer::<u64>::options().capacity(8).create(&names[0]).unwrap());
    drop(Connection::options().capacity(64).create(&names[1]).unwrap());
    drop(Queue::<u64>::options().capacity(8).create(&names[2]).unwrap());
    let bytes = Queue::<[u8]>::options().capacity(8).message_len(32).dead_letters(1, 8);
    drop(bytes.create(&names[3]).unwrap());
    drop(bytes.blocks(64, 3).create(&names[4]).unwrap());
    for name in &names {
        let view = View::open(name.path());
        let len = view.file().metadata().unwrap().len();
        for _ in 0..8 {
            for offset in (256..len).step_by(8) {
                view.put_u64(offset, random.next() >> random.below(64));
            }
            assert!(reader.lines(name).len() > 8);
        }
    }
}

/// What the reader can read the library opens, unless it is of another kind or time than is wanted, and the other way
/// round.
#[test]
fn a_reader_and_the_library_agree_on_every_header() {
    let Some(reader) = Reader::build() else { return };
    let options = || Queue::<[u8]>::options().capacity(8).message_len(32).max_members(4);
    let plain = options().dead_letters(3, 8);
    agree(&reader, &plain);
    agree(&reader, &plain.blocks(64, 2).max_message(4096).attachments(1));
}

fn agree(reader: &Reader, options: &Options<Queue<[u8]>>) {
    let name = Name::new("c-agree");
    let _in_use = options.create(&name).unwrap();
    let view = View::open(name.path());
    let original = view.bytes(0, 256);
    let (mut read, mut refused) = (0, 0);
    for offset in (8..256).step_by(4).filter(|offset| !(24..32).contains(offset)) {
        for value in [0, 1, 2, 3, 8, 16, 64, 1 << 16, u32::MAX] {
            view.put_bytes(0, &original);
            sealed(&view, offset, value);
            let code = reader.run(name.path()).status.code();
            let opened = options.open(&name).map(drop).map_err(|error| error.kind().clone());
            let unwanted = match &opened {
                Err(ErrorKind::WrongKind(found)) => *found != "something this build does not know",
                Err(ErrorKind::WrongType(_) | ErrorKind::LivenessUnsupported(_)) => true,
                _ => false,
            };
            let expected = i32::from(opened.is_err() && !unwanted);
            assert_eq!(code, Some(expected), "{offset}: {value:#x}: {opened:?}");
            if expected == 0 { read += 1 } else { refused += 1 }
        }
    }
    assert!(read > 40 && refused > 300, "{read} and {refused}");
}
