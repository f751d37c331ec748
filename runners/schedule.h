/* schedule: runs many trials at once on one engine.
 *
 *     struct schedule *schedule;
 *     schedule_new(&options, &schedule, err);              connects, sweeps what dead runs left
 *     schedule_run(schedule, specs, results, count, err);  may be called again: images stay pulled between
 *     schedule_finish(schedule, err);                      removes what this run made and pulled
 *
 * Worker threads take jobs from one queue: first the pulls (each digest once), then each trial as soon as its images are
 * there. The order of results is the order of specs, whatever ran first. A trial that could not be run has outcome
 * `error` with the reason; it never stops the others. Only a cancel, or an engine that is gone, ends schedule_run with -1; all
 * results are filled then too: `error`, "not run: …". When the run's time is over, what runs is ended and what waits is not run
 * (`error` as well, `cut`); that is no failure of schedule_run, and a later call of it finds every trial cut.
 *
 * A trial is run again from its beginning, in fresh containers and a fresh workspace:
 *
 *     failed, timed-out, oom  as often as the test's `retries` says; a pass after that is `flaky`
 *     error                   once by itself, SCHEDULE_ERROR_RETRIES times in a run: nothing is known of that attempt, so a pass
 *                             after it is a pass. An engine that does not answer is waited for first (SCHEDULE_RETURN_MS).
 *     a pull                  once, where the registry or the way to it may have been at fault
 */
#pragma once

#include "gate/base/cancel.h"
#include "gate/registry/credentials.h"
#include "runners/image_facts.h"
#include "runners/trial.h"
#include "runners/workspace.h"

/* trials at once; more gains nothing on two cores, see tests/bench/trials */
#define SCHEDULE_JOBS_DEFAULT 4

/* Trials of one run that are run again after an `error`: more of them tell of an engine that is broken. */
#define SCHEDULE_ERROR_RETRIES 8
/* for an engine that is started anew; PINGATE_ENGINE_TIMEOUT may cut it down */
#define SCHEDULE_RETURN_MS     20000
#define SCHEDULE_PULL_PAUSE_MS 1000 /* before a pull is tried again */

enum schedule_event_kind {
    SCHEDULE_PULL_STARTED,
    SCHEDULE_PULL_PROGRESS, /* at most ten a second an image */
    SCHEDULE_PULL_DONE,     /* pulled, or was there; `error` is set when it failed */
    SCHEDULE_TRIAL_STARTED,
    SCHEDULE_BUILD_STARTED,
    SCHEDULE_BUILD_PROGRESS, /* a step begins */
    SCHEDULE_BUILD_DONE,
    SCHEDULE_COMMAND_STARTED,
    SCHEDULE_TRIAL_AGAIN, /* an attempt did not pass, and the trial is begun anew; `result` is the attempt's */
    SCHEDULE_TRIAL_DONE,
};

struct schedule_event {
    enum schedule_event_kind kind;
    const char *image;                /* pulls: "docker.io/library/redis@sha256:…" */
    int64_t bytes, bytes_total;       /* pulls: so far, and as far as known; 0 when unknown */
    bool was_there;                   /* pull done: nothing had to be pulled */
    const char *error;                /* pull done: why it failed; NULL when it did not */
    size_t trial;                     /* trials: index into specs */
    size_t command;                   /* command started: index into steps */
    const char *step;                 /* build progress: its name; untrusted */
    const struct build_result *build; /* build done */
    const struct trial_spec *spec;
    const struct trial_result *result; /* trial done, again */
    unsigned int attempt;              /* again: that ended, from 1 */
};

struct schedule_options {
    /* "unix:///run/docker.sock"; NULL: DOCKER_HOST, else the usual sockets */
    const char *engine_address;
    size_t jobs; /* trials at once; 0 is SCHEDULE_JOBS_DEFAULT */
    struct credentials *credentials;
    const struct workspace *workspace; /* copied into each trial; NULL for none */
    struct cancel *cancel;
    int64_t end_ms;     /* monotonic: when the run's time is over; 0: never */
    const char *over;   /* and what is said then: "the run's time (1 h) was over"; lent */
    bool keep;          /* containers and volumes of failed trials stay, for a look */
    bool keep_images;   /* images that this run pulled stay */
    const char *run_id; /* for labels and names; unique */
    /* What the fetched files say before the outcome counts; may turn a pass into something else, and leave what it found in
     * `found`. Called by workers, several at once. May be NULL. err: no-memory */
    int (*check)(const struct trial_spec *spec, struct trial_result *result, struct error *err);
    /* One at a time, from any thread. */
    void (*on_event)(void *context, const struct schedule_event *event);
    void *context;
};

struct schedule;

int schedule_new(const struct schedule_options *options, struct schedule **out,
                 struct error *err) _must_check_;
int schedule_run(struct schedule *schedule, const struct trial_spec *specs,
                 struct trial_result *results, size_t count, struct error *err) _must_check_;

/* What --keep left, "container pingate-…-1-1": of failed trials, for a look. */
const struct string_list *schedule_kept(const struct schedule *schedule);
/* An image that is looked at, not run. */
struct schedule_look {
    const char *image, *digest; /* "docker.io/library/redis" */
    bool may_pull;              /* else only if the engine has it */
    bool packages;              /* read them, too, where the engine has it */
    bool there;                 /* out: the engine has it, and the facts are set */
    struct image_facts facts;   /* out: image_facts_clear */
    char *reason; /* out: why nothing is known of it; NULL: it is there, or may not be pulled */
};

/* Looks at many images side by side. Each (image, digest) once. What is pulled is pulled for the trials too, and goes with the
 * schedule. err: cancelled, no-memory, or the engine cannot be reached at all; what fails for one image is its reason */
int schedule_look(struct schedule *schedule, struct schedule_look *looks, size_t count,
                  struct error *err) _must_check_;

/* err tells what could not be removed; the schedule is freed all the same. */
int schedule_finish(struct schedule *schedule, struct error *err);
void schedule_freep(struct schedule **schedule);

/* For doctor and reports: "Docker Engine 20.10.24, API 1.41, overlay2, linux/amd64". */
const char *schedule_engine_words(const struct schedule *schedule);
const char *schedule_platform(const struct schedule *schedule); /* "linux/amd64" */
