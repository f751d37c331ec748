/* The first line is the pattern, the rest the text. */
#include "gate/base/regex.h"

#include <string.h>

#include "gate/base/text.h"
#include "tests/fuzz/fuzz.h"

/* The same answer each time, and every group within the text. */
static void check_match(const struct regex *regex, const char *text, size_t length) {
    struct regex_match match, again;
    struct error err = {0};
    int result = regex_match(regex, text, length, &match, &err);
    fuzz_require(result == 0 || err.kind == ERROR_LIMIT);
    fuzz_require(result == 0 || !match.found);
    fuzz_require(regex_match(regex, text, length, &again, &err) == result);
    fuzz_require(again.found == match.found);
    for (size_t i = 0; match.found && i < REGEX_GROUP_LIMIT; i++) {
        struct regex_span span = match.groups[i];
        fuzz_require(!span.set || i < regex_group_count(regex));
        fuzz_require(span.set || (span.offset == 0 && span.length == 0));
        fuzz_require(span.offset <= length && span.length <= length - span.offset);
        fuzz_require(memcmp(&span, &again.groups[i], sizeof span) == 0);
    }
    error_clear(&err);
}

FUZZ_TARGET(regex) {
    const uint8_t *end = memchr(bytes, '\n', size);
    size_t pattern_length = end != NULL ? (size_t)(end - bytes) : size;
    char *pattern = fuzz_string(bytes, pattern_length);
    struct regex *regex = NULL;
    struct error err = {0};
    if (regex_compile(pattern, &regex, &err) == 0) {
        size_t number;
        char *names = regex_group_names(regex, &err);
        fuzz_require(names != NULL);
        if (strchr(names, ',') == NULL && names[0] != '\0' &&
            regex_group_find(regex, names, &number))
            fuzz_require(number >= 1 && number < regex_group_count(regex));
        free(names);
        if (end != NULL)
            check_match(regex, (const char *)end + 1, size - pattern_length - 1);
    } else {
        fuzz_require(regex == NULL && err.kind == ERROR_CONFIG);
        fuzz_require(string_has_prefix(error_message(&err), "column "));
    }
    regex_freep(&regex);
    error_clear(&err);
    free(pattern);
}
