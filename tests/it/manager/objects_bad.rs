//! What objects refuse, with a typed error, and go on as if nothing had been asked.

use ringway::manager::{
    Answer, Arguments, CallError, Caller, Client, Encoder, Object, Proxy, QueueError, Refusal,
    Server,
};

use super::{counts, serve};
use crate::util::{LONG, Name, eventually};

#[track_caller]
fn refusal<R: std::fmt::Debug>(told: Result<R, CallError>) -> Refusal {
    match told {
        Err(CallError::Refused(why)) => why,
        other => panic!("not refused: {other:?}"),
    }
}

fn out_of_range(index: u64, len: u64) -> Refusal {
    Refusal::OutOfRange { index, len }
}

#[test]
fn what_is_out_of_range_says_the_index_and_how_many_there_are() {
    let name = Name::new("range");
    let server = serve(&name);
    let client = server.client().unwrap();
    let list = client.new_list::<u8>().unwrap();
    list.extend(&[1, 2, 3]).unwrap();
    assert_eq!(list.get(3).unwrap(), None);
    assert_eq!(refusal(list.set(3, &0)), out_of_range(3, 3));
    assert_eq!(refusal(list.insert(4, &0)), out_of_range(4, 3));
    assert_eq!(refusal(list.remove(usize::MAX)), out_of_range(u64::MAX, 3));
    assert_eq!(refusal(list.swap(0, 9)), out_of_range(9, 3));
    assert_eq!(refusal(list.slice(1..=3)), out_of_range(4, 3));
    #[allow(clippy::reversed_empty_ranges, reason = "it is what is refused")]
    let reversed = list.slice(2..1);
    assert_eq!(refusal(reversed), out_of_range(2, 1));
    assert_eq!(refusal(list.drain(4..)), out_of_range(4, 3));
    assert_eq!(refusal(list.drain(..=usize::MAX)), out_of_range(u64::MAX, 3));
    assert_eq!(refusal(list.update(7, |n| *n)), out_of_range(7, 3));
    let text = out_of_range(7, 3).to_string();
    assert_eq!(text, "index 7 of 3");
    let array = client.new_array(2, &0u8).unwrap();
    assert_eq!(refusal(array.set_slice(1, &[1, 2])), out_of_range(3, 2));
    assert_eq!(refusal(array.compare_exchange(2, &0, &1)), out_of_range(2, 2));
    assert_eq!((list.to_vec().unwrap(), array.to_vec().unwrap()), (vec![1, 2, 3], vec![0, 0]));
}

#[test]
fn a_name_is_of_one_kind_and_type() {
    let name = Name::new("types");
    let server = serve(&name);
    let client = server.client().unwrap();
    let list = client.list::<u32>("list").unwrap();
    let _map = client.map::<u32, u32>("map").unwrap();
    let _array = client.array("array", 3, &0u32).unwrap();
    let wrong = |why: Refusal, is: &str, wanted: &str| match why {
        Refusal::WrongType { is: found, wanted: asked } => {
            assert!(found.starts_with(is) && asked.starts_with(wanted), "{found}, {asked}");
        }
        other => panic!("{other}"),
    };
    wrong(refusal(client.list::<i32>("list")), "list", "list");
    wrong(refusal(client.set::<u32>("list")), "list", "set");
    wrong(refusal(client.map::<u32, u64>("map")), "map", "map");
    wrong(refusal(client.map::<u64, u32>("map")), "map", "map");
    wrong(refusal(client.namespace("map")), "map", "namespace");
    wrong(refusal(client.array("array", 4, &0u32)), "an array of 3", "an array of 4");
    wrong(refusal(client.array("array", 3, &0u8)), "array", "array");
    let space = client.namespace("space").unwrap();
    space.set("depth", &1u32).unwrap();
    wrong(refusal(space.get::<u64>("depth")), "u32", "u64");
    wrong(refusal(space.get_or_set("depth", &"deep".to_owned())), "u32", "alloc::string::String");
    wrong(refusal(space.update("depth", |_: Option<&i32>| 1)), "u32", "i32");
    assert_eq!(space.get::<u32>("depth").unwrap(), Some(1));
    list.push(&1).unwrap();
}

#[test]
fn what_is_too_long_is_refused() {
    let name = Name::new("long");
    let server = serve(&name);
    let client = server.client().unwrap();
    for len in [1 << 22, 1 << 30, usize::MAX] {
        let why = refusal(client.new_array(len, &0u8));
        assert!(matches!(why, Refusal::TooLong { len, max } if len > max && max == 64 << 20));
    }
    // What it refers to is counted too.
    let one = client.new_value(&1u8).unwrap();
    let why = refusal(client.new_array(1 << 16, &vec![one; 120]));
    assert!(matches!(why, Refusal::TooLong { .. }), "{why}");
    let array = client.new_array(5000, &String::new()).unwrap();
    let why = refusal(array.fill(&"x".repeat(300_000)));
    assert!(matches!(why, Refusal::TooLong { .. }), "{why}");
    let space = client.namespace("space").unwrap();
    let why = refusal(space.set(&"n".repeat(201), &1u8));
    assert_eq!(why, Refusal::TooLong { len: 201, max: 200 });
    space.set(&"n".repeat(200), &1u8).unwrap();
    assert_eq!(space.len().unwrap(), 1);
}

/// Calls `method` with arguments that no proxy of the library sends.
#[track_caller]
fn is_undecodable(
    proxy: &Proxy,
    method: &str,
    encode: impl FnOnce(&mut Encoder<'_>) -> Result<(), CallError>,
) {
    let why = refusal(proxy.call_with::<()>(method, encode));
    assert!(matches!(why, Refusal::Undecodable(_)), "{method}: {why}");
}

#[test]
fn arguments_that_make_no_sense_change_nothing() {
    let name = Name::new("arguments");
    let server = serve(&name);
    let client = server.client().unwrap();
    let list = client.new_list::<u8>().unwrap();
    list.extend(&[1, 2]).unwrap();
    let map = client.new_map::<u8, u8>().unwrap();
    map.insert(&1, &2).unwrap();
    let array = client.new_array(2, &5u8).unwrap();
    let (set, space) = (client.new_set::<u8>().unwrap(), client.new_namespace().unwrap());
    let version = list.version().unwrap();
    for proxy in [list.proxy(), map.proxy(), array.proxy(), set.proxy(), space.proxy()] {
        let why = refusal(proxy.call_with::<()>("shuffle", |_| Ok(())));
        assert_eq!(why, Refusal::UnknownMethod("shuffle".to_owned()));
        is_undecodable(proxy, "len", |to| to.put(&1u8));
    }
    for proxy in [list.proxy(), map.proxy(), set.proxy()] {
        // More are promised than come.
        is_undecodable(proxy, "extend", |to| to.put(&u64::MAX));
        is_undecodable(proxy, "extend", |to| {
            to.put(&2u64)?;
            to.value(&1u8)
        });
    }
    is_undecodable(list.proxy(), "push", |_| Ok(()));
    is_undecodable(list.proxy(), "pick", |to| to.put(&(version, vec![0u64, 0])));
    is_undecodable(map.proxy(), "insert", |to| to.value(&1u8));
    is_undecodable(space.proxy(), "set", |to| to.put("name"));
    let why = refusal(list.proxy().call::<bool>("pick", &(version, vec![2u64])));
    assert_eq!(why, out_of_range(2, 2));
    let why = refusal(map.proxy().call::<bool>("keep", &(map.version().unwrap(), vec![1u64])));
    assert_eq!(why, out_of_range(1, 1));
    let why = refusal(array.proxy().call::<bool>("pick", &(array.version().unwrap(), vec![0u64])));
    assert!(matches!(why, Refusal::WrongType { .. }), "{why}");
    assert!(matches!(
        refusal(array.put_back(array.version().unwrap(), &[1])),
        Refusal::WrongType { .. }
    ));
    assert_eq!((list.to_vec().unwrap(), list.version().unwrap()), (vec![1, 2], version));
    assert_eq!((map.items().unwrap(), array.to_vec().unwrap()), (vec![(1, 2)], vec![5, 5]));
    assert!(set.is_empty().unwrap() && space.is_empty().unwrap());
}

#[test]
fn only_what_has_a_name_is_kept() {
    let name = Name::new("nameless");
    let server = serve(&name);
    let client = server.client().unwrap();
    let (list, other) = (client.list::<u8>("list").unwrap(), client.new_list::<u8>().unwrap());
    client.keep(list.proxy()).unwrap();
    assert_eq!(refusal(client.keep(other.proxy())), Refusal::Nameless);
    assert!(client.remove("list").unwrap());
    assert_eq!(refusal(client.keep(list.proxy())), Refusal::Nameless);
    drop((list, other));
    let gone = || counts(&name).1 == 0;
    assert!(eventually(LONG, gone), "{:?}", counts(&name));
}

/// A type that calls itself what another is called.
struct Impostor;

impl Object for Impostor {
    const TYPE: &'static str = "list";

    fn create(_: Arguments<'_>) -> Result<Self, Refusal> {
        Ok(Self)
    }

    fn call(&mut self, _: &str, _: Arguments<'_>, _: &mut Caller<'_>) -> Result<Answer, Refusal> {
        Ok(Answer::nothing())
    }
}

#[test]
#[should_panic(expected = "a type of the name \"list\" is there already")]
fn the_name_of_a_type_is_given_once() {
    let name = Name::new("impostor");
    Server::bind(&name).unwrap().register::<Impostor>();
}

#[test]
fn what_is_beyond_the_bounds_of_a_value_is_not_stored_and_what_is_together_is_read_one_by_one() {
    let name = Name::new("bounds");
    let server = serve(&name);
    let client = server.client().unwrap();
    let list = client.new_list::<Vec<()>>().unwrap();
    let unwritable = |told: Result<(), CallError>| {
        assert!(matches!(told, Err(CallError::Unserializable(_))), "{told:?}");
    };
    unwritable(list.push(&vec![(); 70_000]));
    unwritable(list.extend(&[vec![()], vec![(); 70_000]]));
    unwritable(client.map::<Vec<()>, u8>("m").unwrap().insert(&vec![(); 70_000], &1).map(drop));
    unwritable(client.queue::<Vec<()>>("q", None).unwrap().put(&vec![(); 70_000]).map_err(failed));
    unwritable(client.new_value(&vec![(); 70_000]).map(drop));
    assert!(list.is_empty().unwrap(), "nothing of it is there");
    list.push(&vec![(); 65_536]).unwrap();
    assert_eq!(list.get(0).unwrap().unwrap().len(), 65_536);
    list.push(&vec![(); 65_536]).unwrap();
    assert!(matches!(list.to_vec(), Err(CallError::Undecodable(_))), "both are too many");
    assert_eq!(list.pop().unwrap().unwrap().len(), 65_536);
    assert_eq!(list.len().unwrap(), 1);
}

fn failed(why: QueueError) -> CallError {
    match why {
        QueueError::Failed(why) => why,
        why => panic!("{why:?}"),
    }
}

#[test]
fn an_answer_of_another_type_is_its_callers_error() {
    let name = Name::new("answers");
    let server = serve(&name);
    let client = server.client().unwrap();
    let list = client.list::<String>("list").unwrap();
    list.push(&"some text".to_owned()).unwrap();
    // A proxy without types can be asked for anything.
    let told = client.find("list").unwrap().call::<Option<u64>>("get", &0usize);
    assert!(matches!(told, Err(CallError::Undecodable(_))), "{told:?}");
    let other = Client::connect(&name).unwrap();
    assert_eq!(other.list::<String>("list").unwrap().to_vec().unwrap(), ["some text"]);
}
