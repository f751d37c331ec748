#include "gate/pins/rewrite.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "gate/base/array.h"

#define BARE_DIGEST_LENGTH 64u /* hex digits without "sha256:" */

static int add_edit(struct edit_list *edits, size_t offset, const char *old_bytes,
                    const char *new_bytes, struct error *err) {
    if (strcmp(old_bytes, new_bytes) == 0)
        return 0;
    _cleanup_(free_pointer) char *old_copy = string_dup(old_bytes, err);
    _cleanup_(free_pointer) char *new_copy = old_copy != NULL ? string_dup(new_bytes, err) : NULL;
    struct edit *edit = new_copy != NULL ? array_add(edits, err) : NULL;
    if (edit == NULL)
        return -1;
    *edit = (struct edit){offset, steal(old_copy), steal(new_copy)};
    return 0;
}

static int rewrite_span(const struct pin *pin, const struct pin_span *span, const char *tag,
                        const char *digest, struct edit_list *edits, struct error *err) {
    if (span->part == PIN_PART_DIGEST) {
        size_t skip = span->length == BARE_DIGEST_LENGTH ? DIGEST_LENGTH - BARE_DIGEST_LENGTH : 0;
        return add_edit(edits, span->offset, pin->name.digest + skip, digest + skip, err);
    }
    if (tag == NULL || pin->name.tag == NULL)
        return 0;
    return add_edit(edits, span->offset, pin->name.tag, tag, err);
}

int rewrite_pin(const struct pin *pin, const char *tag, const char *digest, struct edit_list *edits,
                struct error *err) {
    if (!digest_valid(digest))
        return error_set(err, ERROR_INPUT, "\"%s\" is not a digest", digest);
    if (tag != NULL && !reference_tag_valid(tag))
        return error_set(err, ERROR_INPUT, "\"%s\" is not a tag", tag);
    size_t kept = edits->count;
    for (size_t i = 0; i < pin->span_count; i++)
        if (rewrite_span(pin, &pin->spans[i], tag, digest, edits, err) < 0) {
            while (edits->count > kept) {
                struct edit *last = &edits->items[--edits->count];
                free(last->old_bytes);
                free(last->new_bytes);
            }
            return -1;
        }
    return 0;
}

static int compare_edits(const void *a, const void *b) {
    const struct edit *one = *(const struct edit *const *)a, *two = *(const struct edit *const *)b;
    return (one->offset > two->offset) - (one->offset < two->offset);
}

static size_t line_of(const char *bytes, size_t offset) {
    size_t line = 1;
    for (const char *at = bytes, *end = bytes + offset;
         at < end && (at = memchr(at, '\n', (size_t)(end - at))) != NULL; at++)
        line++;
    return line;
}

static int check_edit(const char *bytes, size_t length, const struct edit *edit, size_t done,
                      struct error *err) {
    if (edit->offset < done)
        return error_set(err, ERROR_BUG, "two edits overlap at byte %zu", edit->offset);
    size_t old_length = strlen(edit->old_bytes);
    if (edit->offset > length || old_length > length - edit->offset)
        return error_set(err, ERROR_CONFLICT, "the file ends before byte %zu, where \"%s\" stood",
                         edit->offset, edit->old_bytes);
    if (memcmp(bytes + edit->offset, edit->old_bytes, old_length) != 0)
        return error_set(err, ERROR_CONFLICT, "line %zu: \"%s\" no longer stands there",
                         line_of(bytes, edit->offset), edit->old_bytes);
    return 0;
}

static int apply_sorted(const char *bytes, size_t length, const struct edit **sorted, size_t count,
                        struct text *out, struct error *err) {
    size_t done = 0;
    for (size_t i = 0; i < count; i++) {
        if (check_edit(bytes, length, sorted[i], done, err) < 0)
            return -1;
        text_append(out, bytes + done, sorted[i]->offset - done);
        text_add(out, sorted[i]->new_bytes);
        done = sorted[i]->offset + strlen(sorted[i]->old_bytes);
    }
    text_append(out, bytes + done, length - done);
    return text_check(out, err);
}

int edits_apply(const char *bytes, size_t length, const struct edit_list *edits, struct text *out,
                struct error *err) {
    _cleanup_(free_pointer) const struct edit **sorted = calloc(edits->count + 1, sizeof(*sorted));
    if (sorted == NULL)
        return error_no_memory(err);
    size_t grown = length + 1;
    for (size_t i = 0; i < edits->count; i++) {
        sorted[i] = &edits->items[i];
        grown += strlen(edits->items[i].new_bytes);
    }
    qsort(sorted, edits->count, sizeof(*sorted), compare_edits);
    *out = (struct text){.ceiling = grown};
    if (apply_sorted(bytes, length, sorted, edits->count, out, err) < 0) {
        text_clear(out);
        return -1;
    }
    return 0;
}

void edit_list_clear(struct edit_list *edits) {
    for (size_t i = 0; i < edits->count; i++) {
        free(edits->items[i].old_bytes);
        free(edits->items[i].new_bytes);
    }
    free(edits->items);
    *edits = (struct edit_list){0};
}
