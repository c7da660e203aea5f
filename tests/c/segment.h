/* segment.h - a segment of ringway, mapped read-only after every check that needs no mapping.
 *
 * Invariant: what `struct segment` has in `header` was checked against the length of the file, so that every
 * offset that follows from it lies in `memory`. (Who cuts the file afterwards kills this program: SIGBUS.) */
#ifndef SEGMENT_H
#define SEGMENT_H

#include "ringway.h"
#include "slab.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define U32 "%" PRIu32
#define U64 "%" PRIu64

/* As many bytes of a message are shown. */
#define SHOWN 64

struct segment {
    const char *path;
    int file;
    const unsigned char *memory;
    /* A private copy: checked once, then believed. */
    struct ringway_segment_header header;
};

struct bytes {
    uint64_t len;
    unsigned char shown[SHOWN];
};

static _Noreturn void fail(int code, const char *path, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    fprintf(stderr, "inspect %s: ", path);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
    exit(code);
}

static bool is_power_of_two(uint64_t number) {
    return number != 0 && (number & (number - 1)) == 0;
}

static bool is_queue(const struct ringway_segment_header *header) {
    return header->kind == RINGWAY_KIND_QUEUE || header->kind == RINGWAY_KIND_BYTE_QUEUE;
}

/* FNV-1a over the header with its checksum field taken as zero. */
static uint64_t checksum(const struct ringway_segment_header *header) {
    struct ringway_segment_header blank = *header;
    blank.checksum = 0;
    const unsigned char *bytes = (const unsigned char *)&blank;
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    for (size_t i = 0; i < sizeof blank; i++) {
        hash = (hash ^ bytes[i]) * UINT64_C(0x100000001b3);
    }
    return hash;
}

static uint64_t stride(const struct ringway_segment_header *header) {
    uint64_t size = header->element_size, align = header->element_align;
    uint64_t slot_align = align > RINGWAY_SLOT_ALIGN ? align : RINGWAY_SLOT_ALIGN;
    switch (header->kind) {
    case RINGWAY_KIND_QUEUE:
        return round_up(ringway_slot_payload(header->element_align) + size, slot_align);
    case RINGWAY_KIND_BYTE_QUEUE:
        return round_up(RINGWAY_SLOT_BYTES + size, slot_align);
    default:
        return size;
    }
}

static uint64_t elements(const struct ringway_segment_header *header, uint32_t ring) {
    return is_queue(header) && ring == 1 ? header->dead_letters : header->capacity;
}

/* Whether it has no ring: elements in a row, as many as its maker said. */
static bool is_block(const struct ringway_segment_header *header) {
    return header->kind == RINGWAY_KIND_BLOCK || header->kind == RINGWAY_KIND_LOCK;
}

/* Whether a lock is of a known kind, and as long as such a lock is. */
static bool lock_fits(const struct ringway_segment_header *header) {
    uint64_t tag = header->max_message, kind = ringway_tag_kind(tag), words = 0, value = 0, align = 8;
    if (kind < RINGWAY_LOCK_MUTEX || kind > RINGWAY_LOCK_PERMITS) {
        return false;
    }
    if (kind <= RINGWAY_LOCK_RWLOCK) {
        uint64_t wanted = ringway_tag_second(tag);
        if (!is_power_of_two(wanted) || wanted > RINGWAY_LINE) {
            return false;
        }
        align = wanted > align ? wanted : align;
        value = ringway_tag_first(tag);
        words = kind == RINGWAY_LOCK_RWLOCK ? header->max_members : kind == RINGWAY_LOCK_REENTRANT;
    } else if (kind == RINGWAY_LOCK_BARRIER || kind == RINGWAY_LOCK_PERMITS) {
        words = ringway_tag_first(tag);
    }
    uint64_t at = round_up(sizeof(struct ringway_lock_head) + 8 * words, align);
    return header->element_size == 1 && header->capacity == at + value;
}

static uint32_t rings(const struct ringway_segment_header *header) {
    if (is_block(header)) {
        return 0;
    }
    if (header->kind == RINGWAY_KIND_PIPE) {
        return header->flags & (RINGWAY_FLAG_FIRST_SENDS | RINGWAY_FLAG_SECOND_SENDS) ? 1 : 2;
    }
    return header->dead_letters != 0 ? 2 : 1;
}

/* Where the slots of a ring begin or, for the number after the last, the file ends; zero if that cannot be. */
static uint64_t slots(const struct ringway_segment_header *header, uint32_t ring) {
    uint64_t at = header->slots_offset;
    for (uint32_t before = 0; before < ring; before++) {
        uint64_t count = elements(header, before), each = header->stride;
        if (count == 0 || (each != 0 && count > RINGWAY_MAX_SEGMENT / each)) {
            return 0;
        }
        at += round_up(count * each, RINGWAY_LINE);
    }
    return at;
}

/* Where the file ends, behind the slab if there is one; zero if that cannot be. */
static uint64_t end(const struct ringway_segment_header *header) {
    if (is_block(header)) {
        uint64_t count = header->capacity, each = header->element_size;
        bool fits = count != 0 && each != 0 && count <= RINGWAY_MAX_SEGMENT / each;
        return fits ? header->slots_offset + count * each : 0;
    }
    uint64_t at = slots(header, header->rings);
    if (header->slab_len == 0 || at == 0) {
        return at;
    }
    at = round_up(at, HOLE_ALIGN);
    return header->slab_offset == at && header->slab_len <= RINGWAY_MAX_SEGMENT
               ? at + header->slab_len
               : 0;
}

/* Whether what no feature of the segment uses is zero. */
static bool is_plain(const struct ringway_segment_header *header) {
    if (header->features & RINGWAY_FEATURE_GROWTH) {
        return header->chain_id != 0 && !(header->features & RINGWAY_FEATURE_LONG_MESSAGES);
    }
    return (header->growth_bytes | header->growth_messages | header->chain | header->chain_id) == 0;
}

/* The features that this program can deal with in a segment of the header's kind. */
static uint32_t known_features(const struct ringway_segment_header *header) {
    switch (header->kind) {
    case RINGWAY_KIND_PIPE:
        return RINGWAY_FEATURE_LONG_RECORDS;
    case RINGWAY_KIND_QUEUE:
        return RINGWAY_FEATURE_GROWTH;
    case RINGWAY_KIND_BYTE_QUEUE:
        return RINGWAY_FEATURE_LONG_MESSAGES | RINGWAY_FEATURE_GROWTH;
    default:
        return 0;
    }
}

/* Whether codes, bits and element are such as a segment of the kind can have. */
static bool fits_kind(const struct ringway_segment_header *header) {
    uint32_t flags = RINGWAY_FLAG_REMOVE_WHEN_UNUSED;
    bool words = header->element_size == 8 && header->element_align == 8;
    switch (header->kind) {
    case RINGWAY_KIND_PIPE:
        flags |= RINGWAY_FLAG_ASYMMETRIC | RINGWAY_FLAG_FIRST_SENDS | RINGWAY_FLAG_SECOND_SENDS;
        return (header->flags & ~flags) == 0 && header->delivery == 0 && words;
    case RINGWAY_KIND_SPSC:
        flags |= RINGWAY_FLAG_ASYMMETRIC;
        return (header->flags & ~flags) == 0 && header->delivery == 0;
    case RINGWAY_KIND_LOCK:
        return (header->flags & ~flags) == 0 && header->delivery == 0 && lock_fits(header);
    case RINGWAY_KIND_BLOCK:
        flags |= RINGWAY_FLAG_LOCK;
        return (header->flags & ~flags) == 0 && header->delivery == 0;
    case RINGWAY_KIND_BYTE_QUEUE:
        if (header->element_align != 8) {
            return false;
        }
    }
    return (header->flags & ~flags) == 0 && header->delivery != 0 &&
           header->delivery <= RINGWAY_DELIVERY_AT_MOST_ONCE;
}

/* Whether there are no dead letters, or a ring for them in a queue that delivers again. */
static bool letters_fit(const struct ringway_segment_header *header) {
    if (header->dead_letters == 0) {
        return header->delivery_limit == 0;
    }
    return is_power_of_two(header->dead_letters) &&
           header->delivery == RINGWAY_DELIVERY_AT_LEAST_ONCE && header->delivery_limit > 0 &&
           header->delivery_limit <= RINGWAY_MOST_DELIVERIES;
}

/* Whether every number in the header follows from what it says of elements, members and rings. */
static bool is_consistent(const struct ringway_segment_header *header) {
    uint64_t members = header->max_members;
    uint64_t most = is_queue(header) || is_block(header) ? RINGWAY_MAX_MEMBERS : 63;
    uint64_t records = RINGWAY_PLACED_OFFSET;
    uint64_t counters = records + members * sizeof(struct ringway_member_record);
    uint64_t ring_headers = counters + members * sizeof(struct ringway_counters);
    uint64_t first_slot = ring_headers + rings(header) * sizeof(struct ringway_ring_header);
    if (is_block(header)) {
        first_slot += header->flags & RINGWAY_FLAG_LOCK ? RINGWAY_LINE : 0;
        first_slot = round_up(first_slot, RINGWAY_DATA_ALIGN);
    }
    return is_plain(header) && slab_fits(header) && fits_kind(header) && is_power_of_two(header->element_align) &&
           header->element_align <= RINGWAY_LINE && header->element_size <= UINT32_MAX &&
           header->element_size % header->element_align == 0 &&
           (is_block(header) || is_power_of_two(header->capacity)) && letters_fit(header) && members >= 2 &&
           members <= most && header->stride == stride(header) &&
           header->rings == rings(header) && header->members_offset == records &&
           header->counters_offset == counters && header->rings_offset == ring_headers &&
           header->slots_offset == first_slot &&
           header->total_len == end(header) &&
           header->total_len <= RINGWAY_MAX_SEGMENT;
}

static void check(const struct segment *segment, uint64_t len) {
    const struct ringway_segment_header *header = &segment->header;
    const char *path = segment->path;
    if (header->magic != RINGWAY_MAGIC) {
        fail(1, path, "not a ringway segment: it does not begin as one");
    }
    if (header->version != RINGWAY_VERSION) {
        fail(1, path, "layout version " U32 ", this program reads " U32, header->version,
             RINGWAY_VERSION);
    }
    if (header->layout_hash != RINGWAY_LAYOUT_HASH) {
        fail(1, path, "its build lays the same version out differently");
    }
    if (header->checksum != checksum(header)) {
        fail(1, path, "not a ringway segment: its header does not match its checksum");
    }
    uint32_t unknown = header->features & ~known_features(header);
    if (unknown != 0) {
        fail(1, path, "it has features %#" PRIx32 ", which this program does not know", unknown);
    }
    if (header->kind < RINGWAY_KIND_SPSC || header->kind > RINGWAY_KIND_LOCK) {
        fail(1, path, "kind " U32 ", which this program does not know", header->kind);
    }
    if (!is_consistent(header)) {
        fail(1, path, "not a ringway segment: its header contradicts itself");
    }
    if (header->total_len != len) {
        fail(1, path, "the file has " U64 " bytes, its header says " U64, len,
             header->total_len);
    }
}

static struct segment open_segment(const char *path) {
    struct segment segment = {.path = path};
    segment.file = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    struct stat found;
    if (segment.file < 0 || fstat(segment.file, &found) != 0) {
        fail(2, path, "%s", strerror(errno));
    }
    if (!S_ISREG(found.st_mode)) {
        fail(1, path, "not a regular file");
    }
    size_t len = (size_t)found.st_size;
    if (pread(segment.file, &segment.header, sizeof segment.header, 0) != sizeof segment.header) {
        fail(1, path, "not a ringway segment: the file is shorter than a header");
    }
    check(&segment, len);
    void *memory = mmap(NULL, len, PROT_READ, MAP_SHARED, segment.file, 0);
    if (memory == MAP_FAILED) {
        fail(2, path, "%s", strerror(errno));
    }
    segment.memory = memory;
    return segment;
}

/* ---- Reading what members change ---- */

/* The word at a place that was checked. */
static uint64_t load(const struct segment *segment, uint64_t at) {
    return ringway_load((const ringway_u64 *)(segment->memory + at));
}

/* Copies what is to be shown of `len` bytes. Somebody may write to them: what is copied counts only if the word
 * that gave leave to read them is the same afterwards. */
static struct bytes copy(const struct segment *segment, uint64_t at, uint64_t len) {
    struct bytes bytes = {.len = len};
    const volatile unsigned char *from = segment->memory + at;
    for (uint64_t i = 0; i < len && i < SHOWN; i++) {
        bytes.shown[i] = from[i];
    }
    atomic_thread_fence(memory_order_acquire);
    return bytes;
}

/* Whether the process of `member` lives: the kernel keeps its lock for as long as it has the segment mapped. */
static bool lives(const struct segment *segment, uint32_t member) {
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_len = 1};
    lock.l_start = (off_t)(RINGWAY_LIVENESS_BYTE + member);
    if (fcntl(segment->file, F_OFD_GETLK, &lock) != 0) {
        fail(2, segment->path, "ask about locks: %s", strerror(errno));
    }
    return lock.l_type != F_UNLCK;
}

#endif
