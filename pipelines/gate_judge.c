/* From trials to verdicts: the judge is asked, stage by stage; who is rejected and has another candidate moves to that one, and
 * the judge is asked again, until nothing changes. What was answered before is answered from memory (gate_ask). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pipelines/gate.h"

/* ---- verdicts in words ---- */

static const char *test_of(const struct gate *gate, const struct judge_ruling *ruling) {
    return ruling->trial != JUDGE_NO_TRIAL ? gate->plan.items[ruling->trial].test->name : NULL;
}

/* "redis 7.4.2", as it was tried. */
static void name_candidate(const struct update *update, struct text *out) {
    text_add(out, reference_familiar(update->image));
    if (update->candidate_tag != NULL)
        text_printf(out, " %s", update->candidate_tag);
    else
        text_printf(out, "@%.19s", update->candidate_digest);
}

static void together_words(const struct gate *gate, const struct judge_ruling *ruling,
                           struct text *out) {
    text_add(out, "fails together with ");
    for (size_t i = 0; i < ruling->culprit_count; i++) {
        text_add(out, i == 0 ? "" : i + 1 < ruling->culprit_count ? ", " : " and ");
        name_candidate(&gate->updates.items[ruling->culprits[i]], out);
    }
    text_add(out, ruling->culprit_count == 1 ? "; each passes alone"
                                             : "; without any one of them it passes");
}

static void failed_words(const struct gate *gate, const struct judge_ruling *ruling,
                         struct text *out) {
    text_add(out, "fails on the candidate");
    if (gate->options->standing != NULL)
        return;
    text_add(out, gate->plan.items[ruling->trial].test->baseline == BASELINE_OFF
                      ? "; the pinned digest was not tried (baseline: off)"
                      : "; the pinned digest could not be tried");
}

static void untested_words(const struct gate *gate, size_t update,
                           const struct judge_ruling *ruling, struct text *out) {
    const char *reason = gate_trial_reason(gate, test_of(gate, ruling), update, ruling->outcome);
    text_add(out, "could not be tested: ");
    if (reason == NULL && ruling->outcome == OUTCOME_SKIPPED)
        text_printf(out, "the limit of %u trials of one run was reached", JUDGE_TRIALS_LIMIT);
    else
        text_add(out, reason != NULL ? reason : "no reason was recorded");
}

static bool tolerates_something(const struct gate *gate, size_t update) {
    for (size_t i = 0; i < gate->asked.count; i++) {
        const struct gate_answer *answer = &gate->asked.items[i];
        const struct result_trial *trial = &gate->result->trials[answer->record];
        if (gate->plan.items[answer->trial].test->baseline == BASELINE_TOLERATE &&
            result_trial_counts(trial) && result_trial_covers(trial, update) &&
            string_equal(trial->class, "already-broken"))
            return true;
    }
    return false;
}

static void words_of(const struct gate *gate, size_t update, const struct judge_ruling *ruling,
                     struct text *out) {
    const char *test = test_of(gate, ruling);
    if (test != NULL)
        text_printf(out, "test \"%s\" (%s): ", test, outcome_name(ruling->outcome));
    switch ((int)ruling->code) {
    case CODE_NONE:
        text_add(out,
                 tolerates_something(gate, update)
                     ? "its tests passed, but for those that fail on the pinned digest as well "
                       "(baseline: tolerate)"
                     : "all of its tests passed");
        break;
    case CODE_GATE_CLOSED:
        text_add(out, "its tests passed, but another update did not pass, and promote is \"all\"");
        break;
    case CODE_NOT_TESTED:
        untested_words(gate, update, ruling, out);
        break;
    case CODE_REGRESSION:
        text_add(out, "fails on the candidate and passes on the pinned digest");
        break;
    case CODE_ALREADY_BROKEN:
        text_add(out, "fails on the candidate, and on the pinned digest as well");
        if (ruling->verdict == VERDICT_HOLD)
            text_add(out, ", which is tolerated; no other test passed, so nothing is proven");
        break;
    case CODE_FAILS_TOGETHER:
        together_words(gate, ruling, out);
        break;
    case CODE_FLAKY:
        text_add(out, "passed only when it was run again, and `flaky` is \"reject\"");
        break;
    default:
        failed_words(gate, ruling, out);
        break;
    }
}

static int decide_one(struct gate *gate, size_t number, struct judge_ruling *ruling,
                      struct error *err) {
    struct update *update = &gate->updates.items[number];
    _cleanup_(text_clear) struct text words = {0};
    words_of(gate, number, ruling, &words);
    gate_tried_words(update, &words);
    if (text_check(&words, err) < 0)
        return -1;
    free(update->culprits);
    update->culprits = steal(ruling->culprits);
    update->culprit_count = ruling->culprit_count;
    return update_decide(update, err, ruling->verdict, ruling->code, "%s", text_string(&words));
}

static int decide(struct gate *gate, const bool *eligible, struct judge_ruling *rulings,
                  struct error *err) {
    if (gate_classify(gate, err) < 0)
        return -1;
    for (size_t i = 0; i < gate->updates.count; i++)
        if (eligible[i] && decide_one(gate, i, &rulings[i], err) < 0)
            return -1;
    return 0;
}

/* ---- fallback ---- */

/* An older candidate cannot mend a test that fails on the pinned digests too, nor what could not be tested. */
static bool may_be_mended(const struct judge_ruling *ruling) {
    return ruling->verdict == VERDICT_REJECT && ruling->code != CODE_ALREADY_BROKEN;
}

/* The words of a rejection, for what is given up. */
static int explain(const struct gate *gate, size_t update, const struct judge_ruling *ruling,
                   struct gate_failure *failure, struct error *err) {
    _cleanup_(text_clear) struct text words = {0};
    struct judge_ruling without_test = *ruling; /* it is named beside */
    const char *reason = gate_trial_reason(gate, test_of(gate, ruling), update, ruling->outcome);
    without_test.trial = JUDGE_NO_TRIAL;
    if (ruling->code == CODE_TEST_FAILED)
        text_add(&words, "fails on the candidate");
    else
        words_of(gate, update, &without_test, &words);
    if (reason != NULL && ruling->code != CODE_FAILS_TOGETHER)
        text_printf(&words, ": %s", reason);
    failure->reason = text_steal(&words, err);
    return failure->reason != NULL ? 0 : -1;
}

static int next_candidates(struct gate *gate, const bool *eligible,
                           const struct judge_ruling *rulings, bool *any, struct error *err) {
    size_t count = gate->updates.count;
    struct gate_failure *failures = calloc(count + 1, sizeof *failures);
    if (failures == NULL)
        return error_no_memory(err);
    int result = 0;
    for (size_t i = 0; i < count && result == 0; i++) {
        if (!eligible[i] || !may_be_mended(&rulings[i]) ||
            !gate_may_fall_back(gate, &gate->updates.items[i]))
            continue;
        failures[i] = (struct gate_failure){
            .failed = true, .test = test_of(gate, &rulings[i]), .outcome = rulings[i].outcome};
        result = explain(gate, i, &rulings[i], &failures[i], err);
    }
    if (result == 0)
        result = gate_fall_back(gate, failures, any, err);
    for (size_t i = 0; i < count; i++)
        free((char *)failures[i].reason);
    free(failures);
    return result;
}

/* ---- one stage ---- */

/* Nothing can be compared where a pin is new, or where what stands is itself what is tested. */
static enum baseline baseline_of(const struct gate *gate, const struct plan_trial *trial) {
    bool comparable = gate->options->standing == NULL;
    for (size_t i = 0; i < trial->participant_count; i++)
        comparable = comparable && gate->updates.items[trial->participants[i]].digest != NULL;
    return comparable ? trial->test->baseline : BASELINE_OFF;
}

static void describe_trials(const struct gate *gate, struct judge_trial *trials) {
    for (size_t i = 0; i < gate->plan.count; i++) {
        const struct plan_trial *trial = &gate->plan.items[i];
        trials[i] = (struct judge_trial){.participants = trial->participants,
                                         .participant_count = trial->participant_count,
                                         .covers = trial->covers,
                                         .cover_count = trial->cover_count,
                                         .baseline = baseline_of(gate, trial),
                                         .flaky_passes = trial->test->flaky == FLAKY_PROMOTE};
    }
}

/* Once with the candidates as they are. again: some moved on. */
static int judge_once(struct gate *gate, const struct judge_case *c, bool *eligible,
                      struct credentials *credentials, bool *again, struct error *err) {
    size_t count = gate->updates.count;
    *again = false;
    struct judge_ruling *rulings = calloc(count + 1, sizeof *rulings);
    if (rulings == NULL)
        return error_no_memory(err);
    int result = judge(c, rulings, err);
    if (result == 0)
        result = next_candidates(gate, eligible, rulings, again, err);
    if (result == 0 && !*again)
        result = decide(gate, eligible, rulings, err);
    judge_rulings_clear(rulings, count);
    free(rulings);
    if (result < 0 || !*again || credentials == NULL)
        return result;
    result = gate_deny_candidates(gate, credentials, err);
    for (size_t i = 0; i < count; i++)
        eligible[i] = eligible[i] && !gate->updates.items[i].decided;
    return result;
}

/* Of one stage: what fails in another one closes no gate here. */
static int judge_stage(struct gate *gate, size_t stage, bool *eligible,
                       struct credentials *credentials, struct error *err) {
    _cleanup_(free_pointer) struct judge_trial *trials =
        calloc(gate->plan.count + 1, sizeof *trials);
    if (trials == NULL)
        return error_no_memory(err);
    describe_trials(gate, trials);
    struct judge_case c = {.update_count = gate->updates.count,
                           .eligible = eligible,
                           .trials = trials,
                           .trial_count = gate->plan.count,
                           .promote_passing = gate_promotes_passing(gate, stage),
                           .ask = gate_ask,
                           .context = gate};
    bool again = true;
    while (again)
        if (judge_once(gate, &c, eligible, credentials, &again, err) < 0)
            return -1;
    return 0;
}

int gate_judge(struct gate *gate, const bool *eligible, struct credentials *credentials,
               struct error *err) {
    const struct update_list *updates = &gate->updates;
    _cleanup_(free_pointer) bool *here = calloc(updates->count + 1, sizeof *here);
    if (here == NULL)
        return error_no_memory(err);
    for (size_t s = 0; s <= gate->config->stages.count; s++) {
        size_t stage = s < gate->config->stages.count ? s : STAGE_NONE;
        size_t count = 0;
        for (size_t i = 0; i < updates->count; i++) {
            here[i] = eligible[i] && updates->items[i].stage == stage;
            count += here[i] ? 1 : 0;
        }
        if (count > 0 && judge_stage(gate, stage, here, credentials, err) < 0)
            return -1;
    }
    return 0;
}
