/* judge: which updates may move together, found with few trials; knows nothing of engines or files.
 *
 * The judge sees updates and trials as numbers. A trial has participants: the updates whose digests it runs on. Asked for
 * with some of them moved (on their candidates) and the others as pinned, it has one outcome; the same question is asked once.
 *
 *     1. All updates that are left are moved together; each trial that covers one of them is run.
 *     2. What fails is run on the pinned digests too (`baseline`). Fails that as well, the test tells nothing of the candidates:
 *        those that it covers are rejected as already broken, or (BASELINE_TOLERATE) the trial does not count at all.
 *     3. A failure with one moved participant rejects that update: a regression, or, where the pinned digests could not be
 *        tried, a failed test.
 *     4. A failure with several is searched for a smallest set that fails (judge_search.c). One update alone: it is rejected.
 *        Several that fail only together: rejected is the one without which the rest passes; where that holds for several, or
 *        for none, the one that is in most failing sets, then the last in order. The others of the set are named (culprits).
 *     5. An update whose trial could not be run is `not-tested`; flaky is who passed only when run again.
 *     6. What is left is tried together again, until all of its trials pass: only then does it promote. So what promotes
 *        passed as exactly that set, whatever the answers were before; and of an update no test of which passed (all of them
 *        are broken and tolerated) nothing is proven, so that it is held.
 *
 * `promote: all` differs only in the end: one rejected or untested update holds the others (`gate-closed`), whose tests then
 * passed without it.
 *
 * Questions: with T trials, R rejected updates and sets of k out of n moved participants, where what fails still fails with
 * more moved, at most  T (R + 2) + sum over the rejected of k (log2 n + 4).  Where it does not, the sets that are named still
 * fail and pass without any one of their members, and what promotes has still passed.
 *
 * The rulings are the same for the same answers, whatever order trials stand in or are answered in.
 */
#pragma once

#include <stddef.h>

#include "gate/base/error.h"
#include "gate/verdict.h"
#include "runners/test.h"

#define JUDGE_TRIALS_LIMIT 10000u /* questions of one run; more is a bug or a flood of updates */

struct judge_trial {
    /* updates whose digest it runs on; may hold ones without a candidate */
    const size_t *participants;
    size_t participant_count;
    const size_t *covers; /* updates that it is a test of: run when one of them is moved */
    size_t cover_count;
    enum baseline baseline;
    bool flaky_passes; /* else a pass after a failure rejects */
};

/* One question: this trial, with moved[update] telling who is on the candidate. */
struct judge_question {
    size_t trial;
    const bool *moved;    /* one entry an update; only participants are ever true */
    enum outcome outcome; /* out */
};

struct judge_ruling {
    enum verdict verdict; /* promote, reject or hold */
    enum verdict_code code;
    size_t trial; /* the trial that decided a rejection or a hold; JUDGE_NO_TRIAL where none did */
    enum outcome outcome; /* of that trial */
    size_t *culprits;     /* fails-together: the updates that it fails with, ascending; owned */
    size_t culprit_count;
};

#define JUDGE_NO_TRIAL ((size_t)-1)

struct judge_case {
    size_t update_count;
    const bool *eligible; /* has a candidate and a trial that covers it; others get no ruling */
    const struct judge_trial *trials;
    size_t trial_count;
    bool promote_passing; /* else all or nothing */
    size_t limit; /* of questions; 0: JUDGE_TRIALS_LIMIT. What would need more is not-tested,
                           * with the outcome `skipped` */

    /* Answers all questions, side by side as it likes. -1 ends the judging. */
    int (*ask)(void *context, struct judge_question *questions, size_t count, struct error *err);
    void *context;
};

/* out: rulings[update_count], {0} before, cleared by judge_rulings_clear also on -1; those of ineligible updates are left
 * alone. err: what ask gave, no-memory. */
int judge(const struct judge_case *c, struct judge_ruling *rulings, struct error *err) _must_check_;
void judge_rulings_clear(struct judge_ruling *rulings, size_t count);
