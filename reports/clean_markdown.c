/* Markdown on one line. Two readers are defended against: the Markdown parser, by backslashes and entities, and the
 * forge's own filters that look at the text after parsing (mentions, references, links, emoji), by U+200B.
 *   src  GitHub Flavored Markdown spec 0.29; GitLab "GitLab-specific references"; Gitea linked references */
#include <ctype.h>
#include <string.h>

#include "reports/clean.h"
#include "reports/clean_stream.h"

#define HASH_SHORT 6 /* hex digits that no forge takes for a commit; from 7 on it may */

struct inline_state {
    uint32_t before;  /* the character before; ' ' at the start */
    bool at_start;    /* only white space so far */
    bool only_digits; /* only digits so far: "1." would begin a list */
    size_t hex;       /* digits of the run of hex digits that is being written */
};

static bool is_hex(uint32_t c) {
    return c < 0x80 && isxdigit((int)c) != 0;
}

/* Characters that begin a reference of some forge when more follows. */
static bool begins_reference(uint32_t c, uint32_t before, uint32_t next) {
    if (next == CLEAN_END || clean_is_space(next))
        return false;
    if (c < 0x80 && strchr("@#!&~%$[^", (int)c) != NULL && c != 0)
        return true;
    if (c == ':') /* "://", ":emoji:" */
        return next == '/' || next == '+' || next == '-' || (next < 0x80 && isalpha((int)next));
    if (c == '-') /* "GH-12" */
        return before < 0x80 && isupper((int)before) && next < 0x80 && isdigit((int)next);
    return false;
}

static void put_escaped(struct text *out, const struct inline_state *state, uint32_t c) {
    if (c == '<')
        text_add(out, "&lt;");
    else if (c == '>')
        text_add(out, "&gt;");
    else if (c == '&')
        text_add(out, "&amp;");
    else if (c == '|')
        text_add(out, "&#124;"); /* a backslash does not hold in every table */
    else if (c == '$')
        text_add(out, "&#36;"); /* formulas are found before Markdown is read */
    else {
        bool escape = c < 0x80 && strchr("\\`*_[]~", (int)c) != NULL;
        escape = escape || (state->at_start && c < 0x80 && strchr("#+-=/:", (int)c) != NULL);
        escape = escape || (state->only_digits && (c == '.' || c == ')'));
        if (escape)
            text_add_char(out, '\\');
        clean_put(out, c);
    }
}

static void put_inline(struct text *out, struct inline_state *state, uint32_t c,
                       const struct clean_stream *rest) {
    if (c == '.' && (state->before | 0x20u) == 'w') /* "www." */
        text_add(out, CLEAN_BREAK);
    put_escaped(out, state, c);
    uint32_t next = clean_peek(rest);
    state->hex = is_hex(c) ? state->hex + 1 : 0;
    bool long_hash = state->hex > 0 && state->hex % HASH_SHORT == 0 && is_hex(next);
    if (long_hash || begins_reference(c, state->before, next))
        text_add(out, CLEAN_BREAK);
    state->only_digits = (state->at_start || state->only_digits) && c < 0x80 && isdigit((int)c);
    state->at_start = false;
    state->before = c;
}

void clean_markdown(struct text *out, const char *bytes, size_t length) {
    struct clean_stream stream = {bytes, bytes + length};
    struct inline_state state = {.before = ' ', .at_start = true};
    for (uint32_t c; (c = clean_next(&stream)) != CLEAN_END;) {
        if (!clean_is_space(c)) {
            put_inline(out, &state, c, &stream);
            continue;
        }
        uint32_t next = clean_peek(&stream);
        state.hex = 0;
        state.only_digits = false;
        state.before = ' ';
        /* No space at either end and no two in a row: neither indents nor breaks a line. */
        if (!state.at_start && next != CLEAN_END && !clean_is_space(next))
            text_add_char(out, ' ');
    }
}

struct span {
    size_t longest_run; /* of backticks */
    bool pipe;
    uint32_t first, last; /* characters; CLEAN_END when there is none */
};

static struct span measure_span(struct clean_stream stream) {
    struct span span = {.first = clean_peek(&stream), .last = CLEAN_END};
    size_t run = 0;
    for (uint32_t c; (c = clean_next(&stream)) != CLEAN_END;) {
        run = c == '`' ? run + 1 : 0;
        span.longest_run = run > span.longest_run ? run : span.longest_run;
        span.pipe = span.pipe || c == '|';
        span.last = c;
    }
    return span;
}

static void put_fence(struct text *out, size_t count) {
    for (size_t i = 0; i < count; i++)
        text_add_char(out, '`');
}

void clean_markdown_code(struct text *out, const char *bytes, size_t length) {
    struct clean_stream stream = {bytes, bytes + length};
    struct span span = measure_span(stream);
    if (span.first == CLEAN_END)
        return;
    if (span.pipe) {
        text_add(out, "<code>");
        clean_markdown(out, bytes, length);
        text_add(out, "</code>");
        return;
    }
    /* Markdown takes one space away at both ends; a backtick must not touch the fence. */
    bool padded = span.first == '`' || span.last == '`' || clean_is_space(span.first) ||
                  clean_is_space(span.last);
    put_fence(out, span.longest_run + 1);
    text_add(out, padded ? " " : "");
    struct clean_line line = {false}; /* the fence stands before it */
    for (uint32_t c; (c = clean_next(&stream)) != CLEAN_END;)
        clean_put_in_log(out, &line, c == '\n' || c == '\t' ? ' ' : c, &stream);
    text_add(out, padded ? " " : "");
    put_fence(out, span.longest_run + 1);
}
