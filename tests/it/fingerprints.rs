//! Types that say what they are: who means another one learns it on opening.

use std::collections::{BTreeMap, HashMap};

use bytemuck::{Pod, Zeroable};
use ringway::queue::{Postcard, Queue};
use ringway::spsc::{Consumer, Producer};
use ringway::{Description, ErrorKind, Fingerprint};
use serde::{Deserialize, Serialize};

use crate::util::Name;

/// One type of each way to differ, all of the same size and alignment.
macro_rules! orders {
    ($($module:ident { $($(#[$about:meta])* $field:ident: $kind:ty),+ })+) => {$(
        mod $module {
            #[derive(Clone, Copy, super::Pod, super::Zeroable, super::Fingerprint)]
            #[repr(C)]
            pub struct Order { $($(#[$about])* pub $field: $kind),+ }
        }
    )+};
}

orders! {
    first { id: u64, price: u32, count: u32 }
    again { id: u64, price: u32, count: u32 }
    field_renamed { id: u64, cost: u32, count: u32 }
    fields_swapped { id: u64, count: u32, price: u32 }
    moved { price: u32, count: u32, id: u64 }
    of_other_type { id: u64, price: f32, count: u32 }
    nested { id: u64, rest: [u32; 2] }
    opaque { #[fingerprint(opaque = "id 1")] id: u64, price: u32, count: u32 }
    opaque_later { #[fingerprint(opaque = "id 2")] id: u64, price: u32, count: u32 }
}

#[derive(Clone, Copy, Pod, Zeroable, Fingerprint)]
#[fingerprint(name = "Order")]
#[repr(C)]
struct Renamed {
    id: u64,
    price: u32,
    count: u32,
}

#[derive(Fingerprint)]
#[repr(C)]
#[allow(dead_code, reason = "what it is matters, not what is in it")]
struct Pair<T> {
    left: T,
    right: T,
}

fn told<T: Fingerprint>() -> String {
    Description::of_value::<T>().to_string()
}

#[test]
fn values_tell_names_types_offsets_size_and_alignment() {
    assert_eq!(
        told::<first::Order>(),
        "value \"Order\" size 16 align 8{id@0:u64,price@8:u32,count@12:u32,}"
    );
    assert_eq!(told::<first::Order>(), told::<again::Order>());
    assert_eq!(told::<first::Order>(), told::<Renamed>());
    assert!(told::<Pair<u16>>().contains("left@0:u16,right@2:u16"), "{}", told::<Pair<u16>>());
    assert!(told::<opaque::Order>().contains("id@0:opaque \"id 1\","));
}

#[test]
fn types_that_differ_in_anything_but_where_they_are_tell_so() {
    let all = [
        told::<first::Order>(),
        told::<field_renamed::Order>(),
        told::<fields_swapped::Order>(),
        told::<moved::Order>(),
        told::<of_other_type::Order>(),
        told::<nested::Order>(),
        told::<opaque::Order>(),
        told::<opaque_later::Order>(),
        told::<Pair<u64>>(),
        told::<Pair<i64>>(),
    ];
    for (n, one) in all.iter().enumerate() {
        assert!(!all[..n].contains(one), "{one}");
    }
}

#[test]
fn who_means_another_type_of_the_same_size_is_refused_on_opening() {
    let name = Name::new("types");
    let queue = Queue::<first::Order>::options().checked().create(&name).unwrap();
    assert!(Queue::<again::Order>::options().checked().open(&name).is_ok());
    assert!(Queue::<Renamed>::options().checked().open(&name).is_ok());
    let refused = [
        Queue::<field_renamed::Order>::options().checked().open(&name).map(drop),
        Queue::<fields_swapped::Order>::options().checked().open(&name).map(drop),
        Queue::<moved::Order>::options().checked().open(&name).map(drop),
        Queue::<of_other_type::Order>::options().checked().open(&name).map(drop),
        Queue::<nested::Order>::options().checked().open_or_create(&name).map(drop),
        Queue::<first::Order>::options().open(&name).map(drop),
        Queue::<first::Order>::options().checked().type_id("order").open(&name).map(drop),
    ];
    for refusal in refused {
        let error = refusal.unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::WrongType(_)), "{error}");
    }
    drop(queue);
}

#[test]
fn rings_between_two_are_checked_likewise_and_beside_an_agreed_name() {
    let name = Name::new("types");
    let agreed = Producer::<first::Order>::options().checked().type_id("v2");
    let _producer = agreed.create(&name).unwrap();
    let open = |options: ringway::Options<Consumer<first::Order>>| options.open(&name).map(drop);
    for wrong in [
        Consumer::options(),
        Consumer::options().checked(),
        Consumer::options().type_id("v2"),
        Consumer::options().type_id("v1").checked(),
    ] {
        let error = open(wrong).unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::WrongType(_)), "{error}");
    }
    let moved = Consumer::<moved::Order>::options().checked().type_id("v2");
    assert!(matches!(moved.open(&name).unwrap_err().kind(), ErrorKind::WrongType(_)));
    open(Consumer::options().type_id("v2").checked()).unwrap();
}

#[derive(Serialize, Deserialize, Fingerprint)]
enum Shape {
    Empty,
    Round { radius: f64 },
    Corners(Vec<(i32, i32)>),
    Group(Vec<Shape>),
}

mod other {
    use super::{Deserialize, Fingerprint, Serialize};

    #[derive(Serialize, Deserialize, Fingerprint)]
    pub enum Shape {
        Round { radius: f64 },
        Empty,
        Corners(Vec<(i32, i32)>),
        Group(Vec<Shape>),
    }

    #[derive(Serialize, Deserialize, Fingerprint)]
    pub struct Plain {
        pub map: super::BTreeMap<String, u8>,
    }
}

#[derive(Serialize, Deserialize, Fingerprint)]
struct Plain {
    #[serde(skip)]
    map: BTreeMap<String, u8>,
}

fn written<T: Fingerprint>() -> String {
    Description::of_serialized::<T>().to_string()
}

#[test]
fn types_of_serde_tell_variants_fields_and_attributes_and_nothing_of_memory() {
    assert_eq!(
        written::<Shape>(),
        "serialized \"Shape\"{|\"Empty\"()|\"Round\"(radius:f64,)|\"Corners\"(0:Vec<<i32,i32,>,>,)\
         |\"Group\"(0:Vec<#0,>,)}"
    );
    assert_ne!(written::<Shape>(), written::<other::Shape>(), "variants go by their order");
    assert_ne!(written::<Plain>(), written::<other::Plain>(), "an attribute of serde differs");
    assert!(written::<Plain>().contains("map[serde(skip)]:"));
    assert_eq!(written::<HashMap<u8, Box<str>>>(), "serialized HashMap<u8,str,>");
    assert_eq!(written::<String>(), written::<Box<str>>(), "both are written as text");
}

#[test]
fn a_queue_of_serialised_values_is_always_checked() {
    let name = Name::new("types");
    let _queue = Queue::<Postcard<Shape>>::options().create(&name).unwrap();
    Queue::<Postcard<Shape>>::options().open(&name).unwrap();
    // Who forwards what it need not understand says whose form it is.
    let text = written::<Shape>();
    Queue::<[u8]>::options().type_id(&text).open(&name).unwrap();
    let refused = [
        Queue::<Postcard<other::Shape>>::options().open(&name).map(drop),
        Queue::<Postcard<Shape>>::options_named("shape").open(&name).map(drop),
        Queue::<[u8]>::options().open(&name).map(drop),
    ];
    for refusal in refused {
        let error = refusal.unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::WrongType(_)), "{error}");
    }
    let values = Queue::<u64>::options().open(&name).unwrap_err();
    assert!(matches!(values.kind(), ErrorKind::WrongKind(_)), "{values}");
}

#[test]
fn without_a_fingerprint_or_a_name_nobody_makes_or_opens_a_queue_of_serialised_values() {
    /// It does not say what it is.
    #[derive(Serialize, Deserialize)]
    struct Mute(u8);
    let name = Name::new("types");
    let silent = ringway::Options::<Queue<Postcard<Mute>>>::default();
    let _queue = Queue::<Postcard<Mute>>::options_named("mute 1").create(&name).unwrap();
    let refused =
        [silent.open(&name), silent.create(&name), silent.open_or_create(&name), silent.unnamed()];
    for refusal in refused {
        let error = refusal.unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::InvalidOption(_)), "{error}");
    }
    Queue::<Postcard<Mute>>::options_named("mute 1").open(&name).unwrap();
    let later = Queue::<Postcard<Mute>>::options_named("mute 2").open(&name).unwrap_err();
    assert!(matches!(later.kind(), ErrorKind::WrongType(_)), "{later}");
}
