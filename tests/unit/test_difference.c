#include "runners/difference.h"

#include "tests/unit/unit.h"

static const struct {
    const char *line, *expected;
} rows[] = {
    {"", ""},
    {"nothing to see in 42 files", "nothing to see in 42 files"},
    /* digests, ids */
    {"pulled sha256:0123456789abcdef now", "pulled <digest> now"},
    {"sha256:abc", "sha256:abc"},
    {"host 0123456789ab up", "host <id> up"},
    {"feedfacecafe", "feedfacecafe"},             /* a word */
    {"commit 0123456789a", "commit 0123456789a"}, /* eleven */
    {"id=1b4e28ba-2fa1-11d2-883f-0016d3cca427;", "id=<id>;"},
    {"at 0x7ffe12ab in f", "at <address> in f"},
    {"0xyz", "0xyz"},
    /* times */
    {"2026-11-24T10:53:12.123Z start", "<time> start"},
    {"2026-11-24 10:53:12,123 start", "<time> start"},
    {"2026/11/24 10:53:12 start", "<time> start"},
    {"built 2026-11-24", "built <time>"},
    {"10:53:12+01:00", "<time>"},
    {"at 9:05:01", "at <time>"},
    {"1:M 24 Nov 2026 10:53:12.345 * Ready", "1:M <time> * Ready"},
    {"[24/Nov/2026:10:53:12 +0000] GET", "[<time> +0000] GET"},
    {"Nov  4 10:53:12 host", "<time> host"},
    {"Tue Nov 24 10:53:12 UTC 2026", "<time>"},
    {"March of the 12:34", "March of the 12:34"},
    {"version 7.2-11-24", "version 7.2-11-24"},
    /* durations */
    {"Ran 3 tests in 0.312s", "Ran 3 tests in <duration>"},
    {"took 12 ms, 3 seconds", "took <duration>, <duration>"},
    {"1m2.5s", "<duration>"},
    {"took 12 \xc2\xb5s", "took <duration>"},
    {"5 m of rope, 3 halves", "5 m of rope, 3 halves"},
    {"2 steps, 4 means", "2 steps, 4 means"},
    {"x12s", "x12s"},
    /* addresses, ports, processes */
    {"listen on 172.17.0.2:8080", "listen on <host>"},
    {"7.2.5 is no address", "7.2.5 is no address"},
    {"http://localhost:54321/", "http://localhost:<port>/"},
    {"main.c:123: warning", "main.c:123: warning"},
    {"port 54321, pid=17", "<number>, <number>"},
    {"portable 3", "portable 3"},
    {"postgres[42]: up", "postgres[<number>]: up"},
    {"[12/20]", "[12/20]"},
    {"\xff\xfe 12s", "\xff\xfe <duration>"},
};

START_TEST(leaves_out_what_differs_anyway) {
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        _cleanup_(text_clear) struct text out = {0};
        difference_normalise(rows[i].line, strlen(rows[i].line), &out);
        ck_assert_msg(strcmp(text_string(&out), rows[i].expected) == 0, "%s: \"%s\", not \"%s\"",
                      rows[i].line, text_string(&out), rows[i].expected);
    }
}
END_TEST

/* No match may read behind the end: each beginning of each row, in memory of its own for the sanitizers. */
START_TEST(stays_within_the_line) {
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        for (size_t length = 0; length <= strlen(rows[i].line); length++) {
            _cleanup_(free_pointer) char *line = malloc(length > 0 ? length : 1);
            _cleanup_(text_clear) struct text out = {0};
            memcpy(line, rows[i].line, length);
            difference_normalise(line, length, &out);
            ck_assert(length == 0 || out.length > 0);
        }
}
END_TEST

static char *find(const char *now, const char *before) {
    struct error err = {0};
    char *words;
    /* an empty buffer cannot be opened */
    FILE *a = fmemopen((void *)(*now != '\0' ? now : "x"), *now != '\0' ? strlen(now) : 1, "r");
    FILE *b = fmemopen((void *)(*before != '\0' ? before : "x"),
                       *before != '\0' ? strlen(before) : 1, "r");
    if (*now == '\0')
        getc(a);
    if (*before == '\0')
        getc(b);
    unit_ok(difference_find(a, b, &words, &err), &err);
    fclose(a);
    fclose(b);
    return words;
}

START_TEST(finds_the_first_line) {
    static const struct {
        const char *now, *before, *expected;
    } cases[] = {
        {"", "", NULL},
        {"a\nb\n", "a\nb\n", NULL},
        {"a\nb", "a\nb\n", NULL},
        {"a\nb\nc\n", "a\nx\ny\n", "line 2: \"b\", and \"x\" on the current digest"},
        {"took 3 ms\nb\n", "took 17 ms\nb\n", NULL},
        {"took 3 ms\nb\n", "took 17 ms\nc\n", "line 2: \"b\", and \"c\" on the current digest"},
        {"a\nb\n", "a\n", "line 2: \"b\", and nothing more on the current digest"},
        {"", "a\n", "line 1: nothing more, and \"a\" on the current digest"},
        {"a\n\nb\n", "a\nb\n", "line 2: \"\", and \"b\" on the current digest"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        _cleanup_(free_pointer) char *words = find(cases[i].now, cases[i].before);
        ck_assert_msg((words == NULL) == (cases[i].expected == NULL) &&
                          (words == NULL || strcmp(words, cases[i].expected) == 0),
                      "row %zu: %s", i, words != NULL ? words : "(nothing)");
    }
}
END_TEST

/* Long lines are compared at their beginning, and shown cut between two characters. */
START_TEST(bounds_long_lines) {
    static char now[3 * DIFFERENCE_LINE_BYTES];
    static char before[3 * DIFFERENCE_LINE_BYTES];
    memset(now, 'a', sizeof now - 1);
    memset(before, 'a', sizeof before - 1);
    now[DIFFERENCE_LINE_BYTES] = 'b'; /* behind what is compared */
    char *words = find(now, before);
    ck_assert_ptr_null(words);
    memcpy(now + DIFFERENCE_SHOWN_BYTES - 1, "\xc3\xa4", 2);
    words = find(now, before);
    ck_assert_ptr_nonnull(words);
    ck_assert_ptr_nonnull(strstr(words, "aaa…\", and \"aaa"));
    ck_assert_ptr_null(strstr(words, "\xc3\xe2"));
    free(words);
}
END_TEST

UNIT_MAIN("difference", {
    tcase_add_test(cases, leaves_out_what_differs_anyway);
    tcase_add_test(cases, stays_within_the_line);
    tcase_add_test(cases, finds_the_first_line);
    tcase_add_test(cases, bounds_long_lines);
})
