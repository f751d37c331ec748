#include "gate/base/arena.h"

#include <stdalign.h>
#include <stdlib.h>
#include <string.h>

#define BLOCK_SIZE (32u << 10) /* bytes; small, since most files that are parsed are small */

struct arena_block {
    struct arena_block *next;
    size_t used, size; /* bytes */
    alignas(max_align_t) char bytes[];
};

void *arena_take(struct arena *arena, size_t size, struct error *err) {
    size = (size + alignof(max_align_t) - 1) & ~(alignof(max_align_t) - 1);
    struct arena_block *block = arena->blocks;
    if (block == NULL || block->size - block->used < size) {
        size_t wanted = size > BLOCK_SIZE ? size : BLOCK_SIZE;
        block = malloc(sizeof *block + wanted);
        if (block == NULL) {
            error_no_memory(err);
            return NULL;
        }
        *block = (struct arena_block){.next = arena->blocks, .size = wanted};
        arena->blocks = block;
    }
    void *taken = block->bytes + block->used;
    block->used += size;
    memset(taken, 0, size);
    return taken;
}

char *arena_string(struct arena *arena, const void *bytes, size_t length, struct error *err) {
    char *copy = arena_take(arena, length + 1, err);
    if (copy != NULL)
        memcpy(copy, bytes, length);
    return copy;
}

void arena_clear(struct arena *arena) {
    while (arena->blocks != NULL) {
        struct arena_block *block = arena->blocks;
        arena->blocks = block->next;
        free(block);
    }
}
