#include "gate/base/json_read.h"

#include <stdalign.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

/* What the reserve must bear: one piece of input behind the first refusal. In it an array, an object and a word may each
 * double (up to 16 bytes for a byte of the document), and small things are made (the most for a byte is an empty object). */
#define PIECE          ((size_t)256)   /* bytes that jansson is given at a time */
#define RESERVE_SMALL  ((size_t)65536) /* bytes */
#define RESERVE_FACTOR 16              /* bytes for a byte of the document */

struct reading {
    const char *bytes;
    size_t left;
    char *reserve; /* pages that nobody touches while malloc gives */
    size_t size, used;
    bool refused; /* malloc has */
};

static _Thread_local struct reading *current;

static void *take(size_t size) {
    void *taken = malloc(size);
    if (taken != NULL || current == NULL)
        return taken;
    current->refused = true;
    size = (size + alignof(max_align_t) - 1) & ~(alignof(max_align_t) - 1);
    if (current->size - current->used < size)
        return NULL;
    taken = current->reserve + current->used;
    current->used += size;
    return taken;
}

static void give_back(void *taken) {
    const char *at = taken;
    if (current == NULL || at < current->reserve || at >= current->reserve + current->size)
        free(taken);
}

/* Before any thread: these two are of the whole program. */
__attribute__((constructor)) static void stand_behind_jansson(void) {
    json_set_alloc_funcs(take, give_back);
}

static size_t next_piece(void *buffer, size_t size, void *context) {
    struct reading *reading = context;
    size_t length = reading->left < size ? reading->left : size;
    if (length > PIECE)
        length = PIECE;
    if (reading->refused)
        return 0;
    memcpy(buffer, reading->bytes, length);
    reading->bytes += length;
    reading->left -= length;
    return length;
}

int json_read(const char *bytes, size_t length, size_t flags, json_t **out, json_error_t *where,
              struct error *err) {
    struct reading reading = {.bytes = bytes, .left = length};
    *out = NULL;
    if (__builtin_mul_overflow(length, RESERVE_FACTOR, &reading.size) ||
        __builtin_add_overflow(reading.size, RESERVE_SMALL, &reading.size))
        return error_no_memory(err);
    reading.reserve = mmap(NULL, reading.size, PROT_READ | PROT_WRITE,
                           MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (reading.reserve == MAP_FAILED)
        return error_no_memory(err);
    current = &reading;
    *out = json_load_callback(next_piece, &reading, flags, where);
    if (reading.refused) {
        json_decref(*out); /* parts of it stand in the reserve */
        *out = NULL;
    }
    current = NULL;
    munmap(reading.reserve, reading.size);
    return reading.refused ? error_no_memory(err) : 0;
}
