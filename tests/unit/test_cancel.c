#include "gate/base/cancel.h"

#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include "gate/base/clock.h"
#include "tests/unit/unit.h"

static bool readable(int fd, int timeout_ms) {
    struct pollfd watched = {.fd = fd, .events = POLLIN};
    return poll(&watched, 1, timeout_ms) == 1;
}

START_TEST(null_is_never_requested) {
    struct error err = {0};
    ck_assert(!cancel_requested(NULL));
    ck_assert_int_eq(cancel_fd(NULL), -1);
    unit_ok(cancel_check(NULL, &err), &err);
}
END_TEST

START_TEST(stays_requested) {
    struct error err = {0};
    struct cancel cancel;
    unit_ok(cancel_init(&cancel, &err), &err);
    ck_assert(!cancel_requested(&cancel));
    unit_ok(cancel_check(&cancel, &err), &err);
    ck_assert(!readable(cancel_fd(&cancel), 0));
    for (int i = 0; i < 3; i++) {
        cancel_request(&cancel, 0);
        ck_assert(cancel_requested(&cancel) && cancel_requested(&cancel));
        ck_assert(readable(cancel_fd(&cancel), 0));
    }
    int64_t first_ms = cancel.requested_ms;
    ck_assert_int_gt(first_ms, 0);
    usleep(2000);
    cancel_request(&cancel, 0);
    ck_assert_int_eq(cancel.requested_ms, first_ms);
    unit_fails(cancel_check(&cancel, &err), &err, ERROR_CANCELLED, "stopped");
    cancel_clear(&cancel);
    ck_assert_int_eq(cancel.fd, -1);
    ck_assert(!cancel_requested(&cancel));
    cancel_clear(&cancel);
}
END_TEST

START_TEST(a_part_ends_by_its_time) {
    struct error err = {0};
    struct cancel whole, part;
    unit_ok(cancel_init(&whole, &err), &err);
    unit_ok(cancel_init_until(&part, &whole, clock_monotonic_ms() + 20, "the time was over", &err),
            &err);
    ck_assert(readable(cancel_fd(&part), 60000)); /* by itself */
    ck_assert(cancel_requested(&part) && cancel_is_over(&part));
    ck_assert(!cancel_requested(&whole) && !cancel_is_over(&whole));
    unit_fails(cancel_check(&part, &err), &err, ERROR_CANCELLED, "the time was over");
    cancel_request(&whole, SIGTERM); /* who asked to stop says more than the clock */
    ck_assert(!cancel_is_over(&part));
    unit_fails(cancel_check(&part, &err), &err, ERROR_CANCELLED, "stopped by SIGTERM");
    cancel_clear(&part);
    ck_assert(!cancel_requested(&part) && cancel_requested(&whole));
    cancel_clear(&part);
    cancel_clear(&whole);
}
END_TEST

START_TEST(a_part_ends_with_the_whole) {
    struct error err = {0};
    struct cancel whole, part;
    unit_ok(cancel_init(&whole, &err), &err);
    unit_ok(cancel_init_until(&part, &whole, clock_monotonic_ms() + 3600000, "over", &err), &err);
    ck_assert(!cancel_requested(&part) && !readable(cancel_fd(&part), 0));
    unit_ok(cancel_check(&part, &err), &err);
    cancel_request(&whole, 0);
    ck_assert(readable(cancel_fd(&part), 0) && !cancel_is_over(&part));
    unit_fails(cancel_check(&part, &err), &err, ERROR_CANCELLED, "stopped");
    cancel_clear(&part);
    unit_ok(cancel_init_until(&part, NULL, 0, "long ago", &err), &err);
    ck_assert(cancel_is_over(&part));
    cancel_clear(&part);
    cancel_clear(&whole);
}
END_TEST

START_TEST(two_do_not_mix) {
    struct error err = {0};
    struct cancel a, b;
    unit_ok(cancel_init(&a, &err), &err);
    unit_ok(cancel_init(&b, &err), &err);
    cancel_request(&b, SIGTERM);
    ck_assert(!cancel_requested(&a));
    ck_assert(cancel_requested(&b));
    cancel_request(&b, SIGINT); /* the first one stands */
    unit_fails(cancel_check(&b, &err), &err, ERROR_CANCELLED, "SIGTERM");
    cancel_clear(&a);
    cancel_clear(&b);
}
END_TEST

START_TEST(signals_request) {
    static const int stops[] = {SIGINT, SIGTERM, SIGHUP};
    static const char *const names[] = {"SIGINT", "SIGTERM", "SIGHUP"};
    struct error err = {0};
    for (size_t i = 0; i < 3; i++) {
        struct cancel cancel;
        unit_ok(cancel_init(&cancel, &err), &err);
        unit_ok(cancel_on_signals(&cancel, &err), &err);
        ck_assert(!cancel_requested(&cancel));
        raise(stops[i]);
        raise(stops[i]); /* a second one does not kill */
        ck_assert(cancel_requested(&cancel));
        ck_assert_int_eq(cancel.signal, stops[i]);
        unit_fails(cancel_check(&cancel, &err), &err, ERROR_CANCELLED, names[i]);
        cancel_clear(&cancel);
        raise(stops[i]); /* after the clear nothing is touched */
        ck_assert_int_eq(cancel.fd, -1);
    }
    raise(SIGPIPE);
    int ends[2];
    ck_assert_int_eq(pipe(ends), 0);
    close(ends[0]);
    ck_assert_int_eq(write(ends[1], "x", 1), -1);
    close(ends[1]);
}
END_TEST

static void *request_later(void *argument) {
    usleep(20000);
    cancel_request(argument, 0);
    return NULL;
}

/* Without a wake-up the poll would wait for ever, and Check's time-out fail the test. */
START_TEST(wakes_a_poll) {
    struct error err = {0};
    struct cancel cancel;
    pthread_t thread;
    unit_ok(cancel_init(&cancel, &err), &err);
    ck_assert_int_eq(pthread_create(&thread, NULL, request_later, &cancel), 0);
    ck_assert(readable(cancel_fd(&cancel), -1));
    ck_assert_int_eq(pthread_join(thread, NULL), 0);
    cancel_clear(&cancel);
}
END_TEST

UNIT_MAIN("cancel", {
    tcase_add_test(cases, null_is_never_requested);
    tcase_add_test(cases, stays_requested);
    tcase_add_test(cases, two_do_not_mix);
    tcase_add_test(cases, a_part_ends_by_its_time);
    tcase_add_test(cases, a_part_ends_with_the_whole);
    tcase_add_test(cases, signals_request);
    tcase_add_test(cases, wakes_a_poll);
})
