//! The dumps, a row for each 16 bytes that are not all zero.

/// The header of the queue with dead letters.
pub const QUEUE_HEADER: &[&str] = &[
    "0000: 72 69 6e 67 77 61 79 00 01 00 00 00 03 00 00 00", // magic, version, kind
    "0010: ef c5 85 45 62 c5 b1 3c .. .. .. .. .. .. .. ..", // layout hash, checksum
    "0020: 80 0a 00 00 00 00 00 00 .. .. .. .. .. .. .. ..", // total length, boot id
    "0030: .. .. .. .. .. .. .. .. 00 00 00 00 00 00 00 00", // boot id, type id
    "0040: 00 00 00 00 00 00 00 00 08 00 00 00 00 00 00 00", // type id, element size
    "0050: 08 00 00 00 02 00 00 00 08 00 00 00 00 00 00 00", // alignment, members, capacity
    "0060: 10 00 00 00 00 00 00 00 80 02 00 00 00 00 00 00", // stride, offset of members
    "0070: 80 03 00 00 00 00 00 00 80 04 00 00 00 00 00 00", // offsets of counters, of ring headers
    "0080: 80 09 00 00 00 00 00 00 00 00 00 00 00 00 00 00", // offsets of slots, of the slab
    "0090: 00 00 00 00 00 00 00 00 00 00 00 00 02 00 00 00", // length of the slab, flags, rings
    "00a0: 01 00 00 00 02 00 00 00 02 00 00 00 00 00 00 00", // delivery, limit, dead letters
];

/// Every state of a slot; member 1 is alive.
pub const QUEUE_HELD: &[&str] = &[
    "0100: 01 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00", // control: attaches, roster
    "0180: 02 00 00 00 00 00 00 00 02 00 00 00 00 00 00 00", // sides: senders that came, receivers
    "0280: 01 00 00 00 .. .. .. .. 01 00 00 00 00 00 00 00", // member 0: state, process, incarnation
    "0290: .. .. .. .. .. .. .. .. 01 00 00 00 01 00 00 00", // start time, senders, receivers
    "0300: 01 00 00 00 .. .. .. .. 01 00 00 00 00 00 00 00", // member 1
    "0310: .. .. .. .. .. .. .. .. 01 00 00 00 01 00 00 00", // start time, senders, receivers
    "03b0: 01 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00", // redeliveries, aborted
    "03d0: 01 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00", // dead letters
    "0480: 00 80 00 00 00 00 00 00 00 00 00 00 00 00 00 00", // tail
    "0500: 00 40 00 00 00 00 00 00 07 00 00 00 00 00 00 00", // head, redeliver
    "0580: 00 00 00 00 00 00 00 00 01 00 00 00 00 00 00 00", // closed, present
    "0700: 00 10 00 00 00 00 00 00 00 00 00 00 00 00 00 00", // tail of the dead letters
    "0800: 00 00 00 00 00 00 00 00 01 00 00 00 00 00 00 00", // closed, present
    "0980: 00 00 04 00 00 00 00 00 10 00 00 00 00 00 00 00", // slot 0: vacant, of the next lap
    "0990: 04 00 00 00 00 00 00 00 11 00 00 00 00 00 00 00", // slot 1: reading by member 0
    "09a0: 0c 00 00 00 00 00 00 00 12 00 00 00 00 00 00 00", // slot 2: reading by member 1
    "09b0: 05 40 00 00 00 00 00 00 13 00 00 00 00 00 00 00", // slot 3: to be delivered again, one try
    "09c0: 02 00 00 00 00 00 00 00 14 00 00 00 00 00 00 00", // slot 4: filled
    "09d0: 09 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00", // slot 5: writing by member 1
    "09e0: 01 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00", // slot 6: writing by member 0
    "09f0: 03 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00", // slot 7: aborted
    "0a00: 02 00 00 00 00 00 00 00 10 00 00 00 00 00 00 00", // dead letters, slot 0: filled
];

/// Member 1 was killed and cleaned up after.
pub const QUEUE_RECOVERED: &[&str] = &[
    "0100: 01 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00", // control: attaches, roster
    "0180: 02 00 00 00 00 00 00 00 02 00 00 00 00 00 00 00", // sides: senders that came, receivers
    "0200: 01 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00", // arrivals: epoch
    "0280: 01 00 00 00 .. .. .. .. 01 00 00 00 00 00 00 00", // member 0: state, process, incarnation
    "0290: .. .. .. .. .. .. .. .. 01 00 00 00 01 00 00 00", // start time, senders, receivers
    "0300: 00 00 00 00 .. .. .. .. 01 00 00 00 00 00 00 00", // member 1: unused
    "0310: .. .. .. .. .. .. .. .. 00 00 00 00 00 00 00 00", // start time
    "03a0: 00 00 00 00 00 00 00 00 01 00 00 00 00 00 00 00", // counters of member 0: recoveries
    "03b0: 01 00 00 00 00 00 00 00 01 00 00 00 00 00 00 00", // redeliveries, aborted
    "03d0: 01 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00", // dead letters
    "0480: 00 80 00 00 00 00 00 00 00 00 00 00 00 00 00 00", // tail
    "0500: 00 40 00 00 00 00 00 00 09 00 00 00 00 00 00 00", // head, redeliver
    "0580: 00 00 00 00 00 00 00 00 01 00 00 00 00 00 00 00", // closed, present
    "0600: 01 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00", // not empty: epoch
    "0680: 01 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00", // not full: epoch
    "0700: 00 10 00 00 00 00 00 00 00 00 00 00 00 00 00 00", // tail of the dead letters
    "0800: 00 00 00 00 00 00 00 00 01 00 00 00 00 00 00 00", // closed, present
    "0880: 01 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00", // not empty: epoch
    "0900: 01 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00", // not full: epoch
    "0980: 00 00 04 00 00 00 00 00 10 00 00 00 00 00 00 00", // slot 0
    "0990: 04 00 00 00 00 00 00 00 11 00 00 00 00 00 00 00", // slot 1
    "09a0: 05 40 00 00 00 00 00 00 12 00 00 00 00 00 00 00", // slot 2: to be delivered again, one try
    "09b0: 05 40 00 00 00 00 00 00 13 00 00 00 00 00 00 00", // slot 3
    "09c0: 02 00 00 00 00 00 00 00 14 00 00 00 00 00 00 00", // slot 4
    "09d0: 03 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00", // slot 5: aborted
    "09e0: 01 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00", // slot 6
    "09f0: 03 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00", // slot 7
    "0a00: 02 00 00 00 00 00 00 00 10 00 00 00 00 00 00 00", // dead letters, slot 0
];

/// The delivery in hand was dropped, the grant committed, the queue closed.
pub const QUEUE_CLOSED: &[&str] = &[
    "0100: 01 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00", // control: attaches, roster
    "0180: 02 00 00 00 00 00 00 00 02 00 00 00 00 00 00 00", // sides: senders that came, receivers
    "0200: 01 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00", // arrivals: epoch
    "0280: 01 00 00 00 .. .. .. .. 01 00 00 00 00 00 00 00", // member 0: state, process, incarnation
    "0290: .. .. .. .. .. .. .. .. 01 00 00 00 01 00 00 00", // start time, senders, receivers
    "0300: 00 00 00 00 .. .. .. .. 01 00 00 00 00 00 00 00", // member 1: unused
    "0310: .. .. .. .. .. .. .. .. 00 00 00 00 00 00 00 00", // start time
    "03a0: 00 00 00 00 00 00 00 00 01 00 00 00 00 00 00 00", // counters of member 0: recoveries
    "03b0: 01 00 00 00 00 00 00 00 01 00 00 00 00 00 00 00", // redeliveries, aborted
    "03d0: 01 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00", // dead letters
    "0480: 00 88 00 00 00 00 00 00 00 00 00 00 00 00 00 00", // tail: closed
    "0500: 00 40 00 00 00 00 00 00 0b 00 00 00 00 00 00 00", // head, redeliver
    "0580: 01 00 00 00 00 00 00 00 01 00 00 00 00 00 00 00", // closed, present
    "0600: 02 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00", // not empty: epoch
    "0680: 02 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00", // not full: epoch
    "0700: 00 10 00 00 00 00 00 00 00 00 00 00 00 00 00 00", // tail of the dead letters
    "0800: 00 00 00 00 00 00 00 00 01 00 00 00 00 00 00 00", // closed, present
    "0880: 01 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00", // not empty: epoch
    "0900: 01 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00", // not full: epoch
    "0980: 00 00 04 00 00 00 00 00 10 00 00 00 00 00 00 00", // slot 0
    "0990: 05 40 00 00 00 00 00 00 11 00 00 00 00 00 00 00", // slot 1: to be delivered again, one try
    "09a0: 05 40 00 00 00 00 00 00 12 00 00 00 00 00 00 00", // slot 2
    "09b0: 05 40 00 00 00 00 00 00 13 00 00 00 00 00 00 00", // slot 3
    "09c0: 02 00 00 00 00 00 00 00 14 00 00 00 00 00 00 00", // slot 4
    "09d0: 03 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00", // slot 5
    "09e0: 02 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00", // slot 6: filled, of zero
    "09f0: 03 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00", // slot 7
    "0a00: 02 00 00 00 00 00 00 00 10 00 00 00 00 00 00 00", // dead letters, slot 0
];

/// Four messages, the first in the second lap.
pub const QUEUE_OF_BYTES: &[&str] = &[
    "0000: 72 69 6e 67 77 61 79 00 01 00 00 00 04 00 00 00", // magic, version, kind
    "0010: ef c5 85 45 62 c5 b1 3c .. .. .. .. .. .. .. ..", // layout hash, checksum
    "0020: 00 08 00 00 00 00 00 00 .. .. .. .. .. .. .. ..", // total length, boot id
    "0030: .. .. .. .. .. .. .. .. 00 00 00 00 00 00 00 00", // boot id, type id
    "0040: 00 00 00 00 00 00 00 00 20 00 00 00 00 00 00 00", // type id, element size
    "0050: 08 00 00 00 02 00 00 00 04 00 00 00 00 00 00 00", // alignment, members, capacity
    "0060: 30 00 00 00 00 00 00 00 80 02 00 00 00 00 00 00", // stride, offset of members
    "0070: 80 03 00 00 00 00 00 00 80 04 00 00 00 00 00 00", // offsets of counters, of ring headers
    "0080: 00 07 00 00 00 00 00 00 00 00 00 00 00 00 00 00", // offsets of slots, of the slab
    "0090: 00 00 00 00 00 00 00 00 00 00 00 00 01 00 00 00", // length of the slab, flags, rings
    "00a0: 01 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00", // delivery, limit, dead letters
    "0180: 01 00 00 00 00 00 00 00 01 00 00 00 00 00 00 00", // sides: senders that came, receivers
    "0280: 01 00 00 00 .. .. .. .. 01 00 00 00 00 00 00 00", // member 0: state, process, incarnation
    "0290: .. .. .. .. .. .. .. .. 01 00 00 00 01 00 00 00", // start time, senders, receivers
    "0480: 00 50 00 00 00 00 00 00 00 00 00 00 00 00 00 00", // tail
    "0500: 00 10 00 00 00 00 00 00 00 00 00 00 00 00 00 00", // head, redeliver
    "0580: 00 00 00 00 00 00 00 00 01 00 00 00 00 00 00 00", // closed, present
    "0700: 02 00 04 00 00 00 00 00 08 00 00 00 00 00 00 00", // slot 0: filled in lap 1, 8 bytes
    "0710: 6e 65 78 74 20 6c 61 70 00 00 00 00 00 00 00 00",
    "0730: 02 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00", // slot 1: filled, none
    "0760: 02 00 00 00 00 00 00 00 05 00 00 00 00 00 00 00", // slot 2: filled, 5 bytes
    "0770: 68 65 6c 6c 6f 00 00 00 00 00 00 00 00 00 00 00",
    "0790: 02 00 00 00 00 00 00 00 20 00 00 00 00 00 00 00", // slot 3: filled, 32 bytes
    "07a0: 07 07 07 07 07 07 07 07 07 07 07 07 07 07 07 07",
    "07b0: 07 07 07 07 07 07 07 07 07 07 07 07 07 07 07 07",
];

/// Nobody has done anything yet.
pub const SPSC_FRESH: &[&str] = &[
    "0000: 72 69 6e 67 77 61 79 00 01 00 00 00 01 00 00 00", // magic, version, kind
    "0010: ef c5 85 45 62 c5 b1 3c .. .. .. .. .. .. .. ..", // layout hash, checksum
    "0020: 80 07 00 00 00 00 00 00 .. .. .. .. .. .. .. ..", // total length, boot id
    "0030: .. .. .. .. .. .. .. .. fa 8b 14 f6 cf 40 89 dd", // boot id, type id
    "0040: 1b 9b 65 d8 38 f3 f3 bb 04 00 00 00 00 00 00 00", // type id, element size
    "0050: 04 00 00 00 02 00 00 00 04 00 00 00 00 00 00 00", // alignment, members, capacity
    "0060: 04 00 00 00 00 00 00 00 80 02 00 00 00 00 00 00", // stride, offset of members
    "0070: 80 03 00 00 00 00 00 00 80 04 00 00 00 00 00 00", // offsets of counters, of ring headers
    "0080: 00 07 00 00 00 00 00 00 00 00 00 00 00 00 00 00", // offsets of slots, of the slab
    "0090: 00 00 00 00 00 00 00 00 00 00 00 00 01 00 00 00", // length of the slab, flags, rings
    "0100: 00 00 00 00 00 00 00 00 01 00 00 00 00 00 00 00", // control: attaches, roster
    "0180: 01 10 00 00 00 00 00 00 00 00 00 00 00 00 00 00", // ends
    "0280: 01 00 00 00 .. .. .. .. 01 00 00 00 00 00 00 00", // member 0: state, process, incarnation
    "0290: .. .. .. .. .. .. .. .. 00 00 00 00 00 00 00 00", // start time, senders, receivers
    "0580: 00 00 00 00 00 00 00 00 01 00 00 00 00 00 00 00", // seal, present
];

/// Three values that nobody took, closed.
pub const SPSC_USED: &[&str] = &[
    "0000: 72 69 6e 67 77 61 79 00 01 00 00 00 01 00 00 00", // magic, version, kind
    "0010: ef c5 85 45 62 c5 b1 3c .. .. .. .. .. .. .. ..", // layout hash, checksum
    "0020: 80 07 00 00 00 00 00 00 .. .. .. .. .. .. .. ..", // total length, boot id
    "0030: .. .. .. .. .. .. .. .. fa 8b 14 f6 cf 40 89 dd", // boot id, type id
    "0040: 1b 9b 65 d8 38 f3 f3 bb 04 00 00 00 00 00 00 00", // type id, element size
    "0050: 04 00 00 00 02 00 00 00 04 00 00 00 00 00 00 00", // alignment, members, capacity
    "0060: 04 00 00 00 00 00 00 00 80 02 00 00 00 00 00 00", // stride, offset of members
    "0070: 80 03 00 00 00 00 00 00 80 04 00 00 00 00 00 00", // offsets of counters, of ring headers
    "0080: 00 07 00 00 00 00 00 00 00 00 00 00 00 00 00 00", // offsets of slots, of the slab
    "0090: 00 00 00 00 00 00 00 00 00 00 00 00 01 00 00 00", // length of the slab, flags, rings
    "0100: 01 00 00 00 00 00 00 00 02 00 00 00 00 00 00 00", // control: attaches, roster
    "0180: 01 10 00 00 00 00 00 00 00 10 00 00 00 00 00 00", // ends
    "0200: 01 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00", // arrivals: epoch
    "0280: 01 00 00 00 .. .. .. .. 01 00 00 00 00 00 00 00", // member 0: state, process, incarnation
    "0290: .. .. .. .. .. .. .. .. 00 00 00 00 00 00 00 00", // start time, senders, receivers
    "0300: 00 00 00 00 .. .. .. .. 01 00 00 00 00 00 00 00", // member 1: unused
    "0310: .. .. .. .. .. .. .. .. 00 00 00 00 00 00 00 00", // start time
    "0480: 05 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00", // tail
    "0500: 02 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00", // head
    "0580: 05 00 00 00 00 00 00 80 01 00 00 00 00 00 00 00", // seal, present
    "0600: 02 00 00 00 00 00 00 00 00 00 00 00 00 00 00 80", // not empty: epoch, waiters with the closing bit
    "0680: 02 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00", // not full: epoch
    "0700: 05 00 00 00 02 00 00 00 03 00 00 00 07 06 05 04", // values
];

/// Records both ways, one behind padding.
pub const PIPE: &[&str] = &[
    "0000: 72 69 6e 67 77 61 79 00 01 00 00 00 02 00 00 00", // magic, version, kind
    "0010: ef c5 85 45 62 c5 b1 3c .. .. .. .. .. .. .. ..", // layout hash, checksum
    "0020: 80 0a 00 00 00 00 00 00 .. .. .. .. .. .. .. ..", // total length, boot id
    "0030: .. .. .. .. .. .. .. .. 00 00 00 00 00 00 00 00", // boot id, type id
    "0040: 00 00 00 00 00 00 00 00 08 00 00 00 00 00 00 00", // type id, element size
    "0050: 08 00 00 00 02 00 00 00 08 00 00 00 00 00 00 00", // alignment, members, capacity
    "0060: 08 00 00 00 00 00 00 00 80 02 00 00 00 00 00 00", // stride, offset of members
    "0070: 80 03 00 00 00 00 00 00 80 04 00 00 00 00 00 00", // offsets of counters, of ring headers
    "0080: 80 09 00 00 00 00 00 00 00 00 00 00 00 00 00 00", // offsets of slots, of the slab
    "0090: 00 00 00 00 00 00 00 00 00 00 00 00 02 00 00 00", // length of the slab, flags, rings
    "0100: 01 00 00 00 00 00 00 00 02 00 00 00 00 00 00 00", // control: attaches, roster
    "0180: 01 10 00 00 00 00 00 00 02 10 00 00 00 00 00 00", // ends
    "0280: 01 00 00 00 .. .. .. .. 01 00 00 00 00 00 00 00", // member 0: state, process, incarnation
    "0290: .. .. .. .. .. .. .. .. 00 00 00 00 00 00 00 00", // start time, senders, receivers
    "0300: 01 00 00 00 .. .. .. .. 01 00 00 00 00 00 00 00", // member 1
    "0310: .. .. .. .. .. .. .. .. 00 00 00 00 00 00 00 00", // start time, senders, receivers
    "0480: 0b 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00", // ring 0: tail
    "0500: 04 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00", // head
    "0580: 00 00 00 00 00 00 00 00 01 00 00 00 00 00 00 00", // seal, present
    "0700: 01 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00", // ring 1: tail
    "0800: 00 00 00 00 00 00 00 00 01 00 00 00 00 00 00 00", // seal, present
    "0980: 0a 00 00 00 01 00 00 00 09 09 09 09 09 09 09 09", // a record of 10 bytes: length, kind
    "0990: 09 09 01 01 01 01 01 01 01 01 01 01 01 01 01 01", // its end, and what is left of an old one
    "09a0: 03 00 00 00 01 00 00 00 61 62 63 00 00 00 00 00", // a record of 3 bytes: length, kind
    "09b0: 08 00 00 00 02 00 00 00 00 00 00 00 00 00 00 00", // padding of 8 bytes to the end
    "0a00: 00 00 00 00 01 00 00 00 00 00 00 00 00 00 00 00", // ring 1: a record of none
];

/// A record that was given up and cut short, another of which the last piece is not there yet, and a longest length.
pub const PIPE_IN_PIECES: &[&str] = &[
    "0000: 72 69 6e 67 77 61 79 00 01 00 00 00 02 00 00 00", // magic, version, kind
    "0010: ef c5 85 45 62 c5 b1 3c .. .. .. .. .. .. .. ..", // layout hash, checksum
    "0020: 80 07 00 00 00 00 00 00 .. .. .. .. .. .. .. ..", // total length, boot id
    "0030: .. .. .. .. .. .. .. .. 00 00 00 00 00 00 00 00", // boot id, type id
    "0040: 00 00 00 00 00 00 00 00 08 00 00 00 00 00 00 00", // type id, element size
    "0050: 08 00 00 00 02 00 00 00 10 00 00 00 00 00 00 00", // alignment, members, capacity
    "0060: 08 00 00 00 00 00 00 00 80 02 00 00 00 00 00 00", // stride, offset of members
    "0070: 80 03 00 00 00 00 00 00 80 04 00 00 00 00 00 00", // offsets of counters, of ring headers
    "0080: 00 07 00 00 00 00 00 00 00 00 00 00 00 00 00 00", // offsets of slots, of the slab
    "0090: 00 00 00 00 00 00 00 00 04 00 00 00 01 00 00 00", // length of the slab, flags, rings
    "00b0: 01 00 00 00 04 00 00 00 00 00 00 00 00 00 00 00", // minor, features: long records
    "0100: 01 00 00 00 00 00 00 00 02 00 00 00 00 00 00 00", // control: attaches, roster
    "0180: 01 10 00 00 00 00 00 00 02 10 00 00 00 00 00 00", // ends
    "0280: 01 00 00 00 .. .. .. .. 01 00 00 00 00 00 00 00", // member 0: state, process, incarnation
    "0290: .. .. .. .. .. .. .. .. 00 00 00 00 00 00 00 00", // start time, senders, receivers
    "0300: 01 00 00 00 .. .. .. .. 01 00 00 00 00 00 00 00", // member 1
    "0310: .. .. .. .. .. .. .. .. 00 00 00 00 00 00 00 00", // start time, senders, receivers
    "0480: 0a 00 00 00 00 00 00 00 09 00 00 00 00 00 00 00", // tail, outgoing: begun at 4
    "0500: 04 00 00 00 00 00 00 00 03 00 00 00 00 00 00 00", // head, unwanted: what began before 3
    "0580: 00 00 00 00 00 00 00 00 01 00 00 00 00 00 00 00", // seal, present
    "0590: e9 03 00 00 00 00 00 00 00 00 00 00 00 00 00 00", // the longest record, and one
    "0700: 0c 00 00 00 06 00 00 00 ff ff ff ff ff ff ff ff", // a first piece of 12 bytes: length, kind; of a record of unknown length
    "0710: 67 6f 6e 65 00 00 00 00 00 00 00 00 05 00 00 00", // its 4 bytes; cut short
    "0720: 18 00 00 00 06 00 00 00 ff ff ff ff ff ff ff ff", // a first piece of 24 bytes
    "0730: 07 07 07 07 07 07 07 07 07 07 07 07 07 07 07 07", // its 16 bytes
    "0740: 08 00 00 00 03 00 00 00 07 07 07 07 07 07 07 07", // a piece of 8 bytes
];

/// A queue with blocks: a message in one, a grant of another, and an attachment that was given up.
pub const BLOCKS: &[&str] = &[
    "0000: 72 69 6e 67 77 61 79 00 01 00 00 00 04 00 00 00", // magic, version, kind
    "0010: ef c5 85 45 62 c5 b1 3c .. .. .. .. .. .. .. ..", // layout hash, checksum
    "0020: 00 40 00 00 00 00 00 00 .. .. .. .. .. .. .. ..", // total length, boot id
    "0030: .. .. .. .. .. .. .. .. 00 00 00 00 00 00 00 00", // boot id, type id
    "0040: 00 00 00 00 00 00 00 00 10 00 00 00 00 00 00 00", // type id, element size
    "0050: 08 00 00 00 02 00 00 00 02 00 00 00 00 00 00 00", // alignment, members, capacity
    "0060: 20 00 00 00 00 00 00 00 80 02 00 00 00 00 00 00", // stride, offset of members
    "0070: 80 03 00 00 00 00 00 00 80 04 00 00 00 00 00 00", // offsets of counters, of ring headers
    "0080: 00 07 00 00 00 00 00 00 00 10 00 00 00 00 00 00", // offsets of slots, of the slab
    "0090: 00 30 00 00 00 00 00 00 00 00 00 00 01 00 00 00", // length of the slab, flags, rings
    "00a0: 01 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00", // delivery, limit, dead letters
    "00b0: 01 00 00 00 01 00 00 00 00 10 00 00 00 00 00 00", // minor, features, longest message
    "00e0: 40 00 00 00 02 00 00 00 00 10 00 00 01 00 00 80", // two blocks of 64, one hole of 4096
    "0180: 01 00 00 00 00 00 00 00 02 00 00 00 00 00 00 00", // sides: senders that came, receivers
    "0280: 01 00 00 00 .. .. .. .. 01 00 00 00 00 00 00 00", // member 0: state, process, incarnation
    "0290: .. .. .. .. .. .. .. .. 01 00 00 00 01 00 00 00", // start time, senders, receivers
    "0480: 00 30 00 00 00 00 00 00 00 00 00 00 00 00 00 00", // tail
    "0500: 00 10 00 00 00 00 00 00 00 00 00 00 00 00 00 00", // head
    "0580: 00 00 00 00 00 00 00 00 01 00 00 00 00 00 00 00", // closed, present
    "0700: 01 00 04 00 00 00 00 00 00 00 00 00 00 00 00 00", // slot 0: writing by member 0, lap 1
    "0720: 02 00 00 00 00 00 00 00 14 00 00 00 01 00 00 00", // slot 1: filled; 20 bytes in block 0
    "1000: 02 00 04 00 00 00 00 00 00 00 00 00 00 00 00 00", // block 0: bound to position 1 of ring 0
    "1080: 01 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00", // block 1: owned by member 0
    "1100: 00 00 00 00 00 00 00 00 a0 0f 00 00 00 00 00 00", // block 2: free, with memory for 4000
    "2000: 07 07 07 07 07 07 07 07 07 07 07 07 07 07 07 07", // the message
    "2010: 07 07 07 07 00 00 00 00 00 00 00 00 00 00 00 00", // its end
    "3000: ee 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00", // whatever was there
];
