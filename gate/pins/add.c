#include "gate/pins/add.h"

#include <stdlib.h>
#include <string.h>

#include "gate/base/array.h"
#include "gate/base/text.h"

/* "@" is rare in text, so memchr for it is faster than memmem for all of the literal. */
const char *pin_literal(const char *at, const char *end) {
    while (end - at >= (ptrdiff_t)PIN_LITERAL_LENGTH) {
        at = memchr(at, '@', (size_t)(end - at) - (PIN_LITERAL_LENGTH - 1));
        if (at == NULL || memcmp(at, PIN_LITERAL, PIN_LITERAL_LENGTH) == 0)
            return at;
        at++;
    }
    return NULL;
}

/* length: of what is written, which may hold a NUL. */
static int fill(struct pin *pin, const char *written, size_t length, const char *path,
                struct error *err) {
    if (strlen(written) != length)
        return error_set(err, ERROR_INPUT, "a NUL character within a reference");
    if (reference_parse(written, &pin->name, err) < 0)
        return -1;
    if (pin->name.digest == NULL)
        return error_set(err, ERROR_INPUT, "\"%s\" has no digest", written);
    pin->path = string_dup(path != NULL ? path : "", err);
    return pin->path != NULL ? 0 : -1;
}

static void add_span(struct pin *pin, enum pin_part part, size_t offset, size_t length) {
    pin->spans[pin->span_count++] = (struct pin_span){part, offset, length};
}

int pin_add(const struct pin_file *file, const char *format, size_t offset, size_t length,
            const char *path, struct pin_list *pins, struct error *err) {
    struct pin pin = {.format = format, .offset = offset, .length = length};
    pin.reference = string_dup_length(file->bytes + offset, length, err);
    if (pin.reference == NULL)
        return -1;
    struct pin *added = NULL;
    if (fill(&pin, pin.reference, length, path, err) == 0)
        added = array_add(pins, err);
    if (added == NULL) {
        pin_clear(&pin);
        return -1;
    }
    size_t digest = offset + length - DIGEST_LENGTH;
    if (pin.name.tag != NULL) {
        size_t tag_length = strlen(pin.name.tag);
        add_span(&pin, PIN_PART_TAG, digest - 1 - tag_length, tag_length);
    }
    add_span(&pin, PIN_PART_DIGEST, digest, DIGEST_LENGTH);
    *added = pin;
    return 0;
}

int skipped_add(struct skipped_list *skipped, size_t line, const char *bytes, size_t length,
                const char *reason, struct error *err) {
    /* Not in the middle of a character. */
    if (length > SKIPPED_TEXT_LIMIT)
        for (length = SKIPPED_TEXT_LIMIT; length > 0; length--)
            if (((unsigned char)bytes[length] & 0xC0) != 0x80)
                break;
    _cleanup_(free_pointer) char *text = string_dup_length(bytes, length, err);
    _cleanup_(free_pointer) char *why = text != NULL ? string_dup(reason, err) : NULL;
    struct skipped *item = why != NULL ? array_add(skipped, err) : NULL;
    if (item == NULL)
        return -1;
    *item = (struct skipped){.line = line, .text = steal(text), .reason = steal(why)};
    return 0;
}

static bool touches(size_t offset, size_t length, size_t other, size_t other_length) {
    return offset < other + other_length && other < offset + length;
}

bool pin_claimed(const struct pin_list *pins, size_t *cursor, size_t offset, size_t length) {
    while (*cursor < pins->count &&
           pins->items[*cursor].offset + pins->items[*cursor].length <= offset)
        (*cursor)++;
    return *cursor < pins->count &&
           touches(offset, length, pins->items[*cursor].offset, pins->items[*cursor].length);
}
