#include "reports/clean.h"

#include <string.h>

#include "reports/clean_stream.h"

static struct clean_stream stream_of(const char *bytes, size_t length) {
    return (struct clean_stream){bytes, bytes + length};
}

void clean_terminal(struct text *out, const char *bytes, size_t length, bool lines) {
    struct clean_stream stream = stream_of(bytes, length);
    struct clean_line line = {true};
    for (uint32_t c; (c = clean_next(&stream)) != CLEAN_END;)
        clean_put_in_log(out, &line, !lines && (c == '\n' || c == '\t') ? ' ' : c, &stream);
}

/* What a CI system would obey, should it print the file, is written as references: the value stays as it is. */
void clean_xml(struct text *out, const char *bytes, size_t length, bool attribute) {
    struct clean_stream stream = stream_of(bytes, length);
    uint32_t before = '\n';
    bool at_start = true; /* only white space so far in this line */
    for (uint32_t c; (c = clean_next(&stream)) != CLEAN_END; before = c) {
        bool command = at_start && c == ':' && clean_peek(&stream) == ':';
        at_start = c == '\n' || (at_start && clean_is_space(c));
        if (command)
            text_add(out, "&#58;");
        else if (c == '#' && before == '#')
            text_add(out, "&#35;");
        else if (c == '&')
            text_add(out, "&amp;");
        else if (c == '<')
            text_add(out, "&lt;");
        else if (c == '>')
            text_add(out, "&gt;");
        else if (c == '"')
            text_add(out, "&quot;");
        else if (attribute && (c == '\n' || c == '\t'))
            text_add(out, c == '\n' ? "&#10;" : "&#9;");
        else
            clean_put(out, c);
    }
}

void clean_utf8(struct text *out, const char *bytes, size_t length) {
    for (const char *end = bytes + length; bytes < end;) {
        uint32_t c;
        bytes += clean_decode(bytes, (size_t)(end - bytes), &c);
        clean_put(out, c == 0 ? CLEAN_REPLACEMENT : c);
    }
}

const char *clean_tail(const char *bytes, size_t length, size_t lines, size_t bytes_limit,
                       size_t *out_length) {
    const char *end = bytes + length;
    const char *lowest = length > bytes_limit ? end - bytes_limit : bytes;
    const char *start = end;
    size_t found = 0;
    while (found < lines && start > lowest) {
        const char *last = start - 1; /* the newline that ends the line belongs to it */
        const char *newline = last > lowest ? memrchr(lowest, '\n', (size_t)(last - lowest)) : NULL;
        if (newline == NULL) {
            bool whole_line = lowest == bytes || lowest[-1] == '\n';
            if (whole_line || found == 0)
                start = lowest;
            break;
        }
        start = newline + 1;
        found++;
    }
    while (start > bytes && start < end && ((unsigned char)*start & 0xC0u) == 0x80u)
        start++;
    *out_length = (size_t)(end - start);
    return start;
}

/* Backticks in a row, the longest run. */
static size_t longest_run(const char *bytes, size_t length) {
    struct clean_stream stream = stream_of(bytes, length);
    size_t longest = 0;
    size_t run = 0;
    for (uint32_t c; (c = clean_next(&stream)) != CLEAN_END;) {
        run = c == '`' ? run + 1 : 0;
        longest = run > longest ? run : longest;
    }
    return longest;
}

static void put_run(struct text *out, size_t count) {
    for (size_t i = 0; i < count; i++)
        text_add_char(out, '`');
}

struct block_style {
    const char *info;
    const char *prefix; /* before each line; NULL: a space before lines that are none of a diff */
    bool breaks_fences; /* runs of three backticks are broken */
};

static const struct block_style block_styles[] = {
    {"", "\xE2\x94\x82 ", false}, /* "│ "; the first is for every other info, too */
    {"sh", "    ", true},
    {"diff", NULL, true},
};

static const struct block_style *style_of(const char *info) {
    for (size_t i = 0; i < sizeof block_styles / sizeof *block_styles; i++)
        if (strcmp(block_styles[i].info, info) == 0)
            return &block_styles[i];
    return &block_styles[0];
}

static void start_block_line(struct text *out, const struct block_style *style, uint32_t first) {
    if (style->prefix != NULL)
        text_add(out, style->prefix);
    else if (first >= 0x80 || strchr(" +-@\\", (int)first) == NULL)
        text_add_char(out, ' ');
}

void clean_markdown_block(struct text *out, const char *info, const char *bytes, size_t length) {
    const struct block_style *style = style_of(info);
    size_t fence = style->breaks_fences ? 0 : longest_run(bytes, length);
    fence = fence < 3 ? 3 : fence + 1;
    put_run(out, fence);
    text_printf(out, "%s\n", style->info);
    struct clean_stream stream = stream_of(bytes, length);
    struct clean_line line = {true};
    size_t run = 0;
    bool new_line = true;
    for (uint32_t c; (c = clean_next(&stream)) != CLEAN_END;) {
        if (new_line)
            start_block_line(out, style, c);
        new_line = c == '\n';
        run = c == '`' ? run + 1 : 0;
        if (style->breaks_fences && run == 3) {
            text_add(out, CLEAN_BREAK);
            run = 1;
        }
        clean_put_in_log(out, &line, c, &stream);
    }
    if (!new_line)
        text_add_char(out, '\n');
    put_run(out, fence);
    text_add_char(out, '\n');
}
