/* The first line is the pattern, the rest the path. */
#include "gate/base/glob.h"

#include <string.h>

#include "tests/fuzz/fuzz.h"

#define ORACLE_LIMIT                                                                               \
    24u /* bytes of pattern and of path: the simple matcher takes exponential time */

/* One character (of UTF-8, as far as continuation bytes tell) on. */
static const char *next(const char *at) {
    do
        at++;
    while (((unsigned char)*at & 0xC0) == 0x80);
    return at;
}

/* Behind the "]" of the class at `at`; NULL when it has none before the part of the pattern ends. */
static const char *class_match(const char *at, unsigned char c, bool *matches) {
    at++;
    bool negated = *at == '!' || *at == '^', found = false;
    at += negated;
    for (bool first = true; first || *at != ']'; first = false) {
        if (*at == '\\' && at[1] != '\0' && at[1] != '/')
            at++;
        if (*at == '\0' || *at == '/')
            return NULL;
        unsigned char low = (unsigned char)*at++, high = low;
        if (*at == '-' && at[1] != ']') {
            at++;
            if (*at == '\\' && at[1] != '\0' && at[1] != '/')
                at++;
            if (*at == '\0' || *at == '/')
                return NULL;
            high = (unsigned char)*at++;
        }
        found = found || (low <= c && c <= high);
    }
    *matches = found != negated;
    return at + 1;
}

/* The simplest matcher that does what glob.h says: it tries everything. */
static bool simple(const char *pattern, const char *path, bool start) {
    if (start && strncmp(pattern, "**", 2) == 0 && (pattern[2] == '/' || pattern[2] == '\0')) {
        if (pattern[2] == '\0')
            return true;
        if (simple(pattern + 3, path, true))
            return true;
        const char *slash = strchr(path, '/');
        return slash != NULL && simple(pattern, slash + 1, true);
    }
    if (*pattern == '\0')
        return *path == '\0';
    if (*pattern == '*')
        return simple(pattern + 1, path, false) ||
               (*path != '\0' && *path != '/' && simple(pattern, next(path), false));
    bool matches = false;
    const char *behind =
        *pattern == '[' ? class_match(pattern, (unsigned char)*path, &matches) : NULL;
    if (behind != NULL || *pattern == '?')
        return *path != '\0' && *path != '/' && (behind == NULL || matches) &&
               simple(behind != NULL ? behind : pattern + 1, next(path), false);
    if (*pattern == '\\' && pattern[1] != '\0' && pattern[1] != '/')
        pattern++;
    return *pattern == *path && simple(pattern + 1, path + 1, *path == '/');
}

/* A pattern that means exactly the path. */
static void check_escaped(const char *path) {
    char *pattern = malloc(2 * strlen(path) + 1), *to = pattern;
    if (pattern == NULL)
        abort();
    for (const char *at = path; *at != '\0'; at++) {
        if (*at != '/')
            *to++ = '\\';
        *to++ = *at;
    }
    *to = '\0';
    fuzz_require(glob_match(pattern, path));
    free(pattern);
}

FUZZ_TARGET(glob) {
    struct error err = {0};
    char *pattern = fuzz_string(bytes, size);
    char *path = strchr(pattern, '\n');
    if (path != NULL)
        *path++ = '\0';
    else
        path = pattern + strlen(pattern);
    bool good = glob_check(pattern, &err) == 0;
    error_clear(&err);
    bool matches = glob_match(pattern, path);
    if (good && strlen(pattern) <= ORACLE_LIMIT && strlen(path) <= ORACLE_LIMIT)
        fuzz_require(matches == simple(pattern, path, true));
    if (path[0] != '\0')
        check_escaped(path);
    (void)glob_match_file(pattern, path);
    free(pattern);
}
