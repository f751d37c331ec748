/* trial: one run of one test on one set of digests, and what came of it.
 *
 * Order: a volume, the build if there is one (trial_build.h), then each command in a container of its own, and at last the volume and
 * what was built go:
 *
 * A trial with services has a network of its own, and they get ready before the first command runs (service.h).
 *
 *     create (no auto-remove) → the first: copy the workspace in → start, which must answer 204 → read the log to its end
 *     → inspect → remove → ask whether somebody stopped it
 *
 * A pass of a command needs all of: the pulled digest is the asked one, the container's image is that image, it started, it
 * exited by itself with 0, it was not out of memory, its log stream ended whole and below the limit. A pass of a trial needs
 * a pass of each command, and at least one. Inspect decides; a stream that ends proves nothing by itself. The first command
 * that does not pass ends the trial; later ones are `skipped`. What a signal cut short, or an engine that failed, is `error`:
 * nothing is known then. `timed-out` is only what the engine says to run still when the test's time is over.
 *
 * A trial that was run again (schedule.h) has the result of its last attempt. A pass after an attempt that said no is `flaky`.
 *
 * The test's artifacts come out of the container of the last command that ran, whatever its outcome, before it is removed; that they
 * lack is a warning and no outcome (artifacts.h). With them come its JUnit files, and those do count: what the caller's `check` says of
 * them can make a pass a failure, never a failure a pass (trial_run.h).
 *
 * This header is plain data. trial_run.h runs it, command_outcome.h judges a command, schedule.h runs many.
 *   src  facts seen on Docker Engine 20.10 and Podman 4.3, see HACKING.md
 */
#pragma once

#include "gate/base/text.h"
#include "gate/verdict.h"
#include "runners/grants.h"
#include "runners/test.h"

/* of each stream of each command that stay in memory; the file holds the whole */
#define TRIAL_TAIL_BYTES (64u << 10)

/* One command with the image it runs in. */
struct trial_step {
    const struct test_command *command;
    char *image; /* normalised, without tag and digest: "docker.io/library/redis" */
    char *tag;   /* for people; NULL where there is none */
    char *
        digest; /* that is tested; pulled and proved, unless there is a child; NULL: what was built, and image and tag are too */
    /* the image that the index `digest` has for the test's platform: this one is pulled and proved; NULL where the test names no
     * platform, or `digest` is no index */
    char *child;
};

/* A pinned image that a Dockerfile names, at the value that is tested. */
struct trial_base {
    struct trial_step image; /* without a command and a child */
    bool needed; /* the test covers it: a build that does not use it proves nothing of it */
    size_t line; /* in the Dockerfile, from 1 */
};

struct build_context;

struct trial_build {
    const struct test_build *build;
    const struct build_context *context; /* lent */
    struct text side;                    /* the Dockerfile that is built from */
    char *diff;                          /* between it and the one of the project; "" for none */
    struct trial_base *bases;
    size_t base_count;
};

/* What an engine is asked for. */
static inline const char *trial_step_digest(const struct trial_step *step) {
    return step->child != NULL ? step->child : step->digest;
}

/* One service with the image that it runs. */
struct trial_service {
    const struct test_service *service;
    char *image, *tag, *digest; /* as of a step */
};

struct trial_spec {
    const struct test *test;
    struct trial_step *steps; /* one a command of the test */
    size_t step_count;
    struct trial_build *build;      /* NULL: nothing is built */
    struct trial_service *services; /* one a service of the test */
    size_t service_count;
    const struct grants *grants; /* what the caller lets it have; lent; NULL: nothing */
    /* Why it is not run and what that means: the candidate has no image for the platform (failed), or nobody knows (error);
     * NULL: it is run. Untrusted. */
    char *unfit;
    enum outcome unfit_outcome;
    char *title;                    /* for people: "answers on redis 7.2.5" */
    struct string_list environment; /* added to the test's: PINGATE_IMAGE=… and its kin */
    char *log_folder; /* made by the trial; files N-stdout.log and N-stderr.log, N from 1 */
    char *
        artifact_folder; /* made by the trial for the test's artifacts and JUnit files; NULL: none are fetched */
};

struct build_result {
    enum outcome outcome;
    char *reason;        /* NULL for passed; begins with "build: "; may hold untrusted text */
    char *step;          /* that failed; NULL */
    int64_t duration_ms; /* of the test's time */
    struct text tail;    /* last TRIAL_TAIL_BYTES of its log; raw, untrusted bytes */
    int64_t bytes;       /* of the log, in all */
    char *path;          /* of the whole log; NULL when it never began */
    char *image_id;      /* of what was built and proved; NULL */
};

struct command_result {
    enum outcome outcome;
    /* one sentence, NULL for passed: "exited with 3", "timed out after 5 m 0 s"; may hold untrusted text */
    char *reason;
    int exit_code;                  /* -1 when it did not exit by itself */
    int64_t duration_ms;            /* from start to exit */
    struct text out_tail, err_tail; /* last TRIAL_TAIL_BYTES; raw, untrusted bytes */
    int64_t out_bytes, err_bytes;   /* in all */
    char *out_path, *err_path;      /* whole logs; NULL when it never started */
};

/* What became of a service. Its outcome is passed when it got ready and ran for as long as it was to. */
struct service_result {
    struct command_result end; /* as of a command; exit code -1: it ran until it was removed */
    int64_t ready_ms;          /* from its start until it was ready; -1: never */
};

/* A file that was fetched out of the workspace. */
struct artifact {
    char *path; /* from the workspace on; untrusted */
    int64_t size_bytes;
};

/* What the last container of a trial gave; says nothing of the outcome. */
struct artifacts {
    struct artifact *items; /* ARTIFACTS_NAMED at most */
    size_t count;
    size_t capacity;
    size_t files; /* in all */
    int64_t bytes;
    struct string_list warnings; /* what lacks, and why; one sentence each; untrusted */
    struct string_list junit;    /* paths of the JUnit files that the test wrote; untrusted */
    size_t junit_old;            /* JUnit files that came with the project and were not written */
    size_t junit_left;           /* … links, devices and the like, which are not read */
    bool incomplete;             /* some may not have come: the first warning tells why */
};

struct trial_result {
    enum outcome outcome; /* the first that is not passed */
    char *reason;         /* NULL for passed: "command 2 of 3 (redis-cli ping): exited with 1" */
    int64_t started_ms;   /* since 1970 */
    int64_t duration_ms;
    struct build_result *build;      /* NULL: nothing was to be built */
    struct command_result *commands; /* one a step */
    size_t command_count;
    struct service_result *services; /* one a service */
    size_t service_count;
    struct artifacts artifacts;
    unsigned int attempts;              /* how often it was run; 0: not at all */
    struct string_list attempt_reasons; /* why those before the last did not pass */
    bool cut;                           /* the run's time was over before it was done */
    /* what trial_run's `check` made of the artifacts, for its own use; and what frees it */
    void *found;
    void (*found_free)(void *found);
};

void command_result_clear(struct command_result *command);

/* Where the logs or artifacts of an attempt go: the first one's into the folder itself, the second one's into attempt-2 in it.
 * NULL for NULL, or with *err set. attempt: from 1 */
char *trial_attempt_folder(const char *folder, unsigned int attempt, struct error *err);

void trial_spec_clear(struct trial_spec *spec);
void trial_result_clear(struct trial_result *result);
