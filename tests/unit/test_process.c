#include "gate/base/process.h"

#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include "gate/base/clock.h"
#include "tests/unit/unit.h"

static int run_shell(const char *script, struct process_options options,
                     struct process_result *result, struct error *err) {
    const char *const argv[] = {"sh", "-c", script, NULL};
    options.argv = argv;
    return process_run(&options, result, err);
}

START_TEST(ends_by_itself) {
    static const struct {
        const char *script, *input, *output, *error_output, *why;
        int exit_status, signal;
    } rows[] = {
        {"echo a; echo b >&2", NULL, "a\n", "b\n", "b", 0, 0},
        {"cat", "hello", "hello", "", "exit status 0", 0, 0},
        {"cat", NULL, "", "", "exit status 0", 0, 0},
        {"exit 7", "never read", "", "", "exit status 7", 7, 0},
        {"kill -TERM $$", NULL, "", "", "killed by SIGTERM", -1, SIGTERM},
        /* A child that stays behind holds the pipe: we do not wait for it, and it does not live on. */
        {"sleep 600 & echo $!", NULL, NULL, "", "exit status 0", 0, 0},
        {"ls /proc/self/fd | wc -l", NULL, "4\n", "", "exit status 0", 0, 0},
        {"echo $PINGATE_GIVEN$HOME", NULL, "yes\n", "", "exit status 0", 0, 0},
    };
    static const char *const environment[] = {"PINGATE_GIVEN=yes", "PATH=/usr/bin:/bin", NULL};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct error err = {0};
        struct process_result result = {0};
        struct process_options options = {.environment = environment, .timeout_ms = 30000};
        options.input = rows[i].input;
        options.input_length = rows[i].input != NULL ? strlen(rows[i].input) : 0;
        ck_assert_msg(run_shell(rows[i].script, options, &result, &err) == 0, "%s: %s",
                      rows[i].script, error_message(&err));
        ck_assert_msg(result.exit_status == rows[i].exit_status && result.signal == rows[i].signal,
                      "%s: %d, %d", rows[i].script, result.exit_status, result.signal);
        if (rows[i].output != NULL)
            ck_assert_str_eq(text_string(&result.output), rows[i].output);
        ck_assert_str_eq(text_string(&result.error_output), rows[i].error_output);
        char *why = process_result_why(&result, &err);
        ck_assert_str_eq(why, rows[i].why);
        free(why);
        process_result_clear(&result);
    }
}
END_TEST

START_TEST(leaves_nobody_behind) {
    struct error err = {0};
    struct process_result result = {0};
    struct process_options options = {.timeout_ms = 30000};
    unit_ok(run_shell("sleep 600 >/dev/null 2>&1 & echo $!", options, &result, &err), &err);
    pid_t left = (pid_t)atol(text_string(&result.output));
    ck_assert_int_gt(left, 1);
    char *path = string_format(&err, "/proc/%d/stat", (int)left);
    bool alive = true;
    for (int i = 0; i < 200 && alive; i++) {
        char line[256] = "";
        FILE *file = fopen(path, "re");
        alive =
            file != NULL && fgets(line, sizeof line, file) != NULL && strstr(line, ") Z ") == NULL;
        if (file != NULL)
            fclose(file);
        usleep(10000);
    }
    ck_assert_msg(!alive, "%s is still there", path);
    free(path);
    process_result_clear(&result);
}
END_TEST

START_TEST(much_output_is_whole) {
    struct error err = {0};
    struct process_result result = {0};
    struct process_options options = {.timeout_ms = 60000};
    unit_ok(run_shell("head -c 3000000 /dev/zero; head -c 3000000 /dev/zero >&2", options, &result,
                      &err),
            &err);
    ck_assert_uint_eq(result.output.length, 3000000);
    ck_assert_uint_eq(result.error_output.length, PROCESS_ERROR_OUTPUT_LIMIT);
    process_result_clear(&result);
}
END_TEST

START_TEST(is_stopped) {
    struct error err = {0};
    struct process_result result = {0};
    int64_t begun = clock_monotonic_ms();
    struct process_options options = {.timeout_ms = 200};
    unit_fails(run_shell("trap '' TERM; sleep 600", options, &result, &err), &err, ERROR_TIMEOUT,
               "sh did not end within 200 ms");
    process_result_clear(&result);

    options = (struct process_options){.timeout_ms = 30000, .output_limit = 1000};
    unit_fails(run_shell("yes", options, &result, &err), &err, ERROR_LIMIT, "sh");
    process_result_clear(&result);

    struct cancel cancel;
    unit_ok(cancel_init(&cancel, &err), &err);
    cancel_request(&cancel, SIGINT);
    options = (struct process_options){.timeout_ms = 30000, .cancel = &cancel};
    unit_fails(run_shell("sleep 600", options, &result, &err), &err, ERROR_CANCELLED, "SIGINT");
    process_result_clear(&result);
    cancel_clear(&cancel);
    ck_assert_int_lt(clock_monotonic_ms() - begun, 20000);
}
END_TEST

START_TEST(a_program_that_is_not_there) {
    struct error err = {0};
    struct process_result result = {0};
    const char *const argv[] = {"no-such-program-here", NULL};
    struct process_options options = {.argv = argv};
    unit_fails(process_run(&options, &result, &err), &err, ERROR_NOT_FOUND,
               "no-such-program-here: no such program");
    process_result_clear(&result);
}
END_TEST

/* The mask and the ignored SIGPIPE of the caller would reach the program. */
START_TEST(signals_are_reset) {
    struct error err = {0};
    struct process_result result = {0};
    sigset_t blocked;
    sigemptyset(&blocked);
    sigaddset(&blocked, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &blocked, NULL);
    signal(SIGPIPE, SIG_IGN);
    struct process_options options = {.timeout_ms = 30000};
    unit_ok(run_shell("grep -E '^Sig(Blk|Ign)' /proc/self/status", options, &result, &err), &err);
    unsigned long long mask = 1, ignored = 1;
    ck_assert_int_eq(
        sscanf(text_string(&result.output), "SigBlk: %llx SigIgn: %llx", &mask, &ignored), 2);
    ck_assert_uint_eq(mask, 0);
    ck_assert_uint_eq(ignored & 0x7fffffff, 0); /* 32 and 33 are the C library's own */
    process_result_clear(&result);
}
END_TEST

UNIT_MAIN("process", {
    tcase_set_timeout(cases, 60);
    tcase_add_test(cases, ends_by_itself);
    tcase_add_test(cases, leaves_nobody_behind);
    tcase_add_test(cases, much_output_is_whole);
    tcase_add_test(cases, is_stopped);
    tcase_add_test(cases, signals_are_reset);
    tcase_add_test(unit_lacking_programs(suite), a_program_that_is_not_there);
})
