#include "gate/policy/policy.h"

#include "gate/base/clock.h"
#include "gate/base/text.h"
#include "gate/policy/version.h"
#include "tests/unit/unit.h"

#define HEX40 "e3b0c44298fc1c149afbf4c8996fb92427ae41e4"
#define HEX64 HEX40 "649b934ca495991b7852b855"

/* The glob list of the rows below. */
static char *globs[] = {(char *)"*-rc*", (char *)"bad?", (char *)"[0-9]*-x[ab]"};
static const struct tagfilter ignored = {.ignore = {.items = globs, .count = 3}};

/* One pinned tag, one listed tag, and what each policy says of it: "+" stands before the reason of a taken one. digest NULL:
 * "policy digest stays with" the pinned one. */
#define ALL(reason)      reason, reason, reason, NULL
#define EVERYWHERE(text) text, text, text, text

static const struct {
    const char *current;
    const char *tag;
    const char *patch, *minor, *major, *digest;
} rows[] = {
    /* levels */
    {"7.2.4", "7.2.4", EVERYWHERE("+the current tag")},
    {"7.2.4", "7.2.5", ALL("+newer patch version 7.2.5")},
    {"7.2.4", "7.2.10", ALL("+newer patch version 7.2.10")},
    {"7.2.4", "7.2.3", ALL("older than 7.2.4")},
    {"7.2.4", "7.3.0", "minor version 7.3 is beyond policy patch", "+newer minor version 7.3.0",
     "+newer minor version 7.3.0", NULL},
    {"7.2.4", "7.10.1", "minor version 7.10 is beyond policy patch", "+newer minor version 7.10.1",
     "+newer minor version 7.10.1", NULL},
    {"7.2.4", "7.1.9", ALL("older than 7.2.4")},
    {"7.2.4", "8.0.0", "major version 8 is beyond policy patch",
     "major version 8 is beyond policy minor", "+newer major version 8.0.0", NULL},
    {"7.2.4", "10.0.0", "major version 10 is beyond policy patch",
     "major version 10 is beyond policy minor", "+newer major version 10.0.0", NULL},
    {"7.2.4", "6.9.9", ALL("older than 7.2.4")},
    {"7.2.4", "0.0.1", ALL("older than 7.2.4")},
    {"0.1.0", "0.1.1", ALL("+newer patch version 0.1.1")},
    {"0.1.0", "0.2.0", "minor version 0.2 is beyond policy patch", "+newer minor version 0.2.0",
     "+newer minor version 0.2.0", NULL},
    {"1.2.3.4", "1.2.3.5", ALL("+newer patch version 1.2.3.5")},
    {"1.2.3.4", "1.2.4.0", ALL("+newer patch version 1.2.4.0")},
    {"1.2.3.4", "1.3.0.0", "minor version 1.3 is beyond policy patch",
     "+newer minor version 1.3.0.0", "+newer minor version 1.3.0.0", NULL},
    {"7.2", "7.3", "minor version 7.3 is beyond policy patch", "+newer minor version 7.3",
     "+newer minor version 7.3", NULL},
    {"7.2", "8.0", "major version 8 is beyond policy patch",
     "major version 8 is beyond policy minor", "+newer major version 8.0", NULL},
    {"7", "8", "major version 8 is beyond policy patch", "major version 8 is beyond policy minor",
     "+newer major version 8", NULL},
    {"7", "6", ALL("older than 7")},
    {"1.9007199254740992", "1.9007199254740993",
     "minor version 1.9007199254740993 is beyond policy patch",
     "+newer minor version 1.9007199254740993", "+newer minor version 1.9007199254740993", NULL},
    {"1.9007199254740993", "1.9007199254740992", ALL("older than 1.9007199254740993")},
    /* precision */
    {"7.2.4", "7.2", ALL("less precise: 7.2")},
    {"7.2.4", "7", ALL("less precise: 7")},
    {"7.2.4", "8", ALL("less precise: 8")},
    {"7.2.4", "v8", ALL("less precise: v8")},
    {"7.2.4", "7.2.4.1", ALL("more precise: 7.2.4.1")},
    {"7", "8.0", ALL("more precise: 8.0")},
    {"7.2-alpine", "7-alpine", ALL("less precise: 7")},
    {"7.2.4", "1.2.3.4.5.6.7.8.9", ALL("not a version")},
    /* suffixes */
    {"7.2.4", "7.2.5-alpine", ALL("other suffix: -alpine")},
    {"7.2.4-alpine", "7.2.5", ALL("without suffix -alpine")},
    {"7.2.4-alpine", "7.2.5-alpine", ALL("+newer patch version 7.2.5")},
    {"7.2.4-alpine", "7.2.5-alpine3.19", ALL("other suffix: -alpine3.19")},
    {"7.2.4-alpine3.18", "7.2.5-alpine3.19", ALL("other suffix: -alpine3.19")},
    {"7.2.4-alpine", "7.2.5-Alpine", ALL("other suffix: -Alpine")},
    {"7.2.4-alpine", "7.2.5_alpine", ALL("other suffix: _alpine")},
    {"7.2.4-alpine", "7.2.4-alpine", EVERYWHERE("+the current tag")},
    {"7.2.4-alpine", "8.0.0-alpine", "major version 8 is beyond policy patch",
     "major version 8 is beyond policy minor", "+newer major version 8.0.0", NULL},
    {"1.2.3-debian-12-r5", "1.2.4-debian-12-r0", ALL("other suffix: -debian-12-r0")},
    {"4.1.100.Final", "4.1.101.Final", ALL("+newer patch version 4.1.101")},
    {"3.12.1-dev", "3.12.2-dev", ALL("+newer patch version 3.12.2")},
    {"3.12.1", "3.12.2-dev", ALL("other suffix: -dev")},
    {"1.1.1", "1.1.1w", ALL("other suffix: w")},
    {"1.2.3", "1.2.4-1", ALL("other suffix: -1")},
    /* pre-releases */
    {"7.2.4", "7.2.5-beta1", ALL("pre-release")},
    {"7.2.4", "7.2.5-alpha.1", ALL("pre-release")},
    {"7.2.4", "8.0.0b1", ALL("pre-release")},
    {"7.2.4", "7.2.4-beta1", ALL("older than 7.2.4")},
    {"8.0.0-beta1", "8.0.0-beta2", ALL("+newer pre-release 8.0.0-beta2")},
    {"8.0.0-beta1", "8.0.0-beta10", ALL("+newer pre-release 8.0.0-beta10")},
    {"8.0.0-beta2", "8.0.0-beta1", ALL("older than 8.0.0-beta2")},
    {"8.0.0-beta1", "8.0.0-alpha9", ALL("older than 8.0.0-beta1")},
    {"8.0.0-alpha9", "8.0.0-beta1", ALL("+newer pre-release 8.0.0-beta1")},
    {"8.0.0-beta1", "8.0.0", ALL("+release of this version: 8.0.0")},
    {"8.0.0-beta1", "8.0.1", ALL("+newer patch version 8.0.1")},
    {"8.0.0-beta1", "8.0.1-beta1", ALL("pre-release of another version")},
    {"8.0.0-beta1", "9.0.0-beta1", ALL("pre-release of another version")},
    {"8.0.0-beta1", "8.1.0", "minor version 8.1 is beyond policy patch",
     "+newer minor version 8.1.0", "+newer minor version 8.1.0", NULL},
    {"8.0.0-beta1", "9.0.0", "major version 9 is beyond policy patch",
     "major version 9 is beyond policy minor", "+newer major version 9.0.0", NULL},
    {"8.0.0-beta1", "7.9.9", ALL("older than 8.0.0-beta1")},
    {"8.0.0-beta1", "8.0.0-beta.1", ALL("another spelling of 8.0.0-beta1")},
    {"3.13.0b1-slim", "3.13.0b2-slim", ALL("+newer pre-release 3.13.0b2")},
    {"3.13.0b1-slim", "3.13.0b2-alpine", ALL("other suffix: -alpine")},
    {"3.13.0b1-slim", "3.13.0-slim", ALL("+release of this version: 3.13.0")},
    {"8-beta1", "8", ALL("+release of this version: 8")},
    /* spellings */
    {"7.2.4", "v7.2.4", ALL("another spelling of 7.2.4")},
    {"v7.2.4", "7.2.4", ALL("another spelling of v7.2.4")},
    {"1.2", "1.02", ALL("another spelling of 1.2")},
    {"7.2.4", "v7.2.5", ALL("+newer patch version v7.2.5")},
    {"v7.2.4", "v7.2.5", ALL("+newer patch version v7.2.5")},
    {"V7.2.4", "7.2.5", ALL("+newer patch version 7.2.5")},
    {"v7.2.4", "v8.0.0", "major version 8 is beyond policy patch",
     "major version 8 is beyond policy minor", "+newer major version v8.0.0", NULL},
    /* dates */
    {"7.2", "2024.1", ALL("other kind of version: a year, not a number")},
    {"7", "20240101", ALL("other kind of version: a date, not a number")},
    {"7.2", "20240101", ALL("other kind of version: a date, not a number")},
    {"7.2.4", "2024-01-15", ALL("other kind of version: a date with dashes, not a number")},
    {"7", "2024", ALL("other kind of version: a year, not a number")},
    {"20240101", "7", ALL("other kind of version: a number, not a date")},
    {"20240101", "20240102", "20240102 is beyond policy patch", "20240102 is beyond policy minor",
     "+newer version 20240102", NULL},
    {"20240101", "202402", ALL("other number of digits: 202402")},
    {"20240101", "1700000000", ALL("other kind of version: a long number, not a date")},
    {"20240101", "2024.1", ALL("other kind of version: a year, not a date")},
    {"2024.01.15", "2024.02.01", "2024.02.01 is beyond policy patch", "+newer version 2024.02.01",
     "+newer version 2024.02.01", NULL},
    {"2024.01.15", "2024.01.20", ALL("+newer version 2024.01.20")},
    {"2024.01.15", "2025.01.01", "2025.01.01 is beyond policy patch",
     "2025.01.01 is beyond policy minor", "+newer version 2025.01.01", NULL},
    {"2024.01.15", "2023.12.31", ALL("older than 2024.01.15")},
    {"2024.01.15", "2024.02", ALL("less precise: 2024.02")},
    {"2024-01-15", "2024-01-16", ALL("+newer version 2024-01-16")},
    {"2022-latest", "2025-latest", "2025 is beyond policy patch", "2025 is beyond policy minor",
     "+newer version 2025", NULL},
    {"24.04", "24.10", "minor version 24.10 is beyond policy patch", "+newer minor version 24.10",
     "+newer minor version 24.10", NULL},
    /* long numbers, which may be commits */
    {"7", "1234567", ALL("other kind of version: a long number, not a number")},
    {"1234567", "12345678", ALL("other number of digits: 12345678")},
    {"1700000000", "1700000100", "1700000100 is beyond policy patch",
     "1700000100 is beyond policy minor", "+newer version 1700000100", NULL},
    /* no versions */
    {"7.2.4", "latest", ALL("not a version")},
    {"7.2.4", "bookworm-slim", ALL("not a version")},
    {"7.2.4", "main-8.0.0", ALL("not a version")},
    {"7.2.4", "abcdef0", ALL("not a version: looks like a commit")},
    {"7", "1234567a", ALL("not a version: looks like a commit")},
    {"7.2.4", HEX40, ALL("not a version: looks like a commit")},
    {"7.2.4", "sha256-" HEX64, EVERYWHERE("sidecar tag")},
    {"7.2.4", "sha256-" HEX64 ".sig", EVERYWHERE("sidecar tag")},
    {"7.2.4", "", EVERYWHERE("not a valid tag")},
    {"7.2.4", "-8.0.0", EVERYWHERE("not a valid tag")},
    {"7.2.4", "8.0.0 ", EVERYWHERE("not a valid tag")},
    {"7.2.4", "8.0.0\x1b[31m", EVERYWHERE("not a valid tag")},
    {"7.2.4", "8.0.0\xc3\xa9", EVERYWHERE("not a valid tag")},
    {"7.2.4", "7.2.5/../x", EVERYWHERE("not a valid tag")},
    /* ignored */
    {"7.2.4", "8.0.0-rc1", EVERYWHERE("ignored by a rule: *-rc*")},
    {"7.2.4", "bad1", EVERYWHERE("ignored by a rule: bad?")},
    {"7.2.4", "bad12", ALL("not a version")},
    {"7.2.4-xa", "7.2.5-xa", EVERYWHERE("ignored by a rule: [0-9]*-x[ab]")},
    {"7.2.4-xc", "7.2.5-xc", ALL("+newer patch version 7.2.5")},
    {"7.2.4-rc1", "7.2.4-rc1", EVERYWHERE("+the current tag")},
};

static const struct policy_choice *find(const struct policy_choices *choices, const char *tag) {
    for (size_t i = 0; i < choices->count; i++)
        if (strcmp(choices->items[i].tag, tag) == 0)
            return &choices->items[i];
    ck_abort_msg("\"%s\" is not among the choices", tag);
    return NULL;
}

static void check_row(size_t row, enum policy_kind kind, const char *expected) {
    struct error err = {0};
    struct policy policy = {.kind = kind, .tags = &ignored};
    char *item = (char *)rows[row].tag;
    struct string_list tags = {.items = &item, .count = 1};
    struct policy_choices choices;
    char *made = NULL;
    if (expected == NULL) {
        made = string_format(&err, "policy digest stays with %s", rows[row].current);
        expected = made;
    }
    unit_ok(policy_choose(&policy, rows[row].current, &tags, &choices, &err), &err);
    const struct policy_choice *choice = find(&choices, rows[row].tag);
    bool taken = expected[0] == '+';
    ck_assert_msg(choice->taken == taken && strcmp(choice->reason, expected + taken) == 0,
                  "row %zu, %s -> %s, policy %s: %s\"%s\", expected \"%s\"", row, rows[row].current,
                  rows[row].tag, policy_name(kind), choice->taken ? "+" : "", choice->reason,
                  expected);
    bool same = strcmp(rows[row].tag, rows[row].current) == 0;
    ck_assert_uint_eq(choices.count, same ? 1 : 2);
    ck_assert_uint_eq(choices.taken, taken && !same ? 2 : 1);
    ck_assert_str_eq(choices.items[choices.taken - 1].tag, rows[row].current);
    policy_choices_clear(&choices);
    free(made);
}

START_TEST(row_patch) {
    check_row((size_t)_i, POLICY_PATCH, rows[_i].patch);
}
END_TEST

START_TEST(row_minor) {
    check_row((size_t)_i, POLICY_MINOR, rows[_i].minor);
}
END_TEST

START_TEST(row_major) {
    check_row((size_t)_i, POLICY_MAJOR, rows[_i].major);
}
END_TEST

START_TEST(row_digest) {
    check_row((size_t)_i, POLICY_DIGEST, rows[_i].digest);
}
END_TEST

/* ---- whole lists ---- */

static void split(const char *words, struct string_list *list) {
    struct error err = {0};
    char *copy = strdup(words);
    char *saved = NULL;
    for (char *word = strtok_r(copy, " ", &saved); word; word = strtok_r(NULL, " ", &saved))
        unit_ok(string_list_add(list, word, &err), &err);
    free(copy);
}

static char *joined(const struct policy_choices *choices, size_t from, size_t to) {
    struct error err = {0};
    struct text text = {0};
    for (size_t i = from; i < to; i++)
        text_printf(&text, "%s%s", i > from ? " " : "", choices->items[i].tag);
    char *string = text_steal(&text, &err);
    ck_assert_ptr_nonnull(string);
    return string;
}

static const struct {
    enum policy_kind kind;
    const char *current;
    const char *tags;
    const char *taken; /* in order */
    const char *left;  /* in order */
} lists[] = {
    {POLICY_MINOR, "7.2.4", "7 7.2 7.2.4 7.2.5 7.4.1 7.4.0 8.0.0 latest", "7.4.1 7.4.0 7.2.5 7.2.4",
     "7 7.2 8.0.0 latest"},
    {POLICY_MINOR, "7.2.4", "7.4.1 7.4.1 7.2.4 7.4.1 7 7 7.2.4", "7.4.1 7.2.4", "7"},
    {POLICY_MINOR, "7.2.4", "", "7.2.4", ""},
    {POLICY_MINOR, "7.2.4", "7.2.5", "7.2.5 7.2.4", ""},
    {POLICY_MINOR, "1.2", "v1.3 1.3 1.03 V1.3 v01.3", "1.3 1.2", "v1.3 1.03 V1.3 v01.3"},
    {POLICY_MINOR, "v1.2", "1.03 1.3 v1.03 v1.3 V1.3", "v1.3 v1.2", "1.03 1.3 v1.03 V1.3"},
    {POLICY_MINOR, "1.02", "1.3 1.03 v1.03", "1.03 1.02", "1.3 v1.03"},
    {POLICY_MINOR, "1.2", "1.03 v1.3", "1.03 1.2", "v1.3"},
    {POLICY_MINOR, "1.2", "1.2 1.02 v1.2", "1.2", "1.02 v1.2"},
    {POLICY_MAJOR, "8.0-rc1", "8.0-rc2 8.0-rc.2 8.0 8.0-rc1 9.0 9.0-rc1",
     "9.0 8.0 8.0-rc.2 8.0-rc1", "8.0-rc2 9.0-rc1"},
    {POLICY_MAJOR, "7-alpine", "20240101-alpine 8-alpine 10-alpine 9-alpine 11 2024-alpine",
     "10-alpine 9-alpine 8-alpine 7-alpine", "20240101-alpine 11 2024-alpine"},
    {POLICY_DIGEST, "latest", "8 latest 9", "latest", "8 9"},
    {POLICY_DIGEST, "latest", "", "latest", ""},
    {POLICY_PATCH, "1.2.3", "1.2.9 1.2.10 1.2.11-x 1.3.0", "1.2.10 1.2.9 1.2.3", "1.2.11-x 1.3.0"},
};

START_TEST(list_row) {
    struct error err = {0};
    struct policy policy = {.kind = lists[_i].kind};
    struct string_list tags = {0};
    split(lists[_i].tags, &tags);
    struct policy_choices choices;
    unit_ok(policy_choose(&policy, lists[_i].current, &tags, &choices, &err), &err);
    char *taken = joined(&choices, 0, choices.taken);
    char *left = joined(&choices, choices.taken, choices.count);
    ck_assert_msg(strcmp(taken, lists[_i].taken) == 0 && strcmp(left, lists[_i].left) == 0,
                  "row %d: taken \"%s\", left \"%s\"", _i, taken, left);
    free(taken);
    free(left);
    policy_choices_clear(&choices);
    string_list_clear(&tags);
}
END_TEST

START_TEST(names) {
    enum policy_kind kind;
    for (size_t i = 0; i < POLICY_KIND_COUNT; i++) {
        ck_assert_str_eq(policy_names()[i], policy_name((enum policy_kind)i));
        ck_assert(policy_from_name(policy_names()[i], &kind) && kind == (enum policy_kind)i);
        struct policy policy = {.kind = kind};
        ck_assert(policy_needs_tags(&policy) == (kind != POLICY_DIGEST));
    }
    ck_assert_ptr_null(policy_names()[POLICY_KIND_COUNT]);
    ck_assert(!policy_from_name("Minor", &kind));
    ck_assert(!policy_from_name("", &kind));
}
END_TEST

START_TEST(current_must_be_a_version) {
    static const char *const currents[] = {"latest", "", "abcdef0", "stable", "sha256-" HEX64};
    struct error err = {0};
    struct policy_choices choices;
    for (size_t i = 0; i < sizeof currents / sizeof *currents; i++) {
        struct policy policy = {.kind = POLICY_MINOR};
        unit_fails(policy_choose(&policy, currents[i], NULL, &choices, &err), &err, ERROR_INPUT,
                   "is not a version");
        policy_choices_clear(&choices);
        policy.kind = POLICY_DIGEST;
        unit_ok(policy_choose(&policy, currents[i], NULL, &choices, &err), &err);
        ck_assert_uint_eq(choices.taken, 1);
        policy_choices_clear(&choices);
    }
}
END_TEST

/* ---- properties of long lists ---- */

/* A fixed sequence, so that a failure can be repeated. */
static unsigned random_below(unsigned *state, unsigned limit) {
    *state = *state * 1664525u + 1013904223u;
    return (*state >> 8) % limit;
}

static void random_tag(unsigned *state, char *out, size_t size) {
    static const char *const suffixes[] = {"",      "",          "-alpine", "-alpine3.19", "-slim",
                                           "-slim", "-bookworm", "w",       ".Final",      "-dev"};
    static const char *const marks[] = {"",      "",    "",      "",       "rc1",
                                        "-rc.2", "-b1", "-dev3", "-alpha", "-beta2"};
    unsigned kind = random_below(state, 20);
    unsigned a = random_below(state, 5), b = random_below(state, 12), c = random_below(state, 30);
    const char *suffix = suffixes[random_below(state, 10)];
    const char *mark = marks[random_below(state, 10)];
    const char *prefix = random_below(state, 8) == 0 ? "v" : "";
    switch (kind) {
    case 0:
        snprintf(out, size, "%s%u%s%s", prefix, a, mark, suffix);
        break;
    case 1:
    case 2:
        snprintf(out, size, "%s%u.%u%s%s", prefix, a, b, mark, suffix);
        break;
    case 3:
        snprintf(out, size, "%u.%02u%s", a, b, suffix);
        break;
    case 4:
        snprintf(out, size, "20%02u.%u.%u%s", 20 + a, b + 1, c + 1, suffix);
        break;
    case 5:
        snprintf(out, size, "20%02u%02u%02u%s", 20 + a, b + 1, c + 1, suffix);
        break;
    case 6:
        snprintf(out, size, "20%02u-%02u-%02u%s", 20 + a, b + 1, c + 1, suffix);
        break;
    case 7:
        snprintf(out, size, "%07x", random_below(state, 1u << 24) * 16 + c);
        break;
    case 8:
        snprintf(out, size, "sha256-%s.sig", HEX64);
        break;
    case 9:
        snprintf(out, size, "%s", c % 2 ? "latest" : "bookworm");
        break;
    case 10:
        snprintf(out, size, "%u", 1600000000u + random_below(state, 1u << 24));
        break;
    default:
        snprintf(out, size, "%s%u.%u.%u%s%s", prefix, a, b, c, mark, suffix);
        break;
    }
}

static void random_tags(unsigned *state, size_t count, struct string_list *tags) {
    struct error err = {0};
    char tag[128];
    while (tags->count < count) {
        random_tag(state, tag, sizeof tag);
        unit_ok(string_list_add(tags, tag, &err), &err);
    }
}

static void shuffle(unsigned *state, struct string_list *tags) {
    for (size_t i = tags->count; i > 1; i--) {
        size_t j = random_below(state, (unsigned)i);
        char *kept = tags->items[i - 1];
        tags->items[i - 1] = tags->items[j];
        tags->items[j] = kept;
    }
}

/* ck_assert_msg writes down every place that it passes, which takes longer than all else here. */
#define hold(condition, ...)                                                                       \
    do {                                                                                           \
        if (!(condition))                                                                          \
            ck_abort_msg(__VA_ARGS__);                                                             \
    } while (0)

/* What must hold of every taken tag, whatever the list. */
static void check_taken(const struct policy *policy, const char *current,
                        const struct policy_choices *choices) {
    static const size_t fixed[] = {[POLICY_PATCH] = 2, [POLICY_MINOR] = 1, [POLICY_MAJOR] = 0};
    struct version pinned, version, before;
    ck_assert(version_parse(current, &pinned));
    for (size_t i = 0; i < choices->count; i++) {
        const char *tag = choices->items[i].tag;
        hold(choices->items[i].taken == (i < choices->taken), "%s: place", tag);
        hold(choices->items[i].reason[0] != '\0', "%s: no reason", tag);
        if (i + 1 >= choices->taken)
            continue;
        hold(version_parse(tag, &version), "%s is no version", tag);
        hold(version_same_kind(&version, &pinned) && version.count == pinned.count &&
                 strcmp(version_suffix(&version), version_suffix(&pinned)) == 0,
             "%s has another shape than %s", tag, current);
        size_t equal = version_equal_numbers(&version, &pinned);
        hold(version_compare(&version, &pinned) > 0, "%s is older than %s", tag, current);
        hold(equal >= fixed[policy->kind] || equal == pinned.count, "%s is beyond the policy of %s",
             tag, current);
        hold(!version_is_prerelease(&version) ||
                 (version_is_prerelease(&pinned) && equal == pinned.count),
             "%s is a pre-release, current %s", tag, current);
        hold(i == 0 || version_compare(&before, &version) > 0, "%s: order", tag);
        before = version;
    }
    ck_assert_str_eq(choices->items[choices->taken - 1].tag, current);
}

/* The same taken tags in the same order, and the same reasons, for the list in any order. */
static void check_same(const struct policy_choices *a, const struct policy_choices *b) {
    ck_assert_uint_eq(a->count, b->count);
    ck_assert_uint_eq(a->taken, b->taken);
    for (size_t i = 0; i < a->taken; i++)
        hold(strcmp(a->items[i].tag, b->items[i].tag) == 0, "%zu: %s, then %s", i, a->items[i].tag,
             b->items[i].tag);
    for (size_t i = 0; i < a->count; i++)
        hold(strcmp(a->items[i].reason, find(b, a->items[i].tag)->reason) == 0, "%s: %s",
             a->items[i].tag, a->items[i].reason);
}

START_TEST(properties) {
    struct error err = {0};
    unsigned state = (unsigned)_i * 7919 + 1;
    struct string_list tags = {0};
    random_tags(&state, 400, &tags);
    for (size_t i = 0; i < 24; i++) {
        char *current = strdup(tags.items[random_below(&state, (unsigned)tags.count)]);
        struct policy policy = {.kind = (enum policy_kind)(1 + i % 3)};
        struct policy_choices choices, again;
        struct version version;
        if (!version_parse(current, &version)) {
            unit_fails(policy_choose(&policy, current, &tags, &choices, &err), &err, ERROR_INPUT,
                       "is not a version");
            policy_choices_clear(&choices);
        } else {
            unit_ok(policy_choose(&policy, current, &tags, &choices, &err), &err);
            check_taken(&policy, current, &choices);
            shuffle(&state, &tags);
            unit_ok(policy_choose(&policy, current, &tags, &again, &err), &err);
            check_same(&choices, &again);
            policy_choices_clear(&choices);
            policy_choices_clear(&again);
        }
        free(current);
    }
    string_list_clear(&tags);
}
END_TEST

/* Comparable versions are in a total order: antisymmetric and transitive. */
START_TEST(order_is_total) {
    unsigned state = 42;
    struct string_list tags = {0};
    random_tags(&state, 300, &tags);
    size_t compared = 0;
    for (size_t round = 0; round < 600000; round++) {
        struct version v[3];
        bool like = true;
        for (size_t i = 0; i < 3; i++)
            like = like && version_parse(tags.items[random_below(&state, 300)], &v[i]) &&
                   version_same_kind(&v[i], &v[0]) && v[i].count == v[0].count &&
                   strcmp(version_suffix(&v[i]), version_suffix(&v[0])) == 0;
        if (!like)
            continue;
        compared++;
        int ab = version_compare(&v[0], &v[1]);
        int bc = version_compare(&v[1], &v[2]);
        int ac = version_compare(&v[0], &v[2]);
        hold((ab > 0) - (ab < 0) ==
                 -((version_compare(&v[1], &v[0]) > 0) - (version_compare(&v[1], &v[0]) < 0)),
             "%s, %s", v[0].tag, v[1].tag);
        hold(!(ab <= 0 && bc <= 0) || ac <= 0, "%s, %s, %s", v[0].tag, v[1].tag, v[2].tag);
        hold(!(ab == 0 && bc == 0) || ac == 0, "%s, %s, %s", v[0].tag, v[1].tag, v[2].tag);
    }
    ck_assert_uint_gt(compared, 1000);
    string_list_clear(&tags);
}
END_TEST

/* All versions distinct, or all tags spellings of few: both shapes of 100,000 tags come through; a quadratic step would need
 * minutes and run into Check's time-out. */
START_TEST(hundred_thousand_tags) {
    struct error err = {0};
    struct policy policy = {.kind = POLICY_MAJOR, .tags = &ignored};
    struct string_list tags = {0};
    char tag[64];
    for (unsigned i = 0; i < 100000; i++) {
        if (i % 2 == 0)
            snprintf(tag, sizeof tag, "1.%u.%u", i / 300, i % 300);
        else
            snprintf(tag, sizeof tag, "2.%0*u.1", (int)(i / 2 % 50) + 1, i % 7);
        unit_ok(string_list_add(&tags, tag, &err), &err);
    }
    struct policy_choices choices;
    unit_ok(policy_choose(&policy, "1.0.0", &tags, &choices, &err), &err);
    ck_assert_str_eq(choices.items[0].tag, "2.6.1");
    check_taken(&policy, "1.0.0", &choices);
    policy_choices_clear(&choices);
    string_list_clear(&tags);
}
END_TEST

/* A glob that would be exponential when matched naively. */
START_TEST(hostile_glob) {
    struct error err = {0};
    char tag[129];
    memset(tag, 'a', sizeof tag - 1);
    tag[128] = '\0';
    char glob[] = "*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*ab";
    char *glob_item = glob, *tag_item = tag;
    struct tagfilter hostile = {.ignore = {.items = &glob_item, .count = 1}};
    struct string_list tags = {.items = &tag_item, .count = 1};
    struct policy policy = {.kind = POLICY_DIGEST, .tags = &hostile};
    struct policy_choices choices;
    unit_ok(policy_choose(&policy, "7", &tags, &choices, &err), &err);
    ck_assert_uint_eq(choices.count, 2);
    policy_choices_clear(&choices);
}
END_TEST

UNIT_MAIN("policy", {
    tcase_set_timeout(cases, 60); /* seconds; for sanitizers on a busy machine */
    tcase_add_loop_test(cases, row_patch, 0, sizeof rows / sizeof *rows);
    tcase_add_loop_test(cases, row_minor, 0, sizeof rows / sizeof *rows);
    tcase_add_loop_test(cases, row_major, 0, sizeof rows / sizeof *rows);
    tcase_add_loop_test(cases, row_digest, 0, sizeof rows / sizeof *rows);
    tcase_add_loop_test(cases, list_row, 0, sizeof lists / sizeof *lists);
    tcase_add_test(cases, names);
    tcase_add_test(cases, current_must_be_a_version);
    tcase_add_loop_test(cases, properties, 0, 10);
    tcase_add_test(cases, order_is_total);
    tcase_add_test(cases, hundred_thousand_tags);
    tcase_add_test(cases, hostile_glob);
})
