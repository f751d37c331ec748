#include "runners/dockerignore.h"

#include <stdlib.h>
#include <string.h>

#include "gate/base/array.h"
#include "gate/base/text.h"
#include "gate/base/utf8.h"

enum part_kind {
    PART_CHARACTER,
    PART_ONE,    /* ? */
    PART_NAME,   /* *: any characters but "/", also none */
    PART_FOLDER, /* ** and "/": any number of folders, also none */
    PART_REST,   /* any characters */
    PART_CLASS,
};

struct dockerignore_part {
    enum part_kind kind;
    const char
        *at; /* the character, or the class from its "[" on; lent by `text` of the first part */
    size_t length; /* bytes of it */
    char *text;    /* the pattern; owned by the first part alone */
};

/* The character at the front; a byte that is none counts as one. */
static size_t character(const char *at) {
    size_t length = utf8_length(at, strnlen(at, 4));
    return length > 0 ? length : 1;
}

static unsigned int code_of(const char *at, size_t length) {
    unsigned char first = (unsigned char)at[0];
    unsigned int code = length == 1 ? first : first & (0xFFu >> (length + 1));
    for (size_t i = 1; i < length; i++)
        code = code << 6 | ((unsigned char)at[i] & 0x3Fu);
    return code;
}

/* One end of a range of a class: the place behind it, or NULL when there is none. */
static const char *class_end(const char *at, unsigned int *code) {
    if (*at == '\\')
        at++;
    if (*at == '\0')
        return NULL;
    size_t length = character(at);
    *code = code_of(at, length);
    return at + length;
}

/* at: behind the "[". The place behind the "]", or NULL where the class is none. wanted: 0 to look at its form only */
static const char *read_class(const char *at, unsigned int wanted, bool *matches) {
    bool negated = *at == '^';
    bool found = false;
    at += negated ? 1 : 0;
    for (size_t ranges = 0;; ranges++) {
        if (*at == ']' && ranges > 0)
            break;
        unsigned int low;
        if (*at == ']' || *at == '-' || (at = class_end(at, &low)) == NULL)
            return NULL;
        unsigned int high = low;
        if (*at == '-') {
            if (at[1] == ']' || at[1] == '-' || (at = class_end(at + 1, &high)) == NULL)
                return NULL;
        }
        found = found || (low <= wanted && wanted <= high);
    }
    *matches = found != negated;
    return at + 1;
}

/* a//./b/../c/ -> a/c, in place. "" becomes "."; what leads up stays. */
static void clean_path(char *path) {
    bool rooted = path[0] == '/';
    char *base = path + (rooted ? 1 : 0);
    char *to = base;
    for (const char *from = base; *from != '\0';) {
        size_t length = strcspn(from, "/");
        char *last = to;
        while (last > base && last[-1] != '/')
            last--;
        bool up = length == 2 && memcmp(from, "..", 2) == 0;
        bool can_go = to > base && !(to - last == 2 && memcmp(last, "..", 2) == 0);
        if (up && can_go) {
            to = last > base ? last - 1 : base;
        } else if (length > 0 && !(length == 1 && *from == '.') && !(up && rooted)) {
            if (to > base)
                *to++ = '/';
            memmove(to, from, length);
            to += length;
        }
        from += length;
        from += *from == '/' ? 1 : 0;
    }
    if (to == path)
        *to++ = '.';
    *to = '\0';
}

/* A client takes "**" at the front, with nothing special behind it, for the end of a path, also of a name. */
static bool is_plain(const char *rest) {
    return strpbrk(rest, "*?[]\\") == NULL;
}

/* Two stars at `at`: the place behind them and the "/" that belongs to them. */
static const char *read_stars(const char *pattern, const char *at, enum part_kind *kind) {
    const char *behind = at + 2 + (at[2] == '/' ? 1 : 0);
    *kind = *behind == '\0' ? PART_REST : PART_FOLDER;
    if (at == pattern && at[2] != '/' && is_plain(behind))
        *kind = PART_REST;
    return behind;
}

/* *at moves behind it. */
static int read_part(const char *pattern, const char **at, struct dockerignore_part *part,
                     struct error *err) {
    const char *from = *at;
    *part = (struct dockerignore_part){.at = from, .length = 1};
    bool ignored;
    if (from[0] == '*' && from[1] == '*') {
        *at = read_stars(pattern, from, &part->kind);
        return 0;
    }
    if (from[0] == '\\') {
        if (from[1] == '\0')
            return error_set(err, ERROR_INPUT, "\"%.200s\" ends with a \"\\\"", pattern);
        part->at = ++from;
    } else if (from[0] == '[') {
        part->kind = PART_CLASS;
        *at = read_class(from + 1, 0, &ignored);
        return *at != NULL ? 0
                           : error_set(err, ERROR_INPUT,
                                       "\"%.200s\" has a \"[\" that is no whole class of "
                                       "characters, such as [a-z]",
                                       pattern);
    } else if (from[0] == '*' || from[0] == '?') {
        part->kind = from[0] == '*' ? PART_NAME : PART_ONE;
    }
    part->length = character(part->at);
    *at = part->at + part->length;
    return 0;
}

/* take_pattern: becomes the first part's, also on -1 */
static int read_pattern(char *take_pattern, struct dockerignore_pattern *out, struct error *err) {
    const char *at = take_pattern;
    out->parts = calloc(strlen(take_pattern) + 1, sizeof *out->parts);
    if (out->parts == NULL) {
        free(take_pattern);
        return error_no_memory(err);
    }
    int result = 0;
    while (result == 0 && *at != '\0')
        result = read_part(take_pattern, &at, &out->parts[out->count++], err);
    out->parts[0].text = take_pattern;
    return result;
}

static int add_pattern(const char *line, size_t length, struct dockerignore *ignore,
                       struct error *err) {
    bool includes = *line == '!';
    if (includes) {
        line++;
        length--;
        size_t blanks = strspn(line, " \t\v\f\r");
        blanks = blanks < length ? blanks : length;
        line += blanks;
        length -= blanks;
    }
    if (includes && length == 0)
        return error_set(err, ERROR_INPUT, "\"!\" stands alone: a pattern belongs behind it");
    if (ignore->count == DOCKERIGNORE_PATTERNS)
        return error_set(err, ERROR_LIMIT, "more than %u patterns", DOCKERIGNORE_PATTERNS);
    char *text = string_dup_length(line, length, err);
    if (text == NULL)
        return -1;
    clean_path(text);
    if (text[0] == '/' && text[1] != '\0')
        memmove(text, text + 1, strlen(text));
    struct dockerignore_pattern *pattern = array_add(ignore, err);
    if (pattern == NULL) {
        free(text);
        return -1;
    }
    pattern->includes = includes;
    ignore->includes = ignore->includes || includes;
    return read_pattern(text, pattern, err);
}

/* So that matching cannot fail. */
static int make_work(struct dockerignore *ignore, struct error *err) {
    size_t most = 0;
    for (size_t i = 0; i < ignore->count; i++)
        most = ignore->items[i].count > most ? ignore->items[i].count : most;
    free(ignore->work);
    ignore->work = calloc(3 * (most + 1), sizeof *ignore->work);
    return ignore->work != NULL ? 0 : error_no_memory(err);
}

static bool is_blank(char c) {
    return c == ' ' || c == '\t' || c == '\r' || c == '\v' || c == '\f';
}

int dockerignore_parse(const char *bytes, size_t length, struct dockerignore *ignore,
                       struct error *err) {
    if (length > DOCKERIGNORE_LIMIT)
        return error_set(err, ERROR_LIMIT, "larger than %u bytes", DOCKERIGNORE_LIMIT);
    const char *at = bytes;
    const char *end = bytes + length;
    if (length >= 3 && memcmp(bytes, "\xEF\xBB\xBF", 3) == 0)
        at += 3;
    for (size_t number = 1; at < end; number++) {
        const char *newline = memchr(at, '\n', (size_t)(end - at));
        const char *from = at;
        const char *to = newline != NULL ? newline : end;
        at = newline != NULL ? newline + 1 : end;
        bool comment = from < to && *from == '#';
        while (from < to && is_blank(*from))
            from++;
        while (to > from && is_blank(to[-1]))
            to--;
        if (comment || from == to)
            continue;
        if (memchr(from, '\0', (size_t)(to - from)) != NULL)
            return error_set(err, ERROR_INPUT, "line %zu: holds a NUL", number);
        if (add_pattern(from, (size_t)(to - from), ignore, err) < 0)
            return error_wrap(err, "line %zu", number);
    }
    return make_work(ignore, err);
}

/* Which parts can come next, as the characters of the path go by; one more for the end. */
static void skip_empty(const struct dockerignore_pattern *pattern, bool *open) {
    for (size_t i = 0; i < pattern->count; i++) {
        enum part_kind kind = pattern->parts[i].kind;
        if (open[i] && (kind == PART_NAME || kind == PART_FOLDER || kind == PART_REST))
            open[i + 1] = true;
    }
}

/* `inside`: within the folders that a PART_FOLDER passes; its own bit, since only a "/" ends it. */
static void step(const struct dockerignore_pattern *pattern, const char *at, size_t length,
                 const bool *open, bool *next, bool *inside) {
    for (size_t i = 0; i < pattern->count; i++) {
        const struct dockerignore_part *part = &pattern->parts[i];
        bool slash = *at == '/';
        bool matches = false;
        if (part->kind == PART_FOLDER) {
            inside[i] = inside[i] || open[i];
            /* what went in may go on at each "/" */
            next[i + 1] = next[i + 1] || (inside[i] && slash);
            continue;
        }
        if (!open[i])
            continue;
        switch (part->kind) {
        case PART_CHARACTER:
            next[i + 1] =
                next[i + 1] || (part->length == length && memcmp(part->at, at, length) == 0);
            break;
        case PART_ONE:
            next[i + 1] = next[i + 1] || !slash;
            break;
        case PART_NAME:
            next[i] = next[i] || !slash;
            break;
        case PART_REST:
            next[i] = true;
            break;
        case PART_CLASS:
            next[i + 1] =
                next[i + 1] ||
                (read_class(part->at + 1, code_of(at, length), &matches) != NULL && matches);
            break;
        case PART_FOLDER:
            break;
        }
    }
}

/* work: three lines of count + 1 each */
static bool matches_with(const struct dockerignore_pattern *pattern, const char *path,
                         size_t path_length, bool *work) {
    size_t line = pattern->count + 1;
    bool *open = work;
    bool *next = work + line;
    bool *inside = work + 2 * line;
    memset(work, 0, 3 * line * sizeof *work);
    open[0] = true;
    skip_empty(pattern, open);
    for (const char *at = path; at < path + path_length;) {
        size_t length = character(at);
        memset(next, 0, line * sizeof *next);
        step(pattern, at, length, open, next, inside);
        skip_empty(pattern, next);
        bool *swap = open;
        open = next;
        next = swap;
        at += length;
    }
    return open[pattern->count];
}

/* The path itself, or a folder above it. */
static bool matches_or_parent(const struct dockerignore_pattern *pattern, const char *path,
                              bool *work) {
    size_t length = strlen(path);
    if (matches_with(pattern, path, length, work))
        return true;
    for (const char *slash = strchr(path, '/'); slash != NULL; slash = strchr(slash + 1, '/'))
        if (matches_with(pattern, path, (size_t)(slash - path), work))
            return true;
    return false;
}

bool dockerignore_excludes(const struct dockerignore *ignore, const char *path) {
    bool excluded = false;
    for (size_t i = 0; i < ignore->count; i++) {
        const struct dockerignore_pattern *pattern = &ignore->items[i];
        /* what would change nothing is not asked */
        if (pattern->includes == excluded && matches_or_parent(pattern, path, ignore->work))
            excluded = !pattern->includes;
    }
    return excluded;
}

/* Whether a "!" pattern may match something below the folder: by its first name alone, which is enough to keep out of
 * the folders that cost much. */
static bool may_reach(const struct dockerignore_pattern *pattern, const char *folder) {
    size_t length = strcspn(folder, "/");
    size_t at = 0;
    for (size_t i = 0; i < pattern->count; i++) {
        const struct dockerignore_part *part = &pattern->parts[i];
        if (part->kind != PART_CHARACTER)
            return true;
        if (*part->at == '/')
            return at == length;
        if (part->length > length - at || memcmp(part->at, folder + at, part->length) != 0)
            return false;
        at += part->length;
    }
    return at == length;
}

bool dockerignore_prunes(const struct dockerignore *ignore, const char *folder) {
    for (size_t i = 0; i < ignore->count; i++)
        if (ignore->items[i].includes && may_reach(&ignore->items[i], folder))
            return false;
    return dockerignore_excludes(ignore, folder);
}

void dockerignore_clear(struct dockerignore *ignore) {
    for (size_t i = 0; i < ignore->count; i++) {
        struct dockerignore_pattern *pattern = &ignore->items[i];
        if (pattern->parts != NULL)
            free(pattern->parts[0].text);
        free(pattern->parts);
    }
    free(ignore->items);
    free(ignore->work);
    *ignore = (struct dockerignore){0};
}
