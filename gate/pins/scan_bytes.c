#include <stdlib.h>
#include <string.h>

#include "gate/base/text.h"
#include "gate/base/trace.h"
#include "gate/pins/add.h"
#include "gate/pins/scan.h"

#define BARE_DIGEST_LENGTH 64u /* hex digits without "sha256:" */

/* What was found in the file at hand. */
struct found {
    struct pin_list pins;
    struct skipped_list skipped;
};

static void found_clear(struct found *found) {
    pin_list_clear(&found->pins);
    skipped_list_clear(&found->skipped);
}

static int compare_offsets(const void *a, const void *b) {
    const struct pin *one = a, *two = b;
    return (one->offset > two->offset) - (one->offset < two->offset);
}

static void sort_pins(struct pin_list *pins) {
    if (pins->count > 1)
        qsort(pins->items, pins->count, sizeof *pins->items, compare_offsets);
}

static bool stands_at(const struct pin_file *file, size_t offset, size_t length, const char *text) {
    return offset <= file->length && length <= file->length - offset && strlen(text) == length &&
           memcmp(file->bytes + offset, text, length) == 0;
}

/* What a rewrite relies on. A format that got it wrong leaves the place to the next one. */
static bool spans_are_right(const struct pin_file *file, const struct pin *pin) {
    bool digest = false;
    for (size_t i = 0; i < pin->span_count; i++) {
        const struct pin_span *span = &pin->spans[i];
        const char *text = pin->name.tag;
        if (span->part == PIN_PART_DIGEST) {
            text = pin->name.digest;
            if (text != NULL && span->length == BARE_DIGEST_LENGTH)
                text += DIGEST_LENGTH - BARE_DIGEST_LENGTH;
            digest = true;
        }
        if (text == NULL || !stands_at(file, span->offset, span->length, text))
            return false;
    }
    return digest && pin->offset <= file->length && pin->length <= file->length - pin->offset;
}

/* Keeps those of the new pins (from `known` on) that are right and touch no pin that is there. Sorted afterwards. */
static void settle(const struct pin_file *file, struct pin_list *pins, size_t known) {
    if (pins->count == known)
        return;
    struct pin_list old = {.items = pins->items, .count = known};
    struct pin_list new = {.items = pins->items + known, .count = pins->count - known};
    sort_pins(&new);
    size_t kept = known, cursor = 0, end = 0;
    for (size_t i = 0; i < new.count; i++) {
        struct pin *pin = &new.items[i];
        bool good = spans_are_right(file, pin) && pin->offset >= end &&
                    !pin_claimed(&old, &cursor, pin->offset, pin->length);
        if (!good) {
            trace(TRACE_SCAN, "%s: the format %s gave no place for its pin at byte %zu", file->name,
                  pin->format, pin->offset);
            pin_clear(pin);
            continue;
        }
        end = pin->offset + pin->length;
        struct pin moved = *pin;
        pins->items[kept++] = moved;
    }
    pins->count = kept;
    if (known > 0 && kept > known)
        sort_pins(pins);
}

static void number_lines(const struct pin_file *file, struct pin_list *pins) {
    const char *line_start = file->bytes;
    size_t line = 1;
    for (size_t i = 0; i < pins->count; i++) {
        const char *at = file->bytes + pins->items[i].offset;
        const char *newline;
        while ((newline = memchr(line_start, '\n', (size_t)(at - line_start))) != NULL) {
            line++;
            line_start = newline + 1;
        }
        pins->items[i].line = line;
        pins->items[i].column = (size_t)(at - line_start) + 1;
    }
}

static int compare_identities(const void *a, const void *b) {
    const struct pin *one = *(const struct pin *const *)a, *two = *(const struct pin *const *)b;
    int order = strcmp(one->format, two->format);
    if (order == 0)
        order = strcmp(one->path, two->path);
    return order != 0 ? order : compare_offsets(one, two);
}

static int number_ordinals(struct pin_list *pins, struct error *err) {
    if (pins->count < 2)
        return 0;
    _cleanup_(free_pointer) struct pin **sorted = calloc(pins->count, sizeof(*sorted));
    if (sorted == NULL)
        return error_no_memory(err);
    for (size_t i = 0; i < pins->count; i++)
        sorted[i] = &pins->items[i];
    qsort(sorted, pins->count, sizeof(*sorted), compare_identities);
    for (size_t i = 1; i < pins->count; i++)
        if (strcmp(sorted[i]->format, sorted[i - 1]->format) == 0 &&
            strcmp(sorted[i]->path, sorted[i - 1]->path) == 0)
            sorted[i]->ordinal = sorted[i - 1]->ordinal + 1;
    return 0;
}

static int ask_formats(const struct pin_file *file, struct found *found, struct error *err) {
    for (const struct pin_format *const *format = pin_formats; *format != NULL; format++) {
        if (!(*format)->bid(file))
            continue;
        size_t known = found->pins.count;
        if ((*format)->find(file, &found->pins, &found->skipped, err) < 0)
            return error_wrap(err, "%s", file->name);
        settle(file, &found->pins, known);
    }
    number_lines(file, &found->pins);
    return number_ordinals(&found->pins, err);
}

/* Names the file and hands over. */
static int deliver(const char *name, struct found *found, struct scan *scan, struct error *err) {
    for (size_t i = 0; i < found->pins.count; i++) {
        struct pin *pin = &found->pins.items[i];
        pin->file = string_dup(name, err);
        struct pin *place = pin->file != NULL ? array_add(&scan->pins, err) : NULL;
        if (place == NULL)
            return -1;
        *place = *pin;
        *pin = (struct pin){0};
    }
    for (size_t i = 0; i < found->skipped.count; i++) {
        struct skipped *skipped = &found->skipped.items[i];
        skipped->file = string_dup(name, err);
        struct skipped *place = skipped->file != NULL ? array_add(&scan->skipped, err) : NULL;
        if (place == NULL)
            return -1;
        *place = *skipped;
        *skipped = (struct skipped){0};
    }
    return 0;
}

int scan_bytes(const char *name, const char *bytes, size_t length, struct scan *scan,
               struct error *err) {
    scan->files++;
    if (pin_literal(bytes, bytes + length) == NULL)
        return 0;
    struct pin_file file = {.name = name, .bytes = bytes, .length = length};
    _cleanup_(found_clear) struct found found = {0};
    if (ask_formats(&file, &found, err) < 0)
        return -1;
    return deliver(name, &found, scan, err);
}

void scan_clear(struct scan *scan) {
    pin_list_clear(&scan->pins);
    skipped_list_clear(&scan->skipped);
    *scan = (struct scan){0};
}

size_t scan_files_with_pins(const struct scan *scan) {
    size_t count = 0;
    for (size_t i = 0; i < scan->pins.count; i++)
        count += i == 0 || strcmp(scan->pins.items[i].file, scan->pins.items[i - 1].file) != 0;
    return count;
}
