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

int pin_compare(const struct pin *a, const struct pin *b) {
    int order = strcmp(a->file, b->file);
    if (order != 0)
        return order;
    return (a->offset > b->offset) - (a->offset < b->offset);
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
