//! Names and options: which are accepted, and what the error says where they are not.

use std::time::Duration;

use ringway::pipe::Connection;
use ringway::spsc::{Consumer, Producer};
use ringway::{Error, ErrorKind, Operation, Options};

use crate::util::{Directory, Name, listing, unique};

type Spsc = Options<Producer<u64>>;

/// Every operation on `name`, with the error of each.
fn refused_by_all(options: &Spsc, name: &str) -> Vec<Error> {
    vec![
        options.create(name).unwrap_err(),
        options.open(name).unwrap_err(),
        options.open_or_create(name).unwrap_err(),
        options.replace(name).unwrap_err(),
        options.unlink(name).unwrap_err(),
    ]
}

#[test]
fn a_name_that_breaks_the_rules_is_refused_by_every_operation() {
    let directory = Directory::in_memory("names");
    let options = Spsc::default().directory(directory.path());
    let long = "x".repeat(194);
    let names = [
        "", ".", "..", ".hidden", "a/b", "/a", "../a", "a\0b", "a b", "a@b", "@", "ünï", "a\n",
        "a\\b", "a:b", "日本", "a\u{7f}", &long,
    ];
    for name in names {
        for error in refused_by_all(&options, name) {
            assert!(matches!(error.kind(), ErrorKind::InvalidName(_)), "{name:?}: {error}");
            assert_eq!(error.name(), name);
        }
    }
    assert_eq!(directory.listing(), [""; 0]);
}

#[test]
fn a_namespace_that_breaks_the_rules_is_refused_by_every_operation() {
    let long = "n".repeat(33);
    for namespace in ["", ".", "a.b", "a/b", "a b", "a@b", "ä", "a\0", &long] {
        let options = Spsc::default().namespace(namespace);
        for error in refused_by_all(&options, "name") {
            assert!(matches!(error.kind(), ErrorKind::InvalidName(_)), "{namespace:?}: {error}");
        }
    }
}

#[test]
fn a_name_of_200_bytes_with_its_namespace_is_accepted_and_one_more_is_not() {
    let directory = Directory::in_memory("long");
    for namespace in ["n", "default", &"n".repeat(32)] {
        let options = Spsc::default().directory(directory.path()).namespace(namespace);
        let name = "x".repeat(200 - namespace.len());
        drop(options.create(&name).unwrap());
        drop(options.open(&name).unwrap());
        options.unlink(&name).unwrap();
        let error = options.create(&format!("{name}x")).unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::InvalidName(_)), "{error}");
    }
}

#[test]
fn a_name_may_have_letters_digits_dots_dashes_and_underscores() {
    let directory = Directory::in_memory("plain");
    let options = Spsc::default().directory(directory.path()).namespace("My_ns-1");
    for name in ["a", "Z9", "-", "_", "a.b", "a..", "orders-2.v1_final"] {
        drop(options.create(name).unwrap());
        assert_eq!(directory.listing(), [format!("ringway.My_ns-1.{name}")]);
        options.unlink(name).unwrap();
    }
}

#[test]
fn namespaces_and_directories_keep_equal_names_apart() {
    let directory = Directory::in_memory("apart");
    let name = Name::new("apart");
    let here = Spsc::default().create(&name).unwrap();
    let there = Spsc::default().directory(directory.path()).create(&name).unwrap();
    let other =
        Spsc::default().directory(directory.path()).namespace("other").create(&name).unwrap();
    drop((here, there, other));
    assert_eq!(directory.listing().len(), 2);
}

#[test]
fn a_name_that_nothing_has_is_not_found() {
    let name = unique("nothing");
    let options = Spsc::default();
    for error in [options.open(&name).unwrap_err(), options.unlink(&name).unwrap_err()] {
        assert_eq!(error.kind(), &ErrorKind::NotFound);
        assert_eq!(std::io::Error::from(error).kind(), std::io::ErrorKind::NotFound);
    }
    let error = Spsc::default().directory("/dev/shm/no such place").open("x").unwrap_err();
    assert_eq!(error.kind(), &ErrorKind::NotFound);
    let error = Spsc::default().directory("/dev/shm/no such place").create("x").unwrap_err();
    assert_eq!(error.kind(), &ErrorKind::InvalidOption("the directory does not exist"));
}

#[test]
fn an_error_says_what_was_done_to_which_and_why() {
    let name = unique("text");
    let options = Spsc::default();
    let error = options.open(&name).unwrap_err();
    let text = format!("open spsc channel \"{name}\": nothing has that name");
    assert!(error.to_string().starts_with(&text), "{error}");
    assert!(std::error::Error::source(&error).is_some(), "the system's answer is its source");
    let error = Connection::options().open("a/b").unwrap_err();
    assert!(error.to_string().starts_with("open pipe \"a/b\": invalid name: "), "{error}");
    let operations: Vec<Operation> =
        refused_by_all(&options, "").iter().map(Error::operation).collect();
    let expected = [
        Operation::Create,
        Operation::Open,
        Operation::OpenOrCreate,
        Operation::Replace,
        Operation::Unlink,
    ];
    assert_eq!(operations, expected);
}

#[test]
fn a_capacity_of_zero_or_beyond_all_memory_is_refused() {
    for capacity in [0, usize::MAX, usize::MAX / 2 + 2, 1 << 62, 1 << 40] {
        let name = Name::new("absurd");
        let error = Spsc::default().capacity(capacity).create(&name).unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::InvalidOption(_)), "{capacity}: {error}");
        let error = ringway::spsc::pair::<u64>(capacity).unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::InvalidOption(_)), "{capacity}: {error}");
        assert!(!name.exists());
    }
    for capacity in [0, usize::MAX, 1 << 42] {
        let error = ringway::pipe::pair(capacity).unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::InvalidOption(_)), "{capacity}: {error}");
    }
}

#[test]
fn options_with_values_that_cannot_be_are_refused_and_leave_nothing() {
    let name = Name::new("options");
    let refused = [
        Spsc::default().max_members(0),
        Spsc::default().max_members(1),
        Spsc::default().max_members(64),
        Spsc::default().max_members(u32::MAX),
        Spsc::default().mode(0),
        Spsc::default().mode(0o400),
        Spsc::default().mode(0o606),
        Spsc::default().mode(0o666),
        Spsc::default().mode(0o4600),
        Spsc::default().mode(0o700),
        Spsc::default().recheck(Duration::ZERO),
        Spsc::default().recheck(Duration::from_micros(999)),
        Spsc::default().recheck(Duration::from_secs(61)),
        Spsc::default().recheck(Duration::MAX),
    ];
    for options in refused {
        for result in [options.create(&name), options.open_or_create(&name), options.replace(&name)]
        {
            let error = result.unwrap_err();
            assert!(matches!(error.kind(), ErrorKind::InvalidOption(_)), "{options:?}: {error}");
        }
        assert!(!name.exists(), "{options:?}");
    }
    let error = Spsc::default().recheck(Duration::MAX).open(&name).unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::InvalidOption(_)), "{error}");
}

#[test]
fn a_channel_of_another_kind_is_not_opened() {
    let name = Name::new("kind");
    let pipe = Connection::options().create(&name).unwrap();
    let error = Consumer::<u64>::options().open(&name).unwrap_err();
    assert_eq!(error.kind(), &ErrorKind::WrongKind("a pipe"));
    let error = Consumer::<u64>::options().open_or_create(&name).unwrap_err();
    assert_eq!(error.kind(), &ErrorKind::WrongKind("a pipe"));
    drop(pipe);
    let _producer = Producer::<u64>::options().replace(&name).unwrap();
    let error = Connection::options().open(&name).unwrap_err();
    assert_eq!(error.kind(), &ErrorKind::WrongKind("an spsc channel"));
}

#[test]
fn elements_of_another_size_or_alignment_are_not_opened() {
    let name = Name::new("element");
    let _producer = Producer::<u64>::options().create(&name).unwrap();
    let errors = [
        Consumer::<u32>::options().open(&name).unwrap_err(),
        Consumer::<[u64; 2]>::options().open(&name).unwrap_err(),
        Consumer::<[u8; 8]>::options().open(&name).unwrap_err(),
        Consumer::<[u8; 0]>::options().open(&name).unwrap_err(),
    ];
    for error in errors {
        assert!(matches!(error.kind(), ErrorKind::WrongType(_)), "{error}");
        assert!(error.to_string().contains("8 bytes aligned to 8 there"), "{error}");
    }
    drop(Consumer::<i64>::options().open(&name).expect("same size and alignment, no type id"));
}

#[test]
fn an_agreed_type_name_must_be_the_same_on_both_sides() {
    let name = Name::new("typed");
    let _producer = Producer::<u64>::options().type_id("order.v1").create(&name).unwrap();
    let untyped = Consumer::<u64>::options;
    for options in [untyped(), untyped().type_id("order.v2"), untyped().type_id("")] {
        let error = options.open(&name).unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::WrongType(_)), "{error}");
    }
    drop(Consumer::<u64>::options().type_id("order.v1").open(&name).unwrap());
    let name = Name::new("typed");
    let _producer = Producer::<u64>::options().create(&name).unwrap();
    assert!(Consumer::<u64>::options().type_id("order.v1").open(&name).is_err());
}

#[test]
fn a_refused_operation_leaves_no_file_and_no_open_descriptor() {
    let directory = Directory::in_memory("traces");
    let options = Spsc::default().directory(directory.path());
    let _holder = options.create("held").unwrap();
    let mapped = || {
        let maps = std::fs::read_to_string("/proc/self/maps").unwrap();
        let own = directory.path().to_str().unwrap().to_owned();
        let links = listing("/proc/self/fd".as_ref());
        let link = |number| std::fs::read_link(format!("/proc/self/fd/{number}")).ok();
        let open = links.into_iter().filter_map(link).filter(|to| to.starts_with(&own)).count();
        (maps.lines().filter(|line| line.contains(&own)).count(), open)
    };
    let before = mapped();
    for _ in 0..10 {
        options.create("held").unwrap_err();
        options.open("held").unwrap_err();
        options.open("none").unwrap_err();
        Connection::options().directory(directory.path()).open("held").unwrap_err();
    }
    assert_eq!((mapped(), directory.listing().len()), (before, 1));
}
