#include "gate/base/error.h"

#include <errno.h>

#include "tests/unit/unit.h"

START_TEST(set_and_wrap) {
    struct error err = {0};
    ck_assert_str_eq(error_message(&err), "no error");
    ck_assert_int_eq(error_set(&err, ERROR_NETWORK, "GET %s: %d", "http://x/", 7), -1);
    ck_assert_int_eq(error_wrap(&err, "look up %s", "redis"), -1);
    ck_assert_str_eq(error_message(&err), "look up redis: GET http://x/: 7");
    ck_assert_int_eq(err.kind, ERROR_NETWORK);
    ck_assert(err.line > 0);
    error_clear(&err);
    error_clear(&err);
    ck_assert_int_eq(err.kind, ERROR_NONE);
}
END_TEST

START_TEST(no_memory_is_static) {
    struct error err = {0};
    errno = ENOMEM;
    ck_assert_int_eq(error_set_errno(&err, "open %s", "x"), -1);
    ck_assert_int_eq(err.kind, ERROR_NO_MEMORY);
    ck_assert(err.static_message);
    error_wrap(&err, "more");
    ck_assert_str_eq(error_message(&err), "more: out of memory");
    ck_assert(!err.static_message);
    error_clear(&err);
}
END_TEST

START_TEST(move_leaves_nothing) {
    struct error from = {0};
    struct error to = {0};
    error_set(&from, ERROR_IO, "one");
    error_set(&to, ERROR_BUG, "two");
    error_move(&to, &from);
    ck_assert_str_eq(error_message(&to), "one");
    ck_assert_ptr_null(from.message);
    error_clear(&to);
}
END_TEST

START_TEST(every_kind_has_its_row) {
    for (int kind = 0; kind < ERROR_KIND_COUNT; kind++) {
        ck_assert_ptr_nonnull(error_kind_name((enum error_kind)kind));
        int status = error_exit_status((enum error_kind)kind);
        ck_assert_msg((kind == ERROR_NONE || kind == ERROR_BUG) == (status == EXIT_BUG) &&
                          status != EXIT_DONE,
                      "kind %d has status %d", kind, status);
    }
    ck_assert(error_worth_retry(ERROR_RATE_LIMIT));
    ck_assert(!error_worth_retry(ERROR_AUTH));
}
END_TEST

UNIT_MAIN("error", {
    tcase_add_test(cases, set_and_wrap);
    tcase_add_test(cases, no_memory_is_static);
    tcase_add_test(cases, move_leaves_nothing);
    tcase_add_test(cases, every_kind_has_its_row);
})
