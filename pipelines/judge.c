#include "pipelines/judge.h"

#include <stdlib.h>
#include <string.h>

#include "gate/base/array.h"
#include "gate/base/text.h"
#include "gate/base/trace.h"
#include "pipelines/judge_parts.h"

struct failing_set_list {
    struct failing_set *items;
    size_t count;
    size_t capacity;
};

static void failing_set_list_clear(struct failing_set_list *list) {
    for (size_t i = 0; i < list->count; i++)
        failing_set_clear(&list->items[i]);
    free(list->items);
}

static void judging_clear(struct judging *j) {
    judge_answers_clear(&j->answers);
    free(j->left);
    free(j->blamed);
}

void judge_rulings_clear(struct judge_ruling *rulings, size_t count) {
    for (size_t i = 0; i < count; i++)
        free(rulings[i].culprits);
}

static bool covers_any(const struct judge_trial *trial, const bool *updates) {
    for (size_t i = 0; i < trial->cover_count; i++)
        if (updates[trial->covers[i]])
            return true;
    return false;
}

/* In this round: who was blamed before is not moved. */
static bool moves_blamed(const struct judging *j, const struct judge_trial *trial) {
    for (size_t i = 0; i < trial->participant_count; i++)
        if (j->left[trial->participants[i]] && j->blamed[trial->participants[i]])
            return true;
    return false;
}

static bool passes(const struct judge_trial *trial, enum outcome outcome) {
    return outcome == OUTCOME_PASSED || (outcome == OUTCOME_FLAKY && trial->flaky_passes);
}

/* ---- what a trial says of what is left ---- */

enum answer_kind {
    ANSWER_NONE, /* it covers nothing that is left */
    ANSWER_PASS,
    ANSWER_TOLERATED, /* fails, on the pinned digests as well, and that is to be tolerated */
    ANSWER_BROKEN,    /* fails, on the pinned digests as well */
    ANSWER_FAILURE,
    ANSWER_FLAKY,
    ANSWER_UNTOLD /* could not be run */
};

static enum answer_kind answer_of(const struct judging *j, size_t trial, const bool *nobody,
                                  enum outcome *outcome) {
    const struct judge_trial *t = &j->c->trials[trial];
    *outcome = OUTCOME_SKIPPED;
    if (!covers_any(t, j->left))
        return ANSWER_NONE;
    *outcome = judge_known(j, trial, j->left);
    if (passes(t, *outcome))
        return ANSWER_PASS;
    if (*outcome == OUTCOME_FLAKY)
        return ANSWER_FLAKY;
    if (!outcome_is_failure(*outcome))
        return ANSWER_UNTOLD;
    if (t->baseline == BASELINE_OFF || !outcome_is_failure(judge_known(j, trial, nobody)))
        return ANSWER_FAILURE;
    return t->baseline == BASELINE_TOLERATE ? ANSWER_TOLERATED : ANSWER_BROKEN;
}

/* ---- blame ---- */

static void rule(struct judging *j, size_t update, enum verdict verdict, enum verdict_code code,
                 size_t trial, enum outcome outcome) {
    if (j->blamed[update])
        return; /* the first trial that blames, in order, decides */
    j->blamed[update] = true;
    j->rulings[update] =
        (struct judge_ruling){.verdict = verdict, .code = code, .trial = trial, .outcome = outcome};
}

/* The updates that are left and that it is a test of. */
static void rule_covered(struct judging *j, size_t trial, enum verdict verdict,
                         enum verdict_code code, enum outcome outcome) {
    const struct judge_trial *t = &j->c->trials[trial];
    for (size_t i = 0; i < t->cover_count; i++)
        if (j->left[t->covers[i]])
            rule(j, t->covers[i], verdict, code, trial, outcome);
}

/* An update that fails alone. */
static void reject(struct judging *j, size_t update, size_t trial, enum outcome outcome,
                   const bool *nobody) {
    enum outcome pinned = j->c->trials[trial].baseline != BASELINE_OFF
                              ? judge_known(j, trial, nobody)
                              : OUTCOME_SKIPPED;
    bool good = pinned == OUTCOME_PASSED || pinned == OUTCOME_FLAKY;
    rule(j, update, VERDICT_REJECT, good ? CODE_REGRESSION : CODE_TEST_FAILED, trial, outcome);
}

/* What needs no search; trials with one moved participant name their culprit by themselves. */
static void blame_at_once(struct judging *j, size_t trial, const bool *nobody) {
    const struct judge_trial *t = &j->c->trials[trial];
    enum outcome outcome;
    switch (answer_of(j, trial, nobody, &outcome)) {
    case ANSWER_BROKEN:
        rule_covered(j, trial, VERDICT_REJECT, CODE_ALREADY_BROKEN, outcome);
        break;
    case ANSWER_FLAKY:
        rule_covered(j, trial, VERDICT_REJECT, CODE_FLAKY, outcome);
        break;
    case ANSWER_UNTOLD:
        rule_covered(j, trial, VERDICT_HOLD, CODE_NOT_TESTED, outcome);
        break;
    case ANSWER_FAILURE: {
        size_t moved = 0;
        size_t last = 0;
        for (size_t i = 0; i < t->participant_count; i++)
            if (j->left[t->participants[i]]) {
                moved++;
                last = t->participants[i];
            }
        if (moved == 1)
            reject(j, last, trial, outcome, nobody);
        break;
    }
    case ANSWER_NONE:
    case ANSWER_PASS:
    case ANSWER_TOLERATED:
        break;
    }
}

/* ---- sets that fail together ---- */

/* Trials in which somebody is blamed already are tried without him first. */
static int search_sets(struct judging *j, const bool *nobody, struct failing_set_list *sets,
                       struct error *err) {
    for (size_t trial = 0; trial < j->c->trial_count; trial++) {
        enum outcome outcome;
        if (answer_of(j, trial, nobody, &outcome) != ANSWER_FAILURE ||
            moves_blamed(j, &j->c->trials[trial]))
            continue;
        struct failing_set *set = array_add(sets, err);
        if (set == NULL || judge_search(j, trial, j->left, set, err) < 0)
            return -1;
    }
    return 0;
}

static size_t find_member(const struct failing_set *set, size_t update) {
    size_t at = 0;
    while (at < set->count && set->members[at] != update)
        at++;
    return at;
}

static bool is_hit(const struct judging *j, const struct failing_set *set) {
    for (size_t i = 0; i < set->count; i++)
        if (j->blamed[set->members[i]])
            return true;
    return false;
}

/* The update whose removal frees most of the sets, then that is in most of them, then the last. */
static size_t choose(const struct judging *j, const struct failing_set_list *sets) {
    size_t chosen = JUDGE_NO_TRIAL;
    size_t most_freed = 0, most_in = 0;
    for (size_t update = 0; update < j->c->update_count; update++) {
        size_t freed = 0, in = 0;
        for (size_t i = 0; i < sets->count; i++) {
            const struct failing_set *set = &sets->items[i];
            size_t at = is_hit(j, set) ? set->count : find_member(set, update);
            in += at < set->count ? 1 : 0;
            freed += at < set->count && set->frees[at] ? 1 : 0;
        }
        if (in == 0 || freed < most_freed || (freed == most_freed && in < most_in))
            continue;
        chosen = update;
        most_freed = freed;
        most_in = in;
    }
    return chosen;
}

static int name_culprits(struct judge_ruling *ruling, const struct failing_set *set, size_t update,
                         struct error *err) {
    ruling->culprits = calloc(set->count, sizeof *ruling->culprits);
    if (ruling->culprits == NULL)
        return error_no_memory(err);
    for (size_t i = 0; i < set->count; i++)
        if (set->members[i] != update)
            ruling->culprits[ruling->culprit_count++] = set->members[i];
    return 0;
}

static int blame_sets(struct judging *j, const bool *nobody, const struct failing_set_list *sets,
                      struct error *err) {
    for (size_t i = 0; i < sets->count; i++) {
        const struct failing_set *set = &sets->items[i];
        for (size_t m = 0; set->untold && m < set->count; m++)
            rule(j, set->members[m], VERDICT_HOLD, CODE_NOT_TESTED, set->trial, set->outcome);
        if (!set->untold && set->count == 1)
            reject(j, set->members[0], set->trial, set->outcome, nobody);
    }
    size_t update;
    while ((update = choose(j, sets)) != JUDGE_NO_TRIAL) {
        const struct failing_set *set = NULL;
        for (size_t i = 0; i < sets->count && set == NULL; i++)
            if (!is_hit(j, &sets->items[i]) &&
                find_member(&sets->items[i], update) < sets->items[i].count)
                set = &sets->items[i];
        if (set == NULL)
            return error_set(err, ERROR_BUG, "an update was chosen out of no set");
        rule(j, update, VERDICT_REJECT, CODE_FAILS_TOGETHER, set->trial, set->outcome);
        if (name_culprits(&j->rulings[update], set, update, err) < 0)
            return -1;
    }
    return 0;
}

/* ---- rounds ---- */

static int ask_round(struct judging *j, const bool *nobody, struct error *err) {
    _cleanup_(question_list_clear) struct question_list list = {0};
    for (size_t trial = 0; trial < j->c->trial_count; trial++) {
        const struct judge_trial *t = &j->c->trials[trial];
        if (!covers_any(t, j->left))
            continue;
        if (judge_add(j, &list, trial, j->left, err) < 0 ||
            (t->baseline == BASELINE_ALWAYS && judge_add(j, &list, trial, nobody, err) < 0))
            return -1;
    }
    return judge_ask(j, &list, err);
}

static int ask_pinned(struct judging *j, const bool *nobody, struct error *err) {
    _cleanup_(question_list_clear) struct question_list list = {0};
    for (size_t trial = 0; trial < j->c->trial_count; trial++) {
        enum outcome outcome;
        if (answer_of(j, trial, nobody, &outcome) == ANSWER_FAILURE &&
            j->c->trials[trial].baseline != BASELINE_OFF &&
            judge_add(j, &list, trial, nobody, err) < 0)
            return -1;
    }
    return judge_ask(j, &list, err);
}

/* All that counts passed: held is who is covered by nothing that passed. */
static void hold_unproven(struct judging *j, const bool *nobody) {
    for (size_t update = 0; update < j->c->update_count; update++) {
        bool proven = !j->left[update];
        size_t tolerated = JUDGE_NO_TRIAL;
        enum outcome of_tolerated = OUTCOME_SKIPPED;
        for (size_t trial = 0; trial < j->c->trial_count && !proven; trial++) {
            const struct judge_trial *t = &j->c->trials[trial];
            bool covers = false;
            for (size_t i = 0; i < t->cover_count; i++)
                covers = covers || t->covers[i] == update;
            enum outcome outcome;
            enum answer_kind kind = covers ? answer_of(j, trial, nobody, &outcome) : ANSWER_NONE;
            proven = kind == ANSWER_PASS;
            if (kind == ANSWER_TOLERATED && tolerated == JUDGE_NO_TRIAL) {
                tolerated = trial;
                of_tolerated = outcome;
            }
        }
        if (!proven)
            rule(j, update, VERDICT_HOLD, CODE_ALREADY_BROKEN, tolerated, of_tolerated);
    }
}

static int round_of_trials(struct judging *j, const bool *nobody, struct error *err) {
    _cleanup_(failing_set_list_clear) struct failing_set_list sets = {0};
    if (ask_round(j, nobody, err) < 0 || ask_pinned(j, nobody, err) < 0)
        return -1;
    bool all_count = true;
    for (size_t trial = 0; trial < j->c->trial_count; trial++) {
        enum outcome outcome;
        all_count = all_count && answer_of(j, trial, nobody, &outcome) <= ANSWER_TOLERATED;
        blame_at_once(j, trial, nobody);
    }
    if (all_count) {
        hold_unproven(j, nobody);
        return 0;
    }
    return search_sets(j, nobody, &sets, err) < 0 ? -1 : blame_sets(j, nobody, &sets, err);
}

/* Takes out who was blamed. False when nobody was. */
static bool take_out(struct judging *j) {
    bool any = false;
    for (size_t update = 0; update < j->c->update_count; update++) {
        if (!j->blamed[update] || !j->left[update])
            continue;
        j->left[update] = false;
        any = true;
    }
    return any;
}

static bool anyone_left(const struct judging *j) {
    for (size_t update = 0; update < j->c->update_count; update++)
        if (j->left[update])
            return true;
    return false;
}

/* Whether what is left passed all that counts; else it may not promote, whatever led here. */
static bool left_passed(const struct judging *j, const bool *nobody) {
    for (size_t trial = 0; trial < j->c->trial_count; trial++) {
        enum outcome outcome;
        if (answer_of(j, trial, nobody, &outcome) > ANSWER_TOLERATED)
            return false;
    }
    return true;
}

/* A rejected or untested one closes the gate for all; one of which nothing is proven blocks nobody. */
static bool gate_closes(const struct judging *j) {
    for (size_t update = 0; update < j->c->update_count; update++)
        if (j->c->eligible[update] && j->blamed[update] &&
            (j->rulings[update].verdict == VERDICT_REJECT ||
             j->rulings[update].code == CODE_NOT_TESTED))
            return true;
    return false;
}

static void settle(struct judging *j) {
    bool closed = !j->c->promote_passing && gate_closes(j);
    for (size_t update = 0; update < j->c->update_count; update++)
        if (j->left[update])
            j->rulings[update] =
                (struct judge_ruling){.verdict = closed ? VERDICT_HOLD : VERDICT_PROMOTE,
                                      .code = closed ? CODE_GATE_CLOSED : CODE_NONE,
                                      .trial = JUDGE_NO_TRIAL,
                                      .outcome = OUTCOME_PASSED};
}

int judge(const struct judge_case *c, struct judge_ruling *rulings, struct error *err) {
    _cleanup_(judging_clear) struct judging j = {.c = c, .rulings = rulings};
    _cleanup_(free_pointer) bool *nobody = judge_flags(c->update_count, err);
    j.left = judge_flags(c->update_count, err);
    j.blamed = judge_flags(c->update_count, err);
    if (nobody == NULL || j.left == NULL || j.blamed == NULL)
        return -1;
    memcpy(j.left, c->eligible, c->update_count * sizeof *j.left);
    bool again = anyone_left(&j);
    while (again) {
        if (round_of_trials(&j, nobody, err) < 0)
            return -1;
        again = take_out(&j) && anyone_left(&j);
    }
    if (!left_passed(&j, nobody))
        return error_set(err, ERROR_BUG, "a set of updates failed and nobody was to blame");
    settle(&j);
    trace(TRACE_GATE, "judged %zu updates with %zu answers", c->update_count, j.answers.count);
    return 0;
}
