#include "gate/base/glob.h"

#include <string.h>

/* A part of a path or pattern, between slashes. */
struct part {
    const char *at, *end;
};

static bool is_double_star(struct part part) {
    return part.end - part.at == 2 && part.at[0] == '*' && part.at[1] == '*';
}

/* The byte behind the "]" that closes the class at `at`, or NULL. A "]" that comes first is a member. */
static const char *class_end(const char *at, const char *end) {
    at++;
    if (at < end && (*at == '!' || *at == '^'))
        at++;
    if (at < end && *at == ']')
        at++;
    for (; at < end && *at != ']'; at++)
        if (*at == '\\' && at + 1 < end)
            at++;
    return at < end ? at + 1 : NULL;
}

static unsigned char class_member(const char **at) {
    if (**at == '\\')
        (*at)++;
    return (unsigned char)*(*at)++;
}

/* at: the "["; end: behind the "]". */
static bool class_has(const char *at, const char *end, unsigned char c) {
    at++;
    end--;
    bool negated = *at == '!' || *at == '^';
    if (negated)
        at++;
    bool found = false;
    while (at < end) {
        unsigned char low = class_member(&at), high = low;
        if (end - at >= 2 && *at == '-') {
            at++;
            high = class_member(&at);
        }
        found = found || (low <= c && c <= high);
    }
    return found != negated;
}

static const char *next_character(const char *at, const char *end) {
    do
        at++;
    while (at < end && ((unsigned char)*at & 0xC0) == 0x80);
    return at;
}

/* One element of the pattern that is no star against the front of the name: moves both on. */
static bool match_element(const char **pattern, const char *pattern_end, const char **name,
                          const char *name_end) {
    if (*name == name_end || *pattern == pattern_end)
        return false;
    const char *closed = **pattern == '[' ? class_end(*pattern, pattern_end) : NULL;
    if (closed != NULL || **pattern == '?') {
        if (closed != NULL && !class_has(*pattern, closed, (unsigned char)**name))
            return false;
        *pattern = closed != NULL ? closed : *pattern + 1;
        *name = next_character(*name, name_end);
        return true;
    }
    if (**pattern == '\\' && *pattern + 1 < pattern_end)
        (*pattern)++;
    return *(*pattern)++ == *(*name)++;
}

/* Only the last star ever needs to take more, so there is no recursion. */
static bool match_part(struct part pattern, struct part name) {
    const char *star = NULL, *taken = NULL;
    for (;;) {
        if (pattern.at < pattern.end && *pattern.at == '*') {
            star = ++pattern.at;
            taken = name.at;
            continue;
        }
        if (pattern.at == pattern.end && name.at == name.end)
            return true;
        if (match_element(&pattern.at, pattern.end, &name.at, name.end))
            continue;
        if (star == NULL || taken == name.end)
            return false;
        pattern.at = star;
        name.at = taken = next_character(taken, name.end);
    }
}

/* The part at the front of a list of parts that ends at `end`; NULL as `at` behind the last one. */
static struct part first_part(const char *at, const char *end) {
    if (at == NULL)
        return (struct part){NULL, NULL};
    const char *slash = memchr(at, '/', (size_t)(end - at));
    return (struct part){at, slash != NULL ? slash : end};
}

static const char *behind(struct part part, const char *end) {
    return part.end < end ? part.end + 1 : NULL;
}

/* The same again with parts for characters and ** for the star. */
static bool match_parts(const char *pattern, const char *pattern_end, const char *path,
                        const char *path_end) {
    const char *star = NULL, *taken = NULL;
    bool starred = false;
    for (;;) {
        struct part wanted = first_part(pattern, pattern_end);
        struct part given = first_part(path, path_end);
        if (pattern != NULL && is_double_star(wanted)) {
            starred = true;
            pattern = star = behind(wanted, pattern_end);
            taken = path;
            if (star == NULL)
                return path != NULL;
            continue;
        }
        if (pattern == NULL && path == NULL)
            return true;
        if (pattern != NULL && path != NULL && match_part(wanted, given)) {
            pattern = behind(wanted, pattern_end);
            path = behind(given, path_end);
            continue;
        }
        if (!starred || taken == NULL)
            return false;
        pattern = star;
        path = taken = behind(first_part(taken, path_end), path_end);
    }
}

bool glob_match(const char *pattern, const char *path) {
    return match_parts(pattern, pattern + strlen(pattern), path, path + strlen(path));
}

bool glob_match_file(const char *pattern, const char *path) {
    if (pattern[0] == '.' && pattern[1] == '/')
        pattern++;
    const char *end = pattern + strlen(pattern);
    bool folder_only = end > pattern && end[-1] == '/';
    while (end > pattern && end[-1] == '/')
        end--;
    bool anchored = memchr(pattern, '/', (size_t)(end - pattern)) != NULL;
    while (pattern < end && *pattern == '/')
        pattern++;
    if (pattern == end)
        return anchored || folder_only; /* the root itself */
    const char *path_end = path + strlen(path);
    for (const char *start = path; start != NULL;) {
        struct part part = first_part(start, path_end);
        bool last = part.end == path_end;
        const char *from = anchored ? path : start;
        if (!(last && folder_only) && match_parts(pattern, end, from, part.end))
            return true;
        start = behind(part, path_end);
    }
    return false;
}

bool glob_list_match_file(const struct string_list *patterns, const char *path) {
    for (size_t i = 0; patterns != NULL && i < patterns->count; i++)
        if (glob_match_file(patterns->items[i], path))
            return true;
    return false;
}

int glob_check(const char *pattern, struct error *err) {
    const char *end = pattern + strlen(pattern);
    if (pattern == end)
        return error_set(err, ERROR_CONFIG, "an empty pattern matches nothing");
    bool brace = false, comma = false;
    for (const char *at = pattern; at < end; at++) {
        if (*at == '\\') {
            if (++at == end)
                return error_set(err, ERROR_CONFIG, "the pattern \"%s\" ends with a backslash",
                                 pattern);
        } else if (*at == '[') {
            const char *closed = class_end(at, end);
            if (closed == NULL || memchr(at, '/', (size_t)(closed - at)) != NULL)
                return error_set(err, ERROR_CONFIG, "the pattern \"%s\" has a \"[\" without \"]\"",
                                 pattern);
            at = closed - 1;
        } else if (*at == '{') {
            brace = true;
            comma = false;
        } else if (*at == ',') {
            comma = brace;
        } else if (*at == '}' && comma) {
            return error_set(err, ERROR_CONFIG,
                             "the pattern \"%s\": braces are no alternatives; write one pattern "
                             "for each, or \"\\{\" for the character",
                             pattern);
        }
    }
    return 0;
}
