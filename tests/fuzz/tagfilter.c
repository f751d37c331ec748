/* The first line is the pattern, the second the template (empty: none), the third the pinned tag, each other one a listed tag:
 *
 *     ^(?<v>\d+\.\d+)-alpine$
 *     $v
 *     7.2-alpine
 *     7.3-alpine
 */
#include "gate/policy/tagfilter.h"

#include <string.h>

#include "gate/base/text.h"
#include "gate/policy/policy.h"
#include "gate/reference.h"
#include "tests/fuzz/fuzz.h"

static bool make_filter(struct tagfilter *filter, const char *match, const char *extract) {
    struct error err = {0};
    bool good = tagfilter_set_match(filter, match, &err) == 0 &&
                (extract == NULL || extract[0] == '\0' ||
                 tagfilter_set_extract(filter, extract, &err) == 0);
    fuzz_require(good ||
                 (err.kind == ERROR_CONFIG && string_has_prefix(error_message(&err), "column ")));
    error_clear(&err);
    return good;
}

/* What is taken matches; what could not be told is an error of the whole. */
static void check_choice(const struct policy *policy, const char *current,
                         const struct string_list *tags) {
    struct policy_choices choices;
    struct error err = {0};
    if (policy_choose(policy, current, tags, &choices, &err) < 0) {
        fuzz_require(err.kind == ERROR_INPUT || err.kind == ERROR_LIMIT);
        fuzz_require(choices.count == 0);
    }
    for (size_t i = 0; i < choices.taken; i++) {
        struct tagfilter_result result;
        fuzz_require(tagfilter_read(policy->tags, choices.items[i].tag, &result, &err) == 0);
        fuzz_require(result.matches);
        fuzz_require(i + 1 < choices.taken || strcmp(choices.items[i].tag, current) == 0);
        free(result.extracted);
    }
    policy_choices_clear(&choices);
    error_clear(&err);
}

FUZZ_TARGET(tagfilter) {
    char *text = fuzz_string(bytes, size);
    char *next = text;
    const char *match = strsep(&next, "\n");
    const char *extract = strsep(&next, "\n");
    const char *current = strsep(&next, "\n");
    struct tagfilter filter = {0};
    struct string_list tags = {0};
    struct error err = {0};
    for (char *tag = strsep(&next, "\n"); tag != NULL && tags.count < 50; tag = strsep(&next, "\n"))
        fuzz_require(string_list_add(&tags, tag, &err) == 0);
    if (make_filter(&filter, match, extract) && current != NULL && reference_tag_valid(current)) {
        for (enum policy_kind kind = 0; kind < POLICY_KIND_COUNT; kind++) {
            struct policy policy = {.kind = kind, .tags = &filter};
            check_choice(&policy, current, &tags);
        }
    }
    tagfilter_clear(&filter);
    string_list_clear(&tags);
    free(text);
}
