/* unit: what every unit test shares. One Check program a module:
 *
 *     START_TEST(rows) { … } END_TEST
 *     UNIT_MAIN("reference", { tcase_add_test(cases, rows); })
 *
 * Runs alone: `make check TESTS=tests/unit/test_reference`, or the program itself; CK_RUN_CASE and CK_FORK=no work as Check
 * documents. A failing row of a table prints its row: use unit_row() in the message.
 */
#pragma once

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gate/base/error.h"

#define UNIT_MAIN(name, ...)                                                                       \
    int main(void) {                                                                               \
        Suite *suite = suite_create(name);                                                         \
        TCase *cases = tcase_create(name);                                                         \
        __VA_ARGS__                                                                                \
        suite_add_tcase(suite, cases);                                                             \
        SRunner *runner = srunner_create(suite);                                                   \
        srunner_run_all(runner, CK_ENV);                                                           \
        int failed = srunner_ntests_failed(runner);                                                \
        srunner_free(runner);                                                                      \
        return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;                                          \
    }

/* Cases for tests that ask what comes of a program that is not there. memcheck makes the vfork of posix_spawn a fork, and
 * so loses the answer: tests/valgrind.sh leaves out what has this tag. */
static inline TCase *unit_lacking_programs(Suite *suite) {
    TCase *cases = tcase_create("lacking programs");
    tcase_set_tags(cases, "lacking-programs");
    suite_add_tcase(suite, cases);
    return cases;
}

/* A fallible call must succeed; prints its error when it does not. */
#define unit_ok(call, err) ck_assert_msg((call) == 0, "%s: %s", #call, error_message(err))

/* A fallible call must fail with this kind and a message that holds `part`. */
#define unit_fails(call, err, expected_kind, part)                                                 \
    do {                                                                                           \
        ck_assert_msg((call) == -1, "%s: did not fail", #call);                                    \
        ck_assert_msg((err)->kind == (expected_kind), "%s: kind %s, expected %s (%s)", #call,      \
                      error_kind_name((err)->kind), error_kind_name(expected_kind),                \
                      error_message(err));                                                         \
        ck_assert_msg(strstr(error_message(err), (part)) != NULL, "%s: \"%s\" lacks \"%s\"",       \
                      #call, error_message(err), (part));                                          \
        error_clear(err);                                                                          \
    } while (0)
