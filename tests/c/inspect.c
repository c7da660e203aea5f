/* inspect.c - prints the state of a segment of ringway, in use or left behind.
 *
 *     cc -std=c11 -I include -o inspect tests/c/inspect.c
 *     ./inspect /dev/shm/ringway.default.orders
 *
 * It knows the format from include/ringway.h and DESIGN.md section 4, and nothing of the library. It maps the
 * file read-only, so it can harm nobody, and uses no number from the file as an offset before it was checked.
 * What changes while it looks is said to have changed.
 *
 * Exit codes: 0 printed, 1 not a segment that this program can read, 2 wrong use or refused by the system. */
#define _GNU_SOURCE /* for F_OFD_GETLK */

#include "segment.h"

#include <stdio.h>

/* So often two cursors are read before they are said to be moving. */
#define LOOKS 1000

static void print_bytes(const struct bytes *bytes) {
    for (uint64_t i = 0; i < bytes->len && i < SHOWN; i++) {
        printf("%02x", bytes->shown[i]);
    }
    if (bytes->len > SHOWN) {
        printf("... (" U64 " bytes)", bytes->len);
    }
    putchar('\n');
}

static void print_header(const struct ringway_segment_header *header) {
    static const char *const kinds[] = {"", "spsc", "pipe", "queue of values", "queue of bytes",
                                        "block", "lock"};
    static const char *const policies[] = {"", "at least once", "at most once"};
    printf("kind: %s\n", kinds[header->kind]);
    printf("format: version " U32 ", minor " U32 "\n", header->version, header->minor);
    printf("elements: " U64 " of " U64 " bytes, alignment " U32 ", stride " U64 "\n",
           header->capacity, header->element_size, header->element_align, header->stride);
    printf("flags: %s%s%s%s%s%s\n", header->flags == 0 ? "none" : "",
           header->flags & RINGWAY_FLAG_REMOVE_WHEN_UNUSED ? "[remove when unused]" : "",
           header->flags & RINGWAY_FLAG_ASYMMETRIC ? "[asymmetric barrier]" : "",
           header->flags & RINGWAY_FLAG_FIRST_SENDS ? "[end 0 sends]" : "",
           header->flags & RINGWAY_FLAG_SECOND_SENDS ? "[end 1 sends]" : "",
           header->flags & RINGWAY_FLAG_LOCK ? "[lock]" : "");
    if (header->features & RINGWAY_FEATURE_LONG_RECORDS) {
        puts("features: [long records]");
    }
    if (is_queue(header)) {
        printf("delivery: %s\n", policies[header->delivery]);
    }
    if (header->dead_letters != 0) {
        printf("dead letters: after " U32 " deliveries, room for " U64 "\n",
               header->delivery_limit, header->dead_letters);
    }
}

/* What a member has counted, where it has counted anything. */
static void print_counters(const struct segment *segment, uint32_t member) {
    static const char *const names[] = {
        "sent",         "received", "full waits", "empty waits", "wakes",       "recoveries",
        "redeliveries", "aborted",  "corrupt",    "dropped",     "dead letters"};
    uint64_t at = segment->header.counters_offset + member * sizeof(struct ringway_counters);
    const char *before = "; counted: ";
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        uint64_t count = load(segment, at + i * sizeof(uint64_t));
        if (count != 0) {
            printf("%s%s " U64, before, names[i], count);
            before = ", ";
        }
    }
    putchar('\n');
}

static void print_members(const struct segment *segment) {
    static const char *const states[] = {"unused", "active", "reaping"};
    const unsigned char *records = segment->memory + segment->header.members_offset;
    for (uint32_t member = 0; member < segment->header.max_members; member++) {
        const struct ringway_member_record *record =
            (const struct ringway_member_record *)records + member;
        uint64_t incarnation = ringway_load(&record->incarnation);
        uint32_t state = ringway_load32(&record->state);
        if (incarnation == 0) {
            continue; /* nobody ever had it */
        }
        printf("member " U32 ": %s", member,
               state > RINGWAY_MEMBER_REAPING ? "corrupt" : states[state]);
        if (state != RINGWAY_MEMBER_UNUSED) {
            printf(" and %s, process " U32 ", senders " U32 ", receivers " U32,
                   lives(segment, member) ? "alive" : "dead", ringway_load32(&record->pid),
                   ringway_load32(&record->roles[0]), ringway_load32(&record->roles[1]));
        }
        printf(", incarnation " U64, incarnation);
        print_counters(segment, member);
    }
}

/* Who has the two ends of a channel between two, or whether a queue's sides have anybody. */
static void print_ends(const struct segment *segment) {
    const struct ringway_ends *ends =
        (const struct ringway_ends *)(segment->memory + RINGWAY_ENDS_OFFSET);
    static const char *const sides[] = {"senders", "receivers"};
    for (int i = 0; i < 2; i++) {
        uint64_t word = ringway_load(&ends->words[i]), owner = ringway_end_owner(word);
        if (is_queue(&segment->header)) {
            bool deserted = word == ringway_load(&ends->deserted[i]);
            const char *now = deserted ? "nobody" : "somebody";
            printf("%s: %s, " U64 " came\n", sides[i], now, word);
        } else if (owner != 0) {
            printf("end %d: member " U64 ", owner number " U64 "\n", i, owner - 1,
                   ringway_end_incarnation(word));
        } else {
            printf("end %d: nobody, " U64 " came%s\n", i, ringway_end_incarnation(word),
                   ringway_end_died(word) ? ", the last died" : "");
        }
    }
}

/* Who sleeps at an event, or is about to. */
static void print_event(const struct segment *segment, const char *name,
                        const struct ringway_event_line *event, uint64_t flag) {
    printf("%s: epoch " U32 ", waiting:", name, ringway_load32(&event->epoch));
    uint64_t first = ringway_load(&event->waiters[0]);
    bool any = false;
    for (uint32_t member = 0; member < segment->header.max_members; member++) {
        uint64_t word =
            member < 64 ? first & ~flag : ringway_load(&event->waiters[member / 64]);
        if (word >> (member % 64) & 1) {
            printf(" " U32, member);
            any = true;
        }
    }
    printf("%s%s\n", any ? "" : " nobody", first & flag ? ", closing" : "");
}

/* ---- Rings between two ---- */

/* A head and a tail that were there at the same time, or false when they move too fast. */
static bool cursors(const struct ringway_ring_header *ring, uint64_t capacity, uint64_t *head,
                    uint64_t *tail) {
    for (int look = 0; look < LOOKS; look++) {
        *head = ringway_load(&ring->consumer.head);
        *tail = ringway_load(&ring->producer.tail);
        if (*head == ringway_load(&ring->consumer.head) && *tail - *head <= capacity) {
            return true;
        }
    }
    return false;
}

/* Whether the consumer has not given back what lies at `position`. */
static bool stands(const struct ringway_ring_header *ring, uint64_t position) {
    return ringway_load(&ring->consumer.head) <= position;
}

static void print_values(const struct segment *segment, const struct ringway_ring_header *ring,
                         uint64_t head, uint64_t tail) {
    const struct ringway_segment_header *header = &segment->header;
    for (uint64_t position = head; position < tail; position++) {
        uint64_t index = position & (header->capacity - 1);
        uint64_t at = header->slots_offset + index * header->stride;
        struct bytes value = copy(segment, at, header->element_size);
        if (stands(ring, position)) {
            printf("ring 0, value " U64 ": ", position);
            print_bytes(&value);
        }
    }
}

/* A piece of a record; false if it is none. */
static bool print_piece(uint32_t kind, const struct bytes *piece) {
    struct bytes rest = *piece;
    switch (kind) {
    case RINGWAY_RECORD_FIRST_PIECE:
        if (piece->len < sizeof(uint64_t)) {
            return false;
        }
        uint64_t total;
        memcpy(&total, piece->shown, sizeof total);
        rest.len -= sizeof total;
        memmove(rest.shown, piece->shown + sizeof total, SHOWN - sizeof total);
        if (total == RINGWAY_RECORD_LENGTH_UNKNOWN) {
            printf("first piece, " U64 " bytes: ", rest.len);
        } else {
            printf("first piece of a record of " U64 ", " U64 " bytes: ", total, rest.len);
        }
        break;
    case RINGWAY_RECORD_PIECE:
        printf("piece, " U64 " bytes: ", piece->len);
        break;
    case RINGWAY_RECORD_LAST_PIECE:
        printf("last piece, " U64 " bytes: ", piece->len);
        break;
    case RINGWAY_RECORD_CUT_SHORT:
        printf("cut short");
        break;
    default:
        return false;
    }
    print_bytes(&rest);
    return true;
}

static void print_records(const struct segment *segment, uint32_t number,
                          const struct ringway_ring_header *ring, uint64_t head, uint64_t tail) {
    uint64_t words = segment->header.capacity, start = slots(&segment->header, number);
    for (uint64_t position = head; position < tail;) {
        uint64_t index = position & (words - 1), run = words - index;
        uint64_t at = start + index * sizeof(uint64_t);
        uint64_t word = load(segment, at), len = ringway_record_length(word);
        uint64_t takes = 1 + (len + 7) / 8;
        bool fits = takes <= run && takes <= tail - position;
        struct bytes record = copy(segment, at + sizeof(uint64_t), fits ? len : 0);
        if (!stands(ring, position)) {
            printf("ring " U32 ", position " U64 ": taken meanwhile\n", number, position);
            return;
        }
        printf("ring " U32 ", position " U64 ": ", number, position);
        if (fits && ringway_record_kind(word) == RINGWAY_RECORD_WHOLE) {
            printf(U64 " bytes, ", len);
            print_bytes(&record);
        } else if (fits && ringway_record_kind(word) == RINGWAY_RECORD_PADDING && takes == run) {
            printf("padding of " U64 " words\n", takes);
        } else if (fits && segment->header.features & RINGWAY_FEATURE_LONG_RECORDS &&
                   print_piece(ringway_record_kind(word), &record)) {
            /* Printed. */
        } else {
            printf("corrupt record %#" PRIx64 "\n", word);
            return;
        }
        position += takes;
    }
}

/* Whether a record in pieces is unfinished, and how long records may be. */
static void print_outgoing(const struct segment *segment, uint32_t number,
                           const struct ringway_ring_header *ring, uint64_t tail) {
    if (!(segment->header.features & RINGWAY_FEATURE_LONG_RECORDS)) {
        return;
    }
    uint64_t word = ringway_load(&ring->producer.outgoing);
    uint64_t position = ringway_outgoing_position(word);
    bool unfinished = ringway_outgoing_begun(word) ? tail > position : tail < position;
    uint64_t max = ringway_load(&ring->seal.max_record);
    printf("ring " U32 ": %s in pieces", number, unfinished ? "a record" : "nothing");
    if (max != 0) {
        printf(", at most " U64 " bytes", max - 1);
    }
    putchar('\n');
}

static void print_ring(const struct segment *segment, uint32_t number) {
    const struct ringway_ring_header *ring =
        (const struct ringway_ring_header *)(segment->memory + segment->header.rings_offset) +
        number;
    uint64_t head, tail, seal = ringway_load(&ring->seal.seal);
    bool known = cursors(ring, segment->header.capacity, &head, &tail);
    printf("ring " U32 ": head " U64 ", tail " U64, number, head, tail);
    if (ringway_seal_agreed(seal)) {
        printf(", sealed at " U64 "\n", ringway_seal_position(seal));
    } else {
        puts(", open");
    }
    print_outgoing(segment, number, ring, tail);
    print_event(segment, "not empty", &ring->not_empty, RINGWAY_CLOSING);
    print_event(segment, "not full", &ring->not_full, 0);
    if (!known) {
        printf("ring " U32 ": its cursors move too fast, or are corrupt\n", number);
    } else if (segment->header.kind == RINGWAY_KIND_PIPE) {
        print_records(segment, number, ring, head, tail);
    } else {
        print_values(segment, ring, head, tail);
    }
}

/* ---- Rings between many ---- */

/* The message in a slot of a queue; false if its length cannot be. */
static bool message(const struct segment *segment, uint64_t slot, struct bytes *bytes) {
    const struct ringway_segment_header *header = &segment->header;
    if (header->kind == RINGWAY_KIND_QUEUE) {
        uint64_t at = slot + ringway_slot_payload(header->element_align);
        *bytes = copy(segment, at, header->element_size);
        return true;
    }
    uint64_t word = load(segment, slot + RINGWAY_SLOT_PAYLOAD);
    uint64_t len = ringway_message_length(word);
    if (ringway_message_flags(word) == RINGWAY_MESSAGE_IN_BLOCK) {
        uint64_t number = load(segment, slot + RINGWAY_SLOT_BLOCK);
        uint64_t at = len <= header->max_message ? block_bytes(header, number, len) : 0;
        *bytes = copy(segment, at, at != 0 ? len : 0);
        return at != 0;
    }
    bool fits = ringway_message_flags(word) == 0 && len <= header->stride - RINGWAY_SLOT_BYTES;
    *bytes = copy(segment, slot + RINGWAY_SLOT_BYTES, fits ? len : 0);
    return fits;
}

static void print_slot(const struct segment *segment, uint32_t number, uint64_t index) {
    static const char *const states[] = {"vacant",  "writing",   "filled",  "aborted",
                                         "reading", "redeliver", "corrupt", "corrupt"};
    uint64_t slot = slots(&segment->header, number) + index * segment->header.stride;
    uint64_t word = load(segment, slot), state = ringway_slot_state(word);
    if (state == RINGWAY_SLOT_VACANT) {
        return;
    }
    printf("ring " U32 ", slot " U64 ", lap " U64 ": %s", number, index, ringway_slot_lap(word),
           states[state]);
    if (state == RINGWAY_SLOT_WRITING || state == RINGWAY_SLOT_READING) {
        printf(" by " U64, ringway_slot_member(word));
    }
    if (state == RINGWAY_SLOT_READING || state == RINGWAY_SLOT_REDELIVER) {
        printf(", " U64 " tries", ringway_slot_tries(word));
    }
    if (state == RINGWAY_SLOT_FILLED || state == RINGWAY_SLOT_READING ||
        state == RINGWAY_SLOT_REDELIVER) {
        struct bytes bytes;
        bool fits = message(segment, slot, &bytes);
        printf(": ");
        if (load(segment, slot) == word && fits) {
            print_bytes(&bytes);
        } else {
            puts(fits ? "changed meanwhile" : "its length or flags cannot be");
        }
    } else {
        putchar('\n');
    }
}

static void print_queue(const struct segment *segment, uint32_t number) {
    const struct ringway_queue_header *queue =
        (const struct ringway_queue_header *)(segment->memory + segment->header.rings_offset) +
        number;
    uint64_t tail = ringway_load(&queue->tail.tail), head = ringway_load(&queue->head.head);
    bool again = ringway_redeliver_pending(ringway_load(&queue->head.redeliver));
    printf("ring " U32 ": head " U64 " by " U64 ", tail " U64 " by " U64 ", %s, %s\n", number,
           ringway_cursor_position(head), ringway_cursor_member(head), ringway_cursor_position(tail),
           ringway_cursor_member(tail), ringway_cursor_closed(tail) ? "closed" : "open",
           again ? "something comes again" : "nothing comes again");
    print_event(segment, "not empty", &queue->not_empty, 0);
    print_event(segment, "not full", &queue->not_full, 0);
    for (uint64_t index = 0; index < elements(&segment->header, number); index++) {
        print_slot(segment, number, index);
    }
}

/* ---- Blocks ---- */

static void print_blocks(const struct segment *segment) {
    static const char *const states[] = {"free",    "owned",   "bound",   "corrupt",
                                         "corrupt", "corrupt", "corrupt", "corrupt"};
    struct slab slab;
    plan_slab(&segment->header, &slab);
    for (size_t i = 0; i < sizeof slab.classes / sizeof *slab.classes; i++) {
        const struct block_class *class = &slab.classes[i];
        if (class->count != 0) {
            printf("blocks: " U64 " of " U64 " bytes%s\n", class->count, class->len,
                   ringway_class_sparse(segment->header.classes[i]) ? ", holes" : "");
        }
    }
    for (uint64_t number = 0; number < slab.blocks; number++) {
        uint64_t at = segment->header.slab_offset + number * sizeof(struct ringway_block_line);
        uint64_t word = load(segment, at), state = ringway_block_state(word);
        if (word == 0) {
            continue;
        }
        printf("block " U64 ": %s by " U64, number, states[state], ringway_block_member(word));
        if (state == RINGWAY_BLOCK_BOUND) {
            printf(", ring " U64 ", position " U64, ringway_block_ring(word),
                   ringway_block_position(word));
        }
        putchar('\n');
    }
}

/* How a block begins, as it was copied while others write it. */
static void print_data(const struct segment *segment) {
    uint64_t at = segment->header.slots_offset, len = segment->header.total_len - at;
    struct bytes bytes = copy(segment, at, len);
    printf("data at " U64 ": ", at);
    print_bytes(&bytes);
}

/* What lock it is, and its word. */
static void print_lock(const struct segment *segment) {
    static const char *const kinds[] = {"",          "mutex",   "reentrant mutex",
                                        "rwlock",    "semaphore", "condvar",
                                        "flag",      "barrier", "permits"};
    uint64_t tag = segment->header.max_message, at = segment->header.slots_offset;
    uint64_t kind = ringway_tag_kind(tag), word = load(segment, at + sizeof(uint64_t));
    printf("lock: %s, " U64 ", " U64 "\n", kinds[kind], ringway_tag_first(tag),
           ringway_tag_second(tag));
    if (kind > RINGWAY_LOCK_RWLOCK) {
        printf("word: 0x%" PRIx64 "\n", word);
    } else if (ringway_holder_member(word) == 0) {
        printf("holder: nobody%s\n", ringway_holder_inconsistent(word) ? ", inconsistent" : "");
    } else {
        printf("holder: member " U64 ", incarnation " U64 "%s\n", ringway_holder_member(word) - 1,
               ringway_holder_incarnation(word),
               ringway_holder_inconsistent(word) ? ", inconsistent" : "");
    }
}

int main(int count, char **arguments) {
    if (count != 2) {
        fprintf(stderr, "usage: %s FILE\n", count > 0 ? arguments[0] : "inspect");
        return 2;
    }
    struct segment segment = open_segment(arguments[1]);
    uint64_t attaches = load(
        &segment, RINGWAY_CONTROL_OFFSET + offsetof(struct ringway_control, attaches));
    print_header(&segment.header);
    printf("opened: " U64 " times%s\n", ringway_attaches_count(attaches),
           ringway_attaches_removed(attaches) ? ", its name is being removed" : "");
    print_members(&segment);
    if (!is_block(&segment.header)) {
        print_ends(&segment);
    }
    const void *arrivals = segment.memory + RINGWAY_ARRIVALS_OFFSET;
    print_event(&segment, "arrivals", arrivals, 0);
    for (uint32_t number = 0; number < segment.header.rings; number++) {
        if (is_queue(&segment.header)) {
            print_queue(&segment, number);
        } else {
            print_ring(&segment, number);
        }
    }
    print_blocks(&segment);
    if (is_block(&segment.header)) {
        print_data(&segment);
    }
    if (segment.header.kind == RINGWAY_KIND_LOCK) {
        print_lock(&segment);
    }
    return ferror(stdout) || fflush(stdout) != 0 ? 2 : 0;
}
