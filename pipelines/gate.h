/* gate: the whole way of a run: find, look up, plan, test, judge, write, report.
 *
 *     scan ─► updates ─► rules, candidates ─► plan ─► trials ─► rulings ─► promotion ─► result
 *
 * Each arrow is one function over plain data. Only the promotion writes to the user's files, and a dry run stops before it.
 * The result is always filled and the reports are always written, also when a step fails.
 */
#pragma once

#include "gate/pins/scan.h"
#include "pipelines/plan.h"
#include "reports/result.h"
#include "reports/terminal.h"
#include "runners/schedule.h"

struct gate_options {
    const char *command;              /* "run", "test": for the result */
    const char *root;                 /* folder of the project */
    const char *output;               /* folder of reports and logs */
    const char *engine;               /* address, or NULL */
    const char *since;                /* of `test`: the commit to compare with; NULL for `run` */
    const struct string_list *images; /* selectors; empty is all */
    size_t jobs;
    bool dry_run;
    bool promote_passing;
    bool keep, keep_images, allow_generated;
};

/* What the steps hand to one another. */
struct gate {
    const struct gate_options *options;
    const struct config *config;
    struct cancel *cancel;
    struct terminal *terminal;
    struct result *result;

    struct scan scan;
    struct update_list updates;
    struct plan plan;
    char run_id[17]; /* 16 hex digits */
    struct schedule *schedule;
    struct workspace workspace;
    size_t trials_run;
    size_t tail_bytes; /* of output that the result carries so far */
    int exit_status;
};

/* Runs it all. The result is the caller's to clear, also on -1; its exit_status is what the process exits with.
 * err: what ended the run before its end; the reports are written all the same. */
int gate_run(const struct gate_options *options, const struct config *config, struct cancel *cancel,
             struct terminal *terminal, struct result *result, struct error *err) _must_check_;

/* The steps, in order; for gate_run and `status`, `run --plan`. */
int gate_find(struct gate *gate,
              struct error *err) _must_check_; /* scan, updates, rules, selection */
int gate_find_since(struct gate *gate, struct error *err)
    _must_check_; /* updates are what differs from options->since */
int gate_look_up(struct gate *gate, struct error *err) _must_check_; /* candidates */
int gate_plan(struct gate *gate, struct error *err) _must_check_;    /* who is covered */
int gate_test(struct gate *gate, struct error *err) _must_check_;    /* trials and rulings */
int gate_promote(struct gate *gate,
                 struct error *err) _must_check_; /* diff, files, the scan afterwards */
int gate_fill_result(struct gate *gate, struct error *err) _must_check_;
void gate_clear(struct gate *gate);

/* Records one answered trial in the result; gate_trials.c. */
int gate_ask(void *gate, struct judge_question *questions, size_t count,
             struct error *err) _must_check_;
