/* The first line is the policy and globs of ignored tags, the second the pinned tag, each other one a listed tag:
 *
 *     minor *-rc* edge?
 *     7.2.4
 *     7.2.5
 */
#include "gate/policy/policy.h"

#include <string.h>

#include "gate/base/text.h"
#include "gate/policy/version.h"
#include "gate/reference.h"
#include "tests/fuzz/fuzz.h"

struct question {
    struct policy policy;
    char *current;
    struct tagfilter filter;
    struct string_list tags;
};

static void add(struct string_list *list, const char *string) {
    struct error err = {0};
    fuzz_require(string_list_add(list, string, &err) == 0);
}

static void read_question(char *text, struct question *question) {
    char *next = text;
    char *first = strsep(&next, "\n");
    char *name = strsep(&first, " ");
    question->policy.kind = POLICY_MAJOR;
    policy_from_name(name, &question->policy.kind);
    for (char *glob = strsep(&first, " "); glob != NULL; glob = strsep(&first, " "))
        add(&question->filter.ignore, glob);
    question->policy.tags = &question->filter;
    char *current = strsep(&next, "\n");
    question->current = current != NULL ? current : name;
    for (char *tag = strsep(&next, "\n"); tag != NULL; tag = strsep(&next, "\n"))
        add(&question->tags, tag);
}

static bool like(const struct version *a, const struct version *b) {
    return version_same_kind(a, b) && a->count == b->count &&
           strcmp(version_suffix(a), version_suffix(b)) == 0;
}

/* Any two neighbours of the list: the order is antisymmetric, and each parsed part lies within its tag. */
static void check_versions(const struct string_list *tags) {
    for (size_t i = 0; i < tags->count; i++) {
        struct version a, b;
        if (!version_parse(tags->items[i], &a))
            continue;
        size_t length = strlen(tags->items[i]);
        fuzz_require(length <= REFERENCE_TAG_LIMIT);
        fuzz_require(a.count >= 1 && a.count <= VERSION_NUMBERS_LIMIT);
        fuzz_require(a.suffix_offset <= length);
        fuzz_require(a.numbers[a.count - 1].offset + a.numbers[a.count - 1].length <=
                     a.suffix_offset);
        fuzz_require(version_compare(&a, &a) == 0 && version_same_kind(&a, &a));
        if (i == 0 || !version_parse(tags->items[i - 1], &b) || !like(&a, &b))
            continue;
        int order = version_compare(&a, &b), back = version_compare(&b, &a);
        fuzz_require((order > 0) == (back < 0) && (order == 0) == (back == 0));
    }
}

static void check_taken(const struct question *question, const struct policy_choices *choices) {
    struct version pinned, version, before;
    fuzz_require(choices->taken >= 1 && choices->taken <= choices->count);
    fuzz_require(strcmp(choices->items[choices->taken - 1].tag, question->current) == 0);
    for (size_t i = 0; i < choices->count; i++) {
        fuzz_require(choices->items[i].taken == (i < choices->taken));
        fuzz_require(choices->items[i].reason[0] != '\0');
        if (i + 1 >= choices->taken)
            continue;
        fuzz_require(reference_tag_valid(choices->items[i].tag));
        fuzz_require(version_parse(question->current, &pinned));
        fuzz_require(version_parse(choices->items[i].tag, &version));
        fuzz_require(like(&version, &pinned));
        fuzz_require(version_compare(&version, &pinned) > 0);
        fuzz_require(i == 0 || version_compare(&before, &version) > 0);
        before = version;
    }
}

/* The same tags are taken when the registry lists them the other way round. */
static void check_reversed(struct question *question, const struct policy_choices *choices) {
    struct error err = {0};
    struct policy_choices again;
    struct string_list *tags = &question->tags;
    for (size_t i = 0; i < tags->count / 2; i++) {
        char *kept = tags->items[i];
        tags->items[i] = tags->items[tags->count - 1 - i];
        tags->items[tags->count - 1 - i] = kept;
    }
    fuzz_require(policy_choose(&question->policy, question->current, tags, &again, &err) == 0);
    fuzz_require(again.count == choices->count && again.taken == choices->taken);
    for (size_t i = 0; i < again.taken; i++)
        fuzz_require(strcmp(again.items[i].tag, choices->items[i].tag) == 0);
    policy_choices_clear(&again);
}

FUZZ_TARGET(policy) {
    char *text = fuzz_string(bytes, size);
    struct question question = {0};
    struct error err = {0};
    struct policy_choices choices;
    read_question(text, &question);
    check_versions(&question.tags);
    if (policy_choose(&question.policy, question.current, &question.tags, &choices, &err) == 0) {
        check_taken(&question, &choices);
        check_reversed(&question, &choices);
    }
    policy_choices_clear(&choices);
    error_clear(&err);
    tagfilter_clear(&question.filter);
    string_list_clear(&question.tags);
    free(text);
}
