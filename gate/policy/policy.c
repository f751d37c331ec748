#include "gate/policy/policy.h"

#include <stdlib.h>
#include <string.h>

#include "gate/base/text.h"
#include "gate/policy/version.h"
#include "gate/reference.h"

static const char *const names[POLICY_KIND_COUNT + 1] = {
    [POLICY_DIGEST] = "digest",
    [POLICY_PATCH] = "patch",
    [POLICY_MINOR] = "minor",
    [POLICY_MAJOR] = "major",
};

/* How many numbers must stay as they are. */
static const size_t fixed_numbers[POLICY_KIND_COUNT] = {
    [POLICY_PATCH] = 2,
    [POLICY_MINOR] = 1,
    [POLICY_MAJOR] = 0,
};

const char *policy_name(enum policy_kind kind) {
    return names[kind];
}

bool policy_from_name(const char *name, enum policy_kind *out) {
    for (size_t i = 0; i < POLICY_KIND_COUNT; i++)
        if (strcmp(names[i], name) == 0) {
            *out = (enum policy_kind)i;
            return true;
        }
    return false;
}

const char *const *policy_names(void) {
    return names;
}

bool policy_needs_tags(const struct policy *policy) {
    return policy->kind != POLICY_DIGEST;
}

/* ---- one tag ---- */

/* A listed tag on its way to a choice. */
struct entry {
    const char *tag;
    const char *text; /* what is compared: the tag, or what the filter extracts from it */
    char *extracted;  /* owned; NULL: the tag itself */
    size_t place;     /* in the registry's list */
    struct version version;
    bool current;
    bool taken;
    char *reason; /* owned */
};

struct entries {
    struct entry *items;
    size_t count;
};

/* What every tag is measured against. */
struct question {
    const struct policy *policy;
    const char *current;
    const char *text;       /* what is compared of it */
    struct version version; /* of that text; unused with POLICY_DIGEST */
};

static int leave(struct entry *entry, char *take_reason) {
    entry->taken = false;
    entry->reason = take_reason;
    return take_reason != NULL ? 0 : -1;
}

static int take(struct entry *entry, char *take_reason) {
    entry->taken = take_reason != NULL;
    entry->reason = take_reason;
    return take_reason != NULL ? 0 : -1;
}

/* The text without its suffix, for "%.*s". */
static int shown_length(const struct version *version) {
    return version->suffix_offset;
}

static const char *kind_words(const struct version *version) {
    switch (version->kind) {
    case VERSION_YEAR:
        return "a year";
    case VERSION_DASHED_DATE:
        return "a date with dashes";
    case VERSION_DATE:
        return "a date";
    case VERSION_LONG_NUMBER:
        return "a long number";
    case VERSION_NUMBER:
        break;
    }
    return "a number";
}

/* Sets a reason only where the shapes differ. */
static int judge_shape(const struct question *question, struct entry *entry, struct error *err) {
    const struct version *version = &entry->version;
    const struct version *current = &question->version;
    const char *suffix = version_suffix(version);
    if (strcmp(suffix, version_suffix(current)) != 0)
        return leave(entry, suffix[0] != '\0'
                                ? string_format(err, "other suffix: %s", suffix)
                                : string_format(err, "without suffix %s", version_suffix(current)));
    if (version->kind != current->kind)
        return leave(entry, string_format(err, "other kind of version: %s, not %s",
                                          kind_words(version), kind_words(current)));
    if (!version_same_kind(version, current))
        return leave(entry, string_format(err, "other number of digits: %.*s",
                                          shown_length(version), entry->text));
    if (version->count != current->count)
        return leave(entry, string_format(err, "%s precise: %.*s",
                                          version->count < current->count ? "less" : "more",
                                          shown_length(version), entry->text));
    return 0;
}

/* Where a number changes that the policy holds fixed. */
static int leave_beyond(const struct question *question, struct entry *entry, size_t equal,
                        struct error *err) {
    const struct version *version = &entry->version;
    const char *policy = names[question->policy->kind];
    if (version->kind != VERSION_NUMBER)
        return leave(entry, string_format(err, "%.*s is beyond policy %s", shown_length(version),
                                          entry->text, policy));
    struct version_number first = version->numbers[0];
    struct version_number last = version->numbers[equal];
    int length = last.offset + last.length - first.offset;
    return leave(entry, string_format(err, "%s version %.*s is beyond policy %s",
                                      equal == 0 ? "major" : "minor", length,
                                      entry->text + first.offset, policy));
}

static int take_newer(struct entry *entry, size_t equal, struct error *err) {
    static const char *const levels[] = {"newer major version", "newer minor version",
                                         "newer patch version"};
    const struct version *version = &entry->version;
    const char *what = "newer version";
    if (equal == version->count)
        what = version_is_prerelease(version) ? "newer pre-release" : "release of this version:";
    else if (version->kind == VERSION_NUMBER)
        what = levels[equal < 2 ? equal : 2];
    return take(entry, string_format(err, "%s %.*s", what, shown_length(version), entry->text));
}

/* A tag that says the same version as another one. */
static int leave_same(struct entry *entry, const char *text, const char *tag, struct error *err) {
    if (strcmp(entry->text, text) != 0)
        return leave(entry, string_format(err, "another spelling of %s", tag));
    return leave(entry, string_format(err, "says %s, as %s does", text, tag));
}

/* For a tag of the current one's shape. */
static int judge_order(const struct question *question, struct entry *entry, struct error *err) {
    const struct version *version = &entry->version;
    const struct version *current = &question->version;
    int order = version_compare(version, current);
    if (order == 0)
        return leave_same(entry, question->text, question->current, err);
    if (order < 0)
        return leave(entry, string_format(err, "older than %s", question->current));
    size_t equal = version_equal_numbers(version, current);
    if (version_is_prerelease(version) && equal < version->count)
        return leave(entry,
                     string_dup(version_is_prerelease(current) ? "pre-release of another version"
                                                               : "pre-release",
                                err));
    size_t fixed = fixed_numbers[question->policy->kind];
    if (equal < fixed && equal < version->count)
        return leave_beyond(question, entry, equal, err);
    return take_newer(entry, equal, err);
}

static int judge_version(const struct question *question, struct entry *entry, struct error *err) {
    if (version_tag_is_commit(entry->text))
        return leave(entry, string_dup("not a version: looks like a commit", err));
    if (!version_parse(entry->text, &entry->version))
        return leave(entry, string_dup("not a version", err));
    if (judge_shape(question, entry, err) < 0)
        return -1;
    return entry->reason != NULL ? 0 : judge_order(question, entry, err);
}

/* Sets a reason only where the filter leaves the tag. */
static int judge_filter(const struct tagfilter *filter, struct entry *entry, struct error *err) {
    const char *glob = tagfilter_ignored(filter, entry->tag);
    if (glob != NULL)
        return leave(entry, string_format(err, "ignored by a rule: %s", glob));
    struct tagfilter_result result;
    if (tagfilter_read(filter, entry->tag, &result, err) < 0)
        return -1;
    if (!result.matches)
        return leave(entry, string_dup("does not match tags.match", err));
    entry->extracted = result.extracted;
    if (entry->extracted != NULL)
        entry->text = entry->extracted;
    return 0;
}

static int judge(const struct question *question, struct entry *entry, struct error *err) {
    entry->current = strcmp(entry->tag, question->current) == 0;
    if (entry->current)
        return take(entry, string_dup("the current tag", err));
    if (!reference_tag_valid(entry->tag))
        return leave(entry, string_dup("not a valid tag", err));
    if (version_tag_is_sidecar(entry->tag))
        return leave(entry, string_dup("sidecar tag", err));
    if (question->policy->tags != NULL && judge_filter(question->policy->tags, entry, err) < 0)
        return -1;
    if (entry->reason != NULL)
        return 0;
    if (question->policy->kind == POLICY_DIGEST)
        return leave(entry, string_format(err, "policy digest stays with %s", question->current));
    return judge_version(question, entry, err);
}

/* ---- all tags ---- */

static void entries_clear(struct entries *entries) {
    for (size_t i = 0; i < entries->count; i++) {
        free(entries->items[i].reason);
        free(entries->items[i].extracted);
    }
    free(entries->items);
}

static int by_tag(const void *left, const void *right) {
    const struct entry *a = left;
    const struct entry *b = right;
    int order = strcmp(a->tag, b->tag);
    return order != 0 ? order : (a->place > b->place) - (a->place < b->place);
}

/* Every tag once, at the place where it was listed first; the current one behind all where it was not listed. */
static int collect(const struct string_list *tags, const char *current, struct entries *entries,
                   struct error *err) {
    size_t listed = tags != NULL ? tags->count : 0;
    struct entry *items = calloc(listed + 1, sizeof *items);
    if (items == NULL)
        return error_no_memory(err);
    for (size_t i = 0; i < listed; i++)
        items[i] = (struct entry){.tag = tags->items[i], .text = tags->items[i], .place = i};
    items[listed] = (struct entry){.tag = current, .text = current, .place = listed};
    qsort(items, listed + 1, sizeof *items, by_tag);
    entries->items = items;
    entries->count = 1;
    for (size_t i = 1; i <= listed; i++)
        if (strcmp(items[i].tag, items[entries->count - 1].tag) != 0)
            items[entries->count++] = items[i];
    return 0;
}

/* 0 when the tags are the same but for digits, else 1. */
static int shape_distance(const char *tag, const char *model) {
    static const char digits[] = "0123456789";
    for (;;) {
        size_t length = strspn(tag, digits), model_length = strspn(model, digits);
        tag += length;
        model += model_length;
        if ((length > 0) != (model_length > 0) || *tag != *model)
            return 1;
        if (*tag == '\0')
            return 0;
        tag++;
        model++;
    }
}

/* Of two tags that say the same version; never 0 for two tags. */
static int by_tie(const struct entry *a, const struct entry *b, const struct question *question) {
    int order = version_spelling_distance(&a->version, &question->version) -
                version_spelling_distance(&b->version, &question->version);
    if (order == 0)
        order = strcmp(a->text, b->text);
    if (order == 0)
        order =
            shape_distance(a->tag, question->current) - shape_distance(b->tag, question->current);
    return order != 0 ? order : strverscmp(b->tag, a->tag);
}

static int by_choice(const void *left, const void *right, void *context) {
    const struct entry *a = left;
    const struct entry *b = right;
    const struct question *question = context;
    if (a->taken != b->taken)
        return a->taken ? -1 : 1;
    if (!a->taken)
        return (a->place > b->place) - (a->place < b->place);
    if (a->current != b->current)
        return a->current ? 1 : -1;
    int order = version_compare(&b->version, &a->version);
    return order != 0 ? order : by_tie(a, b, question);
}

/* Of the taken ones, which stand in order, those that say the same version as the one before. */
static int leave_spellings(struct entries *entries, struct error *err) {
    const struct entry *kept = NULL;
    for (size_t i = 0; i < entries->count && entries->items[i].taken; i++) {
        struct entry *entry = &entries->items[i];
        if (entry->current)
            break;
        if (kept == NULL || version_compare(&kept->version, &entry->version) != 0) {
            kept = entry;
            continue;
        }
        free(entry->reason);
        if (leave_same(entry, kept->text, kept->tag, err) < 0)
            return -1;
    }
    return 0;
}

static int judge_all(struct question *question, struct entries *entries, struct error *err) {
    for (size_t i = 0; i < entries->count; i++)
        if (judge(question, &entries->items[i], err) < 0)
            return -1;
    if (entries->count > 1)
        qsort_r(entries->items, entries->count, sizeof *entries->items, by_choice, question);
    if (leave_spellings(entries, err) < 0)
        return -1;
    if (entries->count > 1)
        qsort_r(entries->items, entries->count, sizeof *entries->items, by_choice, question);
    return 0;
}

static int hand_over(struct entries *entries, struct policy_choices *choices, struct error *err) {
    for (size_t i = 0; i < entries->count; i++) {
        struct entry *entry = &entries->items[i];
        struct policy_choice *choice = array_add(choices, err);
        if (choice == NULL)
            return -1;
        choice->taken = entry->taken;
        choice->reason = steal(entry->reason);
        choice->tag = string_dup(entry->tag, err);
        if (choice->tag == NULL)
            return -1;
        choices->taken += entry->taken;
    }
    return 0;
}

static int refuse_current(const struct question *question, struct error *err) {
    const char *policy = names[question->policy->kind];
    if (question->text != question->current)
        return error_set(
            err, ERROR_INPUT,
            "tag \"%s\": \"%s\", which the rule's tags.extract takes from it, is not a "
            "version, so policy %s cannot follow it; extract the version alone, or use "
            "policy digest",
            question->current, question->text, policy);
    return error_set(err, ERROR_INPUT,
                     "tag \"%s\" is not a version, so policy %s cannot follow it; "
                     "use policy digest, or pin a version",
                     question->current, policy);
}

int policy_choose(const struct policy *policy, const char *current, const struct string_list *tags,
                  struct policy_choices *choices, struct error *err) {
    *choices = (struct policy_choices){0};
    _cleanup_(free_pointer) char *extracted = NULL;
    if (policy->tags != NULL && tagfilter_read_followed(policy->tags, current, &extracted, err) < 0)
        return -1;
    struct question question = {
        .policy = policy, .current = current, .text = extracted != NULL ? extracted : current};
    if (policy->kind != POLICY_DIGEST && !version_parse(question.text, &question.version))
        return refuse_current(&question, err);
    _cleanup_(entries_clear) struct entries entries = {0};
    if (collect(tags, current, &entries, err) < 0 || judge_all(&question, &entries, err) < 0)
        return -1;
    return hand_over(&entries, choices, err);
}

void policy_choices_clear(struct policy_choices *choices) {
    for (size_t i = 0; i < choices->count; i++) {
        free(choices->items[i].tag);
        free(choices->items[i].reason);
    }
    free(choices->items);
    *choices = (struct policy_choices){0};
}
