#include "runners/schedule_parts.h"

#include <stdio.h>
#include <stdlib.h>

#include "gate/base/clock.h"
#include "gate/base/trace.h"

struct trial_report {
    struct batch *batch;
    size_t trial;
};

static void on_command(void *context, size_t step) {
    struct trial_report *report = context;
    struct schedule_event event = {.kind = SCHEDULE_COMMAND_STARTED,
                                   .trial = report->trial,
                                   .command = step,
                                   .spec = &report->batch->specs[report->trial]};
    schedule_emit(report->batch->schedule, &event);
}

static void on_build(void *context, const char *step) {
    struct trial_report *report = context;
    struct schedule_event event = {.kind = step == NULL ? SCHEDULE_BUILD_STARTED
                                                        : SCHEDULE_BUILD_PROGRESS,
                                   .trial = report->trial,
                                   .step = step,
                                   .spec = &report->batch->specs[report->trial]};
    schedule_emit(report->batch->schedule, &event);
}

static void on_built(void *context, const struct build_result *build) {
    struct trial_report *report = context;
    struct schedule_event event = {.kind = SCHEDULE_BUILD_DONE,
                                   .trial = report->trial,
                                   .build = build,
                                   .spec = &report->batch->specs[report->trial]};
    schedule_emit(report->batch->schedule, &event);
}

static void on_left(void *context, const char *words) {
    struct trial_report *report = context;
    schedule_left(report->batch->schedule, words);
}

static void on_kept(void *context, const char *what, const char *name) {
    struct trial_report *report = context;
    struct schedule *schedule = report->batch->schedule;
    struct error ignored = {0};
    pthread_mutex_lock(&schedule->event_lock);
    _cleanup_(free_pointer) char *words = string_format(&ignored, "%s %s", what, name);
    if (words != NULL && string_list_add(&schedule->kept, words, &ignored) < 0)
        error_clear(&ignored);
    pthread_mutex_unlock(&schedule->event_lock);
    error_clear(&ignored);
}

static void fail_trial(struct trial_result *result, const char *reason) {
    struct error ignored = {0};
    trial_result_clear(result);
    result->outcome = OUTCOME_ERROR;
    result->started_ms = clock_now_ms();
    result->reason = string_dup(reason, &ignored);
    error_clear(&ignored);
}

void schedule_trial_not_run(struct trial_result *result, const struct error *why) {
    char reason[800];
    snprintf(reason, sizeof reason, "not run: %s", error_message(why));
    fail_trial(result, reason);
}

static int make_alone(const struct worker *worker, const char *image_id, struct error *err) {
    struct batch *batch = worker->batch;
    struct schedule *schedule = batch->schedule;
    if (!schedule->alone_asked &&
        alone_possible(worker->engine, &schedule->alone_possible, err) < 0)
        return -1;
    schedule->alone_asked = true;
    if (!schedule->alone_possible)
        return 0;
    _cleanup_(free_pointer) char *name = string_format(
        err, "pingate-%s-hosts-%zu", schedule->options.run_id, ++schedule->alone_count);
    if (name == NULL || cancel_check(schedule->cancel, err) < 0)
        return -1;
    struct alone_wish wish = {.engine = worker->engine,
                              .cleaner = worker->cleaner,
                              .labels = &schedule->labels,
                              .name = name,
                              .image = image_id};
    for (size_t t = 0; t < batch->count; t++)
        wish.count += batch->specs[t].step_count;
    return alone_make(&wish, &batch->alone, err);
}

/* The first who needs it makes it, with its own image. Where it cannot be had, the engine makes the namespaces. */
static void share_alone(const struct worker *worker, const struct trial_spec *spec,
                        struct trial_run *run) {
    struct batch *batch = worker->batch;
    if (spec->test->network || spec->step_count == 0 || spec->service_count > 0)
        return;
    _cleanup_(error_clear) struct error why = {0};
    pthread_mutex_lock(&batch->alone_lock);
    const char *any = NULL;
    struct needed_image needed;
    for (size_t n = 0; any == NULL && schedule_needed(spec, n, &needed); n++)
        any = run->image_ids[n];
    bool tries = any != NULL && !batch->alone_tried;
    if (tries && make_alone(worker, any, &why) < 0)
        trace(TRACE_ENGINE, "the engine makes the namespaces: %s", error_message(&why));
    batch->alone_tried = batch->alone_tried || tries;
    run->alone_first = batch->alone_used;
    batch->alone_used += spec->step_count;
    run->alone = batch->alone.folder != NULL ? &batch->alone : NULL;
    pthread_mutex_unlock(&batch->alone_lock);
}

/* What is known with the lock held. ids: of the images, one a step and one a service; the list is the caller's to free.
 * -1 with the reason why the trial cannot be run. */
static int gather(struct batch *batch, const struct trial_spec *spec, const char ***ids,
                  char **name, const char **reason) {
    struct needed_image needed;
    struct schedule *schedule = batch->schedule;
    struct error ignored = {0};
    *reason = NULL;
    size_t bases = spec->build != NULL ? spec->build->base_count : 0;
    *ids = calloc(spec->step_count + spec->service_count + bases + 1, sizeof **ids);
    *name =
        string_format(&ignored, "pingate-%s-%zu", schedule->options.run_id, ++schedule->volumes);
    error_clear(&ignored);
    if (*ids == NULL || *name == NULL)
        *reason = "out of memory";
    else
        *reason = spec->unfit;
    for (size_t n = 0; *reason == NULL && schedule_needed(spec, n, &needed); n++) {
        if (needed.digest == NULL)
            continue;
        const struct image_job *job = schedule_image(schedule, &needed);
        (*ids)[n] = job != NULL ? job->id : NULL;
        if (job == NULL || job->state == IMAGE_FAILED)
            *reason =
                job != NULL && job->reason != NULL ? job->reason : "its image could not be pulled";
    }
    return *reason == NULL ? 0 : -1;
}

static int run_trial(struct worker *worker, size_t index, const char *const *ids, const char *name,
                     struct error *err) {
    struct schedule *schedule = worker->batch->schedule;
    const struct trial_spec *spec = &worker->batch->specs[index];
    struct trial_report report = {worker->batch, index};
    struct trial_run run = {.engine = worker->engine,
                            .cleaner = worker->cleaner,
                            .cancel = schedule->cancel,
                            .workspace = schedule->options.workspace,
                            .labels = &schedule->labels,
                            .image_ids = ids,
                            .service_ids = ids + spec->step_count,
                            .platform = schedule->platform,
                            .name = name,
                            .keep = schedule->options.keep,
                            .check = schedule->options.check,
                            .base_ids = ids + spec->step_count + spec->service_count,
                            .keep_images = schedule->options.keep_images,
                            .names_bases = schedule->names_bases,
                            .on_build = on_build,
                            .on_built = on_built,
                            .on_command = on_command,
                            .on_left = on_left,
                            .on_kept = on_kept,
                            .context = &report};
    share_alone(worker, spec, &run);
    return schedule_attempts(worker, &run, index, err);
}

int schedule_trial(struct worker *worker, size_t index, struct error *err) {
    struct batch *batch = worker->batch;
    const struct trial_spec *spec = &batch->specs[index];
    const char **ids;
    const char *reason;
    _cleanup_(free_pointer) char *name = NULL;
    batch->taken[index] = true;
    int gathered = gather(batch, spec, &ids, &name, &reason);
    pthread_mutex_unlock(&batch->lock);
    struct schedule_event event = {.kind = SCHEDULE_TRIAL_STARTED, .trial = index, .spec = spec};
    schedule_emit(batch->schedule, &event);
    int result = 0;
    if (gathered < 0) {
        fail_trial(&batch->results[index], reason);
        batch->results[index].outcome = spec->unfit != NULL ? spec->unfit_outcome : OUTCOME_ERROR;
    }
    if (gathered == 0)
        result = run_trial(worker, index, ids, name, err);
    event.kind = SCHEDULE_TRIAL_DONE;
    event.result = &batch->results[index];
    schedule_emit(batch->schedule, &event);
    free(ids);
    pthread_mutex_lock(&batch->lock);
    return result;
}

bool schedule_images_settled(const struct batch *batch, const struct trial_spec *spec) {
    struct needed_image needed;
    for (size_t n = 0; schedule_needed(spec, n, &needed); n++) {
        const struct image_job *job =
            needed.digest != NULL ? schedule_image(batch->schedule, &needed) : NULL;
        if (job != NULL && job->state != IMAGE_READY && job->state != IMAGE_FAILED)
            return false;
    }
    return true;
}

/* A failed trial that is kept for a look can be started again, so it keeps its hosts files too. */
void schedule_alone_finish(struct batch *batch) {
    _cleanup_(error_clear) struct error why = {0};
    bool kept = false;
    for (size_t t = 0; t < batch->count && batch->schedule->options.keep; t++)
        kept = kept || batch->results[t].outcome != OUTCOME_PASSED;
    if (!kept && alone_remove(batch->schedule->cleaner, &batch->alone, &why) < 0)
        schedule_left(batch->schedule, error_message(&why));
    alone_clear(&batch->alone);
}
