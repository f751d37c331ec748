#include "runners/schedule.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gate/base/clock.h"
#include "gate/base/trace.h"
#include "runners/engine/image.h"
#include "runners/pulled.h"
#include "runners/sweep.h"
#include "runners/trial_run.h"

#define PROGRESS_EVERY_MS 100 /* events of one pull's progress */
#define FINISH_THREADS    7   /* beside the calling one, that remove images */

enum image_state { IMAGE_WAITING, IMAGE_PULLING, IMAGE_READY, IMAGE_FAILED };

struct image_job {
    char *image, *digest;
    enum image_state state;
    bool was_there;
    char *id;     /* when ready */
    char *reason; /* when failed */
    char *mark;   /* of pulled.h; NULL where the image is not this run's to remove */
};

struct image_list {
    struct image_job *items;
    size_t count;
    size_t capacity;
};

struct schedule {
    struct schedule_options options;
    struct labels labels;
    struct engine *engine; /* of the thread that owns the schedule */
    struct engine *cleaner;
    char *words, *platform;
    struct image_list images;
    size_t volumes; /* made so far, for names */
    bool alone_asked,
        alone_possible; /* whether containers may be without a network the quick way */
    size_t alone_count; /* made so far, for names */
    pthread_mutex_t event_lock;
    char *left;        /* the first thing that could not be removed; under event_lock */
    size_t left_count; /* of them all */
};

/* One call of schedule_run, shared by its workers under one lock. */
struct batch {
    struct schedule *schedule;
    const struct trial_spec *specs;
    struct trial_result *results;
    size_t count;
    bool *taken;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct error fatal; /* the first that ended a worker */
    pthread_mutex_t
        alone_lock; /* held while the first worker makes it; never with the other lock inside */
    struct alone alone;
    bool alone_tried;
    size_t alone_used; /* of its files */
};

static void emit(struct schedule *schedule, const struct schedule_event *event) {
    if (schedule->options.on_event == NULL)
        return;
    pthread_mutex_lock(&schedule->event_lock);
    schedule->options.on_event(schedule->options.context, event);
    pthread_mutex_unlock(&schedule->event_lock);
}

int schedule_new(const struct schedule_options *options, struct schedule **out, struct error *err) {
    _cleanup_(schedule_freep) struct schedule *schedule = calloc(1, sizeof *schedule);
    if (schedule == NULL)
        return error_no_memory(err);
    schedule->options = *options;
    if (schedule->options.jobs == 0)
        schedule->options.jobs = SCHEDULE_JOBS_DEFAULT;
    pthread_mutex_init(&schedule->event_lock, NULL);
    if (labels_init(&schedule->labels, options->run_id, err) < 0 ||
        engine_open(options->engine_address, options->cancel, &schedule->engine, err) < 0 ||
        engine_open_cleaner(engine_address(schedule->engine), options->cancel, &schedule->cleaner,
                            err) < 0)
        return -1;
    schedule->words = engine_describe(schedule->engine, &schedule->platform, err);
    size_t swept;
    if (schedule->words == NULL || sweep(schedule->cleaner, &schedule->labels, &swept, err) < 0)
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

static struct image_job *find_image(struct schedule *schedule, const char *image,
                                    const char *digest) {
    for (size_t i = 0; i < schedule->images.count; i++) {
        struct image_job *job = &schedule->images.items[i];
        if (strcmp(job->image, image) == 0 && strcmp(job->digest, digest) == 0)
            return job;
    }
    return NULL;
}

static int add_images(struct batch *batch, struct error *err) {
    struct schedule *schedule = batch->schedule;
    for (size_t t = 0; t < batch->count; t++)
        for (size_t s = 0; s < batch->specs[t].step_count; s++) {
            const struct trial_step *step = &batch->specs[t].steps[s];
            if (find_image(schedule, step->image, step->digest) != NULL)
                continue;
            struct image_job *job = array_add(&schedule->images, err);
            if (job == NULL || (job->image = string_dup(step->image, err)) == NULL ||
                (job->digest = string_dup(step->digest, err)) == NULL)
                return -1;
        }
    return 0;
}

/* Pulls. */

struct pull_report {
    struct schedule *schedule;
    const char *name;
    int64_t last_ms;
};

static void on_pull_bytes(void *context, int64_t done, int64_t total) {
    struct pull_report *report = context;
    int64_t now_ms = clock_monotonic_ms();
    if (now_ms - report->last_ms < PROGRESS_EVERY_MS)
        return;
    report->last_ms = now_ms;
    struct schedule_event event = {
        .kind = SCHEDULE_PULL_PROGRESS, .image = report->name, .bytes = done, .bytes_total = total};
    emit(report->schedule, &event);
}

/* Marks the image as one that this run removes, before anything is pulled. */
static int mark_pulled(struct batch *batch, struct engine *cleaner, size_t number,
                       const char *reference, char **mark, struct error *err) {
    struct schedule *schedule = batch->schedule;
    if (schedule->options.keep_images || *mark != NULL)
        return 0;
    *mark = string_format(err, "pingate-%s-image-%zu", schedule->options.run_id, number + 1);
    if (*mark == NULL || cancel_check(schedule->options.cancel, err) < 0)
        return -1;
    return volume_create(cleaner, *mark, &schedule->labels, reference, err);
}

/* An image that is there: before all runs, or by another run that may remove it at any moment. */
static int share_image(struct batch *batch, struct engine *engine, struct engine *cleaner,
                       size_t number, const char *reference, struct image_job *job,
                       struct error *err) {
    size_t others;
    if (pulled_count_others(engine, &batch->schedule->labels, reference, &others, err) < 0)
        return -1;
    if (others == 0)
        return 0;
    if (mark_pulled(batch, cleaner, number, reference, &job->mark, err) < 0)
        return -1;
    free(job->id);
    return image_find(engine, job->image, job->digest, &job->id, err);
}

static int pull(struct batch *batch, struct engine *engine, struct engine *cleaner, size_t number,
                struct image_job *job, struct error *err) {
    struct schedule *schedule = batch->schedule;
    _cleanup_(free_pointer) char *name = string_format(err, "%s@%s", job->image, job->digest);
    if (name == NULL || image_find(engine, job->image, job->digest, &job->id, err) < 0 ||
        (job->id != NULL && share_image(batch, engine, cleaner, number, name, job, err) < 0))
        return -1;
    job->was_there = job->id != NULL;
    struct schedule_event done = {
        .kind = SCHEDULE_PULL_DONE, .image = name, .was_there = job->was_there};
    if (job->was_there) {
        emit(schedule, &done);
        return 0;
    }
    struct schedule_event begun = {.kind = SCHEDULE_PULL_STARTED, .image = name};
    emit(schedule, &begun);
    _cleanup_(credential_clear) struct credential credential = {0};
    int result = mark_pulled(batch, cleaner, number, name, &job->mark, err);
    pthread_mutex_lock(&batch->lock); /* the store is not made for threads */
    if (result == 0)
        result = credentials_find(schedule->options.credentials, job->image, &credential, err);
    pthread_mutex_unlock(&batch->lock);
    struct pull_report report = {schedule, name, 0};
    struct image_progress progress = {on_pull_bytes, &report};
    if (result == 0)
        result = image_pull(engine, job->image, job->digest, &credential, &progress, &job->id, err);
    done.error = result < 0 ? error_message(err) : NULL;
    emit(schedule, &done);
    return result;
}

/* With the lock held on entry and exit. Images do not move while a batch runs: the list is complete before it starts. */
static int work_on_image(struct batch *batch, struct engine *engine, struct engine *cleaner,
                         size_t number, struct error *err) {
    struct image_job *job = &batch->schedule->images.items[number];
    job->state = IMAGE_PULLING;
    pthread_mutex_unlock(&batch->lock);
    /* what others read is set with the lock held */
    struct image_job own = {.image = job->image, .digest = job->digest, .mark = job->mark};
    job->mark = NULL;
    int result = pull(batch, engine, cleaner, number, &own, err);
    pthread_mutex_lock(&batch->lock);
    own.state = result == 0 ? IMAGE_READY : IMAGE_FAILED;
    *job = own;
    if (result == 0)
        return 0;
    struct error ignored = {0};
    job->reason = string_dup(error_message(err), &ignored);
    error_clear(&ignored);
    if (err->kind == ERROR_CANCELLED)
        return -1;
    error_clear(err);
    return 0;
}

/* Trials. */

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
    emit(report->batch->schedule, &event);
}

/* From any thread. */
static void on_left(void *context, const char *words) {
    struct trial_report *report = context;
    struct schedule *schedule = report->batch->schedule;
    struct error ignored = {0};
    pthread_mutex_lock(&schedule->event_lock);
    schedule->left_count++;
    if (schedule->left == NULL)
        schedule->left = string_dup(words, &ignored);
    pthread_mutex_unlock(&schedule->event_lock);
    error_clear(&ignored);
}

static void fail_trial(struct trial_result *result, enum outcome outcome, const char *reason) {
    struct error ignored = {0};
    trial_result_clear(result);
    result->outcome = outcome;
    result->started_ms = clock_now_ms();
    result->reason = string_dup(reason, &ignored);
    error_clear(&ignored);
}

static int make_alone(struct batch *batch, struct engine *engine, struct engine *cleaner,
                      const char *image_id, struct error *err) {
    struct schedule *schedule = batch->schedule;
    if (!schedule->alone_asked && alone_possible(engine, &schedule->alone_possible, err) < 0)
        return -1;
    schedule->alone_asked = true;
    if (!schedule->alone_possible)
        return 0;
    size_t count = 0;
    for (size_t t = 0; t < batch->count; t++)
        count += batch->specs[t].step_count;
    _cleanup_(free_pointer) char *name = string_format(
        err, "pingate-%s-hosts-%zu", schedule->options.run_id, ++schedule->alone_count);
    if (name == NULL || cancel_check(schedule->options.cancel, err) < 0)
        return -1;
    return alone_make(engine, cleaner, name, &schedule->labels, image_id, count, &batch->alone,
                      err);
}

/* The first who needs it makes it, with its own image. Where it cannot be had, the engine makes the namespaces. */
static const struct alone *share_alone(struct batch *batch, struct engine *engine,
                                       struct engine *cleaner, const struct trial_spec *spec,
                                       const char *image_id, size_t *first) {
    if (spec->test->network || spec->step_count == 0)
        return NULL;
    _cleanup_(error_clear) struct error why = {0};
    pthread_mutex_lock(&batch->alone_lock);
    if (!batch->alone_tried && make_alone(batch, engine, cleaner, image_id, &why) < 0)
        trace(TRACE_ENGINE, "the engine makes the namespaces: %s", error_message(&why));
    batch->alone_tried = true;
    *first = batch->alone_used;
    batch->alone_used += spec->step_count;
    bool made = batch->alone.folder != NULL;
    pthread_mutex_unlock(&batch->alone_lock);
    return made ? &batch->alone : NULL;
}

/* With the lock held on entry and exit. */
static int work_on_trial(struct batch *batch, struct engine *engine, struct engine *cleaner,
                         size_t index, struct error *err) {
    struct schedule *schedule = batch->schedule;
    const struct trial_spec *spec = &batch->specs[index];
    batch->taken[index] = true;
    const char *failure = NULL;
    const char **ids = calloc(spec->step_count + 1, sizeof *ids);
    for (size_t s = 0; ids != NULL && s < spec->step_count; s++) {
        const struct image_job *job =
            find_image(schedule, spec->steps[s].image, spec->steps[s].digest);
        ids[s] = job != NULL ? job->id : NULL;
        if (failure == NULL && (job == NULL || job->state == IMAGE_FAILED))
            failure =
                job != NULL && job->reason != NULL ? job->reason : "its image could not be pulled";
    }
    char *name =
        string_format(err, "pingate-%s-%zu", schedule->options.run_id, ++schedule->volumes);
    pthread_mutex_unlock(&batch->lock);
    struct schedule_event event = {.kind = SCHEDULE_TRIAL_STARTED, .trial = index, .spec = spec};
    emit(schedule, &event);
    int result = 0;
    if (ids == NULL || name == NULL) {
        fail_trial(&batch->results[index], OUTCOME_ERROR, "out of memory");
    } else if (failure != NULL) {
        fail_trial(&batch->results[index], OUTCOME_ERROR, failure);
    } else {
        struct trial_report report = {batch, index};
        size_t first = 0;
        const struct alone *alone = share_alone(batch, engine, cleaner, spec, ids[0], &first);
        struct trial_run run = {.engine = engine,
                                .cleaner = cleaner,
                                .cancel = schedule->options.cancel,
                                .workspace = schedule->options.workspace,
                                .labels = &schedule->labels,
                                .image_ids = ids,
                                .name = name,
                                .alone = alone,
                                .alone_first = first,
                                .keep = schedule->options.keep,
                                .on_command = on_command,
                                .on_left = on_left,
                                .context = &report};
        result = trial_run(&run, spec, &batch->results[index], err);
        /* an engine that is gone ends the run at once, and not trial by trial, each with its time-outs */
        if (result == 0 && batch->results[index].outcome == OUTCOME_ERROR)
            result = engine_ping(engine, err);
    }
    event.kind = SCHEDULE_TRIAL_DONE;
    event.result = &batch->results[index];
    emit(schedule, &event);
    free(ids);
    free(name);
    pthread_mutex_lock(&batch->lock);
    return result;
}

static bool images_settled(const struct batch *batch, const struct trial_spec *spec) {
    for (size_t s = 0; s < spec->step_count; s++) {
        const struct image_job *job =
            find_image(batch->schedule, spec->steps[s].image, spec->steps[s].digest);
        if (job != NULL && job->state != IMAGE_READY && job->state != IMAGE_FAILED)
            return false;
    }
    return true;
}

/* One turn with the lock held: does something, waits, or says that nothing is left. */
static int take_turn(struct batch *batch, struct engine *engine, struct engine *cleaner, bool *left,
                     struct error *err) {
    *left = false;
    for (size_t t = 0; t < batch->count; t++) {
        if (batch->taken[t])
            continue;
        *left = true;
        if (images_settled(batch, &batch->specs[t]))
            return work_on_trial(batch, engine, cleaner, t, err);
    }
    for (size_t i = 0; i < batch->schedule->images.count; i++)
        if (batch->schedule->images.items[i].state == IMAGE_WAITING)
            return work_on_image(batch, engine, cleaner, i, err);
    if (*left)
        pthread_cond_wait(&batch->changed, &batch->lock);
    return 0;
}

static void *work(void *context) {
    struct batch *batch = context;
    struct schedule *schedule = batch->schedule;
    struct error err = {0};
    _cleanup_(engine_freep) struct engine *engine = NULL;
    _cleanup_(engine_freep) struct engine *cleaner = NULL;
    const char *address = engine_address(schedule->engine);
    int result = engine_open(address, schedule->options.cancel, &engine, &err);
    if (result == 0)
        result = engine_open_cleaner(address, schedule->options.cancel, &cleaner, &err);
    pthread_mutex_lock(&batch->lock);
    bool left = true;
    while (result == 0 && left && batch->fatal.kind == ERROR_NONE) {
        result = cancel_check(schedule->options.cancel, &err);
        if (result == 0)
            result = take_turn(batch, engine, cleaner, &left, &err);
        pthread_cond_broadcast(&batch->changed);
    }
    if (result < 0 && batch->fatal.kind == ERROR_NONE)
        error_move(&batch->fatal, &err);
    error_clear(&err);
    pthread_cond_broadcast(&batch->changed);
    pthread_mutex_unlock(&batch->lock);
    return NULL;
}

static size_t run_workers(struct batch *batch, size_t wanted) {
    pthread_t *threads = calloc(wanted, sizeof *threads);
    size_t started = 0;
    while (threads != NULL && started < wanted &&
           pthread_create(&threads[started], NULL, work, batch) == 0)
        started++;
    for (size_t i = 0; i < started; i++)
        pthread_join(threads[i], NULL);
    free(threads);
    return started;
}

/* A failed trial that is kept for a look can be started again, so it keeps its hosts files too. */
static void finish_alone(struct batch *batch) {
    struct trial_report report = {.batch = batch};
    _cleanup_(error_clear) struct error why = {0};
    bool kept = false;
    for (size_t t = 0; t < batch->count && batch->schedule->options.keep; t++)
        kept = kept || batch->results[t].outcome != OUTCOME_PASSED;
    if (!kept && alone_remove(batch->schedule->cleaner, &batch->alone, &why) < 0)
        on_left(&report, error_message(&why));
    alone_clear(&batch->alone);
}

/* It was to be run, and nothing is known of it: no ordinary skip. */
static void fail_not_run(struct trial_result *result, const struct error *why) {
    char reason[800];
    snprintf(reason, sizeof reason, "not run: %s", error_message(why));
    fail_trial(result, OUTCOME_ERROR, reason);
}

int schedule_run(struct schedule *schedule, const struct trial_spec *specs,
                 struct trial_result *results, size_t count, struct error *err) {
    struct batch batch = {.schedule = schedule, .specs = specs, .results = results, .count = count};
    batch.taken = calloc(count + 1, sizeof *batch.taken);
    if (batch.taken == NULL)
        return error_no_memory(err);
    if (add_images(&batch, err) < 0) {
        free(batch.taken);
        return -1;
    }
    pthread_mutex_init(&batch.lock, NULL);
    pthread_cond_init(&batch.changed, NULL);
    pthread_mutex_init(&batch.alone_lock, NULL);
    size_t most = schedule->images.count > count ? schedule->images.count : count;
    size_t wanted = most < schedule->options.jobs ? most : schedule->options.jobs;
    if (count > 0 && run_workers(&batch, wanted) == 0)
        error_set(&batch.fatal, ERROR_IO, "no thread could be started");
    for (size_t i = 0; i < count; i++)
        if (!batch.taken[i])
            fail_not_run(&results[i], &batch.fatal);
    finish_alone(&batch);
    pthread_mutex_destroy(&batch.alone_lock);
    pthread_cond_destroy(&batch.changed);
    pthread_mutex_destroy(&batch.lock);
    free(batch.taken);
    return batch.fatal.kind != ERROR_NONE ? error_move(err, &batch.fatal) : 0;
}

/* Clean-up. An image takes an engine long to remove, and after a signal there are few seconds. */

struct finish {
    struct schedule *schedule;
    pthread_mutex_t lock;
    size_t next;
    struct error error; /* the first */
};

static void release_image(struct finish *finish, struct engine *cleaner,
                          const struct image_job *job) {
    _cleanup_(error_clear) struct error why = {0};
    _cleanup_(free_pointer) char *name = string_format(&why, "%s@%s", job->image, job->digest);
    if (name != NULL &&
        pulled_release(cleaner, &finish->schedule->labels, job->mark, name, &why) == 0)
        return;
    error_wrap(&why, "image %s@%s could not be removed", job->image, job->digest);
    pthread_mutex_lock(&finish->lock);
    if (finish->error.kind == ERROR_NONE)
        error_move(&finish->error, &why);
    pthread_mutex_unlock(&finish->lock);
}

static void release_images(struct finish *finish, struct engine *cleaner) {
    const struct image_list *images = &finish->schedule->images;
    for (;;) {
        pthread_mutex_lock(&finish->lock);
        size_t at = finish->next++;
        pthread_mutex_unlock(&finish->lock);
        if (at >= images->count)
            return;
        if (images->items[at].mark != NULL)
            release_image(finish, cleaner, &images->items[at]);
    }
}

static void *finish_beside(void *context) {
    struct finish *finish = context;
    struct schedule *schedule = finish->schedule;
    _cleanup_(error_clear) struct error ignored = {0}; /* the first thread does it all then */
    _cleanup_(engine_freep) struct engine *cleaner = NULL;
    if (engine_open_cleaner(engine_address(schedule->engine), schedule->options.cancel, &cleaner,
                            &ignored) == 0)
        release_images(finish, cleaner);
    return NULL;
}

int schedule_finish(struct schedule *schedule, struct error *err) {
    struct finish finish = {.schedule = schedule};
    pthread_t threads[FINISH_THREADS];
    size_t started = 0;
    size_t marked = 0;
    for (size_t i = 0; i < schedule->images.count; i++)
        marked += schedule->images.items[i].mark != NULL ? 1 : 0;
    pthread_mutex_init(&finish.lock, NULL);
    while (started < FINISH_THREADS && started + 1 < marked &&
           pthread_create(&threads[started], NULL, finish_beside, &finish) == 0)
        started++;
    release_images(&finish, schedule->cleaner);
    for (size_t i = 0; i < started; i++)
        pthread_join(threads[i], NULL);
    pthread_mutex_destroy(&finish.lock);
    int result = 0;
    if (schedule->left_count > 0)
        result = error_set(err, ERROR_ENGINE,
                           "%zu thing%s stayed in the engine, which the next run on it removes: %s",
                           schedule->left_count, schedule->left_count == 1 ? "" : "s",
                           schedule->left != NULL ? schedule->left : "");
    else if (finish.error.kind != ERROR_NONE)
        result = error_move(err, &finish.error);
    error_clear(&finish.error);
    schedule_freep(&schedule);
    return result;
}

void schedule_freep(struct schedule **schedule) {
    if (*schedule == NULL)
        return;
    struct schedule *s = *schedule;
    for (size_t i = 0; i < s->images.count; i++) {
        free(s->images.items[i].image);
        free(s->images.items[i].digest);
        free(s->images.items[i].id);
        free(s->images.items[i].reason);
        free(s->images.items[i].mark);
    }
    free(s->images.items);
    engine_freep(&s->engine);
    engine_freep(&s->cleaner);
    labels_clear(&s->labels);
    free(s->words);
    free(s->platform);
    free(s->left);
    pthread_mutex_destroy(&s->event_lock);
    free(s);
    *schedule = NULL;
}
