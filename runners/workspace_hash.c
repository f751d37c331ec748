#include "runners/workspace_hash.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gate/base/array.h"
#include "gate/digest.h"

#define BARE_DIGEST_LENGTH 64u /* hex digits without "sha256:" */

/* A span of a file, and the bytes that were there when it was scanned. */
struct blank {
    size_t offset, length;
    const char *expected; /* lent by the pin; as long as the span */
    enum pin_part part;
};

struct blank_list {
    struct blank *items; /* of one file, ascending */
    size_t count;
    size_t capacity;
};

struct workspace_hash {
    struct hash *hash;
    const struct pin_list *pins;
    struct blank_list blanks;
    size_t next;       /* blank that is being passed, or comes next */
    size_t at;         /* bytes of the file so far */
    size_t size_bytes; /* of the file */
    bool is_other;     /* a file is not as it was scanned */
};

struct workspace_hash *workspace_hash_new(const struct pin_list *pins, struct error *err) {
    _cleanup_(workspace_hash_freep) struct workspace_hash *hash = calloc(1, sizeof *hash);
    if (hash == NULL) {
        error_no_memory(err);
        return NULL;
    }
    hash->pins = pins;
    hash->hash = hash_new(err);
    return hash->hash != NULL ? steal(hash) : NULL;
}

/* With its NUL, which no name holds. */
static void add_word(struct workspace_hash *hash, const char *word) {
    hash_update(hash->hash, word, strlen(word) + 1);
}

static void add_number(struct workspace_hash *hash, size_t number) {
    char word[32];
    snprintf(word, sizeof word, "%zu", number);
    add_word(hash, word);
}

/* The file before must have come to its end, behind all of its pins. */
static void end_file(struct workspace_hash *hash) {
    if (hash->next < hash->blanks.count || hash->at != hash->size_bytes)
        hash->is_other = true;
}

void workspace_hash_link(struct workspace_hash *hash, const char *name, const char *target) {
    end_file(hash);
    add_word(hash, "link");
    add_word(hash, name);
    add_word(hash, target);
}

/* What a span holds, as rewrite.c writes it: NULL when it is not that long. */
static const char *expected_in(const struct pin *pin, const struct pin_span *span) {
    const char *whole = span->part == PIN_PART_DIGEST ? pin->name.digest : pin->name.tag;
    size_t length = whole != NULL ? strlen(whole) : 0;
    bool bare = span->part == PIN_PART_DIGEST && span->length == BARE_DIGEST_LENGTH;
    if (whole == NULL || (!bare && span->length != length))
        return NULL;
    return whole + (length - span->length);
}

static int add_blanks(struct workspace_hash *hash, const struct pin *pin, struct error *err) {
    for (size_t i = 0; i < pin->span_count; i++) {
        struct blank *blank = array_add(&hash->blanks, err);
        if (blank == NULL)
            return -1;
        *blank = (struct blank){pin->spans[i].offset, pin->spans[i].length,
                                expected_in(pin, &pin->spans[i]), pin->spans[i].part};
        hash->is_other = hash->is_other || blank->expected == NULL;
    }
    return 0;
}

static int compare_blanks(const void *a, const void *b) {
    const struct blank *one = a;
    const struct blank *other = b;
    return (one->offset > other->offset) - (one->offset < other->offset);
}

/* The index of the first pin of that file or of one behind it. */
static size_t first_pin(const struct pin_list *pins, const char *name) {
    size_t low = 0;
    for (size_t high = pins->count; low < high;) {
        size_t middle = low + (high - low) / 2;
        if (strcmp(pins->items[middle].file, name) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static int find_blanks(struct workspace_hash *hash, const char *name, struct error *err) {
    hash->blanks.count = 0;
    const struct pin_list *pins = hash->pins;
    if (pins == NULL)
        return 0;
    for (size_t i = first_pin(pins, name);
         i < pins->count && strcmp(pins->items[i].file, name) == 0; i++)
        if (add_blanks(hash, &pins->items[i], err) < 0)
            return -1;
    if (hash->blanks.count > 0)
        qsort(hash->blanks.items, hash->blanks.count, sizeof *hash->blanks.items, compare_blanks);
    return 0;
}

/* Where the next piece of plain bytes ends. */
static size_t piece_end(const struct workspace_hash *hash) {
    return hash->next < hash->blanks.count ? hash->blanks.items[hash->next].offset
                                           : hash->size_bytes;
}

static void begin_piece(struct workspace_hash *hash) {
    size_t end = piece_end(hash);
    if (end < hash->at || end > hash->size_bytes)
        hash->is_other = true;
    else
        add_number(hash, end - hash->at);
}

int workspace_hash_file(struct workspace_hash *hash, const char *name, unsigned int mode,
                        int64_t size_bytes, struct error *err) {
    end_file(hash);
    if (find_blanks(hash, name, err) < 0)
        return -1;
    hash->next = 0;
    hash->at = 0;
    hash->size_bytes = (size_t)size_bytes;
    add_word(hash, "file");
    add_word(hash, name);
    add_number(hash, mode);
    add_number(hash, hash->blanks.count);
    begin_piece(hash);
    return 0;
}

/* How many of the bytes lie in the span that is being passed. */
static size_t pass_blank(struct workspace_hash *hash, const char *bytes, size_t length) {
    const struct blank *blank = &hash->blanks.items[hash->next];
    size_t done = hash->at - blank->offset;
    size_t step = blank->length - done < length ? blank->length - done : length;
    if (memcmp(bytes, blank->expected + done, step) != 0)
        hash->is_other = true;
    hash->at += step;
    if (done + step == blank->length) {
        add_word(hash, pin_part_name(blank->part));
        hash->next++;
        begin_piece(hash);
    }
    return step;
}

void workspace_hash_bytes(void *context, const void *bytes, size_t length) {
    struct workspace_hash *hash = context;
    for (const char *at = bytes; length > 0 && !hash->is_other;) {
        size_t end = piece_end(hash);
        size_t left = hash->at < end ? end - hash->at : 0; /* 0: in a span, or at the end */
        size_t step = left < length ? left : length;
        if (step > 0) {
            hash_update(hash->hash, at, step);
            hash->at += step;
        } else if (hash->next < hash->blanks.count) {
            step = pass_blank(hash, at, length);
        } else {
            hash->is_other = true; /* more than the file was said to have */
        }
        at += step;
        length -= step;
    }
}

void workspace_hash_finish(struct workspace_hash *hash, char hex[HASH_HEX_SIZE]) {
    end_file(hash);
    hash_finish_hex(hash->hash, hex);
    if (hash->is_other)
        hex[0] = '\0';
}

void workspace_hash_free(struct workspace_hash *hash) {
    if (hash == NULL)
        return;
    hash_free(hash->hash);
    free(hash->blanks.items);
    free(hash);
}

void workspace_hash_freep(struct workspace_hash **hash) {
    workspace_hash_free(*hash);
    *hash = NULL;
}
