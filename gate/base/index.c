#include "gate/base/index.h"

#include <stdlib.h>
#include <string.h>

#include "gate/base/hash.h"

#define FIRST_CAPACITY ((size_t)64) /* slots */

static uint64_t rotated(uint64_t x, int by) {
    return x << by | x >> (64 - by);
}

static void sip_round(uint64_t v[4]) {
    v[0] += v[1];
    v[1] = rotated(v[1], 13) ^ v[0];
    v[0] = rotated(v[0], 32);
    v[2] += v[3];
    v[3] = rotated(v[3], 16) ^ v[2];
    v[0] += v[3];
    v[3] = rotated(v[3], 21) ^ v[0];
    v[2] += v[1];
    v[1] = rotated(v[1], 17) ^ v[2];
    v[2] = rotated(v[2], 32);
}

/* SipHash-1-3 (Aumasson and Bernstein, "SipHash: a fast short-input PRF"). */
static uint64_t hash_of(const uint64_t key[2], const char *bytes, size_t length) {
    uint64_t v[4] = {key[0] ^ 0x736f6d6570736575u, key[1] ^ 0x646f72616e646f6du,
                     key[0] ^ 0x6c7967656e657261u, key[1] ^ 0x7465646279746573u};
    uint64_t block;
    size_t left = length;
    for (; left >= sizeof block; left -= sizeof block, bytes += sizeof block) {
        memcpy(&block, bytes, sizeof block);
        v[3] ^= block;
        sip_round(v);
        v[0] ^= block;
    }
    block = 0;
    memcpy(&block, bytes, left);
    block ^= (uint64_t)length << 56;
    v[3] ^= block;
    sip_round(v);
    v[0] ^= block;
    v[2] ^= 0xff;
    for (int i = 0; i < 3; i++)
        sip_round(v);
    return v[0] ^ v[1] ^ v[2] ^ v[3];
}

/* Where the string stands, or would. */
static struct index_slot *find(struct index_slot *slots, size_t capacity, uint64_t hash,
                               const char *bytes, size_t length) {
    for (size_t i = (size_t)hash & (capacity - 1);; i = (i + 1) & (capacity - 1)) {
        struct index_slot *slot = &slots[i];
        if (slot->key == NULL ||
            (slot->hash == hash && slot->length == length && memcmp(slot->key, bytes, length) == 0))
            return slot;
    }
}

static int grow(struct index *index, struct error *err) {
    if (index->capacity == 0 && hash_random(index->secret, sizeof index->secret, err) < 0)
        return -1;
    size_t capacity = index->capacity != 0 ? index->capacity * 2 : FIRST_CAPACITY;
    struct index_slot *slots = calloc(capacity, sizeof *slots);
    if (slots == NULL)
        return error_no_memory(err);
    for (size_t i = 0; i < index->capacity; i++) {
        const struct index_slot *old = &index->slots[i];
        if (old->key != NULL)
            *find(slots, capacity, old->hash, old->key, old->length) = *old;
    }
    free(index->slots);
    index->slots = slots;
    index->capacity = capacity;
    return 0;
}

const struct index_slot *index_find(const struct index *index, const char *key, size_t length) {
    if (index->capacity == 0)
        return NULL;
    const struct index_slot *slot =
        find(index->slots, index->capacity, hash_of(index->secret, key, length), key, length);
    return slot->key != NULL ? slot : NULL;
}

int index_add(struct index *index, const char *key, size_t length, size_t number,
              struct error *err) {
    if (index->count * 2 >= index->capacity && grow(index, err) < 0)
        return -1;
    uint64_t hash = hash_of(index->secret, key, length);
    struct index_slot *slot = find(index->slots, index->capacity, hash, key, length);
    if (slot->key != NULL)
        return 0;
    *slot = (struct index_slot){key, length, hash, number};
    index->count++;
    return 0;
}

void index_clear(struct index *index) {
    free(index->slots);
    *index = (struct index){0};
}
