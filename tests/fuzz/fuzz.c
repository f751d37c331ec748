#include "tests/fuzz/fuzz.h"

#include <string.h>

static struct fuzz_target *first;

void fuzz_register(struct fuzz_target *target) {
    target->next = first;
    first = target;
}

const struct fuzz_target *fuzz_targets(void) {
    return first;
}

const struct fuzz_target *fuzz_find(const char *name) {
    const struct fuzz_target *target = first;
    while (target != NULL && strcmp(target->name, name) != 0)
        target = target->next;
    return target;
}

char *fuzz_string(const uint8_t *bytes, size_t size) {
    char *string = size > 0 ? strndup((const char *)bytes, size) : strdup("");
    if (string == NULL)
        abort();
    return string;
}
