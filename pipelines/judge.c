#include "pipelines/judge.h"

#include <stdlib.h>
#include <string.h>

#include "gate/base/array.h"
#include "gate/base/trace.h"

/* A question that was answered: questions differ by their trial and by who is moved. */
struct evidence {
    size_t trial;
    bool *moved;
    enum outcome outcome;
};

struct evidence_list {
    struct evidence *items;
    size_t count;
    size_t capacity;
};

struct judging {
    const struct judge_case *c;
    struct judge_ruling *rulings;
    bool *left;   /* updates that may still move */
    bool *blamed; /* rejected or not tested in this round */
    struct evidence_list evidence;
};

static bool *flags_new(size_t count, struct error *err) {
    bool *flags = calloc(count + 1, sizeof *flags);
    if (flags == NULL)
        error_no_memory(err);
    return flags;
}

static void judging_clear(struct judging *j) {
    for (size_t i = 0; i < j->evidence.count; i++)
        free(j->evidence.items[i].moved);
    free(j->evidence.items);
    free(j->left);
    free(j->blamed);
}

static const struct evidence *find_evidence(const struct judging *j, size_t trial,
                                            const bool *moved) {
    for (size_t i = 0; i < j->evidence.count; i++) {
        const struct evidence *known = &j->evidence.items[i];
        if (known->trial == trial &&
            memcmp(known->moved, moved, j->c->update_count * sizeof *moved) == 0)
            return known;
    }
    return NULL;
}

static int keep_evidence(struct judging *j, const struct judge_question *question,
                         struct error *err) {
    bool *moved = flags_new(j->c->update_count, err);
    if (moved == NULL)
        return -1;
    memcpy(moved, question->moved, j->c->update_count * sizeof *moved);
    struct evidence *evidence = array_add(&j->evidence, err);
    if (evidence == NULL) {
        free(moved);
        return -1;
    }
    *evidence = (struct evidence){question->trial, moved, question->outcome};
    return 0;
}

struct question_list {
    struct judge_question *items;
    size_t count;
    size_t capacity;
};

static void question_list_clear(struct question_list *list) {
    for (size_t i = 0; i < list->count; i++)
        free((bool *)list->items[i].moved);
    free(list->items);
    *list = (struct question_list){0};
}

static bool asks_already(const struct question_list *list, size_t trial, const bool *moved,
                         size_t updates) {
    for (size_t i = 0; i < list->count; i++)
        if (list->items[i].trial == trial &&
            memcmp(list->items[i].moved, moved, updates * sizeof *moved) == 0)
            return true;
    return false;
}

/* Those of the moved that take part in the trial; owned. */
static bool *participants_among(const struct judging *j, size_t trial, const bool *moved,
                                struct error *err) {
    bool *participating = flags_new(j->c->update_count, err);
    const struct judge_trial *t = &j->c->trials[trial];
    for (size_t i = 0; participating != NULL && i < t->participant_count; i++)
        participating[t->participants[i]] = moved[t->participants[i]];
    return participating;
}

/* Adds the question unless it is answered or asked already; moved is cut down to the trial's participants. */
static int add_question(const struct judging *j, struct question_list *list, size_t trial,
                        const bool *moved, struct error *err) {
    bool *participating = participants_among(j, trial, moved, err);
    if (participating == NULL)
        return -1;
    if (find_evidence(j, trial, participating) != NULL ||
        asks_already(list, trial, participating, j->c->update_count)) {
        free(participating);
        return 0;
    }
    struct judge_question *question = array_add(list, err);
    if (question == NULL) {
        free(participating);
        return -1;
    }
    *question = (struct judge_question){trial, participating, OUTCOME_ERROR};
    return 0;
}

static int ask(struct judging *j, struct question_list *list, struct error *err) {
    if (j->evidence.count + list->count > JUDGE_TRIALS_LIMIT)
        return error_set(
            err, ERROR_LIMIT,
            "more than %u trials would be needed; test fewer updates at once with --image",
            JUDGE_TRIALS_LIMIT);
    if (list->count > 0 && j->c->ask(j->c->context, list->items, list->count, err) < 0)
        return -1;
    for (size_t i = 0; i < list->count; i++)
        if (keep_evidence(j, &list->items[i], err) < 0)
            return -1;
    return 0;
}

/* One trial with these updates moved; asks when it is not known. */
static int ask_one(struct judging *j, size_t trial, const bool *moved, enum outcome *out,
                   struct error *err) {
    _cleanup_(question_list_clear) struct question_list list = {0};
    bool *participating = participants_among(j, trial, moved, err);
    if (participating == NULL)
        return -1;
    int failed = add_question(j, &list, trial, participating, err) < 0 || ask(j, &list, err) < 0;
    const struct evidence *known = failed ? NULL : find_evidence(j, trial, participating);
    free(participating);
    if (known == NULL)
        return failed ? -1 : error_set(err, ERROR_BUG, "a trial was asked for and not answered");
    *out = known->outcome;
    return 0;
}

static bool covers_any(const struct judge_trial *trial, const bool *updates) {
    for (size_t i = 0; i < trial->cover_count; i++)
        if (updates[trial->covers[i]])
            return true;
    return false;
}

static void rule(struct judging *j, size_t update, enum verdict verdict, enum verdict_code code,
                 size_t trial, enum outcome outcome) {
    if (j->blamed[update])
        return; /* the first trial that blames, in order, decides */
    j->blamed[update] = true;
    j->rulings[update] =
        (struct judge_ruling){.verdict = verdict, .code = code, .trial = trial, .outcome = outcome};
}

static bool passes(enum outcome outcome) {
    return outcome == OUTCOME_PASSED;
}

/* Blames one update for what a trial gave with it moved. */
static void blame(struct judging *j, size_t update, size_t trial, enum outcome outcome,
                  enum verdict_code code) {
    if (outcome_is_failure(outcome) || outcome == OUTCOME_FLAKY)
        rule(j, update, VERDICT_REJECT, code, trial, outcome);
    else
        rule(j, update, VERDICT_HOLD, CODE_NOT_TESTED, trial, outcome);
}

static int try_alone(struct judging *j, size_t trial, const bool *moved, bool *found,
                     struct error *err) {
    const struct judge_trial *t = &j->c->trials[trial];
    _cleanup_(question_list_clear) struct question_list list = {0};
    _cleanup_(free_pointer) bool *alone = flags_new(j->c->update_count, err);
    if (alone == NULL)
        return -1;
    for (size_t i = 0; i < t->participant_count; i++) {
        size_t update = t->participants[i];
        if (!moved[update])
            continue;
        alone[update] = true;
        int added = add_question(j, &list, trial, alone, err);
        alone[update] = false;
        if (added < 0)
            return -1;
    }
    if (ask(j, &list, err) < 0)
        return -1;
    for (size_t i = 0; i < t->participant_count; i++) {
        size_t update = t->participants[i];
        if (!moved[update])
            continue;
        alone[update] = true;
        const struct evidence *known = find_evidence(j, trial, alone);
        alone[update] = false;
        if (known == NULL || passes(known->outcome))
            continue;
        blame(j, update, trial, known->outcome, CODE_TEST_FAILED);
        *found = true;
    }
    return 0;
}

/* Everyone passes alone: add one after the other, and reject who breaks those before. */
static int add_in_turn(struct judging *j, size_t trial, const bool *moved, struct error *err) {
    const struct judge_trial *t = &j->c->trials[trial];
    _cleanup_(free_pointer) bool *kept = flags_new(j->c->update_count, err);
    if (kept == NULL)
        return -1;
    for (size_t update = 0; update < j->c->update_count; update++) {
        bool takes_part = false;
        for (size_t i = 0; i < t->participant_count; i++)
            takes_part = takes_part || t->participants[i] == update;
        if (!takes_part || !moved[update])
            continue;
        kept[update] = true;
        enum outcome outcome;
        if (ask_one(j, trial, kept, &outcome, err) < 0)
            return -1;
        if (passes(outcome))
            continue;
        kept[update] = false;
        blame(j, update, trial, outcome, CODE_FAILS_TOGETHER);
    }
    return 0;
}

static int isolate(struct judging *j, size_t trial, const bool *moved, enum outcome outcome,
                   struct error *err) {
    const struct judge_trial *t = &j->c->trials[trial];
    size_t count = 0;
    size_t last = 0;
    bool blamed_already = false;
    for (size_t i = 0; i < t->participant_count; i++) {
        size_t update = t->participants[i];
        if (!moved[update])
            continue;
        count++;
        last = update;
        blamed_already = blamed_already || j->blamed[update];
    }
    if (count == 1) {
        blame(j, last, trial, outcome, CODE_TEST_FAILED);
        return 0;
    }
    if (blamed_already)
        return 0; /* the next round tries it without them */
    /* could not be run: nobody in it is tested */
    if (!outcome_is_failure(outcome) && outcome != OUTCOME_FLAKY) {
        for (size_t i = 0; i < t->participant_count; i++)
            if (moved[t->participants[i]])
                blame(j, t->participants[i], trial, outcome, CODE_NOT_TESTED);
        return 0;
    }
    bool found = false;
    if (try_alone(j, trial, moved, &found, err) < 0)
        return -1;
    return found ? 0 : add_in_turn(j, trial, moved, err);
}

static int ask_round(struct judging *j, struct error *err) {
    _cleanup_(question_list_clear) struct question_list list = {0};
    for (size_t trial = 0; trial < j->c->trial_count; trial++)
        if (covers_any(&j->c->trials[trial], j->left) &&
            add_question(j, &list, trial, j->left, err) < 0)
            return -1;
    return ask(j, &list, err);
}

/* One round; *closed tells whether every trial of what is left passed. Trials with one moved participant are judged
 * first: they name their culprit without more trials. */
static int round_of_trials(struct judging *j, bool *closed, struct error *err) {
    if (ask_round(j, err) < 0)
        return -1;
    *closed = true;
    for (int several = 0; several <= 1; several++) {
        for (size_t trial = 0; trial < j->c->trial_count; trial++) {
            const struct judge_trial *t = &j->c->trials[trial];
            if (!covers_any(t, j->left))
                continue;
            size_t moved = 0;
            for (size_t i = 0; i < t->participant_count; i++)
                moved += j->left[t->participants[i]] ? 1 : 0;
            if ((moved > 1) != (several == 1))
                continue;
            enum outcome outcome = OUTCOME_ERROR;
            if (ask_one(j, trial, j->left, &outcome, err) < 0)
                return -1;
            if (passes(outcome))
                continue;
            *closed = false;
            if (isolate(j, trial, j->left, outcome, err) < 0)
                return -1;
        }
    }
    return 0;
}

/* Takes out who was blamed. False when nobody was: then a failing set would be tried for ever. */
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

/* Runs on the pinned digests what rejected an update: regression, or broken already. */
static int compare_with_pinned(struct judging *j, struct error *err) {
    if (!j->c->baselines)
        return 0;
    _cleanup_(question_list_clear) struct question_list list = {0};
    _cleanup_(free_pointer) bool *nobody = flags_new(j->c->update_count, err);
    if (nobody == NULL)
        return -1;
    for (size_t update = 0; update < j->c->update_count; update++)
        if (j->c->eligible[update] && j->rulings[update].code == CODE_TEST_FAILED &&
            add_question(j, &list, j->rulings[update].trial, nobody, err) < 0)
            return -1;
    if (ask(j, &list, err) < 0)
        return -1;
    for (size_t update = 0; update < j->c->update_count; update++) {
        struct judge_ruling *ruling = &j->rulings[update];
        if (!j->c->eligible[update] || ruling->code != CODE_TEST_FAILED)
            continue;
        const struct evidence *pinned = find_evidence(j, ruling->trial, nobody);
        if (pinned != NULL && passes(pinned->outcome))
            ruling->code = CODE_REGRESSION;
        else if (pinned != NULL && outcome_is_failure(pinned->outcome))
            ruling->code = CODE_ALREADY_BROKEN;
    }
    return 0;
}

static void settle(struct judging *j, bool closed) {
    for (size_t update = 0; update < j->c->update_count; update++) {
        if (!j->c->eligible[update] || j->blamed[update])
            continue;
        struct judge_ruling ruling = {
            .verdict = VERDICT_PROMOTE, .trial = JUDGE_NO_TRIAL, .outcome = OUTCOME_PASSED};
        if (closed) {
            ruling.verdict = VERDICT_HOLD;
            ruling.code = CODE_GATE_CLOSED;
        }
        j->rulings[update] = ruling;
    }
}

static int judge_rounds(struct judging *j, struct error *err) {
    bool someone_blamed = false;
    while (anyone_left(j)) {
        bool all_passed;
        if (round_of_trials(j, &all_passed, err) < 0)
            return -1;
        if (all_passed)
            break;
        if (!take_out(j))
            return error_set(err, ERROR_BUG, "a set of updates failed and nobody was to blame");
        someone_blamed = true;
        if (!j->c->promote_passing)
            break;
    }
    settle(j, someone_blamed && !j->c->promote_passing);
    trace(TRACE_GATE, "judged %zu updates with %zu answers", j->c->update_count, j->evidence.count);
    return compare_with_pinned(j, err);
}

int judge(const struct judge_case *c, struct judge_ruling *rulings, struct error *err) {
    _cleanup_(judging_clear) struct judging j = {.c = c, .rulings = rulings};
    j.left = flags_new(c->update_count, err);
    j.blamed = flags_new(c->update_count, err);
    if (j.left == NULL || j.blamed == NULL)
        return -1;
    memcpy(j.left, c->eligible, c->update_count * sizeof *j.left);
    return judge_rounds(&j, err);
}
