/* words: strings of which equal ones are kept once, in an arena. For what is read by the hundred thousand and repeats itself.
 *
 *     struct words words = {0};
 *     const char *word = words_add(&words, &arena, bytes, length, err);    two equal strings give one pointer
 *     words_clear(&words);                                                 the strings stay as long as the arena
 */
#pragma once

#include "gate/base/arena.h"
#include "gate/base/index.h"

struct words {
    struct index index;
};

/* NULL with *err set. */
const char *words_add(struct words *words, struct arena *arena, const char *bytes, size_t length,
                      struct error *err) _must_check_;

/* The equal one, or NULL when there is none. */
const char *words_find(const struct words *words, const char *bytes, size_t length);
void words_clear(struct words *words);
