#include "gate/base/regex.h"

#include "gate/base/text.h"
#include "tests/unit/unit.h"

/* A pattern, a text, and "no", or the groups with "|" between them, "-" for one that took no part. */
static const struct {
    const char *pattern, *text, *expected;
} rows[] = {
    {"", "", ""},
    {"", "abc", ""},
    {"b", "abc", "b"},
    {"d", "abc", "no"},
    {"^abc$", "abc", "abc"},
    {"^abc$", "abc\n", "no"}, /* the end alone */
    {"(?m)^b$", "a\nb\nc", "b"},
    {"a.c", "a\nc", "no"},
    {"(a)|(b)", "b", "b|-|b"},
    {"(a)|(b)", "a", "a|a|-"}, /* groups behind the last that is set */
    {"(a*)", "b", "|"},
    {"(?<v>\\d+)\\.(\\d+)", "v7.24", "7.24|7|24"},
    {"(?i)ABC", "abc", "abc"},
    {"ABC", "abc", "no"},
    {"(?<=v)\\d", "v7", "7"},
    {"(?=(a+))a\\1", "aaab", "no"},
    {"(a+)\\1", "aaaab", "aaaa|aa"},
    {"a\\Kb", "ab", "b"},
    {"^(\\((?:[^()]|(?1))*\\))$", "(a(b)(c(d)))", "(a(b)(c(d)))|(a(b)(c(d)))"},
    /* bytes, not characters */
    {"^.$", "\xc3\xa9", "no"},
    {"^..$", "\xc3\xa9", "\xc3\xa9"},
    {"\xc3\xa9", "caf\xc3\xa9", "\xc3\xa9"},
    {"^\\xff.$", "\xff\xfe", "\xff\xfe"},
    {"^\\w$", "\xe9", "no"},
    {"(?i)\xc3\x89", "\xc3\xa9", "no"},
    {"^\xff$", "\xff", "\xff"}, /* a pattern that is no UTF-8 */
    {"(?C1)a(?C\"x\")b", "ab", "ab"},
    {"(*LIMIT_MATCH=1000000000)^a$", "a", "a"},
    {"(*NO_JIT)a", "a", "a"},
};

static char *groups_of(const struct regex *regex, const char *text,
                       const struct regex_match *match) {
    struct error err = {0};
    struct text words = {0};
    for (size_t i = 0; match->found && i < regex_group_count(regex); i++) {
        struct regex_span span = match->groups[i];
        ck_assert_uint_le(span.offset + span.length, strlen(text));
        text_add(&words, i > 0 ? "|" : "");
        if (span.set)
            text_append(&words, text + span.offset, span.length);
        else
            text_add_char(&words, '-');
    }
    return match->found ? text_steal(&words, &err) : string_dup("no", &err);
}

START_TEST(row) {
    struct error err = {0};
    struct regex *regex = NULL;
    struct regex_match match;
    unit_ok(regex_compile(rows[_i].pattern, &regex, &err), &err);
    ck_assert_str_eq(regex_pattern(regex), rows[_i].pattern);
    unit_ok(regex_match(regex, rows[_i].text, strlen(rows[_i].text), &match, &err), &err);
    char *got = groups_of(regex, rows[_i].text, &match);
    ck_assert_msg(strcmp(got, rows[_i].expected) == 0, "row %d, %s: %s, expected %s", _i,
                  rows[_i].pattern, got, rows[_i].expected);
    free(got);
    regex_freep(&regex);
    ck_assert_ptr_null(regex);
    regex_freep(&regex);
}
END_TEST

static const struct {
    const char *pattern, *words;
} malformed[] = {
    {"(", "column 2: missing closing parenthesis"},
    {"a)", "column 2: "},
    {"[z-a]", "column 4: range out of order"},
    {"[a", "column 3: missing terminating ]"},
    {"a**", "column 3: "},
    {"\\", "column 2: "},
    {"(?<1>a)", "column 4: "},
    {"(?<v>a)(?<v>b)", "column "},
    {"\\k<none>", "column "},
    {"\\2(a)", "column "},
    {"(?<=a*)b", "column "},
    {"(?9)", "column "},
    {"((a{1,1000}){1,1000}){1,100}", "column "},
    {"(*UTF)a", "column "},
    {"(*UTF8)a", "column "},
    {"(*UCP)a", "column "},
    {"(*NONSENSE)a", "column "},
    {"(?x", "column "},
    {"[[:none:]]", "column "},
};

START_TEST(malformed_row) {
    struct error err = {0};
    struct regex *regex = NULL;
    unit_fails(regex_compile(malformed[_i].pattern, &regex, &err), &err, ERROR_CONFIG,
               malformed[_i].words);
    ck_assert_ptr_null(regex);
}
END_TEST

static char *repeated(const char *before, const char *part, size_t count, const char *behind) {
    struct error err = {0};
    struct text text = {0};
    text_add(&text, before);
    for (size_t i = 0; i < count; i++)
        text_add(&text, part);
    text_add(&text, behind);
    return text_steal(&text, &err);
}

START_TEST(sizes_of_patterns) {
    static const size_t lengths[] = {REGEX_PATTERN_LIMIT, REGEX_PATTERN_LIMIT + 1, 64u << 10};
    for (size_t i = 0; i < 3; i++) {
        struct error err = {0};
        struct regex *regex = NULL;
        char *pattern = repeated("", "a", lengths[i], "");
        if (i == 0)
            unit_ok(regex_compile(pattern, &regex, &err), &err);
        else
            unit_fails(regex_compile(pattern, &regex, &err), &err, ERROR_CONFIG,
                       "column 1025: the pattern is longer than 1024 bytes");
        regex_freep(&regex);
        free(pattern);
    }
}
END_TEST

START_TEST(nesting) {
    for (size_t depth = REGEX_NESTING_LIMIT; depth <= 500; depth += 450) {
        struct error err = {0};
        struct regex *regex = NULL;
        char *opened = repeated("", "(", depth, "a");
        char *pattern = repeated(opened, ")", depth, "");
        if (depth == REGEX_NESTING_LIMIT)
            unit_ok(regex_compile(pattern, &regex, &err), &err);
        else
            unit_fails(regex_compile(pattern, &regex, &err), &err, ERROR_CONFIG, "column 52: ");
        regex_freep(&regex);
        free(opened);
        free(pattern);
    }
}
END_TEST

/* Patterns that take more than a match may on a tag of 128 bytes, or never come to an end. */
static const char *const expensive[] = {
    "(a+)+$",
    "^(a+)+$",
    "^(a|aa)+$",
    "^(a|a)*$",
    "^(.*)*$b|^(a*)*!!",
    "(a?){100}a{100}$",
    "(?=(.*a)+$)",
    "^(?<r>a|a(?&r)|(?&r)a)+$",
    "((?1)a|a)*",
    "(?R)?a",
    "^(?:a?){60}a{128}$",
};

START_TEST(expensive_row) {
    struct error err = {0};
    struct regex *regex = NULL;
    struct regex_match match;
    char *text = repeated("", "a", 127, "!");
    char *words = string_format(
        &err, "the pattern \"%s\" cannot be matched with \"%s\": ", expensive[_i], text);
    unit_ok(regex_compile(expensive[_i], &regex, &err), &err);
    unit_fails(regex_match(regex, text, strlen(text), &match, &err), &err, ERROR_LIMIT, words);
    ck_assert(!match.found);
    regex_freep(&regex);
    free(words);
    free(text);
}
END_TEST

/* Many groups make large frames: memory ends before the steps do. */
START_TEST(memory_is_bounded) {
    struct error err = {0};
    struct regex *regex = NULL;
    struct regex_match match;
    char *groups = repeated("^(?:(a|b)*", "()", 450, ")*$");
    char *text = repeated("", "ab", REGEX_SUBJECT_LIMIT / 2 - 1, "!");
    unit_ok(regex_compile(groups, &regex, &err), &err);
    ck_assert_uint_eq(regex_group_count(regex), REGEX_GROUP_LIMIT);
    unit_fails(regex_match(regex, text, strlen(text), &match, &err), &err, ERROR_LIMIT,
               "cannot be matched");
    /* and it can be used on */
    unit_ok(regex_match(regex, "", 0, &match, &err), &err);
    ck_assert(match.found && match.groups[0].set && !match.groups[1].set);
    regex_freep(&regex);
    free(groups);
    free(text);
}
END_TEST

START_TEST(sizes_of_texts) {
    struct error err = {0};
    struct regex *regex = NULL;
    struct regex_match match;
    char *text = repeated("", "a", REGEX_SUBJECT_LIMIT + 1, "");
    unit_ok(regex_compile("^a+$", &regex, &err), &err);
    unit_ok(regex_match(regex, text, REGEX_SUBJECT_LIMIT, &match, &err), &err);
    ck_assert(match.found);
    ck_assert_uint_eq(match.groups[0].length, REGEX_SUBJECT_LIMIT);
    unit_fails(regex_match(regex, text, REGEX_SUBJECT_LIMIT + 1, &match, &err), &err, ERROR_LIMIT,
               "4097 bytes");
    ck_assert(!match.found);
    /* what is behind its length is not looked at, a NUL in it is */
    unit_ok(regex_match(regex, "aab", 2, &match, &err), &err);
    ck_assert(match.found);
    unit_ok(regex_match(regex, "a\0a", 3, &match, &err), &err);
    ck_assert(!match.found);
    regex_freep(&regex);
    free(text);
}
END_TEST

START_TEST(names) {
    struct error err = {0};
    struct regex *regex = NULL;
    size_t number = 99;
    unit_ok(regex_compile("(x)(?<v>a)(?P<build>b)(?'c1'c)(?J)(?<two>d)(?<two>e)", &regex, &err),
            &err);
    ck_assert_uint_eq(regex_group_count(regex), 7);
    char *words = regex_group_names(regex, &err);
    ck_assert_str_eq(words, "build, c1, two, two, v");
    ck_assert(regex_group_find(regex, "v", &number) && number == 2);
    ck_assert(regex_group_find(regex, "build", &number) && number == 3);
    ck_assert(regex_group_find(regex, "c1", &number) && number == 4);
    number = 99;
    ck_assert(!regex_group_find(regex, "two", &number));
    ck_assert(!regex_group_find(regex, "none", &number));
    ck_assert(!regex_group_find(regex, "", &number));
    ck_assert_uint_eq(number, 99);
    free(words);
    regex_freep(&regex);
}
END_TEST

UNIT_MAIN("regex", {
    tcase_set_timeout(cases, 60); /* seconds; for sanitizers on a busy machine */
    tcase_add_loop_test(cases, row, 0, sizeof rows / sizeof *rows);
    tcase_add_loop_test(cases, malformed_row, 0, sizeof malformed / sizeof *malformed);
    tcase_add_test(cases, sizes_of_patterns);
    tcase_add_test(cases, nesting);
    tcase_add_loop_test(cases, expensive_row, 0, sizeof expensive / sizeof *expensive);
    tcase_add_test(cases, memory_is_bounded);
    tcase_add_test(cases, sizes_of_texts);
    tcase_add_test(cases, names);
})
