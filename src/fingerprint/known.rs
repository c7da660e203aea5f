//! What types of the language and its library tell of themselves.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap, HashMap, HashSet, LinkedList, VecDeque};
use std::marker::PhantomData;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};
use std::num::{
    NonZeroI8, NonZeroI16, NonZeroI32, NonZeroI64, NonZeroI128, NonZeroU8, NonZeroU16, NonZeroU32,
    NonZeroU64, NonZeroU128, Wrapping,
};
use std::ops::{Range, RangeInclusive};
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use super::{Description, Fingerprint};

/// Types whose name says it all.
macro_rules! by_name {
    ($($type:ty)+) => {$(
        impl Fingerprint for $type {
            fn describe(to: &mut Description) {
                to.word(stringify!($type));
            }
        }
    )+};
}

by_name! {
    () u8 u16 u32 u64 u128 usize i8 i16 i32 i64 i128 isize f32 f64 bool char str
    NonZeroU8 NonZeroU16 NonZeroU32 NonZeroU64 NonZeroU128
    NonZeroI8 NonZeroI16 NonZeroI32 NonZeroI64 NonZeroI128
    IpAddr Ipv4Addr Ipv6Addr SocketAddr SocketAddrV4 SocketAddrV6
    Duration SystemTime PathBuf
}

/// It is written as any text is.
impl Fingerprint for String {
    fn describe(to: &mut Description) {
        to.part::<str>();
    }
}

/// Types that are what their parts are, in a way that the name says.
macro_rules! of_parts {
    ($($type:ident<$($part:ident),+>)+) => {$(
        impl<$($part: Fingerprint),+> Fingerprint for $type<$($part),+> {
            fn describe(to: &mut Description) {
                to.made_of(stringify!($type), &[$(Description::part::<$part>),+]);
            }
        }
    )+};
}

of_parts! {
    Vec<T> VecDeque<T> LinkedList<T> BinaryHeap<T> BTreeSet<T> Option<T> Result<T, E> BTreeMap<K, V>
    Wrapping<T> Range<T> RangeInclusive<T>
}

impl<K: Fingerprint, V: Fingerprint, S: 'static> Fingerprint for HashMap<K, V, S> {
    fn describe(to: &mut Description) {
        to.made_of("HashMap", &[Description::part::<K>, Description::part::<V>]);
    }
}

impl<T: Fingerprint, S: 'static> Fingerprint for HashSet<T, S> {
    fn describe(to: &mut Description) {
        to.made_of("HashSet", &[Description::part::<T>]);
    }
}

/// It is written as what is in it.
impl<T: Fingerprint + ?Sized> Fingerprint for Box<T> {
    fn describe(to: &mut Description) {
        to.part::<T>();
    }
}

/// It is written as what is in it.
impl<T: Fingerprint + ToOwned + ?Sized> Fingerprint for Cow<'static, T> {
    fn describe(to: &mut Description) {
        to.part::<T>();
    }
}

impl<T: ?Sized + 'static> Fingerprint for PhantomData<T> {
    fn describe(to: &mut Description) {
        to.word("PhantomData");
    }
}

impl<T: Fingerprint> Fingerprint for [T] {
    fn describe(to: &mut Description) {
        to.made_of("[]", &[Description::part::<T>]);
    }
}

impl<T: Fingerprint, const N: usize> Fingerprint for [T; N] {
    fn describe(to: &mut Description) {
        to.word("[");
        to.part::<T>();
        to.word(&format!(";{N}]"));
    }
}

macro_rules! tuples {
    ($(($($part:ident)+))+) => {$(
        impl<$($part: Fingerprint),+> Fingerprint for ($($part,)+) {
            fn describe(to: &mut Description) {
                to.made_of("", &[$(Description::part::<$part>),+]);
            }
        }
    )+};
}

tuples! {
    (A) (A B) (A B C) (A B C D) (A B C D E) (A B C D E F) (A B C D E F G) (A B C D E F G H)
    (A B C D E F G H I) (A B C D E F G H I J) (A B C D E F G H I J K) (A B C D E F G H I J K L)
}
