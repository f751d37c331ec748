#include "gate/base/clock.h"

#include "tests/unit/unit.h"

#define SECOND 1000LL
#define MINUTE (60 * SECOND)
#define HOUR   (60 * MINUTE)
#define DAY    (24 * HOUR)

START_TEST(durations) {
    static const struct {
        const char *text;
        int64_t ms;
    } rows[] = {
        {"0s", 0},
        {"0ms", 0},
        {"1ms", 1},
        {"500ms", 500},
        {"90s", 90 * SECOND},
        {"5m", 5 * MINUTE},
        {"24h", DAY},
        {"3d", 3 * DAY},
        {"2w", 14 * DAY},
        {"1h30m", 90 * MINUTE},
        {"1d2h3m4s5ms", DAY + 2 * HOUR + 3 * MINUTE + 4 * SECOND + 5},
        {"30m1h", 90 * MINUTE},
        {"1h1h", 2 * HOUR},
        {"007s", 7 * SECOND},
        {"00000000000000000000000000001s", SECOND},
        {"3650d", 3650 * DAY},
        {"3649d24h", 3650 * DAY},
        {"315360000000ms", 3650 * DAY},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct error err = {0};
        int64_t ms = -1;
        unit_ok(clock_parse_duration(rows[i].text, &ms, &err), &err);
        ck_assert_msg(ms == rows[i].ms, "row %zu: \"%s\" is %lld ms", i, rows[i].text,
                      (long long)ms);
    }
}
END_TEST

START_TEST(bad_durations) {
    static const char *const rows[][2] = {
        {"", "is not a duration"},
        {"5", "is not a duration"},
        {"0", "is not a duration"},
        {"s", "is not a duration"},
        {"m5", "is not a duration"},
        {"5 m", "is not a duration"},
        {" 5m", "is not a duration"},
        {"5m ", "is not a duration"},
        {"5m\n", "is not a duration"},
        {"1h 30m", "is not a duration"},
        {"1h30", "is not a duration"},
        {"-5m", "is not a duration"},
        {"+5m", "is not a duration"},
        {"1.5h", "is not a duration"},
        {"1,5h", "is not a duration"},
        {"5M", "is not a duration"},
        {"5min", "is not a duration"},
        {"5 minutes", "is not a duration"},
        {"5sec", "is not a duration"},
        {"5y", "is not a duration"},
        {"1e3s", "is not a duration"},
        {"0x10s", "is not a duration"},
        {"5\xc2\xb5s", "is not a duration"},
        {"\xd9\xa5m", "is not a duration"},
        {"forever", "is not a duration"},
        {"3651d", "longer than ten years"},
        {"3650d1ms", "longer than ten years"},
        {"522w", "longer than ten years"},
        {"315360000001ms", "longer than ten years"},
        {"9223372036854775807ms", "longer than ten years"},
        {"9223372036854775808s", "longer than ten years"},
        {"99999999999999999999999999999d", "longer than ten years"},
        {"3650d3650d", "longer than ten years"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct error err = {0};
        int64_t ms = -1;
        int result = clock_parse_duration(rows[i][0], &ms, &err);
        ck_assert_msg(result == -1 && ms == -1, "row %zu: \"%s\" was taken", i, rows[i][0]);
        ck_assert_msg(err.kind == ERROR_CONFIG && strstr(error_message(&err), rows[i][1]) != NULL,
                      "row %zu: %s", i, error_message(&err));
        error_clear(&err);
    }
}
END_TEST

START_TEST(words) {
    static const struct {
        int64_t ms;
        const char *text;
    } rows[] = {
        {0, "0.0 s"},
        {99, "0.0 s"},
        {300, "0.3 s"},
        {9999, "9.9 s"},
        {10000, "10 s"},
        {12499, "12 s"},
        {12500, "13 s"},
        {59499, "59 s"},
        {59500, "1 m 0 s"},
        {123000, "2 m 3 s"},
        {HOUR - 501, "59 m 59 s"},
        {HOUR, "1 h 0 m"},
        {DAY - MINUTE, "23 h 59 m"},
        {DAY, "1 d 0 h"},
        {3 * DAY + 2 * HOUR, "3 d 2 h"},
        {-1, "0.0 s"},
        {-90000, "0.0 s"},
        {INT64_MIN, "0.0 s"},
        {INT64_MAX, "106751991167 d 7 h"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char text[64];
        clock_duration_words(rows[i].ms, text, sizeof text);
        ck_assert_msg(strcmp(text, rows[i].text) == 0, "row %zu: \"%s\"", i, text);
    }
    char small[4];
    clock_duration_words(123000, small, sizeof small);
    ck_assert_str_eq(small, "2 m");
}
END_TEST

START_TEST(rfc3339) {
    static const struct {
        int64_t ms;
        const char *text;
    } rows[] = {
        {0, "1970-01-01T00:00:00Z"},
        {999, "1970-01-01T00:00:00Z"},
        {1000, "1970-01-01T00:00:01Z"},
        {951782400000, "2000-02-29T00:00:00Z"},
        {1795478720000, "2026-11-24T00:05:20Z"},
        {2147483648000, "2038-01-19T03:14:08Z"},
        {253402300799999, "9999-12-31T23:59:59Z"},
        {-1000, "1969-12-31T23:59:59Z"},
    };
    char text[CLOCK_RFC3339_SIZE];
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        clock_rfc3339(rows[i].ms, text);
        ck_assert_msg(strcmp(text, rows[i].text) == 0, "row %zu: \"%s\"", i, text);
    }
    clock_rfc3339(INT64_MAX, text); /* no overrun */
    clock_rfc3339(INT64_MIN, text);
    ck_assert_uint_lt(strlen(text), CLOCK_RFC3339_SIZE);
}
END_TEST

START_TEST(clocks_run) {
    int64_t before = clock_monotonic_ms();
    ck_assert_int_ge(clock_monotonic_ms(), before);
    ck_assert_int_gt(clock_now_ms(), 1700000000000);
}
END_TEST

START_TEST(times_with_ms) {
    static const struct {
        int64_t ms;
        const char *words;
    } rows[] = {
        {0, "1970-01-01T00:00:00.000Z"},
        {1, "1970-01-01T00:00:00.001Z"},
        {951782399999, "2000-02-28T23:59:59.999Z"},
        {951782400000, "2000-02-29T00:00:00.000Z"},
        {951868800000, "2000-03-01T00:00:00.000Z"},
        {1709164800000, "2024-02-29T00:00:00.000Z"},
        {1735689599999, "2024-12-31T23:59:59.999Z"},
        {1795603980123, "2026-11-25T10:53:00.123Z"},
        {4107542400000, "2100-03-01T00:00:00.000Z"},
        {253402300799999, "9999-12-31T23:59:59.999Z"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char form[CLOCK_RFC3339_SIZE];
        int64_t ms = -1;
        clock_rfc3339_ms(rows[i].ms, form);
        ck_assert_str_eq(form, rows[i].words);
        ck_assert(clock_parse_rfc3339_ms(form, &ms));
        ck_assert_msg(ms == rows[i].ms, "row %zu: %lld", i, (long long)ms);
    }
    char form[CLOCK_RFC3339_SIZE];
    clock_rfc3339_ms(-5, form);
    ck_assert_str_eq(form, "1970-01-01T00:00:00.000Z");
    clock_rfc3339_ms(INT64_MAX, form);
    ck_assert_str_eq(form, "9999-12-31T23:59:59.999Z");
    /* every day of 400 years and some more, in order and without a gap */
    for (int64_t day = 0; day < 150000; day++) {
        int64_t ms = -1;
        clock_rfc3339_ms(day * DAY, form);
        ck_assert(clock_parse_rfc3339_ms(form, &ms));
        ck_assert_msg(ms == day * DAY, "%s", form);
    }
}
END_TEST

START_TEST(no_times_with_ms) {
    static const char *const rows[] = {
        "",
        "2026-11-25",
        "2026-11-25T10:53:00Z",
        "2026-11-25T10:53:00.12Z",
        "2026-11-25T10:53:00.1234Z",
        "2026-11-25T10:53:00.123",
        "2026-11-25T10:53:00.123z",
        "2026-11-25T10:53:00.123Z ",
        " 2026-11-25T10:53:00.123Z",
        "2026-11-25 10:53:00.123Z",
        "2026-11-25T10:53:00.123+00:00",
        "2026-13-25T10:53:00.123Z",
        "2026-00-25T10:53:00.123Z",
        "2026-11-00T10:53:00.123Z",
        "2026-11-31T10:53:00.123Z",
        "2026-02-29T10:53:00.123Z",
        "2100-02-29T10:53:00.123Z",
        "1969-12-31T23:59:59.999Z",
        "2026-11-25T24:00:00.000Z",
        "2026-11-25T10:60:00.123Z",
        "2026-11-25T10:53:60.123Z",
        "-026-11-25T10:53:00.123Z",
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        int64_t ms;
        ck_assert_msg(!clock_parse_rfc3339_ms(rows[i], &ms), "row %zu: %s", i, rows[i]);
    }
}
END_TEST

START_TEST(times_of_people) {
    static const struct {
        const char *text;
        int64_t first_ms, length_ms;
    } rows[] = {
        {"2026-11-25", 1795564800000, DAY - 1},
        {"2026-11-25T10:53Z", 1795603980000, 0},
        {"2026-11-25 10:53Z", 1795603980000, 0},
        {"2026-11-25t10:53z", 1795603980000, 0},
        {"2026-11-25T10:53:07Z", 1795603987000, 0},
        {"2026-11-25T10:53:07.5Z", 1795603987500, 0},
        {"2026-11-25T10:53:07.123456Z", 1795603987123, 0},
        {"2026-11-25T11:53+01:00", 1795603980000, 0},
        {"2026-11-25T05:23-05:30", 1795603980000, 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct error err = {0};
        int64_t first = -1, last = -1;
        unit_ok(clock_parse_time(rows[i].text, &first, &last, &err), &err);
        ck_assert_msg(first == rows[i].first_ms && last == first + rows[i].length_ms,
                      "row %zu: %lld %lld", i, (long long)first, (long long)last);
    }
    static const char *const bad[] = {"",
                                      "yesterday",
                                      "2026-11-31",
                                      "2026-11-25T",
                                      "2026-11",
                                      "2026-11-25T10:53",
                                      "2026-11-25T10Z",
                                      "2026-11-25T10:53:Z",
                                      "2026-11-25 ",
                                      "2026-11-25T10:53:07.Z",
                                      "2026-11-25T10:53+1",
                                      "2026-11-25T10:53+15:00",
                                      "2026-11-25Z"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct error err = {0};
        int64_t first, last;
        unit_fails(clock_parse_time(bad[i], &first, &last, &err), &err, ERROR_USAGE,
                   "is not a time");
    }
}
END_TEST

UNIT_MAIN("clock", {
    tcase_add_test(cases, times_with_ms);
    tcase_add_test(cases, no_times_with_ms);
    tcase_add_test(cases, times_of_people);
    tcase_add_test(cases, durations);
    tcase_add_test(cases, bad_durations);
    tcase_add_test(cases, words);
    tcase_add_test(cases, rfc3339);
    tcase_add_test(cases, clocks_run);
})
