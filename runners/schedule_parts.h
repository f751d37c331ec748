/* schedule_parts: what the files of the schedule share; nobody else includes it.
 *
 *     schedule.c         connects, the queue of a batch, its worker threads, what is left when they end
 *     schedule_images.c  the images: each is pulled once, and goes at the end if this run pulled it
 *     schedule_look.c    images that are looked at and not run
 *     schedule_trials.c  one trial: its images, its name, its namespaces, and what came of it
 *     schedule_attempts.c  how often that trial is run
 *
 * Workers share a batch under one lock. It is held where a function of the other two files says so, and never while an engine
 * is asked. A worker's engines are its own.
 */
#pragma once

#include <pthread.h>

#include "runners/engine/alone.h"
#include "runners/engine/labels.h"
#include "runners/schedule.h"
#include "runners/trial_run.h"

enum image_state { IMAGE_WAITING, IMAGE_PULLING, IMAGE_READY, IMAGE_FAILED };

struct image_job {
    char *image, *digest;
    char *platform; /* that is asked for; NULL: the engine's own */
    enum image_state state;
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
    /* what workers obey: the caller's cancel, or the part of it that ends with the run's time. Clean-up obeys the caller's. */
    struct cancel *cancel;
    struct cancel until;
    struct labels labels;
    struct engine *engine; /* of the thread that owns the schedule */
    struct engine *cleaner;
    char *words, *platform;
    struct image_list images;
    size_t volumes;      /* made so far, for names */
    bool alone_asked;    /* whether alone_possible is known */
    bool alone_possible; /* containers may be without a network the quick way */
    size_t alone_count;  /* made so far, for names */
    bool names_bases;    /* see trial_run.h */
    size_t looks; /* containers made so far to look into images, for names; under a batch's lock */
    pthread_mutex_t event_lock;
    char *left;                 /* the first thing that could not be removed; under event_lock */
    size_t left_count;          /* of them all */
    struct string_list kept;    /* under event_lock */
    unsigned int error_retries; /* so far; under event_lock */
};

/* One call of schedule_run, shared by its workers under one lock. */
struct batch {
    struct schedule *schedule;
    const struct trial_spec *specs;
    struct trial_result *results;
    size_t count;
    bool *taken; /* one a trial */
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct error fatal; /* the first that ended a worker */
    /* Held while the first worker makes it; never with the other lock inside. */
    pthread_mutex_t alone_lock;
    struct alone alone;
    bool alone_tried;
    size_t alone_used; /* of its files */
};

/* One thread of a batch. */
struct worker {
    struct batch *batch;
    struct engine *engine;  /* for what may be cut short */
    struct engine *cleaner; /* for what makes and removes things */
};

/* The engines of a worker whose batch is set; worker_close also after -1. */
int worker_open(struct worker *worker, struct error *err) _must_check_;
void worker_close(struct worker *worker);

/* Runs work(context) in so many threads and waits for them; how many could be started. */
size_t schedule_run_threads(size_t wanted, void *(*work)(void *context), void *context);

/* From any thread. schedule_left: something stays in the engine; the end of the run tells of it. */
void schedule_emit(struct schedule *schedule, const struct schedule_event *event);
void schedule_left(struct schedule *schedule, const char *words);

/* What a trial needs pulled: the images of its steps, then those of its services, then the bases of its build. False when
 * there is no such one. digest: NULL for a step that runs in what is built. */
struct needed_image {
    const char *image, *digest;
    const char *platform; /* that is asked for; NULL: the engine's own */
    const char *service;  /* its name; NULL: of a step */
};
bool schedule_needed(const struct trial_spec *spec, size_t number, struct needed_image *out);

/* The image, which schedule_images_add has put there. Images do not move while a batch runs. */
struct image_job *schedule_image(struct schedule *schedule, const struct needed_image *needed);
int schedule_images_add(struct batch *batch, struct error *err) _must_check_;
int schedule_image_add(struct schedule *schedule, const struct needed_image *needed,
                       struct error *err) _must_check_;
struct image_job *schedule_image_of(struct schedule *schedule, const char *image,
                                    const char *digest); /* NULL: nobody added it */

/* Pulls an image that waits. With the lock held on entry and exit.
 *   err  cancelled; everything else is the image's `reason` */
int schedule_pull(struct worker *worker, size_t number, struct error *err) _must_check_;

/* Gives up what this run pulled. err: the first thing that could not be removed */
int schedule_release_images(struct schedule *schedule, struct error *err) _must_check_;
void schedule_images_clear(struct image_list *images);

/* Whether all images of a trial are there or have failed. With the lock held. */
bool schedule_images_settled(const struct batch *batch, const struct trial_spec *spec);

/* Runs one trial and fills its result. With the lock held on entry and exit.
 *   err  cancelled; engine: it is gone */
int schedule_trial(struct worker *worker, size_t index, struct error *err) _must_check_;

/* Runs a trial until it passed or may not be run again. On -1 the result is that of the last attempt.
 *   in   first  as the first attempt is run
 *   err  cancelled; engine: it is gone */
int schedule_attempts(struct worker *worker, const struct trial_run *first, size_t index,
                      struct error *err) _must_check_;

/* It was to be run, and nothing is known of it: no ordinary skip. */
void schedule_trial_not_run(struct trial_result *result, const struct error *why);

/* Removes what the trials of a batch shared. */
void schedule_alone_finish(struct batch *batch);
