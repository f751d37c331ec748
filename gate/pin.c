#include "gate/pin.h"

#include <stdlib.h>
#include <string.h>

#include "gate/base/text.h"

static const char *const part_names[PIN_PART_COUNT] = {
    [PIN_PART_TAG] = "tag",
    [PIN_PART_DIGEST] = "digest",
    [PIN_PART_VERSION_COMMENT] = "version-comment",
};

const char *pin_part_name(enum pin_part part) {
    return part_names[part];
}

const struct pin_span *pin_span(const struct pin *pin, enum pin_part part) {
    for (size_t i = 0; i < pin->span_count; i++)
        if (pin->spans[i].part == part)
            return &pin->spans[i];
    return NULL;
}

int pin_compare(const struct pin *a, const struct pin *b) {
    int order = strcmp(a->file, b->file);
    if (order != 0)
        return order;
    return (a->offset > b->offset) - (a->offset < b->offset);
}

static int copy_string(const char *from, char **out, struct error *err) {
    *out = string_dup(from, err);
    return from == NULL || *out != NULL ? 0 : -1;
}

int pin_copy(const struct pin *from, struct pin *out, struct error *err) {
    *out = *from;
    out->file = out->path = out->reference = NULL;
    out->name = (struct reference){0};
    if (copy_string(from->file, &out->file, err) < 0 ||
        copy_string(from->path, &out->path, err) < 0 ||
        copy_string(from->reference, &out->reference, err) < 0 ||
        reference_copy(&from->name, &out->name, err) < 0) {
        pin_clear(out);
        return -1;
    }
    return 0;
}

void pin_clear(struct pin *pin) {
    free(pin->file);
    free(pin->path);
    free(pin->reference);
    reference_clear(&pin->name);
    *pin = (struct pin){0};
}

void pin_list_clear(struct pin_list *pins) {
    for (size_t i = 0; i < pins->count; i++)
        pin_clear(&pins->items[i]);
    free(pins->items);
    *pins = (struct pin_list){0};
}

void skipped_list_clear(struct skipped_list *skipped) {
    for (size_t i = 0; i < skipped->count; i++) {
        free(skipped->items[i].file);
        free(skipped->items[i].text);
        free(skipped->items[i].reason);
    }
    free(skipped->items);
    *skipped = (struct skipped_list){0};
}
