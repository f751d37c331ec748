/* config: pingate.yaml, read and checked.
 *
 * Unknown and duplicate keys are errors with the near name; durations and sizes need units; a scalar is taken for a list of
 * one; the first rule that matches an image applies. Every message names file, line and column.
 *
 *     version: 1
 *     files: {include: ["deploy/"], exclude: ["vendor/"]}
 *     registries:
 *       registry.example.com:
 *         ca: certs/ca.pem              # its certificate authority, relative to this file
 *         plain_http: false             # true: speak HTTP without TLS to it
 *         timeout: 60s                  # one look-up with its retries
 *         token_server: auth.example.com # another host that may see its credentials, see gate/registry/auth.h
 *     updates:
 *       - images: [redis]
 *         policy: minor
 *         tags: {match: '^(?<v>\d+\.\d+\.\d+)-alpine$', extract: '$v', ignore: ["*-rc*"]}   # see gate/policy/tagfilter.h
 *         follow: "7.2"
 *         cooldown: 3d
 *         candidates: 5                 # when the newest fails its tests, the next newest is tried, five in all at most
 *         deny: []                      # instead of the one below
 *     tests:
 *       - name: answers
 *         images: [redis]
 *         run: ["redis-server --version", ["/bin/true"], {in: python, command: "pytest -q", timeout: 30s}]
 *         timeout: 5m
 *       - name: app
 *         build: {context: ., dockerfile: Dockerfile, target: test, args: {NAME: value}}   # or `build: .`
 *         run: make check              # in what was built on the candidates
 *         retries: 2                    # a trial that fails is run again so often; a pass then is flaky
 *         artifacts: [build/report, out.txt]   # files of the workspace to fetch, see runners/artifact_names.h
 *         junit: [build/test-results/]  # JUnit files of the workspace that must tell of passes, see pipelines/trial_junit.h
 *     stages: [{name: staging, files: [deploy/staging/]}]   # see pipelines/stages/stage.h
 *     target: main                                          # the branch whose files and decisions count
 *     reuse: 24h                    # a pass in the ledger that is younger stands in for a trial; also a test's own
 *     time_limit: 1h                # of the whole run; also --time-limit
 *     state: {folder: .pingate/state}                       # see pipelines/state/state.h
 *     baseline: compare             # a failing test is run on the pinned digests too: always, tolerate, off; also a test's own
 *     flaky: reject                 # a pass only when run again: promote; also a test's own
 *     deny: [user-becomes-root, {size-grows: 20%}]          # what may not change in an image, see runners/deny.h
 *     changes: auto                                         # what is read to tell what changed: packages, config, off
 *     promote: all
 *     untested: hold
 */
#pragma once

#include "gate/policy/policy.h"
#include "gate/registry/registry.h"
#include "pipelines/stages/stage.h"
#include "pipelines/state/state.h"
#include "runners/deny.h"
#include "runners/test.h"

#define CONFIG_FILE       "pingate.yaml"
#define CONFIG_FILE_LIMIT (4u << 20) /* bytes; more is no configuration */

struct config_deny {
    struct deny_list list;
    bool given; /* also an empty one */
};

/* What is read to tell what changed in an image. */
enum changes_depth {
    CHANGES_AUTO,     /* the configuration; packages where the engine has both images anyway */
    CHANGES_PACKAGES, /* packages too: the pinned image is pulled for it */
    CHANGES_CONFIG,   /* the configuration alone */
    CHANGES_OFF       /* nothing but what `deny` asks for */
};

struct config_rule {
    struct string_list images; /* selectors */
    enum policy_kind policy;
    struct tagfilter tags;
    char *follow;        /* the tag that pins without one follow; NULL: none */
    int64_t cooldown_ms; /* how long a candidate was known before it counts; 0: none */
    bool urgent;         /* goes over the cooldown, and over waiting for a later stage */
    int64_t candidates;  /* how many are tried, newest first, when one fails; 0: not given, 1 */
    struct config_deny deny;
    int line; /* from 1 */
};

struct config_rule_list {
    struct config_rule *items;
    size_t count;
    size_t capacity;
};

struct test_list {
    struct test *items;
    size_t count;
    size_t capacity;
};

struct registry_host_list {
    struct registry_host *items;
    size_t count;
    size_t capacity;
};

struct config {
    char *file;                          /* as it was named; NULL when there is none */
    struct string_list include, exclude; /* globs of files */
    struct registry_host_list registries;
    struct config_rule_list rules;
    struct test_list tests;
    struct stage_list stages;
    struct state_config state;
    char *target;           /* branch whose files and decisions count; NULL: any */
    int64_t reuse_ms;       /* default of tests; 0: never */
    enum baseline baseline; /* default of tests */
    enum flaky flaky;       /* default of tests */
    bool promote_passing;   /* promote: passing */
    bool untested_fails;    /* untested: fail */
    struct config_deny deny;
    enum changes_depth changes;
    int64_t time_limit_ms; /* of a whole run; 0: none */
};

/* in   file   path, also as messages name it
 * err  config with "file:line:column: …", not-found, io
 */
int config_load(const char *file, struct config *out, struct error *err) _must_check_;

/* The same from bytes; pure. */
int config_parse(const char *file, const char *bytes, size_t length, struct config *out,
                 struct error *err) _must_check_;

void config_clear(struct config *config);

/* The first rule that matches, or NULL. */
const struct config_rule *config_rule_for(const struct config *config, const char *image,
                                          const char *tag);

/* The gates on what changed that hold for an image: its rule's, or else those of the top level. */
const struct deny_list *config_deny_for(const struct config *config, const char *image,
                                        const char *tag);

/* Calls visit for every key that the parser knows, as ("tests.run.", "in"); -1 from it ends the walk. A test holds the
 * JSON Schema to this. */
int config_each_key(int (*visit)(void *context, const char *prefix, const char *name),
                    void *context);
