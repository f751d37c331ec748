#include <string.h>

#include "gate/base/json_walk.h"
#include "gate/base/utf8.h"
#include "pipelines/stages/ledger_parts.h"

static const char escaped[] = "\b\f\n\r\t\"\\";
static const char letters[] = "bfnrt\"\\";
static const char digits[] = "0123456789abcdef";

void ledger_add_string(struct text *out, const char *string) {
    text_add_char(out, '"');
    size_t left = strlen(string);
    while (left > 0) {
        unsigned char c = (unsigned char)*string;
        size_t length = utf8_length(string, left);
        const char *found = length == 1 ? strchr(escaped, c) : NULL;
        if (length == 0)
            text_add(out, UTF8_REPLACEMENT);
        else if (found != NULL)
            text_printf(out, "\\%c", letters[found - escaped]);
        else if (c < 0x20)
            text_printf(out, "\\u00%02x", c);
        else
            text_append(out, string, length);
        length = length != 0 ? length : 1;
        string += length;
        left -= length;
    }
    text_add_char(out, '"');
}

struct look {
    const char *at, *end;
    unsigned int depth;
};

static bool take(struct look *look, char wanted) {
    if (look->at == look->end || *look->at != wanted)
        return false;
    look->at++;
    return true;
}

/* Behind a backslash: one of the letters, or u00xx of a character that has no letter. */
static bool take_escape(struct look *look) {
    if (look->end - look->at < 1)
        return false;
    char c = *look->at++;
    if (c != 'u')
        return c != '\0' && strchr(letters, c) != NULL;
    if (look->end - look->at < 4 || memcmp(look->at, "00", 2) != 0)
        return false;
    const char *high = memchr(digits, look->at[2], 2); /* '0' or '1' */
    const char *low = memchr(digits, look->at[3], 16);
    look->at += 4;
    if (high == NULL || low == NULL)
        return false;
    int value = (int)((high - digits) * 16 + (low - digits));
    return value != 0 && strchr(escaped, value) == NULL;
}

static bool take_string(struct look *look, bool escapes) {
    if (!take(look, '"'))
        return false;
    while (look->at < look->end) {
        unsigned char c = (unsigned char)*look->at;
        if (c == '"') {
            look->at++;
            return true;
        }
        if (c == '\\') {
            look->at++;
            if (!escapes || !take_escape(look))
                return false;
        } else if (c >= 0x80) {
            size_t length = utf8_length(look->at, (size_t)(look->end - look->at));
            if (length == 0)
                return false;
            look->at += length;
        } else if (c >= 0x20) {
            look->at++;
        } else {
            return false;
        }
    }
    return false;
}

static bool take_value(struct look *look);

/* Both with their quotes, of which the closing one takes no part in the order. */
static bool ascends(const char *before, size_t before_length, const char *key, size_t length) {
    size_t shared = (before_length < length ? before_length : length) - 1;
    int order = memcmp(before, key, shared);
    return order < 0 || (order == 0 && before_length < length);
}

static bool take_members(struct look *look) {
    const char *before = NULL; /* the key before, with its quotes */
    size_t before_length = 0;
    if (take(look, '}'))
        return true;
    do {
        const char *key = look->at;
        if (!take_string(look, false))
            return false;
        size_t length = (size_t)(look->at - key);
        if (before != NULL && !ascends(before, before_length, key, length))
            return false;
        before = key;
        before_length = length;
        if (!take(look, ':') || !take_value(look))
            return false;
    } while (take(look, ','));
    return take(look, '}');
}

static bool take_items(struct look *look) {
    if (take(look, ']'))
        return true;
    do {
        if (!take_value(look))
            return false;
    } while (take(look, ','));
    return take(look, ']');
}

static bool take_number(struct look *look) {
    bool negative = take(look, '-');
    const char *first = look->at;
    while (look->at < look->end && *look->at >= '0' && *look->at <= '9')
        look->at++;
    size_t count = (size_t)(look->at - first);
    return count > 0 && (*first != '0' || (count == 1 && !negative));
}

static bool take_word(struct look *look, const char *word) {
    size_t length = strlen(word);
    if ((size_t)(look->end - look->at) < length || memcmp(look->at, word, length) != 0)
        return false;
    look->at += length;
    return true;
}

static bool take_value(struct look *look) {
    if (look->at == look->end)
        return false;
    switch (*look->at) {
    case '"':
        return take_string(look, true);
    case '{':
    case '[': {
        bool object = *look->at++ == '{';
        if (++look->depth > JSON_WALK_DEPTH || !(object ? take_members(look) : take_items(look)))
            return false;
        look->depth--;
        return true;
    }
    case 't':
        return take_word(look, "true");
    case 'f':
        return take_word(look, "false");
    case 'n':
        return take_word(look, "null");
    default:
        return take_number(look);
    }
}

bool ledger_is_canonical(const char *bytes, size_t length) {
    struct look look = {.at = bytes, .end = bytes + length};
    return take_value(&look) && look.at == look.end;
}
