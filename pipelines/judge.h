/* judge: which updates may move together, found with as few trials as that takes; knows nothing of engines or files.
 *
 * The judge sees updates and trials as numbers. A trial has participants: the updates whose digests it runs on. Asked for
 * with some of them moved (on their candidates) and the others as pinned, it has one outcome; the same question is asked once.
 *
 *     1. All updates that are left are moved together; each trial that covers one of them is run.
 *     2. A failure with one moved participant rejects that update. With several, each is tried alone: who fails alone is
 *        rejected. When all pass alone, they are added one after the other, in order, and who breaks the rest is rejected
 *        (`fails-together`).
 *     3. An update whose trial could not be run is `not-tested`.
 *     4. What is left is tried together again (promote: passing), until all of its trials pass: only then does it promote.
 *     5. Each failure that rejects is run on the pinned digests too: regression, or already broken.
 *
 * The outcome is the same for the same answers, whatever order trials ran in. `promote: all` closes the gate at the first
 * rejected or untested update: the others are held (`gate-closed`).
 */
#pragma once

#include <stddef.h>

#include "gate/base/error.h"
#include "gate/verdict.h"

#define JUDGE_TRIALS_LIMIT 10000u /* questions of one run; more is a bug or a flood of updates */

struct judge_trial {
    /* updates whose digest it runs on; may hold ones without a candidate */
    const size_t *participants;
    size_t participant_count;
    const size_t *covers; /* updates that it is a test of: run when one of them is moved */
    size_t cover_count;
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
    bool passed_alone;    /* gate-closed: all of its own trials passed */
};

#define JUDGE_NO_TRIAL ((size_t)-1)

struct judge_case {
    size_t update_count;
    const bool *eligible; /* has a candidate and a trial that covers it; others get no ruling */
    const struct judge_trial *trials;
    size_t trial_count;
    bool promote_passing; /* else all or nothing */
    bool baselines;       /* step 5 */

    /* Answers all questions, side by side as it likes. -1 ends the judging. */
    int (*ask)(void *context, struct judge_question *questions, size_t count, struct error *err);
    void *context;
};

/* out: rulings[update_count]; those of ineligible updates are left alone. err: what ask gave, limit. */
int judge(const struct judge_case *c, struct judge_ruling *rulings, struct error *err) _must_check_;
