#include "gate/policy/tagfilter.h"

#include "gate/base/text.h"
#include "gate/policy/policy.h"
#include "tests/unit/unit.h"

static void make(struct tagfilter *filter, const char *match, const char *extract) {
    struct error err = {0};
    *filter = (struct tagfilter){0};
    if (match != NULL)
        unit_ok(tagfilter_set_match(filter, match, &err), &err);
    if (extract != NULL)
        unit_ok(tagfilter_set_extract(filter, extract, &err), &err);
}

/* ---- one tag ---- */

static const struct {
    const char *match, *extract, *tag;
    const char *text; /* NULL: does not match */
} texts[] = {
    {NULL, NULL, "latest", "latest"},
    {"^7", NULL, "7.2", "7.2"},
    {"^7", NULL, "v7.2", NULL},
    {"7", NULL, "v7.2", "v7.2"}, /* anywhere */
    {"7", "$0", "v7.2", "7"},
    {"^v(.*)$", "$1", "v7.2", "7.2"},
    {"^v(.*)$", "${1}", "v7.2", "7.2"},
    {"^v(.*)$", "${1}.0", "v7.2", "7.2.0"},
    {"^v(.*)$", "$1.0", "v7.2", "7.2.0"},
    {"^(?<v>[^-]+)-(?<os>\\w+)$", "$v", "7.2-alpine", "7.2"},
    {"^(?<v>[^-]+)-(?<os>\\w+)$", "$os-$v", "7.2-alpine", "alpine-7.2"},
    {"^(?<v>[^-]+)-(?<os>\\w+)$", "${os}_${v}", "7.2-alpine", "alpine_7.2"},
    {"^(?<v>[^-]+)-(?<os>\\w+)$", "$2-$1", "7.2-alpine", "alpine-7.2"},
    {"^(?<v>[^-]+)-(?<os>\\w+)$", "$v", "7.2", NULL},
    {"^(?<v>\\d+)(-(?<b>\\d+))?$", "$v.$b", "7-4", "7.4"},
    {"^(?<v>\\d+)(-(?<b>\\d+))?$", "$v.$b", "7", "7."}, /* a group that took no part */
    {"^(?<v>\\d+)(?<b>x)?$", "$b", "7", ""},
    {"^(\\d+)$", "$$$1$$", "7", "$7$"},
    {"^(\\d+)$", "$1$1$1", "12", "121212"},
    {"^(\\d+)$", "{$1}", "7", "{7}"},
    {"^(\\d+)$", "${01}", "7", "7"},
    {"^(\\d+)$", "$1}", "7", "7}"},
    {"\\d+", "$0", "a1b2", "1"}, /* the first place where it matches */
};

START_TEST(text_row) {
    struct error err = {0};
    struct tagfilter filter;
    struct tagfilter_result result;
    char *followed = NULL;
    const char *expected = texts[_i].text, *tag = texts[_i].tag;
    make(&filter, texts[_i].match, texts[_i].extract);
    unit_ok(tagfilter_read(&filter, tag, &result, &err), &err);
    ck_assert_msg(result.matches == (expected != NULL), "row %d", _i);
    ck_assert_msg((result.extracted != NULL) == (expected != NULL && texts[_i].extract != NULL),
                  "row %d", _i);
    if (expected != NULL) {
        const char *got = result.extracted != NULL ? result.extracted : tag;
        ck_assert_msg(strcmp(got, expected) == 0, "row %d: %s", _i, got);
        unit_ok(tagfilter_read_followed(&filter, tag, &followed, &err), &err);
        ck_assert_pstr_eq(followed, result.extracted);
    } else {
        unit_fails(tagfilter_read_followed(&filter, tag, &followed, &err), &err, ERROR_INPUT,
                   texts[_i].match);
        ck_assert_ptr_null(followed);
    }
    free(followed);
    free(result.extracted);
    tagfilter_clear(&filter);
}
END_TEST

static const struct {
    const char *match, *extract, *words;
} malformed[] = {
    {NULL, "$1", "column 1: it names groups of \"match\", and there is none"},
    {"(a)", "", "column 1: it takes no group"},
    {"(a)", "a", "column 1: it takes no group"},
    {"(a)", "$$1", "column 1: it takes no group"},
    {"(a)", "$", "column 1: a group was expected"},
    {"(a)", "a$1$", "column 4: a group was expected"},
    {"(a)", "$-", "column 1: a group was expected"},
    {"(a)", "${", "column 1: a group was expected"},
    {"(a)", "${}", "column 1: a group was expected"},
    {"(a)", "${1", "column 1: a group was expected"},
    {"(a)", "${1-}", "column 1: a group was expected"},
    {"(a)", "ab$2", "column 3: the pattern has no group \"2\", or several; it has 0 to 1;"},
    {"a", "$1", "it has 0 to 0"},
    {"(a)", "$18446744073709551616", "no group \"18446744073709551616\""},
    {"(a)", "$18446744073709551617", "no group"},
    {"(?<v>a)", "$w", "no group \"w\", or several; it has 0 to 1, v;"},
    {"(?<v>a)", "$v1", "no group \"v1\""},
    {"(?<v>a)", "${v1}", "no group \"v1\", or several; it has 0 to 1, v"},
    {"(?J)(?<v>a)|(?<v>b)", "$v", "no group \"v\", or several; it has 0 to 2, v, v"},
    {"(?<v>a)", "$V", "no group \"V\""},
    {"(a)", "$\xc3\xa9", "column 1: a group was expected"},
};

START_TEST(malformed_row) {
    struct error err = {0};
    struct tagfilter filter;
    make(&filter, malformed[_i].match, NULL);
    unit_fails(tagfilter_set_extract(&filter, malformed[_i].extract, &err), &err, ERROR_CONFIG,
               malformed[_i].words);
    tagfilter_clear(&filter);
}
END_TEST

/* ---- what policies make of it ---- */

/* One pinned tag, one listed tag, and what each policy says of it: "+" stands before the reason of a taken one. digest NULL:
 * "policy digest stays with" the pinned one. */
#define ALL(reason)      reason, reason, reason, NULL
#define EVERYWHERE(text) text, text, text, text
#define NO_MATCH         EVERYWHERE("does not match tags.match")

#define ALPINE           "^(?<v>\\d+\\.\\d+\\.\\d+)-alpine(3\\.\\d+)?$", "$v"
#define RELEASE          "^release-(?<v>.*)$", "$v"
#define TIME             "^main-[0-9a-f]+-(?<ts>\\d+)$", "$ts"
#define WHOLE            "^\\d+\\.\\d+\\.\\d+(-\\w+)?$", NULL
#define PARTS            "^(\\d+)_(\\d+)_(\\d+)$", "$1.$2.$3"
#define MINOR(version)                                                                             \
    "minor version 7.3 is beyond policy patch", "+newer minor version " version,                   \
        "+newer minor version " version, NULL
#define MAJOR(version)                                                                             \
    "major version 8 is beyond policy patch", "major version 8 is beyond policy minor",            \
        "+newer major version " version, NULL

static const struct {
    const char *match, *extract;
    const char *current;
    const char *tag;
    const char *patch, *minor, *major, *digest;
} rows[] = {
    /* suffixes that change are no other suffix once they are not extracted */
    {ALPINE, "7.2.4-alpine", "7.2.4-alpine", EVERYWHERE("+the current tag")},
    {ALPINE, "7.2.4-alpine", "7.2.5-alpine", ALL("+newer patch version 7.2.5")},
    {ALPINE, "7.2.4-alpine3.18", "7.2.5-alpine3.19", ALL("+newer patch version 7.2.5")},
    {ALPINE, "7.2.4-alpine3.18", "7.2.5-alpine", ALL("+newer patch version 7.2.5")},
    {ALPINE, "7.2.4-alpine3.18", "7.2.4-alpine3.19", ALL("says 7.2.4, as 7.2.4-alpine3.18 does")},
    {ALPINE, "7.2.4-alpine3.18", "7.02.4-alpine3.18", ALL("another spelling of 7.2.4-alpine3.18")},
    {ALPINE, "7.2.4-alpine3.18", "7.2.3-alpine3.19", ALL("older than 7.2.4-alpine3.18")},
    {ALPINE, "7.2.4-alpine", "7.3.0-alpine", MINOR("7.3.0")},
    {ALPINE, "7.2.4-alpine", "8.0.1-alpine3.20", MAJOR("8.0.1")},
    {ALPINE, "7.2.4-alpine", "7.2.5", NO_MATCH},
    {ALPINE, "7.2.4-alpine", "7.2.5-slim", NO_MATCH},
    {ALPINE, "7.2.4-alpine", "7.2-alpine", NO_MATCH},
    {ALPINE, "7.2.4-alpine", "7.2.5-alpine-x", NO_MATCH},
    {ALPINE, "7.2.4-alpine", "v7.2.5-alpine", NO_MATCH},
    {ALPINE, "7.2.4-alpine", "latest", NO_MATCH},
    {ALPINE, "7.2.4-alpine", "7.2.5-ALPINE", NO_MATCH},
    {ALPINE, "7.2.4-alpine", "20240101-alpine", NO_MATCH},
    {ALPINE, "7.2.4-alpine", "2024.1.15-alpine",
     ALL("other kind of version: a year, not a number")},
    /* what comes first */
    {ALPINE, "7.2.4-alpine", "sha256-", NO_MATCH},
    {ALPINE, "7.2.4-alpine", "7.2.5-alpine\n", EVERYWHERE("not a valid tag")},
    {ALPINE, "7.2.4-alpine", "", EVERYWHERE("not a valid tag")},
    {ALPINE, "7.2.4-alpine", "9.2.5-alpine", EVERYWHERE("ignored by a rule: 9.*")},
    {ALPINE, "9.2.4-alpine", "9.2.4-alpine", EVERYWHERE("+the current tag")},
    /* prefixes */
    {RELEASE, "release-7.2.4", "release-7.2.5", ALL("+newer patch version 7.2.5")},
    {RELEASE, "release-7.2.4", "release-7.3.0", MINOR("7.3.0")},
    {RELEASE, "release-7.2.4", "release-8.0.0", MAJOR("8.0.0")},
    {RELEASE, "release-7.2.4", "7.2.5", NO_MATCH},
    {RELEASE, "release-7.2.4", "prerelease-7.2.5", NO_MATCH},
    {RELEASE, "release-7.2.4", "release-7.2.4-alpine", ALL("other suffix: -alpine")},
    {RELEASE, "release-7.2.4", "release-", ALL("not a version")},
    {RELEASE, "release-7.2.4", "release-candidate", ALL("not a version")},
    {RELEASE, "release-7.2.4", "release-7.2", ALL("less precise: 7.2")},
    {RELEASE, "release-7.2.4", "release-7.2.4.1", ALL("more precise: 7.2.4.1")},
    {RELEASE, "release-7.2.4", "release-7.2.5-rc1", ALL("pre-release")},
    {RELEASE, "release-7.2.4", "release-7.2.4-rc1", ALL("older than release-7.2.4")},
    {RELEASE, "release-7.2.4-rc1", "release-7.2.4-rc2", ALL("+newer pre-release 7.2.4-rc2")},
    {RELEASE, "release-7.2.4-rc1", "release-7.2.4", ALL("+release of this version: 7.2.4")},
    {RELEASE, "release-7.2.4", "release-v7.2.5", ALL("+newer patch version v7.2.5")},
    {RELEASE, "release-7.2.4", "release-v7.2.4", ALL("another spelling of release-7.2.4")},
    {RELEASE, "release-7.2.4", "release-7.2.3", ALL("older than release-7.2.4")},
    {RELEASE, "release-7.2.4", "release-1234abc", ALL("not a version: looks like a commit")},
    {RELEASE, "release-7.2.4", "release-20240101",
     ALL("other kind of version: a date, not a number")},
    {RELEASE, "release-7.2.4", "release-release-7.2.5", ALL("not a version")},
    /* times of builds */
    {TIME, "main-0f3c-1700000000", "main-99aa-1700000001", "1700000001 is beyond policy patch",
     "1700000001 is beyond policy minor", "+newer version 1700000001", NULL},
    {TIME, "main-0f3c-1700000000", "main-99aa-1699999999", ALL("older than main-0f3c-1700000000")},
    {TIME, "main-0f3c-1700000000", "main-99aa-1700000000",
     ALL("says 1700000000, as main-0f3c-1700000000 does")},
    {TIME, "main-0f3c-1700000000", "main-99aa-17000000000",
     ALL("other number of digits: 17000000000")},
    {TIME, "main-0f3c-1700000000", "main-99aa-7",
     ALL("other kind of version: a number, not a long number")},
    {TIME, "main-0f3c-1700000000", "dev-99aa-1700000001", NO_MATCH},
    {TIME, "main-0f3c-1700000000", "main-1700000001", NO_MATCH},
    /* only a choice: the tag is compared */
    {WHOLE, "7.2.4", "7.2.5", ALL("+newer patch version 7.2.5")},
    {WHOLE, "7.2.4", "7.3.0", MINOR("7.3.0")},
    {WHOLE, "7.2.4", "8.0.0", MAJOR("8.0.0")},
    {WHOLE, "7.2.4", "7.2.5-alpine", ALL("other suffix: -alpine")},
    {WHOLE, "7.2.4-alpine", "7.2.5-alpine", ALL("+newer patch version 7.2.5")},
    {WHOLE, "7.2.4", "7.2.5-alpine-x", NO_MATCH},
    {WHOLE, "7.2.4", "v7.2.5", NO_MATCH},
    {WHOLE, "7.2.4", "7.02.4", ALL("another spelling of 7.2.4")},
    {WHOLE, "7.2.4", "7.2.4-rc1", ALL("older than 7.2.4")},
    /* versions that are written otherwise */
    {PARTS, "7_2_4", "7_2_5", ALL("+newer patch version 7.2.5")},
    {PARTS, "7_2_4", "7_3_0", MINOR("7.3.0")},
    {PARTS, "7_2_4", "8_0_0", MAJOR("8.0.0")},
    {PARTS, "7_2_4", "7_2", NO_MATCH},
    {PARTS, "7_2_4", "7.2.5", NO_MATCH},
    {PARTS, "7_2_4", "7_2_3", ALL("older than 7_2_4")},
    {PARTS, "7_2_4", "07_2_4", ALL("another spelling of 7_2_4")},
    /* a template that says more than the tag */
    {"^(\\d+)$", "1.$1.0", "7", "8", "minor version 1.8 is beyond policy patch",
     "+newer minor version 1.8.0", "+newer minor version 1.8.0", NULL},
    {"^(\\d+)$", "1.$1.0", "7", "6", ALL("older than 7")},
    /* digits that may be a variant */
    {"^(\\d+\\.\\d+)(-\\w+)?$", "$1$2", "7.2-slim", "7.3-slim",
     "minor version 7.3 is beyond policy patch", "+newer minor version 7.3",
     "+newer minor version 7.3", NULL},
    {"^(\\d+\\.\\d+)(-\\w+)?$", "$1$2", "7.2-slim", "7.3", ALL("without suffix -slim")},
    {"^(\\d+\\.\\d+)(-\\w+)?$", "$1", "7.2-slim", "7.3", "minor version 7.3 is beyond policy patch",
     "+newer minor version 7.3", "+newer minor version 7.3", NULL},
};

static const struct policy_choice *find(const struct policy_choices *choices, const char *tag) {
    for (size_t i = 0; i < choices->count; i++)
        if (strcmp(choices->items[i].tag, tag) == 0)
            return &choices->items[i];
    ck_abort_msg("\"%s\" is not among the choices", tag);
}

static void check_row(size_t row, enum policy_kind kind, const char *expected) {
    struct error err = {0};
    struct tagfilter filter;
    make(&filter, rows[row].match, rows[row].extract);
    unit_ok(string_list_add(&filter.ignore, "9.*", &err), &err);
    struct policy policy = {.kind = kind, .tags = &filter};
    char *item = (char *)rows[row].tag;
    struct string_list tags = {.items = &item, .count = 1};
    struct policy_choices choices;
    char *made = NULL;
    if (expected == NULL)
        expected = made = string_format(&err, "policy digest stays with %s", rows[row].current);
    unit_ok(policy_choose(&policy, rows[row].current, &tags, &choices, &err), &err);
    const struct policy_choice *choice = find(&choices, rows[row].tag);
    bool taken = expected[0] == '+';
    ck_assert_msg(choice->taken == taken && strcmp(choice->reason, expected + taken) == 0,
                  "row %zu, %s -> %s, policy %s: %s\"%s\", expected \"%s\"", row, rows[row].current,
                  rows[row].tag, policy_name(kind), choice->taken ? "+" : "", choice->reason,
                  expected);
    policy_choices_clear(&choices);
    tagfilter_clear(&filter);
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

/* ---- several tags of one text ---- */

static const struct {
    const char *match, *extract, *current;
    const char *tags;  /* in an order that must not matter */
    const char *taken; /* in order */
} ties[] = {
    {ALPINE, "7.2.4-alpine3.18", "7.2.5-alpine3.9 7.2.5-alpine3.19 7.2.5-alpine3.18 7.2.5-alpine",
     "7.2.5-alpine3.19 7.2.4-alpine3.18"},
    {ALPINE, "7.2.4-alpine", "7.2.5-alpine3.19 7.2.5-alpine 7.2.5-alpine3.18",
     "7.2.5-alpine 7.2.4-alpine"},
    {ALPINE, "7.2.4-alpine", "7.2.5-alpine3.18 7.2.5-alpine3.19", "7.2.5-alpine3.19 7.2.4-alpine"},
    {ALPINE, "7.2.4-alpine", "7.2.6-alpine3.1 7.2.5-alpine 7.2.6-alpine3.2",
     "7.2.6-alpine3.2 7.2.5-alpine 7.2.4-alpine"},
    {ALPINE, "7.2.4-alpine", "07.2.5-alpine 7.2.5-alpine3.19", "7.2.5-alpine3.19 7.2.4-alpine"},
    {"^(\\d+\\.\\d+)-", "$1", "7.2-bookworm", "7.3-alpine 7.3-bookworm 7.3-trixie",
     "7.3-bookworm 7.2-bookworm"},
    {"^(\\d+\\.\\d+)-", "$1", "7.2-bookworm", "7.3-alpine 7.3-slim 7.3-trixie",
     "7.3-trixie 7.2-bookworm"},
    {"^(\\d+\\.\\d+)-", "$1", "7.2-bookworm", "7.2-trixie 7.2-alpine", "7.2-bookworm"},
    {TIME, "main-0f3c-1700000000", "main-1-1700000001 main-a-1700000001 main-1-1700000002",
     "main-1-1700000002 main-a-1700000001 main-0f3c-1700000000"},
    {"^(\\d+)_b(\\d+)$", "$1", "7_b1", "8_b9 8_b10 8_b2", "8_b10 7_b1"},
};

static void split(const char *words, struct string_list *list) {
    struct error err = {0};
    while (*words != '\0') {
        size_t length = strcspn(words, " ");
        char *word = string_dup_length(words, length, &err);
        unit_ok(string_list_add(list, word, &err), &err);
        free(word);
        words += length + strspn(words + length, " ");
    }
}

static void rotate(struct string_list *tags) {
    char *first = tags->items[0];
    memmove(tags->items, tags->items + 1, (tags->count - 1) * sizeof *tags->items);
    tags->items[tags->count - 1] = first;
}

START_TEST(tie_row) {
    struct tagfilter filter;
    struct string_list tags = {0};
    make(&filter, ties[_i].match, ties[_i].extract);
    split(ties[_i].tags, &tags);
    for (size_t turn = 0; turn < tags.count; turn++) {
        struct error err = {0};
        struct policy policy = {.kind = POLICY_MAJOR, .tags = &filter};
        struct policy_choices choices;
        struct text taken = {0};
        unit_ok(policy_choose(&policy, ties[_i].current, &tags, &choices, &err), &err);
        for (size_t i = 0; i < choices.taken; i++)
            text_printf(&taken, "%s%s", i > 0 ? " " : "", choices.items[i].tag);
        ck_assert_msg(strcmp(text_string(&taken), ties[_i].taken) == 0, "row %d, turn %zu: %s", _i,
                      turn, text_string(&taken));
        ck_assert_uint_eq(choices.count, tags.count + 1);
        text_clear(&taken);
        policy_choices_clear(&choices);
        rotate(&tags);
    }
    string_list_clear(&tags);
    tagfilter_clear(&filter);
}
END_TEST

/* ---- what cannot be told ---- */

#define LONG "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

/* A tag on which the pattern takes too long is never merely left out, whatever else is listed. */
START_TEST(expensive_tag) {
    struct error err = {0};
    struct tagfilter filter;
    struct string_list tags = {0};
    struct policy_choices choices;
    make(&filter, "^(a+)+$|^\\d+\\.\\d+$", NULL);
    split("1.0 1.1 " LONG LONG " " LONG ". 1.2", &tags);
    struct policy policy = {.kind = POLICY_MAJOR, .tags = &filter};
    unit_fails(policy_choose(&policy, "1.0", &tags, &choices, &err), &err, ERROR_LIMIT,
               "\"^(a+)+$|^\\d+\\.\\d+$\" cannot be matched with \"" LONG
               ".\": it takes more steps "
               "than one match may, so the tags cannot be told apart; write tags.match so that");
    ck_assert_uint_eq(choices.count, 0);
    /* the remedy of the message */
    unit_ok(string_list_add(&filter.ignore, "a*", &err), &err);
    unit_ok(policy_choose(&policy, "1.0", &tags, &choices, &err), &err);
    ck_assert_str_eq(choices.items[0].tag, "1.2");
    policy_choices_clear(&choices);
    string_list_clear(&tags);
    tagfilter_clear(&filter);
}
END_TEST

START_TEST(followed_tag) {
    struct error err = {0};
    struct tagfilter filter;
    struct policy_choices choices;
    make(&filter, "^(?<v>(a+)+|\\d+|x)$", "$v");
    for (enum policy_kind kind = POLICY_DIGEST; kind < POLICY_KIND_COUNT; kind++) {
        struct policy policy = {.kind = kind, .tags = &filter};
        unit_fails(policy_choose(&policy, "7-alpine", NULL, &choices, &err), &err, ERROR_INPUT,
                   "does not match the tag 7-alpine that is followed");
        unit_fails(policy_choose(&policy, LONG ".", NULL, &choices, &err), &err, ERROR_LIMIT,
                   "put the tag into tags.ignore");
        if (kind == POLICY_DIGEST)
            continue;
        unit_fails(
            policy_choose(&policy, "x", NULL, &choices, &err), &err, ERROR_INPUT,
            "tag \"x\": \"x\", which the rule's tags.extract takes from it, is not a version");
    }
    tagfilter_clear(&filter);
}
END_TEST

/* What a template makes of a tag may be longer than any tag. */
START_TEST(long_text) {
    struct error err = {0};
    struct tagfilter filter;
    struct tagfilter_result result;
    struct policy_choices choices;
    char *tag = (char *)LONG LONG;
    struct string_list tags = {.items = &tag, .count = 1};
    make(&filter, "^.*$", "$0$0$0$0$0$0$0$0$0$0$0$0$0$0$0$0$0$0$0$0$0$0$0$0$0$0$0$0$0$0");
    unit_ok(tagfilter_read(&filter, tag, &result, &err), &err);
    ck_assert_uint_eq(strlen(result.extracted), 30 * 128);
    free(result.extracted);
    struct policy policy = {.kind = POLICY_MAJOR, .tags = &filter};
    unit_ok(policy_choose(&policy, "7", &tags, &choices, &err), &err);
    ck_assert_str_eq(find(&choices, tag)->reason, "not a version");
    policy_choices_clear(&choices);
    tagfilter_clear(&filter);
}
END_TEST

START_TEST(size_of_the_template) {
    struct error err = {0};
    struct tagfilter filter;
    char template[TAGFILTER_TEMPLATE_LIMIT + 2];
    memset(template, 'x', sizeof template);
    memcpy(template, "$0", 2);
    template[TAGFILTER_TEMPLATE_LIMIT + 1] = '\0';
    make(&filter, "^.*$", NULL);
    unit_fails(tagfilter_set_extract(&filter, template, &err), &err, ERROR_CONFIG,
               "column 257: the template is longer than 256 bytes");
    template[TAGFILTER_TEMPLATE_LIMIT] = '\0';
    template[2] = '-';
    unit_ok(tagfilter_set_extract(&filter, template, &err), &err);
    tagfilter_clear(&filter);
}
END_TEST

/* The longest list that is read, each tag as costly as may be: it ends, with a candidate. */
START_TEST(long_list_of_costly_tags) {
    struct error err = {0};
    struct tagfilter filter;
    struct string_list tags = {0};
    struct policy_choices choices;
    char tag[64];
    make(&filter, "^(?:a|aa)+$|^\\d+\\.\\d+$", NULL); /* some 3,000 steps on 13 letters and a dot */
    for (unsigned i = 0; i < 20000; i++) {
        snprintf(tag, sizeof tag, "aaaaaaaaaaaaa.%u", i);
        unit_ok(string_list_add(&tags, tag, &err), &err);
    }
    unit_ok(string_list_add(&tags, "1.1", &err), &err);
    struct policy policy = {.kind = POLICY_MAJOR, .tags = &filter};
    unit_ok(policy_choose(&policy, "1.0", &tags, &choices, &err), &err);
    ck_assert_str_eq(choices.items[0].tag, "1.1");
    ck_assert_uint_eq(choices.taken, 2);
    policy_choices_clear(&choices);
    string_list_clear(&tags);
    tagfilter_clear(&filter);
}
END_TEST

UNIT_MAIN("tagfilter", {
    tcase_set_timeout(cases, 120); /* seconds; for sanitizers on a busy machine */
    tcase_add_loop_test(cases, text_row, 0, sizeof texts / sizeof *texts);
    tcase_add_loop_test(cases, malformed_row, 0, sizeof malformed / sizeof *malformed);
    tcase_add_loop_test(cases, row_patch, 0, sizeof rows / sizeof *rows);
    tcase_add_loop_test(cases, row_minor, 0, sizeof rows / sizeof *rows);
    tcase_add_loop_test(cases, row_major, 0, sizeof rows / sizeof *rows);
    tcase_add_loop_test(cases, row_digest, 0, sizeof rows / sizeof *rows);
    tcase_add_loop_test(cases, tie_row, 0, sizeof ties / sizeof *ties);
    tcase_add_test(cases, expensive_tag);
    tcase_add_test(cases, followed_tag);
    tcase_add_test(cases, long_text);
    tcase_add_test(cases, size_of_the_template);
    tcase_add_test(cases, long_list_of_costly_tags);
})
