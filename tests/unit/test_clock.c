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

UNIT_MAIN("clock", {
    tcase_add_test(cases, durations);
    tcase_add_test(cases, bad_durations);
    tcase_add_test(cases, words);
    tcase_add_test(cases, rfc3339);
    tcase_add_test(cases, clocks_run);
})
