#include "gate/base/words.h"

#include <stdlib.h>
#include <string.h>

#include "gate/base/hash.h"

#define FIRST_CAPACITY ((size_t)64) /* slots */

struct word_slot {
    const char *word; /* NULL: free */
    size_t length;
    uint64_t hash;
};

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
static struct word_slot *find(struct word_slot *slots, size_t capacity, uint64_t hash,
                              const char *bytes, size_t length) {
    for (size_t i = (size_t)hash & (capacity - 1);; i = (i + 1) & (capacity - 1)) {
        struct word_slot *slot = &slots[i];
        if (slot->word == NULL || (slot->hash == hash && slot->length == length &&
                                   memcmp(slot->word, bytes, length) == 0))
            return slot;
    }
}

static int grow(struct words *words, struct error *err) {
    if (words->capacity == 0 && hash_random(words->key, sizeof words->key, err) < 0)
        return -1;
    size_t capacity = words->capacity != 0 ? words->capacity * 2 : FIRST_CAPACITY;
    struct word_slot *slots = calloc(capacity, sizeof *slots);
    if (slots == NULL)
        return error_no_memory(err);
    for (size_t i = 0; i < words->capacity; i++) {
        const struct word_slot *old = &words->slots[i];
        if (old->word != NULL)
            *find(slots, capacity, old->hash, old->word, old->length) = *old;
    }
    free(words->slots);
    words->slots = slots;
    words->capacity = capacity;
    return 0;
}

const char *words_find(const struct words *words, const char *bytes, size_t length) {
    if (words->capacity == 0)
        return NULL;
    uint64_t hash = hash_of(words->key, bytes, length);
    return find(words->slots, words->capacity, hash, bytes, length)->word;
}

const char *words_add(struct words *words, struct arena *arena, const char *bytes, size_t length,
                      struct error *err) {
    if (words->count * 2 >= words->capacity && grow(words, err) < 0)
        return NULL;
    uint64_t hash = hash_of(words->key, bytes, length);
    struct word_slot *slot = find(words->slots, words->capacity, hash, bytes, length);
    if (slot->word != NULL)
        return slot->word;
    char *copy = arena_string(arena, bytes, length, err);
    if (copy == NULL)
        return NULL;
    *slot = (struct word_slot){copy, length, hash};
    words->count++;
    return copy;
}

void words_clear(struct words *words) {
    free(words->slots);
    *words = (struct words){0};
}
