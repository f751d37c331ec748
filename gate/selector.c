#include "gate/selector.h"

#include <stdio.h>
#include <string.h>

#include "gate/base/glob.h"
#include "gate/base/text.h"
#include "gate/reference.h"

#define DOMAIN_ROOM ((size_t)20) /* bytes of "docker.io/library/" */

/* The tag begins behind a colon after the last slash; a colon before it belongs to a port. */
static const char *tag_of(const char *selector) {
    const char *slash = strrchr(selector, '/');
    return strchr(slash != NULL ? slash : selector, ':');
}

static bool has_domain(const char *name, size_t length) {
    const char *slash = memchr(name, '/', length);
    if (slash == NULL)
        return false;
    size_t first = (size_t)(slash - name);
    if (first == strlen("localhost") && memcmp(name, "localhost", first) == 0)
        return true;
    for (size_t i = 0; i < first; i++)
        if (name[i] == '.' || name[i] == ':' || (name[i] >= 'A' && name[i] <= 'Z'))
            return true;
    return false;
}

/* The selector's name with its domain, without its tag. Needs no memory: for want of it a rule or a test would seem to be for
 * other images. False for what is longer than selector_check takes. */
static bool full_pattern(const char *selector, char out[SELECTOR_LIMIT + DOMAIN_ROOM]) {
    const char *tag = tag_of(selector);
    size_t length = tag != NULL ? (size_t)(tag - selector) : strlen(selector);
    if (length > SELECTOR_LIMIT)
        return false;
    const char *domain = has_domain(selector, length) ? "" : "docker.io/";
    if (string_has_prefix(selector, "index.docker.io/")) {
        selector += strlen("index.");
        length -= strlen("index.");
    }
    bool hub = *domain != '\0' || string_has_prefix(selector, "docker.io/");
    const char *path = *domain == '\0' && hub ? selector + strlen("docker.io/") : selector;
    size_t path_length = length - (size_t)(path - selector);
    bool all = path_length == 2 && memcmp(path, "**", 2) == 0;
    if (hub && !all && memchr(path, '/', path_length) == NULL)
        snprintf(out, SELECTOR_LIMIT + DOMAIN_ROOM, "docker.io/library/%.*s", (int)path_length,
                 path);
    else
        snprintf(out, SELECTOR_LIMIT + DOMAIN_ROOM, "%s%.*s", domain, (int)length, selector);
    return true;
}

static bool is_glob(const char *selector) {
    return strpbrk(selector, "*?[") != NULL;
}

int selector_check(const char *selector, struct error *err) {
    if (selector[0] == '\0')
        return error_set(err, ERROR_CONFIG, "an empty selector names no image");
    if (strlen(selector) > SELECTOR_LIMIT)
        return error_set(err, ERROR_CONFIG, "\"%.40s…\": a selector has at most %zu bytes",
                         selector, SELECTOR_LIMIT);
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

bool selector_matches(const char *selector, const char *image, const char *tag) {
    if (strcmp(selector, "*") == 0 || strcmp(selector, "**") == 0)
        return true;
    char pattern[SELECTOR_LIMIT + DOMAIN_ROOM];
    if (strchr(selector, '@') != NULL || !full_pattern(selector, pattern))
        return false;
    const char *wanted = tag_of(selector);
    bool glob = is_glob(selector);
    if (wanted != NULL &&
        (tag == NULL || !(glob ? glob_match(wanted + 1, tag) : strcmp(wanted + 1, tag) == 0)))
        return false;
    return glob ? glob_match(pattern, image) : strcmp(pattern, image) == 0;
}

bool selector_list_matches(const struct string_list *selectors, const char *image,
                           const char *tag) {
    for (size_t i = 0; i < selectors->count; i++)
        if (selector_matches(selectors->items[i], image, tag))
            return true;
    return false;
}
