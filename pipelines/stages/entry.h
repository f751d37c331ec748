/* entry: may a set enter a stage? Pure: ledger, configuration, sets and a clock go in; an answer with its reason comes out.
 *
 * The candidates are the snapshots of the stage before: what stands there now and what was observed there, newest first. The
 * first that is fit is the answer; when none is, the newest tells why and when. A snapshot that is what stands in the stage
 * already ends the search: nothing older follows. Of a snapshot S, for each image that the stage pins, the value of S follows
 * the stage's own value: the only value of that image in S, else the one that the image's update policy would take
 * (policy_choose over S's tags), else none (`ambiguous`). Images that the stage lacks drop out; images that S lacks stay.
 * `map` renames. What the stage would then hold is the *result*; the values that change are the *changes*.
 *
 * A snapshot is fit when all of these hold:
 *
 *   damaged       no unknown critical entry stands in the ledger
 *   denied        no denial that counts names its set, a changed digest, or a changed image (selector)
 *   on-hold       no hold on the stage counts. A hold on an image keeps that image as it is: it is no change, and the others
 *                 go on as long as their evidence holds with it
 *   revoked       of each test, values and platform that lie in the result and touch a change, the newest evidence is a pass
 *                 (passed; flaky counts as a pass here: a gate let it in)
 *   no-evidence   each test of the earlier stage that covers a changed value has such evidence
 *   no-test       each changed value is covered by some test
 *   not-observed  each changed value was seen in the earlier stage on the target branch
 *   soaking       for the soak time: the longest time in which all observations held the value, from the first that held it to
 *                 the first that did not, or to now if it stands there still. An approval with `soak` stands in for it
 *   not-approved  as many different people as the rule asks approved this set, or each changed digest, for this stage
 *   downgrade     no changed tag is an older version of the same shape than the one that stands there
 *
 * Denials, holds and approvals end at `until`, or by a later `released` with the same words; a denial, once lifted, needs a new
 * one. An approval of a set is for exactly that set. Times: an entry from the future (a clock that jumped) counts from now on
 * and never as time that has passed; a negative time is none.
 *
 * --force goes over everything but `damaged`, and the answer tells over what.
 */
#pragma once

#include "gate/update.h"
#include "pipelines/config.h"
#include "pipelines/stages/ledger.h"
#include "pipelines/stages/stage.h"

/* One value of the stage that would move. */
struct entry_change {
    char *line;      /* as it stands in the stage: "registry/prod/app:1@sha256:…" */
    char *candidate; /* as it would, with the stage's names */
    char *source;    /* the value in the earlier stage, with its names */
};

struct entry_change_list {
    struct entry_change *items;
    size_t count;
    size_t capacity;
};

/* One snapshot and what was thought of it. */
struct entry_considered {
    char set[HASH_HEX_SIZE];
    int64_t since_ms;       /* first observed; 0: not yet */
    bool stands;            /* it is what stands in the earlier stage now */
    enum verdict_code code; /* CODE_NONE: fit */
    char *reason;           /* one sentence; for `promote` and `status` */
    int64_t when_ms;        /* when time alone makes it fit; 0: unknown or never */
};

struct entry_considered_list {
    struct entry_considered *items; /* newest first */
    size_t count;
    size_t capacity;
};

struct entry_case {
    const struct ledger *ledger;
    const struct config *config;
    const struct stage *stage; /* that is entered; its `from` is set */
    const struct set *from;    /* what stands in the earlier stage now */
    const struct set *target;  /* what stands in the stage now */
    int64_t now_ms;
    bool force;
};

struct entry_answer {
    bool fits;                        /* `changes` may be written, once its own tests have passed */
    bool up_to_date;                  /* the stage holds the newest snapshot that may be there */
    char set[HASH_HEX_SIZE];          /* of the earlier stage: the snapshot chosen, or the newest */
    struct entry_change_list changes; /* of that snapshot */
    struct string_list held; /* images that a hold keeps as they are, with the reason: "redis: …" */
    enum verdict_code code; /* CODE_NONE when it fits or is up to date */
    char *reason;
    int64_t when_ms;
    char *overridden; /* with force: the codes, "soaking no-evidence"; NULL for none */
    struct entry_considered_list considered;
};

int entry_decide(const struct entry_case *c, struct entry_answer *out,
                 struct error *err) _must_check_;
void entry_answer_clear(struct entry_answer *answer);

/* Whether a newer candidate of that image has to wait before it enters `stage`, since the value that stands there soaks for a
 * later stage: not yet observed long enough, not in the later stage, not denied, not revoked.
 *   out  until_ms  when that ends; 0: it has to wait for nothing
 *        later     the stage that it soaks for; lent */
int entry_pause(const struct ledger *ledger, const struct config *config, const struct stage *stage,
                const char *line, const struct set *const *sets, int64_t now_ms, int64_t *until_ms,
                const struct stage **later, struct error *err) _must_check_;
