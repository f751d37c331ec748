#include "runners/schedule.h"

#include <stdlib.h>

#include "runners/engine/about.h"
#include "runners/engine/build.h"
#include "runners/schedule_parts.h"
#include "runners/sweep.h"

void schedule_emit(struct schedule *schedule, const struct schedule_event *event) {
    if (schedule->options.on_event == NULL)
        return;
    pthread_mutex_lock(&schedule->event_lock);
    schedule->options.on_event(schedule->options.context, event);
    pthread_mutex_unlock(&schedule->event_lock);
}

void schedule_left(struct schedule *schedule, const char *words) {
    struct error ignored = {0};
    pthread_mutex_lock(&schedule->event_lock);
    schedule->left_count++;
    if (schedule->left == NULL)
        schedule->left = string_dup(words, &ignored);
    pthread_mutex_unlock(&schedule->event_lock);
    error_clear(&ignored);
}

int schedule_new(const struct schedule_options *options, struct schedule **out, struct error *err) {
    _cleanup_(schedule_freep) struct schedule *schedule = calloc(1, sizeof *schedule);
    if (schedule == NULL)
        return error_no_memory(err);
    schedule->options = *options;
    schedule->until.fd = -1;
    if (schedule->options.jobs == 0)
        schedule->options.jobs = SCHEDULE_JOBS_DEFAULT;
    pthread_mutex_init(&schedule->event_lock, NULL);
    schedule->cancel = options->cancel;
    if (options->end_ms > 0) {
        if (cancel_init_until(&schedule->until, options->cancel, options->end_ms, options->over,
                              err) < 0)
            return -1;
        schedule->cancel = &schedule->until;
    }
    if (labels_init(&schedule->labels, options->run_id, err) < 0 ||
        engine_open(options->engine_address, options->cancel, &schedule->engine, err) < 0 ||
        engine_open_cleaner(schedule->engine, options->cancel, &schedule->cleaner, err) < 0)
        return -1;
    schedule->words = engine_describe(schedule->engine, &schedule->platform, err);
    size_t swept;
    if (schedule->words == NULL ||
        engine_asks_for_bases(schedule->engine, &schedule->names_bases, err) < 0 ||
        sweep(schedule->cleaner, &schedule->labels, &swept, err) < 0)
        return -1;
    *out = steal(schedule);
    return 0;
}

const char *schedule_engine_words(const struct schedule *schedule) {
    return schedule->words;
}

const char *schedule_platform(const struct schedule *schedule) {
    return schedule->platform;
}

/* One turn with the lock held: does something, waits, or says that nothing is left. */
static int take_turn(struct worker *worker, bool *left, struct error *err) {
    struct batch *batch = worker->batch;
    *left = false;
    for (size_t t = 0; t < batch->count; t++) {
        if (batch->taken[t])
            continue;
        *left = true;
        if (schedule_images_settled(batch, &batch->specs[t]))
            return schedule_trial(worker, t, err);
    }
    for (size_t i = 0; i < batch->schedule->images.count; i++)
        if (batch->schedule->images.items[i].state == IMAGE_WAITING)
            return schedule_pull(worker, i, err);
    if (*left)
        pthread_cond_wait(&batch->changed, &batch->lock);
    return 0;
}

int worker_open(struct worker *worker, struct error *err) {
    const struct schedule *schedule = worker->batch->schedule;
    return engine_open_another(schedule->engine, schedule->cancel, &worker->engine, err) < 0
               ? -1
               : engine_open_cleaner(schedule->engine, schedule->options.cancel, &worker->cleaner,
                                     err);
}

void worker_close(struct worker *worker) {
    engine_freep(&worker->cleaner);
    engine_freep(&worker->engine);
}

size_t schedule_run_threads(size_t wanted, void *(*work)(void *context), void *context) {
    pthread_t *threads = calloc(wanted, sizeof *threads);
    size_t started = 0;
    while (threads != NULL && started < wanted &&
           pthread_create(&threads[started], NULL, work, context) == 0)
        started++;
    for (size_t i = 0; i < started; i++)
        pthread_join(threads[i], NULL);
    free(threads);
    return started;
}

static void *work(void *context) {
    struct batch *batch = context;
    struct schedule *schedule = batch->schedule;
    struct error err = {0};
    struct worker worker = {.batch = batch};
    int result = worker_open(&worker, &err);
    pthread_mutex_lock(&batch->lock);
    bool left = true;
    while (result == 0 && left && batch->fatal.kind == ERROR_NONE) {
        result = cancel_check(schedule->cancel, &err);
        if (result == 0)
            result = take_turn(&worker, &left, &err);
        pthread_cond_broadcast(&batch->changed);
    }
    if (result < 0 && batch->fatal.kind == ERROR_NONE)
        error_move(&batch->fatal, &err);
    error_clear(&err);
    pthread_cond_broadcast(&batch->changed);
    pthread_mutex_unlock(&batch->lock);
    worker_close(&worker);
    return NULL;
}

int schedule_run(struct schedule *schedule, const struct trial_spec *specs,
                 struct trial_result *results, size_t count, struct error *err) {
    struct batch batch = {.schedule = schedule, .specs = specs, .results = results, .count = count};
    batch.taken = calloc(count + 1, sizeof *batch.taken);
    if (batch.taken == NULL)
        return error_no_memory(err);
    if (schedule_images_add(&batch, err) < 0) {
        free(batch.taken);
        return -1;
    }
    pthread_mutex_init(&batch.lock, NULL);
    pthread_cond_init(&batch.changed, NULL);
    pthread_mutex_init(&batch.alone_lock, NULL);
    size_t most = schedule->images.count > count ? schedule->images.count : count;
    size_t wanted = most < schedule->options.jobs ? most : schedule->options.jobs;
    if (count > 0 && schedule_run_threads(wanted, work, &batch) == 0)
        error_set(&batch.fatal, ERROR_IO, "no thread could be started");
    for (size_t i = 0; i < count; i++)
        if (!batch.taken[i])
            schedule_trial_not_run(&results[i], &batch.fatal);
    if (batch.fatal.kind == ERROR_CANCELLED && cancel_is_over(schedule->cancel)) {
        for (size_t i = 0; i < count; i++)
            results[i].cut = results[i].cut || !batch.taken[i];
        error_clear(&batch.fatal);
    }
    schedule_alone_finish(&batch);
    pthread_mutex_destroy(&batch.alone_lock);
    pthread_cond_destroy(&batch.changed);
    pthread_mutex_destroy(&batch.lock);
    free(batch.taken);
    return batch.fatal.kind != ERROR_NONE ? error_move(err, &batch.fatal) : 0;
}

const struct string_list *schedule_kept(const struct schedule *schedule) {
    return &schedule->kept;
}

/* What an engine did not remove when it was asked, it may by now: it was busy, or away for a while. */
static void remove_what_stayed(struct schedule *schedule) {
    _cleanup_(error_clear) struct error ignored = {0};
    if (schedule->left_count > 0 && !schedule->options.keep &&
        sweep_own(schedule->cleaner, &schedule->labels, &ignored) == 0)
        schedule->left_count = 0;
}

int schedule_finish(struct schedule *schedule, struct error *err) {
    _cleanup_(error_clear) struct error unreleased = {0};
    int result = schedule_release_images(schedule, &unreleased);
    remove_what_stayed(schedule);
    if (schedule->left_count > 0)
        result = error_set(err, ERROR_ENGINE,
                           "%zu thing%s stayed in the engine, which the next run on it removes: %s",
                           schedule->left_count, schedule->left_count == 1 ? "" : "s",
                           schedule->left != NULL ? schedule->left : "");
    else if (result < 0)
        error_move(err, &unreleased);
    schedule_freep(&schedule);
    return result;
}

void schedule_freep(struct schedule **schedule) {
    if (*schedule == NULL)
        return;
    struct schedule *s = *schedule;
    schedule_images_clear(&s->images);
    engine_freep(&s->engine);
    engine_freep(&s->cleaner);
    labels_clear(&s->labels);
    cancel_clear(&s->until);
    string_list_clear(&s->kept);
    free(s->words);
    free(s->platform);
    free(s->left);
    pthread_mutex_destroy(&s->event_lock);
    free(s);
    *schedule = NULL;
}
