#include "gate/digest.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "gate/base/hash.h"

static const char algorithm[] = "sha256:";

#define ALGORITHM_LENGTH (sizeof algorithm - 1)

/* isxdigit would take capitals, and two spellings of one digest would not compare equal. */
static bool is_hex(char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
}

bool digest_at(const char *bytes, size_t length) {
    if (length < DIGEST_LENGTH || memcmp(bytes, algorithm, ALGORITHM_LENGTH) != 0)
        return false;
    for (size_t i = ALGORITHM_LENGTH; i < DIGEST_LENGTH; i++)
        if (!is_hex(bytes[i]))
            return false;
    return length == DIGEST_LENGTH || !isxdigit((unsigned char)bytes[DIGEST_LENGTH]);
}

bool digest_valid(const char *text) {
    size_t length = strnlen(text, DIGEST_SIZE);
    return length == DIGEST_LENGTH && digest_at(text, length);
}

int digest_of(const void *bytes, size_t length, char out[DIGEST_SIZE], struct error *err) {
    char hex[HASH_HEX_SIZE];
    if (hash_hex(bytes, length, hex, err) < 0)
        return error_wrap(err, "digest of %zu bytes", length);
    snprintf(out, DIGEST_SIZE, "%s%s", algorithm, hex);
    return 0;
}
