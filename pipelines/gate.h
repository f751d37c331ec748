/* gate: the whole way of a run: find, look up, plan, test, judge, write, report.
 *
 *     scan ─► updates ─► rules, candidates ─► plan ─► trials ─► rulings ─► promotion ─► result
 *
 * Each arrow is one function over plain data. Only the promotion writes to the user's files, and a dry run stops before it.
 * The result is always filled and the reports are always written, also when a step fails.
 */
#pragma once

#include "gate/pins/scan.h"
#include "pipelines/lookup.h"
#include "pipelines/plan.h"
#include "pipelines/pull.h"
#include "pipelines/state/state.h"
#include "reports/result.h"
#include "reports/terminal.h"
#include "runners/schedule.h"

struct gate_options {
    const char *command;              /* "run", "test": for the result */
    const char *root;                 /* folder of the project */
    const char *output;               /* folder of reports and logs */
    bool output_is_named;             /* by the caller: it may then be a link */
    const char *engine;               /* address, or NULL */
    const char *since;                /* of `test`: the commit to compare with; NULL for `run` */
    const struct string_list *images; /* selectors; empty is all */
    const struct string_list
        *urgent;       /* selectors of what goes over cooldowns and pauses; or NULL */
    const char *state; /* --state, else $PINGATE_STATE; NULL: as configured */
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
    struct lookup lookup; /* open from the look-up on, in `run` only for as long as that takes */
    struct state *state;  /* open during the look-up; NULL: none is kept, or it could not be read */
    struct plan plan;
    struct pull pull; /* of `run --plan` */
    char run_id[17];  /* 16 hex digits */
    struct schedule *schedule;
    struct workspace workspace;
    size_t trials_run;
    size_t tail_bytes; /* of output that the result carries so far */
    int exit_status;
};

/* A run is begun, run, and ended, also when a step between fails:
 *
 *     int outcome = gate_begin(&options, &result, &folder_fd, err);
 *     if (outcome < 0) …                                     the folder of reports is not ours: nothing is reported
 *     outcome = read the configuration, gate_run(…)          what fails here is reported
 *     outcome = gate_end(&options, cancel, terminal, &result, outcome, err);
 *
 * The result is the caller's to clear, also on -1; its exit_status is what the process exits with. */

/* Takes the folder of reports for this run alone, removes the logs of the run before, and writes reports which say that the
 * run did not end: so a run that is killed leaves no older report behind that looks like its own.
 *   out  folder_fd  holds the folder until it is closed; -1 on -1
 *   err  conflict  another run is at work there;  io  it is no folder, a link of the project's, or cannot be written */
int gate_begin(const struct gate_options *options, struct result *result, int *folder_fd,
               struct error *err) _must_check_;

/* All steps. err: what ended the run before its end; the result is filled as far as it came. */
int gate_run(const struct gate_options *options, const struct config *config, struct cancel *cancel,
             struct terminal *terminal, struct result *result, struct error *err) _must_check_;

/* Writes the reports. outcome: of what was done since gate_begin; it and its error are handed on, unless it was 0 and the
 * reports cannot be written. */
int gate_end(const struct gate_options *options, const struct cancel *cancel,
             struct terminal *terminal, struct result *result, int outcome,
             struct error *err) _must_check_;

/* The steps, in order; for gate_run and `status`, `run --plan`.
 *
 *   find         scan, updates, rules, selection
 *   find_since   instead of it: updates are what differs from options->since
 *   look_up      candidates
 *   plan         who is covered
 *   check_files  whose files may not be written
 *   size         what the trials would pull; of a plan only
 *   test         trials and rulings
 *   promote      diff, files, the scan afterwards
 *   fill_result  what the reports tell
 */
int gate_find(struct gate *gate, struct error *err) _must_check_;
int gate_find_since(struct gate *gate, struct error *err) _must_check_;
int gate_look_up(struct gate *gate, struct error *err) _must_check_;
int gate_plan(struct gate *gate, struct error *err) _must_check_;
int gate_check_files(struct gate *gate, struct error *err) _must_check_;
int gate_size(struct gate *gate, struct error *err) _must_check_;
int gate_test(struct gate *gate, struct error *err) _must_check_;
int gate_promote(struct gate *gate, struct error *err) _must_check_;
int gate_fill_result(struct gate *gate, struct error *err) _must_check_;
void gate_clear(struct gate *gate);

/* Before and after the questions of gate_look_up: what earlier runs saw, and what this one did. gate_state.c. */
int gate_recall(struct gate *gate, struct error *err) _must_check_;
int gate_record(struct gate *gate, struct error *err) _must_check_;

/* Why a trial of that test with that update came to that outcome, as it was recorded last; never NULL. gate_trials.c. */
const char *gate_trial_reason(const struct gate *gate, const char *test, size_t update,
                              enum outcome outcome);

/* Records one answered trial in the result; gate_trials.c. */
int gate_ask(void *gate, struct judge_question *questions, size_t count,
             struct error *err) _must_check_;
