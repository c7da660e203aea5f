//! Segments of later builds, as far as the frozen format says what those may do: features, minor versions, and places
//! that are reserved for both.

use ringway::ErrorKind;
use ringway::spsc::{Consumer, Producer};

use crate::util::Name;
use crate::util::view::{HEADER, View};

fn segment(label: &str) -> Name {
    let name = Name::new(label);
    drop(Producer::<u64>::options().capacity(1024).create(&name).unwrap());
    name
}

/// What opening answers where the bytes from `offset` are `value`, with a right checksum.
fn forged(name: &Name, offset: u64, value: &[u8]) -> Result<(), ErrorKind> {
    let view = View::open(name.path());
    let original = view.bytes(0, HEADER);
    view.put_bytes(offset, value);
    view.seal_header();
    let opened = Consumer::<u64>::options().open(name).map(drop);
    view.put_bytes(0, &original);
    opened.map_err(|error| error.kind().clone())
}

#[test]
fn features_that_this_build_does_not_know_are_refused_by_their_bits() {
    let name = segment("features");
    for bits in (0..32).map(|bit| 1u32 << bit).chain([6, u32::MAX]) {
        let refusal = forged(&name, 180, &bits.to_le_bytes()).unwrap_err();
        assert_eq!(refusal, ErrorKind::UnknownFeatures { bits });
    }
    let text = ErrorKind::UnknownFeatures { bits: 5 }.to_string();
    assert_eq!(text, "it has features 0x5, which this build does not know");
    // A feature explains whatever else this build could not make sense of: a kind, a length, an offset.
    let mut later = [0; 12];
    later[0..4].copy_from_slice(&9u32.to_le_bytes());
    later[4..8].copy_from_slice(&1u32.to_le_bytes());
    later[8..12].copy_from_slice(&4096u32.to_le_bytes());
    assert_eq!(forged(&name, 176, &later), Err(ErrorKind::UnknownFeatures { bits: 1 }));
}

#[test]
fn a_segment_of_a_later_minor_version_is_opened() {
    let name = segment("minor");
    for minor in [1u32, 2, u32::MAX] {
        assert_eq!(forged(&name, 176, &minor.to_le_bytes()), Ok(()));
    }
}

#[test]
fn what_later_versions_have_a_place_for_is_zero_or_has_a_feature() {
    let name = segment("reserved");
    // Slab, longest message, growth and its chain, and what has no name yet.
    for offset in [136, 144, 184, 192, 200, 208].into_iter().chain((216..256).step_by(8)) {
        let refusal = forged(&name, offset, &1u64.to_le_bytes()).unwrap_err();
        assert!(matches!(refusal, ErrorKind::NotASegment(_)), "{offset}: {refusal:?}");
    }
    for kind in [0u32, 9, 10, u32::MAX] {
        let refusal = forged(&name, 12, &kind.to_le_bytes()).unwrap_err();
        assert_eq!(refusal, ErrorKind::WrongKind("something this build does not know"));
    }
}

#[test]
fn reserved_words_that_a_later_build_uses_are_left_alone() {
    let name = Name::new("ignored");
    let mut producer = Producer::<u64>::options().capacity(4).create(&name).unwrap();
    let view = View::open(name.path());
    let (control, record, counters) = (256, view.u64(104), view.u64(112));
    // The next segment; the longest record; counters that nothing counts; the rest of each line.
    let named = [control + 16, view.seal(0) + 16];
    let counted = [0, 8, 16, 24, 32, 64].map(|offset| counters + offset);
    let rest = [control + 24, 384 + 32, record + 32, counters + 88, view.tail(0) + 120];
    let words: Vec<u64> = named.into_iter().chain(counted).chain(rest).collect();
    for (word, number) in words.iter().zip(1..) {
        view.put_u64(*word, number);
    }
    let mut consumer = Consumer::<u64>::options().open(&name).unwrap();
    for n in 0..10 {
        producer.send(n).unwrap();
        assert_eq!(consumer.recv(), Ok(n));
    }
    producer.close();
    drop((producer, consumer));
    for (word, number) in words.iter().zip(1..) {
        assert_eq!(view.u64(*word), number, "{word:#x}");
    }
}
