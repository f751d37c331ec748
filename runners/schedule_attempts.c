/* One trial of a schedule, and that again where it may be (schedule.h). */
#include <poll.h>
#include <stdlib.h>

#include "gate/base/clock.h"
#include "runners/schedule_parts.h"

#define PING_PAUSE_MS 250 /* between two questions to an engine that is away */

/* Sleeps, unless the run ends. */
static void pause_for(const struct cancel *cancel, int pause_ms) {
    struct pollfd ends = {.fd = cancel_fd(cancel), .events = POLLIN};
    poll(&ends, ends.fd >= 0 ? 1 : 0, pause_ms);
}

/* An engine that is gone ends the run at once, and not trial by trial, each with its time-outs; one that is started anew is
 * there in a few seconds. */
static int await_engine(const struct worker *worker, struct error *err) {
    int64_t most_ms = engine_timeout_ms(worker->engine);
    int64_t end_ms =
        clock_monotonic_ms() + (most_ms < SCHEDULE_RETURN_MS ? most_ms : SCHEDULE_RETURN_MS);
    while (engine_ping(worker->engine, err) < 0) {
        if (err->kind == ERROR_CANCELLED || clock_monotonic_ms() + PING_PAUSE_MS >= end_ms)
            return -1;
        error_clear(err);
        pause_for(worker->batch->schedule->cancel, PING_PAUSE_MS);
    }
    return 0;
}

static bool take_error_retry(struct schedule *schedule) {
    pthread_mutex_lock(&schedule->event_lock);
    bool may = schedule->error_retries < SCHEDULE_ERROR_RETRIES;
    schedule->error_retries += may ? 1 : 0;
    pthread_mutex_unlock(&schedule->event_lock);
    return may;
}

/* What is known of the attempts so far. */
struct attempts {
    unsigned int count;
    unsigned int failed; /* that said no */
    bool erred;          /* one told nothing: there is no second time for that */
    struct string_list reasons;
    int64_t started_ms, began_ms; /* since 1970, and monotonic */
};

/* Whether another attempt follows this one. */
static bool may_run_again(struct attempts *attempts, struct schedule *schedule,
                          const struct test *test, const struct trial_result *result) {
    if (outcome_is_failure(result->outcome)) {
        attempts->failed++;
        return attempts->failed <= test->retries;
    }
    if (result->outcome != OUTCOME_ERROR || attempts->erred)
        return false;
    attempts->erred = true;
    return take_error_retry(schedule);
}

/* Each attempt has names and folders of its own: nothing of an earlier one is in its way, or mistaken for it. */
static int run_attempt(const struct trial_run *first, const struct trial_spec *spec,
                       unsigned int attempt, struct trial_result *result, struct error *err) {
    if (attempt == 1)
        return trial_run(first, spec, result, err);
    struct error ignored = {0};
    struct trial_run run = *first;
    struct trial_spec again = *spec;
    _cleanup_(free_pointer) char *name = string_format(err, "%s-again-%u", first->name, attempt);
    _cleanup_(free_pointer) char *logs = trial_attempt_folder(spec->log_folder, attempt, err);
    _cleanup_(free_pointer) char *artifacts =
        trial_attempt_folder(spec->artifact_folder, attempt, &ignored);
    error_clear(&ignored);
    if (name == NULL || logs == NULL)
        return -1;
    run.name = name;
    run.alone = NULL; /* its files were written to */
    again.log_folder = logs;
    again.artifact_folder = artifacts;
    return trial_run(&run, &again, result, err);
}

static void tell_again(const struct worker *worker, size_t index, unsigned int attempt,
                       const struct trial_result *result) {
    struct schedule_event event = {.kind = SCHEDULE_TRIAL_AGAIN,
                                   .trial = index,
                                   .spec = &worker->batch->specs[index],
                                   .result = result,
                                   .attempt = attempt};
    schedule_emit(worker->batch->schedule, &event);
}

/* The result is that of the last attempt; what the others came to stands beside it. */
static void finish(struct attempts *attempts, struct trial_result *result) {
    struct error ignored = {0};
    result->attempts = attempts->count;
    result->started_ms = attempts->started_ms;
    result->duration_ms = clock_monotonic_ms() - attempts->began_ms;
    if (result->outcome == OUTCOME_PASSED && attempts->failed > 0) {
        result->outcome = OUTCOME_FLAKY;
        result->reason = string_format(
            &ignored, "passed when it was run again, in attempt %u; attempt 1: %s", attempts->count,
            attempts->reasons.count > 0 ? attempts->reasons.items[0] : "not known");
    }
    result->attempt_reasons = attempts->reasons;
    error_clear(&ignored);
}

/* Nothing is left of it but why it did not pass. err: no-memory */
static int put_aside(struct attempts *attempts, struct trial_result *result, struct error *err) {
    int added = string_list_add(&attempts->reasons,
                                result->reason != NULL ? result->reason : "not known", err);
    if (added == 0)
        trial_result_clear(result);
    return added;
}

int schedule_attempts(struct worker *worker, const struct trial_run *first, size_t index,
                      struct error *err) {
    struct schedule *schedule = worker->batch->schedule;
    const struct trial_spec *spec = &worker->batch->specs[index];
    struct trial_result *result = &worker->batch->results[index];
    struct attempts attempts = {.started_ms = clock_now_ms(), .began_ms = clock_monotonic_ms()};
    int status = 0;
    for (;;) {
        attempts.count++;
        status = run_attempt(first, spec, attempts.count, result, err);
        if (status == 0 && result->outcome == OUTCOME_ERROR)
            status = await_engine(worker, err);
        if (status < 0 || result->outcome == OUTCOME_PASSED ||
            !may_run_again(&attempts, schedule, spec->test, result) ||
            cancel_requested(schedule->cancel))
            break;
        tell_again(worker, index, attempts.count, result);
        status = put_aside(&attempts, result, err);
        if (status < 0)
            break;
    }
    result->cut = status < 0 && cancel_is_over(schedule->cancel);
    finish(&attempts, result);
    return status;
}
