#include "runners/schedule.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "gate/base/clock.h"
#include "gate/base/trace.h"
#include "runners/engine/image.h"
#include "runners/sweep.h"
#include "runners/trial_run.h"

#define PROGRESS_EVERY_MS 100 /* events of one pull's progress */

enum image_state { IMAGE_WAITING, IMAGE_PULLING, IMAGE_READY, IMAGE_FAILED };

struct image_job {
    char *image, *digest;
    enum image_state state;
    bool was_there;
    char *id;     /* when ready */
    char *reason; /* when failed */
};

struct image_list {
    struct image_job *items;
    size_t count;
    size_t capacity;
};

struct schedule {
    struct schedule_options options;
    struct labels labels;
    struct engine *engine;  /* of the thread that owns the schedule */
    struct engine *cleaner; /* obeys no cancel */
    char *words, *platform;
    struct image_list images;
    size_t volumes; /* made so far, for names */
    pthread_mutex_t event_lock;
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
        engine_open(engine_address(schedule->engine), NULL, &schedule->cleaner, err) < 0)
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

static int pull(struct batch *batch, struct engine *engine, const char *image, const char *digest,
                char **id, bool *was_there, struct error *err) {
    struct schedule *schedule = batch->schedule;
    _cleanup_(free_pointer) char *name = string_format(err, "%s@%s", image, digest);
    if (name == NULL || image_find(engine, image, digest, id, err) < 0)
        return -1;
    *was_there = *id != NULL;
    struct schedule_event done = {
        .kind = SCHEDULE_PULL_DONE, .image = name, .was_there = *was_there};
    if (*was_there) {
        emit(schedule, &done);
        return 0;
    }
    struct schedule_event begun = {.kind = SCHEDULE_PULL_STARTED, .image = name};
    emit(schedule, &begun);
    _cleanup_(credential_clear) struct credential credential = {0};
    int result = 0;
    pthread_mutex_lock(&batch->lock); /* the store is not made for threads */
    result = credentials_find(schedule->options.credentials, image, &credential, err);
    pthread_mutex_unlock(&batch->lock);
    struct pull_report report = {schedule, name, 0};
    struct image_progress progress = {on_pull_bytes, &report};
    if (result == 0)
        result = image_pull(engine, image, digest, &credential, &progress, id, err);
    done.error = result < 0 ? error_message(err) : NULL;
    emit(schedule, &done);
    return result;
}

/* With the lock held on entry and exit. Images do not move while a batch runs: the list is complete before it starts. */
static int work_on_image(struct batch *batch, struct engine *engine, struct image_job *job,
                         struct error *err) {
    job->state = IMAGE_PULLING;
    pthread_mutex_unlock(&batch->lock);
    char *id = NULL;
    bool was_there = false;
    int result = pull(batch, engine, job->image, job->digest, &id, &was_there, err);
    pthread_mutex_lock(&batch->lock);
    job->was_there = was_there;
    job->id = id;
    job->state = result == 0 ? IMAGE_READY : IMAGE_FAILED;
    if (result < 0 && err->kind != ERROR_CANCELLED) {
        struct error ignored = {0};
        job->reason = string_dup(error_message(err), &ignored);
        error_clear(&ignored);
        error_clear(err);
        result = 0;
    }
    return result;
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

static void fail_trial(struct trial_result *result, enum outcome outcome, const char *reason) {
    struct error ignored = {0};
    trial_result_clear(result);
    result->outcome = outcome;
    result->started_ms = clock_now_ms();
    result->reason = string_dup(reason, &ignored);
    error_clear(&ignored);
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
        ids[s] = job->id;
        if (job->state == IMAGE_FAILED && failure == NULL)
            failure = job->reason != NULL ? job->reason : "its image could not be pulled";
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
        struct trial_run run = {.engine = engine,
                                .cleaner = cleaner,
                                .workspace = schedule->options.workspace,
                                .labels = &schedule->labels,
                                .image_ids = ids,
                                .name = name,
                                .keep = schedule->options.keep,
                                .on_command = on_command,
                                .context = &report};
        result = trial_run(&run, spec, &batch->results[index], err);
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
        enum image_state state =
            find_image(batch->schedule, spec->steps[s].image, spec->steps[s].digest)->state;
        if (state != IMAGE_READY && state != IMAGE_FAILED)
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
            return work_on_image(batch, engine, &batch->schedule->images.items[i], err);
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
        result = engine_open(address, NULL, &cleaner, &err);
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
    size_t wanted = schedule->options.jobs;
    if (run_workers(&batch, wanted) == 0)
        error_set(&batch.fatal, ERROR_IO, "no thread could be started");
    for (size_t i = 0; i < count; i++)
        if (!batch.taken[i])
            fail_trial(&results[i], OUTCOME_SKIPPED, error_message(&batch.fatal));
    /* a pull that was cut short may be tried again by a later call */
    for (size_t i = 0; i < schedule->images.count; i++)
        if (schedule->images.items[i].state == IMAGE_PULLING)
            schedule->images.items[i].state = IMAGE_WAITING;
    pthread_cond_destroy(&batch.changed);
    pthread_mutex_destroy(&batch.lock);
    free(batch.taken);
    return batch.fatal.kind != ERROR_NONE ? error_move(err, &batch.fatal) : 0;
}

int schedule_finish(struct schedule *schedule, struct error *err) {
    int result = 0;
    for (size_t i = 0; i < schedule->images.count && !schedule->options.keep_images; i++) {
        const struct image_job *job = &schedule->images.items[i];
        if (job->was_there || job->id == NULL)
            continue;
        struct error why = {0};
        if (image_remove(schedule->cleaner, job->image, job->digest, &why) < 0)
            result = error_move(err, &why);
    }
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
    }
    free(s->images.items);
    engine_freep(&s->engine);
    engine_freep(&s->cleaner);
    labels_clear(&s->labels);
    free(s->words);
    free(s->platform);
    pthread_mutex_destroy(&s->event_lock);
    free(s);
    *schedule = NULL;
}
