/* result: the one model of what a run found, did and wrote; every report is drawn from it and from nothing else.
 *
 * result.json is this struct, field by field (schemas/result.schema.json). Texts that came from outside (tags, reasons, logs)
 * are held here as they came: each sink cleans what it draws (clean.h). Readers ignore unknown fields; `version` rises only
 * when something breaks.
 */
#pragma once

#include <jansson.h>
#include <stdint.h>

#include "gate/base/array.h"
#include "gate/base/redact.h"
#include "gate/base/text.h"
#include "gate/verdict.h"

#define RESULT_VERSION   1
#define RESULT_SET_SHORT 12 /* digits of a set's id, for people */
/* of each stream of a command that did not pass; in result.json */
#define RESULT_TAIL_BYTES (64u << 10)
/* of one that passed: nobody reads more, and there are thousands */
#define RESULT_TAIL_PASSED (4u << 10)
/* of all streams: from there on the shorter tails alone, so that result.json stays readable */
#define RESULT_TAILS_BYTES (32u << 20)
/* of all cases of JUnit files that tests wrote: from there on they are counted alone, for the same reason */
#define RESULT_CASES_BYTES (16u << 20)

struct result_command {
    char *text;  /* as declared */
    char *image; /* "docker.io/library/redis:7.2.5@sha256:…" it ran in */
    enum outcome outcome;
    char *reason;  /* NULL for passed */
    int exit_code; /* -1 when it did not exit by itself */
    int64_t duration_ms;
    char *out_tail, *err_tail;    /* UTF-8; invalid bytes became U+FFFD */
    int64_t out_bytes, err_bytes; /* in all */
    /* of the whole logs, relative to the output folder; NULL when there is none */
    char *out_path, *err_path;
    char *reproduce;  /* a line for a shell; NULL where there is none */
    int64_t limit_ms; /* of its own; 0 where it has none */
    /* where its output first differs from that on the current digests: "line 3: \"b\", and \"a\" on the current digest"; NULL
     * where it does not, or nothing was compared */
    char *difference;
};

/* A service of a trial (runners/service.h). */
struct result_service {
    char *name;  /* as declared: commands reach it by this name */
    char *image; /* "docker.io/library/redis:7.2.5@sha256:…" */
    enum outcome outcome;
    char *reason;                 /* NULL for passed */
    int exit_code;                /* -1 when it did not exit by itself */
    int64_t ready_ms;             /* from its start until it was ready; -1: it never was */
    int64_t duration_ms;          /* from its start to its end */
    char *out_tail, *err_tail;    /* as those of a command */
    int64_t out_bytes, err_bytes; /* in all */
    char *out_path, *err_path;    /* as those of a command */
};

/* The build that a trial's commands ran in (runners/build.h). */
struct result_build {
    char *dockerfile; /* relative to the root */
    char *target;     /* stage of the Dockerfile; NULL for the last */
    enum outcome outcome;
    char *reason; /* NULL for passed */
    char *step;   /* that failed, as the builder names it; NULL when none did, or it was not told */
    int64_t duration_ms;
    char *tail;    /* the last of its log */
    int64_t bytes; /* of its log in all */
    char *path;    /* of the whole log, relative to the output folder; NULL where there is none */
    char *diff;    /* unified: what was written into the Dockerfile; NULL where nothing was */
};

/* One case of a JUnit file that a test wrote. */
struct result_case {
    char *classname; /* NULL where the file tells none */
    char *name;
    enum outcome outcome; /* passed, failed, error (the case broke), skipped, flaky */
    char *message;        /* NULL where the file tells none */
    char *detail;         /* the text below it, such as a stack trace; NULL where there is none */
    int64_t duration_ms;  /* as the file tells */
};

/* One suite with cases of a JUnit file that a test wrote; suites within suites are listed flat, their names joined by " / ". */
struct result_suite {
    char *file;   /* as the container named it */
    char *name;   /* "" where the file tells none */
    size_t tests; /* of all cases: passed, failed, errors, skipped and flaky ones */
    size_t failed, errors, skipped;
    size_t flaky; /* passed when run again */
    int64_t duration_ms;
    struct result_case *cases; /* all that did not pass, then passed ones, both up to a limit */
    size_t case_count;
};

/* The pass on record that stands in for a trial: nothing was run. */
struct result_reused {
    int64_t time_ms; /* when it passed, since 1970 */
    char *entry;     /* id of the ledger's entry */
};

/* One trial that the verdicts rest on; baseline trials are marked. */
struct result_trial {
    char *test;      /* name of the test */
    size_t *updates; /* indexes into result.updates: whose candidates took part */
    size_t update_count;
    bool baseline;  /* on the current digests */
    char *platform; /* "linux/amd64" */
    enum outcome outcome;
    char *reason; /* NULL for passed */
    int64_t started_ms, duration_ms;
    struct result_reused *reused; /* NULL: it was run; else it has no commands and took no time */
    struct result_command *commands;
    size_t command_count;
    char *
        artifact_folder; /* of the files that were fetched, relative to the output folder; or NULL */
    struct string_list
        artifacts;          /* the first of them, below that folder, as the container named them */
    size_t artifact_count;  /* in all */
    int64_t artifact_bytes; /* of all */
    struct result_build *build; /* NULL: its commands ran in images as they are */
    struct result_service *services;
    size_t service_count;
    struct result_suite *suites; /* what its JUnit files tell */
    size_t suite_count;
    unsigned int
        attempts; /* how often it was run; 0 where it was not, or an earlier program wrote */
    struct string_list attempt_reasons; /* why the attempts before the last did not pass */
    int64_t limit_ms;                   /* of all its commands together; 0 where there is none */
    /* against the current digests: "regression", "already-broken", "fixed", "flaky"; NULL where nothing was compared */
    char *class;
    /* on a candidate that was given up for an older one (result_update.tried): kept for its logs, counts for nothing */
    bool given_up;
};

struct result_pin {
    char *file;
    size_t line;
    char *format;
};

/* A newer candidate that was tried first, and failed. */
struct result_tried {
    char *tag, *digest; /* tag NULL where it is the same */
    char *test;         /* that said no; NULL where none did */
    char *reason;       /* NULL where there is no more to say */
    enum outcome outcome;
};

/* One thing that is not the same in the candidate. */
struct result_change {
    char *what;   /* "user", "entrypoint", "package", "env", …: the words of `deny` */
    char *name;   /* of the package, the variable, the label; NULL where `what` says it all */
    char *before; /* NULL: it was not there */
    char *after;  /* NULL: it is no longer there */
    bool denied;  /* a rule of `deny` refuses it */
};

/* What changed from the current image to its candidate (runners/changes.h). */
struct result_changes {
    struct result_change *items;
    size_t count;
    size_t more;                     /* changes beyond a limit, which are not among the items */
    int64_t size_before, size_after; /* bytes of the image; -1 where it is not known */
    size_t layers_shared, layers;    /* of the candidate: how many the current one has as well */
};

struct result_update {
    char *image;                            /* "docker.io/library/redis" */
    char *tag, *digest;                     /* current; tag NULL where there is none */
    char *candidate_tag, *candidate_digest; /* NULL where there is none */
    char *policy;                           /* "minor" */
    char *rule;                             /* where it comes from: "pingate.yaml:12", "default" */
    char *stage;                            /* "default" */
    enum verdict verdict;
    enum verdict_code code;
    char *reason;    /* one sentence for people; never NULL */
    char *reproduce; /* a command that shows it again; NULL where there is none */
    struct result_pin *pins;
    size_t pin_count;
    struct result_tried *tried; /* newest first */
    size_t tried_count;
    size_t *
        culprits; /* indexes into result.updates: with whose candidates it fails, itself left out */
    size_t culprit_count;
    struct result_changes *changes; /* NULL where they are not known */
    bool flaky;                     /* a test of its candidate passed only when it was run again */
};

/* What became of one stage (pipelines/stages/stage.h): whether a set entered it, and if not, why. */
struct result_stage {
    char *name;
    char *from;   /* the stage before; NULL for one that `run` writes */
    char *before; /* id of the set that stood there */
    char *set;    /* id of the set that stands, or in a dry run would stand, there now */
    char *source; /* of the snapshot of `from` that enters, or waits; NULL where there is none */
    char *reason; /* what keeps it out; NULL when it enters, or nothing waits */
    char *overridden; /* codes that --force went over; NULL for none */
    char *forced;     /* the reason that was given with --force; NULL without */
};

struct result {
    char *program_version;           /* "0.1.0" */
    char *command;                   /* "run", "test" */
    int64_t started_ms, finished_ms; /* since 1970 */
    bool dry_run;
    char *promote; /* "all", "passing" */
    bool changed;  /* files were written */
    int exit_status;
    char *engine; /* in words; NULL when none was needed or found */
    char *set; /* id of the set that was promoted or tested; NULL; with stages, each has its own */
    struct result_update *updates;
    size_t update_count;
    struct result_trial *trials;
    size_t trial_count;
    struct result_stage *stages; /* that this command was about */
    size_t stage_count;
    struct string_list warnings; /* "pingate.yaml:7: the rule matches no image" */
    struct string_list errors;   /* what made the exit status 2 or 3 */
    char *record; /* file of the ledger that was written, relative to the root; NULL */
    char *diff;   /* unified diff of what was, or would be, written; "" when nothing */
};

void result_clear(struct result *result);
void result_stage_clear(struct result_stage *stage);
void result_suite_clear(struct result_suite *suite);

/* For texts that a run which broke early may lack. */
static inline const char *or_empty(const char *string) {
    return string != NULL ? string : "";
}

/* NULL with *err set. Invalid UTF-8 becomes U+FFFD. */
json_t *result_to_json(const struct result *result, struct error *err) _must_check_;

/* Reads what result_to_json gave, of this or an earlier program. err: input with what is wrong in it. */
int result_from_json(const json_t *json, struct result *out, struct error *err) _must_check_;

/* Takes secrets out of all words that may hold what a container printed, or an engine said. Names, paths, digests and the diff stay:
 * they come from the project and from registries. redact: NULL: nothing is to be taken out. */
int result_redact(struct result *result, const struct redact *redact,
                  struct error *err) _must_check_;

/* A signal ended the run: that its trials could not be finished says nothing of them. */
bool result_is_interrupted(const struct result *result);

/* How many updates have this verdict. */
size_t result_count(const struct result *result, enum verdict verdict);

/* How many updates are held for this code. */
size_t result_count_code(const struct result *result, enum verdict_code code);

/* How commands, or the tests that are made of them, ended; baselines left out. */
struct result_tests {
    size_t total, passed; /* flaky ones have passed */
    size_t flaky;
    size_t reused; /* of those that passed: not run again */
    size_t failed; /* failed, timed-out, oom */
    size_t errors;
    size_t skipped;
};

/* Of commands, as JUnit counts. A trial that ended before its first command counts as one. */
void result_count_tests(const struct result *result, struct result_tests *tests);

/* Of runs of whole tests, as people count: one that has three commands is one. */
void result_count_runs(const struct result *result, struct result_tests *runs);

/* The same for the trials in which this update's candidate took part; combinations that failed count only against those
 * that were rejected. */
void result_count_update_tests(const struct result *result, size_t update,
                               struct result_tests *tests);
void result_count_update_runs(const struct result *result, size_t update,
                              struct result_tests *runs);

/* What the JUnit files tell that tests wrote. */
struct result_inside {
    size_t tests;
    size_t failed; /* with errors */
    size_t skipped;
    size_t flaky;
};

/* Adds those of one trial. */
void result_count_inside(const struct result_trial *trial, struct result_inside *inside);

/* Of all trials but baselines. */
void result_count_all_inside(const struct result *result, struct result_inside *inside);

/* It is one of those that the verdicts rest on: no baseline, and on no candidate that was given up. */
bool result_trial_counts(const struct result_trial *trial);

/* Does the trial rest on this update's candidate? */
bool result_trial_covers(const struct result_trial *trial, size_t update);

/* No command tells how the trial went: it has none, or none failed and none broke while the trial as a whole did. */
bool result_trial_speaks_alone(const struct result_trial *trial);

/* What pins are that nothing follows: "up to date", or "unchanged" where nothing was looked up. */
const char *result_unmoved_words(const struct result *result);

/* The verdict for people: "promoted", "passed" (not written), "rejected", "held", "look-up failed", and the above. */
const char *result_verdict_words(const struct result *result, const struct result_update *update);

/* "7.2.4@0123456789ab", "7.2.4", "0123456789ab"; "" where there is neither. */
int result_version_words(const char *tag, const char *digest, char **out,
                         struct error *err) _must_check_;

/* "7.2.4@0123456789ab → 7.2.5@ba9876543210", or the first alone where there is no other. */
int result_change_words(const char *tag, const char *digest, const char *candidate_tag,
                        const char *candidate_digest, const char *arrow, char **out,
                        struct error *err) _must_check_;

/* "package libssl3: 3.0.14 → 3.0.15", "user: postgres → (none)", "env X added: 1", "package pip removed: 24.2". Untrusted. */
void result_change_line(const struct result_change *change, const char *arrow, struct text *out);

/* "41 MB → 43 MB (+1.8 MB), 4 of 7 layers shared"; false where nothing is known. */
bool result_size_words(const struct result_changes *changes, const char *arrow, struct text *out);

/* "tests.test_api.test_get: connection closed". Untrusted. */
void result_case_words(const struct result_case *of, struct text *out);

/* A case of a JUnit file that failed or broke. */
bool result_case_is_bad(const struct result_case *of);

/* "7.4.2 failed (answers): exited with 1". Untrusted. */
void result_tried_words(const struct result_tried *tried, struct text *out);

/* The command that tells how the trial went: the first that failed or broke; NULL when none did. */
const struct result_command *result_failed_command(const struct result_trial *trial);

/* A set enters it, or would in a dry run. */
bool result_stage_moves(const struct result_stage *stage);

/* What became of the stage in one sentence: "production takes the set 4f0c2a91d3b8 of staging". Holds untrusted words. */
int result_stage_words(const struct result *result, const struct result_stage *stage,
                       struct text *out, struct error *err) _must_check_;

/* The verdict in one line, the first of every report: "Gate closed: 1 of 3 updates failed its tests; nothing was written." */
char *result_headline(const struct result *result, struct error *err) _must_check_;
