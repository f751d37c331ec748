/* index: from strings to numbers, or to the string itself. Keys are lent and must stay where they are.
 *
 *     struct index index = {0};
 *     index_add(&index, key, length, 7, err);
 *     const struct index_slot *slot = index_find(&index, key, length);    slot->number is 7
 *     index_clear(&index);
 *
 * Whoever chooses the strings cannot make it slow: they are spread by SipHash with a key that nobody knows.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "gate/base/error.h"

struct index_slot {
    const char *key; /* NULL: free */
    size_t length;
    uint64_t hash;
    size_t number;
};

struct index {
    struct index_slot *slots; /* a power of two of them, at most half full */
    size_t count, capacity;
    uint64_t secret[2];
};

/* NULL when there is none; good until the next index_add. */
const struct index_slot *index_find(const struct index *index, const char *key, size_t length);

/* What is there already keeps its number. err: no-memory, io (no random bytes) */
int index_add(struct index *index, const char *key, size_t length, size_t number,
              struct error *err) _must_check_;
void index_clear(struct index *index);
