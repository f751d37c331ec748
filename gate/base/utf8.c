#include "gate/base/utf8.h"

/* Which second bytes may follow which lead bytes; the first row that fits counts. */
static const struct {
    unsigned char mask, lead, second_low, second_high;
    size_t length;
} forms[] = {
    {0x80, 0x00, 0x00, 0x00, 1}, {0xFE, 0xC0, 0xFF, 0x00, 2}, {0xE0, 0xC0, 0x80, 0xBF, 2},
    {0xFF, 0xE0, 0xA0, 0xBF, 3}, {0xFF, 0xED, 0x80, 0x9F, 3}, {0xF0, 0xE0, 0x80, 0xBF, 3},
    {0xFF, 0xF0, 0x90, 0xBF, 4}, {0xFF, 0xF4, 0x80, 0x8F, 4}, {0xFC, 0xF0, 0x80, 0xBF, 4},
};

size_t utf8_length(const char *at, size_t left) {
    const unsigned char *bytes = (const unsigned char *)at;
    for (size_t i = 0; i < sizeof forms / sizeof *forms && left > 0; i++) {
        if ((bytes[0] & forms[i].mask) != forms[i].lead)
            continue;
        size_t length = forms[i].length;
        if (length == 1)
            return 1;
        if (length > left || bytes[1] < forms[i].second_low || bytes[1] > forms[i].second_high)
            return 0;
        for (size_t j = 2; j < length; j++)
            if ((bytes[j] & 0xC0) != 0x80)
                return 0;
        return length;
    }
    return 0;
}

bool utf8_valid(const char *bytes, size_t length) {
    for (size_t at = 0; at < length;) {
        size_t step = utf8_length(bytes + at, length - at);
        if (step == 0)
            return false;
        at += step;
    }
    return true;
}
