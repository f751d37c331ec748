#include "runners/schedule.h"

#include <signal.h>

#include "gate/base/clock.h"
#include "gate/base/http.h"
#include "tests/unit/fake_engine.h"

#define MOST 8 /* trials and steps of one test */

/* What a test runs: each word is a trial, each letter of it a step in an image of that digest (see fake_engine.h). */
struct bench {
    struct fake_engine fake;
    struct cancel cancel;
    struct credentials *credentials;
    struct schedule *schedule;
    struct test test;
    struct test_command command;
    struct trial_spec specs[MOST];
    struct trial_step steps[MOST][MOST];
    struct trial_result results[MOST];
    size_t count;
    size_t pulled, started, done, commands; /* events */
};

static void on_event(void *context, const struct schedule_event *event) {
    struct bench *bench = context;
    bench->pulled += event->kind == SCHEDULE_PULL_DONE && !event->was_there && event->error == NULL;
    bench->started += event->kind == SCHEDULE_TRIAL_STARTED;
    bench->commands += event->kind == SCHEDULE_COMMAND_STARTED;
    bench->done += event->kind == SCHEDULE_TRIAL_DONE;
}

/* end_ms: of the run's time; 0: never */
static void bench_start_until(struct bench *bench, size_t jobs, bool keep_images, int64_t end_ms) {
    struct error err = {0};
    memset(bench, 0, sizeof *bench);
    unit_ok(http_global_init(&err), &err);
    fake_engine_start(&bench->fake);
    setenv("HOME", bench->fake.tree.root, 1);
    unit_ok(cancel_init(&bench->cancel, &err), &err);
    unit_ok(credentials_load(NULL, &bench->credentials, &err), &err);
    struct schedule_options options = {.engine_address = bench->fake.address,
                                       .jobs = jobs,
                                       .credentials = bench->credentials,
                                       .cancel = &bench->cancel,
                                       .keep_images = keep_images,
                                       .end_ms = end_ms,
                                       .over = "the run's time was over",
                                       .run_id = "run-of-a-test",
                                       .on_event = on_event,
                                       .context = bench};
    unit_ok(schedule_new(&options, &bench->schedule, &err), &err);
}

static void bench_start(struct bench *bench, size_t jobs, bool keep_images) {
    bench_start_until(bench, jobs, keep_images, 0);
}

static void bench_fill(struct bench *bench, const char *words) {
    static const char *const argv[] = {"true", NULL};
    struct error err = {0};
    bench->command = (struct test_command){.argv = (char **)argv, .text = (char *)"true"};
    bench->test = (struct test){.name = (char *)"t", .timeout_ms = 60000, .log_limit_bytes = 1000};
    bench->count = 0;
    for (const char *word = words; *word != '\0';
         word += strcspn(word, " "), word += *word == ' ') {
        struct trial_spec *spec = &bench->specs[bench->count];
        *spec = (struct trial_spec){.test = &bench->test, .steps = bench->steps[bench->count]};
        spec->log_folder = string_format(&err, "%s/logs/%zu", bench->fake.tree.root, bench->count);
        for (; spec->step_count < strcspn(word, " "); spec->step_count++) {
            struct trial_step *step = &spec->steps[spec->step_count];
            char digest[72] = "sha256:";
            memset(digest + 7, word[spec->step_count], 64);
            *step = (struct trial_step){.command = &bench->command,
                                        .image = (char *)"registry.example/app"};
            step->digest = string_dup(digest, &err);
        }
        bench->count++;
    }
}

static int bench_run(struct bench *bench, struct error *err) {
    return schedule_run(bench->schedule, bench->specs, bench->results, bench->count, err);
}

/* One letter a trial: p passed, f failed, e error. */
static void bench_expect(struct bench *bench, const char *outcomes) {
    static const enum outcome known[] = {
        ['p'] = OUTCOME_PASSED, ['f'] = OUTCOME_FAILED, ['e'] = OUTCOME_ERROR};
    ck_assert_uint_eq(strlen(outcomes), bench->count);
    for (size_t i = 0; i < bench->count; i++)
        ck_assert_msg(bench->results[i].outcome == known[(unsigned char)outcomes[i]],
                      "trial %zu: %s: %s", i, outcome_name(bench->results[i].outcome),
                      bench->results[i].reason);
}

static void bench_clear_run(struct bench *bench) {
    for (size_t i = 0; i < bench->count; i++) {
        for (size_t s = 0; s < bench->specs[i].step_count; s++)
            free(bench->steps[i][s].digest);
        free(bench->specs[i].log_folder);
        trial_result_clear(&bench->results[i]);
    }
    bench->count = 0;
}

/* images: how many may be left, with the one that was there. */
static void bench_stop(struct bench *bench, size_t images) {
    struct error err = {0};
    bench_clear_run(bench);
    if (bench->schedule != NULL)
        unit_ok(schedule_finish(bench->schedule, &err), &err);
    ck_assert_uint_eq(fake_left(&bench->fake, 'c'), 0);
    ck_assert_uint_eq(fake_left(&bench->fake, 'v'), 0);
    ck_assert_uint_eq(fake_left(&bench->fake, 'i'), images);
    credentials_freep(&bench->credentials);
    cancel_clear(&bench->cancel);
    fake_engine_stop(&bench->fake);
}

static const struct row {
    const char *words, *outcomes;
    size_t jobs, pulls, commands;
} rows[] = {
    {"a", "p", 1, 1, 1},
    {"a b c", "ppp", 1, 3, 3},
    {"a b c f a f", "pppfpf", 4, 4, 6}, /* in the order of specs, each digest once */
    {"aa aa aa aa", "pppp", 3, 1, 8},
    {"abc", "p", 2, 3, 3},     /* a trial waits for all of its images */
    {"afb", "f", 4, 3, 2},     /* what follows a failure is not run */
    {"e a e", "epe", 4, 1, 1}, /* an image that cannot be pulled hurts its trials only */
    {"ae b", "ep", 4, 2, 1},
    {"d", "p", 4, 0, 1}, /* is there already */
    {"d e f a", "pefp", 8, 2, 3},
};

START_TEST(batches) {
    const struct row *row = &rows[_i];
    static struct bench bench;
    struct error err = {0};
    bench_start(&bench, row->jobs, false);
    bench_fill(&bench, row->words);
    unit_ok(bench_run(&bench, &err), &err);
    bench_expect(&bench, row->outcomes);
    ck_assert_uint_eq(bench.pulled, row->pulls);
    ck_assert_uint_eq(bench.commands, row->commands);
    ck_assert_uint_eq(bench.started, bench.count);
    ck_assert_uint_eq(bench.done, bench.count);
    ck_assert_uint_eq(fake_calls(&bench.fake, "POST /v1.41/containers/create"), row->commands);
    bench_stop(&bench, 1);
}
END_TEST

START_TEST(images_stay_between_batches_and_go_at_the_end) {
    static struct bench bench;
    struct error err = {0};
    bench_start(&bench, 4, false);
    for (int i = 0; i < 3; i++) {
        bench_fill(&bench, "a b");
        unit_ok(bench_run(&bench, &err), &err);
        bench_expect(&bench, "pp");
        ck_assert_uint_eq(fake_calls(&bench.fake, "/images/create"), 2);
        bench_clear_run(&bench);
    }
    ck_assert_uint_eq(fake_left(&bench.fake, 'i'), 3);
    bench_stop(&bench, 1);
}
END_TEST

START_TEST(images_are_kept_when_asked) {
    static struct bench bench;
    struct error err = {0};
    bench_start(&bench, 4, true);
    bench_fill(&bench, "a b d");
    unit_ok(bench_run(&bench, &err), &err);
    ck_assert_uint_eq(fake_calls(&bench.fake, "-image-"), 0);
    bench_stop(&bench, 3);
}
END_TEST

START_TEST(nothing_to_run) {
    static struct bench bench;
    struct error err = {0};
    bench_start(&bench, 4, false);
    bench_fill(&bench, "");
    unit_ok(bench_run(&bench, &err), &err);
    bench_stop(&bench, 1);
}
END_TEST

static void *cancel_when_waiting(void *context) {
    struct bench *bench = context;
    fake_engine_await(&bench->fake);
    cancel_request(&bench->cancel, SIGTERM);
    fake_engine_release(&bench->fake);
    return NULL;
}

START_TEST(a_cancel_ends_it_and_fills_every_result) {
    static struct bench bench;
    struct error err = {0};
    pthread_t thread;
    bench_start(&bench, 1, false);
    bench_fill(&bench, "a 9 b");
    ck_assert_int_eq(pthread_create(&thread, NULL, cancel_when_waiting, &bench), 0);
    unit_fails(bench_run(&bench, &err), &err, ERROR_CANCELLED, "SIGTERM");
    pthread_join(thread, NULL);
    bench_expect(&bench, "pee");
    ck_assert_ptr_nonnull(strstr(bench.results[1].reason, "ended before it was done"));
    ck_assert_ptr_nonnull(strstr(bench.results[2].reason, "not run: stopped by SIGTERM"));
    bench_stop(&bench, 1);
}
END_TEST

/* What runs is ended, what waits is not run, and both are told from a trial that failed; nothing stays. */
START_TEST(its_time_is_over) {
    static struct bench bench;
    struct error err = {0};
    bench_start_until(&bench, 1, false, clock_monotonic_ms() + 500);
    bench_fill(&bench, "9 a");
    unit_ok(bench_run(&bench, &err), &err);
    bench_expect(&bench, "ee");
    ck_assert(bench.results[0].cut && bench.results[1].cut);
    ck_assert_ptr_nonnull(strstr(bench.results[1].reason, "not run: the run's time was over"));
    bench_clear_run(&bench);
    bench_fill(&bench, "a d"); /* and so it is for whatever is asked afterwards */
    unit_ok(bench_run(&bench, &err), &err);
    bench_expect(&bench, "ee");
    ck_assert(bench.results[0].cut && bench.results[1].cut);
    bench_stop(&bench, 1);
}
END_TEST

START_TEST(what_fails_is_run_again_as_often_as_it_may) {
    static struct bench bench;
    struct error err = {0};
    bench_start(&bench, 1, false);
    bench_fill(&bench, "f a e");
    bench.test.retries = 2;
    unit_ok(bench_run(&bench, &err), &err);
    bench_expect(&bench, "fpe");
    ck_assert_uint_eq(bench.commands, 4);
    ck_assert_uint_eq(bench.results[0].attempts, 3);
    ck_assert_uint_eq(bench.results[0].attempt_reasons.count, 2);
    ck_assert_ptr_nonnull(strstr(bench.results[0].attempt_reasons.items[1], "exited with 3"));
    ck_assert_uint_eq(bench.results[1].attempts, 1);
    ck_assert_uint_eq(bench.results[1].attempt_reasons.count, 0);
    ck_assert_uint_eq(bench.results[2].attempts, 0); /* its image could not be pulled */
    ck_assert(!bench.results[0].cut);
    bench_stop(&bench, 1);
}
END_TEST

static void *leave_when_waiting(void *context) {
    struct bench *bench = context;
    fake_engine_await(&bench->fake);
    fake_engine_leave(&bench->fake);
    return NULL;
}

START_TEST(an_engine_that_is_gone_ends_it) {
    static struct bench bench;
    struct error err = {0};
    pthread_t thread;
    bench_start(&bench, 1, false);
    bench_fill(&bench, "9 a b");
    ck_assert_int_eq(pthread_create(&thread, NULL, leave_when_waiting, &bench), 0);
    unit_fails(bench_run(&bench, &err), &err, ERROR_ENGINE, "answers no more");
    pthread_join(thread, NULL);
    bench_expect(&bench, "eee");
    bench_clear_run(&bench);
    ck_assert_int_eq(schedule_finish(steal(bench.schedule), &err), -1); /* it tells what stayed */
    ck_assert_ptr_nonnull(strstr(error_message(&err), "stayed in the engine"));
    error_clear(&err);
    credentials_freep(&bench.credentials);
    cancel_clear(&bench.cancel);
    fake_engine_stop(&bench.fake);
}
END_TEST

UNIT_MAIN("schedule", {
    tcase_add_loop_test(cases, batches, 0, sizeof rows / sizeof *rows);
    tcase_add_test(cases, images_stay_between_batches_and_go_at_the_end);
    tcase_add_test(cases, images_are_kept_when_asked);
    tcase_add_test(cases, nothing_to_run);
    tcase_add_test(cases, a_cancel_ends_it_and_fills_every_result);
    tcase_add_test(cases, its_time_is_over);
    tcase_add_test(cases, what_fails_is_run_again_as_often_as_it_may);
    tcase_add_test(cases, an_engine_that_is_gone_ends_it);
})
