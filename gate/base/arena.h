/* arena: memory that is given back all at once. An arena starts as {0}. */
#pragma once

#include <stddef.h>

#include "gate/base/error.h"

struct arena_block;

struct arena {
    struct arena_block *blocks;
};

/* Zeroed, aligned for anything; NULL with *err set. */
void *arena_take(struct arena *arena, size_t size, struct error *err) _must_check_;

/* A copy with a NUL behind it; NULL with *err set. */
char *arena_string(struct arena *arena, const void *bytes, size_t length,
                   struct error *err) _must_check_;

void arena_clear(struct arena *arena);
