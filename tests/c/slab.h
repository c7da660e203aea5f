/* slab.h - the blocks of a queue of bytes, for messages that are longer than a slot: where they lie.
 *
 * A function of the four class words in the header. */
#ifndef SLAB_H
#define SLAB_H

#include "ringway.h"

#include <stdbool.h>
#include <stddef.h>

/* Blocks begin on multiples of this, holes of the file on multiples of that. */
#define BLOCK_ALIGN UINT64_C(64)
#define HOLE_ALIGN UINT64_C(4096)

struct block_class {
    uint64_t len, count, first, offset;
};

struct slab {
    struct block_class classes[4];
    uint64_t blocks, len, longest;
};

static uint64_t round_up(uint64_t number, uint64_t multiple) {
    return (number + multiple - 1) / multiple * multiple;
}

/* The slab that the header's classes describe; false if they make no sense. Lengths have 32 bits and counts 31, so that
 * nothing overflows. */
static bool plan_slab(const struct ringway_segment_header *header, struct slab *slab) {
    *slab = (struct slab){0};
    size_t classes = sizeof header->classes / sizeof *header->classes;
    for (size_t i = 0; i < classes; i++) {
        slab->blocks += ringway_class_count(header->classes[i]);
    }
    if (slab->blocks > UINT64_C(1) << 24) {
        return false;
    }
    slab->len = round_up(slab->blocks * RINGWAY_LINE, HOLE_ALIGN);
    uint64_t first = 0;
    bool over = false;
    for (size_t i = 0; i < classes; i++) {
        uint64_t word = header->classes[i], len = ringway_class_length(word);
        uint64_t count = ringway_class_count(word);
        uint64_t align = ringway_class_sparse(word) ? HOLE_ALIGN : BLOCK_ALIGN;
        if (word == 0) {
            over = true;
            continue;
        }
        if (over || count == 0 || len <= slab->longest || len % align != 0) {
            return false;
        }
        uint64_t offset = round_up(slab->len, align);
        slab->classes[i] = (struct block_class){len, count, first, offset};
        slab->len = offset + len * count;
        slab->longest = len;
        first += count;
        over = ringway_class_sparse(word);
    }
    slab->len = round_up(slab->len, HOLE_ALIGN);
    return true;
}

/* Whether the header has blocks as its features say, for messages that a slot has no room for. */
static bool slab_fits(const struct ringway_segment_header *header) {
    struct slab slab;
    if (!plan_slab(header, &slab)) {
        return false;
    }
    bool says = (header->features & RINGWAY_FEATURE_LONG_MESSAGES) != 0;
    if (slab.blocks == 0) {
        /* Of a lock it says which one. */
        uint64_t longest = header->kind == RINGWAY_KIND_LOCK ? 0 : header->max_message;
        return !says && (header->slab_offset | header->slab_len | longest) == 0;
    }
    return says && header->slab_len == slab.len && header->max_message > header->element_size &&
           header->max_message <= slab.longest;
}

/* Where the bytes of block `number` begin in the file, if there is one that is `len` bytes long; else zero. */
static uint64_t block_bytes(const struct ringway_segment_header *header, uint64_t number,
                            uint64_t len) {
    struct slab slab;
    plan_slab(header, &slab);
    for (size_t i = 0; i < sizeof slab.classes / sizeof *slab.classes; i++) {
        const struct block_class *class = &slab.classes[i];
        if (number >= class->first && number - class->first < class->count && len <= class->len) {
            return header->slab_offset + class->offset + (number - class->first) * class->len;
        }
    }
    return 0;
}

#endif
