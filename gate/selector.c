#include "gate/selector.h"

#include <stdlib.h>
#include <string.h>

#include "gate/base/glob.h"
#include "gate/base/text.h"
#include "gate/reference.h"

/* The tag begins behind a colon after the last slash; a colon before it belongs to a port. */
static const char *tag_of(const char *selector) {
    const char *slash = strrchr(selector, '/');
    return strchr(slash != NULL ? slash : selector, ':');
}

static bool has_domain(const char *name) {
    size_t first = strcspn(name, "/");
    if (name[first] == '\0')
        return false;
    if (first == strlen("localhost") && memcmp(name, "localhost", first) == 0)
        return true;
    return memchr(name, '.', first) != NULL || memchr(name, ':', first) != NULL;
}

/* The selector's name with its domain, without its tag. NULL without memory. */
static char *full_pattern(const char *selector, struct error *err) {
    const char *tag = tag_of(selector);
    int length = (int)(tag != NULL ? (size_t)(tag - selector) : strlen(selector));
    if (memchr(selector, '/', (size_t)length) == NULL)
        return string_format(err, "docker.io/library/%.*s", length, selector);
    if (!has_domain(selector))
        return string_format(err, "docker.io/%.*s", length, selector);
    if (string_has_prefix(selector, "index.docker.io/"))
        return string_format(err, "%.*s", length - (int)strlen("index."),
                             selector + strlen("index."));
    return string_dup_length(selector, (size_t)length, err);
}

static bool is_glob(const char *selector) {
    return strpbrk(selector, "*?[") != NULL;
}

int selector_check(const char *selector, struct error *err) {
    if (selector[0] == '\0')
        return error_set(err, ERROR_CONFIG, "an empty selector names no image");
    if (strchr(selector, '@') != NULL)
        return error_set(
            err, ERROR_CONFIG,
            "\"%s\": a selector names an image, such as redis or redis:7.2, without a digest",
            selector);
    if (is_glob(selector))
        return glob_check(selector, err);
    struct reference reference = {0};
    if (reference_parse(selector, &reference, err) < 0) {
        err->kind = ERROR_CONFIG;
        return -1;
    }
    reference_clear(&reference);
    return 0;
}

static bool glob_matches(const char *selector, const char *image, const char *tag) {
    _cleanup_(error_clear) struct error ignored = {0};
    _cleanup_(free_pointer) char *pattern = full_pattern(selector, &ignored);
    if (pattern == NULL)
        return false;
    const char *wanted = tag_of(selector);
    if (wanted != NULL && (tag == NULL || !glob_match(wanted + 1, tag)))
        return false;
    return glob_match(pattern, image);
}

bool selector_matches(const char *selector, const char *image, const char *tag) {
    if (strcmp(selector, "*") == 0 || strcmp(selector, "**") == 0)
        return true;
    if (is_glob(selector))
        return glob_matches(selector, image, tag);
    _cleanup_(error_clear) struct error ignored = {0};
    _cleanup_(reference_clear) struct reference wanted = {0};
    if (reference_parse(selector, &wanted, &ignored) < 0 || wanted.digest != NULL)
        return false;
    return strcmp(wanted.image, image) == 0 &&
           (wanted.tag == NULL || string_equal(wanted.tag, tag));
}

bool selector_list_matches(const struct string_list *selectors, const char *image,
                           const char *tag) {
    for (size_t i = 0; i < selectors->count; i++)
        if (selector_matches(selectors->items[i], image, tag))
            return true;
    return false;
}
