/* Fallback: a candidate that may not be is given up for the next newest, as far as the rule's `candidates` allows.
 *
 * Only when something fails is anything asked: the digest of the next tag, one request. By then the look-up may lie an hour
 * back, so it is opened anew, with what earlier runs saw where cooldowns need it. */
#include <stdlib.h>
#include <string.h>

#include "pipelines/gate.h"

/* How many candidates cost tests so far, the present one not counted. */
static int64_t tested(const struct update *update) {
    int64_t count = 0;
    for (size_t i = 0; i < update->tried.count; i++)
        count += update->tried.items[i].outcome != OUTCOME_SKIPPED ? 1 : 0;
    return count;
}

bool gate_may_fall_back(const struct gate *gate, const struct update *update) {
    return gate->options->since == NULL && update->further.count > 0 &&
           tested(update) + 1 < update->candidates;
}

static bool is_wanted(const struct gate *gate, const struct update *update,
                      const struct gate_failure *failure) {
    if (!failure->failed || update->candidate_digest == NULL || update->further.count == 0)
        return false;
    return failure->untested || gate_may_fall_back(gate, update);
}

/* Trials with the candidate that is given up stay in the result for their logs, and count for nothing. */
static void give_up_trials(struct gate *gate, size_t update) {
    for (size_t i = 0; i < gate->result->trial_count; i++) {
        struct result_trial *trial = &gate->result->trials[i];
        if (!trial->baseline && result_trial_covers(trial, update))
            trial->given_up = true;
    }
}

static int warn_of_failure(struct gate *gate, const struct update *update, const char *reason,
                           struct error *err) {
    _cleanup_(free_pointer) char *words = string_format(
        err, "%s: the candidate after %s could not be looked up: %s",
        reference_familiar(update->image),
        update->candidate_tag != NULL ? update->candidate_tag : update->candidate_digest, reason);
    if (words == NULL)
        return -1;
    terminal_warning(gate->terminal, "%s", words);
    return string_list_add(&gate->result->warnings, words, err);
}

/* further: its tag and digest go over to the update. */
static int move_on(struct gate *gate, size_t number, const struct gate_failure *failure,
                   struct lookup_further *further, struct error *err) {
    struct update *update = &gate->updates.items[number];
    terminal_line(gate->terminal, "%s: %s%.19s did not pass, next is %s%s%.19s",
                  reference_familiar(update->image),
                  update->candidate_tag != NULL ? update->candidate_tag : "",
                  update->candidate_tag != NULL ? "" : update->candidate_digest, further->tag,
                  string_equal(further->tag, update->candidate_tag) ? "@" : "",
                  string_equal(further->tag, update->candidate_tag) ? further->digest : "");
    _cleanup_(free_pointer) char *reason = NULL; /* giving it up clears the update's own */
    if (string_copy(failure->reason != NULL ? failure->reason : update->reason, &reason, err) < 0 ||
        update_give_up(update, failure->test, reason, failure->outcome, err) < 0)
        return -1;
    update->candidate_tag = steal(further->tag);
    update->candidate_digest = steal(further->digest);
    give_up_trials(gate, number);
    gate_forget_changes(gate, number);
    return 0;
}

static int take(struct gate *gate, const struct gate_failure *failures, const bool *wanted,
                struct lookup_further *further, bool *any, struct error *err) {
    for (size_t i = 0; i < gate->updates.count; i++) {
        struct update *update = &gate->updates.items[i];
        if (!wanted[i])
            continue;
        if (further[i].digest == NULL) {
            string_list_clear(&update->further); /* nothing is asked again */
            if (further[i].failed && warn_of_failure(gate, update, further[i].reason, err) < 0)
                return -1;
            continue;
        }
        if (move_on(gate, i, &failures[i], &further[i], err) < 0)
            return -1;
        *any = true;
    }
    return 0;
}

/* What earlier runs saw is needed for cooldowns alone; the reading may warn, so it is not done in vain. */
static int look_up_again(struct gate *gate, const bool *wanted, struct lookup_further *further,
                         struct error *err) {
    if (gate->lookup.registry != NULL)
        return lookup_further(&gate->lookup, &gate->updates, wanted, further, err);
    bool remembers = false;
    for (size_t i = 0; i < gate->updates.count; i++)
        remembers = remembers || (wanted[i] && gate->updates.items[i].cooldown_ms > 0 &&
                                  !gate->updates.items[i].urgent);
    int result = lookup_open(gate->config, gate->cancel, &gate->lookup, err);
    if (result == 0 && remembers) {
        state_freep(&gate->state); /* of the first look-up */
        result = gate_recall(gate, err);
    }
    if (result == 0)
        result = lookup_further(&gate->lookup, &gate->updates, wanted, further, err);
    if (result == 0 && remembers)
        result = gate_record(gate, err);
    lookup_close(&gate->lookup);
    return result;
}

int gate_fall_back(struct gate *gate, const struct gate_failure *failures, bool *any,
                   struct error *err) {
    *any = false;
    size_t count = gate->updates.count;
    bool some = false;
    _cleanup_(free_pointer) bool *wanted = calloc(count + 1, sizeof *wanted);
    struct lookup_further *further = calloc(count + 1, sizeof *further);
    if (wanted == NULL || further == NULL) {
        free(further);
        return error_no_memory(err);
    }
    for (size_t i = 0; i < count; i++) {
        wanted[i] = is_wanted(gate, &gate->updates.items[i], &failures[i]);
        some = some || wanted[i];
    }
    int result = 0;
    if (some && (look_up_again(gate, wanted, further, err) < 0 ||
                 take(gate, failures, wanted, further, any, err) < 0))
        result = -1;
    lookup_further_clear(further, count);
    free(further);
    return result;
}

/* What changed in an image is looked at before anything is run; what it refuses moves on without a trial, but counts as tried. */
int gate_deny_candidates(struct gate *gate, struct credentials *credentials, struct error *err) {
    _cleanup_(free_pointer) struct gate_failure *failures =
        calloc(gate->updates.count + 1, sizeof *failures);
    if (failures == NULL)
        return error_no_memory(err);
    bool any = true;
    while (any) {
        if (gate_deny(gate, credentials, err) < 0)
            return -1;
        for (size_t i = 0; i < gate->updates.count; i++) {
            const struct update *update = &gate->updates.items[i];
            failures[i] = (struct gate_failure){.failed = update->decided &&
                                                          update->code == CODE_CHANGE_DENIED,
                                                .outcome = OUTCOME_FAILED};
        }
        if (gate_fall_back(gate, failures, &any, err) < 0)
            return -1;
    }
    return 0;
}

void gate_tried_words(const struct update *update, struct text *out) {
    const struct update_tried *first = NULL; /* that fails: the oldest of them */
    for (size_t i = update->tried.count; i > 0 && first == NULL; i--)
        if (update->tried.items[i - 1].outcome != OUTCOME_SKIPPED)
            first = &update->tried.items[i - 1];
    if (first != NULL) {
        text_printf(out, "; the first version that fails is %s%s%.19s",
                    first->tag != NULL ? first->tag : "", first->tag != NULL ? "@" : "",
                    first->digest);
        if (first->test != NULL)
            text_printf(out, " (test \"%s\": %s)", first->test, outcome_name(first->outcome));
    }
    for (size_t i = 0; i < update->tried.count; i++) {
        const struct update_tried *tried = &update->tried.items[i];
        if (tried->outcome == OUTCOME_SKIPPED)
            text_printf(out, "; %s was passed over: %s",
                        tried->tag != NULL ? tried->tag : tried->digest,
                        tried->reason != NULL ? tried->reason : "it is denied");
    }
}
