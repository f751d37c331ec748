#include "tests/golden/moved.h"

#include <ctype.h>
#include <string.h>

#include "gate/pins/rewrite.h"
#include "gate/pins/scan.h"

static const char literal[] = "@sha256:";

static size_t line_of(const char *bytes, const char *at) {
    size_t line = 1;
    for (; bytes < at; bytes++)
        line += *bytes == '\n';
    return line;
}

static bool is_left_alone(const struct skipped_list *skipped, size_t line) {
    for (size_t i = 0; i < skipped->count; i++)
        if (skipped->items[i].line == line)
            return true;
    return false;
}

/* at: the "@". */
static bool has_digest(const char *at, const char *end) {
    const char *hex = at + strlen(literal);
    size_t digits = 0;
    while (hex + digits < end && isxdigit((unsigned char)hex[digits]))
        digits++;
    return digits >= 64;
}

/* Pins rise by offset, so one walk over both is enough. */
static int check_complete(const char *bytes, size_t length, const struct scan *scan,
                          struct error *err) {
    const char *end = bytes + length;
    size_t next = 0;
    for (const char *at = bytes;
         (at = memmem(at, (size_t)(end - at), literal, strlen(literal))) != NULL; at++) {
        size_t offset = (size_t)(at - bytes);
        while (next < scan->pins.count &&
               scan->pins.items[next].offset + scan->pins.items[next].length <= offset)
            next++;
        if (next < scan->pins.count && scan->pins.items[next].offset <= offset)
            continue;
        size_t line = line_of(bytes, at);
        if (has_digest(at, end) && !is_left_alone(&scan->skipped, line))
            return error_set(err, ERROR_BUG,
                             "the digest at byte %zu (line %zu) is no pin and has no reason",
                             offset, line);
    }
    return 0;
}

static int compare_pin(const struct pin *old, const struct pin *new, size_t offset, const char *tag,
                       const char *digest, struct error *err) {
    const char *wanted = old->name.tag != NULL ? tag : NULL;
    const char *what = NULL;
    if (strcmp(old->format, new->format) != 0)
        what = "format";
    else if (strcmp(old->path, new->path) != 0)
        what = "path";
    else if (old->ordinal != new->ordinal)
        what = "ordinal";
    else if (old->line != new->line)
        what = "line";
    else if (new->offset != offset)
        what = "offset";
    else if (strcmp(old->name.image, new->name.image) != 0)
        what = "image";
    else if (!string_equal(new->name.tag, wanted))
        what = "tag";
    else if (strcmp(new->name.digest, digest) != 0)
        what = "digest";
    if (what != NULL)
        return error_set(err, ERROR_BUG, "line %zu: \"%s\" moved to \"%s\": another %s", old->line,
                         old->reference, new->reference, what);
    return 0;
}

static int compare_scans(const struct scan *old, const struct scan *new, const char *tag,
                         const char *digest, struct error *err) {
    if (old->pins.count != new->pins.count)
        return error_set(err, ERROR_BUG, "%zu pins became %zu", old->pins.count, new->pins.count);
    size_t grown = 0; /* may wrap round below 0 and back */
    for (size_t i = 0; i < old->pins.count; i++) {
        const struct pin *pin = &old->pins.items[i], *moved = &new->pins.items[i];
        if (compare_pin(pin, moved, pin->offset + grown, tag, digest, err) < 0)
            return -1;
        grown += moved->length - pin->length;
    }
    if (old->skipped.count != new->skipped.count)
        return error_set(err, ERROR_BUG, "%zu places left alone became %zu", old->skipped.count,
                         new->skipped.count);
    return 0;
}

static int move_back(const struct scan *old, const struct scan *new, const struct text *moved,
                     struct text *back, struct error *err) {
    struct edit_list edits = {0};
    int result = 0;
    for (size_t i = 0; i < new->pins.count &&result == 0; i++)
        result = rewrite_pin(&new->pins.items[i], old->pins.items[i].name.tag,
                             old->pins.items[i].name.digest, &edits, err);
    if (result == 0)
        result = edits_apply(text_string(moved), moved->length, &edits, back, err);
    edit_list_clear(&edits);
    return result;
}

static int move_forth(const struct scan *old, const char *bytes, size_t length, const char *tag,
                      const char *digest, struct text *moved, struct error *err) {
    struct edit_list edits = {0};
    int result = 0;
    for (size_t i = 0; i < old->pins.count && result == 0; i++)
        result = rewrite_pin(&old->pins.items[i], tag, digest, &edits, err);
    if (result == 0)
        result = edits_apply(bytes, length, &edits, moved, err);
    edit_list_clear(&edits);
    return result;
}

int moved_check(const char *name, const char *bytes, size_t length, const char *tag,
                const char *digest, struct text *moved, struct error *err) {
    _cleanup_(scan_clear) struct scan old = {0}, new = {0};
    _cleanup_(text_clear) struct text back = {0};
    if (scan_bytes(name, bytes, length, &old, err) < 0 ||
        check_complete(bytes, length, &old, err) < 0 ||
        move_forth(&old, bytes, length, tag, digest, moved, err) < 0 ||
        scan_bytes(name, text_string(moved), moved->length, &new, err) < 0 ||
        compare_scans(&old, &new, tag, digest, err) < 0 ||
        move_back(&old, &new, moved, &back, err) < 0)
        return -1;
    if (back.length != length || (length > 0 && memcmp(back.bytes, bytes, length) != 0))
        return error_set(err, ERROR_BUG, "moved and moved back, the file is not as it was");
    return 0;
}
