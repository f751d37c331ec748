/* rewrite: the bytes that an update changes in a file; pure.
 *
 *     struct edit_list edits = {0};
 *     rewrite_pin(&pin, "7.2.5", "sha256:…", &edits, err);
 *     edits_apply(bytes, length, &edits, &out, err);
 */
#pragma once

#include "gate/base/text.h"
#include "gate/pin.h"

struct edit {
    size_t offset;   /* in the file as it is */
    char *old_bytes; /* what must stand there */
    char *new_bytes; /* what shall stand there */
};

struct edit_list {
    struct edit *items;
    size_t count;
    size_t capacity;
};

/* The edits that move one pin to a tag (NULL: it stays) and a digest. A part that already stands there gives no edit. A bare
 * 64-hex digest stays bare. err: input when the tag or digest is not valid. */
int rewrite_pin(const struct pin *pin, const char *tag, const char *digest, struct edit_list *edits,
                struct error *err) _must_check_;

/* Applies edits (in any order, not overlapping) to a file's bytes. err: conflict when other bytes stand at an edit's place
 * (the message has the line), bug when they overlap. */
int edits_apply(const char *bytes, size_t length, const struct edit_list *edits, struct text *out,
                struct error *err) _must_check_;

void edit_list_clear(struct edit_list *edits);
