#include "gate/policy/version.h"

#include "tests/unit/unit.h"

#define HEX40 "e3b0c44298fc1c149afbf4c8996fb92427ae41e4"
#define HEX64 HEX40 "649b934ca495991b7852b855"

/* A version as one text: its kind, "numbers", "~rank[.numbers]" of a pre-release, "|suffix". */
static void describe(const struct version *version, char *out, size_t size) {
    static const char *const kinds[] = {[VERSION_NUMBER] = "number",
                                        [VERSION_YEAR] = "year",
                                        [VERSION_DASHED_DATE] = "dashed",
                                        [VERSION_DATE] = "date",
                                        [VERSION_LONG_NUMBER] = "long"};
    size_t at = (size_t)snprintf(out, size, "%s", kinds[version->kind]);
    for (size_t i = 0; i < version->count; i++)
        at +=
            (size_t)snprintf(out + at, size - at, "%c%.*s", i == 0 ? ' ' : '.',
                             version->numbers[i].length, version->tag + version->numbers[i].offset);
    if (version_is_prerelease(version))
        at += (size_t)snprintf(out + at, size - at, "~%d", version->prerelease_rank);
    for (size_t i = 0; i < version->prerelease_count; i++)
        at += (size_t)snprintf(out + at, size - at, ".%.*s", version->prerelease_numbers[i].length,
                               version->tag + version->prerelease_numbers[i].offset);
    snprintf(out + at, size - at, "|%s", version_suffix(version));
}

static const struct {
    const char *tag;
    const char *expected; /* NULL: no version */
} parsed[] = {
    {"7", "number 7|"},
    {"7.2", "number 7.2|"},
    {"7.2.4", "number 7.2.4|"},
    {"1.2.3.4", "number 1.2.3.4|"},
    {"1.2.3.4.5.6.7.8", "number 1.2.3.4.5.6.7.8|"},
    {"1.2.3.4.5.6.7.8.9", NULL},
    {"0", "number 0|"},
    {"0.0.1", "number 0.0.1|"},
    {"v1.2.3", "number 1.2.3|"},
    {"V1", "number 1|"},
    {"vv1", NULL},
    {"v", NULL},
    {"v.1", NULL},
    {"version1", NULL},
    {"r1.2", NULL},
    {"1.02.003", "number 1.02.003|"},
    {"1.", "number 1|."},
    {"1..2", "number 1|..2"},
    {"1.x", "number 1|.x"},
    {"1.2.x-alpine", "number 1.2|.x-alpine"},
    /* suffixes */
    {"7.2.4-alpine", "number 7.2.4|-alpine"},
    {"7.2.4-alpine3.19", "number 7.2.4|-alpine3.19"},
    {"7-bookworm-slim", "number 7|-bookworm-slim"},
    {"8u302-jdk", "number 8|u302-jdk"},
    {"1.1.1w", "number 1.1.1|w"},
    {"1.0.2a", "number 1.0.2|a"},
    {"1.2.3-1", "number 1.2.3|-1"},
    {"1.2.3-r5", "number 1.2.3|-r5"},
    {"1.2.3_4", "number 1.2.3|_4"},
    {"1.2.3-debian-12-r5", "number 1.2.3|-debian-12-r5"},
    {"4.1.100.Final", "number 4.1.100|.Final"},
    {"5.0.0.RELEASE", "number 5.0.0|.RELEASE"},
    {"3.12.1-dev", "number 3.12.1|-dev"},
    {"3.12-nightly", "number 3.12|-nightly"},
    {"1.2.3-5-gabcdef0", "number 1.2.3|-5-gabcdef0"},
    {"1.2.3-abcdef0", "number 1.2.3|-abcdef0"},
    {"7.2-alpine-rc1", "number 7.2|-alpine-rc1"},
    {"1e10", "number 1|e10"},
    /* pre-releases */
    {"3.13rc1", "number 3.13~6.1|"},
    {"3.13.0rc1-slim", "number 3.13.0~6.1|-slim"},
    {"3.13-rc", "number 3.13~6|"},
    {"3.13-rc-slim", "number 3.13~6|-slim"},
    {"3.13.0a2", "number 3.13.0~2.2|"},
    {"3.13.0b3-alpine", "number 3.13.0~3.3|-alpine"},
    {"1.2.3-rc.1", "number 1.2.3~6.1|"},
    {"1.2.3-rc.1.2", "number 1.2.3~6.1.2|"},
    {"1.2.3-rc.1.2.3.4", "number 1.2.3~6.1.2.3.4|"},
    {"1.2.3-rc.1.2.3.4.5", "number 1.2.3|-rc.1.2.3.4.5"},
    {"1.2.3-RC1", "number 1.2.3~6.1|"},
    {"1.2.3-CR2", "number 1.2.3~6.2|"},
    {"1.2.3-M1", "number 1.2.3~4.1|"},
    {"1.2.3-m", "number 1.2.3|-m"},
    {"4.0.0.Beta1", "number 4.0.0~3.1|"},
    {"1.2.3_rc1", "number 1.2.3~6.1|"},
    {"1.2.3-beta-11", "number 1.2.3~3.11|"},
    {"1.2.3-beta11-11", "number 1.2.3~3.11|-11"},
    {"1.2.3-alpha", "number 1.2.3~2|"},
    {"1.2.3-alpine", "number 1.2.3|-alpine"},
    {"1.2.3-arm64", "number 1.2.3|-arm64"},
    {"1.2.3-beta1x", "number 1.2.3|-beta1x"},
    {"1.2.3-rcfoo", "number 1.2.3|-rcfoo"},
    {"22-ea-3-jdk", "number 22~5.3|-jdk"},
    {"22-ea-jdk", "number 22~5|-jdk"},
    {"9.0-preview", "number 9.0~5|"},
    {"9.0.100-preview.1.24101.2", "number 9.0.100~5.1.24101.2|"},
    {"1.2.3-nightly.20240101", "number 1.2.3~1.20240101|"},
    {"1.2.3-dev20240101", "number 1.2.3~1.20240101|"},
    {"1.2.3-SNAPSHOT", "number 1.2.3|-SNAPSHOT"},
    {"2024.1-eap", "year 2024.1|-eap"},
    /* dates and long numbers */
    {"2024", "year 2024|"},
    {"2022-latest", "year 2022|-latest"},
    {"2024.01.15", "year 2024.01.15|"},
    {"2024.1-alpine", "year 2024.1|-alpine"},
    {"v2024.1.3", "year 2024.1.3|"},
    {"1999.1", "number 1999.1|"},
    {"2100.1", "number 2100.1|"},
    {"24.04", "number 24.04|"},
    {"2024-01-15", "dashed 2024.01.15|"},
    {"2024-01", "dashed 2024.01|"},
    {"2024-01-15-slim", "dashed 2024.01.15|-slim"},
    {"2024-01-slim", "dashed 2024.01|-slim"},
    {"2024-13-01", "year 2024|-13-01"},
    {"2024-00-01", "year 2024|-00-01"},
    {"2024-01-32", "dashed 2024.01|-32"},
    {"2024-1-5", "year 2024|-1-5"},
    {"2024-01-15-16", "dashed 2024.01.15|-16"},
    {"2024.1-05", "year 2024.1|-05"},
    {"2024-01-15T16-07-38Z", "dashed 2024.01.15|T16-07-38Z"},
    {"2019-CU18-ubuntu-20.04", "year 2019|-CU18-ubuntu-20.04"},
    {"20240101", "date 20240101|"},
    {"20240101-slim", "date 20240101|-slim"},
    {"20240101.1", "date 20240101.1|"},
    {"202401", "date 202401|"},
    {"202413", "number 202413|"},
    {"20241301", "long 20241301|"},
    {"20240132", "long 20240132|"},
    {"202401011230", "date 202401011230|"},
    {"20240101123059", "date 20240101123059|"},
    {"20240101243059", "long 20240101243059|"},
    {"1700000000", "long 1700000000|"},
    {"1234567", "long 1234567|"},
    {"123456", "number 123456|"},
    {"99999999999999999999999999999999999999999999",
     "long 99999999999999999999999999999999999999999999|"},
    /* no versions */
    {"latest", NULL},
    {"", NULL},
    {"-1", NULL},
    {".1", NULL},
    {"_1", NULL},
    {"bookworm-20240110-slim", NULL},
    {"RELEASE.2024-01-16T16-07-38Z", NULL},
    {"sha-abc1234", NULL},
    {"sha256-" HEX64, NULL},
    {"sha256-" HEX64 ".sig", NULL},
    {"abcdef0", NULL},
    {"1234567a", NULL},
    {"1b34567", NULL},
    {"0000000e", NULL},
    {HEX40, NULL},
    {"1234567a-alpine", "long 1234567|a-alpine"},
    {"123456a-slim", "number 123456|a-slim"},
    {"12345a", "number 12345|a"}, /* six digits: too short for a commit */
    {"main", NULL},
    {"stable-1.2", NULL},
};

START_TEST(parses) {
    size_t row = (size_t)_i;
    struct version version;
    char text[600];
    bool is_version = version_parse(parsed[row].tag, &version);
    if (is_version)
        describe(&version, text, sizeof text);
    ck_assert_msg(is_version == (parsed[row].expected != NULL), "row %zu: \"%s\" is %s", row,
                  parsed[row].tag, is_version ? text : "no version");
    if (is_version)
        ck_assert_msg(strcmp(text, parsed[row].expected) == 0, "row %zu: \"%s\" is %s, not %s", row,
                      parsed[row].tag, text, parsed[row].expected);
}
END_TEST

/* Each line rises from left to right; "=" joins what is equal. */
static const char *const risings[] = {
    "0 1 2 9 10 11 99 100 999999",
    "1.2 1.10 2.0 10.0",
    "7.2.4 7.2.5 7.2.10 7.10.0 8.0.0",
    "1.9007199254740992 1.9007199254740993 1.9007199254740994",
    "1.99999999999999999999 1.100000000000000000000 1.100000000000000000001",
    "0.18446744073709551615 0.18446744073709551616 0.36893488147419103232",
    "1.2 = v1.2 = V1.2 = 1.02 = v01.2 = 1.000002",
    "1.0 = 1.00 = 1.000",
    "8.0-dev1 8.0a1 8.0b1 8.0-M1 8.0-pre1 8.0rc1 8.0",
    "8.0-alpha 8.0-alpha1 8.0-alpha2 8.0-alpha10 8.0-beta 8.0-rc 8.0-rc1 8.0-rc1.1 8.0-rc1.2 8.0 "
    "8.1-alpha",
    "8.0rc1 = 8.0-rc1 = 8.0-rc.1 = 8.0-RC1 = 8.0.rc1 = 8.0_rc01 = v8.0-cr1",
    "8.0a1 = 8.0-alpha1 = 8.0-alpha.1",
    "2024.01.15 2024.02.01 2024.10.01 2025.01.01",
    "2024-01-15 2024-02-01 2025-01-01",
    "20240101 20240102 20250101",
    "1700000000 1700000001 1800000000",
};

START_TEST(compares) {
    char *line = strdup(risings[_i]);
    const char *tags[32];
    int places[32];
    size_t count = 0;
    int place = 0;
    char *saved = NULL;
    for (char *word = strtok_r(line, " ", &saved); word; word = strtok_r(NULL, " ", &saved)) {
        if (strcmp(word, "=") == 0) {
            place--;
            continue;
        }
        tags[count] = word;
        places[count++] = place++;
    }
    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; j < count; j++) {
            struct version a, b;
            ck_assert_msg(version_parse(tags[i], &a) && version_parse(tags[j], &b), "%s, %s",
                          tags[i], tags[j]);
            int order = version_compare(&a, &b);
            int expected = (places[i] > places[j]) - (places[i] < places[j]);
            ck_assert_msg((order > 0) - (order < 0) == expected, "%s against %s: %d", tags[i],
                          tags[j], order);
            ck_assert_msg(version_same_kind(&a, &b), "%s against %s: kinds", tags[i], tags[j]);
        }
    free(line);
}
END_TEST

START_TEST(kinds_differ) {
    static const char *const tags[] = {"7",       "2024",         "2024-01-15",     "20240101",
                                       "202401",  "202401011230", "20240101123059", "1700000000",
                                       "1234567", "12345678901"};
    size_t count = sizeof tags / sizeof *tags;
    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; j < count; j++) {
            struct version a, b;
            ck_assert(version_parse(tags[i], &a) && version_parse(tags[j], &b));
            ck_assert_msg(version_same_kind(&a, &b) == (i == j), "%s, %s", tags[i], tags[j]);
        }
}
END_TEST

START_TEST(spellings) {
    static const struct {
        const char *model, *near, *far;
    } rows[] = {
        {"1.2", "1.3", "v1.3"},     {"v1.2", "v1.3", "1.3"}, {"v1.2", "v1.3", "V1.3"},
        {"1.02", "1.03", "1.3"},    {"1.2", "1.3", "1.03"},  {"v1.02", "v1.3", "1.03"},
        {"v1.02", "V1.03", "v1.3"}, {"v1.2", "V1.3", "1.3"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct version model, near, far;
        ck_assert(version_parse(rows[i].model, &model) && version_parse(rows[i].near, &near) &&
                  version_parse(rows[i].far, &far));
        ck_assert_msg(version_spelling_distance(&near, &model) <
                          version_spelling_distance(&far, &model),
                      "row %zu", i);
    }
}
END_TEST

START_TEST(commits_and_sidecars) {
    static const struct {
        const char *tag;
        bool commit, sidecar;
    } rows[] = {
        {"abcdef0", true, false},
        {"abcdef", false, false},
        {"1234567", false, false},
        {"123456a", true, false},
        {HEX40, true, false},
        {HEX40 "0", false, false},
        {"ABCDEF0", false, false},
        {"abcdef0-slim", false, false},
        {"", false, false},
        {"sha256-" HEX64, false, true},
        {"sha256-" HEX64 ".sig", false, true},
        {"sha256-" HEX64 ".att", false, true},
        {"sha256-" HEX64 ".", false, true},
        {"sha256-" HEX64 "0", false, false},
        {"sha256-" HEX64 "-x", false, false},
        {"sha256-" HEX40, false, false},
        {"sha256-", false, false},
        {"sha512-" HEX64, false, false},
        {HEX64, false, false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        ck_assert_msg(version_tag_is_commit(rows[i].tag) == rows[i].commit &&
                          version_tag_is_sidecar(rows[i].tag) == rows[i].sidecar,
                      "row %zu: %s", i, rows[i].tag);
}
END_TEST

START_TEST(too_long_is_none) {
    char tag[300];
    memset(tag, '1', sizeof tag);
    struct version version;
    tag[128] = '\0';
    ck_assert(version_parse(tag, &version));
    tag[128] = '1';
    tag[129] = '\0';
    ck_assert(!version_parse(tag, &version));
    tag[129] = '1';
    tag[299] = '\0';
    ck_assert(!version_parse(tag, &version));
}
END_TEST

UNIT_MAIN("version", {
    tcase_add_loop_test(cases, parses, 0, sizeof parsed / sizeof *parsed);
    tcase_add_loop_test(cases, compares, 0, sizeof risings / sizeof *risings);
    tcase_add_test(cases, kinds_differ);
    tcase_add_test(cases, spellings);
    tcase_add_test(cases, commits_and_sidecars);
    tcase_add_test(cases, too_long_is_none);
})
