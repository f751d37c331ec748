/* text: bytes that grow, with a ceiling, and strings on the heap.
 *
 * A text starts as {0}. Appending never fails at the call: the first failure (no memory, ceiling reached) is kept, all
 * later appends do nothing, and one check at the end tells.
 *
 *     _cleanup_(text_clear) struct text t = {0};
 *     text_add(&t, "hello ");
 *     text_printf(&t, "%d", 7);
 *     if (text_check(&t, err) < 0) return -1;
 *
 * bytes is NUL-terminated behind length whenever it is not NULL, but may hold NULs itself.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "gate/base/error.h"

/* bytes; nothing that we build in memory is meant to be larger */
#define TEXT_CEILING_DEFAULT (64u << 20)

struct text {
    char *bytes;            /* NULL while empty */
    size_t length;          /* bytes in use, without the NUL */
    size_t capacity;        /* bytes allocated */
    size_t ceiling;         /* bytes at most; 0 is TEXT_CEILING_DEFAULT */
    enum error_kind failed; /* ERROR_NONE, ERROR_NO_MEMORY or ERROR_LIMIT */
};

void text_append(struct text *text, const void *bytes, size_t length);
void text_add(struct text *text, const char *string);
void text_add_char(struct text *text, char c);
void text_printf(struct text *text, const char *format, ...) _printf_(2, 3);
void text_truncate(struct text *text, size_t length); /* to at most length; keeps the memory */
void text_follow(struct text *text, const struct text *part); /* fails if the part of it has */
void text_clear(struct text *text);                           /* frees; keeps the ceiling */

/* The string so far, "" when empty; valid until the next change. */
const char *text_string(const struct text *text);

/* 0, or -1 when an append failed. */
int text_check(const struct text *text, struct error *err) _must_check_;

/* Hands the bytes over as a heap string ("" when empty), or NULL with *err set. The text is empty afterwards. */
char *text_steal(struct text *text, struct error *err) _must_check_;

/* Heap strings; NULL with *err set when there is no memory. string_dup(NULL) gives NULL without an error. */
char *string_dup(const char *string, struct error *err) _must_check_;
char *string_dup_length(const char *bytes, size_t length, struct error *err) _must_check_;
/* The same into *to, where NULL gives NULL and 0: for fields that may lack. */
int string_copy(const char *from, char **to, struct error *err) _must_check_;
char *string_format(struct error *err, const char *format, ...) _printf_(2, 3) _must_check_;

bool string_equal(const char *a, const char *b); /* NULL equals only NULL */
bool string_has_prefix(const char *string, const char *prefix);
bool string_has_suffix(const char *string, const char *suffix);

/* "12 kB", "43.2 MB", "1.3 GB" for people, rounded up: so it is true of "at most". bytes is not below 0. */
void bytes_words(int64_t bytes, char *out, size_t size);

/* The word of the list nearest to `word` by edit distance, or NULL when none is near enough to be a typo of it.
 * names: NULL-terminated. For "did you mean". */
const char *string_nearest(const char *word, const char *const *names);
