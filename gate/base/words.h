/* words: strings of which equal ones are kept once, in an arena. For what is read by the hundred thousand and repeats itself.
 *
 *     struct words words = {0};
 *     const char *word = words_add(&words, &arena, bytes, length, err);    two equal strings give one pointer
 *     words_clear(&words);                                                 the strings stay as long as the arena
 *
 * Whoever chooses the strings cannot make it slow: they are spread by SipHash with a key that nobody knows.
 */
#pragma once

#include <stdint.h>

#include "gate/base/arena.h"

struct word_slot;

struct words {
    struct word_slot *slots; /* a power of two of them, at most half full */
    size_t count, capacity;
    uint64_t key[2];
};

/* NULL with *err set. */
const char *words_add(struct words *words, struct arena *arena, const char *bytes, size_t length,
                      struct error *err) _must_check_;

/* The equal one, or NULL when there is none. */
const char *words_find(const struct words *words, const char *bytes, size_t length);
void words_clear(struct words *words);
