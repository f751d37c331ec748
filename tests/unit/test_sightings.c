#include "gate/policy/sightings.h"

#include "tests/unit/unit.h"

#define DAY_MS (24LL * 3600 * 1000)
#define NOW_MS 1795737600000LL /* 2026-11-27T00:00:00Z */
#define HEAD   "{\"pingate\":\"sightings\",\"version\":1}\n"
#define A      "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define B      "sha256:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
#define C      "sha256:cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc"
#define LINE(digest, image, more, tag, time)                                                       \
    "{\"digest\":\"" digest "\",\"image\":\"" image "\"," more "\"tag\":\"" tag                    \
    "\",\"time\":\"" time "\"}\n"
#define REDIS  "docker.io/library/redis"
#define LINE_A LINE(A, REDIS, "", "7.2", "2026-11-20T00:05:20Z")
#define LINE_B LINE(B, REDIS, "", "7.2", "2026-11-24T00:05:20Z")

START_TEST(files) {
    static const struct {
        const char *bytes;
        size_t count;
        const char *damage; /* part of it; NULL: whole */
    } rows[] = {
        {HEAD, 0, NULL},
        {HEAD LINE_A, 1, NULL},
        {HEAD LINE_A LINE_B, 2, NULL},
        {HEAD LINE_B LINE_A LINE_A LINE_B, 2, NULL},
        {HEAD LINE(A, REDIS, "\"pinned\":true,", "7.2", "2026-11-20T00:05:20Z"), 1, NULL},
        {HEAD LINE(A, "ghcr.io/acme/app", "\"more\":[1],", "v1", "2026-11-20T00:05:20Z"), 1, NULL},
        {HEAD "{\"tag\":\"7.2\", \"image\":\"" REDIS "\", \"time\":\"2026-11-20T00:05:20Z\", "
              "\"digest\":\"" A "\"}\n",
         1, NULL},
        {"", 0, "it is empty"},
        {"\n", 0, "line 1 is no JSON object"},
        {"garbage\n", 0, "line 1 is no JSON object"},
        {LINE_A LINE_B, 1, "line 1 does not begin as a file of sightings does"},
        {HEAD LINE_A "{\"digest\":\"sha256:aa", 1, "line 3 ends in its middle"},
        {HEAD LINE_A "\n" LINE_B, 2, "line 3 is no JSON object"},
        {HEAD LINE_A "[]\n" LINE_B "{}\n", 2, "line 3 is no JSON object, and 1 more"},
        {HEAD "{\"digest\":\"" A "\"}\n", 0, "line 2 lacks image, tag, digest or time"},
        {HEAD LINE("sha256:aa", REDIS, "", "7.2", "2026-11-20T00:05:20Z"), 0, "\"digest\" is none"},
        {HEAD LINE(A, "redis", "", "7.2", "2026-11-20T00:05:20Z"), 0, "no name of an image"},
        {HEAD LINE(A, REDIS, "", "7 2", "2026-11-20T00:05:20Z"), 0, "no name of an image"},
        {HEAD LINE(A, REDIS, "", "", "2026-11-20T00:05:20Z"), 0, "no name of an image"},
        {HEAD LINE(A, REDIS, "", "7.2", "2026-11-20 00:05:20"), 0, "\"time\" is no time"},
        {HEAD LINE(A, REDIS, "", "7.2", "2026-02-30T00:05:20Z"), 0, "\"time\" is no time"},
        {HEAD LINE(A, REDIS, "", "7.2", "1969-12-31T23:59:59Z"), 0, "\"time\" is no time"},
        {HEAD LINE(A, REDIS, "", "7.2", "2026-11-20T00:05:20Z "), 0, "\"time\" is no time"},
        {HEAD LINE(A, REDIS, "\"pinned\":1,", "7.2", "2026-11-20T00:05:20Z"), 0, "\"pinned\""},
        {HEAD LINE(A, REDIS, "\"tag\":\"7.1\",", "7.2", "2026-11-20T00:05:20Z"), 0, "no JSON"},
        {HEAD "{\"digest\":1,\"image\":2,\"tag\":3,\"time\":4}\n", 0, "lacks"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct error err = {0};
        struct sighting_list list = {0};
        char *damage = NULL;
        unit_ok(sightings_parse(rows[i].bytes, strlen(rows[i].bytes), &list, &damage, &err), &err);
        sightings_sort(&list);
        ck_assert_msg(list.count == rows[i].count, "row %zu: %zu lines", i, list.count);
        ck_assert_msg((damage == NULL) == (rows[i].damage == NULL) &&
                          (damage == NULL || strstr(damage, rows[i].damage) != NULL),
                      "row %zu: %s", i, damage);
        free(damage);
        sightings_clear(&list);
    }
}
END_TEST

START_TEST(newer_version_is_left_alone) {
    struct error err = {0};
    struct sighting_list list = {0};
    char *damage = NULL;
    const char *bytes = "{\"pingate\":\"sightings\",\"version\":2}\n{\"new\":\"form\"}\n";
    unit_fails(sightings_parse(bytes, strlen(bytes), &list, &damage, &err), &err, ERROR_INPUT,
               "version 2");
    sightings_clear(&list);
}
END_TEST

static void parse(struct sighting_list *list, const char *bytes) {
    struct error err = {0};
    char *damage = NULL;
    unit_ok(sightings_parse(bytes, strlen(bytes), list, &damage, &err), &err);
    ck_assert_ptr_null(damage);
    sightings_sort(list);
}

static void expect(const struct sighting_list *list, const char *bytes, const char *what) {
    struct error err = {0};
    struct text out = {0};
    unit_ok(sightings_format(list, &out, &err), &err);
    ck_assert_msg(strcmp(text_string(&out), bytes) == 0, "%s: \"%s\"", what, text_string(&out));
    text_clear(&out);
}

START_TEST(written_sorted_and_read_again) {
    struct sighting_list list = {0};
    parse(&list, HEAD LINE_B LINE(A, "ghcr.io/acme/app", "", "v1", "2026-11-20T00:05:20Z")
                     LINE(B, REDIS, "\"pinned\":true,", "7.2", "2026-11-24T00:05:20Z")
                         LINE(C, REDIS, "", "7", "2026-11-25T00:05:20Z") LINE_A);
    const char *sorted = HEAD LINE(C, REDIS, "", "7", "2026-11-25T00:05:20Z")
        LINE_A LINE(B, REDIS, "\"pinned\":true,", "7.2", "2026-11-24T00:05:20Z")
            LINE_B LINE(A, "ghcr.io/acme/app", "", "v1", "2026-11-20T00:05:20Z");
    expect(&list, sorted, "sorted");
    struct sighting_list again = {0};
    parse(&again, sorted);
    expect(&again, sorted, "again");
    sightings_clear(&list);
    sightings_clear(&again);
}
END_TEST

START_TEST(recorded) {
#define NOW "2026-11-27T00:00:00Z"
    static const struct {
        const char *known;
        char digest; /* that the tag 7.2 has */
        bool pinned; /* it stands in a file instead */
        const char *added;
    } rows[] = {
        {HEAD, 'a', false, LINE(A, REDIS, "", "7.2", NOW)},
        {HEAD LINE_A, 'a', false, NULL},
        {HEAD LINE_A, 'b', false, LINE(B, REDIS, "", "7.2", NOW)},
        {HEAD LINE_A LINE_B, 'b', false, NULL},
        {HEAD LINE_A LINE_B, 'a', false, LINE(A, REDIS, "", "7.2", NOW)},
        {HEAD LINE(A, REDIS, "", "7", "2026-11-20T00:05:20Z"), 'a', false,
         LINE(A, REDIS, "", "7.2", NOW)},
        /* pins: once, anywhere in the history */
        {HEAD, 'a', true, LINE(A, REDIS, "\"pinned\":true,", "7.2", NOW)},
        {HEAD LINE_A, 'a', true, NULL},
        {HEAD LINE_A LINE_B, 'a', true, NULL},
        {HEAD LINE(A, REDIS, "\"pinned\":true,", "7.2", "2026-11-20T00:05:20Z"), 'a', true, NULL},
        {HEAD LINE_A, 'b', true, LINE(B, REDIS, "\"pinned\":true,", "7.2", NOW)},
        /* a pin is no sighting */
        {HEAD LINE(A, REDIS, "\"pinned\":true,", "7.2", "2026-11-20T00:05:20Z"), 'a', false,
         LINE(A, REDIS, "", "7.2", NOW)},
        {HEAD LINE_A LINE(B, REDIS, "\"pinned\":true,", "7.2", "2026-11-24T00:05:20Z"), 'a', false,
         NULL},
        /* the clock was set back by some days: what is new gets the newest time, and nothing gets older */
        {HEAD LINE(A, REDIS, "", "7.2", "2026-12-01T00:00:00Z"), 'a', false, NULL},
        {HEAD LINE(A, REDIS, "", "7.2", "2026-12-01T00:00:00Z"), 'b', false,
         LINE(B, REDIS, "", "7.2", "2026-12-01T00:00:00Z")},
        {HEAD LINE(A, REDIS, "", "7", "2026-12-01T00:00:00Z"), 'b', false,
         LINE(B, REDIS, "", "7.2", "2026-12-01T00:00:00Z")},
        /* by more than a week: the other clock was wrong, and its line does not count */
        {HEAD LINE(A, REDIS, "", "7.2", "2027-12-01T00:00:00Z"), 'a', false,
         LINE(A, REDIS, "", "7.2", NOW)},
        {HEAD LINE_A LINE(B, REDIS, "", "7.2", "2027-12-01T00:00:00Z"), 'b', false,
         LINE(B, REDIS, "", "7.2", NOW)},
        {HEAD LINE_A LINE(B, REDIS, "", "7.2", "2027-12-01T00:00:00Z"), 'a', false, NULL},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct error err = {0};
        struct sighting_list known = {0}, seen = {0}, wanted = {0};
        char digest[72], name[32];
        char *expected = NULL;
        bool changed;
        snprintf(name, sizeof name, "row %zu", i);
        memcpy(digest, A, sizeof digest);
        memset(digest + 7, rows[i].digest, 64);
        parse(&known, rows[i].known);
        unit_ok(sightings_add(&seen, REDIS, "7.2", digest, 12345, rows[i].pinned, &err), &err);
        unit_ok(sightings_record(&known, &seen, NOW_MS + 999, &changed, &err), &err);
        ck_assert_msg(changed == (rows[i].added != NULL), "row %zu", i);
        ck_assert_int_gt(
            asprintf(&expected, "%s%s", rows[i].known, rows[i].added != NULL ? rows[i].added : ""),
            0);
        parse(&wanted, expected);
        struct text out = {0};
        unit_ok(sightings_format(&wanted, &out, &err), &err);
        expect(&known, text_string(&out), name);
        /* What was recorded is known: the same look-up a minute later adds nothing. */
        unit_ok(sightings_record(&known, &seen, NOW_MS + 60000, &changed, &err), &err);
        ck_assert_msg(!changed, "row %zu: twice", i);
        text_clear(&out);
        free(expected);
        sightings_clear(&known);
        sightings_clear(&seen);
        sightings_clear(&wanted);
    }
}
END_TEST

START_TEST(a_pin_that_the_tag_has_needs_one_line) {
    struct error err = {0};
    struct sighting_list known = {0}, seen = {0};
    bool changed;
    unit_ok(sightings_add(&seen, REDIS, "7.2", A, 0, true, &err), &err);
    unit_ok(sightings_add(&seen, REDIS, "7.2", A, 0, false, &err), &err);
    sightings_sort(&seen);
    unit_ok(sightings_record(&known, &seen, NOW_MS, &changed, &err), &err);
    expect(&known, HEAD LINE(A, REDIS, "", "7.2", NOW), "one line");
    sightings_clear(&known);
    sightings_clear(&seen);
}
END_TEST

/* Two runs that began from the same file: what both wrote says all that each saw. */
START_TEST(union_of_two) {
    struct error err = {0};
    struct sighting_list both = {0};
    char *damage = NULL;
    const char *one = HEAD LINE_A LINE_B;
    const char *other = HEAD LINE_A LINE(C, REDIS, "", "7", "2026-11-25T00:05:20Z");
    unit_ok(sightings_parse(one, strlen(one), &both, &damage, &err), &err);
    unit_ok(sightings_parse(other, strlen(other), &both, &damage, &err), &err);
    sightings_sort(&both);
    expect(&both, HEAD LINE(C, REDIS, "", "7", "2026-11-25T00:05:20Z") LINE_A LINE_B, "both");
    sightings_clear(&both);
}
END_TEST

static void add_days(struct sighting_list *list, const char *tag, int64_t from, int64_t to) {
    struct error err = {0};
    for (int64_t day = from; day <= to; day++) {
        char digest[72];
        snprintf(digest, sizeof digest, "sha256:%064lld", (long long)(day + 5000));
        unit_ok(sightings_add(list, REDIS, tag, digest, NOW_MS + day * DAY_MS, false, &err), &err);
    }
    sightings_sort(list);
}

START_TEST(compacted) {
    struct error err = {0};
    struct sighting_list known = {0}, seen = {0};
    size_t dropped, future, count;
    add_days(&known, "old", -500, -390); /* 100 beyond the time */
    add_days(&known, "vanished", -900, -800);
    add_days(&known, "resting", -900, -800);
    add_days(&known, "ahead", 5, 10); /* 5, 6 and 7 days are a clock that is a little off */
    unit_ok(sightings_add(&seen, REDIS, "resting", A, 0, false, &err), &err);
    unit_ok(sightings_compact(&known, &seen, NOW_MS, &dropped, &future, &err), &err);
    ck_assert_uint_eq(future, 3);
    sightings_of(&known, REDIS, "old", &count);
    ck_assert_uint_eq(count, 11);
    sightings_of(&known, REDIS, "vanished", &count);
    ck_assert_uint_eq(count, 0);
    const struct sighting *left = sightings_of(&known, REDIS, "resting", &count);
    ck_assert_uint_eq(count, 1);
    ck_assert_int_eq(left->time_ms, NOW_MS - 800 * DAY_MS);
    sightings_of(&known, REDIS, "ahead", &count);
    ck_assert_uint_eq(count, 3);
    ck_assert_uint_eq(dropped, 100 + 101 + 100 + 3);
    unit_ok(sightings_compact(&known, &seen, NOW_MS, &dropped, &future, &err), &err);
    ck_assert_uint_eq(dropped, 0);
    sightings_clear(&known);
    sightings_clear(&seen);
}
END_TEST

START_TEST(bounded) {
    struct error err = {0};
    struct sighting_list known = {0}, seen = {0};
    size_t dropped, future, count;
    int64_t minute = 0;
    for (size_t i = 0; i < SIGHTINGS_TAG_LIMIT + 10; i++) /* one tag that changes each minute */
        unit_ok(sightings_add(&known, REDIS, "busy", i % 2 ? A : B, NOW_MS - 60000 * minute++,
                              false, &err),
                &err);
    for (size_t i = 0; i < SIGHTINGS_LIMIT; i++) {
        char tag[32];
        snprintf(tag, sizeof tag, "t%zu", i);
        unit_ok(sightings_add(&known, REDIS, tag, A, NOW_MS - 1000 * minute++, false, &err), &err);
    }
    sightings_sort(&known);
    unit_ok(sightings_compact(&known, &seen, NOW_MS, &dropped, &future, &err), &err);
    ck_assert_uint_le(known.count, SIGHTINGS_LIMIT);
    ck_assert_uint_ge(known.count, SIGHTINGS_LIMIT - 10 - SIGHTINGS_TAG_LIMIT);
    const struct sighting *busy = sightings_of(&known, REDIS, "busy", &count);
    ck_assert_uint_le(count, SIGHTINGS_TAG_LIMIT);
    ck_assert_int_eq(busy[count - 1].time_ms, NOW_MS); /* the newest stay */
    sightings_clear(&known);
}
END_TEST

UNIT_MAIN("sightings", {
    tcase_add_test(cases, files);
    tcase_add_test(cases, newer_version_is_left_alone);
    tcase_add_test(cases, written_sorted_and_read_again);
    tcase_add_test(cases, recorded);
    tcase_add_test(cases, a_pin_that_the_tag_has_needs_one_line);
    tcase_add_test(cases, union_of_two);
    tcase_add_test(cases, compacted);
    tcase_add_test(cases, bounded);
})
