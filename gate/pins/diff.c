#include "gate/pins/diff.h"

#include <string.h>

#include "gate/base/array.h"

#define CONTEXT_LINES 3 /* before and behind a change; what git and patch expect */

/* A line that differs. */
struct change {
    size_t line; /* from 0 */
    size_t old_offset, new_offset;
};

struct change_list {
    struct change *items;
    size_t count;
    size_t capacity;
};

/* With its line feed; up to the end where there is none. */
static size_t line_length(struct diff_side side, size_t offset) {
    const char *feed = memchr(side.bytes + offset, '\n', side.length - offset);
    return feed != NULL ? (size_t)(feed - side.bytes) + 1 - offset : side.length - offset;
}

static void add_line(struct text *out, char sign, struct diff_side side, size_t offset) {
    size_t length = line_length(side, offset);
    text_add_char(out, sign);
    text_append(out, side.bytes + offset, length);
    if (length == 0 || side.bytes[offset + length - 1] != '\n')
        text_add(out, "\n\\ No newline at end of file\n");
}

static int find_changes(struct diff_side old_side, struct diff_side new_side,
                        struct change_list *changes, struct error *err) {
    size_t old_at = 0;
    size_t new_at = 0;
    for (size_t line = 0; old_at < old_side.length && new_at < new_side.length; line++) {
        size_t old_length = line_length(old_side, old_at);
        size_t new_length = line_length(new_side, new_at);
        if (old_length != new_length ||
            memcmp(old_side.bytes + old_at, new_side.bytes + new_at, old_length) != 0) {
            struct change *change = array_add(changes, err);
            if (change == NULL)
                return -1;
            *change = (struct change){line, old_at, new_at};
        }
        old_at += old_length;
        new_at += new_length;
    }
    if (old_at < old_side.length || new_at < new_side.length)
        return error_set(err, ERROR_BUG, "an edit added or took lines");
    return 0;
}

/* Up to `wanted` lines before an offset. out: how many there are. */
static size_t step_back(struct diff_side side, size_t offset, size_t wanted, size_t *lines) {
    for (*lines = 0; *lines < wanted && offset > 0; (*lines)++) {
        const char *feed = memrchr(side.bytes, '\n', offset - 1);
        offset = feed != NULL ? (size_t)(feed - side.bytes) + 1 : 0;
    }
    return offset;
}

/* Context lines from an offset on. Gives how many were there. */
static size_t add_context(struct text *out, struct diff_side side, size_t offset, size_t wanted) {
    size_t lines = 0;
    for (; lines < wanted && offset < side.length; lines++) {
        add_line(out, ' ', side, offset);
        offset += line_length(side, offset);
    }
    return lines;
}

/* One hunk: changes that are at most twice the context apart. */
static void add_hunk(struct text *out, struct diff_side old_side, struct diff_side new_side,
                     const struct change *changes, size_t count) {
    size_t before;
    size_t start = step_back(old_side, changes[0].old_offset, CONTEXT_LINES, &before);
    struct text body = {.ceiling = out->ceiling};
    size_t lines = add_context(&body, old_side, start, before);
    for (size_t i = 0; i < count;) {
        size_t end = i + 1; /* of the run of neighbours, which are taken out and put in together */
        while (end < count && changes[end].line == changes[end - 1].line + 1)
            end++;
        for (size_t j = i; j < end; j++)
            add_line(&body, '-', old_side, changes[j].old_offset);
        for (size_t j = i; j < end; j++)
            add_line(&body, '+', new_side, changes[j].new_offset);
        size_t behind = changes[end - 1].old_offset;
        behind += line_length(old_side, behind);
        size_t gap = end < count ? changes[end].line - changes[end - 1].line - 1 : CONTEXT_LINES;
        lines += end - i + add_context(&body, old_side, behind, gap);
        i = end;
    }
    size_t first = changes[0].line - before + 1;
    text_printf(out, "@@ -%zu,%zu +%zu,%zu @@\n", first, lines, first, lines);
    if (body.failed != ERROR_NONE)
        out->failed = body.failed;
    text_append(out, body.bytes, body.length);
    text_clear(&body);
}

/* As git quotes: only names with bytes that would break the line or the quotes. A name with a blank gets a tab behind it,
 * so that patch does not take the rest for a date. */
static void add_name(struct text *out, const char *lead, const char *prefix, const char *name) {
    bool quote = name[strcspn(name, "\"\\\x7f")] != '\0';
    for (const char *at = name; *at != '\0'; at++)
        quote = quote || (unsigned char)*at < ' ';
    text_printf(out, "%s%s%s", lead, quote ? "\"" : "", prefix);
    for (const char *at = name; *at != '\0'; at++) {
        unsigned char c = (unsigned char)*at;
        if (quote && (c == '"' || c == '\\'))
            text_printf(out, "\\%c", c);
        else if (c < ' ' || c == 0x7f)
            text_printf(out, "\\%03o", c);
        else
            text_add_char(out, *at);
    }
    text_add(out, quote ? "\"\n" : strchr(name, ' ') != NULL ? "\t\n" : "\n");
}

int diff_unified(const char *name, struct diff_side old_side, struct diff_side new_side,
                 struct text *out, struct error *err) {
    struct change_list changes = {0};
    _cleanup_(free_pointer) struct change *owned = NULL;
    int found = find_changes(old_side, new_side, &changes, err);
    owned = changes.items;
    if (found < 0)
        return error_wrap(err, "%s", name);
    if (changes.count > 0) {
        add_name(out, "--- ", "a/", name);
        add_name(out, "+++ ", "b/", name);
    }
    for (size_t i = 0; i < changes.count;) {
        size_t end = i + 1;
        while (end < changes.count && changes.items[end].line - changes.items[end - 1].line - 1 <=
                                          (size_t)2 * CONTEXT_LINES)
            end++;
        add_hunk(out, old_side, new_side, changes.items + i, end - i);
        i = end;
    }
    return text_check(out, err);
}
