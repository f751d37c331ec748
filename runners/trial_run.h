/* trial_run: runs one trial on an engine; the blocking half of trial.h, called by the schedule's workers. */
#pragma once

#include "gate/base/cancel.h"
#include "runners/engine/alone.h"
#include "runners/trial.h"
#include "runners/workspace.h"

struct trial_run {
    struct engine *engine;             /* for what may be cut short */
    struct engine *cleaner;            /* for what makes and removes things */
    const struct cancel *cancel;       /* may be NULL */
    const struct workspace *workspace; /* may be NULL */
    const struct labels *labels;
    const char *const *image_ids;   /* of each step, as pulled and proved; NULL for what is built */
    const char *const *service_ids; /* the same of each service */
    const char *const *base_ids;    /* the same of each base of the build */
    const char *built;              /* id of what was built; set by trial_run */
    const char *platform;           /* of the engine: "linux/amd64" */
    const char
        *name; /* of the volume and the network, and the first part of the containers'; unique */
    /* for commands without a network; NULL: the engine makes their namespace */
    const struct alone *alone;
    size_t alone_first; /* its file for the first step; the next ones follow */
    bool keep;          /* leave a failed trial's container, volume and what was built */
    bool keep_images;   /* leave what was built */
    bool
        names_bases; /* the engine's store asks a registry for what has no tag, see trial_build.h */
    /* a step of the build begins, NULL: the build itself; may be NULL */
    void (*on_build)(void *context, const char *step);
    /* the build has ended; may be NULL */
    void (*on_built)(void *context, const struct build_result *build);
    /* What the fetched files say before the outcome counts; may turn a pass into something else, and leave what it found in
     * `found`. Called by the worker. May be NULL. err: no-memory */
    int (*check)(const struct trial_spec *spec, struct trial_result *result, struct error *err);
    void (*on_command)(void *context, size_t step);
    /* something of a failed trial was left for a look ("container", "volume"); may be NULL */
    void (*on_kept)(void *context, const char *what, const char *name);
    /* something could not be removed; may be NULL */
    void (*on_left)(void *context, const char *words);
    void *context;
};

/* Always fills the result. err: only cancelled; everything else is an outcome. */
int trial_run(const struct trial_run *run, const struct trial_spec *spec,
              struct trial_result *result, struct error *err) _must_check_;
