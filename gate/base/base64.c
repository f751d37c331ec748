#include "gate/base/base64.h"

#include <stdint.h>
#include <string.h>

static const char common[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

static char digit(uint32_t value, bool url) {
    if (value < 62)
        return common[value];
    if (value == 62)
        return url ? '-' : '+';
    return url ? '_' : '/';
}

void base64_encode(struct text *out, const void *bytes, size_t length, bool url) {
    const unsigned char *at = bytes;
    for (; length > 0; at += 3) {
        size_t part = length < 3 ? length : 3;
        uint32_t group =
            (uint32_t)at[0] << 16 | (part > 1 ? (uint32_t)at[1] << 8 : 0) | (part > 2 ? at[2] : 0);
        char four[4] = {digit(group >> 18, url), digit(group >> 12 & 63, url),
                        part > 1 ? digit(group >> 6 & 63, url) : '=',
                        part > 2 ? digit(group & 63, url) : '='};
        text_append(out, four, sizeof four);
        length -= part;
    }
}

static int value_of(char c) {
    if (c == '+' || c == '-')
        return 62;
    if (c == '/' || c == '_')
        return 63;
    const char *found = c != '\0' ? strchr(common, c) : NULL;
    return found != NULL ? (int)(found - common) : -1;
}

bool base64_decode(struct text *out, const char *text, size_t length) {
    while (length > 0 && text[length - 1] == '=')
        length--;
    if (length % 4 == 1)
        return false;
    uint32_t group = 0;
    int bits = 0;
    for (size_t i = 0; i < length; i++) {
        int value = value_of(text[i]);
        if (value < 0)
            return false;
        group = group << 6 | (uint32_t)value;
        bits += 6;
        if (bits < 8)
            continue;
        bits -= 8;
        text_add_char(out, (char)(group >> bits & 0xff));
    }
    return true;
}
