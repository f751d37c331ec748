#include "gate/registry/retry.h"

#include "tests/unit/unit.h"

START_TEST(which_answers) {
    static const struct {
        long status;
        bool again;
    } rows[] = {{200, false}, {301, false}, {401, false}, {403, false}, {404, false},
                {408, true},  {429, true},  {500, true},  {501, false}, {502, true},
                {503, true},  {504, true},  {599, true},  {0, false}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        ck_assert_msg(retry_status(rows[i].status) == rows[i].again, "%ld", rows[i].status);
}
END_TEST

START_TEST(pauses_double) {
    static const int64_t delays[] = {500, 1000, 2000, 4000, 8000, 10000, 10000};
    for (unsigned int tries = 1; tries <= sizeof delays / sizeof *delays; tries++)
        ck_assert_int_eq(retry_delay_ms(tries), delays[tries - 1]);
    ck_assert_int_eq(retry_delay_ms(4000000000u), RETRY_LONGEST_DELAY_MS);
}
END_TEST

START_TEST(what_they_ask_for) {
    static const int64_t now_ms = 784111777000; /* Sun, 06 Nov 1994 08:49:37 GMT */
    static const struct {
        const char *header;
        int64_t pause_ms;
    } rows[] = {
        {NULL, -1},
        {"", -1},
        {"0", 0},
        {"1", 1000},
        {"120", 120000},
        {"9999999999", 9999999999000},
        {"99999999999", INT64_MAX},
        {"999999999999999999999999999999", INT64_MAX},
        {"-1", -1},
        {"1.5", -1},
        {"soon", -1},
        {"Sun, 06 Nov 1994 08:49:37 GMT", 0},
        {"Sun, 06 Nov 1994 08:49:40 GMT", 3000},
        {"Sun, 06 Nov 1994 08:40:00 GMT", 0},
        {"Sunday, 06-Nov-94 08:49:40 GMT", 3000},
        {"Sun Nov  6 08:49:40 1994", 3000},
        {"Sun, 06 Nov 1995 08:49:37 GMT", 31536000000},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        ck_assert_msg(retry_after_ms(rows[i].header, now_ms) == rows[i].pause_ms,
                      "row %zu: %s: %lld", i, rows[i].header,
                      (long long)retry_after_ms(rows[i].header, now_ms));
}
END_TEST

UNIT_MAIN("retry", {
    tcase_add_test(cases, which_answers);
    tcase_add_test(cases, pauses_double);
    tcase_add_test(cases, what_they_ask_for);
})
