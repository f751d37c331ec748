#include "tests/fuzz/pins.h"

#include <string.h>

#include "tests/golden/moved.h"

static const char *const digests[] = {
    "@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
    "@sha256:fedcba9876543210fedcba9876543210fedcba9876543210fedcba9876543210",
    "@sha256:cafecafecafecafecafecafecafecafecafecafecafecafecafecafecafecafe",
};

static const struct {
    const char *tag, *digest;
} targets[] = {
    {"1", "sha256:1122334455667788112233445566778811223344556677881122334455667788"},
    {"9.9.9-moved", "sha256:cafecafecafecafecafecafecafecafecafecafecafecafecafecafecafecafe"},
};

static void expand(const uint8_t *bytes, size_t size, struct text *out) {
    for (size_t i = 0; i < size; i++) {
        if (bytes[i] >= 1 && bytes[i] <= sizeof digests / sizeof *digests)
            text_add(out, digests[bytes[i] - 1]);
        else
            text_append(out, bytes + i, 1);
    }
}

void fuzz_pins(const char *name, const uint8_t *bytes, size_t size) {
    struct text whole = {0};
    expand(bytes, size, &whole);
    /* A copy of the exact size: what is read behind it, the address sanitizer sees. */
    char *exact = malloc(whole.length > 0 ? whole.length : 1);
    if (exact == NULL)
        abort();
    memcpy(exact, text_string(&whole), whole.length);
    for (size_t i = 0; i < sizeof targets / sizeof *targets; i++) {
        struct error err = {0};
        struct text moved = {0};
        if (moved_check(name, exact, whole.length, targets[i].tag, targets[i].digest, &moved,
                        &err) < 0) {
            fprintf(stderr, "%s: does not hold: %s\n", name, error_message(&err));
            abort();
        }
        text_clear(&moved);
    }
    free(exact);
    text_clear(&whole);
}
