/* test: what a project declares in pingate.yaml that an image must do; plain data, made by the configuration.
 *
 * Each entry of `run` is one command in a fresh container. The workspace (a volume of the trial) stays from one command to
 * the next, nothing else does. A string of the configuration is already {"sh", "-ec", string} here; a list is as it was
 * written and needs no shell in the image. The image's entrypoint is not run unless `entrypoint` says so.
 *
 * What a test asks of its caller (secrets, variables of the caller's environment) is only a request: grants.h.
 */
#pragma once

#include <stdint.h>

#include "gate/base/array.h"
#include "gate/base/hash.h"

#define TEST_TIMEOUT_MS      (10 * 60 * 1000) /* default for all commands of one test together */
#define TEST_RETRIES_LIMIT   10               /* more of them hide what is broken */
#define TEST_MEMORY_BYTES    (2LL << 30)      /* default limit of one container */
#define TEST_NANO_CPUS       2000000000LL     /* default: two cores */
#define TEST_PIDS            1024             /* default limit of one container */
#define TEST_LOG_LIMIT_BYTES (1LL << 30) /* default: more output of one command ends it as failed */

/* What becomes of the image's entrypoint: the command is run in its place, it gets the command as its arguments, or other
 * words do. */
enum entrypoint { ENTRYPOINT_CLEAR, ENTRYPOINT_KEEP, ENTRYPOINT_REPLACE };

/* A limit of the kernel for each process, as `ulimit` shows it; -1 is none. */
struct ulimit {
    char *name; /* "nofile" */
    int64_t soft, hard;
};

struct ulimit_list {
    struct ulimit *items; /* by name */
    size_t count;
    size_t capacity;
};

/* A file in memory for the user of each container of the test, below TEST_SECRETS_FOLDER. */
struct test_secret {
    char *name; /* by which the caller grants it */
    char *file; /* its name in that folder */
    int line;   /* in pingate.yaml, from 1 */
};

#define TEST_SECRETS_FOLDER "/run/secrets"

struct test_secret_list {
    struct test_secret *items;
    size_t count;
    size_t capacity;
};

/* Whether a test is run on the pinned digests too, and what it means where it fails there. */
enum baseline {
    BASELINE_DEFAULT, /* none was given: compare */
    BASELINE_COMPARE, /* where it fails on candidates; fails it there as well, it closes the gate */
    BASELINE_ALWAYS,  /* the same, and always: so what is fixed is known */
    BASELINE_TOLERATE, /* as compare; fails it there as well, it does not count */
    BASELINE_OFF
};

/* What a pass is worth that came only when the test was run again. */
enum flaky { FLAKY_DEFAULT /* none was given: reject */, FLAKY_REJECT, FLAKY_PROMOTE };

struct test_command {
    char **argv;        /* NULL-terminated, owned, at least one */
    char *text;         /* as it was written, on one line, for reports */
    char *in;           /* selector of the image that it runs in; NULL is the test's */
    int64_t timeout_ms; /* of its own, within the test's; 0: none */
    int line;           /* in pingate.yaml, from 1 */
};

/* An image that is built from the project, with every pin of its Dockerfile replaced by what is tested. */
struct test_build {
    char *context;           /* folder from the project on, "." is the project */
    char *dockerfile;        /* from the context on */
    char *target;            /* stage that is built; NULL is the last one */
    struct string_list args; /* "NAME=value" */
    /* of the pins of its Dockerfile, which is looked at after the configuration was read (plan_build.h) */
    struct string_list images;
    int line; /* in pingate.yaml, from 1 */
};

/* How it is told that a service is ready; runners/ready.h says what each means. */
enum ready_kind {
    READY_HEALTHY,
    READY_TCP,
    READY_HTTP,
    READY_LOG,
    READY_EXEC,
    READY_EXIT,
    READY_NONE,
};

struct test_ready {
    enum ready_kind kind;
    int64_t number;              /* tcp, http: the port; exit: the code */
    int64_t status;              /* http: that is wanted; 0: any from 200 to 399 */
    char *text;                  /* http: the path, from "/" on; log: the pattern */
    struct test_command command; /* exec */
};

/* A container that runs beside the commands, in a network that only the trial has. */
struct test_service {
    char *name;  /* others reach it by; [a-z0-9._-]+ */
    char *image; /* selector of a pinned image of the project */
    struct string_list aliases;
    struct string_list environment; /* "NAME=value" */
    enum entrypoint entrypoint;
    char **entrypoint_words;     /* of ENTRYPOINT_REPLACE */
    struct test_command command; /* its argv is NULL: the image's own */
    struct test_command
        health; /* a health check of the test's own; its argv is NULL: the image's */
    char *user; /* NULL is the image's */
    int64_t memory_bytes;
    int64_t shm_bytes;
    struct string_list tmpfs;
    struct test_ready *ready; /* all must hold, one after the other; none: see ready_default() */
    size_t ready_count;
    int64_t within_ms; /* for all of them together */
    bool may_end;      /* that it ends while commands run is no failure */
    int line;          /* in pingate.yaml, from 1 */
};

#define TEST_SERVICES_LIMIT 16

struct test {
    char *name; /* unique; [A-Za-z0-9 ._-]+, so that it is fit for paths and reports */
    /* selectors of the updates that it covers; empty: see `in`, else all */
    struct string_list images;
    char *in; /* selector of the image that commands run in; NULL: the update's candidate */
    struct test_build
        *build; /* commands without `in` run in what comes of it; NULL: nothing is built */
    struct test_service *services; /* in the order in which they are started */
    size_t service_count;
    struct test_command *commands;
    size_t command_count;
    int64_t timeout_ms;   /* for the build and all commands together */
    unsigned int retries; /* how often a trial that failed is run again from its beginning */
    struct string_list environment; /* "NAME=value" */
    /* "NAME=OTHER": the value of OTHER in the caller's environment, where he grants it */
    struct string_list environment_from;
    struct test_secret_list secrets;
    char *user;    /* NULL is the image's */
    char *workdir; /* NULL is the workspace */
    bool external; /* its outcome comes from outside; it has no commands */
    bool network;  /* false: none */
    bool strict;   /* profile: no capabilities, the root cannot be written */
    enum entrypoint entrypoint;
    char **entrypoint_words; /* of ENTRYPOINT_REPLACE: NULL-terminated, owned, at least one */
    char *platform;          /* "linux/arm64"; NULL is the engine's own */
    int64_t memory_bytes;
    int64_t nano_cpus;
    int64_t pids;
    int64_t shm_bytes;        /* of /dev/shm; 0 is the engine's default, 64 MiB */
    struct string_list tmpfs; /* "/path:options" as engines take it */
    struct ulimit_list ulimits;
    int64_t log_limit_bytes; /* of one stream of one command */
    int64_t reuse_ms; /* how old a pass on record may be to stand in for a trial; 0: none may */
    enum baseline baseline;
    enum flaky flaky;
    struct string_list artifacts; /* patterns of files to fetch, see artifact_names.h */
    struct string_list junit; /* patterns of JUnit files that must tell of passes, the same way */
    int line;                 /* in pingate.yaml, from 1 */
};

/* What evidence calls the test's definition: the sha256 of all that decides what is run and when it passes, as canonical JSON.
 * That is commands, the image that each names, what is built, services, environment (in any order), the names of what the caller grants and not its
 * values, user, workdir, network, entrypoint, profile, platform, tmpfs, `junit`, and every limit, the time-out too. What is not given is
 * not in it,
 * so that a new key leaves the evidence of tests that do without it. It is not the name (evidence has it beside), not the line, not the words for reports, not `reuse`,
 * not `artifacts`, not `baseline` and `flaky` (what verdicts make of its outcomes is no part of them), and not `images`: which images are tested is no part of how, and evidence names the digests that took part.
 * err: no-memory */
int test_definition_hash(const struct test *test, char hex[HASH_HEX_SIZE],
                         struct error *err) _must_check_;

void test_build_clear(struct test_build *build);
void test_command_clear(struct test_command *command);
void test_clear(struct test *test);
void ulimit_list_clear(struct ulimit_list *list);
