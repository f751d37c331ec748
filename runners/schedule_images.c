#include "runners/schedule_parts.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "gate/base/clock.h"
#include "gate/base/trace.h"
#include "runners/engine/image.h"
#include "runners/engine/volume.h"
#include "runners/pulled.h"

#define PROGRESS_EVERY_MS 100 /* events of one pull's progress */
#define FINISH_THREADS    7   /* beside the calling one, that remove images */

bool schedule_needed(const struct trial_spec *spec, size_t number, struct needed_image *out) {
    if (number < spec->step_count) {
        const struct trial_step *step = &spec->steps[number];
        *out =
            (struct needed_image){step->image, trial_step_digest(step), spec->test->platform, NULL};
        return true;
    }
    number -= spec->step_count;
    if (number < spec->service_count) {
        const struct trial_service *service = &spec->services[number];
        *out = (struct needed_image){service->image, service->digest, NULL, service->service->name};
        return true;
    }
    number -= spec->service_count;
    if (spec->build == NULL || number >= spec->build->base_count)
        return false;
    const struct trial_step *base = &spec->build->bases[number].image;
    *out = (struct needed_image){base->image, trial_step_digest(base), spec->test->platform, NULL};
    return true;
}

struct image_job *schedule_image_of(struct schedule *schedule, const char *image,
                                    const char *digest) {
    for (size_t i = 0; i < schedule->images.count; i++) {
        struct image_job *job = &schedule->images.items[i];
        if (strcmp(job->image, image) == 0 && strcmp(job->digest, digest) == 0)
            return job;
    }
    return NULL;
}

struct image_job *schedule_image(struct schedule *schedule, const struct needed_image *needed) {
    return schedule_image_of(schedule, needed->image, needed->digest);
}

int schedule_image_add(struct schedule *schedule, const struct needed_image *needed,
                       struct error *err) {
    if (schedule_image(schedule, needed) != NULL)
        return 0;
    struct image_job *job = array_add(&schedule->images, err);
    return job == NULL || (job->image = string_dup(needed->image, err)) == NULL ||
                   (job->digest = string_dup(needed->digest, err)) == NULL
               ? -1
               : string_copy(needed->platform, &job->platform, err);
}

int schedule_images_add(struct batch *batch, struct error *err) {
    for (size_t t = 0; t < batch->count; t++) {
        struct needed_image needed;
        for (size_t n = 0;
             batch->specs[t].unfit == NULL && schedule_needed(&batch->specs[t], n, &needed); n++)
            if (needed.digest != NULL && schedule_image_add(batch->schedule, &needed, err) < 0)
                return -1;
    }
    return 0;
}

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
    schedule_emit(report->schedule, &event);
}

/* Marks the image as one that this run removes, before anything is pulled. */
static int mark_pulled(const struct worker *worker, size_t number, const char *reference,
                       char **mark, struct error *err) {
    struct schedule *schedule = worker->batch->schedule;
    if (schedule->options.keep_images || *mark != NULL)
        return 0;
    *mark = string_format(err, "pingate-%s-image-%zu", schedule->options.run_id, number + 1);
    if (*mark == NULL || cancel_check(schedule->cancel, err) < 0)
        return -1;
    return volume_create(worker->cleaner, *mark, &schedule->labels, reference, err);
}

/* An image that is there: before all runs, or by another run that may remove it at any moment. */
static int share_image(const struct worker *worker, size_t number, const char *reference,
                       struct image_job *job, struct error *err) {
    size_t others;
    if (pulled_count_others(worker->engine, &worker->batch->schedule->labels, reference, &others,
                            err) < 0)
        return -1;
    if (others == 0)
        return 0;
    if (mark_pulled(worker, number, reference, &job->mark, err) < 0)
        return -1;
    free(job->id);
    return image_find(worker->engine, job->image, job->digest, &job->id, err);
}

/* Whether the way may have been at fault, or a registry for a moment: a refusal stays one. The engine's words are all it tells. */
static bool may_pull_again(const struct schedule *schedule, const struct error *why) {
    static const char *const passing[] = {"reset by peer", "EOF",         "i/o timeout",
                                          "TLS handshake", "broken pipe", " 500",
                                          " 502",          " 503",        " 504"};
    bool may = why->kind == ERROR_NETWORK || why->kind == ERROR_PROTOCOL;
    for (size_t i = 0; why->kind == ERROR_ENGINE && i < sizeof passing / sizeof *passing; i++)
        may = may || strstr(error_message(why), passing[i]) != NULL;
    if (!may)
        return false;
    trace(TRACE_ENGINE, "tried again in %d ms: %s", SCHEDULE_PULL_PAUSE_MS, error_message(why));
    struct pollfd ends = {.fd = cancel_fd(schedule->cancel), .events = POLLIN};
    return poll(&ends, ends.fd >= 0 ? 1 : 0, SCHEDULE_PULL_PAUSE_MS) == 0;
}

static int pull(const struct worker *worker, size_t number, struct image_job *job,
                struct error *err) {
    struct batch *batch = worker->batch;
    struct schedule *schedule = batch->schedule;
    _cleanup_(free_pointer) char *name = string_format(err, "%s@%s", job->image, job->digest);
    if (name == NULL || image_find(worker->engine, job->image, job->digest, &job->id, err) < 0 ||
        (job->id != NULL && share_image(worker, number, name, job, err) < 0))
        return -1;
    struct schedule_event done = {
        .kind = SCHEDULE_PULL_DONE, .image = name, .was_there = job->id != NULL};
    if (done.was_there) {
        schedule_emit(schedule, &done);
        return 0;
    }
    struct schedule_event begun = {.kind = SCHEDULE_PULL_STARTED, .image = name};
    schedule_emit(schedule, &begun);
    _cleanup_(credential_clear) struct credential credential = {0};
    int result = mark_pulled(worker, number, name, &job->mark, err);
    pthread_mutex_lock(&batch->lock); /* the store is not made for threads */
    if (result == 0)
        result = credentials_find(schedule->options.credentials, job->image, &credential, err);
    pthread_mutex_unlock(&batch->lock);
    struct pull_report report = {schedule, name, 0};
    struct image_progress progress = {on_pull_bytes, &report};
    for (int attempt = 1; result == 0; attempt++) {
        result = image_pull(worker->engine, job->image, job->digest, job->platform, &credential,
                            &progress, &job->id, err);
        if (result == 0 || attempt == 2 || !may_pull_again(schedule, err))
            break;
        error_clear(err);
        result = 0;
    }
    done.error = result < 0 ? error_message(err) : NULL;
    schedule_emit(schedule, &done);
    return result;
}

int schedule_pull(struct worker *worker, size_t number, struct error *err) {
    struct batch *batch = worker->batch;
    struct image_job *job = &batch->schedule->images.items[number];
    job->state = IMAGE_PULLING;
    pthread_mutex_unlock(&batch->lock);
    /* what others read is set with the lock held */
    struct image_job own = {
        .image = job->image, .digest = job->digest, .platform = job->platform, .mark = job->mark};
    job->mark = NULL;
    int result = pull(worker, number, &own, err);
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

/* Several names of one image are taken away one after the other: of two at once, Podman now and then leaves one there. */
static bool is_first_of_its_id(const struct image_list *images, size_t at) {
    for (size_t i = 0; i < at; i++)
        if (images->items[i].mark != NULL &&
            string_equal(images->items[i].id, images->items[at].id))
            return false;
    return images->items[at].mark != NULL;
}

static void release_images(struct finish *finish, struct engine *cleaner) {
    const struct image_list *images = &finish->schedule->images;
    for (;;) {
        pthread_mutex_lock(&finish->lock);
        size_t at = finish->next++;
        pthread_mutex_unlock(&finish->lock);
        if (at >= images->count)
            return;
        if (is_first_of_its_id(images, at))
            for (size_t i = at; i < images->count; i++)
                if (images->items[i].mark != NULL &&
                    string_equal(images->items[i].id, images->items[at].id))
                    release_image(finish, cleaner, &images->items[i]);
    }
}

static void *finish_beside(void *context) {
    struct finish *finish = context;
    struct schedule *schedule = finish->schedule;
    _cleanup_(error_clear) struct error ignored = {0}; /* the first thread does it all then */
    _cleanup_(engine_freep) struct engine *cleaner = NULL;
    if (engine_open_cleaner(schedule->engine, schedule->options.cancel, &cleaner, &ignored) == 0)
        release_images(finish, cleaner);
    return NULL;
}

int schedule_release_images(struct schedule *schedule, struct error *err) {
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
    return finish.error.kind != ERROR_NONE ? error_move(err, &finish.error) : 0;
}

void schedule_images_clear(struct image_list *images) {
    for (size_t i = 0; i < images->count; i++) {
        free(images->items[i].image);
        free(images->items[i].digest);
        free(images->items[i].platform);
        free(images->items[i].id);
        free(images->items[i].reason);
        free(images->items[i].mark);
    }
    free(images->items);
    *images = (struct image_list){0};
}
