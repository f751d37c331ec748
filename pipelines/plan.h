/* plan: which trials the updates need: tests matched with updates, before anything runs.
 *
 * A test whose commands all name their image (`in`) is one trial for the set as a whole. Any other test is a trial for each
 * update that it covers, whose candidate its commands run in. A test covers the updates that its `images` select; without
 * `images`, those whose images its commands and services run; with neither, every update. Stages are planned one by one, each with the
 * tests that are run for it (stage_runs_test): no trial covers updates of two stages.
 */
#pragma once

#include "gate/update.h"
#include "pipelines/config.h"
#include "pipelines/judge.h"
#include "runners/trial.h"

#define PLAN_NO_SUBJECT ((size_t)-1)

struct plan_trial {
    const struct test *test;
    /* update whose candidate it is run on; PLAN_NO_SUBJECT for a trial of the set */
    size_t subject;
    size_t *steps;        /* update whose image a command runs in, one a command */
    size_t *services;     /* update whose image a service runs, one a service */
    size_t *participants; /* updates whose digest it runs on, ascending */
    size_t participant_count;
    size_t *covers; /* updates that it is a test of, ascending */
    size_t cover_count;
};

struct plan {
    struct plan_trial *items;
    size_t count;
    size_t capacity;
    struct string_list warnings; /* rules and tests that match nothing */
};

/* Pure.
 *   in   every_test  also tests that a stage has for itself, whatever the stage: `test --since` asks for all there are
 *   err  config when an `in` names no pinned image or more than one */
int plan_make(const struct config *config, const struct update_list *updates, bool every_test,
              struct plan *plan, struct error *err) _must_check_;
bool plan_covers(const struct plan *plan, size_t update); /* some trial tests it */

/* Whether the test covers a value of that name, by the rule above, whatever else is pinned. tag: may be NULL. */
bool plan_test_covers(const struct test *test, const char *image, const char *tag);

/* The first round: a trial runs when some update that it covers may still move, and on the candidates of those that may. */
bool plan_needs(const struct plan_trial *trial, const struct update_list *updates);
bool plan_moves(const struct update *update);
void plan_clear(struct plan *plan);

/* What is run for one question of the judge: images by digest, PINGATE_ variables, title, log folder. */
int plan_spec(const struct plan_trial *trial, const struct update_list *updates, const bool *moved,
              const char *log_folder, struct trial_spec *spec, struct error *err) _must_check_;
