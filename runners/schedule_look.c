#include <stdio.h>
#include <stdlib.h>

#include "runners/engine/container.h"
#include "runners/engine/image.h"
#include "runners/image_packages.h"
#include "runners/schedule_parts.h"

/* One call of schedule_look, shared by its threads under the batch's lock. */
struct looking {
    struct batch *batch; /* of no trials: for the pulls */
    struct schedule_look *looks;
    size_t count, next;
};

static json_t *spec_of(const struct schedule *schedule, const char *id, struct error *err) {
    json_t *spec =
        json_pack("{s:s, s:[s], s:o, s:{s:s}}", "Image", id, "Entrypoint", "/never-started",
                  "Labels", labels_to_json(&schedule->labels), "HostConfig", "NetworkMode", "none");
    if (spec == NULL)
        error_no_memory(err);
    return spec;
}

/* Its name is known before: a container whose making was never answered goes by it. */
static void remove_container(const struct worker *worker, const char *id) {
    _cleanup_(error_clear) struct error why = {0};
    if (container_remove(worker->cleaner, id, &why) == 0)
        return;
    char words[800];
    snprintf(words, sizeof words, "container %s could not be removed: %s", id, error_message(&why));
    schedule_left(worker->batch->schedule, words);
}

static int read_packages(const struct worker *worker, const char *image_id, size_t number,
                         struct image_facts *facts, struct error *err) {
    const struct schedule *schedule = worker->batch->schedule;
    _cleanup_(free_pointer) char *id = NULL;
    _cleanup_(free_pointer) char *name =
        string_format(err, "pingate-%s-look-%zu", schedule->options.run_id, number);
    json_auto_t *spec = spec_of(schedule, image_id, err);
    if (name == NULL || spec == NULL || cancel_check(schedule->cancel, err) < 0)
        return -1;
    int result = container_create(worker->cleaner, name, spec, &id, err);
    if (result == 0)
        result = image_packages_read(worker->engine, id, facts, err);
    bool conflict = id == NULL && err->kind == ERROR_CONFLICT;
    if (!conflict)
        remove_container(worker, id != NULL ? id : name);
    return result;
}

/* What is asked for packages and gives none tells why; the rest of the facts holds. */
static int add_packages(const struct worker *worker, const json_t *shown, size_t number,
                        struct image_facts *facts, struct error *err) {
    const char *image_id = json_string_value(json_object_get(shown, "Id"));
    if (read_packages(worker, image_id, number, facts, err) == 0)
        return 0;
    if (err->kind == ERROR_CANCELLED || err->kind == ERROR_NO_MEMORY)
        return -1;
    facts->packages = PACKAGES_UNKNOWN;
    free(facts->packages_reason);
    facts->packages_reason = string_dup(error_message(err), err);
    error_clear(err);
    return facts->packages_reason != NULL ? 0 : error_no_memory(err);
}

static int look_at(const struct worker *worker, size_t number, struct schedule_look *look,
                   struct error *err) {
    json_auto_t *shown = NULL;
    if (image_show(worker->engine, look->image, look->digest, &shown, err) < 0)
        return -1;
    if (shown == NULL)
        return look->may_pull ? error_set(err, ERROR_ENGINE, "the engine no longer has the image")
                              : 0;
    if (image_facts_read(&look->facts, shown, IMAGE_FROM_ENGINE, err) < 0 ||
        (look->packages && add_packages(worker, shown, number, &look->facts, err) < 0)) {
        image_facts_clear(&look->facts);
        return -1;
    }
    look->there = true;
    return 0;
}

/* With the lock held on entry and exit. */
static int pull_for(struct worker *worker, const struct schedule_look *look, struct error *err) {
    struct schedule *schedule = worker->batch->schedule;
    struct image_job *job = schedule_image_of(schedule, look->image, look->digest);
    if (job->state == IMAGE_WAITING &&
        schedule_pull(worker, (size_t)(job - schedule->images.items), err) < 0)
        return -1;
    return job->state == IMAGE_READY
               ? 0
               : error_set(err, ERROR_ENGINE, "%s",
                           job->reason != NULL ? job->reason : "it could not be pulled");
}

/* With the lock held on entry and exit. */
static int take_look(struct worker *worker, struct schedule_look *look, struct error *err) {
    struct batch *batch = worker->batch;
    size_t number = ++batch->schedule->looks;
    int result = look->may_pull ? pull_for(worker, look, err) : 0;
    pthread_mutex_unlock(&batch->lock);
    if (result == 0)
        result = look_at(worker, number, look, err);
    pthread_mutex_lock(&batch->lock);
    if (result == 0)
        return 0;
    if (err->kind == ERROR_CANCELLED || err->kind == ERROR_NO_MEMORY)
        return -1;
    look->reason = string_dup(error_message(err), err);
    error_clear(err);
    return look->reason != NULL ? 0 : error_no_memory(err);
}

static void *work(void *context) {
    struct looking *looking = context;
    struct batch *batch = looking->batch;
    struct cancel *cancel = batch->schedule->cancel;
    struct worker worker = {.batch = batch};
    struct error err = {0};
    int result = worker_open(&worker, &err);
    pthread_mutex_lock(&batch->lock);
    while (result == 0 && batch->fatal.kind == ERROR_NONE && looking->next < looking->count) {
        struct schedule_look *look = &looking->looks[looking->next++];
        result = cancel_check(cancel, &err);
        if (result == 0)
            result = take_look(&worker, look, &err);
    }
    if (result < 0 && batch->fatal.kind == ERROR_NONE)
        error_move(&batch->fatal, &err);
    pthread_mutex_unlock(&batch->lock);
    error_clear(&err);
    worker_close(&worker);
    return NULL;
}

static void run_threads(struct looking *looking, size_t wanted) {
    if (schedule_run_threads(wanted, work, looking) == 0)
        error_set(&looking->batch->fatal, ERROR_IO, "no thread could be started");
}

/* The run's time is over: of what was not looked at nothing is known. */
static int tell_over(const struct schedule *schedule, struct schedule_look *looks, size_t count,
                     struct error *err) {
    for (size_t i = 0; i < count; i++) {
        if (looks[i].there || looks[i].reason != NULL)
            continue;
        looks[i].reason = string_dup(schedule->options.over, err);
        if (looks[i].reason == NULL)
            return -1;
    }
    return 0;
}

int schedule_look(struct schedule *schedule, struct schedule_look *looks, size_t count,
                  struct error *err) {
    struct batch batch = {.schedule = schedule};
    struct looking looking = {.batch = &batch, .looks = looks, .count = count};
    for (size_t i = 0; i < count; i++)
        if (looks[i].may_pull &&
            schedule_image_add(schedule,
                               &(struct needed_image){looks[i].image, looks[i].digest, NULL, NULL},
                               err) < 0)
            return -1;
    if (count == 0)
        return 0;
    pthread_mutex_init(&batch.lock, NULL);
    run_threads(&looking, count < schedule->options.jobs ? count : schedule->options.jobs);
    pthread_mutex_destroy(&batch.lock);
    if (batch.fatal.kind == ERROR_CANCELLED && cancel_is_over(schedule->cancel)) {
        error_clear(&batch.fatal);
        return tell_over(schedule, looks, count, err);
    }
    return batch.fatal.kind != ERROR_NONE ? error_move(err, &batch.fatal) : 0;
}
