#include "runners/artifact_names.h"

#include <stdio.h>
#include <string.h>

#include "gate/base/glob.h"
#include "gate/base/text.h"

/* Without what says nothing in front. */
static const char *plain(const char *pattern) {
    while (pattern[0] == '.' && pattern[1] == '/')
        pattern += 2;
    return pattern;
}

int artifact_pattern_check(const char *pattern, struct error *err) {
    if (glob_check(pattern, err) < 0)
        return -1;
    const char *at = plain(pattern);
    if (strlen(pattern) > ARTIFACT_PATTERN_LIMIT)
        return error_set(err, ERROR_CONFIG, "a pattern of more than %u bytes was not expected",
                         ARTIFACT_PATTERN_LIMIT);
    if (at[0] == '/')
        return error_set(err, ERROR_CONFIG,
                         "the pattern \"%s\" is absolute, and artifacts are fetched from the "
                         "workspace alone; write it as from there",
                         pattern);
    for (;;) {
        size_t length = strcspn(at, "/");
        bool last = at[length] == '\0';
        if ((length == 1 && at[0] == '.') || (length == 2 && strncmp(at, "..", 2) == 0))
            return error_set(
                err, ERROR_CONFIG,
                "the pattern \"%s\" has \"%.*s\" in it, and artifacts are fetched from "
                "the workspace alone; \"**\" is all of it",
                pattern, (int)length, at);
        if (length == 0 && (!last || at == plain(pattern)))
            return error_set(err, ERROR_CONFIG, "the pattern \"%s\" has an empty name in it",
                             pattern);
        if (last)
            return 0;
        at += length + 1;
    }
}

/* Of the pattern without the slash at its end. */
static size_t significant(const char *pattern) {
    size_t length = strlen(pattern);
    return length > 0 && pattern[length - 1] == '/' ? length - 1 : length;
}

int artifact_match(const struct string_list *patterns, const char *path) {
    for (size_t i = 0; i < patterns->count; i++) {
        const char *pattern = plain(patterns->items[i]);
        char anchored[ARTIFACT_PATTERN_LIMIT + 2]; /* with a "/" in front it begins at the root */
        snprintf(anchored, sizeof anchored, "/%s", pattern);
        if (glob_match_file(anchored, path))
            return (int)i;
    }
    return -1;
}

bool artifact_match_junit(const char *pattern, const char *path) {
    char anchored[ARTIFACT_PATTERN_LIMIT + 2];
    snprintf(anchored, sizeof anchored, "/%s", plain(pattern));
    return glob_match_file(anchored, path) &&
           (glob_match(anchored + 1, path) || string_has_suffix(path, ".xml"));
}

bool artifact_is_below(const char *path, const char *base) {
    size_t length = strlen(base);
    return length == 0 ||
           (strncmp(path, base, length) == 0 && (path[length] == '/' || path[length] == '\0'));
}

/* The names in front that stand for themselves alone. */
static char *base_of(const char *pattern, struct error *err) {
    pattern = plain(pattern);
    size_t whole = significant(pattern);
    size_t length = 0;
    while (length < whole) {
        const char *name = pattern + length + (length > 0);
        size_t size = strcspn(name, "/");
        if (strcspn(name, "*?[\\") < size)
            break;
        length = (size_t)(name - pattern) + size;
    }
    return string_dup_length(pattern, length < whole ? length : whole, err);
}

int artifact_bases(const struct string_list *patterns, struct string_list *out, struct error *err) {
    struct string_list all = {0};
    int result = 0;
    for (size_t i = 0; i < patterns->count && result == 0; i++) {
        _cleanup_(free_pointer) char *base = base_of(patterns->items[i], err);
        result = base != NULL ? string_list_add(&all, base, err) : -1;
    }
    for (size_t i = 0; i < all.count && result == 0; i++) {
        bool covered = false;
        for (size_t k = 0; k < all.count && !covered; k++)
            covered = k != i && artifact_is_below(all.items[i], all.items[k]) &&
                      (strcmp(all.items[i], all.items[k]) != 0 || k < i);
        if (!covered)
            result = string_list_add(out, all.items[i], err);
    }
    string_list_clear(&all);
    return result;
}
