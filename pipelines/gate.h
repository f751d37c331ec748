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
#include "pipelines/stages/checkout.h"
#include "pipelines/stages/entry.h"
#include "pipelines/stages/evidence.h"
#include "pipelines/stages/ledger.h"
#include "pipelines/state/state.h"
#include "reports/result.h"
#include "reports/terminal.h"
#include "runners/schedule.h"

struct gate_options {
    const char *command;  /* "run", "test": for the result */
    const char *root;     /* folder of the project */
    const char *output;   /* folder of reports and logs */
    bool output_is_named; /* by the caller: it may then be a link */
    const char *engine;   /* address, or NULL */
    const char *since;    /* of `test`: the commit to compare with; NULL for `run` */
    const char *standing; /* of `test --stage`: the stage whose pins are tested as they stand */
    const struct string_list *images; /* selectors; empty is all */
    const struct string_list
        *urgent; /* selectors of what goes over cooldowns and pauses; or NULL */
    const struct string_list *allow_env;     /* NAME each; or NULL */
    const struct string_list *allow_secrets; /* NAME or NAME=FILE each; or NULL */
    const char *stage; /* of `promote`: the stage to enter; NULL for the others */
    const char *back;  /* of `rollback`: the stage that goes back */
    const char *to;    /* and to which set or digest; NULL: the one before */
    bool every_stage;  /* of `promote --all`: each that comes from another */
    bool force;        /* of `promote`, with its reason */
    const char *reason;
    const char *state; /* --state, else $PINGATE_STATE; NULL: as configured */
    size_t jobs;
    int64_t time_limit_ms; /* of the whole run; 0: as the configuration says */
    bool no_reuse;         /* every trial is run, whatever is on record */
    bool dry_run;
    const char *promote; /* "all", "passing"; NULL: as the configuration says */
    bool keep, keep_images, allow_generated;
};

/* A set that lives as long as the gate, for drafts to lend from. */
struct gate_set {
    struct gate_set *next;
    struct set set;
};

struct build_context;

/* Of builds, for as long as the gate; a trial lends from it. */
struct gate_contexts {
    struct build_context **items;
    size_t count;
    size_t capacity;
};

struct gate_drafts {
    struct ledger_entry *items; /* lend from the gate */
    size_t count;
    size_t capacity;
};

/* A question that this run has answered, and where it stands in the result. */
struct gate_answer {
    size_t trial;                                     /* of the plan */
    char given[HASH_HEX_SIZE], values[HASH_HEX_SIZE]; /* of its evidence_key */
    enum outcome outcome;
    size_t record; /* in result->trials */
};

struct gate_answers {
    struct gate_answer *items;
    size_t count;
    size_t capacity;
};

/* What the steps hand to one another. */
struct gate {
    const struct gate_options *options;
    const struct config *config;
    struct cancel *cancel;
    struct terminal *terminal;
    struct result *result;

    struct scan scan;
    size_t *stage_of;           /* of each pin: index of its stage, or STAGE_NONE */
    struct update_list updates; /* of `run`: of the stages that it writes */
    /* where stages are configured; see gate_ledger.c */
    struct set *sets; /* what stands in each stage */
    struct ledger ledger;
    struct checkout checkout;
    char *actor, *ci;
    const char *back_to;       /* of `rollback`: the set that it goes back to; lent */
    struct gate_drafts drafts; /* what this run records */
    struct evidence evidence;  /* of its trials; becomes drafts where all are done */
    struct gate_set *kept;
    struct arena words;
    struct entry_answer
        *answers;         /* of `promote`: one a stage; of those that were not asked, empty */
    struct lookup lookup; /* open from the look-up on, in `run` only for as long as that takes */
    struct state *state;  /* open during the look-up; NULL: none is kept, or it could not be read */
    struct plan_builds builds; /* of the tests; the plan lends from it */
    struct gate_contexts contexts;
    struct plan plan;
    struct pull pull;     /* of `run --plan` */
    struct grants grants; /* of what tests ask for */
    struct gate_children {
        struct gate_child *items;
        size_t count;
        size_t capacity;
    } children;      /* images of indexes for platforms that tests name; gate_platform.c */
    char run_id[17]; /* 16 hex digits */
    int64_t end_ms;  /* monotonic: when its time is over; 0: never */
    char over[96];   /* and what is said then */
    size_t cut,
        cut_baselines; /* trials that were not done when it was over, and of them those on the current digests */
    struct schedule *schedule;
    struct workspace workspace;
    struct gate_changes *changes; /* what changed in the images; NULL: nobody asked */
    struct gate_answers asked;    /* what gate_ask has answered */
    size_t trials_run;
    size_t tail_bytes; /* of output that the result carries so far */
    size_t case_bytes; /* of cases of JUnit files, the same */
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
 *   find_standing  instead of it: updates are what stands in options->standing
 *   look_up      candidates
 *   enter, prove   instead of it: candidates of `promote` come from the stage before, and are still there
 *   go_back, prove, settle_back   of `rollback`: candidates stood there before, are still there, and are not tested
 *   obey         what people denied, or hold, in the stages that `run` writes
 *   open_ledger  what was recorded, and what stands in the stages now
 *   pause        what has to wait for a later stage
 *   plan         who is covered
 *   take_grants  what tests ask the caller for, if he grants it
 *   check_files  whose files may not be written
 *   size         what the trials would pull; of a plan only
 *   deny, compare   what changed in the images, before the tests and after them; parts of test
 *   test         trials and rulings
 *   promote      diff, files, the scan afterwards
 *   fill_result  what the reports tell
 */
int gate_find(struct gate *gate, struct error *err) _must_check_;
int gate_scan(struct gate *gate, struct error *err) _must_check_;        /* a part of each find */
int gate_find_stages(struct gate *gate, struct error *err) _must_check_; /* a part of find */
int gate_enter(struct gate *gate, struct error *err) _must_check_;
int gate_prove(struct gate *gate, struct error *err) _must_check_;
int gate_go_back(struct gate *gate, struct error *err) _must_check_;
int gate_settle_back(struct gate *gate, struct error *err) _must_check_;
int gate_draft_holds(struct gate *gate, struct error *err) _must_check_; /* a part of promote */
int gate_obey(struct gate *gate, struct error *err) _must_check_;
int gate_find_since(struct gate *gate, struct error *err) _must_check_;
int gate_find_standing(struct gate *gate, struct error *err) _must_check_;
int gate_look_up(struct gate *gate, struct error *err) _must_check_;
int gate_plan(struct gate *gate, struct error *err) _must_check_;
/* err: usage  a test of the plan asks for what is not granted, or has no value; gate_grants.c */
int gate_take_grants(struct gate *gate, struct error *err) _must_check_;
int gate_check_files(struct gate *gate, struct error *err) _must_check_;
int gate_size(struct gate *gate, struct error *err) _must_check_;
int gate_test(struct gate *gate, struct error *err) _must_check_;
int gate_promote(struct gate *gate, struct error *err) _must_check_;
int gate_fill_result(struct gate *gate, struct error *err) _must_check_;

/* Whether what passes in that stage moves though something else fails: the command line, else the stage, else the top of the
 * configuration. */
bool gate_promotes_passing(const struct gate *gate, size_t stage);
void gate_clear(struct gate *gate);

/* An update of that stage was rejected, or could not be tested or written. gate_stages.c */
bool gate_stage_failed(const struct gate *gate, size_t stage);

/* Of `run`: a test covers it whose outcome comes from outside. And what only such tests cover moves, once all others are judged.
 * gate_outside.c */
bool gate_is_covered_outside(const struct gate *gate, const struct update *update);
int gate_take_outside(struct gate *gate, struct error *err) _must_check_;

/* On which platform a test runs: its own, else the engine's. */
const char *gate_platform(const struct gate *gate, const struct test *test);

/* Where the test names a platform: which image of each index that is, asked once a run. What the registry does not have or tell is
 * the trial's `unfit`. err: no-memory, cancelled */
int gate_choose_children(struct gate *gate, struct trial_spec *spec,
                         struct error *err) _must_check_;
void gate_children_clear(struct gate *gate);

/* Before and after the questions of gate_look_up: what earlier runs saw, and what this one did. gate_state.c. */
int gate_recall(struct gate *gate, struct error *err) _must_check_;
int gate_record(struct gate *gate, struct error *err) _must_check_;

/* Why a trial of that test with that update came to that outcome, as it was recorded last; NULL where none was. gate_trials.c. */
const char *gate_trial_reason(const struct gate *gate, const char *test, size_t update,
                              enum outcome outcome);

/* What changed in the images; gate_changes.c. */

/* Whether `deny` has gates for what may move; engine: for some of them images must be there. */
bool gate_asks_changes(const struct gate *gate, bool *engine);

/* Rejects what is denied, holds what could not be looked at. gate->schedule may be NULL, where no engine is needed.
 * err: cancelled, no-memory; the engine is gone */
int gate_deny(struct gate *gate, struct credentials *credentials, struct error *err) _must_check_;

/* What passed is held where another update of its stage was refused by gate_deny, unless `promote: passing`. */
int gate_close_for_denied(struct gate *gate, struct error *err) _must_check_;

/* For the reports, after the tests. tested: one an update. err: cancelled, no-memory */
int gate_compare(struct gate *gate, const bool *tested, struct credentials *credentials,
                 struct error *err) _must_check_;
int gate_fill_changes(const struct gate *gate, size_t number, struct result_update *to,
                      struct error *err) _must_check_;
void gate_changes_freep(struct gate_changes **changes);

/* What evidence is kept by, what stands in for a trial, what this trial proves; gate_evidence.c. */
int gate_evidence_key(const struct gate *gate, const struct judge_question *question,
                      const struct trial_spec *spec, struct evidence_key *key,
                      struct error *err) _must_check_;
const struct ledger_entry *gate_reusable(const struct gate *gate, const struct test *test,
                                         const struct evidence_key *key);
void gate_show_reused(struct gate *gate, const char *title, const struct ledger_entry *entry);

/* Of a trial that failed, where its output first differs from that of the same test on the current digests. gate_difference.c */
int gate_tell_differences(struct gate *gate, struct error *err) _must_check_;

/* What --keep left, and how it is looked at and removed; gate_kept.c. */
int gate_show_kept(struct gate *gate, struct error *err) _must_check_;

int gate_keep_evidence(struct gate *gate, const struct evidence_key *key,
                       const struct trial_result *result, struct error *err) _must_check_;
int gate_draft_evidence(struct gate *gate, struct error *err) _must_check_;

/* What a trial builds, where it builds something: gate_builds.c. err: io, input, conflict */
int gate_build_spec(struct gate *gate, const struct plan_trial *trial, const bool *moved,
                    struct trial_spec *spec, struct error *err) _must_check_;
void gate_clear_contexts(struct gate *gate);

/* Judges the eligible updates, stage by stage, with fallback; verdicts with words. gate_judge.c.
 *   in  credentials  for what `deny` looks for in the next candidates; NULL: it looks for nothing */
int gate_judge(struct gate *gate, const bool *eligible, struct credentials *credentials,
               struct error *err) _must_check_;

/* gate_deny, and for what it refuses the next candidates. gate_fallback.c */
int gate_deny_candidates(struct gate *gate, struct credentials *credentials,
                         struct error *err) _must_check_;

/* Why a candidate is to be given up. */
struct gate_failure {
    bool failed;
    bool untested;      /* it cost no test: `candidates` does not count it */
    const char *test;   /* lent; NULL: none said no */
    const char *reason; /* lent; NULL: the update's */
    enum outcome outcome;
};

/* Each update that failed moves to its next newest candidate, where its rule allows one more and the registry has one; it is
 * then undecided. The others stay as they are. gate_fallback.c.
 *   in   failures  one an update
 *   out  any       whether one moved */
int gate_fall_back(struct gate *gate, const struct gate_failure *failures, bool *any,
                   struct error *err) _must_check_;
bool gate_may_fall_back(const struct gate *gate, const struct update *update);
void gate_forget_changes(struct gate *gate, size_t update); /* its candidate is another one now */

/* "; the first version that fails is 7.4.2 (test \"answers\": failed)": what was tried before the candidate, or "". */
void gate_tried_words(const struct update *update, struct text *out);

/* regression, already-broken, fixed, flaky: of each trial in the result, as far as is known. gate_trials.c */
int gate_classify(struct gate *gate, struct error *err) _must_check_;
void gate_forget_answers(struct gate *gate);

/* Answers what the judge asks: each trial once in a run, and records it in the result; gate_trials.c. */
int gate_ask(void *gate, struct judge_question *questions, size_t count,
             struct error *err) _must_check_;

/* What a run records; gate_ledger.c. Nothing where no stages are configured. */

/* Reads the ledger and looks at what stands in the stages: after find. err: io when a file of the ledger is damaged */
int gate_open_ledger(struct gate *gate, struct error *err) _must_check_;

/* A new entry with who, when and where; its words must live as long as the gate. NULL with *err set. */
struct ledger_entry *gate_draft(struct gate *gate, enum ledger_type type,
                                struct error *err) _must_check_;
struct set *gate_keep_set(struct gate *gate, struct error *err) _must_check_; /* empty */

/* One entry for each stage in which something moves. */
int gate_draft_promotions(struct gate *gate, struct error *err) _must_check_;
void gate_describe_entry(const struct gate *gate, size_t stage, struct ledger_entry *draft);
void gate_close_ledger(struct gate *gate);
int gate_fill_stages(struct gate *gate, struct error *err) _must_check_; /* a part of fill_result */

/* Stages in a run; gate_stages.c. */

/* err: usage when no stages are configured, or none has that name (NULL: only the first) */
int gate_check_stage(const struct config *config, const char *name, struct error *err) _must_check_;
bool gate_asks_every_test(const struct gate *gate); /* also those of other stages; gate_since.c */

int gate_pause(struct gate *gate, struct error *err) _must_check_;

/* What may enter each stage that comes from another one, for gate->answers; after open_ledger. */
int gate_answer_stages(struct gate *gate, struct error *err) _must_check_;

/* Of `promote`: what no test of the stage covers enters with the others, since it was tested before. */
int gate_enter_untested(struct gate *gate, struct error *err) _must_check_;
bool gate_enters(const struct gate_options *options); /* `promote` */

/* Whether this command writes the stage; NULL: the files that no stage claims. */
bool gate_writes(const struct gate_options *options, const struct stage *stage);
