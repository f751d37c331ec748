/* entry: may a set enter a stage? Pure: ledger, configuration, sets and a clock go in; an answer with its reason comes out.
 *
 * Snapshots. The candidates are what stands in the stage before now, and what was observed there, newest first (by the newest
 * observation of each). The first that is fit is the answer; when none is, the newest tells why and when. A snapshot from which
 * nothing would change is what the stage holds already and ends the search: nothing older follows. Snapshots with the same
 * changes, since they differ only in images that the stage lacks, fall together: the newest stands for them, and what was
 * approved or denied for one of their sets holds for all. The search goes back ENTRY_SNAPSHOT_LIMIT snapshots.
 *
 * What follows what. For each value that the stage holds, among the values of its image in the snapshot (`map` renames, after
 * that names are equal):
 *   1. the one with the same tag;
 *   2. if the stage and the snapshot both hold one value of that image, this one, whatever its tag;
 *   3. the one that the image's update rule would take: policy_choose over the snapshot's tags, the rule by the earlier stage's
 *      name of the image;
 *   4. none: the value stays, and `kept` says `ambiguous`. So also where two digests have the tag in question.
 * Images that the stage lacks drop out; images that the snapshot lacks stay. What the stage would then hold is the *result*;
 * the values that move are the *changes*.
 *
 * A snapshot is fit when all of these hold. All are judged; the first that does not hold gives the code, in this order:
 *
 *   unknown-entry no unknown critical entry stands in the ledger
 *   denied        no denial that counts names its set (or the result), a changed digest, or a changed image (a selector, by the
 *                 names of this stage or the earlier one, with the new tag)
 *   on-hold       no hold on the whole stage counts. A hold on an image keeps that image as it is: it is no change, `kept` tells
 *                 it, and the others go on as long as their evidence holds with it. Only a release ends it, not force
 *   downgrade     no changed tag is an older version of the same shape than the one that stands there, and no change carries
 *                 the stage backwards (below)
 *   revoked       of each test, values and platform that lie in the result and touch a change, the newest evidence is a pass
 *                 (passed; flaky counts as a pass here: a gate let it in). Error and skipped say nothing. Nor has the stage
 *                 before gone back from a changed value: by `rollback`, or by hand to a value that stood there before it. It
 *                 counts again once it stands there anew
 *   no-evidence   each test of the earlier stage that covers a changed value has such evidence with it
 *   no-test       each changed value is covered by some test
 *   not-observed  each changed value was seen in the earlier stage on the target branch
 *   soaking       for the soak time: the longest time in which all observations held the value, from the first that held it to
 *                 the first that did not, or to now if it stands there still. One approval with `soak` stands in for it
 *   not-approved  for each change, as many different people as the rule asks approved the set or the changed digest, for
 *                 this stage
 *   paused        no value that would be replaced here soaks for a later stage (entry_pauses); an approval with `soak` for
 *                 this stage goes over it
 *
 * Tests are known by name: a changed definition does not void what it said before, since a comment in pingate.yaml would then
 * stop every stage. Tests of the earlier stage are those that stage_runs_test gives for it; when it has none, those of the
 * stage before that, and so on. Evidence of tests that the configuration no longer names says nothing, unless it was recorded
 * from outside. The stage's own tests say nothing here either: they are run anew on what is to enter, so that running a failed
 * `promote` again is a remedy.
 * Evidence names values by the names of whatever stage it was made in; it lies in the result when each value does, as it is or
 * renamed by the maps on the way here. With an image on hold the result is mixed: evidence of the new value of that image
 * does not lie in it, so a test of several images must have passed on the very mixture. Images that the stage lacks took part as
 * tools, and with any of their values: a pass counts, and a failure only if the same combination passed before, since else
 * the tool may be what failed.
 *
 * Backwards. When the earlier stage is rolled back its newest snapshot is older than what this stage holds, and would take it
 * along. Nobody may find production on old digests because staging was: it is `downgrade` until a person says so
 * (`rollback`, or --force), or until the earlier stage moves on. A change is backwards when
 *   - in the earlier stage the new value arrived before the value that it would replace. A value arrives when a promotion there
 *     moves to it, else when it is first observed: so a publisher who points a tag back to its old digest is followed, and a
 *     revert by hand is not;
 *   - or this stage held the new value before the one that it holds now, and the earlier stage did not take it anew since: so a
 *     hotfix by hand is not undone by the snapshot that it mends, while a value that this stage was rolled back from
 *     may return once its hold is released.
 *
 * Denials, holds and approvals end at `until`, or by a later `released` with the same words; a denial, once lifted, needs a new
 * one. A denial or release without a stage is for all, and each release lifts only what was said in the same words. An approval
 * of a set is for exactly that set's changes.
 *
 * Times. A decision from the future (a clock that jumped) counts from now on; what was observed in the future counts, and never
 * as time that has passed: a soak that begins in the future ends so much later. Where its place among others matters it is taken for the worse: a pass from the future is older than any failure, and
 * a release from the future does not lift what is not from the future too.
 *
 * --force takes the newest snapshot and goes over everything but `unknown-entry`, holds on images and `ambiguous`; the answer
 * tells over what.
 *
 * Takes O(entries + values in them), and O(values) a snapshot.
 */
#pragma once

#include "gate/update.h"
#include "pipelines/config.h"
#include "pipelines/stages/ledger.h"
#include "pipelines/stages/stage.h"

#define ENTRY_SNAPSHOT_LIMIT 1000 /* snapshots; three years of nightly ones that never entered */

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

/* One value of the stage that stays although the snapshot holds its image. */
struct entry_kept {
    char *line;
    enum verdict_code code; /* on-hold or ambiguous */
    char *reason;           /* one sentence */
};

struct entry_kept_list {
    struct entry_kept *items;
    size_t count;
    size_t capacity;
};

/* One snapshot and what was thought of it. */
struct entry_considered {
    char set[HASH_HEX_SIZE];
    int64_t since_ms;       /* first observed; 0: not yet */
    bool stands;            /* it is what stands in the earlier stage now */
    enum verdict_code code; /* CODE_NONE: fit */
    char *codes;            /* all that keep it out: "denied soaking"; "" when fit */
    char *reason;           /* of the first, one sentence; for `promote` and `status` */
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
    /* what stands in each stage of the configuration, for `paused`; NULL: is not judged */
    const struct set *sets;
    int64_t now_ms;
    bool force;
};

struct entry_answer {
    bool fits;               /* `changes` may be written, once its own tests have passed */
    bool up_to_date;         /* nothing waits: of the newest snapshot nothing would change */
    char set[HASH_HEX_SIZE]; /* of the earlier stage: the snapshot chosen, or the newest */
    struct entry_change_list changes; /* of that snapshot; empty when up to date */
    struct entry_kept_list kept;      /* of that snapshot */
    enum verdict_code
        code; /* CODE_NONE when it fits or is up to date; ambiguous when all that would change is */
    char *reason; /* NULL with CODE_NONE */
    int64_t when_ms;
    char *overridden; /* with force: the codes, "soaking no-evidence"; NULL for none */
    struct entry_considered_list considered; /* up to the one that fits */
};

/* err: input when a value of the ledger is none; no-memory. */
int entry_decide(const struct entry_case *c, struct entry_answer *out,
                 struct error *err) _must_check_;
void entry_answer_clear(struct entry_answer *answer);

/* A value of a stage that soaks for a later one: a newer candidate of it has to wait, lest nightly rebuilds starve the later
 * stage. */
struct entry_pause {
    char *line;       /* as it stands in the stage */
    int64_t until_ms; /* when the soak is done; 0: it was not yet observed, and nobody knows */
    const struct stage *later; /* that it soaks for, the longest; lent from the configuration */
};

struct entry_pause_list {
    struct entry_pause *items;
    size_t count;
    size_t capacity;
};

/* Which values of the set that stands in `stage` soak for a later stage. A value does when a stage with `from: stage` and a
 * `soak` pins its image and has not this value, it has not soaked there yet, and
 * waiting leads somewhere: it is neither denied for, nor held in the later stage (it as a whole or the image), its newest
 * evidence is no failure, it would not be backwards, and no approval stands in for its soak.
 *
 *   in   sets  what stands in each stage of the configuration, in its order
 *   err  as entry_decide
 */
int entry_pauses(const struct ledger *ledger, const struct config *config,
                 const struct stage *stage, const struct set *sets, int64_t now_ms,
                 struct entry_pause_list *out, struct error *err) _must_check_;

/* The pause of that value, or NULL. */
const struct entry_pause *entry_pause_find(const struct entry_pause_list *pauses, const char *line);
void entry_pause_list_clear(struct entry_pause_list *pauses);
