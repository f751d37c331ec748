#include "gate/base/json_walk.h"

#include <ctype.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define NUMBER_LIMIT 64 /* bytes of a number that is asked for; longer ones can only be skipped */

void json_walk_start(struct json_walk *walk, const char *bytes, size_t length) {
    *walk = (struct json_walk){.at = bytes, .end = bytes + length};
}

static bool broken(struct json_walk *walk) {
    walk->broken = true;
    walk->at = walk->end;
    return false;
}

static void skip_space(struct json_walk *walk) {
    while (walk->at < walk->end &&
           (*walk->at == ' ' || *walk->at == '\t' || *walk->at == '\n' || *walk->at == '\r'))
        walk->at++;
}

/* The next byte behind white space, '\0' at the end. */
static char next_char(struct json_walk *walk) {
    skip_space(walk);
    return walk->at < walk->end ? *walk->at : '\0';
}

enum json_walk_kind json_walk_peek(struct json_walk *walk) {
    switch (next_char(walk)) {
    case '{':
        return JSON_WALK_OBJECT;
    case '[':
        return JSON_WALK_ARRAY;
    case '"':
        return JSON_WALK_STRING;
    case '-':
    case '0' ... '9':
        return JSON_WALK_NUMBER;
    case 't':
    case 'f':
    case 'n':
        return JSON_WALK_WORD;
    default:
        return JSON_WALK_NOTHING;
    }
}

static bool open_with(struct json_walk *walk, char bracket) {
    if (next_char(walk) != bracket || walk->depth >= JSON_WALK_DEPTH)
        return broken(walk);
    walk->at++;
    walk->depth++;
    walk->first = true;
    return true;
}

/* At a member of what is open: true, behind the comma where one is due. At its end: false, behind the bracket. */
static bool next_member(struct json_walk *walk, char bracket) {
    bool first = walk->first;
    walk->first = false;
    char c = next_char(walk);
    if (walk->broken || walk->depth == 0)
        return broken(walk);
    if (c == bracket) {
        walk->at++;
        walk->depth--;
        return false;
    }
    if (first)
        return true;
    if (c != ',')
        return broken(walk);
    walk->at++;
    return true;
}

bool json_walk_object(struct json_walk *walk) {
    return open_with(walk, '{');
}

bool json_walk_array(struct json_walk *walk) {
    return open_with(walk, '[');
}

bool json_walk_item(struct json_walk *walk) {
    if (!next_member(walk, ']'))
        return false;
    return json_walk_peek(walk) != JSON_WALK_NOTHING || broken(walk);
}

bool json_walk_key(struct json_walk *walk, struct text *key) {
    if (!next_member(walk, '}') || !json_walk_string(walk, key))
        return false;
    if (next_char(walk) != ':')
        return broken(walk);
    walk->at++;
    return json_walk_peek(walk) != JSON_WALK_NOTHING || broken(walk);
}

static int hex_value(char c) {
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The four hex digits behind "\u"; -1 when they are none. */
static int32_t read_unit(struct json_walk *walk) {
    int32_t unit = 0;
    if (walk->end - walk->at < 4)
        return -1;
    for (int i = 0; i < 4; i++) {
        int digit = hex_value(*walk->at++);
        if (digit < 0)
            return -1;
        unit = unit << 4 | digit;
    }
    return unit;
}

static void add_utf8(struct text *out, uint32_t point) {
    if (point < 0x80) {
        text_add_char(out, (char)point);
    } else if (point < 0x800) {
        text_add_char(out, (char)(0xc0 | point >> 6));
        text_add_char(out, (char)(0x80 | (point & 0x3f)));
    } else if (point < 0x10000) {
        text_add_char(out, (char)(0xe0 | point >> 12));
        text_add_char(out, (char)(0x80 | (point >> 6 & 0x3f)));
        text_add_char(out, (char)(0x80 | (point & 0x3f)));
    } else {
        text_add_char(out, (char)(0xf0 | point >> 18));
        text_add_char(out, (char)(0x80 | (point >> 12 & 0x3f)));
        text_add_char(out, (char)(0x80 | (point >> 6 & 0x3f)));
        text_add_char(out, (char)(0x80 | (point & 0x3f)));
    }
}

static bool read_unicode(struct json_walk *walk, struct text *out) {
    int32_t unit = read_unit(walk);
    if (unit <= 0 || (unit >= 0xdc00 && unit <= 0xdfff))
        return false;
    uint32_t point = (uint32_t)unit;
    if (unit >= 0xd800 && unit <= 0xdbff) {
        if (walk->end - walk->at < 2 || walk->at[0] != '\\' || walk->at[1] != 'u')
            return false;
        walk->at += 2;
        int32_t low = read_unit(walk);
        if (low < 0xdc00 || low > 0xdfff)
            return false;
        point = 0x10000 + (((uint32_t)unit & 0x3ff) << 10) + ((uint32_t)low & 0x3ff);
    }
    if (out != NULL)
        add_utf8(out, point);
    return true;
}

static bool read_escape(struct json_walk *walk, struct text *out) {
    static const char names[] = "\"\\/bfnrt";
    static const char values[] = "\"\\/\b\f\n\r\t";
    if (walk->at >= walk->end)
        return false;
    char c = *walk->at++;
    if (c == 'u')
        return read_unicode(walk, out);
    const char *found = c != '\0' ? strchr(names, c) : NULL;
    if (found == NULL)
        return false;
    if (out != NULL)
        text_add_char(out, values[found - names]);
    return true;
}

/* out NULL: only passes over it. */
static bool read_string(struct json_walk *walk, struct text *out) {
    if (next_char(walk) != '"')
        return broken(walk);
    walk->at++;
    while (walk->at < walk->end && *walk->at != '"') {
        const char *start = walk->at;
        while (walk->at < walk->end && *walk->at != '"' && *walk->at != '\\' &&
               (unsigned char)*walk->at >= 0x20)
            walk->at++;
        if (out != NULL)
            text_append(out, start, (size_t)(walk->at - start));
        if (walk->at < walk->end && (unsigned char)*walk->at < 0x20)
            return broken(walk);
        if (walk->at < walk->end && *walk->at == '\\') {
            walk->at++;
            if (!read_escape(walk, out))
                return broken(walk);
        }
    }
    if (walk->at >= walk->end)
        return broken(walk);
    walk->at++;
    return true;
}

bool json_walk_string(struct json_walk *walk, struct text *out) {
    text_truncate(out, 0);
    return read_string(walk, out) && (out->failed == ERROR_NONE || broken(walk));
}

static size_t skip_digits(struct json_walk *walk) {
    const char *start = walk->at;
    while (walk->at < walk->end && isdigit((unsigned char)*walk->at))
        walk->at++;
    return (size_t)(walk->at - start);
}

static bool skip_number(struct json_walk *walk) {
    if (next_char(walk) == '-')
        walk->at++;
    const char *start = walk->at;
    size_t digits = skip_digits(walk);
    if (digits == 0 || (digits > 1 && *start == '0'))
        return broken(walk);
    if (walk->at < walk->end && *walk->at == '.') {
        walk->at++;
        if (skip_digits(walk) == 0)
            return broken(walk);
    }
    if (walk->at < walk->end && (*walk->at == 'e' || *walk->at == 'E')) {
        walk->at++;
        if (walk->at < walk->end && (*walk->at == '+' || *walk->at == '-'))
            walk->at++;
        if (skip_digits(walk) == 0)
            return broken(walk);
    }
    return true;
}

bool json_walk_number(struct json_walk *walk, double *out) {
    skip_space(walk);
    const char *start = walk->at;
    if (!skip_number(walk))
        return false;
    char copy[NUMBER_LIMIT];
    size_t length = (size_t)(walk->at - start);
    if (length >= sizeof copy)
        return broken(walk);
    memcpy(copy, start, length);
    copy[length] = '\0';
    *out = strtod(copy, NULL);
    return true;
}

static bool skip_word(struct json_walk *walk) {
    static const char *const words[] = {"true", "false", "null"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        size_t length = strlen(words[i]);
        if ((size_t)(walk->end - walk->at) >= length && memcmp(walk->at, words[i], length) == 0) {
            walk->at += length;
            return true;
        }
    }
    return broken(walk);
}

static bool skip_key(struct json_walk *walk) {
    if (!next_member(walk, '}') || !read_string(walk, NULL))
        return false;
    if (next_char(walk) != ':')
        return broken(walk);
    walk->at++;
    return true;
}

/* as deep as JSON_WALK_DEPTH, which open_with holds */
bool json_walk_skip(struct json_walk *walk) {
    switch (json_walk_peek(walk)) {
    case JSON_WALK_OBJECT:
        for (bool in = open_with(walk, '{'); in && skip_key(walk);)
            json_walk_skip(walk);
        return !walk->broken;
    case JSON_WALK_ARRAY:
        for (bool in = open_with(walk, '['); in && next_member(walk, ']');)
            json_walk_skip(walk);
        return !walk->broken;
    case JSON_WALK_STRING:
        return read_string(walk, NULL);
    case JSON_WALK_NUMBER:
        return skip_number(walk);
    case JSON_WALK_WORD:
        return skip_word(walk);
    case JSON_WALK_NOTHING:
        break;
    }
    return broken(walk);
}

bool json_walk_done(struct json_walk *walk) {
    skip_space(walk);
    return !walk->broken && walk->depth == 0 && walk->at == walk->end;
}
