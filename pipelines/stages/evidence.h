/* evidence: what the trials of a run prove, as drafts for the ledger; and what the ledger proves already, so that a trial need
 * not be run again.
 *
 *     struct evidence_facts facts = {.platform = "linux/amd64", .workspace = hash, .source = "run"};
 *     struct evidence_key key = {0};
 *     evidence_key_of(&spec, &trial, &updates, moved, &facts, &key, err);
 *     const struct ledger_entry *old = evidence_reusable(&ledger, &key, reuse_ms, now_ms);   a pass of before, or NULL
 *     evidence_add(&evidence, &key, outcome, time_ms, err);                                  else what came of the trial
 *     ledger_format(evidence.items, evidence.count, …)                                       actor and ci are the caller's
 *
 * The key is all that a trial depends on: the test and its definition, the digests that took part, the workspace but for its
 * pins, the platform, and what the trial itself was given: which command ran in which image, and the PINGATE_ variables. Two
 * trials may have the same digests and yet differ in the last: a test that covers both images that it uses. An entry of the
 * ledger holds one outcome for a test and its values, so of such two the worse one is recorded.
 */
#pragma once

#include "gate/base/arena.h"
#include "gate/set.h"
#include "pipelines/plan.h"
#include "pipelines/stages/ledger.h"

struct evidence_facts {
    const char *platform;  /* of the engine */
    const char *workspace; /* its hash, see runners/workspace_hash.h; NULL or "": unknown */
    const char *source;    /* "run", "test", "promote" */
    const char *stage;     /* that is entered; NULL: none in particular */
};

/* Lends from the test, the facts; owns the set. */
struct evidence_key {
    const char *test;
    char definition[HASH_HEX_SIZE]; /* test_definition_hash */
    char trial[HASH_HEX_SIZE];      /* what the trial is given */
    struct set values;              /* that take part */
    struct evidence_facts facts;    /* workspace is NULL when it is unknown */
};

/* in   trial    of the plan
 *      spec     that plan_spec gave for it and `moved`
 * err  bug      a participant has no digest;  no-memory */
int evidence_key_of(const struct plan_trial *trial, const struct trial_spec *spec,
                    const struct update_list *updates, const bool *moved,
                    const struct evidence_facts *facts, struct evidence_key *key,
                    struct error *err) _must_check_;
void evidence_key_clear(struct evidence_key *key);

/* Drafts of type evidence; their strings are in the arena. */
struct evidence {
    struct ledger_entry *items;
    size_t count;
    size_t capacity;
    struct arena arena;
};

/* Adds what came of a trial, or makes what is there already worse. `error` and `skipped` prove nothing and are passed over.
 * time_ms: when it ended, since 1970. */
int evidence_add(struct evidence *evidence, const struct evidence_key *key, enum outcome outcome,
                 int64_t time_ms, struct error *err) _must_check_;
void evidence_clear(struct evidence *evidence);

/* The newest pass of the same key that is younger than reuse_ms; NULL when there is none, when anything but a pass of the same
 * test, definition, values, platform and workspace is as new as it, when it is from the future (a clock jumped), or when the
 * workspace is not known. A flaky pass is none. Pure. */
const struct ledger_entry *evidence_reusable(const struct ledger *ledger,
                                             const struct evidence_key *key, int64_t reuse_ms,
                                             int64_t now_ms);
