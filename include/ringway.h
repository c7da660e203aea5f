/* ringway.h - the memory format of ringway, version 1, for readers in other languages.
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0
 * Made by cargo xtask header from what the library is compiled from: do not edit.
 *
 * A reader maps a segment's file read-only, and checks magic, version, layout_hash, checksum, features,
 * total_len and offsets of the header before it believes any of them. It loads what members change with
 * ringway_load or ringway_load32. A copy of a message counts only if the word that gave leave to read
 * it is the same afterwards. DESIGN.md section 4 has every valid value, and what a reader must not do;
 * tests/c/inspect.c is a reader. */
#ifndef RINGWAY_H
#define RINGWAY_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

/* ---- What is the same in every segment ---- */

/* ringway and a zero byte, as a little-endian number: the first eight bytes of every segment. */
#define RINGWAY_MAGIC UINT64_C(0x796177676e6972)
/* The format described here. It is frozen: a change that an older build could not read raises it. */
#define RINGWAY_VERSION UINT32_C(1)
/* What was added to the version compatibly: words that were zero before. Segments that use no
 * feature say 0. */
#define RINGWAY_MINOR UINT32_C(1)
/* Everything starts on a line of this many bytes: two cache lines, because the adjacent-line
 * prefetcher of common processors fetches in pairs. */
#define RINGWAY_LINE UINT64_C(128)
/* The most members that a segment can have: one line of waiter bits. */
#define RINGWAY_MAX_MEMBERS UINT32_C(512)
/* The longest segment: lock bytes begin behind it. */
#define RINGWAY_MAX_SEGMENT UINT64_C(0x10000000000)
/* The most deliveries that are told apart: a slot counts them in four bits. */
#define RINGWAY_MOST_DELIVERIES UINT32_C(15)
/* Liveness byte of member 0 in the segment file; member i holds the i-th after it. */
#define RINGWAY_LIVENESS_BYTE UINT64_C(0x10000000000)
/* Byte of member 0 that a watcher may wait on; it says nothing about liveness by itself. */
#define RINGWAY_BELL_BYTE UINT64_C(0x20000000000)
/* The byte that whoever removes the segment's name holds. */
#define RINGWAY_REMOVAL_BYTE UINT64_C(0x40000000000)
/* The byte that whoever changes a chain of segments holds, of the first of them. */
#define RINGWAY_CHAIN_BYTE UINT64_C(0x40000000001)
/* Offset of struct ringway_control. */
#define RINGWAY_CONTROL_OFFSET UINT64_C(256)
/* Offset of struct ringway_ends. */
#define RINGWAY_ENDS_OFFSET UINT64_C(384)
/* Offset of the struct ringway_event_line at which watchers wait. */
#define RINGWAY_ARRIVALS_OFFSET UINT64_C(512)
/* Offset of what the geometry places: members first. */
#define RINGWAY_PLACED_OFFSET UINT64_C(640)
/* The elements of a block begin on a multiple of this. */
#define RINGWAY_DATA_ALIGN UINT64_C(4096)

/* ---- The fingerprint of this version ---- */

/* What a header of this version has as its layout_hash. */
#define RINGWAY_LAYOUT_HASH UINT64_C(0x3cb1c5624585c5ef)

/* ---- What a segment holds ---- */

/* Values, between one producer and one consumer. */
#define RINGWAY_KIND_SPSC UINT32_C(1)
/* Records, one way or both ways. */
#define RINGWAY_KIND_PIPE UINT32_C(2)
/* Values, between many. */
#define RINGWAY_KIND_QUEUE UINT32_C(3)
/* Messages of bytes, between many. */
#define RINGWAY_KIND_BYTE_QUEUE UINT32_C(4)
/* Elements in a row, without a ring. */
#define RINGWAY_KIND_BLOCK UINT32_C(5)
/* A lock: max_message is its tag. */
#define RINGWAY_KIND_LOCK UINT32_C(6)

/* ---- Codes and bits of the header ---- */

/* The channel's name disappears with its last member. */
#define RINGWAY_FLAG_REMOVE_WHEN_UNUSED UINT32_C(1)
/* Sides use the asymmetric barrier. */
#define RINGWAY_FLAG_ASYMMETRIC UINT32_C(2)
/* A pipe with one ring: end 0 sends, end 1 receives. */
#define RINGWAY_FLAG_FIRST_SENDS UINT32_C(4)
/* A pipe with one ring: end 1 sends, end 0 receives. */
#define RINGWAY_FLAG_SECOND_SENDS UINT32_C(8)
/* Of a block: a mutex that guards nothing by itself lies behind the counters, on a line of its own. */
#define RINGWAY_FLAG_LOCK UINT32_C(16)
/* A message whose receiver did not acknowledge it is delivered again. */
#define RINGWAY_DELIVERY_AT_LEAST_ONCE UINT32_C(1)
/* A message whose receiver did not acknowledge it is dropped. */
#define RINGWAY_DELIVERY_AT_MOST_ONCE UINT32_C(2)
/* Messages of bytes may lie outside of their slot, in a block of the slab. */
#define RINGWAY_FEATURE_LONG_MESSAGES UINT32_C(1)
/* Another segment may continue this one. */
#define RINGWAY_FEATURE_GROWTH UINT32_C(2)
/* Records may be longer than the ring, and receivers may set how long at most. */
#define RINGWAY_FEATURE_LONG_RECORDS UINT32_C(4)

/* ---- States, bits and kinds of what members change ---- */

/* Set in attaches of struct ringway_control by whoever removes the name: nobody may attach any more. */
#define RINGWAY_REMOVED UINT64_C(0x8000000000000000)
/* Nobody has the record. */
#define RINGWAY_MEMBER_UNUSED UINT32_C(0)
/* A member has the record, dead or alive. */
#define RINGWAY_MEMBER_ACTIVE UINT32_C(1)
/* What a dead member left behind is being taken back. */
#define RINGWAY_MEMBER_REAPING UINT32_C(2)
/* Set in present of struct ringway_seal_line before the segment has a name. */
#define RINGWAY_PRESENT UINT64_C(1)
/* Set in seal of struct ringway_seal_line once the final position is agreed. */
#define RINGWAY_SEALED UINT64_C(0x8000000000000000)
/* Set in the first waiter word of not_empty of struct ringway_ring_header once anybody has asked to
 * close: the one word that a producer reads after every publication says whether there is anything
 * to do. */
#define RINGWAY_CLOSING UINT64_C(0x8000000000000000)
/* Kind of a record of a pipe, in its header word: the bytes that follow are one. */
#define RINGWAY_RECORD_WHOLE UINT32_C(1)
/* What follows, to the end of the ring's memory, is none. */
#define RINGWAY_RECORD_PADDING UINT32_C(2)
/* The bytes that follow are a piece of one that has begun and goes on. */
#define RINGWAY_RECORD_PIECE UINT32_C(3)
/* The bytes that follow are the last piece of one. */
#define RINGWAY_RECORD_LAST_PIECE UINT32_C(4)
/* The record that the pieces before began will not be completed. No bytes follow. */
#define RINGWAY_RECORD_CUT_SHORT UINT32_C(5)
/* What follows is the first piece of a record: a word with the record's length, then bytes. */
#define RINGWAY_RECORD_FIRST_PIECE UINT32_C(6)
/* In place of the length of a record that was not known when it began. */
#define RINGWAY_RECORD_LENGTH_UNKNOWN UINT64_C(0xffffffffffffffff)

/* ---- Where things lie in a slot of a queue ---- */

/* Slots begin on multiples of this, or of the element's alignment if that is more. */
#define RINGWAY_SLOT_ALIGN UINT64_C(16)
/* A value lies here, or at its alignment if that is more; of a message of bytes the word with its
 * length. */
#define RINGWAY_SLOT_PAYLOAD UINT64_C(8)
/* The bytes of a message. */
#define RINGWAY_SLOT_BYTES UINT64_C(16)
/* Of a message in a block, instead of its bytes: the block's number. */
#define RINGWAY_SLOT_BLOCK UINT64_C(16)
/* The flag of such a message. */
#define RINGWAY_MESSAGE_IN_BLOCK UINT32_C(1)

/* ---- States of a slot of a queue ---- */

/* To be filled. */
#define RINGWAY_SLOT_VACANT UINT32_C(0)
/* Claimed by the member that fills it. */
#define RINGWAY_SLOT_WRITING UINT32_C(1)
/* Holds a message that was committed. */
#define RINGWAY_SLOT_FILLED UINT32_C(2)
/* Claimed, and there will be no message. */
#define RINGWAY_SLOT_ABORTED UINT32_C(3)
/* Claimed by the member that reads it. */
#define RINGWAY_SLOT_READING UINT32_C(4)
/* Was claimed before, for whoever comes next. */
#define RINGWAY_SLOT_REDELIVER UINT32_C(5)

/* ---- States of a block of a queue ---- */

/* Nobody's. */
#define RINGWAY_BLOCK_FREE UINT32_C(0)
/* Of the member that fills it, or gives it back. */
#define RINGWAY_BLOCK_OWNED UINT32_C(1)
/* Of the message at a position of a ring. */
#define RINGWAY_BLOCK_BOUND UINT32_C(2)

/* ---- Kinds of locks ---- */

/* Guards a value. */
#define RINGWAY_LOCK_MUTEX UINT32_C(1)
/* The same, again and again. */
#define RINGWAY_LOCK_REENTRANT UINT32_C(2)
/* Guards a value, also for many readers. */
#define RINGWAY_LOCK_RWLOCK UINT32_C(3)
/* Counts what nobody owns. */
#define RINGWAY_LOCK_SEMAPHORE UINT32_C(4)
/* Wakes who waits. */
#define RINGWAY_LOCK_CONDVAR UINT32_C(5)
/* Is set or not. */
#define RINGWAY_LOCK_FLAG UINT32_C(6)
/* Where parties meet. */
#define RINGWAY_LOCK_BARRIER UINT32_C(7)
/* A number of permits, each owned. */
#define RINGWAY_LOCK_PERMITS UINT32_C(8)

/* ---- Structures ---- */

/* Words that members change. */
typedef _Atomic uint32_t ringway_u32;
typedef _Atomic uint64_t ringway_u64;

_Static_assert(ATOMIC_INT_LOCK_FREE == 2 && ATOMIC_LLONG_LOCK_FREE == 2, "words are words");

/* What a word says now; what was written before it is visible after. */
static inline uint64_t ringway_load(const ringway_u64 *word) {
    return atomic_load_explicit((ringway_u64 *)word, memory_order_acquire);
}

static inline uint32_t ringway_load32(const ringway_u32 *word) {
    return atomic_load_explicit((ringway_u32 *)word, memory_order_acquire);
}

/* What the segment is, fixed before its name becomes visible: plain data, read once into private
 * memory. */
struct ringway_segment_header {
    /* RINGWAY_MAGIC. */
    _Alignas(128) uint64_t magic;
    /* RINGWAY_VERSION. */
    uint32_t version;
    /* A RINGWAY_KIND_*. */
    uint32_t kind;
    /* RINGWAY_LAYOUT_HASH. */
    uint64_t layout_hash;
    /* FNV-1a, 64 bits, of the header's bytes with this field taken as zero. */
    uint64_t checksum;
    /* Bytes in the file. */
    uint64_t total_len;
    /* Kernel boot that the locks of this segment belong to. */
    uint8_t boot_id[16];
    /* Fingerprint of the element type's agreed name; zero for none. */
    uint8_t type_id[16];
    /* Bytes in one element. */
    uint64_t element_size;
    /* Alignment of one element. */
    uint32_t element_align;
    /* Members that can be attached at a time. */
    uint32_t max_members;
    /* Elements (for byte rings: 8-byte words) in each ring, a power of two; of a block any number. */
    uint64_t capacity;
    /* Bytes from one slot to the next. */
    uint64_t stride;
    /* Offset of the member records. */
    uint64_t members_offset;
    /* Offset of the members' counters. */
    uint64_t counters_offset;
    /* Offset of the ring headers. */
    uint64_t rings_offset;
    /* Offset of the first ring's slots, or of a block's elements. */
    uint64_t slots_offset;
    /* Offset of the slab; zero for none. */
    uint64_t slab_offset;
    /* Bytes in the slab. */
    uint64_t slab_len;
    /* RINGWAY_FLAG_* bits. */
    uint32_t flags;
    /* How many rings. */
    uint32_t rings;
    /* Delivery policy of a queue: RINGWAY_DELIVERY_AT_LEAST_ONCE or RINGWAY_DELIVERY_AT_MOST_ONCE;
     * zero elsewhere. */
    uint32_t delivery;
    /* Deliveries after which a message goes to the dead letters; zero for no limit. */
    uint32_t delivery_limit;
    /* Elements in the second ring of a queue, which has its dead letters, a power of two; zero for
     * none. */
    uint64_t dead_letters;
    /* RINGWAY_MINOR of the build that made it: for people, and for later builds. */
    uint32_t minor;
    /* RINGWAY_FEATURE_* bits: who does not know one of them keeps out. */
    uint32_t features;
    /* The longest message of bytes; zero where it is what a slot has room for. */
    uint64_t max_message;
    /* Bytes that a chain of segments may take; zero for no such limit. */
    uint64_t growth_bytes;
    /* Messages that a chain of segments may have; zero for no such limit. */
    uint64_t growth_messages;
    /* Which segment of its chain it is, from zero. */
    uint64_t chain;
    /* The number of the chain; zero for none. */
    uint64_t chain_id;
    /* Classes of blocks in the slab, each a ringway_class_*; zero for none. */
    uint64_t classes[4];
};

/* Words about the whole segment that members change. */
struct ringway_control {
    /* How often somebody attached, and RINGWAY_REMOVED once the segment's name is being removed. */
    _Alignas(128) ringway_u64 attaches;
    /* How often somebody took an end of a channel between two. A queue counts by side, in struct
     * ringway_ends. */
    ringway_u64 roster;
    /* Of the first segment of a chain: a ringway_chain_*, which says what the others are. */
    ringway_u64 next;
    /* The segment that is being put into the chain, or taken out of it: its file may be there
     * without. Zero for none. */
    ringway_u64 leaving;
};

/* Who owns the two ends of a channel, or which side of a queue has nobody. */
struct ringway_ends {
    /* Producer and consumer of a ring; first and second end of a pipe: end words, see ringway_end_*.
     * In a queue: how often somebody became a sender, and a receiver. */
    _Alignas(128) ringway_u64 words[2];
    /* In a queue: what words said when it was last found to have no sender, and no receiver. Where
     * the two are equal there is none. */
    ringway_u64 deserted[2];
};

/* Where members sleep until something happens. */
struct ringway_event_line {
    /* Counts notifications that somebody may have slept through; the word slept on. */
    _Alignas(128) ringway_u32 epoch;
    /* Counts sleeps that somebody was about to begin: who notifies in vain need not do so again
     * before it moves. */
    ringway_u32 sleeps;
    /* One bit per member with a thread that sleeps or is about to; and RINGWAY_CLOSING. */
    ringway_u64 waiters[8];
};

/* One attached process-mapping; the kernel lock on its liveness byte says whether it lives. */
struct ringway_member_record {
    /* RINGWAY_MEMBER_UNUSED, RINGWAY_MEMBER_ACTIVE or RINGWAY_MEMBER_REAPING. */
    _Alignas(128) ringway_u32 state;
    /* Process id in the member's own namespace, for people only. */
    ringway_u32 pid;
    /* How often this record was taken. */
    ringway_u64 incarnation;
    /* Start time of the process in clock ticks since boot, for people only. */
    ringway_u64 start_time;
    /* Senders of a queue, and receivers, that the member has; only the member counts, and who cleans
     * up after it. */
    ringway_u32 roles[2];
};

/* What one member did, and others before it with the same number, for people. Only the member writes
 * it; zero where nothing was counted. */
struct ringway_counters {
    /* Messages accepted from it. Reserved. */
    _Alignas(128) ringway_u64 sent;
    /* Messages it took. Reserved. */
    ringway_u64 received;
    /* Times it slept because there was no room. Reserved. */
    ringway_u64 full_waits;
    /* Times it slept because there was no message. Reserved. */
    ringway_u64 empty_waits;
    /* Times it woke somebody. Reserved. */
    ringway_u64 wakes;
    /* Dead members it cleaned up after. */
    ringway_u64 recoveries;
    /* Messages it took that somebody may have seen before. */
    ringway_u64 redeliveries;
    /* Claims of the dead that it aborted. */
    ringway_u64 aborted;
    /* Corruptions it found. Reserved. */
    ringway_u64 corrupt;
    /* Messages in the hands of the dead that it dropped. */
    ringway_u64 dropped;
    /* Messages it moved to the dead letters. */
    ringway_u64 dead_letters;
};

/* Written by the producer only. */
struct ringway_producer_line {
    /* Position of the next slot to fill. */
    _Alignas(128) ringway_u64 tail;
    /* Whether a record goes in pieces: a ringway_outgoing_*. */
    ringway_u64 outgoing;
};

/* Written by the consumer only. */
struct ringway_consumer_line {
    /* Position of the next slot to take. */
    _Alignas(128) ringway_u64 head;
    /* The rest of a record in pieces that began before this position is not wanted. */
    ringway_u64 unwanted;
};

/* Where the stream ends: written once. */
struct ringway_seal_line {
    /* RINGWAY_SEALED and the position behind the last accepted message; zero until agreed. */
    _Alignas(128) ringway_u64 seal;
    /* RINGWAY_PRESENT in every ring; zero where a forked child has blank pages in place of the
     * segment. */
    ringway_u64 present;
    /* One more than the bytes of the longest record that the consumer accepts; zero for any. */
    ringway_u64 max_record;
};

/* The shared state of a ring with one producer and one consumer. Slots follow elsewhere. */
struct ringway_ring_header {
    /* Written by the producer only. */
    _Alignas(128) struct ringway_producer_line producer;
    /* Written by the consumer only. */
    struct ringway_consumer_line consumer;
    /* Closing. */
    struct ringway_seal_line seal;
    /* The consumer waits here. */
    struct ringway_event_line not_empty;
    /* The producer waits here. */
    struct ringway_event_line not_full;
};

/* Where claims go that fill slots. */
struct ringway_tail_line {
    /* A ringway_cursor_*. */
    _Alignas(128) ringway_u64 tail;
};

/* Where claims go that take messages. */
struct ringway_head_line {
    /* A ringway_cursor_*. */
    _Alignas(128) ringway_u64 head;
    /* A ringway_redeliver_*. */
    ringway_u64 redeliver;
};

/* What nearly never changes. */
struct ringway_gate_line {
    /* Not zero once somebody has begun to close; the bit in the tail decides. */
    _Alignas(128) ringway_u64 closed;
    /* RINGWAY_PRESENT, as in present of struct ringway_seal_line. */
    ringway_u64 present;
};

/* The shared state of a ring between many. Slots follow elsewhere, each with a ringway_slot_* in
 * front. */
struct ringway_queue_header {
    /* Written by producers. */
    _Alignas(128) struct ringway_tail_line tail;
    /* Written by consumers. */
    struct ringway_head_line head;
    /* Written once. */
    struct ringway_gate_line gate;
    /* Consumers wait here. */
    struct ringway_event_line not_empty;
    /* Producers wait here. */
    struct ringway_event_line not_full;
};

/* Who may touch one block of the slab. */
struct ringway_block_line {
    /* A ringway_block_*. */
    _Alignas(128) ringway_u64 word;
    /* Bytes from the block's start that are known to have memory; written by who owns the block.
     * Only where blocks are holes of the file. */
    ringway_u64 backed;
};

/* What every lock begins with. */
struct ringway_lock_head {
    /* A lock word's tag: what lock it is. Zero where there is none yet. */
    ringway_u64 tag;
    /* Who has it, or what is counted; the lower half is slept on. */
    ringway_u64 word;
};

/* ---- Words that have parts ---- */

/* A word of struct ringway_control. */
static inline uint64_t ringway_attaches_removed(uint64_t word) { return word >> 63; }
static inline uint64_t ringway_attaches_count(uint64_t word) {
    return word & UINT64_C(0x7fffffffffffffff);
}

/* Who owns an end of a channel between two: owner is a member and one, zero where nobody does. */
static inline uint64_t ringway_end_died(uint64_t word) { return word >> 63; }
static inline uint64_t ringway_end_incarnation(uint64_t word) {
    return word >> 12 & UINT64_C(0x7ffffffffffff);
}
static inline uint64_t ringway_end_owner(uint64_t word) { return word & UINT64_C(0xfff); }

/* Where the messages of a ring between two end. */
static inline uint64_t ringway_seal_agreed(uint64_t word) { return word >> 63; }
static inline uint64_t ringway_seal_position(uint64_t word) {
    return word & UINT64_C(0x7fffffffffffffff);
}

/* The last record in pieces: where it begins, once its first piece may be visible; where it ends,
 * once its last may be. */
static inline uint64_t ringway_outgoing_position(uint64_t word) { return word >> 1; }
static inline uint64_t ringway_outgoing_begun(uint64_t word) { return word & UINT64_C(0x1); }

/* Tail and head of a queue: the next position, and who claimed the one before. */
static inline uint64_t ringway_cursor_position(uint64_t word) { return word >> 12; }
static inline uint64_t ringway_cursor_closed(uint64_t word) { return word >> 11 & UINT64_C(0x1); }
static inline uint64_t ringway_cursor_member(uint64_t word) { return word & UINT64_C(0x7ff); }

/* Which segments a queue that grows has, in its first: generations from last - ahead to last. */
static inline uint64_t ringway_chain_closed(uint64_t word) { return word >> 63; }
static inline uint64_t ringway_chain_unsettled(uint64_t word) { return word >> 62 & UINT64_C(0x1); }
static inline uint64_t ringway_chain_behind(uint64_t word) { return word >> 51 & UINT64_C(0x7ff); }
static inline uint64_t ringway_chain_ahead(uint64_t word) { return word >> 40 & UINT64_C(0x7ff); }
static inline uint64_t ringway_chain_last(uint64_t word) { return word & UINT64_C(0xffffffffff); }

/* Whether a slot of a queue may be in RINGWAY_SLOT_REDELIVER. */
static inline uint64_t ringway_redeliver_generation(uint64_t word) { return word >> 1; }
static inline uint64_t ringway_redeliver_pending(uint64_t word) { return word & UINT64_C(0x1); }

/* What a slot of a queue begins with. */
static inline uint64_t ringway_slot_lap(uint64_t word) { return word >> 18; }
static inline uint64_t ringway_slot_tries(uint64_t word) { return word >> 14 & UINT64_C(0xf); }
static inline uint64_t ringway_slot_member(uint64_t word) { return word >> 3 & UINT64_C(0x7ff); }
static inline uint64_t ringway_slot_state(uint64_t word) { return word & UINT64_C(0x7); }

/* What lies before a message of bytes in its slot. Flags are zero, or RINGWAY_MESSAGE_IN_BLOCK. */
static inline uint64_t ringway_message_flags(uint64_t word) { return word >> 32; }
static inline uint64_t ringway_message_length(uint64_t word) { return word & UINT64_C(0xffffffff); }

/* A class of blocks, in the header: so many, of that length, holes of the file or not. */
static inline uint64_t ringway_class_sparse(uint64_t word) { return word >> 63; }
static inline uint64_t ringway_class_count(uint64_t word) { return word >> 32 & UINT64_C(0x7fffffff); }
static inline uint64_t ringway_class_length(uint64_t word) { return word & UINT64_C(0xffffffff); }

/* Whose a block is. Position and ring are those of the message that it belongs to. */
static inline uint64_t ringway_block_position(uint64_t word) { return word >> 18; }
static inline uint64_t ringway_block_zero(uint64_t word) { return word >> 15 & UINT64_C(0x7); }
static inline uint64_t ringway_block_ring(uint64_t word) { return word >> 14 & UINT64_C(0x1); }
static inline uint64_t ringway_block_member(uint64_t word) { return word >> 3 & UINT64_C(0x7ff); }
static inline uint64_t ringway_block_state(uint64_t word) { return word & UINT64_C(0x7); }

/* What lies before a record of a pipe, or before padding. */
static inline uint64_t ringway_record_kind(uint64_t word) { return word >> 32; }
static inline uint64_t ringway_record_length(uint64_t word) { return word & UINT64_C(0xffffffff); }

/* What lock it is, in the header of one that has a name and in front of any. */
static inline uint64_t ringway_tag_kind(uint64_t word) { return word >> 60; }
static inline uint64_t ringway_tag_first(uint64_t word) { return word >> 30 & UINT64_C(0x3fffffff); }
static inline uint64_t ringway_tag_second(uint64_t word) { return word & UINT64_C(0x3fffffff); }

/* Who has a lock: member is its number and one, zero where nobody has it. */
static inline uint64_t ringway_holder_incarnation(uint64_t word) { return word >> 32; }
static inline uint64_t ringway_holder_waited(uint64_t word) { return word >> 31 & UINT64_C(0x1); }
static inline uint64_t ringway_holder_inconsistent(uint64_t word) { return word >> 30 & UINT64_C(0x1); }
static inline uint64_t ringway_holder_thread(uint64_t word) { return word >> 11 & UINT64_C(0x7ffff); }
static inline uint64_t ringway_holder_member(uint64_t word) { return word & UINT64_C(0x7ff); }

/* How many threads of a member read what a rwlock guards. */
static inline uint64_t ringway_readers_incarnation(uint64_t word) { return word >> 32; }
static inline uint64_t ringway_readers_waited(uint64_t word) { return word >> 31 & UINT64_C(0x1); }
static inline uint64_t ringway_readers_count(uint64_t word) { return word & UINT64_C(0x7fffffff); }

/* The word of a semaphore: how many more than it began with, modulo 2^31. */
static inline uint64_t ringway_count_zero(uint64_t word) { return word >> 32; }
static inline uint64_t ringway_count_waited(uint64_t word) { return word >> 31 & UINT64_C(0x1); }
static inline uint64_t ringway_count_more(uint64_t word) { return word & UINT64_C(0x7fffffff); }

/* The word of a flag. */
static inline uint64_t ringway_flag_zero(uint64_t word) { return word >> 32; }
static inline uint64_t ringway_flag_waited(uint64_t word) { return word >> 31 & UINT64_C(0x1); }
static inline uint64_t ringway_flag_turns(uint64_t word) { return word >> 1 & UINT64_C(0x3fffffff); }
static inline uint64_t ringway_flag_set(uint64_t word) { return word & UINT64_C(0x1); }

/* The word of a condvar and of permits. */
static inline uint64_t ringway_gate_sleeps(uint64_t word) { return word >> 32; }
static inline uint64_t ringway_gate_calls(uint64_t word) { return word & UINT64_C(0xffffffff); }

/* The word of a barrier. */
static inline uint64_t ringway_round_resets(uint64_t word) { return word >> 32; }
static inline uint64_t ringway_round_waited(uint64_t word) { return word >> 31 & UINT64_C(0x1); }
static inline uint64_t ringway_round_broken(uint64_t word) { return word >> 30 & UINT64_C(0x1); }
static inline uint64_t ringway_round_arrived(uint64_t word) { return word >> 16 & UINT64_C(0x3fff); }
static inline uint64_t ringway_round_rounds(uint64_t word) { return word & UINT64_C(0xffff); }

/* Bytes from the start of a queue's slot to its value. */
static inline uint64_t ringway_slot_payload(uint32_t element_align) {
    return element_align > RINGWAY_SLOT_PAYLOAD ? element_align : RINGWAY_SLOT_PAYLOAD;
}

/* ---- Where everything lies, for the compiler to check ---- */

#define RINGWAY_SIZE(name, size) _Static_assert(sizeof(struct ringway_##name) == (size), #name)
#define RINGWAY_AT(name, field, at) \
    _Static_assert(offsetof(struct ringway_##name, field) == (at), #name "." #field)

RINGWAY_SIZE(segment_header, 256);
RINGWAY_AT(segment_header, magic, 0);
RINGWAY_AT(segment_header, version, 8);
RINGWAY_AT(segment_header, kind, 12);
RINGWAY_AT(segment_header, layout_hash, 16);
RINGWAY_AT(segment_header, checksum, 24);
RINGWAY_AT(segment_header, total_len, 32);
RINGWAY_AT(segment_header, boot_id, 40);
RINGWAY_AT(segment_header, type_id, 56);
RINGWAY_AT(segment_header, element_size, 72);
RINGWAY_AT(segment_header, element_align, 80);
RINGWAY_AT(segment_header, max_members, 84);
RINGWAY_AT(segment_header, capacity, 88);
RINGWAY_AT(segment_header, stride, 96);
RINGWAY_AT(segment_header, members_offset, 104);
RINGWAY_AT(segment_header, counters_offset, 112);
RINGWAY_AT(segment_header, rings_offset, 120);
RINGWAY_AT(segment_header, slots_offset, 128);
RINGWAY_AT(segment_header, slab_offset, 136);
RINGWAY_AT(segment_header, slab_len, 144);
RINGWAY_AT(segment_header, flags, 152);
RINGWAY_AT(segment_header, rings, 156);
RINGWAY_AT(segment_header, delivery, 160);
RINGWAY_AT(segment_header, delivery_limit, 164);
RINGWAY_AT(segment_header, dead_letters, 168);
RINGWAY_AT(segment_header, minor, 176);
RINGWAY_AT(segment_header, features, 180);
RINGWAY_AT(segment_header, max_message, 184);
RINGWAY_AT(segment_header, growth_bytes, 192);
RINGWAY_AT(segment_header, growth_messages, 200);
RINGWAY_AT(segment_header, chain, 208);
RINGWAY_AT(segment_header, chain_id, 216);
RINGWAY_AT(segment_header, classes, 224);

RINGWAY_SIZE(control, 128);
RINGWAY_AT(control, attaches, 0);
RINGWAY_AT(control, roster, 8);
RINGWAY_AT(control, next, 16);
RINGWAY_AT(control, leaving, 24);

RINGWAY_SIZE(ends, 128);
RINGWAY_AT(ends, words, 0);
RINGWAY_AT(ends, deserted, 16);

RINGWAY_SIZE(event_line, 128);
RINGWAY_AT(event_line, epoch, 0);
RINGWAY_AT(event_line, sleeps, 4);
RINGWAY_AT(event_line, waiters, 8);

RINGWAY_SIZE(member_record, 128);
RINGWAY_AT(member_record, state, 0);
RINGWAY_AT(member_record, pid, 4);
RINGWAY_AT(member_record, incarnation, 8);
RINGWAY_AT(member_record, start_time, 16);
RINGWAY_AT(member_record, roles, 24);

RINGWAY_SIZE(counters, 128);
RINGWAY_AT(counters, sent, 0);
RINGWAY_AT(counters, received, 8);
RINGWAY_AT(counters, full_waits, 16);
RINGWAY_AT(counters, empty_waits, 24);
RINGWAY_AT(counters, wakes, 32);
RINGWAY_AT(counters, recoveries, 40);
RINGWAY_AT(counters, redeliveries, 48);
RINGWAY_AT(counters, aborted, 56);
RINGWAY_AT(counters, corrupt, 64);
RINGWAY_AT(counters, dropped, 72);
RINGWAY_AT(counters, dead_letters, 80);

RINGWAY_SIZE(producer_line, 128);
RINGWAY_AT(producer_line, tail, 0);
RINGWAY_AT(producer_line, outgoing, 8);

RINGWAY_SIZE(consumer_line, 128);
RINGWAY_AT(consumer_line, head, 0);
RINGWAY_AT(consumer_line, unwanted, 8);

RINGWAY_SIZE(seal_line, 128);
RINGWAY_AT(seal_line, seal, 0);
RINGWAY_AT(seal_line, present, 8);
RINGWAY_AT(seal_line, max_record, 16);

RINGWAY_SIZE(ring_header, 640);
RINGWAY_AT(ring_header, producer, 0);
RINGWAY_AT(ring_header, consumer, 128);
RINGWAY_AT(ring_header, seal, 256);
RINGWAY_AT(ring_header, not_empty, 384);
RINGWAY_AT(ring_header, not_full, 512);

RINGWAY_SIZE(tail_line, 128);
RINGWAY_AT(tail_line, tail, 0);

RINGWAY_SIZE(head_line, 128);
RINGWAY_AT(head_line, head, 0);
RINGWAY_AT(head_line, redeliver, 8);

RINGWAY_SIZE(gate_line, 128);
RINGWAY_AT(gate_line, closed, 0);
RINGWAY_AT(gate_line, present, 8);

RINGWAY_SIZE(queue_header, 640);
RINGWAY_AT(queue_header, tail, 0);
RINGWAY_AT(queue_header, head, 128);
RINGWAY_AT(queue_header, gate, 256);
RINGWAY_AT(queue_header, not_empty, 384);
RINGWAY_AT(queue_header, not_full, 512);

RINGWAY_SIZE(block_line, 128);
RINGWAY_AT(block_line, word, 0);
RINGWAY_AT(block_line, backed, 8);

RINGWAY_SIZE(lock_head, 16);
RINGWAY_AT(lock_head, tag, 0);
RINGWAY_AT(lock_head, word, 8);

#undef RINGWAY_SIZE
#undef RINGWAY_AT

#endif
