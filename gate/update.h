/* update: one value that pins of a stage hold, (image, tag, digest), and the candidate that may follow it.
 *
 * All pins of equal value move together; `redis:6` and `redis:7` are two updates. The life of an update is one way: collected
 * from pins, given a rule, looked up (candidate or verdict), judged (verdict), written.
 */
#pragma once

#include <stdint.h>

#include "gate/pin.h"
#include "gate/policy/policy.h"
#include "gate/verdict.h"

#define UPDATE_NO_STAGE ((size_t)-1) /* of files that no stage claims */
#define UPDATE_LEFT_OUT ((size_t)-2) /* of a pin that makes no update */

/* A candidate that was given up for an older one. */
struct update_tried {
    char *tag, *digest; /* as those of a candidate */
    char *test;         /* that said no; NULL where none did, as for one that is denied */
    char *reason;
    enum outcome outcome; /* of the test; OUTCOME_SKIPPED where none said no */
};

struct update_tried_list {
    struct update_tried *items; /* newest first */
    size_t count;
    size_t capacity;
};

struct update {
    char *image;  /* "docker.io/library/redis" */
    char *tag;    /* as pinned; NULL where there is none */
    char *digest; /* as pinned; NULL for a pin that is new (test --since) */
    size_t *pins; /* indexes into the list it was collected from, ascending */
    size_t pin_count;
    size_t stage; /* of its pins, as the caller numbers stages; UPDATE_NO_STAGE */

    struct policy policy; /* of the first rule that matches; borrows from the configuration */
    int64_t cooldown_ms;  /* how long a candidate was known before it counts; 0: none */
    bool urgent;          /* goes over the cooldown, and over waiting for a later stage */
    char *rule;           /* where the rule stands: "pingate.yaml:12", "default" */
    /* the tag that is looked up: the pinned one, or the rule's `follow`; NULL: nothing is known */
    char *follow;

    char *candidate_tag;    /* NULL: no candidate, or one without a tag */
    char *candidate_digest; /* NULL: no candidate */

    /* Fallback. Tags behind the candidate's that the policy allows, newest first, the last is `follow`; what digests they have
     * is asked only when they are needed. */
    struct string_list further;
    int64_t candidates;             /* how many may be tested, at least 1 */
    struct update_tried_list tried; /* before the candidate */
    const char
        *given_up; /* during a further look-up: the digest that may not be taken again; lent */

    bool decided; /* the verdict below holds */
    enum verdict verdict;
    enum verdict_code code;
    char *reason;     /* one sentence; set when decided */
    size_t *culprits; /* of one that fails together with others: those, by place in the list */
    size_t culprit_count;
};

struct update_list {
    struct update *items; /* sorted by image, tag, digest, stage */
    size_t count;
    size_t capacity;
};

/* Groups pins by value and stage. stages: one a pin; NULL: no pin has one. out is empty on -1. err: no-memory. */
int updates_collect(const struct pin_list *pins, const size_t *stages, struct update_list *out,
                    struct error *err) _must_check_;

/* Sets the verdict and its reason (printf). Replaces an earlier one. Always 0, or -1 without memory. */
int update_decide(struct update *update, struct error *err, enum verdict verdict,
                  enum verdict_code code, const char *reason, ...) _printf_(5, 6);

/* The candidate is given up: it goes to the tried ones, and the update has none and is not decided.
 *   in  test, reason  may be NULL */
int update_give_up(struct update *update, const char *test, const char *reason,
                   enum outcome outcome, struct error *err) _must_check_;

/* Whether the digest was a candidate and was given up. */
bool update_gave_up(const struct update *update, const char *digest);

/* "redis:7.2.4", "ghcr.io/a/b" where there is no tag: how people name it. NULL with *err set. */
char *update_words(const struct update *update, struct error *err) _must_check_;

void update_list_clear(struct update_list *updates);
