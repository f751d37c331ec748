#include "reports/clean_stream.h"

#include <ctype.h>
#include <string.h>

#include "reports/clean.h"

#define ESCAPE         0x1Bu
#define SEQUENCE_LIMIT 4096 /* bytes of one CSI: real ones have some dozen */

size_t clean_decode(const char *at, size_t length, uint32_t *character) {
    const unsigned char *bytes = (const unsigned char *)at;
    unsigned char first = bytes[0];
    *character = CLEAN_REPLACEMENT;
    if (first < 0x80) {
        *character = first;
        return 1;
    }
    if (first < 0xC2 || first > 0xF4)
        return 1;
    size_t needed = first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
    /* Only the second byte can make a sequence overlong, a surrogate or too large. */
    unsigned char low = first == 0xE0 ? 0xA0 : first == 0xF0 ? 0x90 : 0x80;
    unsigned char high = first == 0xED ? 0x9F : first == 0xF4 ? 0x8F : 0xBF;
    uint32_t value = first & (0x7Fu >> needed);
    for (size_t i = 1; i < needed; i++) {
        if (i >= length || bytes[i] < low || bytes[i] > high)
            return i;
        value = value << 6 | (bytes[i] & 0x3Fu);
        low = 0x80;
        high = 0xBF;
    }
    *character = value;
    return needed;
}

void clean_put(struct text *out, uint32_t c) {
    char bytes[4];
    size_t length = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    if (length == 1) {
        text_add_char(out, (char)c);
        return;
    }
    for (size_t i = length - 1; i > 0; i--, c >>= 6)
        bytes[i] = (char)(0x80u | (c & 0x3Fu));
    bytes[0] = (char)((0xF00u >> length & 0xFFu) | c);
    text_append(out, bytes, length);
}

bool clean_is_space(uint32_t c) {
    return (c >= 0x09 && c <= 0x0D) || c == ' ' || c == 0x85 || c == 0xA0 || c == 0x1680 ||
           (c >= 0x2000 && c <= 0x200A) || c == 0x2028 || c == 0x2029 || c == 0x202F ||
           c == 0x205F || c == 0x3000;
}

/* Characters that show nothing and can hide or reorder what stands around them. */
static bool is_invisible(uint32_t c) {
    static const struct {
        uint32_t first, last;
    } ranges[] = {
        {0x00AD, 0x00AD},   {0x034F, 0x034F}, {0x061C, 0x061C},   {0x115F, 0x1160},
        {0x17B4, 0x17B5},   {0x180B, 0x180F}, {0x200B, 0x200F},   {0x202A, 0x202E},
        {0x2060, 0x206F},   {0x3164, 0x3164}, {0xFE00, 0xFE0F},   {0xFEFF, 0xFEFF},
        {0xFFA0, 0xFFA0},   {0xFFF9, 0xFFFB}, {0x1BCA0, 0x1BCA3}, {0x1D173, 0x1D17A},
        {0xE0000, 0xE0FFF},
    };
    for (size_t i = 0; c >= ranges[0].first && i < sizeof ranges / sizeof *ranges; i++)
        if (c >= ranges[i].first && c <= ranges[i].last)
            return true;
    return false;
}

static bool is_illegal(uint32_t c) {
    return c < 0x20 || c == 0x7F || (c >= 0xFDD0 && c <= 0xFDEF) || (c & 0xFFFEu) == 0xFFFEu;
}

static size_t left(const struct clean_stream *stream) {
    return (size_t)(stream->end - stream->at);
}

static void skip_range(struct clean_stream *stream, unsigned char low, unsigned char high) {
    const char *limit = left(stream) > SEQUENCE_LIMIT ? stream->at + SEQUENCE_LIMIT : stream->end;
    while (stream->at < limit && (unsigned char)*stream->at >= low &&
           (unsigned char)*stream->at <= high)
        stream->at++;
}

static void skip_final(struct clean_stream *stream, unsigned char low, unsigned char high) {
    if (stream->at < stream->end && (unsigned char)*stream->at >= low &&
        (unsigned char)*stream->at <= high)
        stream->at++;
}

static void skip_csi(struct clean_stream *stream) {
    skip_range(stream, 0x30, 0x3F);
    skip_range(stream, 0x20, 0x2F);
    skip_final(stream, 0x40, 0x7E);
}

/* OSC, DCS, SOS, PM, APC: up to BEL or the string terminator. One that is not closed ends with its line, so that it cannot
 * hide all that comes after. */
static void skip_string(struct clean_stream *stream) {
    for (; stream->at < stream->end; stream->at++) {
        unsigned char c = (unsigned char)*stream->at;
        if (c == '\n' || c == '\r')
            return;
        if (c == 0x07) {
            stream->at++;
            return;
        }
        if (c == ESCAPE) {
            if (left(stream) > 1 && stream->at[1] == '\\')
                stream->at += 2;
            return;
        }
        if (c == 0xC2 && left(stream) > 1 && (unsigned char)stream->at[1] == 0x9C) {
            stream->at += 2;
            return;
        }
    }
}

/* What follows ESC, or a C1 control as its 7-bit form. */
static void skip_sequence(struct clean_stream *stream, unsigned char kind) {
    if (kind == '[')
        skip_csi(stream);
    else if (strchr("]PX^_", kind) != NULL)
        skip_string(stream);
    else if (kind >= 0x20 && kind <= 0x2F) {
        skip_range(stream, 0x20, 0x2F);
        skip_final(stream, 0x30, 0x7E);
    }
}

static void skip_escape(struct clean_stream *stream) {
    if (stream->at == stream->end)
        return;
    unsigned char kind = (unsigned char)*stream->at;
    if (kind < 0x20 || kind > 0x7E)
        return;
    stream->at++;
    skip_sequence(stream, kind);
}

uint32_t clean_next(struct clean_stream *stream) {
    while (stream->at < stream->end) {
        uint32_t c;
        stream->at += clean_decode(stream->at, left(stream), &c);
        if (c == '\n' || c == '\t')
            return c;
        if (c == '\r') {
            if (stream->at < stream->end && *stream->at == '\n')
                stream->at++;
            return '\n';
        }
        if (c == ESCAPE)
            skip_escape(stream);
        else if (c == 0x0B || c == 0x0C || c == 0x85 || c == 0x2028 || c == 0x2029)
            return ' ';
        else if (c >= 0x80 && c <= 0x9F)
            skip_sequence(stream, (unsigned char)(c - 0x40));
        else if (is_illegal(c))
            return CLEAN_REPLACEMENT;
        else if (!is_invisible(c))
            return c;
    }
    return CLEAN_END;
}

static bool is_of_name(char c) {
    return isalnum((unsigned char)c) || c == '-' || c == '_' || c == '.';
}

/* "##[" or "##name[" would be obeyed anywhere in a line. A name of any length is followed back to its start: asked before
 * "[" only, which is of no name, so that no byte is looked at twice. */
static bool ends_with_mark(const struct text *out) {
    size_t at = out->length;
    while (at > 0 && is_of_name(out->bytes[at - 1]))
        at--;
    return at >= 2 && out->bytes[at - 1] == '#' && out->bytes[at - 2] == '#';
}

void clean_put_in_log(struct text *out, struct clean_line *line, uint32_t c,
                      const struct clean_stream *rest) {
    if (c == '[' && ends_with_mark(out))
        text_add(out, CLEAN_BREAK);
    clean_put(out, c);
    if (c == '\n')
        line->at_start = true;
    else if (line->at_start && !clean_is_space(c)) {
        line->at_start = false;
        if (c == ':' && clean_peek(rest) == ':')
            text_add(out, CLEAN_BREAK);
    }
}

uint32_t clean_peek(const struct clean_stream *stream) {
    struct clean_stream copy = *stream;
    return clean_next(&copy);
}
